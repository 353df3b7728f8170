"""When to ask a second time because the first call takes longer than calls mostly do.

Dean and Barroso, The Tail at Scale (2013): a second call after the 95th percentile cuts the tail and
costs a twentieth more calls. A bound on the share of second calls keeps a slow backend from getting
twice the load.
"""

from __future__ import annotations

from bisect import insort
from collections import deque


class Latencies:
    """The last `window` latencies of one reader, in seconds."""

    def __init__(self, window: int = 200, needed: int = 20) -> None:
        self._window, self._needed = window, needed
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []

    def add(self, seconds: float) -> None:
        """A call was answered after so long."""
        if len(self._recent) == self._window:
            self._ordered.remove(self._recent.popleft())
        self._recent.append(seconds)
        insort(self._ordered, seconds)

    def quantile(self, share: float) -> float | None:
        """None until enough is known."""
        if len(self._ordered) < self._needed:
            return None
        return self._ordered[min(int(share * len(self._ordered)), len(self._ordered) - 1)]


class Hedge:
    """Second calls of one reader: after which time, and whether one more is allowed."""

    def __init__(self, share_max: float = 0.1, quantile: float = 0.95, burst: float = 3.0) -> None:
        self._share_max, self._quantile, self._burst = share_max, quantile, burst
        self._credit = 0.0
        self.latencies = Latencies()
        self.used = 0

    def after_s(self) -> float | None:
        """Ask again after so long; None: not yet known, or switched off."""
        return self.latencies.quantile(self._quantile) if self._share_max > 0 else None

    def called(self) -> None:
        """A first call was made: it earns a share of a second one."""
        self._credit = min(self._credit + self._share_max, self._burst)

    def take(self) -> bool:
        """Spend one second call."""
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        self.used += 1
        return True
