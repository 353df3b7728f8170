"""What the precedence graph must be at any moment, checked from scratch; see ADR 2 and ADR 21.

* Each dependency leads from a lower rank to a higher one, as does each robot's own sequence: ranks
  are a linear extension, so there is no cycle. What is released comes before all that is planned.
* By rank, all that is planned could be driven one move at a time from the frontiers.
* A move waits, for each lane it would touch, for the last one there before it, unless that is its own.
"""

from __future__ import annotations

from operator import attrgetter

from orchestrator.core.traffic import Move, Traffic


def broken(traffic: Traffic) -> list[str]:
    """Everything that does not hold, in words."""
    planned = sorted((move for queue in traffic.planned for move in queue), key=attrgetter("rank"))
    return [*_ranked(traffic), *_possible(traffic, planned), *_waiting(traffic, planned)]


def _ranked(traffic: Traffic) -> list[str]:
    wrong: list[str] = []
    waits: dict[Move, int] = {}
    for move in traffic.unfinished():
        for follower in move.followers:
            waits[follower] = waits.get(follower, 0) + 1
            if follower.released or (not move.released and follower.rank <= move.rank):
                wrong.append(f"{_named(follower)} waits for {_named(move)}, which comes later")
    for queue in traffic.planned:
        before = None
        for move in queue:
            if before is not None and move.rank <= before.rank:
                wrong.append(f"{_named(move)} is ranked before what leads there")
            if move.waits != waits.get(move, 0):
                wrong.append(f"{_named(move)} waits for {move.waits} moves that nobody knows")
            before = move
    return wrong


def _possible(traffic: Traffic, planned: list[Move]) -> list[str]:
    wrong: list[str] = []
    roadmap, at, stands = traffic.roadmap, list(traffic.tail), dict(traffic.stands)
    for move in planned:
        base = traffic.fleet[move.robot] * roadmap.nodes
        if roadmap.edge_tail[move.edge] != at[move.robot]:
            wrong.append(f"{_named(move)} begins where its robot will not be")
        stands.pop(base + at[move.robot], None)
        for stand in roadmap.move_stands[move.move_id]:
            if stand in stands:
                wrong.append(f"{_named(move)} leads through robot {stands[stand]}")
        at[move.robot] = roadmap.edge_head[move.edge]
        stands[base + at[move.robot]] = move.robot
    return wrong


def _waiting(traffic: Traffic, planned: list[Move]) -> list[str]:
    wrong: list[str] = []
    last: dict[int, Move] = {}
    for queue in traffic.released:
        last.update((move.move_id, move) for move in queue)
    for move in planned:
        for touched in traffic.roadmap.move_moves[move.move_id]:
            other = last.get(touched)
            if other is not None and other.robot != move.robot and move not in other.followers:
                wrong.append(f"{_named(move)} does not wait for {_named(other)}")
        last[move.move_id] = move
    return wrong


def _named(move: Move) -> str:
    return f"robot {move.robot}'s move along edge {move.edge}"
