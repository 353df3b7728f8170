"""Charge: what a robot reports, and when it has enough."""

from __future__ import annotations

from orchestrator.core import bays, chargers, charging, closures, missions
from orchestrator.core.messages import BatteryCrossed
from orchestrator.core.robots import Robot
from orchestrator.core.world import World


def crossed(world: World, event: BatteryCrossed) -> None:
    """Note the charge; a robot that has enough leaves its charger's contacts."""
    robot = world.robots[event.robot]
    charging.observe(world, robot, event.battery_permille)
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
    if not chargers.usable(world, charger) or not closures.bay_fleets(world, charger):
        return False
    if bays.free(world, charger):
        return True
    resting = [world.robots[holder] for holder in world.bays[charger].holders]
    return all(_rests(world, robot, charger) and low(world, robot) for robot in resting)


def emptiest(world: World) -> dict[int, None]:
    """The robots that are to be offered a charger: of each fleet's low ones the emptiest, no more
    than there are chargers open to them."""
    chosen: dict[int, None] = {}
    known = world.site.roadmap.bays
    free = [index for index in world.chargers if open_to(world, index)]
    for fleet in range(len(world.site.fleets)):
        robots = [r for r in world.robots if r.fleet == fleet and r.idle and not r.charging]
        robots.sort(key=lambda robot: (robot.battery_permille, robot.index))
        robots = [r for rank, r in enumerate(robots) if charging.wants(world, r, rank)]
        places = sum(known[index].fleets >> fleet & 1 for index in free)
        chosen.update(dict.fromkeys(robot.index for robot in robots[:places]))
    return chosen


def make_room(world: World) -> None:
    """Once a tick: who rests on a charger with charge enough parks elsewhere if another robot is low
    and finds none; for one that is urgent, so does who has charged half of what it was to."""
    wanting = [robot for robot in world.robots if _wants(world, robot)]
    if not wanting:
        return
    known = world.site.roadmap.bays
    missing: dict[int, list[Robot]] = {}  # fleet -> robots beyond the open chargers
    for robot in sorted(wanting, key=lambda robot: (robot.battery_permille, robot.index)):
        missing.setdefault(robot.fleet, []).append(robot)
    for index in world.chargers:
        if open_to(world, index):
            _served(missing, known[index].fleets)
    for index in world.chargers:
        for holder in list(world.bays[index].holders):
            comer = next(
                (m[0] for f, m in missing.items() if m and known[index].fleets >> f & 1), None
            )
            if comer is not None and _gives_way(world, world.robots[holder], index, comer):
                _served(missing, known[index].fleets)
                missions.park(world, world.robots[holder])


def _served(missing: dict[int, list[Robot]], fleets: int) -> None:
    for fleet, robots in missing.items():
        if robots and fleets >> fleet & 1:
            robots.pop(0)
            return


def _wants(world: World, robot: Robot) -> bool:
    return robot.idle and not robot.charging and low(world, robot)


def _gives_way(world: World, robot: Robot, bay: int, comer: Robot) -> bool:
    if _rests(world, robot, bay):
        return True
    fleet, urgent = world.site.fleets[robot.fleet], world.site.fleets[comer.fleet]
    half = (fleet.charge_below_permille + fleet.charge_to_permille) // 2
    return (
        robot.charging
        and robot.idle
        and not robot.legs
        and robot.battery_permille >= half
        and comer.battery_permille < urgent.charge_urgent_permille
    )


def _rests(world: World, robot: Robot, bay: int) -> bool:
    at_rest = robot.idle and not robot.legs and not robot.charging
    return at_rest and bays.inside(world, robot.index) == bay
