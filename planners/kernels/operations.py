"""PIBT over operations of several actions, with an anytime improvement on top.

Yukhnevich & Andreychuk, "Enhancing PIBT via multi-action operations" (EPIBT), 2025, after Okumura et
al., AIJ 2022: an agent chooses among short sequences of actions; where its choice meets exactly one
other agent, that one is asked to choose anew (priority inheritance), and so on; if the chain fails,
all is as before. The same chain, accepted only when the sum of costs falls, is a neighbourhood
search (as in the 2024 League winner's planner). Cycles may rotate: moves are simultaneous.

`taken` (L + 1, N) holds who is where after t actions; `path` (R, L + 1) nodes, `acts` (R, L) actions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.states import FAR_STEPS, FORWARD, after

CHAIN_MAX = 64
FAILED_MAX = 16  # beginnings remembered per link
VISITS_MAX = 10  # of a robot per chain


@njit(cache=True)
def follow(state, acts, ahead, path):
    """Write the nodes of a sequence of actions into `path`; return the last state or -1."""
    path[0] = state >> 2
    for t in range(len(acts)):
        state = after(state, acts[t], ahead)
        if state < 0:
            return -1
        path[t + 1] = state >> 2
    return state


@njit(cache=True)
def appraise(state, acts, ahead, goal, onward, way, way_on, tail, sharp, unit):
    """Cost of a sequence of actions for a robot at `state`; -1 where it leaves the floor.

    Cost to go after each action, the last one counted `sharp` times. `way` is the table of `goal`;
    behind it lie `way_on`, the table of the next errand (node `onward`, -1: none), and `tail` steps
    from goal to the end of what is known."""
    hit, total, length = -1, 0, len(acts)
    for t in range(length):
        state = after(state, acts[t], ahead)
        if state < 0:
            return -1
        if hit < 0 and state >> 2 == goal:
            hit = t
        if hit < 0:
            togo = way[state] + tail
        elif onward >= 0:
            togo = np.int64(way_on[state])
        else:
            togo = unit * (hit - t)
        if t == length - 1:
            total += togo * sharp
        else:
            total += togo
    return total + FAR_STEPS


@njit(cache=True)
def rank(
    robots,
    states,
    ops,
    ahead,
    goals,
    onward,
    rows,
    rows_on,
    tables,
    tail,
    sharp,
    unit,
    seed,
    ranked,
    costs,
    counts,
):
    """For each of `robots`: its possible operations, cheapest first."""
    value = np.empty(len(ops), np.int64)
    for r in robots:
        n = 0
        for k in range(len(ops)):
            cost = appraise(
                states[r],
                ops[k],
                ahead,
                goals[r],
                onward[r],
                tables[rows[r]],
                tables[rows_on[r]],
                tail[r],
                sharp,
                unit,
            )
            if cost >= 0:
                mixed = ((k * 73856093) ^ (r * 19349663) ^ (seed * 83492791)) & 0x7FFFFFFF
                value[n] = (cost << 20) | ((mixed >> 7) % 1024 << 10) | k
                n += 1
        order = np.sort(value[:n])
        for k in range(n):
            ranked[r, k] = order[k] & 1023
            costs[r, k] = order[k] >> 20
        counts[r] = n


@njit(cache=True)
def lift(r, path, taken):
    """Take a robot's path out of the table."""
    for t in range(path.shape[1]):
        if taken[t, path[r, t]] == r:
            taken[t, path[r, t]] = -1


@njit(cache=True)
def lay(r, path, taken):
    """Put a robot's path into the table."""
    for t in range(path.shape[1]):
        taken[t, path[r, t]] = r


@njit(cache=True)
def meets(path, taken):
    """(whom a path meets: -1 nobody, -2 several, else the one; at which action first)."""
    found, when = -1, 0
    for t in range(1, len(path)):
        node, before = path[t], path[t - 1]
        j = taken[t, node]
        if j >= 0 and j != found:
            if found >= 0:
                return -2, when
            found, when = j, t
        if node != before:
            j = taken[t - 1, node]
            if j >= 0 and j != found and taken[t, before] == j:
                if found >= 0:
                    return -2, when
                found, when = j, t
    return found, when


@njit(cache=True)
def hopeless(op, failed, until, count):
    """Whether an operation begins as one for which the robot met found no way out."""
    for m in range(count):
        same = True
        for t in range(until[m]):
            if failed[m, t] != op[t]:
                same = False
                break
        if same:
            return True
    return False


@njit(cache=True)
def choose(link, r, base, budget, greedy, options, taken, memory, done, visited, trial):
    """Robot r's next operation that is worth it and meets nobody or one who may still be asked.

    Returns (whom it meets: -1 nobody, -2 there is none; which operation; tries left); where it begins
    to meet is left in `memory`."""
    states, ops, ahead, ranked, costs, counts = options
    at, old_now, failed, until, fails, met = memory
    while at[link] < counts[r] and budget > 0:
        k = at[link]
        at[link] += 1
        if not greedy and base + costs[r, k] - old_now[link] >= 0:
            at[link] = counts[r]
            break
        op = ops[ranked[r, k]]
        if hopeless(op, failed[link], until[link], fails[link]):
            continue
        follow(states[r], op, ahead, trial)
        j, met[link] = meets(trial, taken)
        budget -= 1
        if j == -1:
            return -1, k, budget
        free = j >= 0 and not done[j] and visited[j] < 2 * VISITS_MAX and not visited[j] & 1
        if free and link + 1 < CHAIN_MAX:
            return j, k, budget
    return -2, -1, budget


