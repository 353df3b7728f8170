"""The policy as a story: who is asked, when it ends, and what a bad reader can cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hand_clock import HandClock, Scripted

from orchestrator.vision.breaker import BreakerLimits
from orchestrator.vision.budget import BudgetLimits
from orchestrator.vision.chain import Chain
from orchestrator.vision.clock import StillClock
from orchestrator.vision.judging import Rule
from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading
from orchestrator.vision.policy import ChainError, Policy, ReaderPolicy, TaskPolicy

LABEL = Question("read_label", "parcel-o7", ("parcel-o7", "parcel-o8"))
RIGHT = Reading("parcel-o7", 0.95, "x")
OTHER = Reading("parcel-o8", 0.95, "x")
NOTHING = Reading("", 0.0, "x")


def picture(number: int = 0) -> Picture:
    return Picture(f"picture {number}".encode())


def always(said: Reading | Exception, seconds: float = 0.0) -> Callable[[int], Any]:
    return lambda _: (seconds, said)


def chain_of(
    clock: HandClock,
    *readers: Any,
    rule: Rule | None = None,
    deadline_s: float = 4.0,
    bounds: dict[str, ReaderPolicy] | None = None,
    **more: Any,
) -> Chain:
    names = tuple(reader.name for reader in readers)
    task = TaskPolicy(names, rule or Rule(), deadline_s)
    more.setdefault("cache_entries", 0)
    return Chain(readers, Policy({"read_label": task}, bounds or {}, **more), clock)


def judged(clock: HandClock, chain: Chain, *pictures: Picture) -> list[Any]:
    async def story() -> list[Any]:
        parts = [chain.judge(one, LABEL) for one in pictures or (picture(),)]
        return await clock.story(*parts)

    return asyncio.run(story())


def test_the_first_reader_that_is_sure_ends_it() -> None:
    clock = HandClock()
    first, second = Scripted("a", clock, always(RIGHT)), Scripted("b", clock, always(RIGHT))
    (verdict,) = judged(clock, chain_of(clock, first, second))
    assert (verdict.outcome, verdict.value, verdict.model) == ("ok", "parcel-o7", "a")
    assert second.calls == 0
    assert [step.model for step in verdict.trail] == ["a"]


def test_a_doubt_goes_to_the_next_reader_and_the_trail_tells_it() -> None:
    clock = HandClock()
    unsure = Scripted("a", clock, always(Reading("parcel-o7", 0.4, "x"), 0.25))
    broken = Scripted("b", clock, always(ReaderError("offline", "no connection")))
    sure = Scripted("c", clock, always(RIGHT, 0.5))
    (verdict,) = judged(clock, chain_of(clock, unsure, broken, sure))
    assert verdict.outcome == "ok"
    assert [(step.model, step.latency_ms, step.error) for step in verdict.trail] == [
        ("a", 250.0, ""), ("b", 0.0, "offline"), ("c", 500.0, ""),
    ]  # fmt: skip
    assert verdict.latency_ms == 750.0


def test_readers_that_contradict_each_other_are_a_doubt() -> None:
    clock = HandClock()
    readers = [Scripted("a", clock, always(RIGHT)), Scripted("b", clock, always(OTHER))]
    (verdict,) = judged(clock, chain_of(clock, *readers, rule=Rule(agree=2)))
    assert verdict.outcome == "doubtful"


def test_agreement_wants_two_readers() -> None:
    clock = HandClock()
    readers = [Scripted("a", clock, always(RIGHT)), Scripted("b", clock, always(NOTHING))]
    (verdict,) = judged(clock, chain_of(clock, *readers, rule=Rule(agree=2)))
    assert verdict.outcome == "doubtful"
    readers = [Scripted("a", clock, always(RIGHT)), Scripted("b", clock, always(RIGHT))]
    (verdict,) = judged(clock, chain_of(clock, *readers, rule=Rule(agree=2)))
    assert verdict.outcome == "ok"


def test_a_slow_reader_costs_its_share_and_the_next_has_the_rest() -> None:
    clock = HandClock()
    slow, quick = Scripted("a", clock, always(RIGHT, 60)), Scripted("b", clock, always(RIGHT, 1))
    chain = chain_of(clock, slow, quick, bounds={"a": ReaderPolicy(share=0.5)})
    (verdict,) = judged(clock, chain)
    assert verdict.outcome == "ok"
    assert verdict.latency_ms == 3000.0
    assert [step.error for step in verdict.trail] == ["timeout", ""]
    assert slow.under_way == 0, "a call that was given up must not go on"


def test_the_deadline_holds_over_all_readers() -> None:
    clock = HandClock()
    readers = [Scripted(name, clock, always(RIGHT, 3)) for name in "abc"]
    bounds = {name: ReaderPolicy(share=0.6) for name in "abc"}
    (verdict,) = judged(clock, chain_of(clock, *readers, bounds=bounds))
    assert verdict.outcome == "unreadable"
    assert verdict.latency_ms == 4000.0
    assert [step.error for step in verdict.trail] == ["timeout", "timeout", "deadline"]


class Deaf:
    """Doesn't let itself be cancelled."""

    name, tasks, remote = "deaf", frozenset({"read_label"}), True

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock

    async def read(self, picture: Picture, question: Question) -> Reading:
        for _ in range(2):
            try:
                await self._clock.alarm(100)
            except asyncio.CancelledError:
                continue
        return RIGHT


