"""The next configuration by PIBT with swaps, on a graph without headings: one step of LaCAM.

K. Okumura, "Improving LaCAM for scalable eventually optimal multi-agent pathfinding", IJCAI 2023;
PIBT: Okumura et al., AIJ 2022. The recursion is unrolled onto a stack.

`near` (N, K) holds the neighbours of each node, -1 behind the last. `rank` (A, N) uint16 orders an
agent's ways: lower is better. `now` and `then` (N,) hold who is on a node and who will be, -1: nobody;
they are empty (all -1) between calls.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NOBODY = -1


@njit(cache=True)
def draw(dice):
    """The next of a sequence of 31-bit numbers (xorshift64*); `dice` (1,) uint64 is its state."""
    x = dice[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    dice[0] = x
    return np.int64((x * np.uint64(2685821657736338717)) >> np.uint64(33))


@njit(cache=True)
def configure(at, to, order, problem, scratch, dice):
    """Fill `to` (A,), which holds nodes that are given and -1 elsewhere; False: it can't be so."""
    now, then = scratch[0], scratch[1]
    good = _begin(at, to, now, then)
    if good:
        for i in order:
            if to[i] < 0 and not _push(i, at, to, problem, scratch, dice):
                good = False
                break
    for i in range(len(at)):
        now[at[i]] = NOBODY
        if to[i] >= 0:
            then[to[i]] = NOBODY
    return good


@njit(cache=True)
def _begin(at, to, now, then):
    """Enter all agents; False if what is given collides. What was entered is in `to` either way."""
    for i in range(len(at)):
        now[at[i]] = i
    good = True
    for i in range(len(at)):
        if to[i] < 0:
            continue
        j = now[to[i]]
        if then[to[i]] != NOBODY or (j >= 0 and j != i and to[j] == at[i]):
            good = False
        then[to[i]] = i
    return good


@njit(cache=True)
def _push(root, at, to, problem, scratch, dice):
    """Settle agent `root` and whom it pushes; False: it had to stay though it must not."""
    now, then, stack, tried, count, cand, partner = scratch
    depth = 0
    stack[0] = root
    _candidates(root, at, to, problem, scratch, dice)
    while depth >= 0:
        i = stack[depth]
        if tried[i] >= count[i]:  # nowhere to go: whoever pushed it tries another way
            then[at[i]] = i
            to[i] = at[i]
            depth -= 1
            if depth >= 0:
                tried[stack[depth]] += 1
            continue
        u = cand[i, tried[i]]
        j = now[u]
        if then[u] != NOBODY or (j != NOBODY and to[j] == at[i]):
            tried[i] += 1
            continue
        then[u] = i
        to[i] = u
        if j >= 0 and j != i and to[j] < 0:
            depth += 1
            stack[depth] = j
            _candidates(j, at, to, problem, scratch, dice)
            continue
        for d in range(depth, -1, -1):
            _pull(stack[d], at, to, then, tried, partner)
        return True
    return False


@njit(cache=True)
def _pull(i, at, to, then, tried, partner):
    """Who changes places with agent i follows it."""
    j = partner[i]
    if tried[i] == 0 and j != NOBODY and to[j] < 0 and then[at[i]] == NOBODY:
        then[at[i]] = j
        to[j] = at[i]


@njit(cache=True)
def _candidates(i, at, to, problem, scratch, dice):
    """Agent i's next nodes, best first, ties by chance; worst first if it has to change places."""
    near, rank = problem[0], problem[3]
    now, _, _, tried, count, cand, partner = scratch
    worth = np.empty(near.shape[1] + 1, np.int64)
    made = 0
    for k in range(-1, near.shape[1]):
        u = at[i] if k < 0 else near[at[i], k]
        if u < 0:
            break
        value = (np.int64(rank[i, u]) << 16) | (draw(dice) & 0x7FFF) | (0x8000 if k < 0 else 0)
        place = made
        while place > 0 and worth[place - 1] > value:
            worth[place] = worth[place - 1]
            cand[i, place] = cand[i, place - 1]
            place -= 1
        worth[place] = value
        cand[i, place] = u
        made += 1
    tried[i] = 0
    count[i] = made
    partner[i] = _swap_partner(i, cand[i, 0], at, to, now, problem)
    if partner[i] != NOBODY:
        for k in range(made // 2):
            cand[i, k], cand[i, made - 1 - k] = cand[i, made - 1 - k], cand[i, k]


@njit(cache=True)
def _swap_partner(i, wish, at, to, now, problem):
    """The agent with which i has to change places (first case), or for which it has to make room one
    step ahead (second case)."""
    near = problem[0]
    j = now[wish]
    if (
        j >= 0
        and j != i
        and to[j] < 0
        and _swap_needed(i, j, at[i], at[j], now, problem)
        and _swap_possible(at[j], at[i], now, problem)
    ):
        return j
    if wish == at[i]:
        return NOBODY
    for k in range(near.shape[1]):
        u = near[at[i], k]
        if u < 0:
            break
        j = now[u]
        if (
            j != NOBODY
            and u != wish
            and _swap_needed(j, i, at[i], wish, now, problem)
            and _swap_possible(wish, at[i], now, problem)
        ):
            return j
    return NOBODY


@njit(cache=True)
def _beyond(v, origin, now, problem):
    """(ways on from v other than back to `origin`, the last of them); dead ends at which an agent
    has arrived don't count."""
    near, goal = problem[0], problem[1]
    ways, last = 0, -1
    for k in range(near.shape[1]):
        u = near[v, k]
        if u < 0:
            break
        i = now[u]
        dead_end = near.shape[1] < 2 or near[u, 1] < 0
        if u == origin or (dead_end and i != NOBODY and goal[i] == u):
            continue
        ways += 1
        last = u
    return ways, last


@njit(cache=True)
def _swap_needed(pusher, puller, v_pusher, v_puller, now, problem):
    """Would the pusher, driving on, push the puller away from its goal through a corridor?"""
    near, dist = problem[0], problem[2]
    for _ in range(len(near)):
        if dist[pusher, v_puller] >= dist[pusher, v_pusher]:
            break
        ways, last = _beyond(v_puller, v_pusher, now, problem)
        if ways >= 2:
            return False
        if ways == 0:
            break
        v_pusher, v_puller = v_puller, last
    return dist[puller, v_pusher] < dist[puller, v_puller] and (
        dist[pusher, v_pusher] == 0 or dist[pusher, v_puller] < dist[pusher, v_pusher]
    )


@njit(cache=True)
def _swap_possible(v_pusher, v_puller, now, problem):
    """Does the corridor behind the puller end at a fork, where places can be changed?"""
    origin = v_pusher
    for _ in range(len(problem[0])):
        if v_puller == origin:
            return False
        ways, last = _beyond(v_puller, v_pusher, now, problem)
        if ways >= 2:
            return True
        if ways == 0:
            return False
        v_pusher, v_puller = v_puller, last
    return False
