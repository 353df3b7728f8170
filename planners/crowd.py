"""Step planning and task matching for thousands of robots on a grid of tens of thousands of cells.

As `steps` and `lorr_scheduler`, with one table per goal cell (`node_tables`, `kernels/crowd.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners.congestion import Congestion, CongestionParameters
from planners.guidance import BLOCKS
from planners.kernels import crowd, matching
from planners.kernels import operations as kernel
from planners.kernels.states import FAR_WIDE
from planners.node_tables import NodeTables
from planners.protocols import Stop
from planners.roadmap import Ints
from planners.steps import Chooser, Longs, StepParameters

LIKELY = 2  # times as many places are looked at more closely as are kept


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
        rows, rows_on = self._nodes.rows(np.stack((goals, beyond)))
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
        ids = self._at_hand(ids, held)
        if not len(ids):
            return answer
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
        tables = self._tables
        if tables.complete:
            matching.near_places(nodes, rows, least, tables.tables, BLOCKS, place, way)
            return place, way
        likely = np.zeros((len(nodes), min(LIKELY * kept, len(rows))), np.int64)
        there = np.ascontiguousarray(tables.marks[tables.shelf.goal_of[rows]].T)
        extra = np.minimum(least, FAR_WIDE // 2).astype(np.int32)
        matching.likely_places(tables.marks[nodes], there, extra, BLOCKS, likely)
        ways = tables.tables[rows[likely], nodes[:, None]].astype(np.int64)
        # sorted, not parted: which of equals a partition keeps depends on the processor
        best = np.argsort(ways + least[likely], axis=1, kind="stable")[:, :kept]
        return np.take_along_axis(likely, best, 1), np.take_along_axis(ways, best, 1)

    def _at_hand(self, ids: Ints, held: Ints) -> Ints:
        """Tasks that begin where ways are known, or will be in a moment: those that robots have, then
        the oldest. Of tables that aren't for robots' goals they have three quarters."""
        if self._tables.complete:
            return ids
        mine = np.isin(ids, held)
        ids = ids[np.lexsort((ids, ~mine))]
        room = 3 * (len(self._tables.tables) - len(held)) // 4 + int(mine.sum())
        return ids[self._tables.admit(self._first[ids], room)]

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
