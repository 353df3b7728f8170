"""Two runs side by side: where they part, figures that can be counted, and what more robots do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.journal import RunReader
from sim.compare import compare
from sim.compare.kinship import kinship
from sim.compare.page import page
from sim.compare.rows import Row
from sim.compare.words import difference, percent, shown
from sim.fork import Fork
from sim.forking import fork
from sim.recipe import of_site
from sim.recorded import record
from sim.scenario import ScenarioError

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
AT = 240.0


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.cli.COMMANDS", ("compare", "fork", "report"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A centre with too few robots; a fork without changes, and one with twenty more."""
    folder = tmp_path_factory.mktemp("runs")
    paths = {name: folder / f"{name}.run" for name in ("few", "same", "more")}
    record(of_site(SITE, seed=7, hours=0.3, fleets={"tote_amr": 4}), paths["few"])
    fork(paths["few"], Fork(AT), paths["same"])
    fork(paths["few"], Fork(AT, fleets={"tote_amr": 20}), paths["more"])
    return paths


def compared(runs: dict[str, Path], first: str, second: str, **span: float) -> dict[str, Any]:
    with RunReader(runs[first]) as one, RunReader(runs[second]) as two:
        found = compare((one, two), (first, second), **span)
    assert "http" not in page(found) and page(found).count("<svg") == 4
    return dict(json.loads(json.dumps(found.as_json())))


def test_twenty_more_robots_show_their_effect(runs: dict[str, Path]) -> None:
    found = compared(runs, "few", "more")
    figures, span = found["figures"], found["span"]
    assert span["from_s"] == AT and span["to_s"] == 1080.0 and span["kinship"] == "fork"
    assert "more: from 0:04:00 tote_amr +20" in span["why"]
    assert figures["robots"]["difference"] == 20
    for key in ("orders_per_hour", "orders_done", "open_at_end", "cycle_p95_s"):
        assert figures[key]["verdict"] == "better", (key, figures[key])
    assert figures["orders_done"]["second"] > 2 * figures["orders_done"]["first"]
    assert figures["utilisation.tote_amr"]["difference"] < 0, "the work is shared by more"
    assert figures["orders_received"]["difference"] == 0
    assert figures["machines.pick"]["difference"] > 0


