"""Ways that follow where robots wait, while a run goes on: nobody touches, and the run comes again,
also when it was broken off and planners know nothing of what was."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.journal import RunReader
from sim.recipe import of_site, with_settings
from sim.recorded import record
from sim.replay import replay
from sim.shell import Simulation
from sim.verification import verify

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
BUSY = {"simulation.demand.outbound.orders_per_hour": 900, "policy.congestion_ms": 2000}


class Killed(BaseException):
    """What ends a process without asking."""


def test_a_run_with_ways_that_learn_is_clean_and_comes_again(tmp_path: Path) -> None:
    """Given more orders than the building can do, when ways follow where robots wait, then they change
    again and again, no two robots touch, and what was killed goes on to the same end."""
    busy = with_settings(of_site(SITE, hours=0.2, seed=3), BUSY)
    told: dict[bytes, None] = {}

    def watch(simulation: Simulation) -> None:
        told[simulation.core.world.congestion.packed] = None

    def kill(simulation: Simulation) -> None:
        if simulation.clock.now_ns >= 400 * 10**9:
            raise Killed

    whole, again = tmp_path / "a.run", tmp_path / "b.run"
    figures = record(busy, whole, progress=watch)
    assert len(told) > 3 and figures["orders_done"] > 20
    with pytest.raises(Killed):
        record(busy, again, progress=kill)
    assert record(busy, again, resume=True)["journal_hash"] == figures["journal_hash"]
    with RunReader(whole) as reader:
        verdict = verify(reader)
        assert verdict.clean, verdict.as_json()
        assert replay(reader, busy.load()).difference == ""
