"""Robots and lanes that fail, told to the core by hand."""

from __future__ import annotations

from typing import Any

import pytest
from failing import SECOND, Held, base, busy, driving, wait

from orchestrator.core.messages import (
    ActionEnded,
    BackedOut,
    BackOut,
    BaseTrimmed,
    ClearingFailed,
    ClearLane,
    LaneBlocked,
    LaneCleared,
    NodeReached,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    RobotRecovered,
    StopRobot,
    TrimBase,
)


def test_a_leap_is_not_believed_until_nothing_contradicts_it() -> None:
    story = driving()
    robot = busy(story)
    first, second = base(story, robot)[:2]
    story.say(NodeReached(robot=robot, edge=second))
    assert base(story, robot)[0] == first, "it may still be on the first edge"
    wait(story, 5)
    assert base(story, robot)[0] == first
    wait(story, 6)
    assert first not in base(story, robot) and second not in base(story, robot)


def test_the_truth_after_a_leap_counts_and_the_leap_does_not() -> None:
    story = driving()
    robot = busy(story)
    first, second = base(story, robot)[:2]
    story.say(NodeReached(robot=robot, edge=second))
    story.time_ns += 5 * SECOND
    story.say(NodeReached(robot=robot, edge=first))
    assert base(story, robot)[0] == second


def test_nonsense_is_counted_and_stops_the_robot() -> None:
    story = driving(nonsense_count=3, nonsense_within_s=30)
    robot = busy(story)
    held = base(story, robot)
    lies = [NodeReached(robot=robot, edge=10**6), ActionEnded(robot=robot, action=2**30)]
    story.say(*lies)
    assert not story.of(StopRobot)
    wait(story, 31)  # forgiven: there was none for long enough
    assert story.ended() == [("robot_nonsense", "tolerated")]
    story.say(*lies)
    assert not story.of(StopRobot)
    story.say(NodeReached(robot=robot, edge=-5))
    assert story.of(StopRobot) == [StopRobot(robot=robot)]
    assert story.world.robots[robot].dead and base(story, robot) == held, "held as before"
    story.say(NodeReached(robot=robot, edge=held[0]))
    assert base(story, robot) == held, "nothing is believed any more"
    story.say(RobotRecovered(robot=robot, edge=held[0]))
    assert not story.world.robots[robot].dead and base(story, robot)[0] == held[1]
    assert story.ended()[-1] == ("robot_nonsense", "restarted")


def test_a_dead_robot_that_waits_for_a_person_gives_free_what_it_is_not_on() -> None:
    story = driving(restart_tries=1, maintenance_every_minutes=60, maintenance_minutes=5)
    robot = busy(story)
    first, *beyond = base(story, robot)
    story.say(RobotFaulted(robot=robot, reason="test"))
    assert base(story, robot) == [first, *beyond]
    story.say(RecoveryFailed(robot=robot, attempt=1))
    assert story.of(TrimBase) == [TrimBase(robot=robot, edges=tuple(beyond))]
    assert base(story, robot) == [first, *beyond], "it may be driving as yet"
    story.say(BaseTrimmed(robot=robot, edges=tuple(beyond)))
    assert base(story, robot) == [first]
    wait(story, 1800)
    assert not any(command.maintenance for command in story.of(RecoverRobot))
    wait(story, 1800)
    assert [c.maintenance for c in story.of(RecoverRobot)] == [False, True]
    assert story.world.visits
    story.say(RobotRecovered(robot=robot))
    assert story.ended()[-1] == ("robot_dead", "maintenance")
    assert not story.world.visits and not story.world.closures.parts


@pytest.mark.parametrize("kind", ["robot_silent", "robot_nonsense"])
def test_a_robot_that_nothing_true_is_heard_of_keeps_what_it_may_be_driving(kind: str) -> None:
    story = driving(restart_tries=1, maintenance_every_minutes=60, maintenance_minutes=5)
    robot = busy(story)
    held = base(story, robot)
    assert len(held) > 1
    story.say(RobotFaulted(robot=robot, reason="test", kind=kind))
    story.say(RecoveryFailed(robot=robot, attempt=1))
    assert base(story, robot) == held and not story.of(TrimBase)
    wait(story, 3600)
    assert [c.maintenance for c in story.of(RecoverRobot)] == [False, True], "a person comes"
    story.say(RobotRecovered(robot=robot, edge=held[-1]))
    assert held[0] not in base(story, robot)


def test_an_empty_battery_is_not_restarted() -> None:
    story = driving()
    robot = busy(story)
    story.say(RobotFaulted(robot=robot, reason="battery empty", kind="battery_empty"))
    assert [c.maintenance for c in story.of(RecoverRobot)] == [True]


def test_a_robot_that_slips_is_relocalised_then_treated_as_dead() -> None:
    story = driving(relocalise_tries=1, restart_tries=1)
    robot = busy(story)
    story.say(RobotFaulted(robot=robot, reason="test", kind="robot_slipped"))
    story.say(RecoveryFailed(robot=robot, attempt=1))
    asked = [(c.how, c.maintenance) for c in story.of(RecoverRobot)]
    assert asked == [("relocalise", False), ("restart", False)]
    assert story.ended() == [("robot_slipped", "treated as dead")]


