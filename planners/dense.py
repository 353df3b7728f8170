"""Dense teams: where robots stand on half of all cells, not all can be on their way at once.

A share of the robots has tasks, the others have none and let themselves be pushed. Who will be done
first counts most: it has the first choice and the greatest weight, so that few drive well instead of
all badly. Where robots stand in each other's way, ways cost more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.grid import Grid
from planners.guidance import Lanes
from planners.kernels.matching import first_pairs
from planners.kernels.states import FAR_STEPS
from planners.lorr_scheduler import Longs, MatchParameters, Tables, TaskMatcher
from planners.roadmap import Ints

UNCALLED = 1 << 40  # left for a robot without a task
WEIGHT = 64  # of the robot that is done first
HARD = 500  # steps: whatever is easy comes first
QUARTER = 250  # thousandths of a step that pairs of robot and task are told apart by


@dataclass(frozen=True, slots=True)
class FewParameters:
    """How many robots have a task at a time, and how ways learn from those who stand."""

    active_permille: int = 420  # of the cells
    every: int = 20  # steps after which ways cost anew; 0: never
    memory: int = 50  # steps, by and by forgotten
    wait_cost: int = 48  # of driving onto a cell on which a robot with a task stands all the time
    wait_max: int = 40

    def most(self, nodes: int) -> int:
        """How many robots have a task at a time on a floor of so many cells."""
        return max(1, self.active_permille * nodes // 1000)


class FewMatcher(TaskMatcher):
    """At most so many robots have a task at a time. Pairs of robot and task that are done soonest come
    first; who has not begun may lose its task to one that is nearer."""

    def __init__(
        self,
        tables: Tables,
        active: int,
        parameters: MatchParameters | None = None,
        hard: NDArray[np.bool_] | None = None,
    ) -> None:
        """`hard` (N,): an errand there counts as `HARD` steps more."""
        super().__init__(tables, parameters)
        self._active, self._hard = active, hard
        self._behind: dict[tuple[int, int], int] = {}  # by task and how many errands are left

    def match(self, tasks: dict[int, list[int]], states: Ints, held: Ints, begun: int = 0) -> Ints:
        """(R,) a task id for each robot, -1: none. As `TaskMatcher.match`; `begun` other robots are on
        tasks already."""
        chosen = np.full(len(states), -1, np.int32)
        count = min(self._active - begun, len(states), len(tasks))
        if count <= 0:
            return chosen
        ids = np.array(list(tasks), np.int32)
        cost = self._cost(ids, tasks, states, held) // QUARTER
        order = np.argsort(np.minimum(cost, FAR_STEPS).astype(np.uint16).ravel(), kind="stable")
        task, robot = first_pairs(order, len(ids), len(states), count)
        chosen[robot] = ids[task]
        return chosen

    def left(self, ahead: list[tuple[int, list[int]]], states: Ints) -> Longs:
        """(R,) cost of all that robots have still to do, `UNCALLED` where there is nothing.
        `ahead` (R,): task and its errands (nodes) that are not done."""
        goals = np.array([errands[0] if errands else -1 for _, errands in ahead], np.int32)
        having = np.flatnonzero(goals >= 0)
        left = np.full(len(ahead), UNCALLED, np.int64)
        left[having] = self._tables.togo(goals[having], states[having])
        for robot in having.tolist():
            task, errands = ahead[robot]
            left[robot] += self._behind_of(task, errands)
        return left

    def forget(self) -> None:
        """Ways cost something else from now on."""
        super().forget()
        self._behind.clear()

    def _rest_of(self, task: int, errands: list[int]) -> int:
        rest = super()._rest_of(task, errands)
        if self._hard is None:
            return rest
        return rest + HARD * self._tables.unit * int(self._hard[errands].sum())

    def _behind_of(self, task: int, errands: list[int]) -> int:
        known = self._behind.get((task, len(errands)))
        if known is None:
            stops = np.array(errands, np.int32)
            known = int(self._tables.legs(stops[:-1], stops[1:]).sum()) if len(stops) > 1 else 0
            self._behind[task, len(errands)] = known
        return known


def shares(left: Longs, having: int) -> Longs:
    """(R,) what each robot counts: `WEIGHT` who has least left, by and by less, nothing behind the
    first `having`."""
    rank = np.empty(len(left), np.int64)
    rank[np.argsort(left, kind="stable")] = np.arange(len(left))
    return np.maximum(having - rank, 0) * WEIGHT // max(1, having)


class Lesson:
    """What driving costs, learned while driving: more where robots with tasks stand. What was learned
    counts (`lanes`) a stretch later than it is known (`coming`): tables take that long to fill."""

    def __init__(self, grid: Grid, lanes: Lanes, parameters: FewParameters) -> None:
        self._grid, self._plain, self._p = grid, lanes, parameters
        self._stood = np.zeros(grid.nodes)  # steps of those that are remembered
        self._step = 0
        self.lanes = self.coming = lanes

    @property
    def stretch(self) -> int:
        """Steps that there are to prepare what is coming; 0: nothing is."""
        return 0 if self.coming is self.lanes else self._p.every

    def learn(self, standing: Ints) -> None:
        """`standing` (S,) nodes of robots with a task that don't move in this step."""
        p, ahead = self._p, self._grid.ahead
        self._step += 1
        self._stood *= 1 - 1 / p.memory
        self._stood += np.bincount(standing, minlength=self._grid.nodes) / p.memory
        if p.every and self._step % p.every == 0:
            self.lanes = self.coming
            more = np.where(ahead >= 0, self._stood[ahead], 0) * p.wait_cost
            pace = self._plain.pace + np.minimum(more, p.wait_max).astype(np.int32)
            self.coming = Lanes(pace, self._plain.unit)
