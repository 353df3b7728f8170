"""Kernel: how far a goal is where there are many ways to it, or few.

After the free energy distance of Kivimäki, Shimbo & Saerens (Physica A 393, 2014): minus the logarithm
of the sum over all walks to the goal, each counted `damp` for each of its steps. With one way it is the
number of steps; of two cells as many steps away, the one with more ways is nearer.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SWEEPS = 400  # at most
EXACT = 1e-9  # relative change below which a sweep was the last


@njit(cache=True)
def fill_all(goals, damp, ahead, out):
    """`out` (G, N): see `fill`."""
    for i in range(len(goals)):
        fill(goals[i], damp, ahead, out[i])


@njit(cache=True)
def fill(goal, damp, ahead, out):
    """`out` (N,) free energy distances to `goal`, infinite where there is no way. `damp` is below one
    over the largest number of neighbours: each cell then has one that is nearer. The floor is a part of
    the square lattice, so neighbours are never as far as a cell itself. Weights are those of all walks
    over that of one shortest walk: nothing underflows."""
    nodes = len(out)
    steps = np.full(nodes, -1, np.int32)
    queue = np.empty(nodes, np.int32)
    weight = np.zeros(nodes)
    steps[goal], queue[0], weight[goal], known, at = 0, goal, 1.0, 1, 0
    while at < known:
        x = queue[at]
        at += 1
        for heading in range(4):
            y = ahead[4 * x + heading]
            if y >= 0 and steps[y] < 0:
                steps[y] = steps[x] + 1
                queue[known] = y
                known += 1
    back = damp * damp  # a step away from the goal, and the same one back
    for sweep in range(SWEEPS):
        change = 0.0
        for i in range(1, known):
            x = queue[i] if sweep % 2 == 0 else queue[known - i]
            total = 0.0
            for heading in range(4):
                y = ahead[4 * x + heading]
                if y >= 0:
                    total += weight[y] if steps[y] < steps[x] else back * weight[y]
            change = max(change, abs(total - weight[x]) / total)
            weight[x] = total
        if change < EXACT:
            break
    for x in range(nodes):
        out[x] = np.inf if steps[x] < 0 else -np.log(weight[x]) - steps[x] * np.log(damp)
