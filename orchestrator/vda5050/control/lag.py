"""How long it takes from a release until a vehicle says that it knows, by fleet; and how far ahead of a
vehicle its base must reach for that: its braking distance, and what it drives meanwhile."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

from orchestrator.core.messages import ReachMeasured

SAMPLES = 500  # the newest of each fleet
ENOUGH = 100
EACH_NS = 60_000_000_000
STEP_MM = 500  # smaller changes are not told


class Lags:
    """`drives`: speed (m/s) and braking (m/s2) of each fleet."""

    def __init__(
        self,
        names: Sequence[str],
        drives: Sequence[tuple[float, float]],
        post: Callable[[ReachMeasured], None],
    ) -> None:
        self._names, self._drives, self._post = names, drives, post
        self._lags: list[deque[int]] = [deque(maxlen=SAMPLES) for _ in drives]
        self._told = [0] * len(drives)
        self._next_ns = 0

    def note(self, fleet: int, lag_ns: int) -> None:
        """A vehicle has said that it knows what was released."""
        if lag_ns >= 0 and fleet < len(self._lags):
            self._lags[fleet].append(lag_ns)

    def p99_ns(self, fleet: int) -> int:
        """-1: too few to tell."""
        lags = sorted(self._lags[fleet])
        return lags[math.ceil(0.99 * len(lags)) - 1] if len(lags) >= ENOUGH else -1

    def tick(self, now_ns: int) -> None:
        """Tell the core how far ahead it is to release, where that has changed."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + EACH_NS
        for fleet, (speed, braking) in enumerate(self._drives):
            p99_ns = self.p99_ns(fleet)
            if p99_ns < 0 or braking <= 0:
                continue
            need_m = speed * speed / (2 * braking) + speed * p99_ns / 1e9
            reach_mm = math.ceil(1000 * need_m / STEP_MM) * STEP_MM
            if reach_mm != self._told[fleet]:
                self._told[fleet] = reach_mm
                self._post(ReachMeasured(fleet=fleet, reach_mm=reach_mm))

    def figures(self) -> dict[str, float | None]:
        """Milliseconds."""
        found: dict[str, float | None] = {}
        for fleet, name in enumerate(self._names):
            p99_ns = self.p99_ns(fleet)
            found[f"release_p99_ms.{name}"] = None if p99_ns < 0 else round(p99_ns / 1e6, 1)
        return found
