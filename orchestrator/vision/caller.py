"""One reader with all that guards it: its turn, breaker, budget, retries, second calls, counters."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from orchestrator.vision.batching import Batcher, ManyReader
from orchestrator.vision.breaker import Breaker, Permit
from orchestrator.vision.budget import Budget
from orchestrator.vision.clock import Clock, cancel, within
from orchestrator.vision.hedging import Hedge
from orchestrator.vision.model import (
    Picture,
    PictureError,
    Question,
    Reader,
    ReaderError,
    Reading,
    Step,
    fault,
)
from orchestrator.vision.policy import ReaderPolicy
from orchestrator.vision.turns import Crowded, Turns

FINAL = frozenset({"refused", "picture"})  # asking again would change nothing
NOTE_MAX = 200
VALUE_MAX = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: a step per call, and what was read, if anything came back."""

    steps: tuple[Step, ...]
    reading: Reading | None = None


class Caller:
    """Asks its reader, and never raises: what goes wrong is a step with an error."""

    def __init__(self, reader: Reader, policy: ReaderPolicy, clock: Clock) -> None:
        self.name = reader.name
        self.reader = reader
        self._asked = Batcher(reader) if isinstance(reader, ManyReader) else reader
        self._policy, self._clock = policy, clock
        self._turns = Turns(policy.at_once, policy.waiting_max)
        self._breaker = Breaker(policy.breaker)
        self._budget = Budget(policy.budget)
        self._hedge = Hedge(policy.hedge_share_max)
        self._counts: Counter[str] = Counter()

    async def ask(
        self, picture: Picture, question: Question, deadline_s: float, left_s: float
    ) -> Answer:
        """Within the reader's share of the deadline, and never longer than what is left of it."""
        share_s = deadline_s * self._policy.share
        end = self._clock.now() + min(left_s, share_s)
        steps: list[Step] = []
        for attempt in range(self._policy.retries + 1):
            step, said = await self._attempt(picture, question, end, share_s)
            steps.append(step)
            if isinstance(said, Reading):
                return Answer(tuple(steps), said)
            if said is None or said.kind in FINAL or attempt == self._policy.retries:
                break
            pause = max(said.after_s, self._policy.retry_pause_s * 2**attempt)
            if self._clock.now() + pause >= end:
                break
            with self._passing():
                await self._clock.pause(pause)
            self._counts["retries"] += 1
        return Answer(tuple(steps))

    async def _attempt(
        self, picture: Picture, question: Question, end: float, share_s: float
    ) -> tuple[Step, Reading | ReaderError | None]:
        """One call: how it went, and what was said; None: it was not made."""
        began = self._clock.now()
        if self._breaker.state(began) == "open":
            return self._left_out("open")
        try:
            await self._turns.wait(self._clock, end - began)
        except Crowded as crowded:
            return self._left_out(str(crowded))
        try:
            return await self._guarded(picture, question, end, share_s)
        finally:
            self._turns.give_back()

    async def _guarded(
        self, picture: Picture, question: Question, end: float, share_s: float
    ) -> tuple[Step, Reading | ReaderError | None]:
        now = self._clock.now()
        if now >= end:  # it took until now to get a turn
            return self._left_out("deadline")
        permit = self._breaker.permit(now)
        if permit is None:
            return self._left_out("open")
        if not self._budget.take(now):
            self._breaker.unused(permit)
            return self._left_out("budget")
        said: Reading | ReaderError | None = None
        try:
            with self._passing():
                said = await self._call(picture, question, end - now)
        finally:
            if said is None:  # given up by whoever asked
                self._breaker.unused(permit)
        # A call that had no time says nothing about its reader, nor one on this busy machine.
        self._judge(permit, said, fair=self.reader.remote and end - now >= share_s / 2)
        return self._step(said, self._clock.now() - now), said

    def _passing(self) -> AbstractContextManager[object]:
        return self._clock.passing() if self.reader.remote else nullcontext()

    async def _call(
        self, picture: Picture, question: Question, seconds: float
    ) -> Reading | ReaderError:
        self._counts["calls"] += 1
        try:
            reading = await within(self._clock, seconds, self._hedged(picture, question))
            sane = 0.0 <= reading.confidence <= 1.0 and len(reading.value) <= VALUE_MAX
            return reading if sane else ReaderError("schema", "no reading: out of bounds")
        except TimeoutError:
            return ReaderError("timeout", f"no answer within {seconds * 1000:.0f} ms")
        except ReaderError as error:
            return error
        except PictureError as error:
            return ReaderError("picture", str(error))
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            return ReaderError("broken", "it gave up by itself")
        except Exception as error:
            return fault(error)

    async def _hedged(self, picture: Picture, question: Question) -> Reading:
        """The first of up to two calls that is answered."""
        after = self._hedge.after_s()
        if after is None:
            return await self._timed(picture, question)
        self._hedge.called()
        calls = [asyncio.ensure_future(self._timed(picture, question))]
        alarm = asyncio.ensure_future(self._clock.alarm(after))
        second = False
        try:
            await asyncio.wait({calls[0], alarm}, return_when=asyncio.FIRST_COMPLETED)
            second = not calls[0].done() and self._second()
            if second:
                calls.append(asyncio.ensure_future(self._timed(picture, question)))
            return await _first(calls)
        finally:
            cancel(alarm, *calls)
            if second:
                self._turns.give_back()

    def _second(self) -> bool:
        """May there be a second call now? It takes a turn and a call of the budget."""
        if not self._turns.take():
            return False
        if self._hedge.take() and self._budget.take(self._clock.now()):
            self._counts["hedges"] += 1
            return True
        self._turns.give_back()
        return False

    async def _timed(self, picture: Picture, question: Question) -> Reading:
        began = self._clock.now()
        try:
            reading = await self._asked.read(picture, question)
        except asyncio.CancelledError:  # it would have taken longer still
            self._hedge.latencies.add(self._clock.now() - began)
            raise
        self._hedge.latencies.add(self._clock.now() - began)
        return reading

    def _judge(self, permit: Permit, said: Reading | ReaderError, fair: bool) -> None:
        if isinstance(said, Reading):
            self._breaker.succeeded(permit)
        elif said.kind == "picture" or (said.kind == "timeout" and not fair):
            self._breaker.unused(permit)
        else:
            self._breaker.failed(permit, self._clock.now(), said.after_s)

    def _step(self, said: Reading | ReaderError, seconds: float) -> Step:
        latency = round(seconds * 1000, 3)
        if isinstance(said, ReaderError):
            self._counts[f"failed: {said.kind}"] += 1
            return Step(self.name, latency_ms=latency, error=said.kind, note=said.text[:NOTE_MAX])
        self._counts["read" if said.value else "nothing"] += 1
        return Step(self.name, said.value, said.confidence, latency, note=said.note[:NOTE_MAX])

    def _left_out(self, why: str) -> tuple[Step, None]:
        self._counts[f"left out: {why}"] += 1
        return Step(self.name, error=why), None

    def figures(self) -> dict[str, Any]:
        """Counters since the beginning, and how it stands now."""
        now, latencies = self._clock.now(), self._hedge.latencies
        return {
            "counts": dict(sorted(self._counts.items())),
            "breaker": self._breaker.state(now),
            "breaker_opened": self._breaker.opened,
            "latency_ms": {
                f"p{round(share * 100)}": None if value is None else round(value * 1000, 3)
                for share in (0.5, 0.95)
                for value in (latencies.quantile(share),)
            },
            "waiting": self._turns.waiting,
            "calls_in_the_hour": self._budget.calls(now),
            "micros_in_the_hour": self._budget.micros(now),
        }


async def _first(calls: list[asyncio.Task[Reading]]) -> Reading:
    """The first reading; where every call fails, the last failure is raised."""
    waiting = set(calls)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for call in done:
            if call.exception() is None or not waiting:
                return call.result()
