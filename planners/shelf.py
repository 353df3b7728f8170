"""Which goals have a row of their own, in tables that can't hold one for each."""

from __future__ import annotations

import numpy as np

from planners.roadmap import Ints


class Shelf:
    """Rows by goal; the least recently asked for makes room. Small: what is in the rows is elsewhere,
    and can be filled again."""

    def __init__(self, nodes: int, rows: int) -> None:
        self.row_of = np.full(nodes, -1, np.int32)  # by goal, -1: none
        self.goal_of = np.full(rows, -1, np.int32)  # by row, -1: empty
        self.step = 0  # of `Congestion`: when a row
        self.since = np.zeros(rows, np.int32)  # learned, 0: nothing yet
        self.seen = np.zeros(rows, np.int32)  # was given to its goal
        self._used = np.zeros(rows, np.int64)
        self._clock = 0

    def take(self, goals: Ints) -> tuple[Ints, Ints, Ints]:
        """(G,) rows of the goals, and which goals are new on which rows: to be filled. All stay valid
        until the next call. Raises MemoryError where they are too many."""
        self._clock += 1
        row = self.row_of[goals]
        self._used[row[row >= 0]] = self._clock
        new: Ints = np.unique(goals[row < 0])
        if not len(new):
            return row, new, new
        oldest = np.argsort(self._used, kind="stable")[: len(new)].astype(np.int32)
        if len(oldest) < len(new) or self._used[oldest[-1]] == self._clock:
            raise MemoryError(
                f"{len(np.unique(goals))} goals at a time, but only {len(self.goal_of)} tables fit "
                "-> raise the byte bound"
            )
        forgotten = self.goal_of[oldest]
        self.row_of[forgotten[forgotten >= 0]] = -1
        self.row_of[new], self.goal_of[oldest] = oldest, new
        self._used[oldest], self.since[oldest], self.seen[oldest] = self._clock, 0, self.step
        return self.row_of[goals], new, oldest
