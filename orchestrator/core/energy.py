"""Charge: what a robot reports, and when it has enough."""

from __future__ import annotations

from orchestrator.core import missions
from orchestrator.core.messages import BatteryCrossed
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
