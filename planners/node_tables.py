"""Costs from each node to goals, headings left out: what thousands of robots are planned on.

Where the tables of all goals fit they are filled beforehand, so that no step waits for one. Where they
don't, they are filled when asked for, and the least recently used are forgotten (`Shelf`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planners.checks import costing, within
from planners.grid import Grid
from planners.guidance import BLOCKS, Lanes, Paces, coming
from planners.kernels import crowd
from planners.kernels.states import FAR_STEPS, parts
from planners.roadmap import Ints
from planners.shelf import Shelf
from planners.state_tables import longest

Longs = NDArray[np.int64]

MOMENT_NODES = 4_000_000  # that are filled in a tenth of a second or two
MARKS = 12
NO_WAY = 1 << 28  # to a landmark: costs of places are added to it


class NodeTables:
    """(rows, N) costs from each node to a goal: uint16, or uint32 where ways are too long for that.
    `complete`: all of `goals` have their row, for good, and no other node has one; else any node may,
    and `marks` (N, L) are costs to landmarks."""

    def __init__(
        self,
        grid: Grid,
        paces: Paces,
        goals: Ints,
        all_bytes_max: int = 5 << 30,
        some_bytes_max: int = 4 << 30,
    ) -> None:
        """`all_bytes_max`: of tables for all goals; else `some_bytes_max`, of those asked for."""
        costing(paces.pace, paces.unit)
        within("goals", goals, grid.nodes)
        goals = np.unique(goals).astype(np.int32)
        self.grid, self.paces, self.goals = grid, paces, goals
        self.coming = coming(paces.pace, grid)
        for kind in (np.uint16, np.uint32):
            self.complete = len(goals) * grid.nodes * np.dtype(kind).itemsize <= all_bytes_max
            if not self.complete:
                break
            self._empty(len(goals), kind)
            if self.fill(goals, self.shelf.take(goals)[0], self.coming).all():
                return
        if not self.complete:
            dearest = Lanes(paces.pace.max(axis=0).astype(np.int32), paces.unit)
            wide = longest(grid, dearest) + int(dearest.pace.max()) >= FAR_STEPS
            kind = np.uint32 if wide else np.uint16
            most = some_bytes_max // max(1, grid.nodes * np.dtype(kind).itemsize)
            self._empty(min(grid.nodes, most), kind)
            self.marks = self._landmarks()

    def _empty(self, rows: int, kind: type[np.unsignedinteger]) -> None:
        self.tables = np.empty((rows, self.grid.nodes), kind)
        self.shelf = Shelf(self.grid.nodes, rows)

    def fill(self, goals: Ints, rows: Ints, coming: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Rows anew, at what driving costs by kind (M, 4 N; `guidance.coming`). Returns (G,) which
        hold all ways."""
        whole, kinds = np.zeros(len(goals), bool), self.paces.kind(goals)
        crowd.fill_all(goals, rows, coming, kinds, self.grid.ahead, self.tables, BLOCKS, whole)
        return whole

    def rows(self, goals: Ints) -> Ints:
        """(G,) rows of `tables`; where not all goals have one they stay valid until the next call."""
        within("goals", goals, self.grid.nodes)
        if self.complete:
            rows: Ints = self.shelf.row_of[goals]
            if (rows < 0).any():
                raise ValueError(f"goal {goals[rows < 0][0]} has no table -> name it beforehand")
            return rows
        rows, new, there = self.shelf.take(goals)
        if len(new):
            self.fill(new, there, self.coming)
        return rows

    def admit(self, goals: Ints, most: int) -> NDArray[np.bool_]:
        """(G,) which of the goals may be asked for just now: the first ones, as many as don't have to
        be filled and a moment's work of others, `most` different ones in all."""
        places, at, group = np.unique(goals, return_index=True, return_inverse=True)
        order = np.argsort(at)
        new = self.shelf.row_of[places[order]] < 0
        open_ = ~new | (np.cumsum(new) <= max(1, MOMENT_NODES // self.grid.nodes))
        open_ &= np.cumsum(open_) <= most
        admitted = np.empty(len(places), bool)
        admitted[order] = open_
        return admitted[group]

    def restore(self, shelf: Shelf) -> None:
        """`shelf` is in use again: its rows, at what driving costs without congestion."""
        self.shelf = shelf
        if not self.complete:
            rows = np.flatnonzero(shelf.goal_of >= 0).astype(np.int32)
            self.fill(shelf.goal_of[rows], rows, self.coming)

    def legs(self, tails: Ints, heads: Ints) -> Longs:
        """(G,) costs from nodes to nodes; where not all goals have a row, about as much: what
        the difference of their ways to landmarks says (ALT; Goldberg & Harrelson, SODA 2005)."""
        if self.complete:
            return self.tables[self.rows(heads), tails].astype(np.int64)
        least: Longs = (self.marks[tails] - self.marks[heads]).max(axis=1, initial=0)
        return least.astype(np.int64)

    def _landmarks(self) -> Ints:
        """(N, L) costs to nodes that are far from each other; `NO_WAY` from where there is none. Parts
        of the floor that are too small for one of their own have none: there may be hundreds."""
        marks = np.empty((min(MARKS, self.grid.nodes), self.grid.nodes), np.uint32)
        whole, none = np.zeros(1, bool), np.zeros(1, np.int32)
        part = parts(self.grid.ahead)
        large = MARKS * np.bincount(part)[part] >= self.grid.nodes
        away = np.flatnonzero(large)[:1].astype(np.int32)
        for k in range(len(marks)):
            crowd.fill_all(
                away, none, self.coming, self.paces.kind(away), self.grid.ahead, marks[k : k + 1],
                1, whole,
            )  # fmt: skip
            apart = np.where(large, marks[: k + 1].min(axis=0), 0)
            away = np.array([np.argmax(apart)], np.int32)
        return np.minimum(marks, NO_WAY).T.astype(np.int32)

    @property
    def unit(self) -> int:
        """Cost of a step."""
        return self.paces.unit

    def between(self, goals: Ints, states: Ints) -> Longs:
        """(G, S) costs from each state's node to each goal."""
        cost: Longs = self.tables[self.rows(goals)[:, None], states >> 2].astype(np.int64)
        return cost

    def togo(self, goals: Ints, states: Ints) -> Longs:
        """(G,) the same for pairs."""
        cost: Longs = self.tables[self.rows(goals), states >> 2].astype(np.int64)
        return cost
