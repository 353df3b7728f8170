"""Floors on which hardly a cell is free: who moves, moves with others, in circles and rows.

See `kernels/rotations.py`. Each step is decided anew from where robots are: who has least left to do
looks first for a shift that brings it nearer; with the time that is left a search over neighbourhoods
looks for shifts that are worth more together. Whoever takes part in none turns to where it will be
wanted next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.checks import shaped, within
from planners.dense import UNCALLED
from planners.grid import Grid
from planners.guidance import UNIT, Lanes, Paces
from planners.jam import JamParameters, Watchdog
from planners.kernels import freedom
from planners.kernels import rotations as kernel
from planners.kernels.states import far
from planners.node_tables import NodeTables
from planners.progress import Progress
from planners.protocols import Stop, fitting
from planners.roadmap import Ints
from planners.steps import checked

Longs = NDArray[np.int64]
Arrays = tuple[NDArray[Any], ...]
CHUNK = 32  # rounds between two looks at the clock
NOBODY, CLOSED = -1, -2
DAMP = 0.95  # of a walk's weight at each step, over the largest number of neighbours


@dataclass(frozen=True, slots=True)
class RotationParameters:
    """A robot counts `weight` / (`near_goal` + steps that it has left)."""

    weight: int = 320
    near_goal: int = 9
    cells: tuple[int, int] = (12, 60)  # of a neighbourhood: at least, and below
    # Steps without coming nearer after which one goes first, whatever it costs, until it is at its
    # goal, or has come no nearer for as long again.
    patience: int = 256
    ahead: bool = True  # who has no part turns to where it will be wanted
    rounds: int = 2  # of the search for each cell, and for the turns ahead: more bring 1 %
    jam: JamParameters = field(default_factory=lambda: JamParameters(patience=512))
    seed: int = 0


class FreedomTables(NodeTables):
    """(rows, N) free energy distances (`kernels/freedom.py`) to the goals that are named
    beforehand. Whoever has many ways to go on finds somebody to change places with sooner than one who
    has to keep straight on, so it is nearer. On the mean they are as long as the steps are many."""

    def __init__(self, grid: Grid, goals: Ints) -> None:
        super().__init__(grid, Paces.of(Lanes(np.full(4 * grid.nodes, UNIT, np.int32))), goals)
        neighbours = int((grid.ahead.reshape(-1, 4) >= 0).sum(axis=1).max(initial=1))
        free = np.empty(self.tables.shape)
        freedom.fill_all(self.goals, DAMP / max(1, neighbours), grid.ahead, free)
        known = np.isfinite(free)
        steps = self.tables / self.paces.unit
        total = float(free[known].sum())
        scale = float(steps[known].sum()) / total if total > 0 else 1.0
        most = float(free[known].max()) if total > 0 else 1.0
        scale = min(scale * kernel.UNIT, (far(self.tables) - 1) / most)
        self.tables[:] = np.where(known, np.rint(free * scale), far(self.tables))
        self.paces = Paces(self.paces.pace, kernel.UNIT)


def gates_of(grid: Grid, hard: NDArray[np.bool_]) -> Ints:
    """Nodes before the bridges to `hard` (N,), what lies behind some (`grid.behind_bridges`)."""
    near = grid.ahead.reshape(-1, 4)[hard]
    gates: Ints = np.unique(near[(near >= 0) & ~hard[near]]).astype(np.int32)
    return gates


class Pockets:
    """What lies behind bridges is entered when a cell is free there; who makes room, and who waits."""

    def __init__(self, tables: FreedomTables, hard: NDArray[np.bool_], gates: Ints) -> None:
        """`gates` (`gates_of`) are among the goals that `tables` know."""
        self._tables = tables
        self.gate = np.full(len(hard), -1, np.int32)  # (N,) the nearest, where a node is behind one
        if len(gates):
            way = tables.tables[tables.rows(gates)]
            known = hard & (way.min(axis=0) < far(way))
            self.gate = np.where(known, gates[way.argmin(axis=0)], -1)

    def emptied(self, goals: Ints, left: Longs, states: Ints) -> Ints:
        """(R,) goals, -1: none, where those without one leave a pocket that somebody wants to go into
        and in which no cell is free. What robots have `left` (R,) is changed: whoever has nothing to do
        in such a pocket goes first, and those outside wait."""
        nodes = states >> 2
        out, into = self.gate[nodes], np.where(goals >= 0, self.gate[goals], -1)
        free = np.ones(len(self.gate), bool)
        free[nodes] = False
        shut = (into >= 0) & (into != out) & ~np.isin(into, self.gate[free])
        called = (out >= 0) & (out != into) & np.isin(out, into[shut])
        left[shut] = UNCALLED
        left[called] = self._tables.togo(out[called], states[called])
        emptied: Ints = np.where(called & (goals < 0), out, goals)
        return emptied


class RotationPlanner:
    """One joint action per call. Deterministic as far as `stop` is."""

    def __init__(
        self, tables: FreedomTables, states: Ints, parameters: RotationParameters | None = None
    ) -> None:
        self._p = parameters or RotationParameters()
        self._tables, self._grid = tables, tables.grid
        count = len(states)
        checked(states, self._grid.nodes, count)
        self._states = states.copy()
        self._acts = np.zeros(count, np.int32)
        self._progress = Progress(count)
        self._first = NOBODY
        self._step = 0
        self.watchdog = Watchdog(tables.grid, count, self._p.jam)
        self.iterations = 0

    def place(self, states: Ints) -> None:
        """Robots are where they are."""
        checked(states, self._grid.nodes, len(self._states))
        self._states[:] = states

    def made(self) -> Ints:
        """The actions were made: go on to the states they lead to, and return those."""
        self._states[:] = self._grid.moved(self._states, self._acts)
        return self._states.copy()

    def plan(self, goals: Ints, left: Longs, stop: Stop) -> Ints:
        """(R,) actions. `goals` (R,) nodes, -1: none; `left` (R,) what robots have still to do, in
        costs of the tables: who has least goes first and counts most."""
        p, dog, states = self._p, self.watchdog, self._states
        shaped("goals", goals, states.shape)
        shaped("left", left, states.shape)
        within("goals", goals, self._grid.nodes, -1)
        self._step += 1
        wanted, nodes = goals >= 0, states >> 2
        aimed = np.where(wanted, goals, nodes).astype(np.int32)
        rows, togo = np.zeros(len(goals), np.int32), np.zeros(len(goals), np.int64)
        rows[wanted] = self._tables.rows(goals[wanted])
        togo[wanted] = self._tables.tables[rows[wanted], nodes[wanted]]
        self._see(aimed, togo)
        dog.look(states, aimed, togo, self._costs_of, stop)
        self.iterations += dog.used

        unit, leader = self._tables.unit, np.full(self._grid.nodes, -1, np.int32)
        weight = np.maximum(1, p.weight * unit // (p.near_goal * unit + left)) * wanted
        leader[dog.closed] = leader[nodes[dog.robots]] = CLOSED
        owner = np.full(self._grid.nodes, -1, np.int32)
        owner[nodes] = np.arange(len(nodes), dtype=np.int32)
        goals = np.where(wanted, goals, -1).astype(np.int32)
        goals[dog.robots] = -1
        order = np.argsort(left, kind="stable")
        floor, aims = (states, owner, self._grid.ahead), (goals, rows, self._tables.tables, weight)
        shifts = kernel.none(self._grid.nodes, len(states), leader)
        kernel.begin(order, self._first, floor, aims, shifts)
        tried = self._improve(self.watchdog.used, floor, aims, shifts, stop)
        kernel.act(floor, shifts, self._acts)
        if p.ahead:
            later, then = kernel.afterwards(floor, shifts)
            kernel.begin(order, NOBODY, later, aims, then)
            self._improve(tried, later, aims, then, stop)
            kernel.turn_ahead(floor, shifts, then, self._acts)
        if len(dog.robots):
            self._acts[dog.robots] = dog.acts(states, 1)[:, 0]
        return self._acts.copy()

    def _improve(self, used: int, floor: Arrays, aims: Arrays, shifts: Arrays, stop: Stop) -> int:
        """Search until `stop`, or until more rounds bring nothing. How many were made, with `used`."""
        p, tried = self._p, 0
        most, start = p.rounds * self._grid.nodes, p.seed + 7919 * self._step
        while rounds := fitting(stop, used + tried, min(CHUNK, most - tried)):
            kernel.improve(rounds, start + tried, self._first, p.cells, floor, aims, shifts)
            tried += rounds
        self.iterations += tried
        return used + tried

    def _see(self, goals: Ints, togo: Longs) -> None:
        """Who goes first: whoever has come no nearer to its goal for longest, until it is there."""
        progress, first, patience = self._progress, self._first, self._p.patience
        new = (goals != progress.goals) | (togo == 0)
        progress.see(goals, togo, new)
        stalled = progress.stalled
        if first >= 0 and not new[first] and stalled[first] < patience:
            return
        if first >= 0:
            stalled[first] = 0
        self._first = NOBODY
        if (stalled >= patience).any():
            self._first = int(stalled.argmax())
            stalled[self._first] = 0

    def _costs_of(self, robots: Ints, nodes: Ints) -> Longs:
        return self._tables.between(self._progress.goals[robots], 4 * nodes)
