"""The report: figures that can be counted by hand, and a page that stands alone."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from orchestrator.cli import main
from orchestrator.journal import RunReader
from sim import report
from sim.recipe import of_site, with_faults
from sim.recorded import record
from sim.report import fleet, floor, orders, timeline
from sim.report import spans as cuts
from sim.report.svg import nice
from sim.report.timeline import STATES, Places
from sim.verification.memory import MemoryRun
from sim.verification.outcomes import Ledger, OrderTruth
from sim.verification.tracks import read_tracks

SITE = Path(__file__).resolve().parents[2] / "sites" / "jd_small"
VOID = {"meta", "br"}


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only these: no other command needs to load."""
    monkeypatch.setattr("orchestrator.cli.COMMANDS", ("verify", "report", "export"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "a.run"
    record(with_faults(of_site(SITE, seed=11, hours=0.15), "default"), path)
    return path


@pytest.fixture(scope="module")
def built(recorded: Path) -> report.Report:
    with RunReader(recorded) as reader:
        return report.build(reader)


PLACES = Places(
    nodes_m=np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]),
    bay_nodes=np.array([0, -1, -1, 1]),
    bay_kind=["charger", "station"],
    bay_station=["", "pick-0"],
    handling_s={"amr": (2.0, 1.0)},
)


def shuttle() -> MemoryRun:
    """r0 stands on a charger for 10 s, drives 1 m, waits 5 s, drives on 2 m through a node, takes a
    load for 2 s at the station, waits there 3 s, drives back 3 m with it, ends at 60 s."""
    run = MemoryRun()
    run.robot(0, (0.0, 0.0, 0.0))
    run.move(0, (10, 1.0), (0.0, 0.0, 0.0), a=1.0)
    run.move(0, (11, 1.0), (0.5, 0.0, 0.0), v=1.0, a=-1.0)
    run.move(0, (17, 1.0), (1.0, 0.0, 0.0), a=1.0)
    run.move(0, (18, 0.5), (1.5, 0.0, 0.0), v=1.0)
    run.move(0, (18.5, 0.5), (2.0, 0.0, 0.0), v=1.0)
    run.move(0, (19, 1.0), (2.5, 0.0, 0.0), v=1.0, a=-1.0)
    run.fact(22, "load_moved", load="tote", **{"from": "slot:x", "to": "robot:r0"})
    run.move(0, (25, 1.0), (3.0, 0.0, 0.0), np.pi, a=1.0)
    run.move(0, (26, 2.0), (2.5, 0.0, 0.0), np.pi, v=1.0)
    run.move(0, (28, 1.0), (0.5, 0.0, 0.0), np.pi, v=1.0, a=-1.0)
    run.fact(60, "end")
    return run


def seconds_by_state(run: MemoryRun, rising: list[tuple[int, int]]) -> dict[str, float]:
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    spans = cuts.build(read_tracks(run), facts, PLACES, rising)
    assert spans.seconds.sum() == pytest.approx(60.0)
    totals = np.bincount(spans.state, spans.seconds, minlength=len(STATES))
    return {s: round(float(v), 3) for s, v in zip(STATES, totals, strict=True) if v}


def test_what_a_robot_did_adds_up() -> None:
    wanted = {
        "idle": 10.0,
        "driving_empty": 5.0,
        "waiting": 5.0,
        "handling": 2.0,
        "at_station": 3.0,
        "driving_loaded": 4.0,
    }
    # Back on the charger with its load: that is no idling.
    assert seconds_by_state(shuttle(), []) == wanted | {"waiting": 36.0}
    charged = wanted | {"waiting": 36.0, "charging": 10.0}
    del charged["idle"]
    assert seconds_by_state(shuttle(), [(0, 4 * 10**9)]) == charged


def test_a_dead_robot_is_down() -> None:
    run = shuttle()
    run.fact(13, "fault", kind="robot_dies", robot="r0", reason="drive")
    run.fact(16, "fault_ended", kind="robot_dies", robot="r0")
    assert seconds_by_state(run, [])["down"] == 3.0


