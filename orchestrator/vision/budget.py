"""What a reader may cost in an hour: calls and money."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """None: no bound. Money in millionths of whatever currency the site counts in."""

    calls_per_hour: int | None = None
    micros_per_hour: int | None = None
    micros_per_call: int = 0


class Budget:
    """Never more than the limits in any hour. Kept by the minute, so memory is bounded; a minute is
    forgotten when all of it is more than an hour ago."""

    def __init__(self, limits: BudgetLimits | None = None) -> None:
        self._limits = limits or BudgetLimits()
        self._minutes: deque[list[int]] = deque()  # [minute, calls], oldest first
        self._calls = 0

    def take(self, now: float) -> bool:
        """Spend one call; False: the budget does not allow it."""
        self._forget(now)
        limits, calls = self._limits, self._calls + 1
        if limits.calls_per_hour is not None and calls > limits.calls_per_hour:
            return False
        spent = calls * limits.micros_per_call
        if limits.micros_per_hour is not None and spent > limits.micros_per_hour:
            return False
        minute = int(now // 60)
        if not self._minutes or self._minutes[-1][0] < minute:  # else as late as the last one
            self._minutes.append([minute, 0])
        self._minutes[-1][1] += 1
        self._calls = calls
        return True

    def calls(self, now: float) -> int:
        """In the last hour."""
        self._forget(now)
        return self._calls

    def micros(self, now: float) -> int:
        """Spent in the last hour."""
        return self.calls(now) * self._limits.micros_per_call

    def _forget(self, now: float) -> None:
        oldest = int(now // 60) - HOUR_MINUTES
        while self._minutes and self._minutes[0][0] < oldest:
            self._calls -= self._minutes.popleft()[1]
