"""A lane that is said to be cleared, and a camera that looks at it before anybody drives there."""

from __future__ import annotations

from typing import Any

import pytest
from failing import Held, base, busy, wait

from orchestrator.core.messages import (
    BackOut,
    ClearingFailed,
    ClearLane,
    ImageRead,
    LaneBlocked,
    LaneCleared,
    Line,
    RequestInference,
)


class Watched(Held):
    """Floor cameras answer when they are told to."""

    def answer(self, command: object) -> list[object]:
        asked = isinstance(command, RequestInference) and command.task == "check_lane"
        return [] if asked else super().answer(command)

    @property
    def looks(self) -> list[RequestInference]:
        return [c for c in self.of(RequestInference) if c.task == "check_lane"]

    @looks.setter
    def looks(self, _: list[str]) -> None:
        """Other cameras see what they should."""

    def sees(self, outcome: str, value: str = "") -> None:
        request = self.looks[-1].request
        self.say(ImageRead(request=request, outcome=outcome, value=value))

    def opened(self) -> bool:
        return not self.world.obstacles


def cleared(cameras: bool | list[str] = True, **policy: Any) -> tuple[Watched, int, int]:
    """A robot has met something, and it is said to be cleared."""
    rules = {"invariants_every": 1, "lookahead": 4, "clear_tries": 2, "floor_looks": 2}
    story = Watched(policy=rules | policy, floor_cameras=cameras)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(3)
    robot = busy(story)
    edge = base(story, robot)[0]
    story.say(LaneBlocked(robot=robot, edge=edge), LaneCleared(edge=edge))
    return story, robot, edge


def test_a_lane_is_opened_when_its_camera_sees_nothing() -> None:
    story, robot, edge = cleared()
    (asked,) = story.looks
    assert (asked.subject, asked.expected, asked.station, asked.capability) == (
        story.world.site.roadmap.edge_ids[edge], "clear", -1, "floor",
    )  # fmt: skip
    assert story.world.robots[robot].stuck and not story.opened()
    held = base(story, robot)
    story.sees("ok", "clear")
    assert story.opened() and not story.world.closures.parts
    assert base(story, robot) == held and not story.world.robots[robot].stuck
    assert story.ended() == [("lane_blocked", "cleared")]
    assert not story.world.floor_looks and asked.request not in story.world.due
    story.sees("blocked", "blocked")
    assert story.opened(), "an answer that nobody waits for changes nothing"


@pytest.mark.parametrize("answer", [("blocked", "blocked"), ("ok", "blocked"), ("blocked", "")])
def test_what_was_left_lying_is_cleared_again_and_nobody_waits_for_it(
    answer: tuple[str, str],
) -> None:
    story, robot, edge = cleared()
    story.sees(*answer)
    assert [c.attempt for c in story.of(ClearLane)] == [1, 2] and not story.opened()
    assert story.of(BackOut) == [BackOut(robot=robot)]
    story.say(LaneCleared(edge=edge))
    story.sees("ok", "clear")
    assert story.opened()
    assert story.ended() == [("lane_left", "cleared"), ("lane_blocked", "cleared")]


def test_what_can_not_be_cleared_waits_for_a_person_who_is_believed() -> None:
    story, _, edge = cleared()
    for _ in range(2):
        story.sees("blocked", "blocked")
        story.say(LaneCleared(edge=edge))
    assert [(c.attempt, c.maintenance) for c in story.of(ClearLane)] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip
    assert story.opened() and len(story.looks) == 2
    assert story.ended() == [("lane_left", "handed on"), ("lane_blocked", "maintenance")]


@pytest.mark.parametrize(
    "answer", [("unreadable", ""), ("doubtful", "blocked"), ("ok", ""), ("ok", "o1"), None]
)
def test_a_camera_that_can_not_tell_looks_again_then_clearing_is_tried_again_then_robots_are_relied_on(
    answer: tuple[str, str] | None,
) -> None:
    story, _, edge = cleared()
    for attempt in (1, 2):
        for view in (0, 1):
            assert story.looks[-1].view == view and not story.opened()
            story.sees(*answer) if answer else wait(story, 61)
        assert len(story.of(ClearLane)) == 2
        if attempt == 1:
            story.say(LaneCleared(edge=edge))
    assert story.opened() and len(story.looks) == 4
    assert not any(command.maintenance for command in story.of(ClearLane))
    assert story.ended() == [("lane_unseen", "opened"), ("lane_blocked", "cleared unseen")]


def test_a_second_look_that_can_tell_is_enough() -> None:
    story, _, _ = cleared()
    story.sees("doubtful")
    story.sees("ok", "clear")
    assert story.opened() and len(story.of(ClearLane)) == 1
    assert story.ended() == [("lane_unseen", "seen"), ("lane_blocked", "cleared")]


def test_a_robot_that_stands_before_it_knows_better_than_the_camera() -> None:
    story, robot, edge = cleared()
    story.say(LaneBlocked(robot=robot, edge=edge))
    assert [c.attempt for c in story.of(ClearLane)] == [1, 2]
    story.sees("ok", "clear")
    assert not story.opened(), "this look was over"
    assert story.of(BackOut) == [BackOut(robot=robot)]


def test_news_of_an_attempt_that_is_over_does_not_end_the_look() -> None:
    story, _, edge = cleared()
    story.say(LaneCleared(edge=edge), ClearingFailed(edge=edge, attempt=1))
    assert len(story.looks) == 1 and len(story.of(ClearLane)) == 1
    story.sees("ok", "clear")
    assert story.opened()


@pytest.mark.parametrize("cameras", [False, ["r*>out-*"]])
def test_where_no_camera_looks_the_word_is_enough(cameras: bool | list[str]) -> None:
    story, _, _ = cleared(cameras)
    assert story.opened() and not story.looks
    assert story.ended() == [("lane_blocked", "cleared")]
