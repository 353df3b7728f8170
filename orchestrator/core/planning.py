"""Paths: when to ask for a plan, from which basis, and what becomes of the answer.

A request freezes releases: the frontiers it names stay the frontiers until the answer is there, or
until something restrictive (a fault, a refusal) makes the basis stale and the answer is rejected.
"""

from __future__ import annotations

import struct

from orchestrator.core import switching
from orchestrator.core.messages import ExtendBase, PathsPlanned, ReachMeasured, RequestPaths
from orchestrator.core.robots import Robot
from orchestrator.core.world import MS_NS, World

ROW = struct.Struct("<8i")
PAIR = struct.Struct("<2i")
STALLED_BONUS = 10**9  # whoever gets nowhere goes before all others, until it is at its goal
IN_VAIN = 3  # rings of the watchdog after which somebody is let through otherwise
LEAVING_BONUS = 300  # tenths of a second by which robots in a bay go before those on the lanes


def maybe_request(world: World) -> None:
    """Ask for a plan if one is wanted and none is under way."""
    policy = world.site.policy
    since_ns = world.time_ns - world.path_requested_ns
    if world.path_request >= 0:
        if since_ns < policy.answer_ms * MS_NS:
            return
    elif since_ns < policy.replan_gap_ms * MS_NS:
        return
    world.path_wanted = False
    world.path_request = world.number()
    world.path_requested_ns = world.time_ns
    world.traffic.frozen = True
    one = stalled(world)
    world.out.append(
        RequestPaths(
            request=world.path_request,
            basis=world.path_basis,
            robots=b"".join(ROW.pack(*row) for row in _rows(world)),
            blocked=tuple(blocked(world)),
            horizon=policy.horizon,
            seed=world.path_seed,
            changes=world.closures.packed,
            stalled=one.index if one is not None else -1,
            been=tuple(one.been) if one is not None else (),
            rest=_rest(world) if one is not None else b"",
            delays=world.congestion.packed,
        )
    )


def _rows(world: World) -> list[tuple[int, ...]]:
    traffic, node_bay = world.traffic, world.site.roadmap.node_bay
    rows: list[tuple[int, ...]] = []
    for robot in world.robots:
        index = robot.index
        node = traffic.tail[index]
        in_bay = node_bay[node] >= 0
        fixed = stays(world, robot)
        waited = (world.time_ns - robot.goal_since_ns) // (100 * MS_NS) if robot.goal >= 0 else 0
        bonus = LEAVING_BONUS if in_bay and robot.goal >= 0 else 0
        bonus += STALLED_BONUS if robot.rings and robot.goal >= 0 else 0
        heading = traffic.tail_heading_deg[index]
        priority = min(waited, 10**8) + bonus
        goal = -1 if fixed else robot.goal
        rows.append((index, robot.fleet, node, heading, goal, int(fixed), priority, 0))
    return rows


def stalled(world: World) -> Robot | None:
    """For whom other tie-breaks did not help: of several the one that is on its way for longest. One
    who can't be let through either must not keep all others waiting: it lets them have a turn."""
    late = [r for r in world.robots if r.rings >= IN_VAIN and r.goal >= 0 and not stays(world, r)]
    return min(late, key=lambda r: (r.vain // IN_VAIN, r.goal_since_ns), default=None)


def _rest(world: World) -> bytes:
    """What is planned and not released, in sequence."""
    moves = sorted(
        (move for queue in world.traffic.planned for move in queue), key=lambda m: m.rank
    )
    return b"".join(PAIR.pack(move.robot, move.edge) for move in moves)


def stays(world: World, robot: Robot) -> bool:
    """Nobody may move it: it is dead, stands before an obstacle, or is in a bay without a reason to
    leave (loading, served, charging, at rest)."""
    in_bay = world.site.roadmap.node_bay[world.traffic.tail[robot.index]] >= 0
    return robot.stuck or (robot.goal < 0 and in_bay)


def blocked(world: World) -> list[int]:
    """Nodes that such robots may be at or may still reach: nobody plans through them."""
    nodes: dict[int, None] = {}
    for robot in world.robots:
        if robot.stuck:
            nodes.update(dict.fromkeys(world.traffic.held_nodes(robot.index)))
    return list(nodes)


def stale(world: World) -> None:
    """The basis changed under a running request: its answer will be rejected."""
    world.path_basis += 1
    world.path_wanted = True


def planned(world: World, event: PathsPlanned) -> None:
    """Check the answer's basis, splice it behind the frontiers, and release what is free."""
    if event.request != world.path_request:
        return
    world.path_request = -1
    world.traffic.frozen = False
    if event.basis != world.path_basis or len(event.moves) % PAIR.size:
        world.path_rejected += 1
        world.path_wanted = True
        for robot in world.robots:
            release(world, robot.index)
        return
    dead = {robot.index for robot in world.robots if robot.stuck}
    staying = {robot.index for robot in world.robots if stays(world, robot)} - dead  # by now
    moves = (move for move in PAIR.iter_unpack(event.moves) if move[0] not in staying)
    cut = world.traffic.cut
    world.traffic.splice(moves, dead)
    if world.traffic.cut > cut:
        world.alarm("planner", f"plan {event.request} broke a rule; its end was cut off")
    for robot in world.robots:
        release(world, robot.index)
    switch(world)


def release(world: World, robot: int) -> None:
    """Send the robot as far as it may go now."""
    still = world.traffic.still(robot)
    edges = world.traffic.release(robot)
    if edges:
        if still:
            world.robots[robot].since_ns = world.time_ns
        world.out.append(ExtendBase(robot=robot, edges=edges))


def switch(world: World) -> None:
    """Behind each plan and once a tick: who waits for a robot that isn't there yet may go first."""
    if world.site.policy.switching:
        for robot in world.robots:
            if switching.go_first(world.traffic, robot.index):
                release(world, robot.index)


def reach(world: World, event: ReachMeasured) -> None:
    """From now on more of their way is released to robots of the fleet, or less."""
    if 0 <= event.fleet < len(world.site.fleets):
        world.traffic.reach_mm[event.fleet] = max(0, event.reach_mm)


def want_if_due(world: World) -> None:
    """Once a tick: plan anew if it is time, or if somebody is about to run out of plan."""
    policy, traffic = world.site.policy, world.traffic
    if world.path_request >= 0:  # one that nobody answers is made again
        late_ns = policy.answer_ms * MS_NS
        world.path_wanted |= world.time_ns - world.path_requested_ns >= late_ns
    if world.path_wanted or world.path_request >= 0:
        return
    due = world.time_ns - world.path_requested_ns >= policy.replan_ms * MS_NS
    for robot in world.robots:
        if robot.goal >= 0 and not robot.stuck and traffic.tail[robot.index] != robot.goal:
            left = len(traffic.planned[robot.index]) + len(traffic.released[robot.index])
            if due or left < policy.lookahead or traffic.runs_short(robot.index):
                world.path_wanted = True
                return
