"""Services of `std_srvs` as requests to the core, and its answers as theirs. Pure functions.

`pause`, `resume` (Trigger) mean all robots; `evacuate` (SetBool) sends all to park, or lets them go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from orchestrator.core.messages import AnswerRequest, RobotsEvacuated, RobotsPaused, RobotsResumed

Asked = RobotsPaused | RobotsResumed | RobotsEvacuated


class Outcome(NamedTuple):
    """As `Trigger` and `SetBool` answer."""

    success: bool
    message: str


TRIGGERS: dict[str, Callable[[str], Asked]] = {
    "pause": lambda request: RobotsPaused(request=request),
    "resume": lambda request: RobotsResumed(request=request),
}
SWITCHES: dict[str, Callable[[str, bool], Asked]] = {
    "evacuate": lambda request, on: (
        RobotsEvacuated(request=request) if on else RobotsResumed(request=request)
    ),
}


def outcome(answer: AnswerRequest | None, seconds: float) -> Outcome:
    """None: the core said nothing for so many seconds."""
    if answer is None:
        return Outcome(False, f"no answer within {seconds:g} s -> is the node active?")
    return Outcome(answer.accepted, answer.reason or "accepted")
