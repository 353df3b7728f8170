"""Grid states (4 * node + heading) and exact step counts between them."""

from __future__ import annotations

import numpy as np
from numba import njit

FAR_STEPS = 65535  # where there is no way, in tables of 16 bits
FAR_WIDE = 1 << 30  # in wider ones
WAIT, FORWARD, RIGHT, LEFT = 0, 1, 2, 3


@njit(cache=True)
def after(state, action, ahead):
    """The state that an action leads to; -1 where it would leave the floor."""
    if action == FORWARD:
        node = ahead[state]
        if node < 0:
            return -1
        return 4 * node + (state & 3)
    if action == RIGHT:
        return (state & ~3) | ((state + 1) & 3)
    if action == LEFT:
        return (state & ~3) | ((state + 3) & 3)
    return state


@njit(cache=True)
def far(table):
    """What a table says where there is no way; all that it holds is below."""
    return FAR_STEPS if table.itemsize == 2 else FAR_WIDE


@njit(cache=True)
def parts(ahead):
    """(N,) int32 which part of the floor a node belongs to: there are no ways between parts."""
    nodes = len(ahead) // 4
    part, queue = np.full(nodes, -1, np.int32), np.empty(nodes, np.int32)
    count = 0
    for root in range(nodes):
        if part[root] >= 0:
            continue
        part[root], queue[0] = count, root
        at, known = 0, 1
        while at < known:
            for heading in range(4):
                there = ahead[4 * queue[at] + heading]
                if there >= 0 and part[there] < 0:
                    part[there], queue[known] = count, there
                    known += 1
            at += 1
        count += 1
    return part


@njit(cache=True)
def fill_steps(goal, pace, turn, ahead, table, ring, size):
    """Dijkstra backwards from every heading at node `goal`, with a ring of buckets. `pace` (4 N,) is
    what driving forward from a state costs, `turn` a quarter turn. `table` (4 N,) unsigned out;
    `ring` (B, 4 N) int32 and `size` (B,) are scratch, B above the highest cost of an action."""
    table[:] = far(table)
    size[:] = 0
    buckets = len(size)
    for heading in range(4):
        table[4 * goal + heading] = 0
        ring[0, heading] = 4 * goal + heading
    size[0] = 4
    cost, empty = 0, 0
    while empty < buckets and cost < far(table) - buckets:
        b = cost % buckets
        empty = empty + 1 if size[b] == 0 else 0
        for i in range(size[b]):
            state = ring[b, i]
            if table[state] != cost:
                continue
            base, heading = state & ~3, state & 3
            behind = ahead[base | ((heading + 2) & 3)]
            for k in range(3):
                before = base | ((heading + 1 + 2 * k) & 3)
                value = cost + turn
                if k == 2:
                    if behind < 0:
                        continue
                    before = 4 * behind + heading
                    value = cost + pace[before]
                if value < table[before]:
                    table[before] = value
                    to = value % buckets
                    ring[to, size[to]] = before
                    size[to] += 1
        size[b] = 0
        cost += 1


@njit(cache=True)
def fill_many(goals, rows, pace, turn, ahead, tables, ring, size):
    """`fill_steps` for several goals into rows of `tables`."""
    for k in range(len(goals)):
        fill_steps(goals[k], pace, turn, ahead, tables[rows[k]], ring, size)
