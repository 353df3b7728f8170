"""Kernels that give tasks to thousands of robots: tasks that begin at the same place stand together,
so a robot looks at places, not at tasks.

Tasks are sorted by place and, within one, by what comes after their first errand (`extra`); `start`
(G + 1,) is where each place's tasks begin, `holder` (T,) the robot that has a task, -1: nobody.
"""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit, prange

from planners.kernels.states import FAR_WIDE

NEVER = 1 << 40


@njit(cache=True, parallel=True)
def near_places(nodes, rows, least, tables, blocks, place, way):
    """For each robot at `nodes` the K places that are cheapest, `place` (F, K) in no sequence, -1: no
    more; `way` (F, K) is what it costs to get there (rows `rows` of `tables`). `least` (G,) is added
    for choosing only. Places outside, robots inside: a table is walked while it is at hand."""
    kept = place.shape[1]
    for block in prange(blocks):
        low, high = len(nodes) * block // blocks, len(nodes) * (block + 1) // blocks
        place[low:high] = -1
        way[low:high] = NEVER
        value = np.full((high - low, kept), NEVER, np.int64)
        worst = np.zeros(high - low, np.int64)  # where each robot's dearest one stands
        limit = np.full(high - low, NEVER, np.int64)
        for g in range(len(rows)):
            table, more = tables[rows[g]], least[g]
            for r in range(low, high):
                cost = np.int64(table[nodes[r]])
                if cost + more < limit[r - low]:
                    at = worst[r - low]
                    place[r, at], way[r, at], value[r - low, at] = g, cost, cost + more
                    for k in range(kept):
                        if value[r - low, k] > value[r - low, at]:
                            at = k
                    worst[r - low], limit[r - low] = at, value[r - low, at]


@njit(cache=True, parallel=True)
def likely_places(here, there, least, blocks, place):
    """For each robot the K places that seem cheapest, `place` (F, K) in no sequence, K at most as many
    as there are: from `here` (F, L) and `there` (L, G) it is to the same landmarks, which says how far
    apart they are about; `least` (G,) is added. All int32."""
    kept = place.shape[1]
    for block in prange(blocks):
        value, apart = np.empty(kept, np.int32), np.empty(len(least), np.int32)
        for r in range(len(here) * block // blocks, len(here) * (block + 1) // blocks):
            apart[:] = 0
            for k in range(len(there)):
                for g in range(len(least)):
                    apart[g] = max(apart[g], here[r, k] - there[k, g])
            value[:] = FAR_WIDE
            worst, limit = 0, np.int32(FAR_WIDE)
            for g in range(len(least)):
                cost = apart[g] + least[g]
                if cost < limit:
                    place[r, worst], value[worst] = g, cost
                    for k in range(kept):
                        if value[k] > value[worst]:
                            worst = k
                    limit = value[worst]


@njit(cache=True)
def first_free(g, start, holder, head):
    """The least of a place's tasks that nobody has; `start[g + 1]` when there is none."""
    t = head[g]
    while t < start[g + 1] and holder[t] >= 0:
        t += 1
    head[g] = t
    return t


@njit(cache=True)
def best_place(place, way, start, extra, holder, head, load, queue):
    """(cost, place) of the best of one robot's places just now; place -1: no task is left there."""
    best, where = NEVER, -1
    for k in range(len(place)):
        g = place[k]
        if g < 0:
            continue
        t = first_free(g, start, holder, head)
        if t < start[g + 1]:
            cost = way[k] + extra[t] + queue * load[g]
            if cost < best:
                best, where = cost, g
    return best, where


@njit(cache=True)
def hand_out(robots, place, way, start, extra, queue, holder, head, load, chosen):
    """Who can begin and end a task soonest has it, one after the other. `chosen` (R,) tasks by robot;
    costs only rise as tasks go, so what lay on top of the heap and still costs as much is best."""
    heap = [(np.int64(0), np.int64(i)) for i in range(len(robots))]
    while len(heap) > 0:
        before, i = heapq.heappop(heap)
        cost, g = best_place(place[i], way[i], start, extra, holder, head, load, queue)
        if g < 0:
            continue
        if cost > before:
            heapq.heappush(heap, (np.int64(cost), i))
            continue
        t = head[g]
        holder[t], chosen[robots[i]] = robots[i], t
        load[g] += 1


@njit(cache=True)
def trade(robots, place, way, nodes, group, rows, tables, start, extra, queue, margin,
          holder, head, load, chosen):  # fmt: skip
    """Robots that have not begun look for something better: a task that nobody has, or an exchange
    with whoever has one; each change lowers the sum of costs by more than `margin`. Returns how
    many there were."""
    changes = 0
    for i in range(len(robots)):
        a = robots[i]
        x = chosen[a]
        here = group[x]
        now = np.int64(tables[rows[here], nodes[a]])
        gain, best, who = np.int64(margin), -1, -1
        for k in range(place.shape[1]):
            g = place[i, k]
            if g < 0 or way[i, k] >= now + extra[x]:
                continue
            t = first_free(g, start, holder, head)
            if t < start[g + 1]:
                saved = now + extra[x] - way[i, k] - extra[t] + queue * (load[here] - load[g] - 1)
                if saved > gain and t != x:
                    gain, best, who = saved, t, -1
            if g == here or way[i, k] >= now:
                continue
            for t in range(start[g], start[g + 1]):
                b = holder[t]
                if b < 0:
                    continue
                theirs = np.int64(tables[rows[g], nodes[b]])
                after = np.int64(tables[rows[here], nodes[b]])
                saved = now + theirs - way[i, k] - after
                if saved > gain:
                    gain, best, who = saved, t, b
        if best < 0:
            continue
        changes += 1
        chosen[a], holder[best], holder[x] = best, a, who
        if who >= 0:
            chosen[who] = x
        else:
            load[here] -= 1
            load[group[best]] += 1
            head[here] = min(head[here], x)
    return changes


@njit(cache=True)
def first_pairs(order, rows, columns, count):
    """(`count`,) rows and columns: the first pair of `order` (numbers in a (T, R) table), then the
    first one of another row and column, and so on."""
    row, column = np.empty(count, np.int64), np.empty(count, np.int64)
    row_taken, column_taken = np.zeros(rows, np.bool_), np.zeros(columns, np.bool_)
    made = 0
    for pair in order:
        if made == count:
            break
        i, j = pair // columns, pair % columns
        if not row_taken[i] and not column_taken[j]:
            row_taken[i] = column_taken[j] = True
            row[made], column[made] = i, j
            made += 1
    return row[:made], column[:made]
