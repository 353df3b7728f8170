"""Whatever happens in whatever sequence: breaker, budget, cache and turns keep their bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hand_clock import HandClock
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.vision.batching import Asked, Batcher, ManyReader
from orchestrator.vision.breaker import Breaker, BreakerLimits
from orchestrator.vision.budget import Budget, BudgetLimits
from orchestrator.vision.cache import Cache
from orchestrator.vision.hedging import Hedge, Latencies
from orchestrator.vision.model import TASKS, Picture, Question, ReaderError, Reading, Task
from orchestrator.vision.turns import Crowded, Turns

CALLS = st.lists(
    st.tuples(
        st.sampled_from(["good", "bad", "wait", "unused", "asked to wait"]), st.integers(0, 40)
    ),
    max_size=80,
)


@given(CALLS)
def test_an_open_breaker_lets_nothing_through(calls: list[tuple[str, int]]) -> None:
    limits = BreakerLimits(failures_in_a_row=3, window=8, open_s=10, open_s_max=60)
    breaker, now, in_a_row = Breaker(limits), 0.0, 0
    for what, seconds in calls:
        state = breaker.state(now)
        permit = breaker.permit(now)
        assert (permit is None) == (state == "open")
        if state == "half-open":
            assert breaker.permit(now) is None, "one probe at a time"
        if permit is None:
            now += seconds
            continue
        if what == "good":
            breaker.succeeded(permit)
            assert breaker.state(now) == "closed"
            in_a_row = 0
        elif what in ("bad", "asked to wait"):
            after = seconds if what == "asked to wait" else 0
            breaker.failed(permit, now, after)
            in_a_row += 1
            if state == "half-open" or in_a_row >= limits.failures_in_a_row or after > 0:
                assert breaker.state(now) == "open"
                assert breaker.state(now + limits.open_s_max) == "half-open"
                in_a_row = 0
        else:
            breaker.unused(permit)
            assert breaker.state(now) == state
            now += seconds if what == "wait" else 0


def test_a_share_of_failures_opens_it_too() -> None:
    breaker = Breaker(BreakerLimits(failures_in_a_row=100, failed_share=0.5, window=10))
    for number in range(10):
        permit = breaker.permit(0)
        assert permit is not None
        breaker.failed(permit, 0) if number % 2 else breaker.succeeded(permit)
    assert breaker.state(0) == "open"


def test_what_was_begun_before_it_opened_tells_nothing() -> None:
    breaker = Breaker(BreakerLimits(failures_in_a_row=1, open_s=10))
    late, first = breaker.permit(0), breaker.permit(0)
    assert late is not None and first is not None
    breaker.failed(first, 0)
    breaker.succeeded(late)
    assert breaker.state(1) == "open"
    assert breaker.permit(10) is not None
    breaker.failed(late, 10)
    assert breaker.state(10) == "half-open"


def test_a_probe_that_fails_doubles_the_wait_up_to_a_bound() -> None:
    breaker, now, waits = Breaker(BreakerLimits(1, open_s=10, open_s_max=60)), 0.0, []
    for _ in range(6):
        permit = breaker.permit(now)
        assert permit is not None
        breaker.failed(permit, now)
        wait = next(s for s in range(1, 100) if breaker.state(now + s) == "half-open")
        waits.append(wait)
        now += wait
    assert waits == [10, 20, 40, 60, 60, 60]


@given(
    st.lists(st.floats(0, 900), max_size=120),
    st.none() | st.integers(0, 20),
    st.none() | st.integers(0, 4000),
    st.integers(0, 500),
)
def test_no_hour_costs_more_than_its_budget(
    gaps: list[float], calls: int | None, micros: int | None, price: int
) -> None:
    budget, now, taken = Budget(BudgetLimits(calls, micros, price)), 0.0, []
    for gap in gaps:
        now += gap
        if budget.take(now):
            taken.append(now)
        within = sum(1 for time in taken if time > now - 3600)
        assert calls is None or within <= calls
        assert micros is None or within * price <= micros
        assert within <= budget.calls(now)
        assert len(budget._minutes) <= 61


def test_a_budget_comes_back() -> None:
    budget = Budget(BudgetLimits(calls_per_hour=2))
    assert [budget.take(0), budget.take(0), budget.take(0)] == [True, True, False]
    assert not budget.take(3600)
    assert budget.take(3661)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12))), st.integers(0, 6))
def test_the_cache_keeps_what_was_used_last(steps: list[tuple[bool, int]], entries: int) -> None:
    cache: Cache[int] = Cache(entries)
    used: list[int] = []  # a slow and obvious cache
    for put, key in steps:
        if put:
            cache.put(key, key * 7)
            used = ([*(k for k in used if k != key), key])[-entries:] if entries else []
        else:
            found = cache.get(key)
            assert found == (key * 7 if key in used else None)
            if key in used:
                used = [*(k for k in used if k != key), key]
        assert len(cache) == len(used) <= entries
    assert cache.hits + cache.misses == sum(1 for put, _ in steps if not put)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_quantiles_are_those_of_the_window(latencies: list[float]) -> None:
    kept = Latencies(window=10, needed=5)
    for number, seconds in enumerate(latencies, 1):
        kept.add(seconds)
        recent = sorted(latencies[max(0, number - 10) : number])
        expected = None if len(recent) < 5 else recent[int(0.5 * len(recent))]
        assert kept.quantile(0.5) == expected
        assert kept.quantile(1.0) in (None, recent[-1])


@given(st.lists(st.booleans(), max_size=200))
def test_second_calls_are_a_bounded_share(steps: list[bool]) -> None:
    hedge, calls = Hedge(share_max=0.1, burst=3.0), 0
    for call in steps:
        if call:
            hedge.called()
            calls += 1
        else:
            hedge.take()
        assert hedge.used <= 0.1 * calls + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["come", "go", "give up", "wait"]), st.integers(0, 9))),
    st.integers(1, 3),
    st.integers(0, 3),
)
def test_turns_are_never_lost_nor_doubled(
    steps: list[tuple[str, int]], at_once: int, waiting_max: int
) -> None:
    async def story() -> None:
        clock, turns = HandClock(), Turns(at_once, waiting_max)
        inside: list[asyncio.Event] = []
        people: list[asyncio.Task[None]] = []

        async def person() -> None:
            try:
                await turns.wait(clock, 5)
            except Crowded:
                return
            leave = asyncio.Event()
            inside.append(leave)
            try:
                await leave.wait()
            finally:
                inside.remove(leave)
                turns.give_back()

        for what, number in steps:
            if what == "come":
                people.append(asyncio.ensure_future(person()))
            elif what == "go" and inside:
                inside[number % len(inside)].set()
            elif what == "give up" and people:
                people[number % len(people)].cancel()
            elif what == "wait":
                await clock.pass_by(number)
            if number % 2:  # sometimes two things happen in the same moment
                await clock.settle()
            assert len(inside) <= at_once
            assert turns.waiting <= waiting_max
        for one in people:
            one.cancel()
        await clock.settle()
        assert all(turns.take() for _ in range(at_once)), "a turn was lost"
        assert not turns.take(), "a turn came from nowhere"

    asyncio.run(story())


class Many:
    """Takes several pictures; what it says of one is in the picture."""

    name, remote, batch_max = "many", True, 4
    tasks: frozenset[Task] = frozenset(TASKS)

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.sizes: list[int] = []
        self.given_up = 0

    async def read(self, picture: Picture, question: Question) -> Reading:
        raise AssertionError("it is asked for many")

    async def read_many(self, asked: Sequence[Asked]) -> Sequence[Reading | ReaderError]:
        self.sizes.append(len(asked))
        try:
            await self.clock.alarm(1)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        texts = [picture.data.decode() for picture, _ in asked]
        if "lost" in texts:
            raise ReaderError("offline", "gone")
        if "short" in texts:
            return []
        return [
            ReaderError("schema", text) if text == "bad" else Reading(text, 1.0, "many")
            for text in texts
        ]


QUESTION = Question("read_label", "a")


def batched(*texts: str) -> tuple[Many, list[object]]:
    clock = HandClock()
    reader = Many(clock)
    assert isinstance(reader, ManyReader)
    batcher = Batcher(reader)

    async def one(text: str) -> object:
        try:
            return (await batcher.read(Picture(text.encode()), QUESTION)).value
        except ReaderError as error:
            return error.kind

    async def story() -> list[object]:
        return await clock.story(*(one(text) for text in texts))

    return reader, asyncio.run(story())


def test_pictures_that_come_together_go_together() -> None:
    reader, said = batched(*"abcdefghij")
    assert reader.sizes == [4, 4, 2]
    assert said == list("abcdefghij")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "bad", "c"], ["a", "schema", "c"]),
        (["a", "lost", "c", "d", "e"], ["offline"] * 4 + ["e"]),
        (["a", "short", "c"], ["schema"] * 3),
    ],
)
def test_each_picture_gets_its_own_answer(texts: list[str], expected: list[str]) -> None:
    assert batched(*texts)[1] == expected


def test_a_batch_that_nobody_waits_for_is_given_up() -> None:
    async def story() -> None:
        clock = HandClock()
        reader = Many(clock)
        batcher = Batcher(reader)
        waiting = [
            asyncio.ensure_future(batcher.read(Picture(text.encode()), QUESTION)) for text in "ab"
        ]
        await clock.settle()
        waiting[0].cancel()
        await clock.settle()
        assert reader.given_up == 0, "one still waits"
        waiting[1].cancel()
        await clock.settle()
        assert reader.given_up == 1
        (said,) = await clock.story(batcher.read(Picture(b"c"), QUESTION))
        assert said.value == "c"

    asyncio.run(story())
