"""A watchdog over step planners: when robots come no nearer to their goals, LaCAM* undoes the jam.

Priorities, operations and improvement can turn round in circles; here one robot gets its way, by a
search that is complete: of those that have waited longest the first for whom that is soon, else the
very first. On small and dense floors all robots take part; elsewhere those around it, within cells that
nobody enters or leaves meanwhile. One-step moves are unfolded into turns and drives that keep the
sequence at each cell. All of it is counted in expansions, so that it is reproducible under a budget of
iterations and short under a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.grid import Grid
from planners.kernels import unfold
from planners.kernels.hops import FAR_HOPS, fill_hops, reverse
from planners.kernels.lacam import EXHAUSTED, FOUND, RUNNING
from planners.kernels.states import parts
from planners.progress import Progress
from planners.protocols import Ints, Stop, fitting
from planners.search import Search

Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]
Costs = Callable[[Ints, Ints], Longs]  # robots (P,), nodes (C,) -> (P, C) costs to their goals
CHUNK = 16  # expansions between two questions whether to stop
SHORTEST = 4  # patience, when one jam follows another
EVER = 1 << 40  # steps
NOBODY = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class JamParameters:
    """When to look, and how much."""

    patience: int = 32  # steps without coming nearer: of half of those on their way; 0: never
    alone: int = 4  # times as many: of a single robot,
    alone_far: int = 16  # on a floor that is too large for all to take part
    tried: int = 8  # robots for which a short search is made, the one that has waited longest first
    short: int = 4  # its expansions, for each step that the robot is away and 16 more
    expansions: int = 5000  # of one for the first of them when all fail; doubled each time it fails
    table: int = 1 << 22  # robots x cells up to which all take part
    cells: int = 1024  # else: around the one that waits; four times as many when that isn't enough
    cells_first: int = 64  # on a floor where all may take part, but most are far from the jam
    sparse: int = 3  # cells for each robot that make it such a floor
    bytes_max: int = 1 << 26
    seed: int = 0


@dataclass(slots=True)
class _Jam:
    """A part of the floor, and who is in it."""

    nodes: Ints  # (C,) ascending
    robots: Ints  # (P,) ascending
    turns: list[tuple[int, bool]]  # whom to try to bring to its goal, and whether in a short search
    whole: bool  # everything that can be reached from there
    goal: int = -1  # of the search under way; the robot's may change meanwhile


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Where the robots of a jam want to just now: the same whosoever's turn it is."""

    near: Ints  # (C, K) in the places of the jam's nodes
    wish: Ints  # (P,) likewise: goals, or the nodes from which ways there are shortest
    lost: Bools  # (P,) there is no way, however long
    rank: NDArray[np.uint16]  # (P, C) steps to what each wishes


