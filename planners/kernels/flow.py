"""Kernels that let many trips flow over a grid: shortest ways to or from a place, and how many trips
pass each cell in which direction."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from planners.kernels.states import far


@njit(cache=True)
def fill_ways(root, costs, ahead, table, ring, size):
    """Costs from `root` to each node, where driving forward from a state costs `costs` (4 N,), or from
    each node to `root`, where they are `guidance.coming`: Dijkstra with a ring of buckets. `table`
    (N,) int32, uint16 or uint32 out. Returns whether it holds all ways: False where some cost too
    much for it."""
    table[:] = far(table)
    size[:] = 0
    buckets = len(size)
    table[root] = 0
    ring[0, 0] = root
    size[0] = 1
    cost, empty = 0, 0
    while empty < buckets and cost < far(table) - buckets:
        b = cost % buckets
        empty = empty + 1 if size[b] == 0 else 0
        for i in range(size[b]):
            node = ring[b, i]
            if table[node] != cost:
                continue
            for state in range(4 * node, 4 * node + 4):
                other = ahead[state]
                if other < 0:
                    continue
                value = cost + costs[state]
                if value < table[other]:
                    table[other] = value
                    to = b + costs[state]
                    to -= buckets if to >= buckets else 0
                    ring[to, size[to]] = other
                    size[to] += 1
        size[b] = 0
        cost += 1
    return empty >= buckets


@njit(cache=True)
def walk(node, root, towards, pace, ahead, table, x, flow):
    """Follow a shortest way between `node` and `root`, straight on where it may be, else one of the
    ways by chance `x`; count each state that is left forward. Returns the next chance."""
    heading = np.int64(x >> np.uint64(60)) & 3
    while node != root:
        found = False
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
        chance = np.int64(x >> np.uint64(62))
        for k in range(5):
            way = heading if k == 0 else (chance + k) & 3
            other = ahead[4 * node + (way if towards else (way + 2) & 3)]
            if other < 0:
                continue
            state = 4 * (node if towards else other) + way
            if table[other] + pace[state] == table[node]:
                flow[state] += 1
                node, heading, found = other, way, True
                break
        if not found:
            return x
    return x


@njit(cache=True, parallel=True)
def pour(roots, towards, start, nodes, pace, coming, ahead, seed, flows):
    """Trips between root i and `nodes[start[i] : start[i + 1]]`; `towards` (G,) whether they lead to
    the root; `coming`: `guidance.coming`. `flows` (blocks, 4 N) out: what each stretch of roots adds
    up to."""
    blocks, buckets = len(flows), int(pace.max()) + 1
    for block in prange(blocks):
        ring = np.empty((buckets, len(ahead)), np.int32)
        size = np.zeros(buckets, np.int64)
        table = np.empty(len(ahead) // 4, np.int32)
        flows[block] = 0
        for g in range(len(roots) * block // blocks, len(roots) * (block + 1) // blocks):
            fill_ways(roots[g], coming if towards[g] else pace, ahead, table, ring, size)
            x = np.uint64(seed + g + 1) * np.uint64(0x9E3779B97F4A7C15)
            for i in range(start[g], start[g + 1]):
                if table[nodes[i]] < far(table):
                    x = walk(nodes[i], roots[g], towards[g], pace, ahead, table, x, flows[block])
