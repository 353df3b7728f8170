"""Kernels for ten thousand robots: one table per goal *cell* instead of one per state, filled on all
cores; operations ranked on all cores.

A table holds costs from node to goal without headings. What a heading costs is looked up one action
ahead: the cheapest of the four ways out of a node, turns included.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from planners.kernels.flow import fill_ways
from planners.kernels.states import FAR_STEPS, after

FAR_COST = np.int64(1) << 40


@njit(cache=True, parallel=True)
def fill_all(goals, rows, coming, kinds, ahead, tables, blocks, whole):
    """Costs to each goal, with its kind of `coming` (M, 4 N; `flow.fill_ways`), in `blocks` stretches
    that may run side by side; `whole` (G,) out: whether all ways are in it."""
    buckets = int(coming.max()) + 1
    for block in prange(blocks):
        ring = np.empty((buckets, len(ahead)), np.int32)
        size = np.zeros(buckets, np.int64)
        for k in range(len(goals) * block // blocks, len(goals) * (block + 1) // blocks):
            whole[k] = fill_ways(goals[k], coming[kinds[k]], ahead, tables[rows[k]], ring, size)


@njit(cache=True)
def togo(state, goal, way, pace, ahead, unit):
    """Cost from a state to a goal: the cheapest way out of its node, turns included."""
    node, heading = state >> 2, state & 3
    if node == goal:
        return np.int64(0)
    best = FAR_COST
    for turn in range(4):
        out = (node << 2) | ((heading + turn) & 3)
        there = ahead[out]
        if there >= 0:
            turns = 1 if turn == 3 else turn
            value = np.int64(way[there]) + pace[out] + turns * unit
            best = min(best, value)
    return best


@njit(cache=True)
def appraise(state, acts, ahead, goal, onward, way, way_on, tail, sharp, unit, pace, pace_on):
    """As `operations.appraise`, with tables of nodes."""
    hit, total, length = -1, np.int64(0), len(acts)
    for t in range(length):
        state = after(state, acts[t], ahead)
        if state < 0:
            return np.int64(-1)
        if hit < 0 and state >> 2 == goal:
            hit = t
        if hit < 0:
            cost = togo(state, goal, way, pace, ahead, unit) + tail
        elif onward >= 0:
            cost = togo(state, onward, way_on, pace_on, ahead, unit)
        else:
            cost = np.int64(unit * (hit - t))
        total += cost * sharp if t == length - 1 else cost
    return total + FAR_STEPS


@njit(cache=True, parallel=True)
def rank(states, tree, goals, onward, rows, rows_on, tables, tail, sharp, unit, paces, kinds, kinds_on,
         ahead, seed, ranked, costs, counts):  # fmt: skip
    """For each robot: its possible operations, cheapest first. Operations are the leaves of `tree`
    (see `operations.tree`), so that what several begin with is looked at once."""
    parent, action, leaf = tree
    for r in prange(len(states)):
        way, way_on = tables[rows[r]], tables[rows_on[r]]
        pace, pace_on = paces[kinds[r]], paces[kinds_on[r]]
        value = np.empty(ranked.shape[1], np.int64)
        state = np.empty(len(parent), np.int32)
        since = np.empty(len(parent), np.int64)  # actions since the goal was met, -1: not yet
        total = np.empty(len(parent), np.int64)
        n = 0
        for i in range(len(parent)):
            up = parent[i]
            before = states[r] if up < 0 else state[up]
            state[i] = -1 if before < 0 else after(before, action[i], ahead)
            if state[i] < 0:
                continue
            since[i] = -1 if up < 0 or since[up] < 0 else since[up] + 1
            if since[i] < 0 and state[i] >> 2 == goals[r]:
                since[i] = 0
            if since[i] < 0:
                cost = togo(state[i], goals[r], way, pace, ahead, unit) + tail[r]
            elif onward[r] >= 0:
                cost = togo(state[i], onward[r], way_on, pace_on, ahead, unit)
            else:
                cost = np.int64(-unit * since[i])
            total[i] = (np.int64(0) if up < 0 else total[up]) + (
                cost * sharp if leaf[i] >= 0 else cost
            )
            if leaf[i] >= 0:
                k = leaf[i]
                mixed = ((k * 73856093) ^ (r * 19349663) ^ (seed * 83492791)) & 0x7FFFFFFF
                value[n] = ((total[i] + FAR_STEPS) << 20) | ((mixed >> 7) % 1024 << 10) | k
                n += 1
        order = np.sort(value[:n])
        for k in range(n):
            ranked[r, k] = order[k] & 1023
            costs[r, k] = order[k] >> 20
        counts[r] = n


@njit(cache=True, parallel=True)
def value_plans(states, goals, onward, rows, rows_on, tables, tail, sharp, unit, paces, kinds, kinds_on,
                ahead, acts,
                now):  # fmt: skip
    """Cost of what each robot has in mind already."""
    for r in prange(len(states)):
        now[r] = appraise(
            states[r], acts[r], ahead, goals[r], onward[r], tables[rows[r]], tables[rows_on[r]],
            tail[r], sharp, unit, paces[kinds[r]], paces[kinds_on[r]],
        )  # fmt: skip
