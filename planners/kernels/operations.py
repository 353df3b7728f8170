"""PIBT over operations of several actions, with an anytime improvement on top.

Yukhnevich & Andreychuk, "Enhancing PIBT via multi-action operations" (EPIBT), 2025, after Okumura et
al., AIJ 2022: an agent chooses among short sequences of actions; where its choice meets exactly one
other agent, that one is asked to choose anew (priority inheritance), and so on; if the chain fails,
all is as before. The same chain, accepted only when the sum of costs falls, is a neighbourhood
search (as in the 2024 League winner's planner). Cycles may rotate: moves are simultaneous.

`taken` (N, L + 1) holds who is where after t actions; `path` (R, L + 1) nodes, `acts` (R, L) actions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.states import FAR_STEPS, FORWARD, after

CHAIN_MAX = 64
ANY, SIDEWAYS, BETTER = 1 << 60, 0, -1  # what a chain may do to the sum of costs
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
    shape,
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
    """For each of `robots`: its possible operations, cheapest first; of those that are at the same
    places at the same times (`shapes`) the cheapest one only."""
    value = np.empty(len(ops), np.int64)
    least = np.empty(shape.max() + 1, np.int64)
    for r in robots:
        n = 0
        least[:] = ANY
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
                mine = (cost << 20) | ((mixed >> 7) % 1024 << 10) | k
                least[shape[k]] = min(least[shape[k]], mine)
        for mine in least:
            if mine < ANY:
                value[n] = mine
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
        if taken[path[r, t], t] == r:
            taken[path[r, t], t] = -1


@njit(cache=True)
def lay(r, path, taken):
    """Put a robot's path into the table."""
    for t in range(path.shape[1]):
        taken[path[r, t], t] = r


@njit(cache=True)
def meets(path, taken, gap):
    """(whom a path meets: -1 nobody, -2 several, else the one; at which action first). With `gap`
    who enters a cell with the action by which another leaves it meets that one, too."""
    found, when = -1, 0
    for t in range(1, len(path)):
        node, before = path[t], path[t - 1]
        j = taken[node, t]
        if j >= 0 and j != found:
            if found >= 0:
                return -2, when
            found, when = j, t
        if node != before:
            j = taken[node, t - 1]
            if j >= 0 and j != found and (gap or taken[before, t] == j):
                if found >= 0:
                    return -2, when
                found, when = j, t
            j = taken[before, t]
            if gap and j >= 0 and j != found:
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
def scratch(length, tries_max):
    """What a chain needs to remember; may be used again and again."""
    who = np.empty(CHAIN_MAX, np.int32)
    gain = np.zeros(CHAIN_MAX + 1, np.int64)  # change of the sum of weighted costs before this link
    old_acts = np.empty((CHAIN_MAX, length), np.int8)
    old_path = np.empty((CHAIN_MAX, length + 1), np.int32)
    old_now = np.empty(CHAIN_MAX, np.int64)
    at, fails, met = np.zeros((3, CHAIN_MAX), np.int64)
    failed = np.empty((CHAIN_MAX, FAILED_MAX, length), np.int8)
    until = np.zeros((CHAIN_MAX, FAILED_MAX), np.int64)
    trial = np.empty(length + 1, np.int32)
    touched = np.empty(tries_max + 2, np.int32)
    return who, gain, old_acts, old_path, old_now, at, fails, met, failed, until, trial, touched


