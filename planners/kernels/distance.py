"""Exact costs to a goal over *arrivals*: D[e] is the cost from the head of edge e, entered along e."""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.heap import BITS, MASK, pop, push

FAR = 2**30


@njit(cache=True)
def turn_cost(a_deg, b_deg, quarter):
    """Cost of turning the body from heading a to b at `quarter` per 90 degrees, rounded up."""
    angle = (b_deg - a_deg) % 360
    angle = min(angle, 360 - angle)
    return (angle * quarter + 89) // 90


@njit(cache=True, nogil=True)
def fill(goal, open_edge, edge_cost, quarter, tail, head, heading, in_offset, in_edge, table):
    """Dijkstra backwards over edges. `open_edge` (E,) is 0 where nobody may drive; `table` (E,) out."""
    # An edge is settled once and then pushes each edge before it at most once.
    capacity = in_offset[goal + 1] - in_offset[goal]
    for edge in range(len(tail)):
        capacity += in_offset[tail[edge] + 1] - in_offset[tail[edge]]
    heap, size = np.empty(capacity, np.int64), 0
    table[:] = FAR
    for k in range(in_offset[goal], in_offset[goal + 1]):
        edge = in_edge[k]
        if open_edge[edge]:
            table[edge] = 0
            size = push(heap, size, np.int64(edge))
    while size > 0:
        cost, edge = heap[0] >> BITS, heap[0] & MASK
        size = pop(heap, size)
        if cost > table[edge]:
            continue
        node = tail[edge]
        if node == goal:
            continue
        through = cost + edge_cost[edge]
        for k in range(in_offset[node], in_offset[node + 1]):
            before = in_edge[k]
            if not open_edge[before]:
                continue
            value = through + turn_cost(heading[before], heading[edge], quarter)
            if value < table[before]:
                table[before] = value
                size = push(heap, size, np.int64(value) << BITS | np.int64(before))


@njit(cache=True, nogil=True)
def fill_unit(goal, tail, in_offset, in_edge, heading, table, queue):
    """`fill` for grids: every edge and every quarter turn costs one step. Buckets by parity of
    cost: three rings suffice, as a predecessor costs 1, 2 or 3 more. `queue` (4, E) scratch."""
    table[:] = FAR
    count = np.zeros(4, np.int64)
    for k in range(in_offset[goal], in_offset[goal + 1]):
        table[in_edge[k]] = 0
        queue[0, count[0]] = in_edge[k]
        count[0] += 1
    cost = 0
    empty = 0
    while empty < 4:
        ring = cost & 3
        if count[ring] == 0:
            empty += 1
        else:
            empty = 0
        for i in range(count[ring]):
            edge = queue[ring, i]
            node = tail[edge]
            if table[edge] != cost or node == goal:
                continue
            for k in range(in_offset[node], in_offset[node + 1]):
                before = in_edge[k]
                value = cost + 1 + turn_cost(heading[before], heading[edge], 1)
                if value < table[before]:
                    table[before] = value
                    into = value & 3
                    queue[into, count[into]] = before
                    count[into] += 1
        count[ring] = 0
        cost += 1


@njit(cache=True, nogil=True)
def from_poses(
    nodes, headings, goal, table, cost, quarter, open_edge, heading, out_offset, out_edge, out
):
    """`out` (R,): cost from each pose to the goal of `table`; FAR where there is no way."""
    for r in range(len(nodes)):
        node = nodes[r]
        best = FAR
        if node == goal:
            best = 0
        for k in range(out_offset[node], out_offset[node + 1]):
            edge = out_edge[k]
            if open_edge[edge] and table[edge] < FAR and best > 0:
                turn = turn_cost(headings[r], heading[edge], quarter)
                best = min(best, turn + cost[edge] + table[edge])
        out[r] = best
