"""Ways that follow where robots wait, while a run goes on: nobody touches, and the run comes again,
also when it was broken off and planners know nothing of what was."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_league

from orchestrator.journal import RunReader
from sim import recipe
from sim.recorded import record
from sim.replay import replay
from sim.shell import Simulation
from sim.verification import verify


class Killed(BaseException):
    """What ends a process without asking."""


def test_a_run_with_ways_that_learn_is_clean_and_comes_again(tmp_path: Path) -> None:
    """Given six robots on a floor of two-way lanes, where they wait often, when ways follow it, then
    they change again and again, no two robots touch, and what was killed goes on to the same end."""
    league = recipe.of_lorr(small_league.written(tmp_path), hours=0.12, seed=3)
    told: dict[bytes, None] = {}

    def watch(simulation: Simulation) -> None:
        told[simulation.core.world.congestion.packed] = None

    def kill(simulation: Simulation) -> None:
        if simulation.clock.now_ns >= 230 * 10**9:
            raise Killed

    whole, again = tmp_path / "a.run", tmp_path / "b.run"
    figures = record(league, whole, progress=watch)
    assert len(told) > 4 and figures["orders_done"] > 40
    with pytest.raises(Killed):
        record(league, again, progress=kill)
    assert record(league, again, resume=True)["journal_hash"] == figures["journal_hash"]
    with RunReader(whole) as reader:
        verdict = verify(reader)
        assert verdict.clean, verdict.as_json()
        assert replay(reader, league.load()).difference == ""
