"""The charging plan: who must begin now so that everybody can charge in time, who may, who has enough;
where robots park; and what their wear asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import ring

from orchestrator.core import charging, missions, wear
from orchestrator.core.messages import (
    BatteryCrossed,
    RobotJoined,
    RobotServiced,
    RunStarted,
    ServiceRobot,
)
from orchestrator.core.robots import Robot
from orchestrator.core.step import step
from orchestrator.core.world import CORE_VERSION, World, new_world

MINUTE_NS = 60 * 10**9
KINDS = ("slot", "park", "park", "charge", "park", "park", "dock", "park", "pick", "park", "chute")
BAYS = [
    {"match": "slot-*", "kind": "slot"}, {"match": "park-*", "kind": "parking"},
    {"match": "charge-*", "kind": "charger"}, {"match": "*", "kind": "station"},
]  # fmt: skip
LOADED = ring(size=12, robots=4, totes=3, kinds=KINDS, bays=BAYS)


def hall(*levels: int, **policy: object) -> World:
    """Robots at rest in parking bays, with these charges."""
    site = replace(LOADED.site, policy=replace(LOADED.site.policy, **policy))
    world = new_world(site)
    step(world, 0, RunStarted(site_hash=site.hash, core_version=CORE_VERSION))
    parking = [bay for bay in site.roadmap.bays if bay.kind == "parking"]
    for index, level in enumerate(levels):
        joined = RobotJoined(
            robot=index, name=f"amr-{index}", fleet=0, node=parking[index].node, heading_deg=0,
            battery_permille=level,
        )  # fmt: skip
        step(world, 0, joined)
    return world


@pytest.mark.parametrize(
    ("levels", "chargers", "must"),
    [
        ((900, 900, 900), 1, 0),  # all in turn, each in time
        ((400, 410, 420), 1, 1),  # an hour each, and all are urgent in two and a half
        ((200, 900, 900), 1, 1),  # one has no hour left
        ((400, 400, 400, 400), 2, 0),  # two rounds of two
        ((200, 210, 220, 230), 2, 2),  # never more than there are chargers
        ((900, 300), 0, 0),  # no charger, no plan
    ],
)
def test_who_must_begin_now(levels: tuple[int, ...], chargers: int, must: int) -> None:
    """100 permille an hour are used, urgent is 150, a charge takes an hour."""
    robots = [Robot(i, "", 0, level) for i, level in enumerate(levels)]
    assert charging._must(robots, 100, 150, chargers, 3_600_000) == must


def test_the_fleets_consumption_is_learned_from_reports() -> None:
    """Given a robot that loses 50 permille in half an hour, again and again, when it reports, then the
    fleet's rate comes close to 100 an hour; charging teaches nothing."""
    world = hall(1000)
    for count in range(1, 18):
        event = BatteryCrossed(robot=0, battery_permille=1000 - 50 * count)
        step(world, 30 * MINUTE_NS * count, event)
    assert 80 <= world.energy[0].rate <= 120
    rate = world.energy[0].rate
    world.robots[0].charging = True
    step(world, 600 * MINUTE_NS, BatteryCrossed(robot=0, battery_permille=100))
    assert world.energy[0].rate == rate


def test_a_valley_is_used_before_the_peak() -> None:
    """Given an idle fleet at half charge, when the plan is made, then robots charge that would not by
    the threshold; with the switch at `threshold` they don't."""
    world = hall(600, 600, 600)
    charging.plan(world)
    assert world.energy[0].valley
    assert charging.wants(world, world.robots[0], 0)
    world = hall(600, 600, 600, charging="threshold")
    charging.plan(world)
    assert not charging.wants(world, world.robots[0], 0)
    assert charging.wants(hall(300, charging="threshold"), Robot(0, "", 0, 300), 0)


def test_in_a_peak_half_a_charge_is_enough() -> None:
    world = hall(650, 300)
    robot = world.robots[0]
    robot.charging = True
    assert not charging.enough(world, robot)
    world.energy[0].peak = True
    assert charging.enough(world, robot)
    assert not charging.enough(world, world.robots[1]), "not with less"


def test_robots_park_where_tasks_begin() -> None:
    """Given tasks that begin at one end of the hall, when a robot parks, then at a place nearer to
    them than the nearest one."""
    near, far = hall(900, parking="nearest"), hall(900)
    here = far.traffic.at[0]
    nodes = range(far.site.roadmap.nodes)
    there = max(nodes, key=lambda node: missions.places.distance_mm(far, here, node))
    for _ in range(24):
        missions.task_began(far, far.robots[0], there)
        missions.task_began(near, near.robots[0], there)
    goals = []
    for world in (near, far):
        missions.park(world, world.robots[0])
        goals.append(world.robots[0].legs[0].node)
    way = [missions.places.distance_mm(far, goal, there) for goal in goals]
    assert way[1] < way[0]


def test_worn_robots_are_serviced_one_at_a_time() -> None:
    """Given robots that have all driven a service interval, when they stand parked, then one is taken
    out, takes no task, and the next one follows when it is back."""
    world = hall(900, 900, 900, service_after_km=1)
    for robot in world.robots:
        robot.wear.driven_mm = 2_000_000
    wear.watch(world)
    asked = [command.robot for command in world.out if isinstance(command, ServiceRobot)]
    assert asked == [0] and not world.robots[0].idle
    wear.watch(world)
    assert len([c for c in world.out if isinstance(c, ServiceRobot)]) == 1
    step(world, MINUTE_NS, RobotServiced(robot=0))
    assert world.robots[0].idle and world.robots[0].wear.services == 1
    assert not wear.worn(world, world.robots[0])
    step(world, MINUTE_NS, RobotServiced(robot=2))
    assert world.robots[2].wear.services == 0, "nobody asked for that"
    wear.watch(world)
    assert 1 in world.servicing