@njit(cache=True)
def choose(link, r, budget, most, rank, options, taken, memory, done, visited):
    """Robot r's next operation that is worth it and meets nobody or one who may still be asked.

    Returns (whom it meets: -1 nobody, -2 there is none; which operation; tries left); where it begins
    to meet is left in `memory`."""
    states, ops, ahead, ranked, costs, counts, weight, guard, gap = options
    _, gain, _, _, old_now, at, fails, met, failed, until, trial, _ = memory
    while at[link] < counts[r] and budget > 0:
        k = at[link]
        at[link] += 1
        if gain[link] + weight[r] * (costs[r, k] - old_now[link]) > most:
            at[link] = counts[r]
            break
        op = ops[ranked[r, k]]
        if hopeless(op, failed[link], until[link], fails[link]):
            continue
        follow(states[r], op, ahead, trial)
        j, met[link] = meets(trial, taken, gap)
        budget -= 1
        if j == -1:
            return -1, k, budget
        free = j >= 0 and not done[j] and visited[j] < 2 * VISITS_MAX and not visited[j] & 1
        if free and guard[j] >= rank and link + 1 < CHAIN_MAX:
            return j, k, budget
    return -2, -1, budget


@njit(cache=True)
def settle(r, k, options, plans):
    """Robot r takes its k-th operation."""
    states, ops, ahead, ranked, costs, _, _, _, _ = options
    now, acts, path, taken = plans
    acts[r, :] = ops[ranked[r, k]]
    follow(states[r], acts[r], ahead, path[r])
    lay(r, path, taken)
    now[r] = costs[r, k]


@njit(cache=True)
def chain(root, most, rank, tries_max, options, done, visited, memory, plans):
    """Let `root` choose anew, pushing others in a chain. Returns how many have a new plan (who, and
    what they had in mind before, is left in `memory`), 0: it came to nothing. The first chain counts
    that has no conflict and changes the weighted sum of costs by `most` at most. Who is `done` or has a
    `guard` before `rank` isn't pushed. `visited` (R,) is
    scratch: zeros before and after; twice the visits of this chain, odd while on it."""
    costs, weight = options[4], options[6]
    now, acts, path, taken = plans
    who, gain, old_acts, old_path, old_now, at, fails, _, _, _, _, touched = memory
    touches, gain[0] = 0, 0
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
            link, r, budget, most, rank, options, taken, memory, done, visited
        )
        if pushed > -2:
            gain[link + 1] = gain[link] + weight[r] * (costs[r, k] - old_now[link])
            settle(r, k, options, plans)
            if pushed == -1:
                break
            continue
        if link > 0:  # no way: undo this link, and the choice of the one before
            remember(who[link - 1], link - 1, acts, memory)
            lift(who[link - 1], path, taken)
        acts[r], path[r], now[r] = old_acts[link], old_path[link], old_now[link]
        lay(r, path, taken)
        visited[r] += 1
        link -= 1
        if link < 0:
            break
    for i in range(touches):
        visited[touched[i]] = 0
    return link + 1


@njit(cache=True)
def remember(r, link, acts, memory):
    """The beginning of what r chose leaves the robot it meets no way out."""
    fails, met, failed, until = memory[6], memory[7], memory[8], memory[9]
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


def shapes(ops):
    """(K,) which operations are at the same places at the same times: the same number. They differ
    in where the robot looks while it stands."""
    ways = []
    for row in ops.tolist():
        at, heading, way = 0j, 1 + 0j, []
        for action in row:
            at += heading if action == FORWARD else 0
            heading *= {2: 1j, 3: -1j}.get(action, 1)
            way.append(at)
        ways.append(tuple(way))
    number = {way: i for i, way in enumerate(dict.fromkeys(ways))}
    return np.array([number[way] for way in ways], np.int64)


def tree(ops):
    """(parent, action, leaf), each (M,): the beginnings of all operations, every one behind its
    own beginning (`parent`, -1: none), with its last action, and the operation that it is, -1: only a
    beginning."""
    length = ops.shape[1]
    words = {tuple(row[:k]) for row in ops.tolist() for k in range(1, length + 1)}
    order = sorted(words, key=lambda word: (len(word), word))
    number = {word: i for i, word in enumerate(order)}
    whole = {tuple(row): k for k, row in enumerate(ops.tolist())}
    parent = np.array([number.get(word[:-1], -1) for word in order], np.int64)
    action = np.array([word[-1] for word in order], np.int64)
    leaf = np.array([whole.get(word, -1) for word in order], np.int64)
    return parent, action, leaf
