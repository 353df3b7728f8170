"""Something lies on a lane: it is closed, cleared without a person if that is possible, and the robot
that found it waits for the first try, then backs out."""

from __future__ import annotations

from orchestrator.core import carry, detours, exceptions, maintenance, missions, planning, recovery
from orchestrator.core.messages import (
    BackedOut,
    BackOut,
    ClearingFailed,
    ClearLane,
    LaneBlocked,
    LaneCleared,
)
from orchestrator.core.robots import Robot
from orchestrator.core.world import Obstacle, World

KIND = "lane_blocked"


def blocked(world: World, event: LaneBlocked) -> None:
    """Close the lane; ask for it to be cleared."""
    robot, roadmap = world.robots[event.robot], world.site.roadmap
    base = world.traffic.released[robot.index]
    if robot.dead or not base or base[0].edge != event.edge:
        world.alarm(robot.name, f"reports something on edge {event.edge}, where it is not: ignored")
        return
    lane = roadmap.move(robot.fleet, event.edge)
    robot.blocked = True
    carry.give_back(world, robot)
    known = _obstacle(world, event.edge)
    if known is None:
        known = world.obstacles[lane] = Obstacle(roadmap.sweep(event.edge))
        exceptions.opened(world, KIND, _name(world, known))
        maintenance.asked(world, ("lane", lane))
        world.out.append(ClearLane(edge=known.edge, attempt=1))
    known.robots[robot.index] = None
    detours.changed(world)
    if known.attempts > 1:
        _back_out(world, known)


def _obstacle(world: World, edge: int) -> Obstacle | None:
    lane = world.site.roadmap.sweep(edge)
    return next((known for known in world.obstacles.values() if known.edge == lane), None)


def _name(world: World, known: Obstacle) -> str:
    return world.site.roadmap.edge_ids[known.edge]


def _key(world: World, known: Obstacle) -> int:
    return next(lane for lane, other in world.obstacles.items() if other is known)


def failed(world: World, event: ClearingFailed) -> None:
    """Try again, a bounded number of times; then maintenance. Nobody waits in front any longer.
    Failures of earlier attempts are known."""
    known = _obstacle(world, event.edge)
    if known is None or event.attempt != known.attempts:
        return
    known.attempts += 1
    exceptions.tried(world, KIND, _name(world, known), f"attempt {event.attempt} failed")
    subject = ("lane", _key(world, known))
    if maintenance.over(world, subject):
        detours.changed(world)
    if known.attempts > world.site.policy.clear_tries:
        maintenance.call(world, subject, _name(world, known))
    else:
        maintenance.asked(world, subject)
        world.out.append(ClearLane(edge=known.edge, attempt=known.attempts))
    _back_out(world, known)


def _back_out(world: World, known: Obstacle) -> None:
    for index in known.robots:
        robot = world.robots[index]
        if robot.blocked and not robot.backing and not robot.dead:
            robot.backing = True
            world.out.append(BackOut(robot=index))


def revived(world: World, robot: Robot) -> None:
    """A robot that failed before an obstacle has forgotten that it was to back out: it is asked
    again."""
    robot.backing = False
    for known in world.obstacles.values():
        if robot.index in known.robots and known.attempts > 1:
            _back_out(world, known)


def backed_out(world: World, event: BackedOut) -> None:
    """The robot is at the node before the lane, and free to go elsewhere. Also one that had gone on
    before it heard that it should: it has no base any more."""
    robot = world.robots[event.robot]
    base = tuple(move.edge for move in world.traffic.released[robot.index])
    if not robot.blocked and not base:
        return
    _free(world, robot)
    if base:
        recovery.retract(world, robot, base)
    planning.stale(world)
    detours.changed(world)
    missions.advance(world, robot)


def goes_on(world: World, robot: Robot) -> None:
    """It has reached a node: whatever lay before it is gone."""
    _free(world, robot)
    detours.changed(world)
    missions.advance(world, robot)


def _free(world: World, robot: Robot) -> None:
    robot.blocked = robot.backing = False
    robot.moved_ns = world.time_ns
    for known in world.obstacles.values():
        known.robots.pop(robot.index, None)


def cleared(world: World, event: LaneCleared) -> None:
    """The lane is open again; who stands before it goes on along its base."""
    known = _obstacle(world, event.edge)
    if known is None:
        return
    lane = _key(world, known)
    visited = maintenance.over(world, ("lane", lane))
    exceptions.ended(world, KIND, _name(world, known), "maintenance" if visited else "cleared")
    # Who was asked to back out may be on its way: it tells when it is there, or that it goes on.
    waiting = [r for r in (world.robots[i] for i in known.robots) if not r.backing]
    del world.obstacles[lane]
    for robot in waiting:
        robot.blocked = False
        robot.moved_ns = world.time_ns
    planning.stale(world)
    detours.changed(world)
    for robot in waiting:
        missions.advance(world, robot)
