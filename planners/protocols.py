"""What a shell may ask of a planner: one-method protocols over arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PathProblem:
    """R robots at their frontiers.

    `changes` (C, 2): edges and the bit mask of the fleets that they are open to in this plan, where
    that differs from the roadmap. `delays` (D, 2): nodes and the ms by which ways through them count as
    longer. `goal` is a node or -1. `fixed` robots stand and can't be pushed.
    Higher `priority` plans first; ties go to the lower row. `blocked` nodes are entered by nobody.
    `seed` breaks ties between equal ways, so that a watchdog can ask again and get another answer.

    `stalled`: the row of a robot for which it has done so in vain, -1: of none. Then `been` are the
    nodes where that robot has been since it has its goal, and `rest` (M, 2) the moves (row, edge) that
    are left of the plan before, in sequence.
    """

    fleet: Ints  # (R,)
    node: Ints  # (R,)
    heading_deg: Ints  # (R,)
    goal: Ints  # (R,)
    fixed: Ints  # (R,) 0 or 1
    priority: Ints  # (R,)
    blocked: Ints  # (B,)
    horizon: int
    seed: int = 0
    changes: Ints = field(default_factory=lambda: np.empty((0, 2), np.int32))
    stalled: int = -1
    been: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    rest: Ints = field(default_factory=lambda: np.empty((0, 2), np.int32))
    delays: Ints = field(default_factory=lambda: np.empty((0, 2), np.int32))


@dataclass(frozen=True, slots=True)
class PathPlan:
    """M moves in a sequence in which they can be made *one at a time* from the given configuration,
    everyone else standing, without touching. (So there is no rotation of a full cycle, and the
    precedence graph that follows from the sequence is acyclic.)"""

    robot: Ints  # (M,) rows of the problem
    edge: Ints  # (M,)


class Planner(Protocol):
    """Lifelong multi-agent path finding, one window at a time."""

    def plan(self, problem: PathProblem) -> PathPlan:
        """Return the moves of the next `problem.horizon` steps."""
        ...


class TravelTimes(Protocol):
    """Exact travel times on the empty roadmap, turns included."""

    def travel_ms(self, fleet: int, node: int, heading_deg: int, goal: int) -> int:
        """Milliseconds from a pose to a node; `UNREACHABLE` where there is no way."""
        ...


UNREACHABLE = 2**30
COST_MAX = 2**40  # of a task, in an assignment


class Stop(Protocol):
    """When an anytime search ends. Iterations are reproducible, seconds are not."""

    def __call__(self, iterations: int, /) -> bool:
        """True: stop now."""
        ...


def fitting(stop: Stop, used: int, chunk: int) -> int:
    """How many iterations, `chunk` at most, may be made without stepping over the budget; 0: none."""
    while chunk and stop(used + chunk - 1):
        chunk //= 2
    return chunk


@dataclass(frozen=True, slots=True)
class AssignmentProblem:
    """T tasks, R robots; `cost_ms[t, r]` is UNREACHABLE where the robot can't. A task that stays open
    costs `drop_ms[t]`."""

    cost_ms: NDArray[np.int64]  # (T, R)
    drop_ms: NDArray[np.int64]  # (T,)
    neighbours: int = 12

    def __post_init__(self) -> None:
        """Raises ValueError for what no assigner could work on."""
        tasks = self.cost_ms.shape[0] if self.cost_ms.ndim == 2 else -1
        if self.drop_ms.shape != (tasks,):
            raise ValueError(
                f"cost_ms is {self.cost_ms.shape}, drop_ms {self.drop_ms.shape} -> (T, R) and (T,)"
            )
        least, most = self.cost_ms.min(initial=0), self.drop_ms.max(initial=0)
        if min(least, self.drop_ms.min(initial=0)) < -COST_MAX or most > COST_MAX:
            raise ValueError(
                f"cost_ms from {least}, drop_ms up to {most} -> -{COST_MAX} to {COST_MAX}"
            )


class Assigner(Protocol):
    """Tasks to robots at least total cost."""

    def assign(self, problem: AssignmentProblem) -> Ints:
        """Return (T,) the robot's column of each task, -1: none."""
        ...


@dataclass(frozen=True, slots=True)
class TourProblem:
    """R robots with several places, Q requests (pick up here, bring there), P places.

    Stop `2 q` is request q's pickup, stop `2 q + 1` its delivery. Times may be in any fixed unit that
    is used throughout, lengths likewise; the names say the usual one. Robots start where and when
    they are free, that is after the move or stop that can't be taken back.

    What a robot has begun stays with it: `prefix[r]` are stops that it makes next in this sequence,
    and the goods of `aboard[q] = r` are on it already (stop `2 q` is no more). Such requests are never
    dropped; where their windows, capacity or reach can't be kept any more, they are overrun by as
    little as the straightforward tour needs. All other limits are hard: a request that can't be
    served within them is dropped at its price.
    """

    travel_ms: NDArray[np.int64]  # (P, P) UNREACHABLE where there is no way
    length_mm: NDArray[np.int64]  # (P, P) counted against the reach
    start: Ints  # (R,) place
    end: Ints  # (R,) place, -1: anywhere
    free_ms: NDArray[np.int64]  # (R,) the tour begins no earlier
    until_ms: NDArray[np.int64]  # (R,) and ends no later
    capacity: NDArray[np.int64]  # (R,) units aboard at any time
    reach_mm: NDArray[np.int64]  # (R,) battery: length of the tour, the way to `end` included
    fixed_ms: NDArray[np.int64]  # (R,) price of using the robot at all
    place: Ints  # (Q, 2) pickup, delivery
    open_ms: NDArray[np.int64]  # (Q, 2) service begins no earlier: a robot that is early waits
    close_ms: NDArray[np.int64]  # (Q, 2) and no later
    service_ms: NDArray[np.int64]  # (Q, 2)
    units: NDArray[np.int64]  # (Q,)
    drop_ms: NDArray[np.int64]  # (Q,) price of not serving the request
    aboard: Ints  # (Q,) robot that holds the goods, -1: none
    prefix: tuple[tuple[int, ...], ...]  # R sequences of stops


@dataclass(frozen=True, slots=True)
class TourPlan:
    """One sequence of stops per robot, prefix first, and when the service of each stop begins."""

    stops: tuple[tuple[int, ...], ...]
    begin_ms: tuple[tuple[int, ...], ...]
    dropped: tuple[int, ...]  # requests, ascending
    cost_ms: int  # travel + fixed prices + drop prices


class TourPlanner(Protocol):
    """Pickup and delivery tours at least total cost. Always answers."""

    def plan(self, problem: TourProblem) -> TourPlan:
        """Return the tours; every request is in one of them or dropped."""
        ...
