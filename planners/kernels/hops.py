"""Ways to goals on a directed graph without headings: in steps, and by what is busy.

`near` (N, K) int32: where a step leads from each node, -1 behind the last; `into` likewise: where it
comes from. Tables (A, N) uint16 hold a row per goal.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAR_HOPS = 65535


@njit(cache=True)
def reverse(near):
    """(`into`, `slot`): near[into[v, k], slot[v, k]] is v."""
    count = np.zeros(len(near), np.int64)
    for v in range(len(near)):
        for u in near[v]:
            if u >= 0:
                count[u] += 1
    into = np.full((len(near), max(1, count.max())), -1, np.int32)
    slot = np.full(into.shape, -1, np.int32)
    count[:] = 0
    for v in range(len(near)):
        for k in range(near.shape[1]):
            u = near[v, k]
            if u >= 0:
                into[u, count[u]], slot[u, count[u]] = v, k
                count[u] += 1
    return into, slot


@njit(cache=True, nogil=True)
def fill_hops(goals, into, tables):
    """Steps from each node to goals[i]; 0 where that is -1."""
    queue = np.empty(len(into), np.int32)
    for i in range(len(goals)):
        table = tables[i]
        if goals[i] < 0:
            table[:] = 0
            continue
        table[:] = FAR_HOPS
        table[goals[i]] = 0
        queue[0] = goals[i]
        head, tail = 0, 1
        while head < tail:
            v = queue[head]
            head += 1
            if table[v] >= FAR_HOPS - 1:
                continue
            for k in range(into.shape[1]):
                u = into[v, k]
                if u < 0:
                    break
                if table[u] == FAR_HOPS:
                    table[u] = table[v] + 1
                    queue[tail] = u
                    tail += 1


@njit(cache=True, nogil=True)
def fill_weighted(goals, into, slot, weight, dist, tables):
    """Costs to goals[i], where a step from v along k costs weight[v, k] >= 1 (N, K) int32; a ring of
    buckets. Where a cost would not fit, the row is `dist`'s."""
    nodes = len(into)
    buckets = np.int64(weight.max()) + 1
    ring = np.empty((buckets, into.shape[1] * nodes + 1), np.int32)
    size = np.zeros(buckets, np.int64)
    for i in range(len(goals)):
        table = tables[i]
        if goals[i] < 0:
            table[:] = 0
            continue
        table[:] = FAR_HOPS
        table[goals[i]] = 0
        size[:] = 0
        ring[0, 0] = goals[i]
        size[0] = 1
        cost, empty = 0, 0
        while empty < buckets and cost + buckets < FAR_HOPS:
            b = cost % buckets
            empty = empty + 1 if size[b] == 0 else 0
            for q in range(size[b]):
                v = ring[b, q]
                if table[v] != cost:
                    continue
                for k in range(into.shape[1]):
                    u = into[v, k]
                    if u < 0:
                        break
                    value = cost + weight[u, slot[v, k]]
                    if value < table[u]:
                        table[u] = value
                        to = value % buckets
                        ring[to, size[to]] = u
                        size[to] += 1
            size[b] = 0
            cost += 1
        if empty < buckets:
            table[:] = dist[i]


@njit(cache=True)
def _lay(i, start, goal, near, weight, dist, share, flow, work):
    """Add `share` to the flow along one agent's cheapest way, found by A* in a ring of buckets; a step
    costs at least 4, so 4 times the steps to the goal, `dist` (N,), is a bound."""
    cost, seen, back, bucket, entry, follows = work
    ways = near.shape[1]
    bucket[:] = -1
    cost[start], seen[start], back[start] = 0, i, -1
    entry[0], follows[0] = start, -1
    f = 4 * np.int64(dist[start])
    bucket[f % len(bucket)] = 0
    made, waiting = 1, 1
    while waiting > 0:
        b = f % len(bucket)
        e = bucket[b]
        if e < 0:
            f += 1
            continue
        bucket[b] = follows[e]
        waiting -= 1
        v = entry[e]
        if v == goal:
            break
        if cost[v] + 4 * np.int64(dist[v]) != f:  # reached more cheaply meanwhile
            continue
        for turn in range(ways):
            k = (turn + i + v) % ways  # equal ways are shared out
            u = near[v, k]
            if u < 0 or dist[u] == FAR_HOPS:
                continue
            value = cost[v] + weight[v, k]
            if seen[u] == i and cost[u] <= value:
                continue
            cost[u], seen[u], back[u] = value, i, v * ways + k
            to = (value + 4 * np.int64(dist[u])) % len(bucket)
            entry[made], follows[made] = u, bucket[to]
            bucket[to] = made
            made += 1
            waiting += 1
    v = goal
    while v != start:
        step = back[v]
        flow[step // ways, step % ways] += share
        v = step // ways


@njit(cache=True, nogil=True)
def weigh(start, goals, near, weight, dist, flow, parameters):
    """Lay everybody's cheapest way; mix who goes where into `flow` (N, K) float64, and make `weight`
    anew from it: going against others costs, and so does passing where many pass. `parameters`:
    (share of the old flow, price of one who comes against, of one who passes, bound)."""
    keep, against, passing, most = parameters
    nodes, ways = near.shape
    work = (
        np.empty(nodes, np.int64),
        np.full(nodes, -1, np.int64),
        np.empty(nodes, np.int64),
        np.empty(weight.max() + 5, np.int64),
        np.empty(nodes * ways + 1, np.int32),
        np.empty(nodes * ways + 1, np.int64),
    )
    flow *= keep
    for i in range(len(start)):
        if goals[i] >= 0:
            _lay(i, start[i], goals[i], near, weight, dist[i], 1.0 - keep, flow, work)
    through = flow.sum(axis=1)
    for v in range(nodes):
        for k in range(ways):
            u = near[v, k]
            if u < 0:
                break
            contrary = 0.0
            for m in range(ways):
                if near[u, m] == v:
                    contrary = flow[u, m]
            weight[v, k] = 4 + min(most, against * contrary + passing * through[u])
