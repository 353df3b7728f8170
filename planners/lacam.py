"""One-shot path finding: everybody from where it is to where it shall be, all at once.

LaCAM* (Okumura, IJCAI 2023) finds a first plan and is complete: where there is no plan, it says so in
the end. A second search follows ways that keep out of each other's way (weights by everybody's flow,
as in Chen et al., "Traffic flow optimisation for lifelong multi-agent path finding", AAAI 2024).
A large neighbourhood search then makes the plan cheaper (Li et al., IJCAI 2021); LaCAM* goes on
beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planners.grid import Grid
from planners.kernels.hops import FAR_HOPS, fill_hops, fill_weighted, reverse, weigh
from planners.kernels.lacam import EXHAUSTED, FOUND, RUNNING
from planners.protocols import Ints, Stop, fitting
from planners.search import DEGREE_MAX, Refinement, Search, Table, arrivals

CHUNK = 32  # expansions or neighbourhoods between two questions whether to stop
LOOK = 16  # expansions between two looks at how near the goals are
PATIENCE = 2048  # expansions without getting nearer, after which another search has its turn
STALLED = 64  # expansions without getting nearer, after which ways are by steps alone,
AT_HOME = 0.06  # as they are when so much of all steps is left: the flow was that of the beginning
AIRED = 8  # rounds of refinement after which LaCAM* has a turn
FLOW_KEPT, PRICE_MAX = 0.7, 40.0


class ProblemError(ValueError):
    """A problem that can't be solved or isn't one. `agent`: its row, -1: no single one."""

    def __init__(self, text: str, agent: int = -1) -> None:
        super().__init__(text)
        self.agent = agent


@dataclass(frozen=True, slots=True)
class OneShot:
    """A agents on a directed graph of N nodes. One agent to a node, and no two change places along an
    edge in one step. Who has no goal makes way, and ends where it likes."""

    near: Ints  # (N, K) where one step leads, -1 behind the last
    start: Ints  # (A,)
    goal: Ints  # (A,) -1: none

    @staticmethod
    def on(grid: Grid, start: Ints, goal: Ints) -> OneShot:
        """The problem on a grid without headings."""
        ahead = grid.ahead.reshape(-1, 4)
        last = np.argsort(ahead < 0, axis=1, kind="stable")
        return OneShot(np.take_along_axis(ahead, last, axis=1), start, goal)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Switches are for ablations; the search takes at most `bytes_max`, and so does the refinement."""

    seed: int = 0
    guide_rounds: int = 8  # of everybody's ways against each other's; 0: shortest ways
    against: float = 1.0  # quarters of a step that one who comes against costs
    passing: float = 0.05  # and one who passes
    samples: int = 1  # configurations of which LaCAM* takes the best
    star: bool = True
    refine: bool = True
    bytes_max: int = 1 << 29

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples {self.samples} -> 1 or more")
        if self.guide_rounds < 0 or self.bytes_max < 0:
            raise ValueError(
                f"guide_rounds {self.guide_rounds}, bytes_max {self.bytes_max} -> 0 or more"
            )


@dataclass(frozen=True, slots=True)
class OneShotPlan:
    """`nodes` (T, A): where everybody is at each time, from the starts on; all stay after the last."""

    nodes: Ints
    cost: int  # sum of costs: when each arrives for good
    lower_bound: int  # sum of the shortest ways
    loss_optimal: bool  # LaCAM* has proven that no plan has fewer steps away from goals

    @property
    def makespan(self) -> int:
        """When the last one arrives."""
        return len(self.nodes) - 1


def solve(
    problem: OneShot,
    stop: Stop,
    parameters: Parameters | None = None,
    told: Callable[[OneShotPlan], None] | None = None,
) -> OneShotPlan | None:
    """The best plan found until `stop(iterations)` is true or nothing is left to gain; None: no plan.

    Iterations are expansions of LaCAM* and neighbourhoods of the refinement; with a bound on them the
    answer is the same each time. `told` hears of each better plan, after every 32 of them at most.
    Raises `ProblemError` for what is no problem, and where it is proven that there is no plan.
    """
    parameters = parameters or Parameters()
    if not len(problem.start):
        nobody = np.empty((1, 0), np.int32)
        return OneShotPlan(nobody, 0, 0, True)
    return _Solver(problem, stop, parameters, told).solve()


