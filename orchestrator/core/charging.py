"""The charging plan of each fleet: who must charge now, who may, and when a robot has enough."""

from __future__ import annotations

from orchestrator.core.robots import Robot
from orchestrator.core.world import World

PLAN_NS = 30_000_000_000
HOUR_MS = 3_600_000
AVERAGE = 8  # of so many observations
PEAK_PERMILLE = 50  # fewer of the fleet are idle: a peak
VALLEY_PERMILLE = 250  # more of it are idle: a valley
VALLEY_BELOW_PERMILLE = 150  # in a valley robots charge that are so far below their goal
WAITED_NS = 20_000_000_000  # in a peak a task has waited so long


def observe(world: World, robot: Robot, permille: int) -> None:
    """A robot reports its charge: how fast does the fleet's fall?"""
    before, since_ns = robot.battery_permille, robot.crossed_ns
    robot.crossed_ns = world.time_ns
    fallen, ms = before - permille, (world.time_ns - since_ns) // 1_000_000
    if robot.charging or fallen <= 0 or since_ns < 0 or ms <= 0:
        return
    energy = world.energy[robot.fleet]
    rate = fallen * HOUR_MS // ms
    energy.rate += (rate - energy.rate) // AVERAGE


def plan(world: World) -> None:
    """Now and then: what each fleet needs."""
    if world.site.policy.charging != "plan" or world.time_ns < world.plan_charge_ns:
        return
    world.plan_charge_ns = world.time_ns + PLAN_NS
    robots: list[list[Robot]] = [[] for _ in world.site.fleets]
    for robot in world.robots:
        if not robot.off:
            robots[robot.fleet].append(robot)
    for fleet, members in enumerate(robots):
        if members:
            _plan(world, fleet, members)


def _plan(world: World, fleet: int, members: list[Robot]) -> None:
    energy, spec = world.energy[fleet], world.site.fleets[fleet]
    idle = sum(robot.idle and not robot.charging for robot in members)
    share = 1000 * idle // len(members)
    waiting = any(
        task.fleets >> fleet & 1 and world.time_ns - task.since_ns >= WAITED_NS
        for task in world.tasks.values()
    )
    energy.peak = waiting and share < PEAK_PERMILLE
    energy.valley = not waiting and share >= VALLEY_PERMILLE
    energy.must = _must(members, energy.rate, spec.charge_urgent_permille, energy.chargers,
                        spec.charge_ms * (spec.charge_to_permille - spec.charge_urgent_permille)
                        // 1000)  # fmt: skip


def _must(members: list[Robot], rate: int, urgent: int, chargers: int, charge_ms: int) -> int:
    """How many of the emptiest must begin to charge now, so that each can before it is urgent."""
    if not chargers or rate <= 0:
        return 0
    must = 0
    levels = sorted(robot.battery_permille for robot in members if not robot.charging)
    for rank, level in enumerate(levels):
        left_ms = max(0, level - urgent) * HOUR_MS // rate
        served = chargers * (left_ms // max(1, charge_ms))  # by those who begin later
        must = max(must, rank + 1 - served)
    return min(must, chargers)


def wants(world: World, robot: Robot, rank: int) -> bool:
    """Is this idle robot, the `rank`-th emptiest of its fleet, to charge?"""
    fleet, energy = world.site.fleets[robot.fleet], world.energy[robot.fleet]
    level = robot.battery_permille
    if robot.charge_first or level < fleet.charge_below_permille:
        return True
    if world.site.policy.charging != "plan" or level >= fleet.charge_to_permille:
        return False
    below = fleet.charge_to_permille - VALLEY_BELOW_PERMILLE
    return level < below and (energy.valley or rank < energy.must)


def enough(world: World, robot: Robot) -> bool:
    """It charges, and may take a task all the same: in a peak, from half way on."""
    fleet = world.site.fleets[robot.fleet]
    half = (fleet.charge_below_permille + fleet.charge_to_permille) // 2
    return world.energy[robot.fleet].peak and robot.battery_permille >= half
