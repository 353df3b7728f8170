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
def weigh(start, goals, near, weight, tables, flow, parameters):
    """Send everybody along the cheapest way; mix who goes where into `flow` (N, K) float64, and make
    `weight` anew from it: going against others costs, and so does passing where many pass.
    `parameters`: (share of the old flow, price of one who comes against, of one who passes, bound)."""
    keep, against, passing, most = parameters
    for v in range(len(near)):
        for k in range(near.shape[1]):
            flow[v, k] *= keep
    for i in range(len(start)):
        v = start[i]
        for _ in range(len(near)):
            if goals[i] < 0 or v == goals[i]:
                break
            best, least = 0, np.int64(1) << 40
            for k in range(near.shape[1]):
                u = near[v, k]
                if u < 0:
                    break
                value = (np.int64(tables[i, u]) + weight[v, k]) * 16 + (u * 7 + i * 13) % 11
                if value < least:
                    best, least = k, value
            flow[v, best] += 1.0 - keep
            v = near[v, best]
    through = flow.sum(axis=1)
    for v in range(len(near)):
        for k in range(near.shape[1]):
            u = near[v, k]
            if u < 0:
                break
            contrary = 0.0
            for m in range(near.shape[1]):
                if near[u, m] == v:
                    contrary = flow[u, m]
            weight[v, k] = 4 + min(most, against * contrary + passing * through[u])