def warm() -> None:
    """Have the kernels compiled, or read from where they are kept, before a clock runs."""
    near = np.array([[1, 3], [0, 2], [1, 3], [0, 2]], np.int32)
    ends = np.array([0, 1], np.int32)
    solve(OneShot(near, ends, ends[::-1].copy()), lambda made: made >= 500)


class _Solver:
    def __init__(
        self,
        problem: OneShot,
        stop: Stop,
        parameters: Parameters,
        told: Callable[[OneShotPlan], None] | None,
    ) -> None:
        self._near = np.ascontiguousarray(problem.near, np.int32)
        self._start = np.ascontiguousarray(problem.start, np.int32)
        self._goal = np.ascontiguousarray(problem.goal, np.int32)
        self._stop, self._parameters, self._told = stop, parameters, told
        _check(self._near, self._start, self._goal)
        self._into, self._slot = reverse(self._near)
        self._dist = np.empty((len(self._start), len(self._near)), np.uint16)
        fill_hops(self._goal, self._into, self._dist)
        shortest = self._dist[np.arange(len(self._start)), self._start]
        for i in np.flatnonzero(shortest == FAR_HOPS).tolist():
            cut = (self._dist[i] == FAR_HOPS - 1).any()  # there may be more behind it
            what = f" of at most {FAR_HOPS - 1} steps, which is as far as is planned" if cut else ""
            raise ProblemError(f"agent {i}: no way from its start to its goal{what}", i)
        self._bound = int(shortest.sum(dtype=np.int64))
        self._iterations = 0
        self._best: OneShotPlan | None = None
        self._least = -1  # loss that no plan is below, once LaCAM* has proven it

    def solve(self) -> OneShotPlan | None:
        p = self._parameters
        search = self._search()
        status = self._first(search, None, PATIENCE)
        if p.guide_rounds > 0 and status in (FOUND, RUNNING):
            guided = self._search()
            guide = self._guide()
            if guide is not None and self._first(guided, guide, PATIENCE) == FOUND:
                if status != FOUND or guided.loss < search.loss:
                    search = guided
                status = FOUND
        if status == RUNNING:
            status = self._first(search, None, None)
        if status == FOUND and (p.refine or p.star):
            self._improve(search)
        return self._best

    def _search(self) -> Search:
        p = self._parameters
        return Search(self._near, self._start, self._goal, self._dist, p.bytes_max, p.seed)

    def _first(self, search: Search, guide: Table | None, patience: int | None) -> int:
        """Search until there is a plan, along a guide as long as that leads on. RUNNING: no time is
        left, or so many expansions (None: no matter how many) brought nothing nearer."""
        search.follow(guide)
        nearest, since = search.nearest, 0
        while (patience is None or since < patience) and (made := self._fitting(LOOK)):
            status = self._expand(search, made)
            if status == FOUND:
                self._better(search.plan())
            if status == EXHAUSTED:
                raise ProblemError("there is no plan: all configurations have been looked at")
            if status != RUNNING:
                return status
            since = 0 if search.nearest < nearest else since + made
            nearest = min(nearest, search.nearest)
            if since >= STALLED or nearest < AT_HOME * self._bound:
                search.follow(None)
        return RUNNING

    def _fitting(self, chunk: int) -> int:
        return fitting(self._stop, self._iterations, chunk)

    def _expand(self, search: Search, expansions: int) -> int:
        self._iterations += expansions
        return search.run(expansions, self._parameters.samples)

    def _guide(self) -> Table | None:
        """(A, N) costs to goals on ways weighted by everybody's flow; None: no time is left."""
        p = self._parameters
        weight = np.full(self._near.shape, 4, np.int32)
        flow = np.zeros(self._near.shape)
        for turn in range(p.guide_rounds):
            if self._stop(self._iterations):
                return None
            prices = (FLOW_KEPT if turn else 0.0, float(p.against), float(p.passing), PRICE_MAX)
            weigh(self._start, self._goal, self._near, weight, self._dist, flow, prices)
        ways = np.empty_like(self._dist)
        fill_weighted(self._goal, self._into, self._slot, weight, self._dist, ways)
        return ways

    def _improve(self, search: Search) -> None:
        """Refine, and let LaCAM* have a turn now and then, or each time when refining gains nothing."""
        refinement = self._refinement()
        star, turn = self._parameters.star, 0
        while not self._done() and (made := self._fitting(CHUNK)):
            gain = 0
            if refinement is not None:
                gain = refinement.run(made)
                self._iterations += made
                if gain:
                    self._better(refinement.plan(), refinement.cost)
            turn += 1
            if star and (gain == 0 or turn % AIRED == 0):
                status, improved = self._star(search)
                star = status in (FOUND, RUNNING)
                if improved and refinement is not None:
                    refinement = self._refinement()
            if not star and refinement is None:
                break

    def _star(self, search: Search) -> tuple[int, bool]:
        """A turn of LaCAM*, told the best plan first; (how it ended, whether its plan costs less)."""
        assert self._best is not None
        if self._loss(self._best.nodes) < search.loss:
            search.inject(self._best.nodes)
        status = self._expand(search, self._fitting(CHUNK))
        if status == EXHAUSTED:
            self._least = search.loss
            if self._loss(self._best.nodes) == self._least:
                self._take(self._best.nodes, self._best.cost)
        before = self._best.cost
        if status == FOUND:
            self._better(search.plan())
        return status, self._best.cost < before

    def _done(self) -> bool:
        """Is there nothing left to gain?"""
        assert self._best is not None
        return self._best.cost == self._best.lower_bound

    def _refinement(self) -> Refinement | None:
        """The best plan's; each agent's goal is where it ends in it."""
        assert self._best is not None
        plan = self._best.nodes
        size = Refinement.size(len(self._near), len(self._start), len(plan))
        if not self._parameters.refine or size > self._parameters.bytes_max:
            return None
        dist = self._dist
        free = np.flatnonzero(self._goal < 0)
        if len(free):
            dist = dist.copy()
            rows = np.empty((len(free), len(self._near)), np.uint16)
            fill_hops(plan[-1][free], self._into, rows)
            dist[free] = rows
        return Refinement(
            self._near, plan, np.ascontiguousarray(plan[-1]), dist, self._parameters.seed
        )

    def _loss(self, plan: Ints) -> int:
        away = (plan != self._goal) & (self._goal >= 0)
        return int(((plan[:-1] != plan[1:]) | away[:-1]).sum())

    def _better(self, plan: Ints, cost: int = -1) -> None:
        """Of plans that cost the same the one with the least loss: that is what LaCAM* proves."""
        if cost < 0:
            cost = int(arrivals(plan, plan[-1]).sum())
        best = self._best
        if best is not None and cost == best.cost:
            better = self._loss(plan) < self._loss(best.nodes)
        else:
            better = best is None or cost < best.cost
        if better:
            self._take(plan, cost)

    def _take(self, plan: Ints, cost: int) -> None:
        """A plan that costs less may have more loss than the least; then nothing is proven of it."""
        self._best = OneShotPlan(plan, cost, self._bound, self._loss(plan) == self._least)
        if self._told is not None:
            self._told(self._best)


def _check(near: Ints, start: Ints, goal: Ints) -> None:
    if near.ndim != 2 or not 1 <= near.shape[1] <= DEGREE_MAX or not len(near):
        raise ProblemError(f"near is {near.shape} -> (nodes, 1 to {DEGREE_MAX})")
    if start.shape != goal.shape or start.ndim != 1:
        raise ProblemError(f"{start.shape} starts, {goal.shape} goals -> one each")
    if (
        near.min() < -1
        or near.max() >= len(near)
        or ((near[:, :-1] < 0) & (near[:, 1:] >= 0)).any()
    ):
        raise ProblemError("near leads off the graph, or has -1 before a node")
    for what, places in (("start", start), ("goal", goal)):
        seen: dict[int, int] = {}
        for i, v in enumerate(places.tolist()):
            if v >= len(near) or v < (0 if what == "start" else -1):
                raise ProblemError(f"agent {i}: its {what} {v} is not on the graph", i)
            if v in seen:
                raise ProblemError(f"agents {seen[v]} and {i} have the same {what}", i)
            if v >= 0:
                seen[v] = i
