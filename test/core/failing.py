"""A story whose robots get their base, but report nothing by themselves."""

from __future__ import annotations

from typing import Any

from test_flow import Story

from orchestrator.core.messages import ExtendBase, Line, NoteException, Ticked

SECOND = 1_000_000_000


class Held(Story):
    """Robots get their base, but report nothing by themselves."""

    held = True

    def answer(self, command: object) -> list[object]:
        return [] if self.held and isinstance(command, ExtendBase) else super().answer(command)

    def of(self, kind: type) -> list[Any]:
        return [command for command in self.seen if isinstance(command, kind)]

    def ended(self) -> list[tuple[str, str]]:
        return [(c.kind, c.how) for c in self.of(NoteException) if c.phase == "ended"]


def driving(**policy: Any) -> Held:
    """A robot is under way with a base of several edges."""
    story = Held(policy={"invariants_every": 1, "lookahead": 4} | policy)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(3)
    assert len(story.world.traffic.released[busy(story)]) >= 2
    return story


def busy(story: Held) -> int:
    return next(r.index for r in story.world.robots if story.world.traffic.released[r.index])


def base(story: Held, robot: int) -> list[int]:
    return [move.edge for move in story.world.traffic.released[robot]]


def wait(story: Held, seconds: int) -> None:
    story.time_ns += seconds * SECOND
    story.say(Ticked())
