"""Simulated time: a heap of what happens next, and seeded streams of chance."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

SECOND_NS = 1_000_000_000

Action = Callable[[Any], None]


class Clock:
    """Things happen in order of time, and in order of scheduling where the time is the same."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._heap: list[tuple[int, int, Action, Any]] = []
        self._count = 0

    def at(self, time_ns: int, action: Action, argument: Any = None) -> None:
        """Call `action(argument)` at a time that is not before now."""
        assert time_ns >= self.now_ns, "the past is over"
        heapq.heappush(self._heap, (time_ns, self._count, action, argument))
        self._count += 1

    def after(self, delay_ns: int, action: Action, argument: Any = None) -> None:
        """Call `action(argument)` after a delay."""
        self.at(self.now_ns + delay_ns, action, argument)

    def run(self, until_ns: int) -> None:
        """Let everything happen up to and including `until_ns`."""
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            time_ns, _, action, argument = heapq.heappop(heap)
            self.now_ns = time_ns
            action(argument)
        self.now_ns = max(self.now_ns, until_ns)


class Streams:
    """A generator of its own for each purpose and entity, so that one more draw in one place
    shifts no other."""

    def __init__(self, seed: int | str) -> None:
        self._seed = seed

    def within(self, name: str) -> Streams:
        """Streams of their own, independent of these."""
        return Streams(f"{self._seed}/{name}")

    def of(self, purpose: str, entity: object = "") -> random.Random:
        """The generator for this purpose; the same each time a run is started."""
        return random.Random(f"{self._seed}/{purpose}/{entity}")


def lognormal(generator: random.Random, spread: tuple[float, float]) -> float:
    """Draw from [median, sigma of the logarithm]."""
    median, sigma = spread
    return median * generator.lognormvariate(0.0, sigma) if sigma else median
