"""Nothing that an errand left behind outlives it: tickets, counts, closed lanes, requests."""

from __future__ import annotations

from failing import base, busy, driving, wait
from test_flow import Story
from test_races import held_back

from orchestrator.core import bays, carry, missions
from orchestrator.core.messages import (
    BaseTrimmed,
    BatteryCrossed,
    Line,
    NodeReached,
    RaiseAlarm,
    RecoveryFailed,
    RequestPaths,
    RobotFaulted,
    RobotRecovered,
    StartAction,
)
from orchestrator.core.step import step
from orchestrator.core.world import new_world


def test_a_report_before_the_first_robot_joined_is_an_alarm() -> None:
    world = new_world(Story(robots=0).loaded.site)
    commands = step(world, 0, NodeReached(robot=0, edge=0))
    assert [type(command) for command in commands] == [RaiseAlarm]


def test_a_plan_that_never_comes_is_asked_for_again_and_again() -> None:
    story = Story(robots=1)
    plans = held_back(story, RequestPaths)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(35)
    assert len(plans) == 4, "each ten seconds"


def test_a_robot_that_failed_to_take_something_and_has_nothing_to_do_goes_to_park() -> None:
    """Given a robot that failed once to take a tote, and died before its next try, when it is back and
    takes no tasks any more, then it makes room in the slot like any other."""
    story = Story(robots=1)
    story.actions = ["failed"]
    story.order("o1", Line("SKU-01", 1))
    robot = story.world.robots[0]
    for _ in range(60):
        story.ticks(1)
        if robot.failures:
            break
    story.say(RobotFaulted(robot=0, reason="test"), RobotRecovered(robot=0))
    story.say(BatteryCrossed(robot=0, battery_permille=10))
    story.ticks(30)
    bay = bays.inside(story.world, 0)
    assert story.world.site.roadmap.bays[bay].kind == "parking"


def test_a_robot_that_dies_while_it_waits_parked_gives_its_task_to_others() -> None:
    story = Story(robots=2)
    actions = held_back(story, StartAction)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(1)
    robot = next(robot for robot in story.world.robots if robot.task >= 0)
    task = robot.task
    # given one that had to make room on its way to a tote
    missions.park(story.world, robot)
    assert robot.legs[0].parking and robot.legs[1].action == "pick" and not actions
    # when it dies
    story.say(RobotFaulted(robot=robot.index, reason="test"))
    # then the tote is fetched by another one, and no ticket is left behind
    assert task in story.world.tasks
    slot = story.world.stock.totes["t0"].home
    assert robot.index not in (*story.world.bays[slot].holders, *story.world.bays[slot].queue)
    story.ticks(30)
    assert [action.robot for action in actions] == [1 - robot.index]


def test_who_gives_up_its_errands_keeps_no_place_in_any_queue() -> None:
    story = Story(robots=2)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(1)
    robot = next(robot for robot in story.world.robots if robot.task >= 0)
    slot = story.world.stock.totes["t0"].home
    story.world.bays[slot].holders[:] = [1 - robot.index]
    story.world.bays[slot].queue.append(robot.index)
    missions.park(story.world, robot)
    carry.give_back(story.world, robot)
    assert robot.index not in story.world.bays[slot].queue


def test_lanes_round_a_visit_that_did_not_help_are_open_again_until_the_next_one() -> None:
    story = driving(restart_tries=1, maintenance_every_minutes=60, maintenance_minutes=5)
    robot = busy(story)
    story.say(RobotFaulted(robot=robot, reason="test"), RecoveryFailed(robot=robot, attempt=1))
    story.say(BaseTrimmed(robot=robot, edges=tuple(base(story, robot)[1:])))
    assert len(base(story, robot)) == 1
    before = story.world.closures.packed
    wait(story, 3600)
    assert story.world.visits and story.world.closures.packed != before
    story.time_ns += 600 * 10**9
    story.say(RecoveryFailed(robot=robot, attempt=2))
    assert story.world.awaiting and story.world.closures.packed == before
