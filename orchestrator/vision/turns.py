"""How many may be at something at once, and how many may wait for it."""

from __future__ import annotations

import asyncio
from collections import deque

from orchestrator.vision.clock import Clock, cancel


class Crowded(Exception):
    """No turn: "crowded", no place to wait is left; "waited", it did not come in time."""


class Turns:
    """First come, first served."""

    def __init__(self, at_once: int, waiting_max: int) -> None:
        assert at_once > 0 and waiting_max >= 0
        self._free = at_once
        self._waiting_max = waiting_max
        self._queue: deque[asyncio.Future[None]] = deque()
        self.refused = 0

    @property
    def waiting(self) -> int:
        """So many wait."""
        return len(self._queue)

    def take(self) -> bool:
        """A turn, if one is free (then nobody waits); to be given back."""
        if not self._free:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """It is the next one's."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    async def wait(self, clock: Clock, seconds: float) -> None:
        """Until it is one's turn, which is to be given back. Raises `Crowded`: at once where the queue
        is full, or after so many seconds."""
        if self.take():
            return
        if len(self._queue) >= self._waiting_max:
            self.refused += 1
            raise Crowded("crowded")
        turn = asyncio.get_running_loop().create_future()
        alarm = asyncio.ensure_future(clock.alarm(seconds))
        self._queue.append(turn)
        try:
            await asyncio.wait({turn, alarm}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if turn.done():
                self.give_back()
            raise
        finally:
            cancel(alarm)
            if not turn.done():
                turn.cancel()
                self._queue.remove(turn)
        if turn.cancelled():
            self.refused += 1
            raise Crowded("waited")
