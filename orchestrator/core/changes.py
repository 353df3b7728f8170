"""What changes while a run goes on: numbers of the policy, and robots that leave service."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from orchestrator.core import bays, missions
from orchestrator.core.messages import (
    ChargeAsked,
    PolicyChanged,
    RobotRetired,
    RobotReturned,
    SwitchOff,
    SwitchOn,
)
from orchestrator.core.robots import Robot
from orchestrator.core.world import World


def policy(world: World, event: PolicyChanged) -> None:
    """The site is frozen, and everybody reads the policy there: from now on it is another one. A key
    or a kind of value that this core doesn't know changes nothing, and alarms."""
    known = world.site.policy
    fits = event.key in known.__dataclass_fields__
    if not fits or type(getattr(known, event.key)) is not type(event.value):
        world.alarm("policy", f"{event.key}={event.value!r} is unknown: ignored")
        return
    changed: dict[str, Any] = {event.key: event.value}
    world.site = replace(world.site, policy=replace(known, **changed))
    world.traffic.lookahead = world.site.policy.lookahead


def retire(world: World, event: RobotRetired) -> str:
    """A promise that it has not begun goes to others; what it is at, it ends."""
    robot = world.robots[event.robot]
    if robot.retired:
        return ""
    robot.retired = True
    robot.next_task = -1
    begun = [*robot.aboard, *(leg.task for leg in robot.legs if leg.action == "pick")]
    robot.tour = deque(stop for stop in robot.tour if stop[1] == 1 and stop[0] in begun)
    world.retiring[robot.index] = None
    return ""


def returned(world: World, event: RobotReturned) -> str:
    """In service again, from where it stands."""
    robot = world.robots[event.robot]
    if robot.retired:
        robot.retired = False
        world.retiring.pop(robot.index, None)
        if robot.off:
            robot.off = False
            world.out.append(SwitchOn(robot=robot.index))
        missions.advance(world, robot)
    return ""


def charge_first(world: World, event: ChargeAsked) -> str:
    """It is matched with a charger, and with nothing else before; return why not."""
    robot = world.robots[event.robot]
    if robot.charging or robot.charge_first:
        return ""
    if robot.retired:
        return f"{robot.name} is retired: return it first"
    if not world.energy[robot.fleet].chargers:
        return f"{robot.name}: there is no charger for its fleet"
    if robot.battery_permille >= world.site.fleets[robot.fleet].charge_to_permille:
        return f"{robot.name} has {robot.battery_permille / 10:g} % already"
    robot.charge_first, robot.next_task = True, -1
    return ""


def stand_down(world: World) -> None:
    """Once a tick: retired robots that have nothing left to do park, and are switched off there. One
    that finds only a charger stays awake, charges, and makes room for those who need it."""
    for index in list(world.retiring):
        robot = world.robots[index]
        if not robot.idle or robot.legs or robot.charging or not world.traffic.still(index):
            continue
        if _kind(world, bays.inside(world, index)) == "parking":
            del world.retiring[index]
            robot.off = True
            world.out.append(SwitchOff(robot=index))
        elif _parking_open(world, robot):
            missions.park(world, robot)


def _kind(world: World, bay: int) -> str:
    return world.site.roadmap.bays[bay].kind if bay >= 0 else ""


def _parking_open(world: World, robot: Robot) -> bool:
    return any(
        bay.kind == "parking" and bay.fleets >> robot.fleet & 1 and bays.free(world, index)
        for index, bay in enumerate(world.site.roadmap.bays)
    )
