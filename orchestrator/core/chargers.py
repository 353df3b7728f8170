"""Chargers that give no current, and chargers that turn out to be occupied."""

from __future__ import annotations

from orchestrator.core import bays, exceptions, missions
from orchestrator.core.messages import ChargerFaulted, ChargerRecovered, RepairCharger
from orchestrator.core.robots import Robot
from orchestrator.core.world import Down, World

SECOND_NS = 1_000_000_000
PATIENCE_NS = 120 * SECOND_NS
DEAD = "charger_dead"
OCCUPIED = "charger_occupied"


def usable(world: World, bay: int) -> bool:
    """Not closed, or closed long enough that a robot may try."""
    down = world.closed.get(bay)
    return down is None or (not down.asked_ns and world.time_ns >= down.until_ns)


def faulted(world: World, event: ChargerFaulted) -> None:
    """The charger itself reports that it broke."""
    known = world.site.roadmap.bays
    if not 0 <= event.bay < len(known) or known[event.bay].kind != "charger":
        world.alarm(f"bay {event.bay}", "no such charger")
        return
    _close(world, event.bay, event.reason)


def failed(world: World, robot: Robot) -> None:
    """No current came: this robot is matched with another charger."""
    leg = robot.legs.popleft()
    robot.failures, robot.task = 0, -1
    _close(world, leg.bay, f"{robot.name} can't charge")
    missions.advance(world, robot)


def _close(world: World, bay: int, reason: str) -> None:
    policy = world.site.policy
    down = world.closed.setdefault(bay, Down(world.time_ns))
    if down.asked_ns:
        return
    down.attempts += 1
    down.until_ns = world.time_ns + policy.charger_retry_s * SECOND_NS
    exceptions.opened(world, DEAD, world.site.roadmap.bays[bay].id, text=reason)
    for index in world.bays[bay].holders:
        robot = world.robots[index]
        if robot.charging and bays.inside(world, index) == bay:
            robot.charging = False
    if down.attempts > policy.charger_tries:
        _mend(world, bay)


def _mend(world: World, bay: int) -> None:
    world.closed[bay].asked_ns = world.time_ns
    world.out.append(RepairCharger(bay=bay))


def recovered(world: World, event: ChargerRecovered) -> None:
    """It was mended."""
    down = world.closed.pop(event.bay, None)
    if down is not None:
        how = "maintenance" if down.asked_ns else "recovered"
        exceptions.ended(world, DEAD, world.site.roadmap.bays[event.bay].id, how)


def charges(world: World, robot: Robot, bay: int) -> None:
    """Current flows."""
    exceptions.ended(world, OCCUPIED, robot.name, "another charger")
    down = world.closed.get(bay)
    if down is not None and not down.asked_ns:
        del world.closed[bay]
        exceptions.ended(world, DEAD, world.site.roadmap.bays[bay].id, "works again")


def watch(world: World) -> None:
    """Once a tick: who waits for a charger in vain drops that errand; mending that nobody answers is
    asked for again; a charger that was closed long enough is open for a try, should nobody need it."""
    answer_ns = world.site.policy.repair_answer_s * SECOND_NS
    retry_ns = world.site.policy.charger_retry_s * SECOND_NS
    for bay, down in world.closed.items():
        if not down.asked_ns and world.time_ns >= down.until_ns + retry_ns:
            exceptions.ended(world, DEAD, world.site.roadmap.bays[bay].id, "open again")
        if down.asked_ns and world.time_ns - down.asked_ns >= answer_ns:
            exceptions.tried(world, DEAD, world.site.roadmap.bays[bay].id, "mending has no answer")
            _mend(world, bay)
    for robot in world.robots:
        if robot.waiting_bay >= 0 and robot.legs and not robot.stuck:
            leg = robot.legs[-1]
            if leg.action == "charge" and leg.bay == robot.waiting_bay and _in_vain(world, robot):
                _drop_errand(world, robot)


def _in_vain(world: World, robot: Robot) -> bool:
    """It has waited long, or a dead robot is in there."""
    if world.time_ns - robot.gained_ns >= PATIENCE_NS:
        return True
    return any(world.robots[index].dead for index in world.bays[robot.waiting_bay].holders)


def _drop_errand(world: World, robot: Robot) -> None:
    occupied(world, robot, robot.waiting_bay, "another robot is in it")
    missions.drop_last(world, robot)


def occupied(world: World, robot: Robot, bay: int, text: str) -> None:
    """The robot can't get to this charger: it drops that errand and is matched with another one."""
    name = world.site.roadmap.bays[bay].id
    exceptions.opened(world, OCCUPIED, robot.name, text=f"{name}: {text}")
