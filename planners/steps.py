"""Step planner for grids: everybody moves at once, one action (wait, forward, turn) per step.

EPIBT with an anytime improvement (see `kernels/operations.py`). The plans of the last step, moved up
by one, are the next step's beginning, so that a step which is cut short is still valid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.checks import shaped, within
from planners.grid import Grid
from planners.jam import JamParameters, Watchdog
from planners.kernels import operations as kernel
from planners.kernels import search, unfold
from planners.progress import Progress
from planners.protocols import Stop, fitting
from planners.roadmap import Ints
from planners.state_tables import StateTables

Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]
Arrays = tuple[NDArray[Any] | int, ...]
LENGTH_MAX = 6  # with more actions there are more operations than kernels tell apart
PART = 1000  # robots that choose between two looks at the clock


@dataclass(frozen=True, slots=True)
class StepParameters:
    """Switches of the step planner."""

    length: int = 5  # actions per operation, 1 to LENGTH_MAX
    tries: int = 2000  # operations tried per chain
    sharp: int = 8  # weight of the last cost to go against those on the way
    alike: bool = True  # operations that differ only in where a robot looks while it stands
    inherit: bool = True  # begin from the plans of the step before
    improve: bool = True
    sideways: bool = False  # with time left, plans change that cost the same, and may make room
    chunk: int = 64  # chains in each part between two looks at the clock
    parts: int = 1  # of the floor, that may be planned side by side
    cells_min: int = 2000  # of a part: on small floors there are fewer
    guard: int = 8  # steps without coming nearer after which nobody of less priority may push
    gap: bool = False  # nobody enters a cell with the action by which another leaves it
    patience: int = 16  # steps without coming nearer that double the weight of a robot; 0: none do
    jam: JamParameters = field(default_factory=JamParameters)  # the watchdog's
    seed: int = 0


def _cuts(grid: Grid, parameters: StepParameters) -> list[tuple[Longs, Bools]]:
    """Two ways to cut the floor into parts: where each begins (and the last ends), and (N,) which nodes
    are so near to a border that an operation may cross it. None, when it isn't worth it, or when some
    node would be near to a border of both."""
    nodes, cuts = grid.nodes, []
    parts = min(parameters.parts, nodes // parameters.cells_min)
    if parts <= 1:
        return []
    at = nodes * np.arange(1, 2 * parts) // (2 * parts)
    ahead = grid.ahead.reshape(-1, 4)
    way, there = ahead >= 0, np.maximum(ahead, 0)
    for k in (1, 0):
        borders = np.array([0, *at[k::2], nodes], np.int64)
        part = np.searchsorted(borders, np.arange(nodes), side="right")
        near = (way & (part[there] != part[:, None])).any(axis=1)
        for _ in range(parameters.length - 1):
            near |= (way & near[there]).any(axis=1)
        cuts.append((borders, near))
    return [] if (cuts[0][1] & cuts[1][1]).any() else cuts


class Chooser:
    """Plans of all robots, kept from step to step; what choosing one for each has in common."""

    def __init__(self, grid: Grid, states: Ints, parameters: StepParameters | None = None) -> None:
        self._p = parameters or StepParameters()
        if not 1 <= self._p.length <= LENGTH_MAX:
            raise ValueError(f"length {self._p.length} -> 1 to {LENGTH_MAX}")
        checked(states, grid.nodes, len(states))
        self._grid = grid
        self._ops = kernel.operations(self._p.length)
        self._shape = np.arange(len(self._ops)) if self._p.alike else kernel.shapes(self._ops)
        self._cuts = _cuts(grid, self._p)
        self._robots = np.arange(len(states), dtype=np.int64)
        count, kinds, length = len(states), len(self._ops), self._p.length
        self._states = states.copy()
        self._acts = np.zeros((count, length), np.int8)
        self._path = np.repeat((states >> 2)[:, None], length + 1, axis=1).astype(np.int32)
        self._taken = np.full((grid.nodes, length + 1), -1, np.int32)
        self._taken[states >> 2] = self._robots[:, None]
        self._ranked = np.zeros((count, kinds), np.int16)
        self._costs = np.zeros((count, kinds), np.int64)
        self._counts = np.zeros(count, np.int64)
        self._now = np.zeros(count, np.int64)
        self._visited = np.zeros(count, np.int64)
        self._progress = Progress(count)
        self._step = 0
        self.watchdog = Watchdog(grid, count, self._p.jam)
        self.iterations = 0
        self.improved = 0

    def made(self) -> Ints:
        """The actions were made: go on to the states they lead to, and return those."""
        kernel.advance(self._states, self._grid.ahead, self._acts, self._path, self._taken)
        return self._states.copy()

    def place(self, states: Ints) -> int:
        """Robots are where they are, not where the plans expect them: who is elsewhere, and whoever's
        plan leads through a cell of one who now waits, plans to wait. The others keep their plans, so
        all plans together stay free of conflicts. Returns how many wait."""
        checked(states, self._grid.nodes, len(self._states))
        waits = states != self._states
        return self._halt(waits, states) if waits.any() else 0

    def _asked(self, goals: Ints, onward: Ints, priority: Longs) -> None:
        """Raises ValueError where that is no question about these robots."""
        every, nodes = self._states.shape, self._grid.nodes
        for what, values in (("goals", goals), ("onward", onward), ("priority", priority)):
            shaped(what, values, every)
        within("goals", goals, nodes)
        within("onward", onward, nodes, -1)

    def _halt(self, waits: Bools, states: Ints) -> int:
        """Those plan to wait, and whoever's plan leads through their cells; the others keep theirs."""
        nodes = states >> 2
        more = waits
        while more.any():
            held = np.zeros(self._grid.nodes, bool)
            held[nodes[waits]] = True
            more = held[self._path].any(axis=1) & ~waits
            waits = waits | more
        self._states[:] = states
        self._acts[waits] = 0
        self._path[waits] = nodes[waits, None]
        self._lay()
        return int(waits.sum())

    def _weight(self, goals: Ints, togo: Longs) -> Longs:
        """(R,) what a robot counts: the more, the longer it has not come nearer to its goal."""
        progress, patience = self._progress, self._p.patience
        progress.see(goals, togo, goals != progress.goals)
        return np.minimum(progress.stalled, 8 * patience) + max(1, patience)

    def _choose(self, priority: Longs, weight: Longs, togo: Longs, stop: Stop) -> None:
        """Everybody chooses, by priority; then they look for something better."""
        p, grid = self._p, self._grid
        held = self._watched(togo, stop)
        if held.all():
            return
        plans = (self._now, self._acts, self._path, self._taken)
        order = np.argsort(-priority, kind="stable")
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        guard = np.where(self._progress.stalled >= p.guard, ranks, len(order))
        guard[held], order = search.NEVER, order[~held[order]]
        options = (
            self._states, self._ops, grid.ahead, self._ranked, self._costs, self._counts, weight,
            guard, int(p.gap),
        )  # fmt: skip
        status = np.zeros(len(ranks), np.uint8)
        for at in range(0, len(order), PART):
            some, more = order[at : at + PART], (p.tries, options, status, self._visited, plans)
            for cut in self._cuts:
                search.first_in_parts(some, cut, *more)
            np.copyto(status, search.FREE, where=status == search.CROSSING)
            search.first_in_part(some, (0, grid.nodes), *more)
            if at + PART < len(order) and stop(0):
                return
        if p.improve:
            self._improve(ranks, stop, options, plans)

    def _improve(self, ranks: Longs, stop: Stop, options: Arrays, plans: Arrays) -> None:
        p, nodes, count = self._p, self._grid.nodes, len(self._states)
        status, eager = np.zeros(count, np.uint8), np.ones(count, np.uint8)
        used = self.watchdog.used
        turns = [*self._cuts, None]
        tried = idle = turn = before = 0
        most, start = kernel.BETTER, p.seed + 7919 * self._step
        while not stop(used + tried):
            cut = turns[turn % len(turns)]
            parts = 1 if cut is None else len(cut[0]) - 1
            chunk = fitting(stop, used + tried, p.chunk * parts) // parts
            more = (p.tries, ranks, options, status, self._visited, eager)
            if cut is None:
                np.copyto(status, search.FREE)
                marks = np.zeros(count, np.uint8)
                made = search.improve_part(
                    (0, nodes), chunk, start + tried, most, *more, marks, plans
                )
            else:
                marks = np.zeros((parts, count), np.uint8)
                made = search.improve_parts(cut, chunk, start + tried, most, *more, marks, plans)
            turn += 1
            idle = 0 if made[0] else idle + 1
            tried += made[0]
            self.improved += made[1]
            if idle == len(turns):
                if not p.sideways or before == tried:
                    break
                most, before, idle = kernel.SIDEWAYS, tried, 0
                eager[:] = 1
        self.iterations += tried

    def _watched(self, togo: Longs, stop: Stop) -> Bools:
        """(R,) robots that the watchdog drives: their plans are set, and nobody comes near."""
        dog = self.watchdog
        dog.look(self._states, self._progress.goals, togo, self._costs_of, stop)
        self.iterations += dog.used
        if dog.began:
            inside = np.zeros(self._grid.nodes, bool)
            inside[dog.nodes] = True
            self._halt(np.asarray(inside[self._path].any(axis=1)), self._states)
        held = np.zeros(len(self._states), bool)
        held[dog.robots] = True
        if len(dog.robots):
            self._acts[dog.robots] = dog.acts(self._states, self._p.length)
            plans = (self._acts, self._path, self._taken)
            unfold.occupy(dog.robots, dog.closed, self._states, self._grid.ahead, *plans)
            self._now[held] = -1
        return held

    def _costs_of(self, robots: Ints, nodes: Ints) -> Longs:
        """(P, C) costs from nodes to the goals of robots."""
        raise NotImplementedError

    def _forget(self) -> None:
        self._acts[:] = 0
        self._path[:] = (self._states >> 2)[:, None]
        self._lay()

    def _lay(self) -> None:
        self._taken[:] = -1
        for step in range(self._path.shape[1]):
            self._taken[self._path[:, step], step] = self._robots


