"""PIBT over operations of several actions, with an anytime improvement on top.

Yukhnevich & Andreychuk, "Enhancing PIBT via multi-action operations" (EPIBT), 2025, after Okumura et
al., AIJ 2022: an agent chooses among short sequences of actions; where its choice meets exactly one
other agent, that one is asked to choose anew (priority inheritance), and so on; if the chain fails,
all is as before. The same chain, accepted only when the sum of costs falls, is a
neighbourhood search (as in the 2024 League winner's planner). Cycles may rotate: moves are simultaneous.

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
def settle(r, k, states, ops, ahead, ranked, costs, now, acts, path):
    """Robot r takes its k-th operation."""
    acts[r, :] = ops[ranked[r, k]]
    follow(states[r], acts[r], ahead, path[r])
    now[r] = costs[r, k]


@njit(cache=True)
def chain(
    root, greedy, tries_max, states, ops, ahead, ranked, costs, counts, done, now, acts, path, taken
):
    """Let `root` choose anew, pushing others in a chain. True if it came to something: with `greedy`
    the first chain without a conflict counts, else only one that lowers the sum of costs."""
    length = ops.shape[1]
    who = np.empty(CHAIN_MAX, np.int32)
    at = np.zeros(CHAIN_MAX, np.int32)
    gain = np.zeros(CHAIN_MAX + 1, np.int64)  # change of the sum of costs before this link
    old_acts = np.empty((CHAIN_MAX, length), np.int8)
    old_path = np.empty((CHAIN_MAX, length + 1), np.int32)
    old_now = np.empty(CHAIN_MAX, np.int64)
    trial = np.empty(length + 1, np.int32)
    failed = np.empty((CHAIN_MAX, FAILED_MAX, length), np.int8)
    until = np.zeros((CHAIN_MAX, FAILED_MAX), np.int64)
    fails = np.zeros(CHAIN_MAX, np.int64)
    met = np.zeros(CHAIN_MAX, np.int64)
    visited = np.zeros(len(states), np.uint8)  # twice the visits, odd while on the chain
    visited[root] = 1
    depth, tries = 0, 0
    who[0] = root
    old_acts[0], old_path[0], old_now[0] = acts[root], path[root], now[root]
    lift(root, path, taken)
    while depth >= 0:
        r = who[depth]
        pushed = -2
        while at[depth] < counts[r] and tries < tries_max:
            k = at[depth]
            at[depth] += 1
            change = gain[depth] + costs[r, k] - old_now[depth]
            if not greedy and change >= 0:
                at[depth] = counts[r]
                break
            op = ops[ranked[r, k]]
            if hopeless(op, failed[depth], until[depth], fails[depth]):
                continue
            follow(states[r], op, ahead, trial)
            j, when = meets(trial, taken)
            tries += 1
            if j == -2:
                continue
            if j >= 0:
                if done[j] or depth + 1 >= CHAIN_MAX:
                    continue
                if visited[j] >= 2 * VISITS_MAX or visited[j] & 1:
                    continue
            settle(r, k, states, ops, ahead, ranked, costs, now, acts, path)
            gain[depth + 1] = change
            met[depth] = when
            pushed = j
            break
        if pushed == -1:
            lay(r, path, taken)
            return True
        if pushed >= 0:
            lift(pushed, path, taken)
            lay(r, path, taken)
            depth += 1
            visited[pushed] += 1
            who[depth] = pushed
            at[depth], fails[depth] = 0, 0
            old_acts[depth], old_path[depth], old_now[depth] = (
                acts[pushed],
                path[pushed],
                now[pushed],
            )
            continue
        # This link has no way: undo it, and the choice of the one before.
        if depth > 0:
            b = depth - 1
            lift(who[b], path, taken)
            if fails[b] < FAILED_MAX:
                failed[b, fails[b]] = acts[who[b]]
                until[b, fails[b]] = met[b]
                fails[b] += 1
        acts[r], path[r], now[r] = old_acts[depth], old_path[depth], old_now[depth]
        lay(r, path, taken)
        visited[r] += 1
        depth -= 1
    return False


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
def first_pass(order, tries_max, states, ops, ahead, ranked, costs, counts, now, acts, path, taken):
    """EPIBT: everybody chooses once, by priority; who has chosen is not pushed again."""
    done = np.zeros(len(states), np.uint8)
    for r in order:
        if not done[r]:
            chain(
                r,
                True,
                tries_max,
                states,
                ops,
                ahead,
                ranked,
                costs,
                counts,
                done,
                now,
                acts,
                path,
                taken,
            )
            done[r] = 1


@njit(cache=True)
def improve(
    iterations, seed, tries_max, states, ops, ahead, ranked, costs, counts, now, acts, path, taken
):
    """Random robots that would rather do something else try to. Returns how many chains did."""
    done = np.zeros(len(states), np.uint8)
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x1234567)
    better = 0
    for _ in range(iterations):
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
        r = np.int64((x >> np.uint64(33)) % np.uint64(len(states)))
        if now[r] <= costs[r, 0]:
            continue
        if chain(
            r,
            False,
            tries_max,
            states,
            ops,
            ahead,
            ranked,
            costs,
            counts,
            done,
            now,
            acts,
            path,
            taken,
        ):
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
