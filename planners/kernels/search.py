"""All robots choose, then look for something better: chains (see `operations.py`) in parts of the floor
that may run side by side.

A part is a range of node numbers (rows of the floor, as nodes are numbered). Who stands so near to a
border that it might cross it keeps its plan until the borders are drawn elsewhere, and isn't pushed. So
no two parts touch the same cell or the same robot, the result doesn't depend on how many threads there
are, and nobody chooses among less than all its operations.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from planners.kernels.operations import ANY, chain, scratch

FREE, CHOSEN, CROSSING = 0, 1, 2
NEVER = -2  # the guard of robots that nobody pushes


@njit(cache=True)
def sort_out(near, path, status):
    """`status` (R,): who stands on a cell that is `near` (N,) to a border, and who no longer does."""
    for r in range(len(path)):
        if status[r] == CROSSING:
            status[r] = FREE
        if status[r] == FREE and near[path[r, 0]]:
            status[r] = CROSSING


@njit(cache=True)
def first_in_part(order, inside, tries_max, options, status, visited, plans):
    """EPIBT: those of `order` (by priority) who have not chosen do; who has is not pushed again."""
    path = plans[2]
    memory = scratch(path.shape[1] - 1, tries_max)
    for r in order:
        if status[r] == FREE and inside[0] <= path[r, 0] < inside[1]:
            chain(r, ANY, -1, tries_max, options, status, visited, memory, plans)
            status[r] = CHOSEN


@njit(cache=True, parallel=True)
def first_in_parts(order, cut, tries_max, options, status, visited, plans):
    """`first_in_part` in all parts. `cut`: where each begins, and what is near to a border."""
    borders, near = cut
    sort_out(near, plans[2], status)
    for part in prange(len(borders) - 1):
        inside = (borders[part], borders[part + 1])
        first_in_part(order, inside, tries_max, options, status, visited, plans)


@njit(cache=True)
def wake(chained, inside, memory, taken, ahead, status, eager, queue, end, marks):
    """Whoever stands near where a chain made room looks again: put it behind the queue, or mark it
    when it crosses a border. Returns the end of the queue."""
    old_path = memory[3]
    for i in range(chained):
        for t in range(old_path.shape[1]):
            cell = old_path[i, t]
            if t > 0 and cell == old_path[i, t - 1]:
                continue
            for k in range(21):  # the cell, its neighbours, and theirs
                near = cell
                if k > 0:
                    near = ahead[4 * cell + (k - 1) % 4]
                if k > 4 and near >= 0:
                    near = ahead[4 * near + (k - 5) // 4]
                j = taken[near, 0] if inside[0] <= near < inside[1] else -1
                if j < 0:
                    continue
                if status[j] == CROSSING:
                    marks[j] = 1
                elif not eager[j]:
                    eager[j] = 1
                    queue[end % len(queue)] = j
                    end += 1
    return end


@njit(cache=True)
def improve_part(inside, chains, turn, most, tries_max, ranks, options, status, visited, eager, marks,
                 plans):  # fmt: skip
    """Robots that are `eager` (R,) try what costs less, at most `chains` of them; a chain counts when
    it changes the weighted sum of costs by `most` at most, and wakes those around it (`marks` (R,):
    who is not of this part). Returns chains tried, and how many counted."""
    ahead, costs = options[2], options[4]
    now, _, path, taken = plans
    count = len(now)
    memory = scratch(path.shape[1] - 1, tries_max)
    queue = np.empty(count, np.int32)
    begin, end = 0, 0
    for i in range(count):
        r = (i + turn) % count
        if eager[r] and status[r] == FREE and inside[0] <= path[r, 0] < inside[1]:
            queue[end] = r
            end += 1
    tried, better = 0, 0
    while begin < end and tried < chains:
        r = queue[begin % count]
        begin += 1
        eager[r] = 0
        if now[r] <= costs[r, 0]:
            continue
        tried += 1
        rank = ranks[r]
        chained = chain(r, most, rank, tries_max, options, status, visited, memory, plans)
        if chained > 0:
            better += 1
            end = wake(chained, inside, memory, taken, ahead, status, eager, queue, end, marks)
    return tried, better


@njit(cache=True, parallel=True)
def improve_parts(cut, chains, turn, most, tries_max, ranks, options, status, visited, eager, marks,
                  plans):  # fmt: skip
    """`improve_part` in all parts, `marks` (parts, R). Returns the sums."""
    borders, near = cut
    sort_out(near, plans[2], status)
    tried, better = 0, 0
    for part in prange(len(borders) - 1):
        inside = (borders[part], borders[part + 1])
        made = improve_part(
            inside, chains, turn, most, tries_max, ranks, options, status, visited, eager, marks[part],
            plans,
        )  # fmt: skip
        tried += made[0]
        better += made[1]
    for part in range(len(borders) - 1):
        for r in range(len(eager)):
            eager[r] |= marks[part, r]
    return tried, better
