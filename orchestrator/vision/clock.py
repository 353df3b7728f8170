"""Time for the policy: the real one, or one that stands still. A simulation has its own
(`sim.look_clock`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Seconds that only go forward."""

    def now(self) -> float:
        """Since some moment."""
        ...

    async def alarm(self, seconds: float) -> None:
        """Come back when so much time has passed; what a deadline waits for."""
        ...

    async def pause(self, seconds: float) -> None:
        """Come back after a while; what somebody waits for before going on."""
        ...

    def passing(self) -> AbstractContextManager[object]:
        """Round what is done far away: time passes meanwhile, whatever else it does."""
        ...


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Since some moment."""
        return time.monotonic()

    async def alarm(self, seconds: float) -> None:
        """Come back when so much time has passed."""
        await asyncio.sleep(max(seconds, 0.0))

    async def pause(self, seconds: float) -> None:
        """Come back after a while."""
        await asyncio.sleep(max(seconds, 0.0))

    def passing(self) -> AbstractContextManager[object]:
        """It always does."""
        return nullcontext()


class StillClock:
    """No time passes, so no deadline comes: what embedded readers answer does not depend on how busy
    the machine is. For measurements, and for waiting without an end."""

    def now(self) -> float:
        """Always the same."""
        return 0.0

    async def alarm(self, seconds: float) -> None:
        """Never, unless it is due already."""
        if seconds > 0:
            await asyncio.get_running_loop().create_future()

    async def pause(self, seconds: float) -> None:
        """At once."""
        await asyncio.sleep(0)

    def passing(self) -> AbstractContextManager[object]:
        """It never does."""
        return nullcontext()


async def within(clock: Clock, seconds: float, work: Coroutine[object, object, T]) -> T:
    """The work's result; raises `TimeoutError` where it is not there in time. Then, and when the
    caller is cancelled, the work is cancelled too; a deadline waits for nobody who is slow to obey."""
    task, alarm = asyncio.ensure_future(work), asyncio.ensure_future(clock.alarm(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        cancel(task, alarm)


def cancel(*tasks: asyncio.Future[Any]) -> None:
    """End what still runs; what it says then is nobody's concern."""
    for task in tasks:
        if not task.cancel() and not task.cancelled():
            task.exception()
        else:
            task.add_done_callback(_heard)


def _heard(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
