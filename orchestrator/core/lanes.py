"""Something lies on a lane: it is closed, cleared without a person if that is possible, and the robot
that found it waits for the first try, then backs out. Where a floor camera looks at the lane, what is
said to be cleared is opened when the camera sees nothing there any more."""

from __future__ import annotations

from orchestrator.core import carry, detours, exceptions, maintenance, missions, planning, recovery
from orchestrator.core.messages import (
    BackedOut,
    BackOut,
    ClearingFailed,
    ClearLane,
    ImageRead,
    LaneBlocked,
    LaneCleared,
    RequestInference,
)
from orchestrator.core.robots import Robot
from orchestrator.core.world import Obstacle, World

KIND = "lane_blocked"
LEFT = "lane_left"  # it was said to be cleared, and something lies there
UNSEEN = "lane_unseen"  # its floor camera can't tell
CLEAR, THERE = "clear", "blocked"  # what floor cameras see
SECOND_NS = 1_000_000_000


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
    if known.look:
        _look_ended(world, known)
        _left(world, known, "a robot stands before it")
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
    """Failures of earlier attempts, and of one that was said to have succeeded, are known."""
    known = _obstacle(world, event.edge)
    if known is not None and not known.look and event.attempt == known.attempts:
        _again(world, known, f"attempt {event.attempt} failed")


def _again(world: World, known: Obstacle, why: str) -> None:
    """Try again, a bounded number of times; then maintenance. Nobody waits in front any longer."""
    known.attempts += 1
    known.unseen = 0
    exceptions.tried(world, KIND, _name(world, known), why)
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
    robot.gained_ns = world.time_ns
    for known in world.obstacles.values():
        known.robots.pop(robot.index, None)


def cleared(world: World, event: LaneCleared) -> None:
    """It is believed of a person, and where no floor camera looks at the lane."""
    known = _obstacle(world, event.edge)
    if known is None or known.look:
        return
    visited = maintenance.over(world, ("lane", _key(world, known)))
    if visited or known.edge not in world.site.floor_cameras:
        _open(world, known, "maintenance" if visited else "cleared")
    else:
        _look(world, known)


def _look(world: World, known: Obstacle) -> None:
    known.look = world.number()
    world.floor_looks[known.look] = _key(world, known)
    world.due[known.look] = world.time_ns + world.site.policy.floor_look_s * SECOND_NS
    world.out.append(
        RequestInference(
            request=known.look,
            task="check_lane",
            subject=_name(world, known),
            expected=CLEAR,
            capability="floor",
            view=known.unseen,
        )
    )


def _look_ended(world: World, known: Obstacle) -> None:
    del world.floor_looks[known.look]
    world.due.pop(known.look, None)
    known.look = 0


def seen(world: World, event: ImageRead) -> bool:
    """What a floor camera says; False: it comes from another camera."""
    if event.request not in world.floor_looks:
        return False
    known = world.obstacles[world.floor_looks[event.request]]
    if event.outcome == "ok" and event.value == CLEAR:
        _look_ended(world, known)
        exceptions.ended(world, UNSEEN, _name(world, known), "seen")
        _open(world, known, "cleared")
    elif event.outcome == THERE or (event.outcome, event.value) == ("ok", THERE):
        _look_ended(world, known)
        exceptions.ended(world, UNSEEN, _name(world, known), "seen")
        _left(world, known, "its camera sees something")
    else:
        unseen(world, event.request, event.outcome)
    return True


def _left(world: World, known: Obstacle, why: str) -> None:
    """Who cleared the lane was wrong."""
    exceptions.opened(world, LEFT, _name(world, known), text=why)
    _again(world, known, f"attempt {known.attempts}: {why}")


def unseen(world: World, request: int, why: str) -> None:
    """Look again, a bounded number of times; clear it once more; and at the end, before a person would
    have to come because of a blind camera, rely on what robots sense."""
    known = world.obstacles[world.floor_looks[request]]
    policy, name = world.site.policy, _name(world, known)
    _look_ended(world, known)
    exceptions.opened(world, UNSEEN, name, text=why)
    known.unseen += 1
    if known.unseen < policy.floor_looks:
        _look(world, known)
    elif known.attempts < policy.clear_tries:
        _again(world, known, f"attempt {known.attempts}: its camera can't tell")
    else:
        exceptions.ended(world, UNSEEN, name, "opened")
        _open(world, known, "cleared unseen")


def _open(world: World, known: Obstacle, how: str) -> None:
    """The lane is open again; who stands before it goes on along its base."""
    lane, name = _key(world, known), _name(world, known)
    for kind in (UNSEEN, LEFT):  # a visit counts once
        exceptions.ended(world, kind, name, "handed on" if how == "maintenance" else how)
    exceptions.ended(world, KIND, name, how)
    # Who was asked to back out may be on its way: it tells when it is there, or that it goes on.
    waiting = [r for r in (world.robots[i] for i in known.robots) if not r.backing]
    del world.obstacles[lane]
    for robot in waiting:
        robot.blocked = False
        robot.gained_ns = world.time_ns
    planning.stale(world)
    detours.changed(world)
    for robot in waiting:
        missions.advance(world, robot)
