"""Charge: what a robot reports, and when it has enough."""

from __future__ import annotations

from orchestrator.core import bays, missions
from orchestrator.core.messages import BatteryCrossed
from orchestrator.core.robots import Robot
from orchestrator.core.world import World


def crossed(world: World, event: BatteryCrossed) -> None:
    """Note the charge; a robot that has enough leaves its charger's contacts."""
    robot = world.robots[event.robot]
    robot.battery_permille = event.battery_permille
    fleet = world.site.fleets[robot.fleet]
    if robot.charging and robot.battery_permille >= fleet.charge_to_permille:
        missions.stop_charging(world, robot)
        if robot.idle and not robot.legs:
            missions.rest(world, robot)


def low(world: World, robot: Robot) -> bool:
    """It is to charge when it has nothing else to do."""
    return robot.battery_permille < world.site.fleets[robot.fleet].charge_below_permille


def open_to(world: World, charger: int) -> bool:
    """Somebody may be sent to this charger: nobody has it, or who rests there is low itself."""
    if bays.free(world, charger):
        return True
    resting = [world.robots[holder] for holder in world.bays[charger].holders]
    return all(_rests(world, robot, charger) and low(world, robot) for robot in resting)


def make_room(world: World) -> None:
    """Once a tick: who rests on a charger with charge enough parks elsewhere if another robot is low
    and finds none."""
    wanting = 0
    for robot in world.robots:
        if robot.idle and not robot.charging and low(world, robot):
            wanting |= 1 << robot.fleet
    if not wanting:
        return
    known = world.site.roadmap.bays
    chargers = [i for i, bay in enumerate(known) if bay.kind == "charger" and bay.fleets & wanting]
    for index in chargers:
        if open_to(world, index):
            wanting &= ~known[index].fleets
    for index in chargers:
        for holder in list(world.bays[index].holders):
            if known[index].fleets & wanting and _rests(world, world.robots[holder], index):
                wanting &= ~known[index].fleets
                missions.park(world, world.robots[holder])


def _rests(world: World, robot: Robot, bay: int) -> bool:
    at_rest = robot.idle and not robot.legs and not robot.charging
    return at_rest and bays.inside(world, robot.index) == bay
