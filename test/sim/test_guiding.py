"""Guidance is optimised once for a floor and a demand, and then comes from disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from planners.grid import Grid
from planners.guidance import Paces, SpreadParameters, alternate, spread
from sim import guiding

PARAMETERS = SpreadParameters(rounds=4, kept=2, roots=16)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """(ask for guidance, how often the optimiser ran, where results are kept)."""
    monkeypatch.setenv("LIGHTSOUT_CACHE", str(tmp_path))
    runs: list[int] = []

    def counted(*more: object) -> Paces:
        runs.append(1)
        return spread(*more)

    monkeypatch.setattr(guiding, "spread", counted)

    def ask(
        shelf: int = 3, against: int = 8, trips: int = 40, moving: float = 20.0, **more
    ) -> Paces:
        free = np.ones((9, 12), bool)
        free[2:7, shelf] = False
        grid = Grid.of(free)
        ends = np.random.default_rng(1).integers(0, grid.nodes, (trips, 2)).astype(np.int32)
        lanes = alternate(free, grid, against)
        parameters = replace(PARAMETERS, **more)
        given = guiding.guided(grid, lanes, ends, moving, parameters)
        assert given.pace.tolist() == spread(grid, lanes, ends, moving, parameters).pace.tolist()
        return given

    return ask, runs, tmp_path


def test_the_same_is_computed_once(asked) -> None:
    ask, runs, folder = asked
    ask()
    ask()
    assert len(runs) == 1 and len(list(folder.glob("guidance-*.bin"))) == 1


@pytest.mark.parametrize(
    "other",
    [{"shelf": 4}, {"against": 4}, {"trips": 41}, {"moving": 30.0}, {"seed": 1}, {"rounds": 5}],
    ids=str,
)
def test_whatever_it_follows_from_is_in_its_name(asked, other: dict) -> None:
    ask, runs, _ = asked
    ask()
    ask(**other)
    assert len(runs) == 2


def test_other_code_computes_it_anew(asked, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, runs, _ = asked
    ask()
    monkeypatch.setattr(guiding, "_optimiser", lambda: b"newer")
    ask()
    assert len(runs) == 2


def test_a_damaged_one_is_said_and_computed_again(asked) -> None:
    ask, runs, folder = asked
    ask()
    (file,) = folder.glob("guidance-*.bin")
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.warns(RuntimeWarning, match="computed again"):
        ask()
    ask()
    assert len(runs) == 2
