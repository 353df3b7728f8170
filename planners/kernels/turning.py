"""PIBT for robots that turn: one action each, at once (Okumura et al., "Priority inheritance with
backtracking for iterative multi-agent path finding", AIJ 2022; headings as the League's planners do).

PIBT shares out the next cells. Who does not face its own turns; who does drives, if the cell will be
left in this step. What is shared out may therefore be late, and is decided anew in each step.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.states import FORWARD, LEFT, RIGHT, WAIT

NOBODY, UNKNOWN, STAYS, GOES = -1, 0, 1, 2


@njit(cache=True)
def candidates(r, states, ahead, way, pace, turn, per_heading, wish, worth):
    """Fill `wish` (5,) with robot r's next nodes, cheapest first; returns how many. Where tables know
    no headings, who drives away from his goal is counted the turn back."""
    node, heading = states[r] >> 2, states[r] & 3
    here = np.int64(way[states[r] if per_heading else node])
    best, made = np.int64(1) << 40, 0
    for k in range(5):
        if k == 4:
            there, value = node, here if here == 0 else best + turn
        else:
            out = (node << 2) | ((heading + k) & 3)
            there = ahead[out]
            if there < 0:
                continue
            value = np.int64(way[(there << 2) | (out & 3) if per_heading else there])
            if not per_heading and value > here:
                value += 2 * turn
            value += pace[out] + turn * min(k, 4 - k)
            best = min(best, value)
        place = made
        while place > 0 and worth[place - 1] > value:
            worth[place], wish[place] = worth[place - 1], wish[place - 1]
            place -= 1
        worth[place], wish[place] = value, there
        made += 1
    return made


@njit(cache=True)
def share_out(order, states, rows, tables, kinds, paces, turn, per_heading, ahead, here, taken, to,
              wish, count, tried, stack):  # fmt: skip
    """PIBT: the next node of each robot into `to` (R,). `here` (N,) who stands on a node; `taken` (N,)
    who gets it, all NOBODY before and after; `wish` (R, 5), `count`, `tried`, `stack` (R,) scratch."""
    worth = np.empty(5, np.int64)
    to[:] = NOBODY
    for root in order:
        if to[root] != NOBODY:
            continue
        depth = 0
        stack[0] = root
        tried[root] = 0
        count[root] = candidates(
            root, states, ahead, tables[rows[root]], paces[kinds[root]], turn, per_heading,
            wish[root], worth,
        )  # fmt: skip
        while depth >= 0:
            r = stack[depth]
            node = states[r] >> 2
            if tried[r] >= count[r]:
                taken[node], to[r] = r, node
                depth -= 1
                if depth >= 0:
                    tried[stack[depth]] += 1
                continue
            there = wish[r, tried[r]]
            other = here[there]
            free = other == NOBODY
            swaps = not free and other != r and to[other] == node
            if taken[there] != NOBODY or swaps:
                tried[r] += 1
                continue
            taken[there], to[r] = r, there
            if free or other == r or to[other] != NOBODY:
                break  # so all that were pushed have their nodes
            depth += 1
            stack[depth] = other
            tried[other] = 0
            count[other] = candidates(
                other, states, ahead, tables[rows[other]], paces[kinds[other]], turn, per_heading,
                wish[other], worth,
            )  # fmt: skip
    for r in range(len(to)):
        taken[to[r]] = NOBODY


@njit(cache=True)
def act(states, to, ahead, here, fate, stack, actions):
    """Towards those nodes: `actions` (R,). `fate`, `stack` (R,) are scratch."""
    for r in range(len(states)):
        node, heading = states[r] >> 2, states[r] & 3
        actions[r], fate[r] = WAIT, STAYS
        if to[r] == node:
            continue
        if ahead[states[r]] == to[r]:
            actions[r], fate[r] = FORWARD, UNKNOWN
        elif ahead[(node << 2) | ((heading + 3) & 3)] == to[r]:
            actions[r] = LEFT
        else:
            actions[r] = RIGHT
    for root in range(len(states)):
        depth, r = 0, root
        while fate[r] == UNKNOWN:  # along those who wait for each other
            fate[r] = GOES  # for whoever comes round to it: a ring turns
            stack[depth] = r
            depth += 1
            other = here[to[r]]
            if other == NOBODY:
                break
            r = other
        if depth > 0 and fate[r] == STAYS:
            for k in range(depth):
                fate[stack[k]], actions[stack[k]] = STAYS, WAIT
