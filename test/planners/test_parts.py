"""Parts of the floor planned side by side; traffic spread over the floor."""

from __future__ import annotations

from copy import copy, deepcopy

import numpy as np
from floors_at_random import judged
from numba import get_num_threads, set_num_threads

from planners.crowd import CrowdPlanner
from planners.grid import Grid
from planners.guidance import Paces, SpreadParameters, alternate, spread
from planners.node_tables import NodeTables
from planners.steps import StepParameters


def crowded(seed: int) -> tuple[Grid, NodeTables, np.ndarray, np.ndarray]:
    """A hall three cells in four of which are free, half of those with a robot on them."""
    chance = np.random.default_rng(seed)
    free = chance.random((24, 18)) > 0.15
    free[::4, :] = True
    grid = Grid.of(free)
    tables = NodeTables(
        grid, Paces.of(alternate(free, grid, 8)), np.arange(grid.nodes, dtype=np.int32)
    )
    nodes = np.flatnonzero(tables.tables[0] < 65535).astype(np.int32)
    states = 4 * chance.choice(nodes, len(nodes) // 2, replace=False).astype(np.int32)
    return grid, tables, states, chance.choice(nodes, len(states)).astype(np.int32)


def played(
    grid: Grid, tables: NodeTables, states: np.ndarray, goals: np.ndarray, parts: int
) -> list[list[int]]:
    """Make steps, each checked against the rules; the actions. Tables learn: those of others do not."""
    tables = copy(tables)
    tables.tables, tables.shelf = tables.tables.copy(), deepcopy(tables.shelf)
    planner = CrowdPlanner(
        tables, states, StepParameters(length=4, tries=300, parts=parts, cells_min=1)
    )
    none, rows = np.full(len(goals), -1, np.int32), []
    for _ in range(12):
        priority = -np.arange(len(goals), dtype=np.int64)
        actions = planner.plan(goals, none, priority, lambda made: made >= 2000)
        states = judged(grid, states, actions)
        assert planner.made().tolist() == states.tolist()
        rows.append(actions.tolist())
    return rows


def test_parts_keep_the_rules_and_do_not_depend_on_threads() -> None:
    """Given a dense crowd, when it is planned in three parts on one core or on all, then the rules are
    kept and every action is the same."""
    for seed in range(3):
        given = crowded(seed)
        many, threads = played(*given, parts=3), get_num_threads()
        try:
            set_num_threads(1)
            assert played(*given, parts=3) == many
        finally:
            set_num_threads(threads)


def test_nobody_stands_at_a_border() -> None:
    """Given a floor planned in parts, a robot in every row and column that looks south and wants to the
    southern wall, when they choose (and nothing is improved), then all drive, also those who stand at a
    border between parts."""
    grid = Grid.of(np.ones((48, 48), bool))
    tables = NodeTables(
        grid, Paces.of(alternate(np.ones((48, 48), bool), grid, 0)), np.arange(2304)
    )
    columns = np.arange(47)
    nodes = 48 * columns + columns
    planner = CrowdPlanner(
        tables,
        (4 * nodes + 1).astype(np.int32),
        StepParameters(length=4, tries=300, parts=3, cells_min=1, improve=False),
    )
    assert len(planner._cuts) == 2
    goals, none = (48 * 47 + columns).astype(np.int32), np.full(47, -1, np.int32)
    actions = planner.plan(goals, none, np.zeros(47, np.int64), lambda made: False)
    assert (actions == 1).all()


def busiest(grid: Grid, paces: Paces, trips: np.ndarray) -> int:
    """How many trips pass the cell that most pass, each on the cheapest way."""
    tables = NodeTables(grid, paces, np.unique(trips[:, 1]))
    passed = np.zeros(grid.nodes, int)
    kinds = paces.kind(trips[:, 1])
    for (start, goal), kind in zip(trips.tolist(), kinds.tolist(), strict=True):
        way, node = tables.tables[tables.rows(np.array([goal], np.int32))[0]], start
        while node != goal:
            around = grid.ahead[4 * node : 4 * node + 4]
            costs = way[around].astype(int) + paces.pace[kind, 4 * node : 4 * node + 4]
            node = int(around[np.argmin(np.where(around >= 0, costs, 65535))])
            passed[node] += node != goal
    return int(passed.max())


def test_traffic_is_spread() -> None:
    """Given a wall with three gaps, of which one is nearest for most, when guidance is made for much
    traffic through it, then the busiest cell has clearly less to bear."""
    free = np.ones((15, 15), bool)
    free[:, 7] = False
    free[[1, 7, 13], 7] = True
    grid = Grid.of(free)
    lanes = alternate(free, grid, 0)
    chance = np.random.default_rng(2)
    left, right = grid.number.reshape(15, 15)[:, [0, 14]].T
    trips = np.stack([chance.choice(left[4:11], 400), chance.choice(right, 400)], axis=1)
    trips = trips.astype(np.int32)
    paces = spread(grid, lanes, trips, 60.0, SpreadParameters(crowd_permille=20000))
    assert 10 * busiest(grid, paces, trips) < 8 * busiest(grid, Paces.of(lanes), trips)
