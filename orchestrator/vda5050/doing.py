"""An action as whoever carries it out keeps it: of the vehicle's side of the protocol."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.vda5050.model import Action, ActionState

ENDED = ("FINISHED", "FAILED")


@dataclass(slots=True)
class Doing:
    """An action. `sequence`: of its node; -1: an instant one."""

    action: Action
    sequence: int = -1
    status: str = "WAITING"
    result: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more becomes of it."""
        return self.status in ENDED

    def end(self, outcome: str = "ok") -> None:
        """ok, or what went wrong."""
        self.status = "FINISHED" if outcome == "ok" else "FAILED"
        self.result = "" if outcome == "ok" else outcome

    def state(self) -> ActionState:
        """For the state message."""
        return ActionState(
            id=self.action.id, status=self.status, kind=self.action.kind, result=self.result
        )
