"""Where robots wait for each other, so that those who come later take other ways (ADR 25).

It follows from the journal alone, and is told to the planner with each request: so the same request
gets the same answer, whoever asks it and when.
"""

from __future__ import annotations

import struct

from orchestrator.core.world import MS_NS, Congestion, World

PAIR = struct.Struct("<2i")
PERIOD_NS = 180_000 * MS_NS  # tables of ways are made anew at most so often
KEPT = 500  # thousandths of what was seen, from one period to the next
GAIN = 3  # who waits makes others wait behind it: a way costs more than what is waited on it
LEAST_MS = 500  # less is chance
GRAIN_MS = 250


def passed(world: World, node: int) -> None:
    """A robot is there."""
    if world.site.policy.congestion_ms:
        known = world.congestion.passed
        known[node] = known.get(node, 0) + 1000


def watch(world: World) -> None:
    """Once a tick: who stands before a place that others go to first; now and then, what planners are
    to know of it."""
    policy, state = world.site.policy, world.congestion
    if not policy.congestion_ms:
        # What was learned is forgotten: it may have been otherwise until now.
        world.congestion = Congestion(since_ns=world.time_ns)
        return
    node_bay, edge_head = world.site.roadmap.node_bay, world.site.roadmap.edge_head
    for robot in world.robots:
        index = robot.index
        if robot.goal < 0 or world.traffic.released[index] or robot.stuck:
            continue
        if world.traffic.planned[index]:
            node = edge_head[world.traffic.planned[index][0].edge]
            if node_bay[node] < 0:
                state.waited[node] = state.waited.get(node, 0) + policy.tick_ms
    if world.time_ns - state.since_ns >= PERIOD_NS:
        state.since_ns = world.time_ns
        state.packed = _delays(state, policy.congestion_ms)
        state.waited, state.passed = _faded(state.waited), _faded(state.passed)


def _delays(state: Congestion, most_ms: int) -> bytes:
    """What each robot waited on the average, as if one more had passed without, for the price of it."""
    rows = []
    for node, waited_ms in sorted(state.waited.items()):
        delay_ms = GAIN * 1000 * waited_ms // (state.passed.get(node, 0) + 1000)
        if delay_ms >= LEAST_MS:
            rows.append(PAIR.pack(node, min(delay_ms, most_ms) // GRAIN_MS * GRAIN_MS))
    return b"".join(rows)


def _faded(known: dict[int, int]) -> dict[int, int]:
    faded = ((node, count * KEPT // 1000) for node, count in known.items())
    return {node: count for node, count in faded if count}
