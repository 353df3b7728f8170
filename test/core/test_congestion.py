"""What planners hear of where robots wait: how much, where, for how long, and when they don't."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import ring

from orchestrator.core import congestion
from orchestrator.core.messages import (
    PolicyChanged,
    RequestPaths,
    RobotJoined,
    RunStarted,
    Ticked,
)
from orchestrator.core.robots import Robot
from orchestrator.core.step import step
from orchestrator.core.world import CORE_VERSION, World, new_world

LOADED = ring()
ROADMAP = LOADED.site.roadmap
SECOND_NS = 10**9


def lane(tail: str, head: str) -> int:
    ends = (ROADMAP.node_ids.index(tail), ROADMAP.node_ids.index(head))
    pairs = list(zip(ROADMAP.edge_tail, ROADMAP.edge_head, strict=True))
    return pairs.index(ends)


BEHIND, AHEAD, INTO = lane("r1.0", "r2.0"), lane("r2.0", "r3.0"), lane("r3.0", "park-1")
BEFORE = ROADMAP.edge_head[BEHIND]


def queue(**policy: object) -> World:
    """Two robots on the lane, one behind the other; the plan lets the first go first; it doesn't."""
    policy = {"congestion_ms": 2000} | policy
    site = replace(LOADED.site, policy=replace(LOADED.site.policy, **policy))
    world = new_world(site)
    step(world, 0, RunStarted(site_hash=site.hash, core_version=CORE_VERSION))
    for index, node in enumerate(("r1.0", "r2.0")):
        joined = RobotJoined(
            robot=index, name=f"amr-{index}", fleet=0, node=ROADMAP.node_ids.index(node),
            heading_deg=0, battery_permille=900,
        )  # fmt: skip
        step(world, 0, joined)
    world.traffic.splice([(1, AHEAD), (0, BEHIND)], set())
    world.robots[0].goal = ROADMAP.edge_head[AHEAD]
    return world


def periods(world: World, count: int) -> dict[int, int]:
    """So many go by, tick by tick; what planners hear then: node -> ms."""
    for _ in range(count * congestion.PERIOD_NS // SECOND_NS):
        world.time_ns += SECOND_NS
        congestion.watch(world)
    return dict(congestion.PAIR.iter_unpack(world.congestion.packed))


def test_who_waits_before_a_place_makes_ways_longer_and_no_more_than_it_may() -> None:
    world = queue()
    assert periods(world, 1) == {BEFORE: 2000}, "all the while, three times, and nobody passed"
    assert periods(queue(congestion_ms=3100), 1) == {BEFORE: 3000}, "in steps of a quarter second"
    assert periods(queue(congestion_ms=0), 1) == {}


def test_it_is_the_wait_of_each_that_counts() -> None:
    """All the while, shared by those that passed and one more, three times."""
    world = queue(congestion_ms=9000)
    for _ in range(congestion.PERIOD_NS // SECOND_NS - 1):
        congestion.passed(world, BEFORE)
    assert periods(world, 1) == {BEFORE: 3000}


def test_what_nobody_waits_for_any_more_is_forgotten() -> None:
    world = queue()
    periods(world, 1)
    world.robots[0].goal = -1
    assert periods(world, 3) == {BEFORE: 2000}, "of late it was long"
    assert periods(world, 12) == {}
    assert not periods(world, 18) and not world.congestion.waited, "nothing is kept for good"


def test_nothing_is_left_of_it_once_it_is_switched_off() -> None:
    """Else ways would lead round places where nobody waits any more, until the end of the run."""
    world = queue()
    assert periods(world, 1)
    step(world, world.time_ns, PolicyChanged(key="congestion_ms", value=0))
    assert not periods(world, 1) and not world.congestion.waited and not world.congestion.passed
    step(world, world.time_ns, PolicyChanged(key="congestion_ms", value=2000))
    world.time_ns += SECOND_NS
    congestion.watch(world)
    assert not world.congestion.packed, "a second tells nothing"
    assert periods(world, 1) == {BEFORE: 2000}


@pytest.mark.parametrize("why", ["stuck", "moves", "no plan", "into a bay"])
def test_what_is_no_wait_on_a_lane_does_not_count(why: str) -> None:
    world = queue()
    robot: Robot = world.robots[0]
    match why:
        case "stuck":
            robot.dead = True
        case "moves":
            world.traffic.released[0].append(world.traffic.planned[0][0])
        case "no plan":
            world.traffic.drop_planned()
        case _:
            world.traffic.planned[0][0].edge = INTO
    assert periods(world, 2) == {}


def test_planners_hear_of_it_with_the_next_request() -> None:
    world = queue()
    periods(world, 1)
    world.path_wanted = True
    commands = step(world, world.time_ns, Ticked())
    requests = [row for row in commands if isinstance(row, RequestPaths)]
    assert [row.delays for row in requests] == [world.congestion.packed] != [b""]
