"""The adapter for the League's 2024 start kit, asked by a kit of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kits import StepKit, blank, write_instance

from planners.grid import Grid
from sim import lorr, lorr_entry
from sim.lorr_files import InstanceError, load
from sim.lorr_kit import CODES, INSTANCE, ITERATIONS, OURS, StepTeam, drawn
from sim.lorr_settings import Settings


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ITERATIONS, "128")
    monkeypatch.delenv(INSTANCE, raising=False)
    return write_instance(tmp_path)


def test_a_kit_plays_the_match_that_we_play(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTANCE, str(instance))
    kit = StepKit(instance, monkeypatch)
    kit.play(60)
    ours = lorr.run_lorr(instance, 60, 60_000, iterations=128)
    theirs = lorr.result(kit.floor)
    del ours["plannerTimes"], theirs["plannerTimes"]
    assert ours["numTaskFinished"] > 10
    assert ours == theirs


def test_a_kit_that_tells_the_map_alone_and_refuses_a_step(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings come from drawn tasks. The answer to step 20 isn't carried out: robots are not where
    the planner expects them."""
    kit = StepKit(instance, monkeypatch)
    kit.play(20)
    kit.ask()
    kit.floor.wait(1)
    kit.play(39)
    result = lorr.result(kit.floor)
    assert result["numTaskFinished"] > 10
    assert (result["numPlannerErrors"], result["numScheduleErrors"]) == (0, 0)


def test_drawn_tasks_lie_where_most_robots_can_go() -> None:
    free = np.ones((5, 6), bool)
    free[:, 2] = False
    made = drawn(free, 8)
    assert made.tasks == drawn(free, 8).tasks
    assert len(set(made.starts)) == 8 and len(made.tasks) == 12
    assert all(cell % 6 > 2 for task in made.tasks for cell in task)
    with pytest.raises(InstanceError, match="lower the team size"):
        drawn(free, 26)


def test_an_instance_of_another_map_is_refused(instance: Path) -> None:
    env = blank(instance)
    env.map[0] = 1
    with pytest.raises(InstanceError, match="another map or team"):
        StepTeam.told({INSTANCE: str(instance)}).prepare(env)
    with pytest.raises(InstanceError, match="whole number"):
        StepTeam.told({ITERATIONS: "many"})


def test_numbers_of_actions() -> None:
    assert OURS[CODES].tolist() == [0, 1, 2, 3]


def test_settings_are_taken_by_a_margin(monkeypatch: pytest.MonkeyPatch, instance: Path) -> None:
    """The second does 1 % more errands than the first in a rehearsal, the third 3 %."""
    given = load(instance)
    first, second, third = (Settings(against=number) for number in (1, 2, 3))
    done = {first: 1000, second: 1010, third: 1030}
    monkeypatch.setattr(lorr_entry, "CANDIDATES", tuple(done))
    monkeypatch.setattr(lorr_entry, "DENSE_SHARE", 1)
    monkeypatch.setattr(
        lorr_entry, "_rehearse", lambda _i, _g, s, _b: [done[s]] * lorr_entry.REHEARSAL_STEPS
    )
    grid = Grid.of(given.free)
    assert lorr_entry.choose(given, grid) == third
    del done[third]
    monkeypatch.setattr(lorr_entry, "CANDIDATES", tuple(done))
    assert lorr_entry.choose(given, grid) == first