def test_the_deadline_holds_even_where_a_reader_is_deaf() -> None:
    clock = HandClock()
    (verdict,) = judged(clock, chain_of(clock, Deaf(clock)))
    assert verdict.latency_ms == 4000.0


def test_a_retry_helps_once_and_waits_as_long_as_it_is_told() -> None:
    clock = HandClock()
    script = [(0.0, ReaderError("limited", "429", 1.5)), (0.0, RIGHT)]
    reader = Scripted("a", clock, script.__getitem__)
    (verdict,) = judged(clock, chain_of(clock, reader, bounds={"a": ReaderPolicy(retries=1)}))
    assert verdict.outcome == "ok"
    assert verdict.latency_ms == 1500.0
    assert [step.error for step in verdict.trail] == ["limited", ""]


def test_nobody_waits_for_a_pause_that_ends_after_the_deadline() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(ReaderError("limited", "429", 60)))
    (verdict,) = judged(clock, chain_of(clock, reader, bounds={"a": ReaderPolicy(retries=1)}))
    assert (reader.calls, verdict.latency_ms) == (1, 0.0)


def test_what_was_refused_is_not_asked_again() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(ReaderError("refused", "no key")))
    judged(clock, chain_of(clock, reader, bounds={"a": ReaderPolicy(retries=3)}))
    assert reader.calls == 1


def test_a_broken_backend_costs_its_share_until_the_breaker_is_open() -> None:
    clock = HandClock()
    dead, local = Scripted("a", clock, always(RIGHT, 60)), Scripted("b", clock, always(RIGHT))
    limits = BreakerLimits(failures_in_a_row=3, open_s=30)
    chain = chain_of(clock, dead, local, bounds={"a": ReaderPolicy(share=0.5, breaker=limits)})
    verdicts = [judged(clock, chain, picture(number))[0] for number in range(8)]
    assert [verdict.outcome for verdict in verdicts] == ["ok"] * 8
    assert [verdict.latency_ms for verdict in verdicts] == [2000.0] * 3 + [0.0] * 5
    assert verdicts[-1].trail[0].error == "open"
    assert chain.figures()["readers"]["a"]["breaker_opened"] == 1


def test_after_a_while_one_probe_goes_and_closes_it() -> None:
    clock = HandClock()
    down = [True]
    answer = lambda _: (0.1, ReaderError("offline", "gone") if down[0] else RIGHT)  # noqa: E731
    reader = Scripted("a", clock, answer)
    bounds = {"a": ReaderPolicy(breaker=BreakerLimits(failures_in_a_row=2, open_s=30))}
    chain = chain_of(clock, reader, bounds=bounds)
    for number in range(2):
        judged(clock, chain, picture(number))
    assert chain.figures()["readers"]["a"]["breaker"] == "open"
    clock.time += 31
    down[0] = False
    verdicts = judged(clock, chain, *(picture(number) for number in range(5)))
    assert reader.calls == 3, "a single probe while half-open"
    assert [verdict.outcome for verdict in verdicts] == ["ok"] + ["unreadable"] * 4
    assert judged(clock, chain)[0].outcome == "ok"


