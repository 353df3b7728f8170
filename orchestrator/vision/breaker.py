"""A circuit breaker: what fails again and again is left alone for a while, then tried once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When it opens, and for how long."""

    failures_in_a_row: int = 5
    failed_share: float = 0.5  # of the last `window` calls, once there are that many
    window: int = 20
    open_s: float = 10.0  # doubled each time the probe fails
    open_s_max: float = 300.0


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to call once. Give it back with how the call went."""

    period: int


class Breaker:
    """Closed: calls pass. Open: none does. Half-open: one does, and how it goes decides."""

    def __init__(self, limits: BreakerLimits | None = None) -> None:
        self._limits = limits or BreakerLimits()
        self._state: State = "closed"
        self._period = 0  # counts changes of state: what was begun before the last tells nothing
        self._in_a_row = 0
        self._recent: deque[bool] = deque(maxlen=self._limits.window)  # True: failed
        self._open_s = self._limits.open_s
        self._until = 0.0
        self._probing = False
        self.opened = 0  # so often

    def state(self, now: float) -> State:
        """`now` in seconds, of a clock that only goes forward."""
        if self._state == "open" and now >= self._until:
            return "half-open"
        return self._state

    def permit(self, now: float) -> Permit | None:
        """Leave to call; None: it is open, or its one probe is under way."""
        state = self.state(now)
        if state == "half-open" and self._state == "open":
            self._change("half-open")
        if state == "open" or self._probing:
            return None
        self._probing = state == "half-open"
        return Permit(self._period)

    def succeeded(self, permit: Permit) -> None:
        """The call was answered."""
        if permit.period != self._period:
            return
        if self._state == "half-open":
            self._open_s = self._limits.open_s
            self._change("closed")
        self._in_a_row = 0
        self._recent.append(False)

    def failed(self, permit: Permit, now: float, open_s: float = 0.0) -> None:
        """The call failed; `open_s`: the other side asks to be left alone for so long."""
        if permit.period != self._period:
            return
        self._in_a_row += 1
        self._recent.append(True)
        if self._state == "half-open":
            self._open_s = min(2 * self._open_s, self._limits.open_s_max)
            self._open(now, max(self._open_s, open_s))
        elif self._too_many():
            self._open(now, max(self._open_s, open_s))
        elif open_s:
            self._open(now, open_s)

    def unused(self, permit: Permit) -> None:
        """The call was not made, or was given up for a reason that is not the other side's."""
        if permit.period == self._period and self._state == "half-open":
            self._probing = False

    def _too_many(self) -> bool:
        if self._in_a_row >= self._limits.failures_in_a_row:
            return True
        full = len(self._recent) == self._limits.window
        return full and sum(self._recent) >= self._limits.failed_share * self._limits.window

    def _open(self, now: float, open_s: float) -> None:
        self.opened += 1
        self._until = now + min(open_s, self._limits.open_s_max)
        self._change("open")

    def _change(self, state: State) -> None:
        self._state = state
        self._period += 1
        self._probing = False
        self._in_a_row = 0
        self._recent.clear()