def test_metres_and_stop_and_go() -> None:
    run = shuttle()
    tracks = read_tracks(run)
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    spans = cuts.build(tracks, facts, PLACES, [])
    rolled = fleet.StopAndGo(1, PLACES)
    rolled.add(tracks)
    figures = fleet.fleets(tracks.robots, spans, rolled)["amr"]
    assert (figures["empty_m"], figures["loaded_m"]) == (3.0, 3.0)
    assert figures["empty_share"] == 0.5
    # Node 1 was a stop, node 2 was rolled over; the way back passes both without a piece's end.
    assert rolled.of(np.array([True])) == (1, 2)
    assert figures["stop_and_go_share"] == 0.5


def test_heat_map_holds_every_second_of_driving() -> None:
    run = shuttle()
    tracks = read_tracks(run)
    grid = floor.grid_of(PLACES.nodes_m, 0.25, 120)
    assert floor.moving(tracks, grid).sum() == pytest.approx(9.0)


def order(name: str, received_s: float, due_s: float, right_s: float) -> OrderTruth:
    made = OrderTruth(name, "outbound", {}, int(received_s * 1e9), int(due_s * 1e9))
    made.right_ns = int(right_s * 1e9) if right_s >= 0 else -1
    return made


def test_orders_by_hand() -> None:
    rows = [
        order("a", 0, 600, 100),
        order("b", 10, 600, 310),
        order("c", 20, 600, 620),
        order("d", 30, 600, -1),
        order("e", 40, 6000, -1),
    ]
    ledger = Ledger({row.order_id: row for row in rows})
    figures = orders.figures(ledger, 900 * 10**9)
    assert (figures["received"], figures["finished"], figures["per_hour"]) == (5, 3, 12.0)
    assert [row["orders"] for row in figures["throughput_5min"]] == [1, 1, 1]
    assert [row["per_hour"] for row in figures["throughput_15min"]] == [12.0]
    assert (figures["due"], figures["on_time"], figures["on_time_share"]) == (4, 2, 0.5)
    assert figures["cycle"]["p50_s"] == 300.0
    assert sum(row["orders"] for row in figures["cycle"]["histogram"]) == 3
    seen = [(5, "picture", {"subject": "parcel-d", "image": "ab" * 32})]
    left = orders.unfinished(ledger, {}, 900 * 10**9, seen)
    assert [row["picture"] for row in left] == ["ab" * 32, ""]
    assert [(row["order"], row["reason"]) for row in left] == [
        ("d", "overdue at the end of the run"),
        ("e", "in work at the end of the run"),
    ]


def test_faults_and_how_they_ended() -> None:
    fault = {"kind": "robot_dies", "robot": "r0"}
    facts: list[Any] = [
        (10**9, "fault", fault),
        (5 * 10**9, "fault_ended", fault),
        (7 * 10**9, "fault", fault),
        (9 * 10**9, "human_touched", {"robot": "r0"}),
        (9 * 10**9, "fault_ended", fault),
        (11 * 10**9, "fault", fault),
    ]
    ends = [(row["seconds"], row["ended"]) for row in orders.faults(facts)]
    assert ends == [
        (4.0, "restarted from afar"), (2.0, "a person came"), (None, "not within the run"),
    ]  # fmt: skip


def test_rising_charge() -> None:
    class BatteryCrossed(SimpleNamespace):
        pass

    levels = [500, 450, 500, 550, 500]
    entries = [
        SimpleNamespace(time_ns=i, event=BatteryCrossed(robot=7, battery_permille=level))
        for i, level in enumerate(levels)
    ]
    reports = timeline.charge_reports(entries, {7: 3})
    assert timeline.rising(reports) == [(3, 2), (3, 3)]


@pytest.mark.parametrize(("top", "end"), [(40, 40), (40.002, 40), (41, 60), (0, 1), (7, 8)])
def test_axes_are_round(top: float, end: float) -> None:
    assert nice(top)[0] == pytest.approx(end)


