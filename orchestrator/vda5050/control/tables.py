"""Life cycles as tables: state -> what may follow. A step that is not in them is a bug of ours."""

from __future__ import annotations

from orchestrator.vda5050.errors import LocalError

Table = dict[str, tuple[str, ...]]

# An order of ours, from the first message to its end. `sent`: a message (the order or an update of it)
# is out and not yet echoed; `driven`: the vehicle has all of it; `void`: it will not be ended.
ERRAND: Table = {
    "sent": ("driven", "void"),
    "driven": ("sent", "over", "void"),
    "over": (),
    "void": (),
}

# A vehicle, as far as commanding it goes.
VEHICLE: Table = {
    "unknown": ("joined",),  # heard of, not in the building's books
    "joined": ("clearing", "faulted"),
    "clearing": ("joined", "faulted"),  # an order is being cancelled: nothing is sent meanwhile
    "faulted": ("joined", "clearing"),
}

# Of an action's states.
ENDED = ("FINISHED", "FAILED")


def follow(table: Table, before: str, after: str) -> str:
    """The next state; a step that the table does not know is a bug of ours."""
    if after not in table[before]:
        raise LocalError(f"{before} -> {after} is no step")
    return after
