"""A clock that tests move, and a reader that does what a test says."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from orchestrator.vision.model import TASKS, Picture, Question, Reading, Task

SETTLED = 50  # turns of the loop: more than any chain of waiting tasks here is long


class HandClock:
    """Time goes on only when nothing else can, and then straight to the next alarm."""

    def __init__(self) -> None:
        self.time = 0.0
        self._alarms: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.time

    async def alarm(self, seconds: float) -> None:
        rung: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._alarms, (self.time + seconds, next(self._numbers), rung))
        await rung

    pause = alarm

    def passing(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def settle(self) -> None:
        for _ in range(SETTLED):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        """So much time passes."""
        until = self.time + seconds
        await self.settle()
        while self._alarms and self._alarms[0][0] <= until:
            await self._ring()
        self.time = until

    async def _ring(self) -> None:
        self.time, _, rung = heapq.heappop(self._alarms)
        if not rung.done():
            rung.set_result(None)
            await self.settle()

    async def story(self, *parts: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run the parts side by side to their ends."""
        tasks = [asyncio.ensure_future(part) for part in parts]
        await self.settle()
        while not all(task.done() for task in tasks):
            assert self._alarms, "nobody can go on, and no alarm is set"
            await self._ring()
        return [task.result() for task in tasks]


class Scripted:
    """Answers call after call by a function: a reading, an error, or so many seconds and then one."""

    remote = True

    def __init__(
        self,
        name: str,
        clock: HandClock,
        answer: Callable[[int], tuple[float, Reading | Exception]],
        tasks: frozenset[Task] = frozenset(TASKS),
    ) -> None:
        self.name, self.tasks = name, tasks
        self._clock, self._answer = clock, answer
        self.calls = 0
        self.under_way = 0
        self.most = 0

    async def read(self, picture: Picture, question: Question) -> Reading:
        seconds, said = self._answer(self.calls)
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if seconds:
                await self._clock.alarm(seconds)
            if isinstance(said, Exception):
                raise said
            return said
        finally:
            self.under_way -= 1
