"""Time for the readers' policy in a simulation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sim.clock import SECOND_NS, Clock


class LookClock:
    """orchestrator.vision.clock.Clock: each look begins at the simulation's now, and takes what was
    spent on who is far away. Readers in this process take none of it, however busy the machine is: for
    them no deadline comes, but breakers close again and budgets fill up as simulated hours pass.

    Looks that overlap in simulated time are judged one after the other, so that from one to the next
    `now` may go back by what the first one took."""

    def __init__(self, clock: Clock, wall_s: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._wall_s = clock, wall_s
        self._began = self._spent = self._since = 0.0
        self._passing = 0  # so many parts for which time passes are under way

    def begin(self) -> None:
        """The next look."""
        self._began, self._spent = self._clock.now_ns / SECOND_NS, 0.0
        self._since = self._wall_s()

    def now(self) -> float:
        """Simulated seconds since the run began."""
        going = self._wall_s() - self._since if self._passing else 0.0
        return self._began + self._spent + going

    @contextmanager
    def passing(self) -> Iterator[None]:
        """What is done meanwhile takes time."""
        if not self._passing:
            self._since = self._wall_s()
        self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1
            if not self._passing:
                self._spent += self._wall_s() - self._since

    async def alarm(self, seconds: float) -> None:
        """Come back when so much time has passed: never, where none does."""
        if seconds <= 0:
            return
        if self._passing:
            await asyncio.sleep(seconds)
        else:
            await asyncio.get_running_loop().create_future()

    async def pause(self, seconds: float) -> None:
        """Come back after a while; at once where no time passes but the simulation's."""
        if self._passing:
            await asyncio.sleep(max(seconds, 0.0))
        else:
            self._spent += max(seconds, 0.0)
