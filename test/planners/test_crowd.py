"""Tables by cell, and the matching of thousands: against the plain way of computing the same."""

from __future__ import annotations

import numpy as np
import pytest

from planners.crowd import CrowdMatcher, NodeTables
from planners.grid import Grid
from planners.guidance import alternate
from planners.kernels import crowd
from planners.steps import StateTables


def hall(seed: int) -> tuple[Grid, np.ndarray]:
    """A random map whose free cells hold together well enough."""
    free = np.random.default_rng(seed).random((9, 11)) > 0.25
    free[4, :] = True
    return Grid.of(free), free


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("against", [0, 8])
def test_cell_tables_agree_with_state_tables(seed: int, against: int) -> None:
    """Without turns a way costs no more than with them; one action ahead, turns are in."""
    grid, free = hall(seed)
    lanes = alternate(free, grid, against)
    goals = np.arange(grid.nodes, dtype=np.int32)
    cells, states = NodeTables(grid, lanes, goals), StateTables(grid, lanes)
    rows = states.rows(goals)
    for goal in goals[::7].tolist():
        exact = states.tables[rows[goal]].astype(np.int64)
        way = cells.tables[goal]
        for state in range(4 * grid.nodes):
            looked = crowd.togo(state, goal, way, lanes.pace, grid.ahead, lanes.unit)
            if exact[state] < 65535:
                assert way[state >> 2] <= looked <= exact[state]
            straight = grid.ahead[state] == goal and exact[state] < 65535
            if straight:
                assert looked == exact[state]


def test_whoever_is_nearest_has_the_task() -> None:
    """Given tasks and robots at random, when they are matched, then nobody without a task would be
    nearer to one than who has it, no task is given twice, and who has one keeps it."""
    grid, free = hall(1)
    tables = NodeTables(grid, alternate(free, grid, 0), np.arange(grid.nodes, dtype=np.int32))
    chance = np.random.default_rng(5)
    reached = np.flatnonzero(tables.tables[grid.nodes // 2] < 65535).astype(np.int32)
    states = 4 * chance.choice(reached, 12, replace=False).astype(np.int32)
    tasks = {100 + n: chance.choice(reached, 2).tolist() for n in range(9)}
    held = np.full(12, -1, np.int32)
    held[3] = 104
    matcher = CrowdMatcher(tables)
    chosen = matcher.match(tasks, states, held)
    given = chosen[chosen >= 0].tolist()
    assert len(set(given)) == len(given) == 9 and chosen[3] == 104

    def cost(robot: int, task: int) -> int:
        first, last = tasks[task]
        return int(tables.tables[first, states[robot] >> 2]) + int(tables.tables[last, first])

    for idle in np.flatnonzero(chosen < 0).tolist():
        for robot in np.flatnonzero(chosen >= 0).tolist():
            if robot != 3:
                assert cost(robot, int(chosen[robot])) <= cost(idle, int(chosen[robot]))


def test_pairs_are_bounded() -> None:
    """Given more pairs than may be looked at, when they are matched, then some robots wait, and have
    their turn when asked again."""
    grid, free = hall(2)
    tables = NodeTables(grid, alternate(free, grid, 0), np.arange(grid.nodes, dtype=np.int32))
    tasks = {n: [n, n + 1] for n in range(10)}
    states = 4 * np.arange(20, 28, dtype=np.int32)
    matcher = CrowdMatcher(tables, pairs=20)
    held = np.full(8, -1, np.int32)
    seen = []
    for _ in range(5):
        held = matcher.match(tasks, states, held)
        seen.append(int((held >= 0).sum()))
    assert seen[0] == 2 and seen[-1] == 8