def test_waiting_in_our_own_queue_is_not_the_readers_failure() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(RIGHT, 1.5))
    limits = BreakerLimits(failures_in_a_row=2)
    bounds = {"a": ReaderPolicy(at_once=1, breaker=limits)}
    chain = chain_of(clock, reader, bounds=bounds, deadline_s=2.0)
    verdicts = judged(clock, chain, *(picture(number) for number in range(6)))
    assert sorted(verdict.outcome for verdict in verdicts) == ["ok"] + ["unreadable"] * 5
    assert chain.figures()["readers"]["a"]["breaker"] == "closed"
    assert all(verdict.latency_ms <= 2000 for verdict in verdicts)


def test_over_the_bound_the_answer_is_no_at_once() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(RIGHT, 1.0))
    chain = chain_of(clock, reader, at_once=2, waiting_max=3)
    verdicts = judged(clock, chain, *(picture(number) for number in range(50)))
    refused = [verdict for verdict in verdicts if verdict.trail[0].error == "crowded"]
    assert len(refused) == 45
    assert all((v.outcome, v.latency_ms) == ("unreadable", 0.0) for v in refused)
    assert reader.most == 2


def test_the_budget_is_kept_and_the_chain_goes_on_without() -> None:
    clock = HandClock()
    dear, local = Scripted("a", clock, always(RIGHT)), Scripted("b", clock, always(RIGHT))
    bounds = {"a": ReaderPolicy(budget=BudgetLimits(None, 1000, 300))}
    chain = chain_of(clock, dear, local, bounds=bounds)
    verdicts = judged(clock, chain, *(picture(number) for number in range(9)))
    assert [verdict.outcome for verdict in verdicts] == ["ok"] * 9
    assert dear.calls == 3
    assert verdicts[-1].trail[0].error == "budget"
    assert chain.figures()["readers"]["a"]["micros_in_the_hour"] == 900


def test_a_second_call_after_the_p95_saves_the_tail() -> None:
    clock = HandClock()
    slow = {40}
    reader = Scripted("a", clock, lambda call: (60.0 if call in slow else 0.1, RIGHT))
    bounds = {"a": ReaderPolicy(hedge_share_max=0.1)}
    chain = chain_of(clock, reader, bounds=bounds)
    verdicts = [judged(clock, chain, picture(number))[0] for number in range(60)]
    assert [verdict.outcome for verdict in verdicts] == ["ok"] * 60
    assert verdicts[40].latency_ms == 200.0
    assert reader.calls == 61
    assert reader.under_way == 0


def test_a_backend_that_is_slow_as_a_whole_gets_few_second_calls() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, lambda call: (0.1 if call < 30 else 2.0, RIGHT))
    chain = chain_of(clock, reader, bounds={"a": ReaderPolicy(hedge_share_max=0.1)})
    for number in range(130):
        judged(clock, chain, picture(number))
    assert reader.calls <= 130 + 13


def test_the_same_picture_and_question_is_answered_once() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(RIGHT, 0.5))
    chain = chain_of(clock, reader, cache_entries=10)
    first, again = judged(clock, chain)[0], judged(clock, chain)[0]
    assert reader.calls == 1
    assert (again.outcome, again.value, again.latency_ms) == ("ok", first.value, 0.0)
    assert again.trail[0].model == "cache"


def test_another_question_about_the_same_picture_is_another_one() -> None:
    clock = HandClock()
    chain = chain_of(clock, Scripted("a", clock, always(RIGHT)), cache_entries=10)
    other = Question("read_label", "parcel-o8", LABEL.known)

    async def story() -> list[Any]:
        return await clock.story(chain.judge(picture(), LABEL), chain.judge(picture(), other))

    assert [verdict.outcome for verdict in asyncio.run(story())] == ["ok", "misread"]


