"""What a building did happened once: its journal is never begun anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.core.messages import Entry, Ticked, encode
from orchestrator.journal import RunReader, RunWriter

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
SERVE = ["serve", str(SITE), "--override", "test", "--mqtt", "mqtt://127.0.0.1:9", "--record"]


def test_a_journal_with_events_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "live.run"
    writer = RunWriter(path, {"live": True, "run_id": "a"})
    writer.append(encode(Entry(0, 0, Ticked())), 0, 0)
    writer.close("closed")
    assert main([*SERVE, str(path)]) == 2
    assert f"holds a run already -> --resume {path} goes on with it" in capsys.readouterr().err
    with RunReader(path) as reader:
        assert reader.meta["run_id"] == "a" and len(list(reader.entries())) == 1


def test_one_that_never_began_may_be(tmp_path: Path) -> None:
    path = tmp_path / "live.run"
    RunWriter(path, {"live": True, "run_id": "a"}).abandon()
    assert main([*SERVE, str(path), "--hours", "0.0001", "--quiet"]) == 0
    with RunReader(path) as reader:
        assert reader.meta["run_id"] != "a" and list(reader.entries())
