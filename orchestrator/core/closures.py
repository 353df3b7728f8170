"""Lanes that are closed for now, by what dead robots hold, what lies on them, and where a person is:
who can still get where (`core.cuts`)."""

from __future__ import annotations

import struct

from orchestrator.core import cuts
from orchestrator.core.robots import Robot
from orchestrator.core.world import Task, World

PAIR = struct.Struct("<2i")


def bay_fleets(world: World, bay: int) -> int:
    """Bit mask of the fleets that get to the bay, and away again, just now."""
    fleets = world.site.roadmap.bays[bay].fleets
    for fleet, part in enumerate(world.closures.parts):
        if bay not in part.bays:
            fleets &= ~(1 << fleet)
    return fleets


def node_fleets(world: World, node: int, fleets: int) -> int:
    """Those of the fleets for which the node, or the bay that it lies in, is in reach."""
    bay = world.site.roadmap.node_bay[node]
    if bay >= 0:
        return fleets & bay_fleets(world, bay)
    for fleet, part in enumerate(world.closures.parts):
        if node not in part.live:
            fleets &= ~(1 << fleet)
    return fleets


def fleets_of(world: World, task: Task) -> int:
    """Those that get to all of its places just now; a task that nobody can do waits."""
    fleets = task.fleets
    if world.closures.parts:
        for node in (task.node, *world.orders[task.token[0]].stops, task.end_node):
            fleets = node_fleets(world, node, fleets)
    return fleets


def reaches(world: World, robot: Robot, goal: int) -> bool:
    """Does the robot get to the node and, unless it is enclosed anyway, away again?"""
    if not world.closures.parts:
        return True
    roadmap, part = world.site.roadmap, world.closures.parts[robot.fleet]
    start = world.traffic.tail[robot.index]
    reach, bay = cuts.reach_of(roadmap, part, start), roadmap.node_bay[goal]
    if goal not in reach:
        return False
    own = bay < 0 or bay == roadmap.node_bay[start]
    return own or not reach.live or _open(world, robot.fleet, bay)


def _open(world: World, fleet: int, bay: int) -> bool:
    part = world.closures.parts[fleet]
    return bay in part.bays or cuts.leads_out(world.site.roadmap, part, bay)


def enclosed(world: World, robot: Robot) -> bool:
    """It can't get to the live part of the roadmap just now."""
    if not world.closures.parts:
        return False
    part = world.closures.parts[robot.fleet]
    return not cuts.reach_of(world.site.roadmap, part, world.traffic.tail[robot.index]).live


def update(world: World) -> bool:
    """Compute everything anew; True: something is closed otherwise than before."""
    moves, before = _shut(world), world.closures
    closures = cuts.Closures()
    world.traffic.changes = {}
    if moves:
        closures.parts = cuts.cut(world.site.roadmap, moves)
        world.traffic.changes = cuts.changes(world.site.roadmap, closures.parts)
        closures.packed = b"".join(PAIR.pack(*row) for row in world.traffic.changes.items())
    world.closures = closures
    return closures.packed != before.packed


def _shut(world: World) -> dict[int, None]:
    traffic, roadmap = world.traffic, world.site.roadmap
    shut: dict[int, None] = {}
    for robot in world.robots:
        if not robot.stuck:
            continue
        for move in traffic.released[robot.index]:
            shut.update(dict.fromkeys(roadmap.move_moves[move.move_id]))
        if not traffic.released[robot.index]:
            stand = robot.fleet * roadmap.nodes + traffic.at[robot.index]
            touching = (m for m, row in enumerate(roadmap.move_stands) if stand in row)
            shut.update(dict.fromkeys(touching))
    for lane in world.obstacles:
        shut.update(dict.fromkeys(_beyond(world, lane)))
    zone = {node for visit in world.visits.values() for node in visit}
    for edge in range(roadmap.edges) if zone else ():
        if roadmap.edge_head[edge] in zone:
            moves = range(edge, roadmap.edges * roadmap.fleets, roadmap.edges)
            shut.update(dict.fromkeys(moves))
    for edge in _asked(world):
        shut.update(dict.fromkeys(range(edge, roadmap.edges * roadmap.fleets, roadmap.edges)))
    return shut


def _asked(world: World) -> dict[int, None]:
    """Lanes that somebody closed, and those that lead into closed parts; where nobody moves inside,
    those inside as well."""
    roadmap, closed = world.site.roadmap, dict(world.closed_lanes)
    for scope in world.scopes.values():
        stands = scope.kind in ("pause", "stop")
        for edge in range(roadmap.edges) if scope.nodes else ():
            inside = roadmap.edge_tail[edge] in scope.nodes
            if roadmap.edge_head[edge] in scope.nodes and (stands or not inside):
                closed[edge] = None
    return closed


def _beyond(world: World, move: int) -> list[int]:
    """What something that lies on a lane closes: everything that touches the lane, but for what
    touches it only at its beginning, where the robot came from that saw it."""
    roadmap = world.site.roadmap
    edge = move % roadmap.edges
    tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
    closed = []
    for other in roadmap.move_moves[move]:
        ends = (roadmap.edge_tail[other % roadmap.edges], roadmap.edge_head[other % roadmap.edges])
        if tail not in ends or head in ends:
            closed.append(other)
    return closed
