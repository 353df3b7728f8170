"""Exports: exact numbers from a hand-made run, and files from a recorded one."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from orchestrator.cli import main
from orchestrator.journal import RunReader
from sim import export
from sim.recipe import of_site
from sim.recorded import record
from sim.verification.memory import MemoryRun
from sim.verification.tracks import read_tracks

SITE = Path(__file__).resolve().parents[2] / "sites" / "jd_small"


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only these: no other command needs to load."""
    monkeypatch.setattr("orchestrator.cli.COMMANDS", ("verify", "report", "export"))


@pytest.fixture
def run() -> MemoryRun:
    """r0 speeds up northwards from 1 s on, then turns; r1 stands."""
    made = MemoryRun()
    made.robot(0, (1.0, 2.0, math.pi / 2))
    made.robot(1, (9.0, 9.0, -math.pi), name='odd, "name"')
    made.move(0, (1.0, 1.0), (1.0, 2.0, math.pi / 2), math.pi / 2, a=1.0)
    made.move(0, (2.0, 1.0), (1.0, 2.5, math.pi / 2), math.pi / 2, v=1.0, a=-1.0)
    made.move(0, (3.0, 1.0), (1.0, 3.0, math.pi / 2), omega=2.0)
    made.fact(5, "end")
    return made


def rows_of(run: Any, *span: float) -> list[dict[str, str]]:
    out = io.StringIO()
    count = export.trajectories(run, out, *span)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(rows) == count
    return rows


def test_poses_at_a_tenth_of_a_second(run: MemoryRun) -> None:
    rows = rows_of(run)
    assert list(rows[0]) == ["time_s", "robot", "x_m", "y_m", "theta_rad"]
    assert len(rows) == 2 * 51
    assert {row["robot"] for row in rows} == {"r0", 'odd, "name"'}
    mine = {row["time_s"]: row for row in rows if row["robot"] == "r0"}
    assert list(mine)[:3] == ["0.0", "0.1", "0.2"]
    assert float(mine["1.0"]["y_m"]) == 2.0
    assert float(mine["1.6"]["y_m"]) == pytest.approx(2.0 + 0.6**2 / 2, abs=5e-5)
    assert float(mine["2.5"]["y_m"]) == pytest.approx(2.5 + 0.5 - 0.125, abs=5e-5)
    assert float(mine["3.5"]["theta_rad"]) == pytest.approx(math.pi / 2 + 1.0, abs=1e-5)
    end = math.remainder(math.pi / 2 + 2.0, 2 * math.pi)  # wrapped into (-pi, pi]
    assert float(mine["5.0"]["theta_rad"]) == pytest.approx(end, abs=1e-5)
    other = next(row for row in rows if row["robot"] != "r0")
    assert float(other["theta_rad"]) == pytest.approx(math.pi, abs=1e-5)


def test_a_span_includes_both_ends(run: MemoryRun) -> None:
    rows = rows_of(run, 1.55, 2.0)
    assert sorted({row["time_s"] for row in rows}) == ["1.6", "1.7", "1.8", "1.9", "2.0"]
    assert rows_of(run, 60.0, 70.0) == []


def test_footprints(run: MemoryRun) -> None:
    out = io.StringIO()
    assert export.footprints(run, out) == 2
    assert json.loads(out.getvalue())["r0"] == [[0.5, 0.3], [-0.5, 0.3], [-0.5, -0.3], [0.5, -0.3]]


def test_bytes_and_structs_as_json() -> None:
    class Inner(msgspec.Struct, array_like=True):
        sku: str

    class Outer(msgspec.Struct):
        moves: bytes
        lines: tuple[Inner, ...]

    value = export.plain(Outer(b"\x00\xff", (Inner("A"),)))
    assert value == {"moves": base64.b64encode(b"\x00\xff").decode(), "lines": [{"sku": "A"}]}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "a.run"
    record(of_site(SITE, seed=3, hours=0.05), path)
    return path


def test_the_command_writes_what_the_run_holds(recorded: Path, tmp_path: Path) -> None:
    poses, shapes, events = (tmp_path / name for name in ("p.csv", "f.json", "e.jsonl"))
    arguments = ["export", str(recorded), "--trajectories", str(poses), "--footprints", str(shapes)]
    assert main([*arguments, "--events", str(events), "--from", "1:00", "--to", "0:01:30"]) == 0
    rows = list(csv.DictReader(poses.open()))
    names = list(json.loads(shapes.read_text()))
    assert len(rows) == 301 * len(names) == 301 * 40
    with RunReader(recorded) as reader:
        entries = [e for e in reader.entries() if 60 * 10**9 <= e.time_ns <= 90 * 10**9]
        tracks = read_tracks(reader)
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert [(line["time_ns"], line["seq"]) for line in lines] == [
        (entry.time_ns, entry.seq) for entry in entries
    ]
    assert all(
        line["type"] == type(e.event).__name__ for line, e in zip(lines, entries, strict=True)
    )
    plans = [
        (a, b.event) for a, b in zip(lines, entries, strict=True) if a["type"] == "PathsPlanned"
    ]
    assert plans
    assert all(base64.b64decode(line["fields"]["moves"]) == event.moves for line, event in plans)
    at = next(row for row in rows if row["time_s"] == "75.0" and row["robot"] == names[5])
    row = [robot.name for robot in tracks.robots].index(names[5])
    x, y, _ = tracks.pose(_one(row), _one(75 * 10**9))
    assert (float(at["x_m"]), float(at["y_m"])) == pytest.approx((x[0], y[0]), abs=1e-4)


def _one(value: int) -> Any:
    return np.array([value], np.int64)


@pytest.mark.parametrize(
    "arguments",
    [[], ["--events", "-", "--from", "9", "--to", "3"], ["--footprints", "no/such/folder/f.json"]],
)
def test_what_can_not_be_done_is_refused(
    recorded: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(recorded), *arguments]) == 2
    assert capsys.readouterr().err.startswith("lightsout: ")


def test_a_robot_that_joins_late_has_no_rows_before() -> None:
    made = MemoryRun()
    made.robot(0, (0.0, 0.0, 0.0))
    made.robot(1, (5.0, 0.0, 0.0), joined_s=0.25)
    made.fact(0.4, "end")
    out = io.StringIO()
    assert export.trajectories(made, out) == 5 + 2
    rows = [line.split(",")[:2] for line in out.getvalue().splitlines()[1:]]
    assert [time_s for time_s, name in rows if name == "r1"] == ["0.3", "0.4"]
