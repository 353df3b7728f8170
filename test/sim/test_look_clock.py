"""The readers' policy in simulated time: what waits for the machine's clock, and what does not."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestrator.vision.breaker import BreakerLimits
from orchestrator.vision.budget import Budget, BudgetLimits
from orchestrator.vision.chain import Chain
from orchestrator.vision.model import TASKS, Picture, Question, ReaderError, Reading, Task, Verdict
from orchestrator.vision.policy import Policy, ReaderPolicy, TaskPolicy
from sim.clock import SECOND_NS, Clock
from sim.look_clock import LookClock

LABEL = Question("read_label", "parcel-o7", ("parcel-o7",))


class Eye:
    """Takes `wall_s` of the machine's time for each picture."""

    name, tasks = "eye", frozenset[Task](TASKS)

    def __init__(self, *, remote: bool, wall_s: float = 0.0) -> None:
        self.remote, self.wall_s = remote, wall_s
        self.broken = False
        self.world: World | None = None
        self.calls = 0

    async def read(self, picture: Picture, question: Question) -> Reading:
        assert self.world is not None
        self.calls += 1
        self.world.wall_s += self.wall_s
        if self.broken:
            raise ReaderError("broken", "no lamp")
        return Reading("parcel-o7", 1.0, self.name)


class World:
    """A simulation that has nothing but a chain; its machine's clock is moved by the readers."""

    def __init__(self, eye: Eye, **bounds: Any) -> None:
        self.wall_s, self.clock = 1000.0, Clock()
        self.looks = LookClock(self.clock, lambda: self.wall_s)
        eye.world = self
        policy = Policy({"read_label": TaskPolicy(("eye",))}, {"eye": ReaderPolicy(**bounds)})
        self.chain = Chain([eye], policy, self.looks)

    def look(self, at_s: float, number: int = 0) -> Verdict:
        self.clock.run(round(at_s * SECOND_NS))
        self.looks.begin()
        picture = Picture(f"{at_s} {number}".encode())
        return asyncio.run(self.chain.judge(picture, LABEL))


def test_a_breaker_closes_again_as_simulated_time_passes() -> None:
    for remote in (False, True):
        eye = Eye(remote=remote)
        world = World(eye, breaker=BreakerLimits(failures_in_a_row=2, open_s=10))
        eye.broken = True
        assert [world.look(0, n).trail[0].error for n in range(3)] == ["broken", "broken", "open"]
        eye.broken = False
        assert world.look(9).trail[0].error == "open"
        assert world.look(10.5).outcome == "ok"
        assert eye.calls == 3


def test_a_budget_fills_up_in_simulated_hours() -> None:
    world = World(Eye(remote=True), budget=BudgetLimits(calls_per_hour=2))
    assert [world.look(5, n).outcome for n in range(3)] == ["ok", "ok", "unreadable"]
    assert world.look(1800).trail[0].error == "budget"
    assert world.look(3700).outcome == "ok"


def test_what_a_far_away_reader_takes_is_simulated_time_and_nothing_else_is() -> None:
    far, near = (World(Eye(remote=remote, wall_s=1.5)) for remote in (True, False))
    assert far.look(7).latency_ms == 1500 and far.looks.now() == 8.5
    assert near.look(7).latency_ms == 0 and near.looks.now() == 7
    assert far.look(8).latency_ms == 1500, "another station, before the first has its answer"


def test_a_pause_here_takes_simulated_time_alone() -> None:
    eye = Eye(remote=False)
    eye.broken = True
    world = World(eye, retries=1, retry_pause_s=4.0)
    verdict = world.look(1)
    assert eye.calls == 2 and verdict.latency_ms == 4000


def test_a_budget_counts_looks_that_overlap() -> None:
    budget = Budget(BudgetLimits(calls_per_hour=3))
    assert [budget.take(at_s) for at_s in (190, 101, 102, 103)] == [True, True, True, False]
    assert not budget.take(3780) and budget.take(3840) and budget.calls(3840) == 1
