"""Passing orders switched while a run goes on: nobody touches, and the run is the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_league

from orchestrator.journal import RunReader
from orchestrator.layout import LayoutError
from sim import recipe
from sim.recipe import Recipe
from sim.recorded import record
from sim.verification import verify

RARE = {
    "invariants_every": 1,
    "horizon": 12,
    "replan_ms": 6000,
    "replan_gap_ms": 2000,
    "lookahead": 3,
}
FAULTS = """\
format: 1
robot_dies: {per_robot_hour: 6, fleets: [robot], restart_s: [5, 30], restart_success: 1.0}
message_late: {share: 0.1, delay_s: [0.5, 6]}
"""


@pytest.fixture
def league(tmp_path: Path) -> Recipe:
    """Six robots on a floor with two shelves; plans are made rarely."""
    made = recipe.of_lorr(small_league.written(tmp_path), hours=0.1, seed=3)
    return recipe.with_settings(made, {f"policy.{key}": value for key, value in RARE.items()})


def test_a_run_with_switches_is_clean_and_the_same_again(league: Recipe, tmp_path: Path) -> None:
    """Given plans that are made rarely, robots that die and messages that are late, when passing orders
    may be switched, then some are, no two robots touch, every delivery has a track, and the same recipe
    makes the same run."""
    (tmp_path / "faults.yaml").write_text(FAULTS)
    made = recipe.with_settings(league, {"policy.switching": True})
    made = recipe.with_faults(made, str(tmp_path / "faults.yaml"))
    figures = [record(made, tmp_path / name) for name in ("a.run", "b.run")]
    assert figures[0] == figures[1]
    assert figures[0]["switched"] > 3 and figures[0]["orders_done"] > 40
    with RunReader(tmp_path / "a.run") as reader:
        verdict = verify(reader)
    assert verdict.clean, verdict.as_json()


def test_without_the_setting_nothing_is_switched(league: Recipe, tmp_path: Path) -> None:
    assert record(league, tmp_path / "a.run")["switched"] == 0
    with pytest.raises(LayoutError, match="switching"):
        recipe.with_settings(league, {"policy.switching": "at times"}).load()