def checked(states: Ints, nodes: int, robots: int) -> None:
    """Raises ValueError where robots can't be so."""
    if states.shape != (robots,):
        raise ValueError(f"states of {states.shape} robots, planned for {robots} -> name all")
    within("states", states, 4 * nodes)
    first = np.unique(states >> 2, return_index=True)[1]
    if len(first) < robots:
        twice = np.setdiff1d(np.arange(robots), first)[0]
        raise ValueError(f"robot {twice} stands in another's cell -> give each its own")


class StepPlanner(Chooser):
    """One joint action per call. Deterministic as far as `stop` is."""

    def __init__(
        self,
        grid: Grid,
        tables: StateTables,
        states: Ints,
        parameters: StepParameters | None = None,
    ) -> None:
        super().__init__(grid, states, parameters)
        self._tables = tables

    def plan(
        self,
        goals: Ints,
        onward: Ints,
        priority: Longs,
        stop: Stop,
        weight: Longs | None = None,
    ) -> Ints:
        """(R,) actions. `goals` (R,) nodes, `onward` (R,) the node after it or -1; higher `priority`
        chooses first, `weight` (R,) is what a robot counts (None: the more, the longer it is stuck)."""
        p, grid, unit = self._p, self._grid, self._tables.lanes.unit
        self._asked(goals, onward, priority)
        if weight is not None:
            shaped("weight", weight, goals.shape)
        self._step += 1
        count = len(goals)
        both = np.concatenate([goals, np.where(onward >= 0, onward, goals)])
        if len(np.unique(both)) > self._tables.rows_max:  # too many to look beyond the goal
            onward, both = np.full_like(onward, -1), np.concatenate([goals, goals])
        rows = self._tables.rows(both)
        first, second = rows[:count], rows[count:]
        starts = 4 * goals[:, None] + np.arange(4)
        tail = self._tables.tables[second[:, None], starts].min(axis=1).astype(np.int64)
        tail[onward < 0] = 0
        seen = (grid.ahead, goals, onward, first, second, self._tables.tables, tail)
        kernel.rank(
            self._robots, self._states, self._ops, self._shape, *seen, p.sharp, unit,
            p.seed + self._step, self._ranked, self._costs, self._counts,
        )  # fmt: skip
        if not p.inherit:
            self._forget()
        kernel.value_plans(self._robots, self._states, *seen, p.sharp, unit, self._acts, self._now)
        togo = self._tables.tables[first, self._states].astype(np.int64)
        stuck = self._weight(goals, togo)
        self._choose(priority, stuck if weight is None else weight, togo, stop)
        return self._acts[:, 0].astype(np.int32)

    def _costs_of(self, robots: Ints, nodes: Ints) -> Longs:
        starts = 4 * nodes[:, None] + np.arange(4)
        rows = self._tables.rows(self._progress.goals[robots])
        steps: Longs = self._tables.tables[rows[:, None, None], starts].min(axis=2).astype(np.int64)
        return steps
