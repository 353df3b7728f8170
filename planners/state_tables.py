"""Costs from each state of a grid, headings included, to the goals that are asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planners.checks import costing, within
from planners.grid import Grid
from planners.guidance import Lanes
from planners.kernels.states import FAR_STEPS, fill_many, fill_steps, parts
from planners.roadmap import Ints
from planners.shelf import Shelf

Longs = NDArray[np.int64]


class StateTables:
    """(rows, 4 N) costs from each state to a goal, computed when asked, the least recently used
    forgotten at `bytes_max`. Memory is touched only as rows are filled. uint16; where ways are too long
    for that uint32, as many rows in twice the memory. `more`: what driving onto a cell may cost more
    when lanes are repaved."""

    def __init__(self, grid: Grid, lanes: Lanes, bytes_max: int = 1 << 30, more: int = 0) -> None:
        self._grid, self.lanes = grid, lanes
        states = len(grid.ahead)
        self.rows_max = max(1, min(grid.nodes, bytes_max // max(1, 2 * states)))
        costing(lanes.pace, lanes.unit)
        wide = longest(grid, Lanes(lanes.pace + np.int32(more), lanes.unit)) >= FAR_STEPS
        self.tables = np.empty((self.rows_max, states), np.uint32 if wide else np.uint16)
        self._shelf = Shelf(grid.nodes, self.rows_max)
        self._scratch = _buckets(lanes, states)
        self._coming = lanes
        self._spare = np.empty((0, 0), self.tables.dtype)  # the same rows at what driving will cost
        self._spared = np.zeros(self.rows_max, bool)  # which of them are filled

    def prepare(self, lanes: Lanes, most: int) -> None:
        """Driving will cost something else: fill up to `most` rows of the tables to come."""
        if lanes is not self._coming:
            costing(lanes.pace, lanes.unit)
            self._coming, self._spared[:] = lanes, False
        due = np.flatnonzero((self._shelf.goal_of >= 0) & ~self._spared)[:most].astype(np.int32)
        if len(due):
            if not len(self._spare):
                self._spare = np.empty_like(self.tables)
            scratch = _buckets(lanes, len(self._grid.ahead))
            fill_many(
                self._shelf.goal_of[due], due, lanes.pace, lanes.unit, self._grid.ahead, self._spare,
                *scratch,
            )  # fmt: skip
            self._spared[due] = True

    def repave(self, lanes: Lanes) -> None:
        """Driving costs something else from now on: what it was prepared for, if it was."""
        self.prepare(lanes, self.rows_max)
        if len(self._spare):
            self.tables, self._spare = self._spare, self.tables
        self._spared[:] = False
        self.lanes, self._scratch = lanes, _buckets(lanes, len(self._grid.ahead))

    def rows(self, goals: Ints) -> Ints:
        """(G,) rows of `tables` for the goals; all stay valid until the next call."""
        within("goals", goals, self._grid.nodes)
        row, missing, new = self._shelf.take(goals)
        if len(missing):
            fill_many(
                missing, new, self.lanes.pace, self.lanes.unit, self._grid.ahead, self.tables,
                *self._scratch,
            )  # fmt: skip
            self._spared[new] = False
        return row

    @property
    def unit(self) -> int:
        """Cost of a step."""
        return self.lanes.unit

    def between(self, goals: Ints, states: Ints) -> Longs:
        """(G, S) costs from each state to each goal."""
        cost = np.empty((len(goals), len(states)), np.int64)
        for at in range(0, len(goals), self.rows_max):
            part = slice(at, at + self.rows_max)
            cost[part] = self.tables[self.rows(goals[part])[:, None], states]
        return cost

    def togo(self, goals: Ints, states: Ints) -> Longs:
        """(G,) the same for pairs."""
        return self.tables[self.rows(goals), states].astype(np.int64)

    def legs(self, tails: Ints, heads: Ints) -> Longs:
        """(G,) steps from nodes to nodes, with the best heading at the start."""
        rows = self.rows(heads)
        starts = 4 * tails[:, None] + np.arange(4)
        steps: Longs = self.tables[rows[:, None], starts].min(axis=1).astype(np.int64)
        return steps


def longest(grid: Grid, lanes: Lanes) -> int:
    """No way on the floor costs more: on each part of it any way may lead through its middle."""
    part, states = parts(grid.ahead), len(grid.ahead)
    size = np.bincount(part, minlength=1)
    dear = int(lanes.pace.max(initial=lanes.unit)) + 2 * lanes.unit
    most = int(size.max()) * dear
    if most < FAR_STEPS:
        return most
    opposite = 4 * grid.ahead + (np.arange(states) + 2) % 4
    back = np.where(grid.ahead >= 0, lanes.pace[opposite], lanes.unit).astype(np.int32)
    ring, table = _buckets(lanes, states), np.empty(states, np.uint32)
    most = 0
    for k in np.flatnonzero(size * dear >= FAR_STEPS).tolist():
        mine = np.flatnonzero(part == k)

        def ways(node: int, pace: Ints, mine: Longs = mine) -> Longs:
            fill_steps(mine[node], pace, lanes.unit, grid.ahead, table, *ring)
            cost: Longs = table.reshape(-1, 4)[mine].max(axis=1).astype(np.int64)
            return cost

        one = ways(int(ways(0, lanes.pace).argmax()), lanes.pace)
        other = ways(int(one.argmax()), lanes.pace)
        middle = int(np.maximum(one, other).argmin())
        through = ways(middle, lanes.pace).max() + ways(middle, back).max() + 2 * lanes.unit
        most = max(most, int(through))
    return most


def _buckets(lanes: Lanes, states: int) -> tuple[Ints, Longs]:
    buckets = int(max(lanes.pace.max(), lanes.unit)) + 1
    return np.empty((buckets, states), np.int32), np.zeros(buckets, np.int64)
