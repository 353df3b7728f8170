"""The adapter for the League's 2026 start kit: plans of several actions for robots that are late."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kits import TickKit, write_instance

from planners.grid import Grid
from sim.lorr_kit import INSTANCE, ITERATIONS
from sim.lorr_window import foresee


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ITERATIONS, "64")
    monkeypatch.delenv(INSTANCE, raising=False)
    return write_instance(tmp_path)


@pytest.mark.parametrize(("late", "least", "most"), [(0.0, 50, 10), (0.03, 35, 40)])
def test_plans_keep_the_rules_and_tasks_get_done(
    instance: Path, monkeypatch: pytest.MonkeyPatch, late: float, least: int, most: int
) -> None:
    """Who finishes later than foreseen, because others or the dice hold it up, has its next task
    refused: seldom, and nothing is lost."""
    kit = TickKit(instance, monkeypatch, late)
    kit.play(60)
    assert kit.floor.finished >= least
    assert 100 * len(kit.refused) <= most * kit.floor.finished


def test_what_is_done_on_the_way_is_foreseen() -> None:
    """Forward, forward, right, forward on a 3 x 3 floor, from the corner."""
    grid = Grid.of(np.ones((3, 3), bool))
    staged = [1, 1, 2, 1]
    assert foresee(0, staged, [1, 5], 0, grid) == (2, 4)
    assert foresee(0, staged, [5, 1], 0, grid) == (1, 4), "errands are done in order"
    assert foresee(0, staged, [0, 0], 0, grid) == (1, 0), "one at a time"
    assert foresee(0, [], [8], 0, grid) == (0, 0)
