"""Step planning and task matching for thousands of robots on a grid of tens of thousands of cells.

As `steps` and `lorr_scheduler`, with one table per goal cell (see `kernels/crowd.py`). All tables that
may be asked for are filled beforehand; nothing is forgotten, so that no step has to wait for one.
"""

from __future__ import annotations

import numpy as np

from planners.grid import Grid
from planners.guidance import Lanes
from planners.kernels import crowd
from planners.kernels import operations as kernel
from planners.protocols import Stop
from planners.roadmap import Ints
from planners.steps import Chooser, Longs, StepParameters

BLOCKS = 8  # stretches of work that may run side by side; results don't depend on it
PART = 250  # robots that choose between two looks at the clock


class NodeTables:
    """(rows, N) uint16 costs from each node to a goal, for the goals that are named beforehand."""

    def __init__(self, grid: Grid, lanes: Lanes, goals: Ints) -> None:
        self.grid, self.lanes = grid, lanes
        self.tables = np.empty((len(goals), grid.nodes), np.uint16)
        self._row_of = np.full(grid.nodes, -1, np.int32)
        self._row_of[goals] = np.arange(len(goals), dtype=np.int32)
        rows = np.arange(len(goals), dtype=np.int32)
        crowd.fill_all(goals, rows, lanes.pace, grid.ahead, self.tables, BLOCKS)

    def rows(self, goals: Ints) -> Ints:
        """(G,) rows of `tables`."""
        rows: Ints = self._row_of[goals]
        assert (rows >= 0).all(), "goals are named beforehand"
        return rows

    def legs(self, tails: Ints, heads: Ints) -> Longs:
        """(G,) costs from nodes to nodes, turns left out."""
        return self.tables[self.rows(heads), tails].astype(np.int64)

    def cost(self, goals: Ints, nodes: Ints) -> Longs:
        """(G,) the same for pairs."""
        return self.legs(nodes, goals)


class CrowdPlanner(Chooser):
    """`StepPlanner` on `NodeTables`. Robots that no time is left for go on with the plan of the step
    before, which is always possible."""

    def __init__(
        self, tables: NodeTables, states: Ints, parameters: StepParameters | None = None
    ) -> None:
        super().__init__(tables.grid, states, parameters)
        self._nodes = tables

    def plan(self, goals: Ints, onward: Ints, priority: Longs, stop: Stop) -> Ints:
        """(R,) actions; see `StepPlanner.plan`."""
        p, grid, lanes, tables = self._p, self._grid, self._nodes.lanes, self._nodes.tables
        self._step += 1
        beyond = np.where(onward >= 0, onward, goals)
        rows, rows_on = self._nodes.rows(goals), self._nodes.rows(beyond)
        tail = np.where(onward >= 0, tables[rows_on, goals], 0).astype(np.int64)
        seen = (goals, onward, rows, rows_on, tables, tail, p.sharp, lanes.unit, lanes.pace)
        crowd.rank(
            self._states, self._ops, *seen, grid.ahead, p.seed + self._step,
            self._ranked, self._costs, self._counts,
        )  # fmt: skip
        crowd.value_plans(self._states, *seen, grid.ahead, self._acts, self._now)
        order = np.argsort(-priority, kind="stable")
        options = (self._states, self._ops, grid.ahead, self._ranked, self._costs, self._counts)
        plans = (self._now, self._acts, self._path, self._taken)
        done = np.zeros(len(goals), np.uint8)
        for at in range(0, len(order), PART):
            kernel.first_part(order[at : at + PART], p.tries, options, done, plans)
            if stop(0):
                break
        else:
            if p.improve:
                self._improve(stop, options, plans)
        return self._acts[:, 0].astype(np.int32)


class CrowdMatcher:
    """Robots without a task take the one that is done soonest; where several want one, the nearest has
    it. A robot keeps what it has. At most `pairs` of robot and task are looked at in a step: at the
    beginning some robots wait for their turn."""

    def __init__(self, tables: NodeTables, pairs: int = 25_000_000, kept: int = 8) -> None:
        self._tables, self._pairs, self._kept = tables, pairs, kept
        self._rest: dict[int, int] = {}

    def match(self, tasks: dict[int, list[int]], states: Ints, held: Ints) -> Ints:
        """(R,) a task id for each robot, -1: none (yet). `tasks`: id -> errands, unopened; `held` (R,)
        what a robot has, -1: nothing."""
        chosen: Ints = held.copy()
        taken = set(held[held >= 0].tolist())
        ids = [task for task in tasks if task not in taken]
        free = np.flatnonzero(held < 0)
        if not ids or not len(free):
            return chosen
        free = free[: max(1, self._pairs // len(ids))]
        first = self._tables.rows(np.array([tasks[task][0] for task in ids], np.int32))
        extra = np.array([self._rest_of(task, tasks[task]) for task in ids], np.int64)
        best = np.empty((len(free), self._kept), np.int64)
        cost = np.empty((len(free), self._kept), np.int64)
        nodes = states[free] >> 2
        crowd.best_tasks(nodes, first, extra, self._tables.tables, BLOCKS, best, cost)
        order = np.argsort(cost.ravel(), kind="stable")
        wanted = best.ravel()[order].tolist()
        gone = set[int]()
        for pair, task in zip(order.tolist(), wanted, strict=True):
            robot = int(free[pair // self._kept])
            if task >= 0 and chosen[robot] < 0 and task not in gone:
                chosen[robot] = ids[task]
                gone.add(task)
        return chosen

    def _rest_of(self, task: int, errands: list[int]) -> int:
        known = self._rest.get(task)
        if known is None:
            stops = np.array(errands, np.int32)
            known = int(self._tables.legs(stops[:-1], stops[1:]).sum()) if len(stops) > 1 else 0
            self._rest[task] = known
        return known
