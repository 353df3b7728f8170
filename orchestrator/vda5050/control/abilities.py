"""What a vehicle can do by its factsheet, and how it is asked to: blocking types, load handling
devices."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.vda5050.model import Factsheet, Load, State

STRICTEST = ("HARD", "SINGLE", "SOFT", "NONE")  # first: nothing beside it


def blocking(sheet: Factsheet | None, kind: str) -> str:
    """HARD: whatever is done is done standing, one after the other. Where a vehicle does not allow that
    for an action, the strictest that it does."""
    for action in (sheet.actions if sheet is not None else None) or ():
        if action.kind == kind and action.blocking:
            return next((each for each in STRICTEST if each in action.blocking), "HARD")
    return "HARD"


def device(sheet: Factsheet | None, state: State | None, kind: str, load: str) -> str:
    """The load handling device for a pick or a drop; "": there is nothing to choose."""
    devices = sheet.devices if sheet is not None else ()
    loads = state.loads if state is not None else None
    if len(devices) < 2 or loads is None or kind not in ("pick", "drop"):
        return ""
    if kind == "drop":
        return next((on.place for on in loads if on.id == load and on.place in devices), "")
    taken = {on.place for on in loads}
    return next((each for each in devices if each not in taken), "")


def aboard(loads: Iterable[Load] | None, load: str) -> bool | None:
    """Whether a load is aboard, as the vehicle says; None: it does not say."""
    known = [on.id for on in loads] if loads is not None else None
    if known is None or not load or (known and not all(known)):
        return None
    return load in known
