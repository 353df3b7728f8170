"""Instances of the movingai benchmarks: what is read, what is refused and where, and the judge."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from orchestrator.cli import main
from orchestrator.commands import bench_mapf
from orchestrator.layout import LayoutError
from planners import lacam
from sim.lorr_files import InstanceError
from sim.mapf_files import judge, load

MAP = "type octile\nheight 3\nwidth 5\nmap\n.....\n.@T..\n...@.\n"
SCEN = (
    "version 1\n"
    "0\thall.map\t5\t3\t0\t0\t4\t0\t4.0\n"
    "0\thall.map\t5\t3\t4\t0\t0\t0\t4.0\n"
    "1\tmaps/hall.map\t5\t3\t0\t2\t2\t2\t2.0\n"
    "1\thall.map\t5\t3\t1\t2\t4\t2\t6.0\n"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "hall.map").write_text(MAP)
    (tmp_path / "hall.scen").write_text(SCEN)
    return tmp_path / "hall.map", tmp_path / "hall.scen"


def test_rows_are_read(files: tuple[Path, Path]) -> None:
    instance = load(*files, 3)
    assert instance.starts.tolist() == [0, 4, 10] and instance.goals.tolist() == [4, 0, 12]
    assert instance.lines == (2, 3, 4)
    assert instance.free.sum() == 12


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version 1\n", "", r"hall.scen:1: no 'version 1'"),
        ("\t4\t0\t0\t0\t4.0", "\t4\t0\t0\t4.0", r"hall.scen:3: 8 fields -> 9"),
        ("5\t3\t4\t0\t0", "5\t3\tx\t0\t0", r"hall.scen:3: 'x' is no whole number"),
        ("5\t3\t4\t0\t0", "5\t3\t-4\t0\t0", r"hall.scen:3: start \(-4, 0\) is off the map"),
        ("5\t3\t4\t0\t0", "5\t3\t5\t0\t0", r"hall.scen:3: start \(5, 0\) is off the map"),
        ("5\t3\t4\t0\t0", "5\t3\t1\t1\t0", r"hall.scen:3: start \(1, 1\) is an obstacle"),
        ("5\t3\t0\t2\t2\t2", "5\t3\t0\t2\t3\t2", r"hall.scen:4: goal \(3, 2\) is an obstacle"),
        ("5\t3\t4\t0\t0", "5\t3\t0\t0\t0", r"hall.scen:3: the same start as in line 2"),
        ("5\t3\t0\t2\t2\t2", "5\t3\t0\t2\t4\t0", r"hall.scen:4: the same goal as in line 2"),
        ("maps/hall.map", "maps/room.map", r"hall.scen:4: for room.map.* -> give the scenario of"),
        ("5\t3\t0\t2", "6\t3\t0\t2", r"hall.scen:4: for hall.map, 6 x 3; this map is"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    files: tuple[Path, Path], old: str, new: str, said: str
) -> None:
    assert old in SCEN
    files[1].write_text(SCEN.replace(old, new, 1))
    with pytest.raises(InstanceError, match=said):
        load(*files)


def test_too_many_agents_and_no_file_are_told(files: tuple[Path, Path]) -> None:
    with pytest.raises(InstanceError, match=r"5 agents asked, 4 there -> ask for fewer"):
        load(*files, 5)
    with pytest.raises(InstanceError, match=r"0 agents -> at least 1"):
        load(*files, 0)
    with pytest.raises(InstanceError, match="can't be read"):
        load(files[0], files[0].with_name("none.scen"))
    with pytest.raises(LayoutError, match="can't be read"):
        load(files[0].with_name("none.map"), files[1])


def test_no_bytes_break_the_readers(files: tuple[Path, Path]) -> None:
    """Many small changes to good files, one upon another: read, or refused with a mend."""
    chance = random.Random(7)
    read = refused = 0
    for text, path in ((MAP, files[0]), (SCEN, files[1])):
        for _ in range(200):
            near = bytearray(text.encode())
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(near))
                more = chance.choice((b"", b"\t", b"\n", b"-", b"9", b"\xff", b"\x00", b"\r", b"@"))
                near[at : at + chance.randrange(3)] = more * chance.choice((1, 1, 2, 30))
            path.write_bytes(near)
            try:
                instance = load(*files)
            except (InstanceError, LayoutError) as error:
                assert " -> " in str(error)
                refused += 1
            else:
                free = instance.free.ravel()
                assert free[instance.starts].all() and free[instance.goals].all()
                read += 1
        path.write_text(text)
    assert read > 10 and refused > 100


def test_the_judge_finds_what_is_wrong(files: tuple[Path, Path]) -> None:
    instance = load(*files, 2)  # 0 -> 4 and 4 -> 0 on the first row of five

    def faults(*rows: tuple[int, int]) -> str:
        return "; ".join(judge(instance, np.array(rows, np.int32)))

    assert "change places" in faults((0, 4), (1, 3), (2, 3), (3, 2), (4, 1), (4, 0))
    assert "in one cell" in faults((0, 4), (1, 3), (2, 2), (3, 1), (4, 0))
    assert "obstacle" in faults((0, 4), (5, 9), (6, 8), (4, 0))
    assert "jumps" in faults((0, 4), (4, 0))
    assert "from the starts" in faults((0, 4), (1, 4))
    east = [(0, 4), (1, 9), (2, 8), (3, 8), (4, 8), (4, 3), (4, 2), (4, 1), (4, 0)]
    assert faults(*east) == ""


def test_the_command_solves_and_says_how_well(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "plan.txt"
    arguments = ["bench", "mapf", *map(str, files), "--iterations", "2000", "--json"]
    assert main([*arguments, "--out", str(out), "--seed", "3"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["agents"] == 4 and figures["seed"] == 3 and figures["faults"] == []
    assert figures["lower_bound"] == 4 + 4 + 2 + 9 <= figures["sum_of_costs"]
    assert figures["ratio_over_time"][-1][1] == figures["ratio"]
    rows = [
        [tuple(map(int, place.split(","))) for place in line.split()]
        for line in out.read_text().splitlines()
    ]
    assert len(rows) == figures["makespan"] + 1
    assert rows[0] == [(0, 0), (4, 0), (0, 2), (1, 2)]
    assert rows[-1] == [(4, 0), (0, 0), (2, 2), (4, 2)]


def test_the_command_names_the_line_of_a_goal_that_is_cut_off(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files[0].write_text(MAP.replace("...@.", ".@.@."))
    assert main(["bench", "mapf", *map(str, files), "--agents", "3"]) == 2
    text = capsys.readouterr().err
    assert "hall.scen:4: agent 2: no way from its start to its goal -> mend" in text


def test_what_can_not_be_written_is_told_before_the_search(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_mapf, "_measure", None)
    for path in files:
        before = path.read_bytes()
        assert main(["bench", "mapf", *map(str, files), "--out", str(path)]) == 2
        assert f"{path.name}: is what is read -> give another" in capsys.readouterr().err
        assert path.read_bytes() == before
    assert main(["bench", "mapf", *map(str, files), "--out", str(files[0].parent)]) == 2
    assert "is no regular file -> give a file name" in capsys.readouterr().err


def test_a_goal_that_is_too_far_is_not_said_to_be_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a corridor longer than tables count, and an agent from end to end."""
    (tmp_path / "hall.map").write_text("type octile\nheight 1\nwidth 70000\nmap\n" + "." * 70_000)
    row = "0\thall.map\t70000\t1\t0\t0\t69999\t0\t69999\n"
    (tmp_path / "hall.scen").write_text("version 1\n" + row)
    paths = [str(tmp_path / name) for name in ("hall.map", "hall.scen")]
    assert main(["bench", "mapf", *paths, "--iterations", "100"]) == 2
    text = capsys.readouterr().err
    assert "hall.scen:2: agent 0: no way from its start to its goal of at most 65534 steps" in text


def test_more_of_what_was_bounded_is_advised(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lacam, "solve", lambda problem, stop, *_: stop(3) and None)
    assert main(["bench", "mapf", *map(str, files), "--iterations", "3"]) == 1
    assert "give it longer (--iterations)" in capsys.readouterr().out
