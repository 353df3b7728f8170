"""Step planning and task matching for thousands of robots on a grid of tens of thousands of cells.

As `steps` and `lorr_scheduler`, with one table per goal cell (see `kernels/crowd.py`). All tables that
may be asked for are filled beforehand; nothing is forgotten, so that no step has to wait for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.checks import costing, within
from planners.congestion import Congestion, CongestionParameters
from planners.grid import Grid
from planners.guidance import BLOCKS, Paces
from planners.kernels import crowd, matching
from planners.kernels import operations as kernel
from planners.protocols import Stop
from planners.roadmap import Ints
from planners.steps import Chooser, Longs, StepParameters

CROWD_BYTES_MAX = 5 << 30


class NodeTables:
    """(rows, N) costs from each node to a goal, for the goals that are named beforehand: uint16, or
    uint32 where ways are too long for that."""

    def __init__(
        self, grid: Grid, paces: Paces, goals: Ints, bytes_max: int = CROWD_BYTES_MAX
    ) -> None:
        costing(paces.pace, paces.unit)
        within("goals", goals, grid.nodes)
        self.grid, self.paces, self.goals = grid, paces, goals
        self.tables = np.empty((len(goals), grid.nodes), np.uint16)
        self._row_of = np.full(grid.nodes, -1, np.int32)
        self._row_of[goals] = np.arange(len(goals), dtype=np.int32)
        rows = np.arange(len(goals), dtype=np.int32)
        if not self.fill(goals, rows, paces.pace).all():
            if 2 * self.tables.nbytes > bytes_max:
                raise MemoryError(
                    f"{len(goals)} goals on {grid.nodes} cells, with ways too long for small tables, "
                    f"need more than {bytes_max >> 30} GB -> take a smaller floor"
                )
            self.tables = np.empty(self.tables.shape, np.uint32)
            self.fill(goals, rows, paces.pace)

    def fill(self, goals: Ints, rows: Ints, pace: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Rows anew, at what driving costs by kind (M, 4 N). Returns (G,) which hold all ways."""
        whole, kinds = np.zeros(len(goals), bool), self.paces.kind(goals)
        crowd.fill_all(goals, rows, pace, kinds, self.grid.ahead, self.tables, BLOCKS, whole)
        return whole

    def rows(self, goals: Ints) -> Ints:
        """(G,) rows of `tables`."""
        within("goals", goals, self.grid.nodes)
        rows: Ints = self._row_of[goals]
        if (rows < 0).any():
            raise ValueError(f"goal {goals[rows < 0][0]} has no table -> name it beforehand")
        return rows

    def legs(self, tails: Ints, heads: Ints) -> Longs:
        """(G,) costs from nodes to nodes, turns left out."""
        return self.tables[self.rows(heads), tails].astype(np.int64)

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
        return self.legs(states >> 2, goals)


class CrowdPlanner(Chooser):
    """`StepPlanner` on `NodeTables`. Robots that no time is left for go on with the plan of the step
    before, which is always possible."""

    def __init__(
        self,
        tables: NodeTables,
        states: Ints,
        parameters: StepParameters | None = None,
        congestion: CongestionParameters | None = None,
    ) -> None:
        super().__init__(tables.grid, states, parameters)
        self._nodes = tables
        self.congestion = Congestion(tables, states >> 2, congestion)
        self._tree = kernel.tree(self._ops)

    def plan(self, goals: Ints, onward: Ints, priority: Longs, stop: Stop) -> Ints:
        """(R,) actions; see `StepPlanner.plan`."""
        self._asked(goals, onward, priority)
        p, grid, paces, tables = self._p, self._grid, self._nodes.paces, self._nodes.tables
        self._step += 1
        beyond = np.where(onward >= 0, onward, goals)
        rows, rows_on = self._nodes.rows(goals), self._nodes.rows(beyond)
        tail = np.where(onward >= 0, tables[rows_on, goals], 0).astype(np.int64)
        seen = (
            goals, onward, rows, rows_on, tables, tail, p.sharp, paces.unit, paces.pace,
            paces.kind(goals), paces.kind(beyond), grid.ahead,
        )  # fmt: skip
        ranking = (self._ranked, self._costs, self._counts)
        crowd.rank(self._states, self._tree, *seen, p.seed + self._step, *ranking)
        crowd.value_plans(self._states, *seen, self._acts, self._now)
        togo = tables[rows, self._states >> 2].astype(np.int64)
        self._choose(priority, self._weight(goals, togo), togo, stop)
        self.congestion.look(self._states >> 2, goals)
        self._learn(goals, onward, stop)
        return self._acts[:, 0].astype(np.int32)

    def _learn(self, goals: Ints, onward: Ints, stop: Stop) -> None:
        """With the time that is left. How near a robot has come counts anew by another table."""
        learned = self.congestion.learn(goals, onward, stop)
        if len(learned):
            new = np.zeros(self._grid.nodes, bool)
            new[learned] = True
            again = np.flatnonzero(new[goals])
            rows = self._nodes.rows(goals[again])
            self._progress.nearest[again] = self._nodes.tables[rows, self._states[again] >> 2]

    def _costs_of(self, robots: Ints, nodes: Ints) -> Longs:
        return self._nodes.between(self._progress.goals[robots], 4 * nodes)


