"""Which robot takes which revealed task: a min-cost matching, decided anew at each step.

A task counts the steps to its first errand plus a share of the way behind it. As long as no errand of
it is done, it may change hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from planners.assignment import FlowAssigner
from planners.protocols import AssignmentProblem
from planners.roadmap import Ints

Longs = NDArray[np.int64]


class Tables(Protocol):
    """Costs to goals: `StateTables` with turns, `NodeTables` without."""

    @property
    def unit(self) -> int:
        """Cost of a step."""

    def between(self, goals: Ints, states: Ints) -> Longs:
        """(G, S) costs from each state to each goal."""

    def togo(self, goals: Ints, states: Ints) -> Longs:
        """(G,) the same for pairs."""

    def legs(self, tails: Ints, heads: Ints) -> Longs:
        """(G,) costs from nodes to nodes."""


@dataclass(frozen=True, slots=True)
class MatchParameters:
    """Costs in thousandths of a step."""

    rest_permille: int = 150  # of the way after the first errand: a task that is left comes back
    keep_permille: int = 500  # bonus of what a robot is on its way to
    neighbours: int = 12
    drop: int = 10**9


class TaskMatcher:
    """Tasks to robots by exact steps on the empty grid."""

    def __init__(self, tables: Tables, parameters: MatchParameters | None = None) -> None:
        self._tables = tables
        self._p = parameters or MatchParameters()
        self._assigner = FlowAssigner()
        self._rest: dict[int, int] = {}

    def match(self, tasks: dict[int, list[int]], states: Ints, held: Ints) -> Ints:
        """(R,) a task id for each robot, -1: none. `tasks`: id -> errands (nodes), all unopened;
        `states` (R,) of the robots that may choose, `held` (R,) what they are on their way to."""
        chosen = np.full(len(states), -1, np.int32)
        if not tasks or not len(states):
            return chosen
        if not all(tasks.values()):
            raise ValueError("a task has no errands -> leave it out")
        ids = np.array(list(tasks), np.int32)
        cost = self._cost(ids, tasks, states, held)
        drop = np.full(len(ids), self._p.drop, np.int64)
        column = self._assigner.assign(AssignmentProblem(cost, drop, self._p.neighbours))
        taken = column >= 0
        chosen[column[taken]] = ids[taken]
        for robot in np.flatnonzero(chosen < 0).tolist():  # pruned away: take the best left
            left = np.flatnonzero(~taken)
            if not len(left):
                break
            best = left[np.argmin(cost[left, robot])]
            chosen[robot] = ids[best]
            taken[best] = True
        return chosen

    def _cost(self, ids: Ints, tasks: dict[int, list[int]], states: Ints, held: Ints) -> Longs:
        first = np.array([tasks[i][0] for i in ids.tolist()], np.int32)
        rest = np.array([self._rest_of(i, tasks[i]) for i in ids.tolist()], np.int64)
        cost = self._tables.between(first, states)
        cost *= 1000 // self._tables.unit
        cost += self._p.rest_permille * rest[:, None] // self._tables.unit
        cost -= self._p.keep_permille * (ids[:, None] == held[None, :])
        return np.maximum(cost, 0)

    def forget(self) -> None:
        """Ways cost something else from now on."""
        self._rest.clear()

    def _rest_of(self, task: int, errands: list[int]) -> int:
        known = self._rest.get(task)
        if known is None:
            stops = np.array(errands, np.int32)
            known = int(self._tables.legs(stops[:-1], stops[1:]).sum()) if len(stops) > 1 else 0
            self._rest[task] = known
        return known
