"""Who goes first after all: a robot that waits for one that isn't there yet.

After the switchable edges of Berndt et al. 2023 (SADG) and the bidirectional pairs of Su, Veerapaneni
and Li 2024 (BTPG); see ADR 21. What is planned has a sequence that could be driven one move at a time.
A switch puts the next moves of one robot in front of all that others have planned, and turns the
dependencies that are against that. It is made only if the new sequence could be driven one move at a
time as well: so there is no cycle, nobody stands where another has to pass, and all that was planned
is still driven to its end. Nothing that is released is touched. A move of the robot is
released at once, so there are no more switches than moves.

A look at a robot takes at most `LONGEST` moves, and what is planned or released where they lead.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from orchestrator.core.traffic import Move, Traffic

LONGEST = 8  # moves that go first together


def go_first(traffic: Traffic, robot: int) -> bool:
    """If it waits for moves that are only planned, and can pass before them: let it."""
    queue = traffic.planned[robot]
    if traffic.frozen or not queue or not queue[0].waits or not traffic.short(robot):
        return False
    count = _stretch(traffic, robot)
    if count:
        _switch(traffic, robot, count)
    return count > 0


def _stretch(traffic: Traffic, robot: int) -> int:
    """So many of its moves, at least, could be driven now one after another, all others standing, to a
    place where it is in nobody's way; 0: none."""
    roadmap, stands = traffic.roadmap, traffic.stands
    way_mm = sum(roadmap.edge_length_mm[move.edge] for move in traffic.released[robot])
    passed: dict[int, Move] = {}  # robot -> the first of its moves that would wait
    for count, move in enumerate(traffic.planned[robot], 1):
        touched = roadmap.move_stands[move.move_id]
        if count > LONGEST or any(stands.get(stand, robot) != robot for stand in touched):
            return 0
        if not traffic.may_enter(robot, move.edge):
            return 0
        place = traffic.fleet[robot] * roadmap.nodes + roadmap.edge_head[move.edge]
        free = True
        for other in _touching(traffic, move):
            if other.released:
                return 0
            if other.rank < move.rank:
                free = free and place not in roadmap.move_stands[other.move_id]
                first = passed.get(other.robot, other)
                passed[other.robot] = min(first, other, key=attrgetter("rank"))
        way_mm += roadmap.edge_length_mm[move.edge]
        if free:
            fair = all(_lets(traffic, other, way_mm) for other in passed.values())
            return count if fair else 0
    return 0


def _touching(traffic: Traffic, move: Move) -> Iterator[Move]:
    """Unfinished moves of others that this one would touch."""
    lanes = traffic.lanes
    if not lanes:
        for unfinished in traffic.unfinished():
            lanes.setdefault(unfinished.move_id, []).append(unfinished)
    for touched in traffic.roadmap.move_moves[move.move_id]:
        for other in lanes.get(touched, ()):
            if other.robot != move.robot and not other.over:
                yield other


def _lets(traffic: Traffic, move: Move, way_mm: int) -> bool:
    """Its robot stands and waits itself, or is not there before the other one is through."""
    released, planned = traffic.released[move.robot], traffic.planned[move.robot]
    if not released and planned[0].waits:
        return True
    length_mm = traffic.roadmap.edge_length_mm
    left_mm = sum(length_mm[before.edge] for before in released)
    left_mm += sum(length_mm[before.edge] for before in planned if before.rank < move.rank)
    return way_mm <= left_mm


def _switch(traffic: Traffic, robot: int, count: int) -> None:
    """Its next `count` moves go before all that others have planned."""
    queue = list(traffic.planned[robot])
    block, rest = queue[:count], queue[count:]
    for move in block:
        _bridge(traffic, move, rest)
    for move in block:
        for other in list(_touching(traffic, move)):
            if other.rank < move.rank:
                other.followers = [one for one in other.followers if one is not move]
                move.followers.append(other)
                other.waits += 1
        move.waits = 0
    traffic.foremost -= count
    for place, move in enumerate(block):
        move.rank = traffic.foremost + place
    traffic.switched += 1


def _bridge(traffic: Traffic, move: Move, rest: list[Move]) -> None:
    """Whoever comes on this lane later waits for the last one there only: now it is another one."""
    earlier = [one for one in traffic.lanes[move.move_id] if one.rank < move.rank and not one.over]
    last = max(
        (one for one in earlier if one.robot != move.robot), key=attrgetter("rank"), default=None
    )
    if last is None:
        return
    touched = traffic.roadmap.move_moves[move.move_id]
    for later in (*move.followers, *(own for own in rest if own.move_id in touched)):
        if later.robot != last.robot:
            last.followers.append(later)
            later.waits += 1
