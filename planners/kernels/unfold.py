"""From a plan without headings to actions of robots that must turn first.

A plan says who is on which node at each time. What is kept of it is the sequence in which each node is
visited: a robot drives on when it has turned and whoever was there before has left, or leaves in the
same step. Chains and full cycles move together. Robots that wait for nobody run ahead of the plan.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.operations import follow, lay, lift
from planners.kernels.states import FORWARD, LEFT, RIGHT, WAIT, after

NOBODY = -1


@njit(cache=True)
def sequence(plan, nodes):
    """(`place` (A, V) nodes in the sequence in which each robot visits them; `count` (A,) how many;
    `who`, `which` (A, V): whom each visit comes after, and after which of its visits, -1: nobody)."""
    times, robots = plan.shape
    count = np.ones(robots, np.int64)
    for t in range(1, times):
        for i in range(robots):
            if plan[t, i] != plan[t - 1, i]:
                count[i] += 1
    most = count.max()
    place = np.full((robots, most), -1, np.int32)
    who = np.full((robots, most), NOBODY, np.int32)
    which = np.zeros((robots, most), np.int32)
    owner = np.full(nodes, NOBODY, np.int32)
    visit = np.zeros(nodes, np.int32)
    count[:] = 1
    for i in range(robots):
        place[i, 0] = plan[0, i]
        owner[plan[0, i]] = i
    for t in range(1, times):
        for i in range(robots):
            v = plan[t, i]
            if v != plan[t - 1, i]:
                place[i, count[i]] = v
                if owner[v] != i:
                    who[i, count[i]], which[i, count[i]] = owner[v], visit[v]
        for i in range(robots):
            v = plan[t, i]
            if v != plan[t - 1, i]:
                owner[v], visit[v] = i, count[i]
                count[i] += 1
    return place, count, who, which


@njit(cache=True)
def proceed(visits, made, states, ahead, steps):
    """(A, steps) int8 actions that lead robots at `states` (A,) on, behind the visits that are `made`
    (A,); waits at the end."""
    place, count, who, which = visits
    robots = len(states)
    state, made = states.copy(), made.copy()
    acts = np.zeros((robots, steps), np.int8)
    drives = np.zeros(robots, np.bool_)
    for t in range(steps):
        for i in range(robots):
            on = made[i] + 1 < count[i]
            drives[i] = on and ahead[state[i]] == place[i, made[i] + 1]
        together(drives, made, who, which)
        for i in range(robots):
            if drives[i]:
                acts[i, t] = FORWARD
            elif made[i] + 1 < count[i]:
                acts[i, t] = towards(state[i], place[i, made[i] + 1], ahead)
            state[i] = after(state[i], acts[i, t], ahead)
            made[i] += drives[i]
    return acts


@njit(cache=True)
def keep_up(visits, made, states):
    """Count the visits that robots made since; (somebody is where it should not be, visits left)."""
    place, count, _, _ = visits
    lost, left = False, 0
    for i in range(len(states)):
        node = states[i] >> 2
        if made[i] + 1 < count[i] and place[i, made[i] + 1] == node:
            made[i] += 1
        lost |= place[i, made[i]] != node
        left += count[i] - 1 - made[i]
    return lost, left


@njit(cache=True)
def together(drives, made, who, which):
    """Strike from `drives` who would have to wait for another; the most that may drive stay."""
    struck = True
    while struck:
        struck = False
        for i in range(len(drives)):
            if not drives[i]:
                continue
            j = who[i, made[i] + 1]
            if j == NOBODY:
                continue
            last = which[i, made[i] + 1]
            if made[j] < last or (made[j] == last and not drives[j]):
                drives[i] = False
                struck = True


@njit(cache=True)
def towards(state, node, ahead):
    """A quarter turn towards a neighbouring node; a wait where the robot faces it already."""
    if ahead[state] == node:
        return WAIT
    if ahead[after(state, LEFT, ahead)] == node:
        return LEFT
    return RIGHT


@njit(cache=True)
def occupy(robots, closed, states, ahead, acts, path, taken):
    """Lay the paths of actions that some robots have now (see `operations`). Nobody else will be on the
    `closed` nodes: there, who is nowhere stands for all."""
    for r in robots:
        lift(r, path, taken)
    for r in robots:
        follow(states[r], acts[r], ahead, path[r])
    for r in robots:
        lay(r, path, taken)
    for v in closed:
        for t in range(1, taken.shape[1]):
            if taken[v, t] == NOBODY:
                taken[v, t] = robots[0]


@njit(cache=True)
def ball(root, most, ahead):
    """Nodes around one, ascending: the `most` that are nearest, without those that only the cut makes
    dead ends."""
    near = np.zeros(len(ahead) // 4, np.bool_)
    queue = np.empty(most, np.int32)
    near[root], queue[0] = True, root
    head, tail = 0, 1
    while head < tail < most:
        for heading in range(4):
            u = ahead[4 * queue[head] + heading]
            if u >= 0 and not near[u] and tail < most:
                near[u], queue[tail] = True, u
                tail += 1
        head += 1
    cut = True
    while cut:
        cut = False
        for v in queue[1:tail]:
            inside, ways = 0, 0
            for heading in range(4):
                u = ahead[4 * v + heading]
                ways += u >= 0
                inside += u >= 0 and near[u]
            if near[v] and inside <= 1 and ways > inside:
                near[v] = False
                cut = True
    return np.flatnonzero(near).astype(np.int32)
