"""A match that is broken off goes on where it was, or says why it can't."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_league

from orchestrator.cli import main
from planners.congestion import CongestionParameters
from sim import lorr, lorr_checkpoint, lorr_entry
from sim.lorr_files import load

STEPS = 40


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return small_league.written(tmp_path)


@pytest.fixture(autouse=True)
def unrehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are given, not tried out: quicker, and the same for all."""
    monkeypatch.setattr(lorr_entry, "REHEARSAL_MAX", 0)


def play(instance: Path, out: Path, *words: str) -> int:
    bounds = ["--steps", str(STEPS), "--checkpoint-steps", "10"]
    return main(["bench", "lorr", str(instance), *bounds, "--out", str(out), "--json", *words])


def broken_off(
    monkeypatch: pytest.MonkeyPatch, after: int, instance: Path, out: Path, *words: str
) -> None:
    """The process ends in the middle of a step."""
    made, step = 0, lorr.Match._step

    def ends(match: lorr.Match, *more: Any) -> None:
        nonlocal made
        made += 1
        if made > after:
            raise KeyboardInterrupt
        step(match, *more)

    with monkeypatch.context() as patch:
        patch.setattr(lorr.Match, "_step", ends)
        assert play(instance, out, *words) == 130
    assert not out.exists()


def told(path: Path) -> dict[str, Any]:
    result = json.loads(path.read_text())
    del result["plannerTimes"]
    return result


@pytest.mark.parametrize("team", ["small", "dense", "full", "crowd", "few tables"])
def test_a_match_resumed_is_the_match_played_through(
    instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, team: str, capfd: Any
) -> None:
    """All entries, broken off twice, under a bound on iterations."""
    if team in ("crowd", "few tables"):
        monkeypatch.setattr(lorr_entry, "CROWD", 1)
    if team == "few tables":
        monkeypatch.setattr(lorr_entry, "CROWD_BYTES_MAX", (1, 14 * 80))
    if team == "dense":
        monkeypatch.setattr(lorr_entry, "DENSE_SHARE", 100)
    if team == "full":
        monkeypatch.setattr(lorr_entry, "FULL_PERCENT", 0)
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    assert play(instance, whole, "--iterations", "100") == 0
    broken_off(monkeypatch, 13, instance, parts, "--iterations", "100")
    broken_off(monkeypatch, 22, instance, parts, "--iterations", "100", "--resume")
    capfd.readouterr()
    assert play(instance, parts, "--iterations", "100", "--resume") == 0
    assert "goes on from step 30" in capfd.readouterr().err
    assert told(parts) == told(whole)
    assert told(whole)["numTaskFinished"] > 5
    assert len(json.loads(parts.read_text())["plannerTimes"]) == STEPS
    assert not list(tmp_path.glob("*checkpoint*")), "it is of no more use"


def test_what_the_tables_of_a_crowd_have_learned_is_known_again(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint holds no tables: they are filled as they were."""
    monkeypatch.setattr(lorr_entry, "CROWD", 1)
    soon = CongestionParameters(still=1, turns=2)  # six robots seldom stand
    settings = replace(lorr_entry.HUGE, congestion=soon)
    match, fresh = (lorr.Match(load(instance), settings, 100) for _ in range(2))
    match.run(20, 100.0)
    learned = match._entry.tables.tables
    assert (learned != fresh._entry.tables.tables).any()
    again = lorr.Match.thaw(load(instance), match.freeze(), 100)
    assert (again._entry.tables.tables == learned).all()


def test_with_nothing_to_go_on_from_it_begins(instance: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert play(instance, out, "--iterations", "0", "--resume") == 0
    assert told(out)["makespan"] == STEPS


@pytest.fixture
def out(instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A result that is not there yet, and a checkpoint beside it."""
    path = tmp_path / "out.json"
    broken_off(monkeypatch, 15, instance, path, "--iterations", "100")
    return path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--iterations", "101"), "of other --iterations (100, now 101)"),
        ((), "of another --budget-ms (100000.0, now 1000.0)"),
        (("--iterations", "100", "--steps", "10"), "of step 10 already -> give more --steps"),
    ],
)
def test_other_parameters_are_refused(
    instance: Path, out: Path, words: tuple[str, ...], says: str, capsys: Any
) -> None:
    assert play(instance, out, "--resume", *words) == 2
    assert says in capsys.readouterr().err


def test_other_tasks_other_code_and_damage_are_refused(
    instance: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    again = ("--iterations", "100", "--resume")
    with monkeypatch.context() as patch:
        patch.setattr(lorr_checkpoint, "_code", lambda: "newer")
        assert play(instance, out, *again) == 2
    assert "of another version of the code -> remove it" in capsys.readouterr().err
    tasks = instance.parent / "t.tasks"
    text = tasks.read_text()
    tasks.write_text(text.replace("3,44", "3,43"))
    assert play(instance, out, *again) == 2
    assert "of another instance" in capsys.readouterr().err
    tasks.write_text(text)
    kept = out.with_name("out.json.checkpoint")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    assert play(instance, out, *again) == 2
    assert "is damaged" in capsys.readouterr().err
    head, body = whole.split(b"\n", 1)
    del (parts := json.loads(head))["step"]
    kept.write_bytes(json.dumps(parts).encode() + b"\n" + body)
    assert play(instance, out, *again) == 2
    assert "holds no step" in capsys.readouterr().err
    kept.write_bytes(b"[" * 60_000)
    assert play(instance, out, *again) == 2
    assert "is no checkpoint of a match" in capsys.readouterr().err
    kept.write_bytes(b"\x00" * 100)
    assert play(instance, out, *again) == 2
    assert "is no checkpoint of a match" in capsys.readouterr().err


def test_what_can_not_be_written_is_told_before_the_match(
    instance: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The result over one of its own files, or a folder; a folder where the checkpoint would be."""
    monkeypatch.setattr(lorr, "Match", None)
    for name in ("small.json", "m.map", "a.agents", "t.tasks"):
        before = (instance.parent / name).read_bytes()
        assert play(instance, instance.parent / name) == 2
        assert f"{name}: is what is read -> give another file" in capsys.readouterr().err
        assert (instance.parent / name).read_bytes() == before
    assert play(instance, instance.parent) == 2
    assert "is no regular file -> give a file name" in capsys.readouterr().err
    (instance.parent / "out.json.checkpoint").mkdir()
    assert play(instance, instance.parent / "out.json", "--resume") == 2
    assert "out.json.checkpoint: is no regular file -> give" in capsys.readouterr().err


def test_a_checkpoint_makes_nothing_but_what_is_ours() -> None:
    body = pickle.dumps(Path("x"))
    with pytest.raises(lorr_checkpoint.CheckpointError, match="none of ours"):
        list(lorr_checkpoint.thaw(body, {}))


def test_without_resume_it_says_that_there_is_something_to_lose(
    instance: Path, out: Path, capsys: Any
) -> None:
    assert play(instance, out, "--iterations", "100") == 0
    assert "begins anew" in capsys.readouterr().err


def test_who_resumes_under_the_clock_is_judged_as_one_match(
    instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late steps count in both parts; every step is in the result once."""
    path = tmp_path / "late.json"
    broken_off(monkeypatch, 12, instance, path, "--budget-ms", "20000")
    assert play(instance, path, "--budget-ms", "20000", "--resume") == 0
    result = told(path)
    assert all(len(row.split(",")) == STEPS for row in result["actualPaths"])
    assert result["numPlannerErrors"] == result["numScheduleErrors"] == 0