class Tags(HTMLParser):
    """Checks nesting, collects attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [str(v) for k, v in attrs if k in ("href", "src", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_stands_alone_and_holds_the_figures(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.html"
    assert main(["report", str(recorded), "--out", str(out)]) == 0
    text = out.read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.open == [] and tags.links == []
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", text)
    assert "prefers-color-scheme:dark" in text
    assert tags.seen.count("svg") >= 6
    with RunReader(recorded) as reader:
        figures = report.figures(reader)
    words = " ".join(tags.text)
    for wanted in (
        f"{figures['orders']['per_hour']:g}",
        f"{figures['orders']['finished']} of {figures['orders']['received']} finished",
        figures["run"]["journal_hash"],
        figures["run"]["site_hash"],
        *figures["fleets"],
    ):
        assert wanted and wanted in words


def test_figures_of_a_recorded_run_agree_with_each_other(built: report.Report) -> None:
    figures = json.loads(json.dumps(built.figures))
    for row in figures["fleets"].values():
        assert sum(row["share"].values()) == pytest.approx(1.0, abs=1e-3)
    assert figures["fleets"]["all"]["robots"] == figures["run"]["robots"] == 40
    total = figures["fleets"]["all"]["loaded_m"]
    parts = sum(row["loaded_m"] for name, row in figures["fleets"].items() if name != "all")
    assert total == pytest.approx(parts, abs=0.2) and total > 100
    count = figures["orders"]["finished"]
    assert sum(row["orders"] for row in figures["orders"]["throughput_5min"]) == count > 10
    for row in figures["fleet_over_time"]:
        assert sum(row["robots"].values()) == pytest.approx(40, abs=0.05)
    assert figures["verification"]["clean"], figures["verification"]["finding_counts"]
    picks = [row for row in figures["stations"] if row["station"].startswith("pick")]
    assert len(picks) == 4 and all(0 < row["occupied_share"] < 1 for row in picks)
    driven = sum(row["share"]["driving_loaded"] + row["share"]["driving_empty"]
                 for name, row in figures["fleets"].items() if name == "all")  # fmt: skip
    seconds = built.moving[0].sum() / (figures["run"]["simulated_s"] * 40)
    assert driven == pytest.approx(seconds, abs=1e-3)


def test_json_without_a_page(
    recorded: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["report", str(recorded), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"]["name"] == "jd_small"
    assert not recorded.with_suffix(".html").exists()


def test_verify_by_command(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(recorded), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["clean"] and verdict["contact"]["contacts"] == 0
    assert verdict["contact"]["clearance_m"] > 0
    assert main(["verify", str(recorded)]) == 0
    assert "nothing found" in capsys.readouterr().out


def test_unusable_input(tmp_path: Path) -> None:
    (tmp_path / "b.run").write_text("no run at all")
    for command in (["verify"], ["report"], ["export", "--events", "-"]):
        assert main([command[0], str(tmp_path / "b.run"), *command[1:]]) == 2
        assert main([command[0], str(tmp_path / "missing.run"), *command[1:]]) == 2


def test_a_stretch_at_a_time_gives_the_same_report(
    recorded: Path, built: report.Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robots drive, stand, charge and carry across the edges of the stretches."""
    monkeypatch.setattr("sim.verification.stretches.STRETCH_NS", 97 * 10**9)
    with RunReader(recorded) as reader:
        pieces = report.build(reader)
    rest = [
        {key: value for key, value in side.figures.items() if key not in ("fleet_over_time",)}
        for side in (pieces, built)
    ]
    assert rest[0] == rest[1]
    for row, other in zip(
        pieces.figures["fleet_over_time"], built.figures["fleet_over_time"], strict=True
    ):
        assert row["robots"] == pytest.approx(other["robots"], abs=2e-3)
    assert pieces.moving[0] == pytest.approx(built.moving[0])
    assert pieces.standing[0].sum() == pytest.approx(built.standing[0].sum())
