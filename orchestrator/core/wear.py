"""What robots have been through, counted from facts; and the service that follows from it."""

from __future__ import annotations

from orchestrator.core import bays
from orchestrator.core.messages import RobotServiced, ServiceRobot
from orchestrator.core.robots import Robot
from orchestrator.core.world import World

SHARE = 20  # one in so many of a fleet is out for service at a time
ASK_AGAIN_NS = 3_600_000_000_000


def worn(world: World, robot: Robot) -> bool:
    """It has gone or lifted more than a service interval."""
    policy, wear = world.site.policy, robot.wear
    far = policy.service_after_km and wear.driven_mm >= policy.service_after_km * 1_000_000
    much = policy.service_after_lifts and wear.lifts >= policy.service_after_lifts
    return bool(far or much)


def watch(world: World) -> None:
    """Once a tick: worn robots that stand parked are serviced, few at a time."""
    policy = world.site.policy
    if not policy.service_after_km and not policy.service_after_lifts:
        return
    for robot in world.robots:
        asked_ns = world.servicing.get(robot.index)
        if asked_ns is not None and world.time_ns - asked_ns < ASK_AGAIN_NS:
            continue
        if asked_ns is None and not (_parked(world, robot) and worn(world, robot)):
            continue
        if asked_ns is None and not _room(world, robot.fleet):
            continue
        robot.serviced = True
        world.servicing[robot.index] = world.time_ns
        world.out.append(ServiceRobot(robot=robot.index))


def _parked(world: World, robot: Robot) -> bool:
    if not robot.idle or robot.legs or robot.dead or robot.charging:
        return False
    bay = bays.inside(world, robot.index)
    return bay >= 0 and world.site.roadmap.bays[bay].kind in ("parking", "charger")


def _room(world: World, fleet: int) -> bool:
    members = sum(robot.fleet == fleet for robot in world.robots)
    out = sum(world.robots[index].fleet == fleet for index in world.servicing)
    return out < max(1, members // SHARE)


def done(world: World, event: RobotServiced) -> None:
    """It is as new, as far as the counters go."""
    robot = world.robots[event.robot]
    if world.servicing.pop(robot.index, None) is None:
        return
    robot.serviced = False
    robot.wear.services += 1
    robot.wear.driven_mm = robot.wear.lifts = 0
    robot.idle_since_ns = world.time_ns
