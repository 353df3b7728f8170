"""Life cycles as tables. Of ours (order, update, instant action, vehicle) a step that is not in its
table is a bug; what vehicles tell (action, connection, operating mode) may be anything, and the table
says what is made of it."""

from __future__ import annotations

from typing import NamedTuple

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

# An instant action of ours. `sent`: not yet echoed; `seen`: the vehicle is at it.
INSTANT: Table = {
    "sent": ("seen", "over", "given up", "taken back"),
    "seen": ("over", "taken back"),
    "over": (),
    "given up": (),
    "taken back": (),
}

# A vehicle, as far as commanding it goes.
VEHICLE: Table = {
    "unknown": ("joined",),  # heard of, not in the building's books
    "joined": ("clearing", "faulted"),
    "clearing": ("joined", "faulted"),  # an order is being cancelled: nothing is sent meanwhile
    "faulted": ("joined", "clearing"),
}

# An action, by what the vehicle says of it; "": nothing yet. A step that is not here is counted, and
# not believed: what has ended has ended.
ACTION: Table = {
    "": ("WAITING", "INITIALIZING", "RUNNING", "PAUSED", "RETRIABLE", "FINISHED", "FAILED"),
    "WAITING": ("INITIALIZING", "RUNNING", "PAUSED", "RETRIABLE", "FINISHED", "FAILED"),
    "INITIALIZING": ("RUNNING", "PAUSED", "RETRIABLE", "FINISHED", "FAILED"),
    "RUNNING": ("INITIALIZING", "PAUSED", "RETRIABLE", "FINISHED", "FAILED"),
    "PAUSED": ("INITIALIZING", "RUNNING", "RETRIABLE", "FINISHED", "FAILED"),
    "RETRIABLE": ("INITIALIZING", "RUNNING", "PAUSED", "FINISHED", "FAILED"),
    "FINISHED": (),
    "FAILED": (),
}
ENDED = tuple(status for status, after in ACTION.items() if not after)


class Heard(NamedTuple):
    """What a word about the connection makes of it, and what is done: alarm | ask (for its state)."""

    connection: str
    then: str = ""


# A vehicle's connection ("": not heard of). STATE: a state message, which is proof of life whatever was
# told of the connection before.
CONNECTION: dict[str, dict[str, Heard]] = {
    "": {
        "ONLINE": Heard("ONLINE"),
        "OFFLINE": Heard("OFFLINE"),
        "HIBERNATING": Heard("HIBERNATING"),
        "CONNECTION_BROKEN": Heard("CONNECTION_BROKEN", "alarm"),
        "STATE": Heard("ONLINE"),
    },
    "ONLINE": {
        "ONLINE": Heard("ONLINE"),
        "OFFLINE": Heard("OFFLINE", "alarm"),
        "HIBERNATING": Heard("HIBERNATING"),
        "CONNECTION_BROKEN": Heard("CONNECTION_BROKEN", "alarm"),
        "STATE": Heard("ONLINE"),
    },
    "OFFLINE": {
        "ONLINE": Heard("ONLINE", "ask"),
        "OFFLINE": Heard("OFFLINE"),
        "HIBERNATING": Heard("HIBERNATING"),
        "CONNECTION_BROKEN": Heard("CONNECTION_BROKEN"),
        "STATE": Heard("ONLINE"),
    },
    "HIBERNATING": {
        "ONLINE": Heard("ONLINE", "ask"),
        "OFFLINE": Heard("OFFLINE", "alarm"),
        "HIBERNATING": Heard("HIBERNATING"),
        "CONNECTION_BROKEN": Heard("CONNECTION_BROKEN", "alarm"),
        "STATE": Heard("ONLINE"),
    },
    "CONNECTION_BROKEN": {
        "ONLINE": Heard("ONLINE", "ask"),
        "OFFLINE": Heard("OFFLINE"),
        "HIBERNATING": Heard("HIBERNATING"),
        "CONNECTION_BROKEN": Heard("CONNECTION_BROKEN"),
        "STATE": Heard("ONLINE"),
    },
}

# Operating modes: mode -> the next one -> what that means: "" (nothing), stop (it is ours no more, and
# keeps its order), void (it has cleared its order), back (it is ours again).
AUTOMATIC = {
    "AUTOMATIC": "",
    "SEMIAUTOMATIC": "",
    "INTERVENED": "stop",
    "STARTUP": "void",
    "MANUAL": "void",
    "SERVICE": "void",
    "TEACH_IN": "void",
}
MODE: dict[str, dict[str, str]] = {
    "AUTOMATIC": AUTOMATIC,
    "SEMIAUTOMATIC": AUTOMATIC,
    "INTERVENED": AUTOMATIC | {"AUTOMATIC": "back", "SEMIAUTOMATIC": "back", "INTERVENED": ""},
}
BY_HAND = dict.fromkeys(AUTOMATIC, "") | {"AUTOMATIC": "back", "SEMIAUTOMATIC": "back"}
MODE |= dict.fromkeys(("STARTUP", "MANUAL", "SERVICE", "TEACH_IN"), BY_HAND)
COMMANDED = tuple(mode for mode, after in MODE.items() if after is AUTOMATIC)
# Which instant actions may be sent; None: all.
INSTANT_ACTIONS: dict[str, tuple[str, ...] | None] = {
    "AUTOMATIC": None,
    "SEMIAUTOMATIC": None,
    "INTERVENED": ("cancelOrder",),
    "STARTUP": (),
    "MANUAL": (),
    "SERVICE": (),
    "TEACH_IN": (),
}

# Errors by level: what is done about one that is new. anew: it can't go on with its order, but takes
# another one; fault: neither.
LEVELS = {"WARNING": "", "URGENT": "alarm", "CRITICAL": "anew", "FATAL": "fault"}


def follow(table: Table, before: str, after: str) -> str:
    """The next state; a step that the table does not know is a bug of ours."""
    if after not in table[before]:
        raise LocalError(f"{before} -> {after} is no step")
    return after
