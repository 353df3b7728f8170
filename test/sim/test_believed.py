"""A live run has no ground truth: its journal must do, to be put beside a rehearsal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import planted
import pytest
from whole_ring import whole_files

from orchestrator import cli
from orchestrator.core.messages import Entry, OrderReceived, encode
from orchestrator.journal import RunReader, RunWriter
from sim.compare import compare
from sim.compare.believed import BelievedRun
from sim.recipe import Recipe
from sim.recorded import record

EXACT = (
    "orders_received", "robots", "machines.pick", "machines.pack", "machines.verify", "human_touches",
    "exceptions",
)  # fmt: skip
ABOUT = {  # key -> how far off it may be
    "orders_done": 2, "late": 2, "cycle_p50_s": 25, "metres_per_order": 8, "waiting_percent": 8,
    "utilisation.amr": 3, "empty_percent": 3, "open_at_end": 2,
    "charging_percent": 0.5,
}  # fmt: skip
FAULTS = "format: 1\nrobot_dies: {per_robot_hour: 2, restart_s: [30, 60], restart_success: 1}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("believed") / "true.run"
    record(Recipe("fine", planted.picking(), hours=0.5, seed=3, faults=FAULTS), path)
    return path


def figures_of(path: Path) -> dict[str, Any]:
    with RunReader(path) as reader:
        rows = compare((reader, BelievedRun(reader)), ("true", "believed")).rows
    return {row.key: row for row in rows}


def test_what_the_journal_lets_one_believe_is_close_to_the_truth(run: Path) -> None:
    rows = figures_of(run)
    for key in EXACT:
        assert rows[key].first == rows[key].second, key
    for key, most in ABOUT.items():
        assert abs(rows[key].first - rows[key].second) <= most, rows[key]
    assert rows["orders_done"].second > 10
    deaths = [row for key, row in rows.items() if key.startswith("faults.robot")]
    assert deaths and all(row.first == row.second > 0 for row in deaths)


def test_trucks_are_believed_too(tmp_path: Path) -> None:
    path = tmp_path / "trucks.run"
    record(Recipe("whole", whole_files(), hours=0.7, seed=1), path)
    rows = figures_of(path)
    assert rows["trucks"].first == rows["trucks"].second == 2
    assert rows["trucks_percent"].first == rows["trucks_percent"].second
    assert abs(rows["orders_done"].first - rows["orders_done"].second) <= 2


def test_a_rehearsal_beside_a_run_without_ground_truth(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = tmp_path / "live.run"
    with RunReader(run) as reader:
        writer = RunWriter(live, {"recipe": reader.meta["recipe"], "live": True})
        seq = 0
        for entry in reader.entries():
            writer.append(encode(entry), entry.time_ns, entry.seq)
            seq = entry.seq + 1
        odd = OrderReceived(order_id="odd", kind="no such type", lines=())
        writer.append(encode(Entry(entry.time_ns, seq, odd)), entry.time_ns, seq)
        writer.commit()
        writer.close("closed", books=reader.meta["books"], figures={})
    assert cli.main(["compare", str(run), str(live), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "live holds no ground truth" in found["span"]["why"]
    figures = found["figures"]
    assert figures["orders_received"]["difference"] == 1, "one of a type that the site has not"
    assert abs(figures["orders_done"]["difference"]) <= 2
    assert cli.main(["verify", str(live)]) == 2
    assert "a live run holds no ground truth -> lightsout replay" in capsys.readouterr().err
    page = tmp_path / "page.html"
    assert cli.main(["compare", str(run), str(live), "--out", str(page)]) == 0
    assert page.stat().st_size > 10_000
