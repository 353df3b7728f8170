"""The chain of readers: cheapest first, the first that is sure ends it, all within one deadline."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Hashable, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.vision.cache import Cache
from orchestrator.vision.caller import NOTE_MAX, Caller
from orchestrator.vision.clock import Clock, RealClock
from orchestrator.vision.frozen import Frozen
from orchestrator.vision.judging import NOTHING, Opinion, judge
from orchestrator.vision.model import Picture, Question, Reader, Reading, Step, Task, Verdict
from orchestrator.vision.policy import ChainError, Policy, ReaderPolicy, TaskPolicy
from orchestrator.vision.turns import Crowded, Turns

CACHE = "cache"
FROZEN = "frozen"  # whoever doubts a picture that the camera sent before, of something else


class Chain:
    """Judges pictures. It never raises and never takes longer than a task's deadline: what can't be
    read in time, or at all, is a verdict as well."""

    def __init__(
        self, readers: Sequence[Reader], policy: Policy, clock: Clock | None = None
    ) -> None:
        self._policy = policy
        self._clock = clock or RealClock()
        self._callers = {
            reader.name: Caller(
                reader, policy.readers.get(reader.name, ReaderPolicy()), self._clock
            )
            for reader in readers
        }
        self._tasks = {task: self._line(task, chosen) for task, chosen in policy.tasks.items()}
        self._turns = Turns(policy.at_once, policy.waiting_max)
        self._cache: Cache[Verdict] = Cache(policy.cache_entries)
        self.frozen = Frozen(policy.frozen_after)
        self._outcomes: dict[str, Counter[str]] = {}

    def _line(self, task: Task, chosen: TaskPolicy) -> tuple[Caller, ...]:
        for name in chosen.readers:
            if name not in self._callers:
                raise ChainError(f"{task}: there is no reader {name!r}")
            if task not in self._callers[name].reader.tasks:
                raise ChainError(f"{task}: the reader {name!r} can't do it")
        return tuple(self._callers[name] for name in chosen.readers)

    async def judge(self, picture: Picture, question: Question) -> Verdict:
        """What becomes of the question."""
        of = question.task, question.subject, question.expected
        before = self.frozen.before(question.camera, picture.sha256, of)
        key = _key(picture, question)
        kept = None if before else self._cache.get(key)
        if before:
            said = Step(FROZEN, error=FROZEN, note=f"the same picture as of {before}"[:NOTE_MAX])
            verdict = Verdict("doubtful", "", 0.0, FROZEN, 0.0, (said,))
        elif kept is not None:
            said = Step(CACHE, kept.value, kept.confidence, note=f"as {kept.model or 'before'}")
            verdict = replace(kept, latency_ms=0.0, trail=(said,))
        else:
            verdict = await self._judged(picture, question)
            if all(not step.error for step in verdict.trail) and verdict.trail:
                self._cache.put(key, verdict)
        self._outcomes.setdefault(question.task, Counter())[verdict.outcome] += 1
        return verdict

    async def _judged(self, picture: Picture, question: Question) -> Verdict:
        chosen = self._policy.tasks.get(question.task)
        began = self._clock.now()
        if chosen is None:
            return _verdict(NOTHING, [Step("", error="no reader")], 0.0)
        end = began + chosen.deadline_s
        try:
            await self._turns.wait(self._clock, chosen.deadline_s)
        except Crowded as crowded:
            return _verdict(NOTHING, [Step("", error=str(crowded))], self._clock.now() - began)
        try:
            opinion, trail = await self._asked(picture, question, chosen, end)
        finally:
            self._turns.give_back()
        return _verdict(opinion, trail, self._clock.now() - began)

    async def _asked(
        self, picture: Picture, question: Question, chosen: TaskPolicy, end: float
    ) -> tuple[Opinion, list[Step]]:
        opinion, trail, readings = NOTHING, list[Step](), list[Reading]()
        callers, rule = self._tasks[question.task], chosen.rule
        if question.look == "model":
            callers = tuple(sorted(callers, key=lambda caller: not caller.reader.remote))
        elif question.look == "reader" and len(callers) > 1:
            rule = replace(rule, agree=max(rule.agree, 2))
        for caller in callers:
            left = end - self._clock.now()
            if left <= 0:
                trail.append(Step(caller.name, error="deadline"))
                continue
            answer = await caller.ask(picture, question, chosen.deadline_s, left)
            trail += answer.steps
            if answer.reading is None:
                continue
            readings.append(replace(answer.reading, model=caller.name))
            opinion = judge(question, readings, rule)
            if opinion.settled:
                break
        return opinion, trail

    def figures(self) -> dict[str, Any]:
        """For the report: outcomes by task, the cache, and each reader's counters."""
        return {
            "outcomes": {task: dict(sorted(of.items())) for task, of in self._outcomes.items()},
            "cache": {"hits": self._cache.hits, "misses": self._cache.misses},
            "crowded": self._turns.refused,
            "frozen": self.frozen.repeats,
            "readers": {name: caller.figures() for name, caller in self._callers.items()},
        }

    async def warm(self) -> None:
        """Let readers load what they need, so that the first picture doesn't wait for it. What a
        reader lacks it says when it is asked."""
        await asyncio.gather(*self._each("warm"), return_exceptions=True)

    async def close(self) -> None:
        """Let go of what the readers hold."""
        await asyncio.gather(*self._each("close"))

    def _each(self, what: str) -> list[Coroutine[Any, Any, None]]:
        """Of those readers that can do it."""
        methods = (getattr(caller.reader, what, None) for caller in self._callers.values())
        return [method() for method in methods if method is not None]


def _verdict(opinion: Opinion, trail: Sequence[Step], seconds: float) -> Verdict:
    return Verdict(
        opinion.outcome, opinion.value, opinion.confidence, opinion.model,
        round(seconds * 1000, 3), tuple(trail),
    )  # fmt: skip


def _key(picture: Picture, question: Question) -> Hashable:
    known = hash(frozenset(question.known))  # not the set itself: it may hold thousands of ids
    asked = question.task, question.expected, question.subject, question.look, question.camera
    return picture.sha256, *asked, known
