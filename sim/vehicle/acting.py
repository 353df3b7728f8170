"""Which action begins when (VDA 5050 on blocking types): in the sequence of the order, together where
their blocking types allow it."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.vda5050.doing import Doing
from orchestrator.vda5050.model import Action

ALONE = ("HARD", "SINGLE")  # no other action meanwhile; HARD and SOFT: no driving
RUNNING = ("INITIALIZING", "RUNNING", "PAUSED")


def startable(doing: list[Doing], reached: int) -> list[Doing]:
    """Actions that begin now: of nodes up to sequence id `reached`."""
    running = [each for each in doing if each.status in RUNNING]
    found: list[Doing] = []
    for each in doing:
        if each.sequence > reached:
            break
        if each.status != "WAITING":
            continue
        others = [*running, *found]
        if any(other.action.blocking in ALONE for other in others):
            break
        if each.action.blocking in ALONE and others:
            break  # those behind it wait as well
        found.append(each)
    return found


def fail_waiting(doing: list[Doing], why: str) -> None:
    """What has not begun never will."""
    for each in doing:
        if each.status == "WAITING":
            each.status, each.result = "FAILED", why


def begin(doing: list[Doing], reached: int, start: Callable[[Doing], None]) -> bool:
    """Begin what can begin, until nothing more can; True: something did."""
    changed = False
    while found := startable(doing, reached):
        for each in found:
            each.status = "RUNNING"
            start(each)
        changed = True
    return changed


def text(action: Action, key: str) -> str:
    """A parameter that is text; "" where it is missing or something else."""
    value = action.parameters.get(key, "")
    return value if isinstance(value, str) else ""