def test_a_verdict_that_a_failure_had_part_in_is_not_kept() -> None:
    clock = HandClock()
    script = [(0.0, ReaderError("offline", "gone")), (0.0, RIGHT)]
    reader = Scripted("a", clock, script.__getitem__)
    chain = chain_of(clock, reader, cache_entries=10)
    assert [judged(clock, chain)[0].outcome for _ in range(2)] == ["unreadable", "ok"]


def test_a_fault_in_a_reader_is_a_failed_reading_without_its_text() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(KeyError("sk-very-secret")))
    (verdict,) = judged(clock, chain_of(clock, reader))
    assert (verdict.outcome, verdict.trail[0].error) == ("unreadable", "broken")
    assert "secret" not in repr(verdict)


def test_a_reader_that_cancels_itself_ends_nothing_else() -> None:
    clock = HandClock()
    bad = Scripted("a", clock, always(asyncio.CancelledError()))  # type: ignore[arg-type]
    (verdict,) = judged(clock, chain_of(clock, bad, Scripted("b", clock, always(RIGHT))))
    assert [step.error for step in verdict.trail] == ["broken", ""]
    assert verdict.outcome == "ok"


def test_a_picture_that_is_none_is_nobodys_failure() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(PictureError("neither JPEG nor PNG")))
    bounds = {"a": ReaderPolicy(breaker=BreakerLimits(failures_in_a_row=1))}
    chain = chain_of(clock, reader, bounds=bounds)
    (verdict,) = judged(clock, chain)
    assert verdict.trail[0].error == "picture"
    assert chain.figures()["readers"]["a"]["breaker"] == "closed"


def test_no_confidence_beyond_certainty() -> None:
    clock = HandClock()
    for confidence in (1.5, -0.1, float("nan")):
        reader = Scripted("a", clock, always(Reading("parcel-o7", confidence, "x")))
        (verdict,) = judged(clock, chain_of(clock, reader))
        assert (verdict.outcome, verdict.trail[0].error) == ("unreadable", "schema")


def test_who_asks_may_give_up_and_everything_is_free_again() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(RIGHT, 1.0))
    bounds = {"a": ReaderPolicy(at_once=1)}
    chain = chain_of(clock, reader, bounds=bounds, at_once=2)

    async def story() -> Any:
        given_up = [asyncio.ensure_future(chain.judge(picture(n), LABEL)) for n in range(5)]
        await clock.settle()
        for task in given_up:
            task.cancel()
        await clock.settle()
        assert reader.under_way == 0
        (verdict,) = await clock.story(chain.judge(picture(9), LABEL))
        return verdict

    assert asyncio.run(story()).outcome == "ok"


def test_a_task_that_nobody_does_is_unreadable() -> None:
    clock = HandClock()
    chain = chain_of(clock, Scripted("a", clock, always(RIGHT)))

    async def story() -> Any:
        return await chain.judge(picture(), Question("check_lane", "", subject="lane-1"))

    assert asyncio.run(story()).outcome == "unreadable"


def test_a_policy_that_names_the_wrong_reader_is_refused() -> None:
    clock = HandClock()
    reader = Scripted("a", clock, always(RIGHT), frozenset({"check_lane"}))
    for name, text in (("b", "there is no reader 'b'"), ("a", "'a' can't do it")):
        try:
            Chain([reader], Policy({"read_label": TaskPolicy((name,))}), clock)
        except ChainError as error:
            assert text in str(error)
        else:
            raise AssertionError(name)


def test_where_no_time_passes_no_deadline_comes() -> None:
    class Busy:
        name, tasks, remote = "a", frozenset({"read_label"}), False

        async def read(self, picture: Picture, question: Question) -> Reading:
            for _ in range(1000):
                await asyncio.sleep(0)
            return RIGHT

    policy = Policy({"read_label": TaskPolicy(("a",), deadline_s=0.001)})
    verdict = asyncio.run(Chain([Busy()], policy, StillClock()).judge(picture(), LABEL))
    assert (verdict.outcome, verdict.latency_ms) == ("ok", 0.0)