def blocked(**policy: Any) -> tuple[Held, int, int]:
    story = driving(clear_tries=2, **policy)
    robot = busy(story)
    edge = base(story, robot)[0]
    story.say(LaneBlocked(robot=robot, edge=edge))
    assert story.of(ClearLane) == [ClearLane(edge=edge, attempt=1)]
    assert story.world.closures.parts
    return story, robot, edge


def test_a_cleared_lane_lets_the_robot_go_on_along_its_base() -> None:
    story, robot, edge = blocked()
    held = base(story, robot)
    story.say(LaneCleared(edge=edge))
    assert base(story, robot) == held and not story.world.robots[robot].stuck
    assert not story.world.closures.parts
    assert story.ended()[-1] == ("lane_blocked", "cleared")


def test_who_waits_in_vain_backs_out_and_gives_everything_free() -> None:
    story, robot, edge = blocked(maintenance_every_minutes=60)
    story.say(ClearingFailed(edge=edge, attempt=1))
    assert story.of(BackOut) == [BackOut(robot=robot)]
    node = story.world.traffic.at[robot]
    story.say(BackedOut(robot=robot, node=node))
    assert not base(story, robot) and not story.world.robots[robot].stuck
    assert story.world.traffic.tail[robot] == node
    story.say(ClearingFailed(edge=edge, attempt=2))
    assert story.world.awaiting and len(story.of(ClearLane)) == 2
    wait(story, 3600)
    assert story.of(ClearLane)[-1].maintenance
    story.say(LaneCleared(edge=edge))
    assert story.ended()[-1] == ("lane_blocked", "maintenance")


@pytest.mark.parametrize("ignored", [False, True])
def test_clearing_and_backing_out_may_overtake_each_other(ignored: bool) -> None:
    """The lane is cleared while the order to back out is under way: the robot says what it did."""
    story, robot, edge = blocked()
    held = base(story, robot)
    story.say(ClearingFailed(edge=edge, attempt=1))
    story.say(LaneCleared(edge=edge))
    assert base(story, robot) == held, "nobody knows yet"
    if ignored:
        story.say(NodeReached(robot=robot, edge=held[0]))
        assert base(story, robot)[0] == held[1]
    else:
        story.say(BackedOut(robot=robot, node=story.world.traffic.at[robot]))
        assert base(story, robot) != held
    assert not story.world.robots[robot].stuck


def test_who_goes_on_and_then_hears_that_it_should_back_out_holds_nothing_any_more() -> None:
    story, robot, edge = blocked()
    held = base(story, robot)
    story.say(ClearingFailed(edge=edge, attempt=1))
    story.say(NodeReached(robot=robot, edge=held[0]))
    assert base(story, robot)
    story.say(BackedOut(robot=robot, node=story.world.traffic.at[robot]))
    assert story.world.traffic.tail[robot] == story.world.traffic.at[robot]


def test_a_report_of_a_lane_that_is_not_its_own_is_not_believed() -> None:
    story = driving()
    robot = busy(story)
    story.say(LaneBlocked(robot=robot, edge=base(story, robot)[-1] + 1))
    assert not story.of(ClearLane) and not story.world.robots[robot].blocked


def test_a_failure_that_is_told_twice_is_one_failure() -> None:
    story, robot, edge = blocked()
    failed = ClearingFailed(edge=edge, attempt=1)
    story.say(failed, failed)
    assert [c.attempt for c in story.of(ClearLane)] == [1, 2]
    story = driving()
    robot = busy(story)
    story.say(RobotFaulted(robot=robot, reason="test"))
    story.say(*[RecoveryFailed(robot=robot, attempt=1)] * 2)
    assert [c.attempt for c in story.of(RecoverRobot)] == [1, 2]


def test_a_robot_that_failed_while_it_was_to_back_out_is_asked_again_when_it_is_back() -> None:
    story, robot, edge = blocked(maintenance_every_minutes=60)
    story.say(ClearingFailed(edge=edge, attempt=1), ClearingFailed(edge=edge, attempt=2))
    assert story.world.awaiting and len(story.of(BackOut)) == 1
    story.say(RobotFaulted(robot=robot, reason="test"), RobotRecovered(robot=robot))
    assert len(story.of(BackOut)) == 2
    story.say(BackedOut(robot=robot, node=story.world.traffic.at[robot]))
    assert not story.world.robots[robot].stuck


def test_a_restart_that_nobody_answers_has_failed_and_a_visit_is_asked_for_again() -> None:
    story = driving(restart_tries=2, repair_answer_s=300)
    robot = busy(story)
    story.say(RobotFaulted(robot=robot, reason="test"))
    asked: list[tuple[int, bool]] = []
    for _ in range(4):
        asked = [(c.attempt, c.maintenance) for c in story.of(RecoverRobot)]
        zones = dict(story.world.visits)
        wait(story, 301)
    assert asked == [(1, False), (2, False), (3, True), (3, True)]
    assert story.world.visits == zones, "the lanes round it stay closed"
    story.say(RobotRecovered(robot=robot))
    wait(story, 301)
    assert len(story.of(RecoverRobot)) == 5 and not story.world.helping


def test_a_lane_that_nobody_clears_is_tried_again_and_then_somebody_comes() -> None:
    story, _, edge = blocked(repair_answer_s=300)
    for _ in range(2):
        wait(story, 301)
    assert [(c.attempt, c.maintenance) for c in story.of(ClearLane)] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip
    story.say(LaneCleared(edge=edge))
    assert not story.world.helping and not story.world.visits
