"""Li & Lim: what the reader refuses, what the judge finds, and the given instances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli import main
from planners.tours import RoutingTours, TourParameters
from sim import li_lim
from sim.li_lim import LiLimError, judge, load

SMALL = """\
2 10 1
0 0 0 0 0 100 0 0 0
1 3 4 6 0 50 1 0 2
2 6 8 -6 0 50 1 1 0
3 0 5 7 20 30 1 0 4
4 0 9 -7 0 60 1 3 0
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_text(SMALL)
    return path


def test_reads(small: Path) -> None:
    instance = load(small)
    assert (instance.vehicles, instance.capacity, len(instance.tasks)) == (2, 10, 5)
    assert instance.tasks[3].sibling == 4 and instance.tasks[3].earliest == 20


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2 10 1\n", "2 10\n", ":1: 2 values"),
        ("2 10 1\n", "0 10 1\n", ":1: "),
        ("1 3 4 6 0", "1 3 x 6 0", ":3: could not convert"),
        ("1 3 4 6 0", "1 3 nan 6 0", ":3: a number is out of range"),
        ("0 50 1 0 2", "0 50 1 0", ":3: 8 values"),
        ("3 0 5", "7 0 5", ":5: task 7"),
        ("20 30", "40 30", ":5: window 40..30"),
        ("1 0 4\n", "1 0 9\n", ":5: pickup 0, delivery 9"),
        ("1 3 0\n", "1 3 2\n", ":6: pickup 3, delivery 2"),
        ("0 5 7", "0 5 -7", ":5: demand -7"),
        ("0 9 -7", "0 9 -6", ":5: task 3 and its partner 4"),
        ("0 9 -7", "0 9 -6.5", ":6: a fraction"),
        ("0 0 0 0 0 100 0 0 0", "0 0 0 0 0 100 0 0 1", ":2: the depot"),
        (SMALL, "", ":1: empty"),
        (SMALL, "2 10 1\n", ":1: 0 tasks"),
    ],
)
def test_refuses(small: Path, old: str, new: str, says: str) -> None:
    assert old in SMALL
    small.write_text(SMALL.replace(old, new, 1))
    with pytest.raises(LiLimError) as caught:
        load(small)
    assert f"{small}{says}" in str(caught.value) and " -> " in str(caught.value)


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ([[1, 2]], "task 3 is not served"),
        ([[1, 2], [3, 4], [1, 2]], "twice"),
        ([[1, 2], [3, 4], [5]], "3 routes"),
        ([[1, 2], [3, 4, 5]], "no such task 5"),
        ([[2, 1], [3, 4]], "task 2 without its pickup 1"),
        ([[1, 4], [3, 2]], "task 4 without its pickup 3"),
        ([[1, 3], [2, 4]], "task 1 is never delivered"),
        ([[1, 3, 2, 4]], "13 aboard after task 3"),
        ([[1, 2, 3, 4]], ""),
    ],
)
def test_the_judge(small: Path, routes: list[list[int]], says: str) -> None:
    faults = judge(load(small), routes).faults
    assert any(says in fault for fault in faults) if says else not faults


def test_the_judge_knows_time_and_distance(small: Path) -> None:
    verdict = judge(load(small), [[1, 2], [3, 4]])
    assert verdict.vehicles == 2 and not verdict.faults
    assert verdict.distance == pytest.approx(5 + 5 + 10 + 5 + 4 + 9)
    small.write_text(SMALL.replace("20 30", "20 4.9").replace("20 4.9", "0 4.9"))
    assert "task 3 at 5.000, latest 4.9" in judge(load(small), [[1, 2], [3, 4]]).faults[0]
    small.write_text(SMALL.replace("0 100 0", "0 33 0"))
    assert "back at 35.000" in judge(load(small), [[1, 2], [3, 4]]).faults[0]


def test_planned_then_judged(small: Path) -> None:
    instance = load(small)
    plan = RoutingTours(TourParameters(solutions=30)).plan(li_lim.problem(instance))
    verdict = judge(instance, li_lim.routes(instance, plan.stops))
    assert not verdict.faults and verdict.vehicles == 1


def test_command(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = {"small": {"vehicles": 1, "distance": 30.0}}
    (tmp_path / "best_known.json").write_text(json.dumps(known))
    out = tmp_path / "routes.txt"
    arguments = ["bench", "pdptw", str(small), "--solutions", "20", "--json", "--out", str(out)]
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["feasible"] and figures["vehicles"] == 1 and figures["gap_vehicles"] == 0
    rows = [line for line in out.read_text().splitlines() if line.startswith("Route")]
    told = [[int(part) for part in row.split(":")[1].split()] for row in rows]
    assert judge(load(small), told).distance == pytest.approx(figures["distance"], abs=0.01)


def test_command_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "pdptw", "no_such_instance"]) == 2
    assert "LIGHTSOUT_DATA" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "vehicles"), [("lc101", 10), ("lr109", 14)])
def test_floor(name: str, vehicles: int) -> None:
    """What plain OR-Tools reaches, by solutions instead of the clock."""
    try:
        path = li_lim.find(Path(name))
    except LiLimError as error:
        pytest.skip(str(error))
    instance = load(path)
    plan = RoutingTours(TourParameters(solutions=200)).plan(li_lim.problem(instance))
    verdict = judge(instance, li_lim.routes(instance, plan.stops))
    assert not verdict.faults and verdict.vehicles <= vehicles
    if name == "lc101":
        assert verdict.distance == pytest.approx(828.94, abs=0.01)