@njit(cache=True)
def settle(r, k, options, plans):
    """Robot r takes its k-th operation."""
    states, ops, ahead, ranked, costs, _ = options
    now, acts, path, taken = plans
    acts[r, :] = ops[ranked[r, k]]
    follow(states[r], acts[r], ahead, path[r])
    lay(r, path, taken)
    now[r] = costs[r, k]


@njit(cache=True)
def chain(root, greedy, tries_max, options, done, visited, plans):
    """Let `root` choose anew, pushing others in a chain. True if it came to something: with `greedy`
    the first chain without a conflict counts, else only one that lowers the sum of costs. Who is
    `done` isn't pushed. `visited` (R,) is scratch: zeros before and after; twice the visits of this
    chain, odd while on it."""
    costs = options[4]
    now, acts, path, taken = plans
    length = acts.shape[1]
    who = np.empty(CHAIN_MAX, np.int32)
    gain = np.zeros(CHAIN_MAX + 1, np.int64)  # change of the sum of costs before this link
    old_acts = np.empty((CHAIN_MAX, length), np.int8)
    old_path = np.empty((CHAIN_MAX, length + 1), np.int32)
    at, fails, met = np.zeros((3, CHAIN_MAX), np.int64)
    old_now = np.empty(CHAIN_MAX, np.int64)
    failed = np.empty((CHAIN_MAX, FAILED_MAX, length), np.int8)
    until = np.zeros((CHAIN_MAX, FAILED_MAX), np.int64)
    memory = (at, old_now, failed, until, fails, met)
    trial = np.empty(length + 1, np.int32)
    touched = np.empty(tries_max + 2, np.int32)
    touches = 0
    link, budget, pushed = -1, tries_max, root
    while True:
        if pushed >= 0:  # a new link: take its plan away
            link += 1
            r = pushed
            visited[r] += 1
            touched[touches] = r
            touches += 1
            who[link], at[link], fails[link] = r, 0, 0
            old_acts[link], old_path[link], old_now[link] = acts[r], path[r], now[r]
            lift(r, path, taken)
            if link > 0:
                lay(who[link - 1], path, taken)
        r = who[link]
        pushed, k, budget = choose(
            link, r, gain[link], budget, greedy, options, taken, memory, done, visited, trial
        )
        if pushed > -2:
            gain[link + 1] = gain[link] + costs[r, k] - old_now[link]
            settle(r, k, options, plans)
            if pushed == -1:
                for i in range(touches):
                    visited[touched[i]] = 0
                return True
            continue
        if link > 0:  # no way: undo this link, and the choice of the one before
            remember(who[link - 1], link - 1, acts, memory)
            lift(who[link - 1], path, taken)
        acts[r], path[r], now[r] = old_acts[link], old_path[link], old_now[link]
        lay(r, path, taken)
        visited[r] += 1
        link -= 1
        if link < 0:
            for i in range(touches):
                visited[touched[i]] = 0
            return False


@njit(cache=True)
def remember(r, link, acts, memory):
    """The beginning of what r chose leaves the robot it meets no way out."""
    _, _, failed, until, fails, met = memory
    if fails[link] < FAILED_MAX:
        failed[link, fails[link]] = acts[r]
        until[link, fails[link]] = met[link]
        fails[link] += 1


@njit(cache=True)
def value_plans(
    robots, states, ahead, goals, onward, rows, rows_on, tables, tail, sharp, unit, acts, now
):
    """Cost of what each robot has in mind already."""
    for r in robots:
        now[r] = appraise(
            states[r],
            acts[r],
            ahead,
            goals[r],
            onward[r],
            tables[rows[r]],
            tables[rows_on[r]],
            tail[r],
            sharp,
            unit,
        )


@njit(cache=True)
def first_pass(order, tries_max, options, plans):
    """EPIBT: everybody chooses once, by priority; who has chosen is not pushed again."""
    first_part(order, tries_max, options, np.zeros(len(order), np.uint8), plans)


@njit(cache=True)
def first_part(order, tries_max, options, done, plans):
    """The same for some of them; `done` (R,) remembers who has chosen."""
    visited = np.zeros(len(done), np.int64)
    for r in order:
        chain(r, True, tries_max, options, done, visited, plans)
        done[r] = 1


@njit(cache=True)
def improve(iterations, seed, tries_max, options, plans):
    """Random robots that would rather do something else try to. Returns how many chains did."""
    costs, now = options[4], plans[0]
    done = np.zeros(len(now), np.uint8)
    visited = np.zeros(len(now), np.int64)
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x1234567)
    better = 0
    for _ in range(iterations):
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
        r = np.int64((x >> np.uint64(33)) % np.uint64(len(now)))
        if now[r] > costs[r, 0] and chain(r, False, tries_max, options, done, visited, plans):
            better += 1
    return better


@njit(cache=True)
def advance(states, ahead, acts, path, taken):
    """Everybody makes its first action; what is left of the plans moves up, a wait behind it."""
    length = acts.shape[1]
    taken[:] = -1
    for r in range(len(states)):
        states[r] = after(states[r], acts[r, 0], ahead)
        for t in range(length - 1):
            acts[r, t] = acts[r, t + 1]
            path[r, t] = path[r, t + 1]
        acts[r, length - 1] = 0
        path[r, length - 1] = path[r, length]
    for r in range(len(states)):
        lay(r, path, taken)


def operations(length):
    """(K, L) int8: all sequences of actions but those that others do as well: a turn undone, three
    quarter turns, half turns leftwards, a wait before a turn."""
    every = np.indices((4,) * length).reshape(length, -1).T
    text = ["".join("WFRC"[a] for a in row) for row in every]
    bad = ("RC", "CR", "RRR", "CC", "WR", "WC")
    keep = [not any(b in row for b in bad) for row in text]
    assert FORWARD == 1
    return np.ascontiguousarray(every[keep].astype(np.int8))
