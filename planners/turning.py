"""Plain PIBT for grids: the floor that everything cleverer is measured against, and what is left where
a step has a few milliseconds only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planners.checks import shaped, within
from planners.grid import Grid
from planners.kernels import turning as kernel
from planners.node_tables import NodeTables
from planners.protocols import Ints, Stop
from planners.state_tables import StateTables
from planners.steps import Longs, checked


class PibtPlanner:
    """One action of each robot per call, nothing kept from step to step. Deterministic."""

    def __init__(self, grid: Grid, tables: StateTables | NodeTables, states: Ints) -> None:
        self._grid, self._tables, self._states = grid, tables, states.astype(np.int32)
        count = len(states)
        checked(states, grid.nodes, count)
        self._per_heading = isinstance(tables, StateTables)
        self._here = np.full(grid.nodes, kernel.NOBODY, np.int32)
        self._taken = np.full(grid.nodes, kernel.NOBODY, np.int32)
        self._to, self._stack, self._actions = np.zeros((3, count), np.int32)
        self._wish = np.zeros((count, 5), np.int32)
        self._count, self._tried, self._fate = np.zeros((3, count), np.int8)

    def plan(self, goals: Ints, onward: Ints, priority: Longs, stop: Stop) -> Ints:
        """(R,) actions towards `goals` (R,) nodes; higher `priority` chooses first. Doesn't look beyond
        the goal and never takes long: `onward` and `stop` are not asked."""
        shaped("goals", goals, self._states.shape)
        shaped("priority", priority, self._states.shape)
        within("goals", goals, self._grid.nodes)
        rows, states = self._tables.rows(goals), self._states
        paces, kinds, unit = self._guidance(goals)
        order = np.argsort(-priority, kind="stable").astype(np.int32)
        self._here[states >> 2] = np.arange(len(states), dtype=np.int32)
        kernel.share_out(
            order, states, rows, self._tables.tables, kinds, paces, unit, self._per_heading,
            self._grid.ahead, self._here, self._taken, self._to, self._wish, self._count, self._tried,
            self._stack,
        )  # fmt: skip
        kernel.act(
            states, self._to, self._grid.ahead, self._here, self._fate, self._stack, self._actions
        )
        self._here[states >> 2] = kernel.NOBODY
        return self._actions.copy()

    def _guidance(self, goals: Ints) -> tuple[NDArray[np.integer], Ints, int]:
        if isinstance(self._tables, StateTables):
            lanes = self._tables.lanes
            return lanes.pace[None, :], np.zeros(len(goals), np.int32), lanes.unit
        paces = self._tables.paces
        return paces.pace, paces.kind(goals), paces.unit

    def made(self) -> Ints:
        """The actions were made: the states they lead to."""
        self._states = self._grid.moved(self._states, self._actions)
        return self._states.copy()

    def place(self, states: Ints) -> int:
        """Robots are there; how many were expected elsewhere."""
        checked(states, self._grid.nodes, len(self._states))
        elsewhere = int((states != self._states).sum())
        self._states = states.astype(np.int32)
        return elsewhere
