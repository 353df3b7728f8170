"""How long robots have come no nearer to where they want to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planners.protocols import Ints

Longs = NDArray[np.int64]


class Progress:
    """`stalled` (R,): steps since each robot was nearer to its goal than it had been."""

    def __init__(self, robots: int) -> None:
        self.goals = np.full(robots, -1, np.int32)
        self.nearest = np.zeros(robots, np.int64)  # that it has been, in costs
        self.stalled = np.zeros(robots, np.int64)

    def see(self, goals: Ints, togo: Longs, gained: NDArray[np.bool_]) -> None:
        """A new step. `goals` (R,) nodes and what it costs to get there; `gained` (R,): for whom it
        counts as progress, however far it is."""
        same = goals == self.goals
        nearer = gained | (same & (togo < self.nearest))
        self.stalled = np.where(nearer, 0, self.stalled + 1)
        self.nearest = np.where(nearer | ~same, togo, self.nearest)
        self.goals = goals.copy()