class Watchdog:
    """Takes over robots for a while. `hopeless`: who can't reach its goal, proven, and that goal."""

    def __init__(self, grid: Grid, robots: int, parameters: JamParameters) -> None:
        self._grid, self._p = grid, parameters
        self._small = robots * grid.nodes <= parameters.table
        self._age = np.zeros(robots, np.int64)  # steps since it was at a goal
        self._progress = Progress(robots)
        self._jam: _Jam | None = None
        self._search: Search | None = None
        self._visits: tuple[Ints, Longs, Ints, Ints] | None = None
        self._made = np.zeros(0, np.int64)
        self._step = self._quiet = self._failed = self._tried = self._most = 0
        self._patience, self._ended = parameters.patience, -(1 << 30)
        self.used = self.undone = self.given_up = 0
        self.began = False
        self.hopeless: dict[int, int] = {}

    @property
    def robots(self) -> Ints:
        """Those that are taken over just now."""
        return NOBODY if self._jam is None else self._jam.robots

    @property
    def nodes(self) -> Ints:
        """Where they are, and stay meanwhile."""
        return NOBODY if self._jam is None else self._jam.nodes

    @property
    def closed(self) -> Ints:
        """Nodes that nobody else enters; none, where there is nobody else."""
        jam = self._jam
        return NOBODY if jam is None or len(jam.robots) == len(self._age) else jam.nodes

    @property
    def looks(self) -> bool:
        """Whether it ever looks for jams."""
        return self._p.patience > 0

    def provoke(self) -> None:
        """Everybody counts as stuck: what a jam needs can be compiled before there is one."""
        self._progress.stalled[:] = EVER

    def look(self, states: Ints, goals: Ints, togo: Longs, costs: Costs, stop: Stop) -> None:
        """A new step: see whether somebody is stuck; go on with what was begun. `togo` (R,) what it
        costs robots to their goals."""
        self._step += 1
        self.used, self.began = 0, False
        away = goals != states >> 2
        self._count(states, goals, togo, away)
        self.hopeless = {r: g for r, g in self.hopeless.items() if goals[r] == g and away[r]}
        if self._p.patience <= 0:
            return
        self._follow(states)
        if self._jam is None:
            self._begin(states, goals, away)
        if self._jam is not None and self._visits is None:
            self._think(states, goals, costs, stop)

    def acts(self, states: Ints, length: int) -> NDArray[np.int8]:
        """(P, length) the next actions of `robots`, waits at the end."""
        robots = self.robots
        if self._visits is None:
            return np.zeros((len(robots), length), np.int8)
        acts: NDArray[np.int8] = unfold.proceed(
            self._visits, self._made, states[robots], self._grid.ahead, length
        )
        return acts

    def _follow(self, states: Ints) -> None:
        """See how far those who drive have come: to the end, or elsewhere, and it is over."""
        if self._visits is not None:
            lost, left = unfold.keep_up(self._visits, self._made, states[self.robots])
            if lost or not left:
                self._end()

    def _end(self) -> None:
        self._jam, self._search, self._visits = None, None, None
        self._ended = self._step

    def _count(self, states: Ints, goals: Ints, togo: Longs, away: Bools) -> None:
        """A goal that changes before it is reached is no progress; coming nearer to it is."""
        there = ~away | (self._progress.goals == states >> 2)
        held = np.zeros(len(goals), bool)
        held[self.robots] = True
        self._age = np.where(there, 0, self._age + 1)
        self._progress.see(goals, togo, there | held)

    def _begin(self, states: Ints, goals: Ints, away: Bools) -> None:
        p, stalled = self._p, self._progress.stalled
        if self._step < self._quiet:
            return
        if self._step > self._ended + 2 * p.patience:
            self._patience = p.patience
        able = away.copy()
        able[list(self.hopeless)] = False
        stuck = able & (stalled >= self._patience)
        most = p.alone * self._patience if self._small else p.alone_far * p.patience
        if 2 * stuck.sum() <= able.sum() and not (stalled[able] >= most).any():
            return
        order = np.flatnonzero(stuck).astype(np.int32)
        order = order[np.argsort(-self._age[order], kind="stable")]
        self._patience = max(min(SHORTEST, p.patience), self._patience // 2)
        self._surround(order, states)
        self.began = True

    def _surround(self, order: Ints, states: Ints) -> None:
        """The cells and the robots that take part when the first of them shall get its way."""
        p, grid = self._p, self._grid
        most = min(grid.nodes, FAR_HOPS)
        if not self._small or p.sparse * len(states) <= grid.nodes:
            first = p.cells_first if self._small else p.cells
            most = min(most, first << min(2 * self._failed, 16))
        nodes = unfold.ball(int(states[order[0]]) >> 2, most, grid.ahead)
        inside = np.zeros(grid.nodes, bool)
        inside[nodes] = True
        robots = np.flatnonzero(inside[states >> 2]).astype(np.int32)
        mine = order[inside[states[order] >> 2]][: p.tried << min(self._failed, 16)].tolist()
        turns = [(robot, True) for robot in mine] + [(mine[0], False)]
        self._jam = _Jam(nodes, robots, turns, most == grid.nodes)

    def _draw(self, jam: _Jam, goals: Ints, costs: Costs) -> _Drawn:
        here = np.full(self._grid.nodes, -1, np.int32)
        here[jam.nodes] = np.arange(len(jam.nodes), dtype=np.int32)
        near = _within(self._grid, jam.nodes, here)
        wish = here[goals[jam.robots]]
        far, part = np.flatnonzero(wish < 0), parts(self._grid.ahead)
        lost = part[goals[jam.robots]] != part[jam.nodes[0]]
        wish[far] = costs(jam.robots[far], jam.nodes).argmin(axis=1)
        rank = np.empty((len(wish), len(near)), np.uint16)
        fill_hops(wish, reverse(near)[0], rank)
        return _Drawn(near, wish, lost, rank)

    def _open(self, jam: _Jam, drawn: _Drawn, states: Ints, goals: Ints) -> None:
        """Begin to search. Whoever isn't served is drawn to its goal, but needn't get there."""
        robot, short = jam.turns[0]
        jam.goal = int(goals[robot])
        at = int(np.searchsorted(jam.robots, robot))
        if drawn.lost[at]:  # no way to its goal, even alone
            self.hopeless[robot] = jam.goal
            return
        rank = drawn.rank
        dist, goal = np.zeros_like(rank), np.full(len(rank), -1, np.int32)
        dist[at], goal[at] = rank[at], drawn.wish[at]
        start = np.searchsorted(jam.nodes, states[jam.robots] >> 2).astype(np.int32)
        self._most = (
            self._p.short * (16 + int(rank[at, start[at]]))
            if short
            else self._p.expansions << min(self._failed, 6)
        )
        seed = self._p.seed + 7919 * self._step
        self._search = Search(drawn.near, start, goal, dist, self._p.bytes_max, seed)
        self._search.follow(rank)
        self._tried = 0

    def _think(self, states: Ints, goals: Ints, costs: Costs, stop: Stop) -> None:
        """Search as long as there is time; then begin to drive, or give up."""
        jam = self._jam
        assert jam is not None
        drawn: _Drawn | None = None
        while jam.turns:
            robot, _ = jam.turns[0]
            if self._search is None:
                drawn = drawn or self._draw(jam, goals, costs)
                self._open(jam, drawn, states, goals)
            if self._search is not None:
                status = self._run(self._search, stop)
                if status == RUNNING and self._tried < self._most:
                    return
                if status == FOUND:
                    self._drive(jam, self._search.plan())
                    return
                if status == EXHAUSTED and jam.whole:
                    self.hopeless[robot] = jam.goal
                self._search = None
            if robot in self.hopeless:
                break
            del jam.turns[0]
        else:
            self._failed += 1
            self.given_up += 1
            if jam.whole or not self._small:
                self._quiet = self._step + self._p.patience * min(64, 1 << self._failed)
        self._end()

    def _run(self, search: Search, stop: Stop) -> int:
        status = RUNNING
        while status == RUNNING and self._tried < self._most:
            chunk = fitting(stop, self.used, CHUNK)
            if not chunk:
                break
            status = search.run(chunk, 1)
            self.used += chunk
            self._tried += chunk
        return status

    def _drive(self, jam: _Jam, plan: Ints) -> None:
        self._visits = unfold.sequence(jam.nodes[plan], self._grid.nodes)
        self._made = np.zeros(len(jam.robots), np.int64)
        self._search, self._failed = None, 0
        self.undone += 1


def _within(grid: Grid, nodes: Ints, here: Ints) -> Ints:
    """(C, 4) where steps lead that stay within `nodes`, in their own numbers, -1 behind the last."""
    ahead = grid.ahead.reshape(-1, 4)[nodes]
    near = np.where(ahead >= 0, here[ahead], -1).astype(np.int32)
    last = np.argsort(near < 0, axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(near, last, axis=1))