@dataclass(frozen=True, slots=True)
class CrowdMatchParameters:
    """Costs in the unit of the tables."""

    rest_permille: int = 150  # of the way after the first errand: as in `MatchParameters`
    queue: int = 16  # for each robot that is on its way to the same place
    margin: int = 8  # that a change must save
    places: int = 24  # that a robot without a task looks at
    others: int = 8  # that one with a task looks at
    trade: bool = True
    pairs: int = 25_000_000  # of robot and place that are looked at in a step


class CrowdMatcher:
    """Robots without a task take the one that is done soonest; where several want one, the nearest has
    it. Who has not begun may still change, or exchange with another. At most `pairs` of robot and
    place are looked at in a step: others wait for their turn."""

    def __init__(self, tables: NodeTables, parameters: CrowdMatchParameters | None = None) -> None:
        self._tables = tables
        self._p = parameters or CrowdMatchParameters()
        self._turn = 0
        self._first = np.zeros(0, np.int32)  # by task id
        self._extra = np.full(0, -1, np.int64)

    def match(self, tasks: dict[int, list[int]], states: Ints, held: Ints) -> Ints:
        """(R,) a task id for each robot, -1: none (yet). `tasks`: id -> errands, unopened; `held` (R,)
        what a robot has, -1: nothing."""
        p = self._p
        answer: Ints = held.copy()
        if not tasks:
            return answer
        ids = np.fromiter(tasks, np.int32, len(tasks))
        self._know(tasks, ids)
        ids = ids[np.lexsort((self._extra[ids], self._first[ids]))]
        firsts, at, group = np.unique(self._first[ids], return_index=True, return_inverse=True)
        start = np.append(at, len(ids)).astype(np.int64)
        extra, rows = self._extra[ids], self._tables.rows(firsts)
        place_of = np.full(int(ids.max()) + 1, -1, np.int64)
        place_of[ids] = np.arange(len(ids))
        chosen = np.full(len(held), -1, np.int64)
        having = np.flatnonzero((held >= 0) & (held < len(place_of)))
        chosen[having] = place_of[held[having]]
        having = np.flatnonzero(chosen >= 0)
        holder = np.full(len(ids), -1, np.int64)
        holder[chosen[having]] = having
        load = np.bincount(group[chosen[having]], minlength=len(firsts)).astype(np.int64)
        nodes = states >> 2
        head = start[:-1].copy()
        free, pairs = np.flatnonzero(held < 0), p.pairs
        while len(free) and pairs > 0:  # whoever finds all its places taken looks at those left
            left = np.flatnonzero(np.bincount(group[holder < 0], minlength=len(firsts)))
            if not len(left):
                break
            some = free[: max(1, pairs // len(left))]
            pairs -= len(some) * len(left)
            place, way = self._near(nodes[some], rows[left], extra[at[left]], p.places)
            place = np.where(place >= 0, left[place], -1)
            matching.hand_out(some, place, way, start, extra, p.queue, holder, head, load, chosen)
            free = free[chosen[free] < 0]
        if p.trade:
            able = np.flatnonzero(chosen >= 0)
            count = max(1, p.pairs // len(firsts) // 4)
            if count < len(able):
                able = np.roll(able, -self._turn)[:count]
                self._turn += count
            place, way = self._near(nodes[able], rows, extra[at] * 0, p.others)
            matching.trade(
                able, place, way, nodes, group, rows, self._tables.tables, start, extra,
                p.queue, p.margin, holder, head, load, chosen,
            )  # fmt: skip
        mine = chosen >= 0
        answer[mine] = ids[chosen[mine]]
        return answer

    def _near(self, nodes: Ints, rows: Ints, least: Longs, kept: int) -> tuple[Longs, Longs]:
        kept = min(kept, len(rows))
        place, way = np.empty((2, len(nodes), kept), np.int64)
        matching.near_places(nodes, rows, least, self._tables.tables, BLOCKS, place, way)
        return place, way

    def _know(self, tasks: dict[int, list[int]], ids: Ints) -> None:
        """Remember where tasks begin, and what comes after."""
        size = int(ids.max()) + 1
        if size > len(self._extra):
            more = max(size, 2 * len(self._extra)) - len(self._extra)
            self._first = np.append(self._first, np.zeros(more, np.int32))
            self._extra = np.append(self._extra, np.full(more, -1, np.int64))
        for task in ids[self._extra[ids] < 0].tolist():
            stops = np.array(tasks[task], np.int32)
            self._first[task] = stops[0]
            rest = int(self._tables.legs(stops[:-1], stops[1:]).sum())
            self._extra[task] = rest * self._p.rest_permille // 1000
