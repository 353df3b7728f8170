"""What a shell may ask of a planner: one-method protocols over arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PathProblem:
    """R robots at their frontiers.

    `goal` is a node or -1. `fixed` robots stand and can't be pushed. Higher `priority` plans first;
    ties go to the lower row. `blocked` nodes are entered by nobody. `seed` breaks ties between equal
    ways, so that a watchdog can ask again and get another answer.
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


class Stop(Protocol):
    """When an anytime search ends. Iterations are reproducible, seconds are not."""

    def __call__(self, iterations: int, /) -> bool:
        """True: stop now."""
        ...


@dataclass(frozen=True, slots=True)
class AssignmentProblem:
    """T tasks, R robots; `cost_ms[t, r]` is UNREACHABLE where the robot can't. A task that stays open
    costs `drop_ms[t]`."""

    cost_ms: NDArray[np.int64]  # (T, R)
    drop_ms: NDArray[np.int64]  # (T,)
    neighbours: int = 12


class Assigner(Protocol):
    """Tasks to robots at least total cost."""

    def assign(self, problem: AssignmentProblem) -> Ints:
        """Return (T,) the robot's column of each task, -1: none."""
        ...
