"""Whatever readers do: the deadline holds, nothing is lost, and nothing wrong is ok."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from hand_clock import HandClock, Scripted
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.vision.breaker import BreakerLimits
from orchestrator.vision.budget import BudgetLimits
from orchestrator.vision.chain import Chain
from orchestrator.vision.judging import Rule
from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading
from orchestrator.vision.policy import Policy, ReaderPolicy, TaskPolicy

LABEL = Question("read_label", "parcel-o7", ("parcel-o7", "parcel-o8"))
DEADLINE_S, THRESHOLD = 4.0, 0.8
KINDS = ["timeout", "refused", "limited", "broken", "schema", "offline"]


def mood(seed: int, honest: bool) -> Any:
    """What a reader does, call after call. An honest one never says what isn't there (it is o8)."""

    def answer(call: int) -> tuple[float, Reading | Exception]:
        dice = random.Random(f"{seed} {call}")
        seconds = dice.choice([0.0, 0.01, 0.5, 2.0, 30.0])
        what = dice.randrange(8)
        if what == 0:
            return seconds, ReaderError(dice.choice(KINDS), "x", dice.choice([0.0, 0.5, 50.0]))
        if what == 1:
            return seconds, dice.choice([PictureError("x"), KeyError("x"), TimeoutError()])
        values = ["parcel-o8", "parcel-o8", "", "parcel-99"] + ["parcel-o7"] * (not honest)
        also = ("parcel-o8",) if dice.random() < 0.1 else ()
        sure = dice.choice([0.0, 0.5, 0.79, 0.8, 0.99, 1.0, 1.5, float("nan")])
        return seconds, Reading(dice.choice(values), sure, "x", also=also)

    return answer


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_the_chain_keeps_its_promises(data: st.DataObject) -> None:
    clock = HandClock()
    honest = data.draw(st.booleans(), "honest")
    seeds = data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=3), "readers")
    readers = [Scripted(f"r{n}", clock, mood(seed, honest)) for n, seed in enumerate(seeds)]
    bounds = {
        reader.name: ReaderPolicy(
            share=data.draw(st.sampled_from([0.3, 0.6, 1.0])),
            retries=data.draw(st.integers(0, 2)),
            hedge_share_max=data.draw(st.sampled_from([0.0, 0.5])),
            at_once=data.draw(st.integers(1, 3)),
            waiting_max=data.draw(st.integers(0, 3)),
            breaker=BreakerLimits(failures_in_a_row=3, window=6, open_s=2.0),
            budget=BudgetLimits(calls_per_hour=data.draw(st.sampled_from([None, 10]))),
        )
        for reader in readers
    }
    rule = Rule(THRESHOLD, agree=data.draw(st.integers(1, 2), "agree"))
    task = TaskPolicy(tuple(reader.name for reader in readers), rule, DEADLINE_S)
    policy = Policy({"read_label": task}, bounds, at_once=4, waiting_max=6, cache_entries=3)
    chain = Chain(readers, policy, clock)
    for caller in chain._callers.values():  # as after twenty quick calls: second calls are made
        for _ in range(20):
            caller._hedge.latencies.add(0.05)
    gaps = data.draw(st.lists(st.sampled_from([0.0, 0.3, 5.0]), min_size=1, max_size=25), "gaps")
    give_up = data.draw(st.sets(st.integers(0, 24), max_size=3), "give up")

    async def one(number: int) -> Any:
        return await chain.judge(Picture(f"{number % 9}".encode()), LABEL)

    async def story() -> list[Any]:
        asked = []
        for number, gap in enumerate(gaps):
            asked.append(asyncio.ensure_future(one(number)))
            await clock.pass_by(gap)
            if number in give_up and not asked[-1].done():
                asked.pop().cancel()
        await clock.settle()
        verdicts = await clock.story(*(_of(task) for task in asked))
        await clock.settle()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, "somebody goes on"
        return verdicts

    verdicts = asyncio.run(story())
    for verdict in verdicts:
        assert verdict.latency_ms <= DEADLINE_S * 1000 + 1e-6
        if honest:
            assert verdict.outcome != "ok"
        if verdict.outcome in ("ok", "misread"):
            said = [s for s in verdict.trail if s.value == verdict.value and s.confidence >= 0.8]
            assert len({step.model for step in said}) >= (1 if _kept(verdict) else rule.agree)
            others = {s.value for s in verdict.trail} - {"", verdict.value, "parcel-99"}
            assert not others, "somebody said otherwise"
    for reader in readers:
        assert reader.under_way == 0
        assert reader.most <= bounds[reader.name].at_once
        assert reader.calls <= (bounds[reader.name].budget.calls_per_hour or 10**9)
    for name, caller in chain._callers.items():
        assert caller._turns._free == bounds[name].at_once, "a turn was lost"
    figures = chain.figures()
    assert sum(figures["outcomes"].get("read_label", {}).values()) == len(verdicts)
    assert all(figures["readers"][reader.name]["waiting"] == 0 for reader in readers)


def _kept(verdict: Any) -> bool:
    return any(step.model == "cache" for step in verdict.trail)


async def _of(task: asyncio.Task[Any]) -> Any:
    return await task
