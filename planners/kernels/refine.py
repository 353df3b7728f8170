"""Large neighbourhood search on a plan: some agents at a time are planned anew among the others.

J. Li et al., "Anytime multi-agent path finding via large neighborhood search", IJCAI 2021, with SIPP
below it. How many and how they are chosen adapts to what gains most per state looked at.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.pushing import draw
from planners.kernels.sipp import NONE, following, occupy, quickest, vacate

KINDS = 3  # blockers of a delayed agent, those who pass a place, anybody
SIZES = np.array([1, 2, 4, 8, 16, 32], np.int64)


@njit(cache=True)
def enter(paths, lengths, busy, who):
    """All agents' ways into empty tables."""
    busy[:] = 0
    who[:] = NONE
    for i in range(len(paths)):
        occupy(i, paths[i], lengths[i], busy, who)


@njit(cache=True)
def _delayed(lengths, least, dice):
    """An agent that is late: the latest of a few taken by chance."""
    best = draw(dice) % len(lengths)
    for _ in range(4):
        i = draw(dice) % len(lengths)
        if lengths[i] - least[i] > lengths[best] - least[best]:
            best = i
    return best


@njit(cache=True)
def _add(i, members, made, chosen):
    if i != NONE and not chosen[i]:
        chosen[i] = 1
        members[made] = i
        made += 1
    return made


@njit(cache=True)
def blockers(size, members, chosen, plan, problem, times, dice):
    """A late agent and those it meets on walks that would bring it to its goal earlier."""
    paths, lengths, least = plan
    near, dist = problem[0], problem[2]
    who = times[1]
    first = _delayed(lengths, least, dice)
    made = _add(first, members, 0, chosen)
    ways = np.empty(near.shape[1] + 1, np.int64)
    for _ in range(10):
        if made >= size or lengths[first] == 0:
            break
        t = draw(dice) % lengths[first]
        v = paths[first, t]
        while t + 1 < who.shape[1] and made < size:
            count = 0
            for k in range(-1, near.shape[1]):
                u = v if k < 0 else near[v, k]
                if u < 0:
                    break
                if t + 1 + dist[first, u] < lengths[first]:
                    ways[count] = u
                    count += 1
            if count == 0:
                break
            u = ways[draw(dice) % count]
            made = _add(who[u, t + 1], members, made, chosen)
            if made < size and who[u, t] != NONE and who[u, t] == who[v, t + 1]:
                made = _add(who[u, t], members, made, chosen)
            v = u
            t += 1
    return made


@njit(cache=True)
def passers(size, members, chosen, plan, problem, times, queue, dice):
    """Those who pass near a place of a late agent's way, around the time when it is there."""
    paths, lengths, least = plan
    near = problem[0]
    busy, who = times
    i = _delayed(lengths, least, dice)
    made = _add(i, members, 0, chosen)
    if lengths[i] == 0:
        return made
    t = draw(dice) % lengths[i]
    queue[0] = paths[i, t]
    head, tail = 0, 1
    while head < tail and head < 64 and made < size:
        v = queue[head]
        head += 1
        at = following(busy[v], max(0, t - 8), np.uint64(0))
        while at < t + 8 and at < who.shape[1] and made < size:
            made = _add(who[v, at], members, made, chosen)
            at = following(busy[v], at + 1, np.uint64(0))
        for k in range(near.shape[1]):
            u = near[v, k]
            if u < 0:
                break
            new = True
            for q in range(tail):
                if queue[q] == u:
                    new = False
            if new and tail < len(queue):
                queue[tail] = u
                tail += 1
    return made


@njit(cache=True)
def anybody(size, members, chosen, agents, dice):
    """Agents by chance."""
    made = 0
    for _ in range(2 * size):
        if made < size:
            made = _add(draw(dice) % agents, members, made, chosen)
    return made


@njit(cache=True)
def _choose(kind, size, members, chosen, plan, problem, times, queue, dice):
    size = min(size, len(chosen))
    if kind == 0:
        made = blockers(size, members, chosen, plan, problem, times, dice)
    elif kind == 1:
        made = passers(size, members, chosen, plan, problem, times, queue, dice)
    else:
        made = anybody(size, members, chosen, len(chosen), dice)
    for k in range(made):
        chosen[members[k]] = 0
        other = draw(dice) % (k + 1)
        members[k], members[other] = members[other], members[k]
    return made


@njit(cache=True)
def replan(members, made, plan, problem, times, pool, count, fresh, dice):
    """Plan these agents anew, one after the other; return what is gained, or put all back."""
    paths, lengths, least = plan
    near, goal, dist = problem
    busy, who = times
    ways, arrive = fresh
    budget = 0
    for k in range(made):
        i = members[k]
        vacate(paths[i], lengths[i], busy, who)
        budget += lengths[i] - least[i]
    gain = budget
    done = 0
    for k in range(made):
        i = members[k]
        bound = least[i] + gain
        arrive[k] = quickest(
            paths[i, 0], goal[i], dist[i], bound, near, times, pool, count, dice, ways[k]
        )
        if arrive[k] == NONE:
            break
        gain -= arrive[k] - least[i]
        occupy(i, ways[k], arrive[k], busy, who)
        done += 1
    if done < made:
        for k in range(done):
            vacate(ways[k], arrive[k], busy, who)
        for k in range(made):
            i = members[k]
            occupy(i, paths[i], lengths[i], busy, who)
        return NONE
    for k in range(made):
        i = members[k]
        paths[i] = ways[k]
        lengths[i] = arrive[k]
    return gain


@njit(cache=True, nogil=True)
def refine(iterations, plan, problem, times, pool, count, fresh, choice, dice):
    """`iterations` neighbourhoods; return the steps that were gained."""
    members, chosen, queue, weight = choice
    total = 0
    for _ in range(iterations):
        whole = 0.0
        for w in weight:
            whole += w
        pick = whole * (draw(dice) / 2147483648.0)
        arm = 0
        while arm < len(weight) - 1 and pick >= weight[arm]:
            pick -= weight[arm]
            arm += 1
        size = SIZES[arm // KINDS]
        states = count[1]
        made = _choose(arm % KINDS, size, members, chosen, plan, problem, times, queue, dice)
        gain = replan(members, made, plan, problem, times, pool, count, fresh, dice)
        rate = 1000.0 * max(0, gain) / (count[1] - states + 200 * made)
        weight[arm] = max(0.01, 0.98 * weight[arm] + 0.02 * rate)
        total += max(0, gain)
    return total
