"""What changes while a run goes on: numbers of the policy, robots that leave service."""

from dataclasses import fields, replace
from typing import Any

import pytest
from test_flow import Story
from tug_hall import hall

from orchestrator.core import bays, tours
from orchestrator.core.messages import (
    BatteryCrossed,
    Entry,
    ExtendBase,
    Line,
    PolicyChanged,
    RaiseAlarm,
    ReachMeasured,
    RequestTours,
    RobotRetired,
    StartAction,
    SwitchOff,
    ToursPlanned,
    decode_entry,
    encode,
)
from orchestrator.core.site import Policy
from orchestrator.core.step import step

KEYS = [field.name for field in fields(Policy)]


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value + "x" if isinstance(value, str) else (*value, 1)


@pytest.mark.parametrize("key", KEYS)
def test_every_number_of_the_policy_can_change_and_goes_through_a_journal(key: str) -> None:
    story = Story()
    before = story.world.site.policy
    event = PolicyChanged(key=key, value=other(getattr(before, key)))
    assert decode_entry(encode(Entry(0, 0, event))).event == event
    story.say(event)
    assert story.world.site.policy == replace(before, **{key: event.value})
    assert story.loaded.site.policy == before, "the site that was loaded is another matter"
    assert story.world.traffic.lookahead == story.world.site.policy.lookahead


@pytest.mark.parametrize(("key", "value"), [("speed", 3), ("lookahead", "far"), ("__doc__", "x")])
def test_a_policy_that_the_core_does_not_know_changes_nothing(key: str, value: Any) -> None:
    story = Story()
    before = story.world.site.policy
    story.say(PolicyChanged(key=key, value=value))
    assert story.world.site.policy == before
    assert any(isinstance(c, RaiseAlarm) and key in c.text for c in story.seen)


def test_a_farther_lookahead_releases_more_at_once() -> None:
    def longest(lookahead: int) -> int:
        story = Story()
        story.say(PolicyChanged(key="lookahead", value=lookahead))
        story.order("o1", Line("SKU-01", 1))
        story.ticks(30)
        return max(len(c.edges) for c in story.seen if isinstance(c, ExtendBase))

    assert longest(1) == 1
    assert 4 < longest(7) <= 7


def test_a_fleet_that_hears_late_is_released_farther_within_a_bound() -> None:
    def longest(reach_mm: int) -> int:
        story = Story()
        story.say(PolicyChanged(key="lookahead", value=2))
        if reach_mm:
            story.say(ReachMeasured(fleet=0, reach_mm=reach_mm))
        story.order("o1", Line("SKU-01", 1))
        story.ticks(30)
        return max(len(c.edges) for c in story.seen if isinstance(c, ExtendBase))

    length_mm = min(Story().world.site.roadmap.edge_length_mm)
    assert longest(0) == 2
    assert longest(length_mm) == 2, "two nodes are enough for that"
    assert 2 < longest(3 * length_mm) <= 4
    assert longest(10**9) == 6, "three times as many nodes at most"


def test_a_robot_that_retires_while_it_rests_is_switched_off_where_it_is_parked() -> None:
    story = Story()
    story.say(RobotRetired(robot=1), RobotRetired(robot=1))
    story.ticks(3)
    assert [c.robot for c in story.seen if isinstance(c, SwitchOff)] == [1]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert 1 not in {c.robot for c in story.seen if isinstance(c, StartAction | ExtendBase)}


def test_a_robot_that_retires_at_work_ends_what_it_is_at_and_parks() -> None:
    # given one robot, with a tote on its way to the arm
    story = Story(robots=1)
    story.order("o1", Line("SKU-01", 1))
    while not story.world.robots[0].load:
        story.ticks(1)
    # when it retires, and another order comes
    story.say(RobotRetired(robot=0))
    story.order("o2", Line("SKU-02", 1))
    story.ticks(200)
    # then the tote went home, and it is switched off in a parking place
    assert all(tote.place[0] == "slot" for tote in story.world.stock.totes.values())
    assert [c.robot for c in story.seen if isinstance(c, SwitchOff)] == [0]
    bay = bays.inside(story.world, 0)
    assert story.world.site.roadmap.bays[bay].kind == "parking"
    # and what is left waits in the pool: nobody was there to carry the parcel
    assert story.closed() == {} and story.world.tasks


def test_a_retired_robot_takes_no_promise_and_is_off_for_good() -> None:
    story = Story()
    story.say(RobotRetired(robot=0), RobotRetired(robot=1), RobotRetired(robot=2))
    story.say(BatteryCrossed(robot=0, battery_permille=100))
    story.order("o1", Line("SKU-01", 1))
    story.ticks(100)
    assert story.closed() == {}
    assert not any(isinstance(c, StartAction | ExtendBase) for c in story.seen)
    assert all(robot.off and robot.next_task < 0 for robot in story.world.robots)


def test_a_vehicle_of_several_places_that_retires_brings_what_it_has_and_fetches_no_more() -> None:
    # given a tugger on its way to the first of three parcels
    world = hall()
    tours.request(world)
    (asked,) = [command for command in world.out if isinstance(command, RequestTours)]
    stops = ((1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1))
    step(world, 1, ToursPlanned(request=asked.request, tours=((0, stops),)))
    tug = world.robots[0]
    assert [leg.task for leg in tug.legs] == [1] and len(tug.tour) == 5
    # when it retires, then it brings the one that it has begun, and the others wait for others
    step(world, 2, RobotRetired(robot=0))
    assert list(tug.tour) == [(1, 1)] and {2, 3} <= set(world.tasks)
    # and an answer that comes later gives it nothing
    world.tour_state, world.time_ns = (0, 0, 0), 10**11
    tours.request(world)
    (again,) = [command for command in world.out if isinstance(command, RequestTours)]
    assert [robot.robot for robot in again.robots] == [1]
    step(world, 10**11 + 1, ToursPlanned(request=again.request, tours=((0, ((2, 0), (2, 1))),)))
    assert list(tug.tour) == [(1, 1)]
