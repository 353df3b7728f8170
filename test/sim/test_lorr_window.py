"""The adapter for the League's 2026 start kit: plans of several actions for robots that are late."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kits import TickKit, write_instance

from planners.grid import Grid
from sim.lorr_kit import INSTANCE, ITERATIONS
from sim.lorr_window import foresee, rings


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


def test_a_ring_and_who_waits_for_it() -> None:
    """Four drive round, two follow into the ring; a row of three moves up."""
    grid = Grid.of(np.ones((2, 9), bool))
    nodes = [2, 3, 12, 11, 1, 0, 6, 7, 8]
    headings = [0, 1, 2, 3, 0, 0, 0, 0, 1]
    states = (4 * np.array(nodes) + headings).astype(np.int32)
    actions = np.ones(9, np.int32)
    assert rings(states, actions, grid).tolist() == [True] * 6 + [False] * 3
    actions[3] = 0
    assert not rings(states, actions, grid).any()