def test_up_to_the_fork_both_curves_are_one(runs: dict[str, Path]) -> None:
    for key, curve in compared(runs, "few", "more")["series"].items():
        bins = int(AT // curve["bin_s"])
        assert curve["first"][:bins] == curve["second"][:bins], key
    queue = compared(runs, "few", "more")["series"]["queue"]
    assert queue["first"][-1] > queue["second"][-1] + 10


def test_a_fork_without_changes_differs_in_nothing(runs: dict[str, Path]) -> None:
    found = compared(runs, "few", "same")
    assert {row["difference"] for row in found["figures"].values()} <= {0, None}
    assert found["runs"][0]["journal_hash"] == found["runs"][1]["journal_hash"]
    assert found["runs"][1]["forked_from"][0]["run"] == "few.run"


def test_a_span_of_ones_own(runs: dict[str, Path]) -> None:
    whole = compared(runs, "few", "few")
    assert whole["span"] | {"why": ""} == {
        "from_s": 0.0, "to_s": 1080.0, "kinship": "same", "why": "",
    }  # fmt: skip
    halves = [compared(runs, "few", "few", from_s=a, to_s=b) for a, b in ((0, 500), (500, 1080))]
    for key in ("orders_done", "orders_received", "exceptions", "charges"):
        parts = sum(half["figures"][key]["first"] for half in halves)
        assert parts == pytest.approx(whole["figures"][key]["first"], abs=0.002)
    with pytest.raises(ScenarioError, match="nothing to compare: the span is 2000 s to 1080 s"):
        compared(runs, "few", "few", from_s=2000)


def test_figures_are_those_of_the_report(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(runs["more"]), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    figures = compared(runs, "more", "more")["figures"]
    assert figures["orders_done"]["first"] == report["orders"]["finished"]
    assert figures["orders_per_hour"]["first"] == pytest.approx(
        report["orders"]["per_hour"], abs=0.06
    )
    assert figures["cycle_p50_s"]["first"] == report["orders"]["cycle"]["p50_s"]
    waiting = 100 * report["fleets"]["all"]["waiting_share"]
    assert figures["waiting_percent"]["first"] == pytest.approx(waiting, abs=0.01)
    assert figures["exceptions"]["first"] == report["exceptions"]["opened"]
    used = sum(fleet["charges_used"] for fleet in report["energy"]["fleets"].values())
    assert figures["charges"]["first"] == pytest.approx(used, abs=0.002)
    assert report["run"]["forked_s"] == [AT] and report["run"]["forked_from"]


def meta(*forks: Fork, seed: int = 1) -> dict[str, Any]:
    return {"recipe": {"name": "x", "seed": seed, "forks": [asdict(row) for row in forks]}}


def test_a_run_that_was_played_is_another_than_the_simulated_one_whatever_the_recipe() -> None:
    recipe = {"files": {"site.yaml": "x"}, "seed": 7, "hours": 1.0}
    simulated, live = {"recipe": recipe}, {"recipe": recipe | {"hours": 24.0}, "live": True}
    assert kinship(simulated, live).kind == kinship(live, simulated).kind == "played"
    assert "played in two ways" in kinship(simulated, live).text(("a", "b"))
    other = {"recipe": recipe | {"seed": 8}, "building": True}
    assert kinship(live, other).kind == "apart"
    assert kinship(simulated, simulated).kind == "same"


def test_kinship_is_read_from_the_recipes() -> None:
    one, two, late = Fork(60.0), Fork(90.0, demand=2.0), Fork(120.0, settings={"lookahead": 3})
    for first, second, kind, since_s in (
        (meta(), meta(), "same", 0.0),
        (meta(), meta(one), "fork", 60.0),
        (meta(two, late), meta(two), "fork", 120.0),
        (meta(), meta(two, late), "fork", 90.0),
        (meta(two), meta(late), "siblings", 90.0),
        (meta(two, late), meta(two, one), "siblings", 60.0),
        (meta(two), meta(one, two), "fork", 60.0),
        (meta(two, two), meta(two), "fork", 90.0),
        (meta(), meta(seed=2), "apart", 0.0),
        ({}, {}, "apart", 0.0),
    ):
        found = kinship(first, second)
        assert (found.kind, found.since_s) == (kind, since_s)
        back = kinship(second, first)
        assert (back.kind, back.since_s) == (kind, since_s)
        assert found.text(("a", "b"))


def test_differences_in_words() -> None:
    row = Row("cycle_p50_s", "cycle", "s", -1, 200.0, 150.0)
    assert (difference(row), percent(row), row.verdict) == ("-50 s", "-25.0 %", "better")
    row = Row("share", "share", "%", 1, 80.0, 60.5)
    assert (difference(row), percent(row), row.verdict) == ("-19.5 points", "", "worse")
    row = Row("late", "late", "", -1, 0, 3)
    assert (difference(row), percent(row), row.verdict) == ("+3", "", "worse")
    row = Row("late", "late", "", -1, 3, None)
    assert (difference(row), percent(row), row.verdict) == ("-", "", "")
    assert shown(12345.678, "m") == "12,345.68 m" and shown(None, "m") == "-"


def test_the_commands(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, out = tmp_path / "b.run", tmp_path / "c.html"
    few = str(runs["few"])
    changes = ["--demand", "x2", "--set", "lookahead=5", "--fleet", "sorter=-2", "--faults", "none"]
    assert main(["fork", few, "--at", "15m", *changes, "--record", str(new), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["changes"] == "sorter -2, lookahead=5, demand x2, no faults"
    assert main(["compare", few, str(new), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "the same run up to 0:15:00" in text and "orders per hour" in text
    assert "fork" in out.read_text() or "from 0:15" in out.read_text()
    assert main(["report", str(new), "--out", str(out)]) == 0
    assert "forked from few.run at 0:15:00" in out.read_text()
    capsys.readouterr()
    for arguments, said in (
        (["fork", few, "--at", "2h", "--record", str(new)], "the run lasts 1080 s"),
        (["fork", few, "--at", "1m", "--fleet", "sorter=3", "--record", str(new)], "NAME=+N"),
        (["fork", few, "--at", "1m", "--demand", "much", "--record", str(new)], "write x1.5"),
        (["fork", few, "--at", "1m", "--demand", "x-1", "--record", str(new)], "not be negative"),
        (["fork", few, "--at", "1m", "--record", few], "is the run that is forked"),
        (["compare", few, str(tmp_path / "no.run")], "no.run"),
        (["compare", few, str(new), "--out", few], "is what is read"),
    ):
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fork", few, "--at", "soon", "--record", str(new)])
