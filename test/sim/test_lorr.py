"""The League of Robot Runners: rules, files, and whole matches judged by our own replay."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import small_league

from orchestrator.layout import LayoutError
from planners import node_tables
from planners.grid import Grid
from planners.jam import Watchdog
from sim import lorr, lorr_entry
from sim.lorr_files import Instance, InstanceError, load
from sim.lorr_rules import Floor
from sim.lorr_settings import CROWDED, DENSE, FULL, HUGE, Settings

DATA = Path(os.environ.get("LIGHTSOUT_DATA", Path(__file__).parents[3] / "shared")) / "data"
FORWARD = 1
ROW = "........\n"
SPLIT = f"type octile\nheight 6\nwidth 8\nmap\n{4 * ROW}@@@@@@@@\n{ROW}"  # a wall across


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Six robots on a 6 x 8 floor with two shelves."""
    return small_league.written(tmp_path)


def replay(instance: Path, result: dict) -> Iterator[tuple[int, list[int]]]:
    """Drive the result's paths on the map; yield (time, cells) after each step."""
    given = load(instance)
    rows, width = given.free.shape
    cells, heading = list(given.starts), [0] * len(given.starts)
    paths = [path.split(",") for path in result["actualPaths"]]
    for step in range(len(paths[0])):
        new = list(cells)
        for robot, path in enumerate(paths):
            action = path[step]
            if action == "F":
                row, column = divmod(cells[robot], width)
                row += (0, 1, 0, -1)[heading[robot]]
                column += (1, 0, -1, 0)[heading[robot]]
                assert 0 <= row < rows and 0 <= column < width and given.free[row, column]
                new[robot] = row * width + column
            else:
                heading[robot] = (heading[robot] + {"R": 1, "C": 3, "W": 0, "T": 0}[action]) % 4
        assert len(set(new)) == len(new)
        moved = {(a, b) for a, b in zip(cells, new, strict=True) if a != b}
        assert not moved & {(b, a) for a, b in moved}
        cells = new
        yield step + 1, cells


def test_a_match_keeps_the_rules_and_its_events_are_true(instance: Path) -> None:
    result = lorr.run_lorr(instance, 120, 60_000, iterations=128)
    assert result["numTaskFinished"] > 20
    assert (result["numEntryTimeouts"], result["numPlannerErrors"]) == (0, 0)
    assert result["numScheduleErrors"] == 0
    tasks = load(instance).tasks
    events = {}
    for time, robot, task, errand in result["events"]:
        events.setdefault(time, []).append((robot, tasks[task % len(tasks)][errand - 1]))
    seen = 0
    for time, cells in replay(instance, result):
        for robot, cell in events.get(time, []):
            assert cells[robot] == cell
            seen += 1
    assert seen == len(result["events"]) > 0
    revealed = {task: at for task, at, _ in result["tasks"]}
    assert [revealed[task] for task in range(9)] == [0] * 9, "1.5 tasks for each robot"
    finished = [time for time, _, _, errand in result["events"] if errand == 2]
    for task, at in revealed.items():
        assert task < sum(time <= at for time in finished) + 9


def test_the_same_match_twice(instance: Path) -> None:
    first, second = (lorr.run_lorr(instance, 40, 60_000, iterations=128) for _ in range(2))
    del first["plannerTimes"], second["plannerTimes"]
    assert first == second


def test_who_is_late_waits(instance: Path) -> None:
    match = lorr.Match(load(instance), Settings(), iterations=0)
    match.run(20, 1e-5)
    assert match.timeouts > 0
    assert all(len(path.split(",")) == 20 for path in match.result()["actualPaths"])
    assert "T" in match.result()["actualPaths"][0]


def test_a_result_is_written(instance: Path, tmp_path: Path) -> None:
    result = lorr.run_lorr(instance, 5, 60_000, iterations=0, settings=Settings())
    (tmp_path / "out.json").write_text(lorr.result_text(result))
    assert json.loads((tmp_path / "out.json").read_text()) == result


@pytest.fixture
def floor(instance: Path) -> Floor:
    given = load(instance)
    return Floor(given, Grid.of(given.free))


def test_nobody_moves_when_one_move_is_wrong(floor: Floor) -> None:
    before = floor.states.copy()
    idle = np.full(6, -1, np.int32)
    actions = np.zeros(6, np.int32)
    actions[1] = FORWARD  # robot 1 stands at the east wall and faces east
    actions[0] = FORWARD
    floor.step(actions, idle)
    assert floor.states.tolist() == before.tolist()
    assert floor.planner_errors[0][0] == 1 and floor.time == 1


def test_an_opened_task_stays_with_its_robot(floor: Floor) -> None:
    schedule = np.full(6, -1, np.int32)
    schedule[2] = 1  # its first errand is where robot 2 stands
    floor.step(np.zeros(6, np.int32), schedule)
    assert floor.opened().tolist() == [False, False, True, False, False, False]
    assert floor.events == [[1, 2, 1, 1]]
    other = np.full(6, -1, np.int32)
    other[3] = 1
    floor.step(np.zeros(6, np.int32), other)
    assert floor.schedule_errors[0][:2] == [-1, 2]
    assert floor.current[2] == 1, "a refused schedule changes nothing"


def test_who_stands_with_a_task_is_counted(floor: Floor) -> None:
    schedule = np.array([0, -1, 2, 3, 4, -1], np.int32)
    for step in range(6):
        actions = np.zeros(6, np.int32)
        actions[0] = FORWARD if step == 0 else 0
        actions[2] = FORWARD if step == 3 else 2  # turns on the spot, but for once
        floor.step(actions, schedule)
    assert not floor.planner_errors
    assert np.flatnonzero(floor.standing(500)).tolist() == [3, 4], "1 and 5 have nothing to do"
    assert np.flatnonzero(floor.standing(4)).tolist() == [0, 3, 4]


@pytest.mark.parametrize("task", [99, 9])
def test_a_task_that_is_not_revealed_is_refused(floor: Floor, task: int) -> None:
    schedule = np.full(6, -1, np.int32)
    schedule[0] = task
    floor.step(np.zeros(6, np.int32), schedule)
    assert floor.schedule_errors and (floor.current == -1).all()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.agents", "6\n0\n7\n9\n23\n40\n47\n", "a.agents:4"),
        (
            "a.agents",
            "6\n0\n7\n16\n0\n40\n47\n",
            "a.agents:5: robot starts in cell 0, as that of line 2",
        ),
        ("a.agents", "", "a.agents: is empty"),
        ("a.agents", ",\n0\n", "a.agents:1: ',' holds no number"),
        ("a.agents", "-6\n0\n", "a.agents:1: '-6' -> write how many rows follow"),
        ("a.agents", "1\n9\n", "a.agents:2: cell 9 (row 1, column 1) is an obstacle"),
        ("a.agents", "1\n-1\n", "a.agents:2: cell -1 is off the map, which has 0 to 47"),
        ("a.agents", "6\n0\n7 1\n16\n23\n40\n47\n", "a.agents:3: a start is one cell"),
        ("a.agents", "1\n0_3\n", "a.agents:2: '0_3' is no whole number"),
        ("a.agents", "9\n0\n7\n", "a.agents"),
        ("t.tasks", "5\n3,x\n", "t.tasks:2"),
        ("t.tasks", "1\n,\n", "t.tasks:2: ',' holds no number"),
        ("t.tasks", "0\n", "t.tasks"),
        ("m.map", SPLIT, "t.tasks:3: no robot can get to all cells of the task [3, 44]"),
        ("small.json", '{"mapFile": "m.map"}', "small.json: agentFile is missing"),
        ("small.json", "{", "small.json:1"),
        ("small.json", "null", "small.json: is no JSON object"),
        ("small.json", "[" * 100_000, "small.json: nested too deep"),
        ("small.json", "1" * 5000, "small.json: Exceeds the limit"),
    ],
)
def test_bad_files_are_named_with_their_line(
    instance: Path, name: str, text: str, says: str
) -> None:
    (instance.parent / name).write_text(text)
    with pytest.raises(InstanceError, match=re.escape(says)) as caught:
        load(instance)
    assert "->" in str(caught.value), "an error says how to mend it"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("mapFile", 5, "mapFile is 5 -> write a file name"),
        ("mapFile", "a\0b", "can't be read: embedded null byte"),
        ("teamSize", math.inf, "teamSize is Infinity -> write a whole number"),
        ("teamSize", 1.9, "teamSize is 1.9"),
        ("teamSize", "2", 'teamSize is "2"'),
        ("teamSize", True, "teamSize is true"),
        ("teamSize", 0, "teamSize 0 -> make it 1 at least"),
        ("teamSize", 7, "teamSize 7, but 6 starts -> lower it"),
        ("numTasksReveal", "many", 'numTasksReveal is "many" -> write a number'),
        *(
            (
                "numTasksReveal",
                value,
                "6 robots, is how many tasks are visible at a time -> make it 1",
            )
            for value in (1e300, 10**400, math.nan, math.inf, -1, 0, 1e-9)
        ),
    ],
)
def test_keys_of_an_instance_are_checked(
    instance: Path, key: str, value: object, says: str
) -> None:
    """1e300 tasks at a time filled all memory, and 1e-9 was a match without a task or a word."""
    instance.write_text(json.dumps(json.loads(instance.read_text()) | {key: value}))
    with pytest.raises((InstanceError, LayoutError), match=re.escape(says)):
        load(instance)


def test_a_byte_order_mark_is_no_part_of_a_file(instance: Path) -> None:
    """Given the files as some editors save them, then it is the same instance."""
    before = load(instance)
    for path in instance.parent.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    after = load(instance)
    assert (after.free == before.free).all()
    assert (after.starts, after.tasks) == (before.starts, before.tasks)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "steps", "least"),
    [("random.domain/RANDOM-01", 150, 110), ("ws2e.domain/ws2e_100", 150, 200)],
)
def test_real_instances(name: str, steps: int, least: int) -> None:
    """Real instances, by iterations instead of the clock; our own replay judges."""
    path = DATA / "lorr2024" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no {path.name} below LIGHTSOUT_DATA")
    result = lorr.run_lorr(path, steps, 60_000, iterations=256)
    assert sum(1 for _ in replay(path, result)) == steps
    assert result["numTaskFinished"] >= least


def test_an_instance_that_needs_too_much_memory_is_refused(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lorr_entry, "TABLE_BYTES_MAX", 100)
    monkeypatch.setattr(lorr_entry, "CROWD_BYTES_MAX", (100, 8 * 80))
    with pytest.raises(InstanceError, match=r"6 robots on 40 cells need 9 .* 8 fit .* take fewer"):
        lorr.Match(load(instance))


@pytest.mark.parametrize("tables", [40, 14])
def test_the_crowds_entry_plays_by_the_rules(
    instance: Path, monkeypatch: pytest.MonkeyPatch, tables: int
) -> None:
    """The planner for ten thousand robots, on a small instance, with tables for all 40 cells or for
    few at a time: our own replay judges."""
    monkeypatch.setattr(lorr_entry, "CROWD", 1)
    monkeypatch.setattr(lorr_entry, "CROWD_BYTES_MAX", (1 if tables < 40 else 40 * 80, tables * 80))
    result = lorr.run_lorr(instance, 60, 60_000, iterations=128)
    assert sum(1 for _ in replay(instance, result)) == 60
    assert result["numTaskFinished"] > 0
    again = lorr.run_lorr(instance, 60, 60_000, iterations=128)
    assert again["actualPaths"] == result["actualPaths"]


@pytest.mark.parametrize("settings", [FULL, HUGE])
def test_tasks_may_lie_where_the_map_marks_nothing(
    settings: Settings, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a map that marks one place of errands, and tasks elsewhere, then marks tell nothing."""
    monkeypatch.setattr(lorr_entry, "CROWD", 1 if settings is HUGE else 1500)
    (instance.parent / "m.map").write_text(
        "type octile\nheight 6\nwidth 8\nmap\nE" + "\n".join(small_league.ROWS)[1:] + "\n"
    )
    match = lorr.Match(load(instance), settings, iterations=16)
    match.run(40, 60.0)
    assert match.tasks.finished > 0 and not match.tasks.planner_errors


def test_marks_tell_where_errands_may_be(instance: Path) -> None:
    """Given a map that marks the places of all tasks, and one more, then errands may be there."""
    cells = {cell for task in load(instance).tasks for cell in task} | {8}
    text = ["E" if k in cells else c for k, c in enumerate("".join(small_league.ROWS))]
    rows = ["".join(text[8 * row : 8 * row + 8]) for row in range(6)]
    (instance.parent / "m.map").write_text(
        "type octile\nheight 6\nwidth 8\nmap\n" + "\n".join(rows)
    )
    errand = load(instance).errand
    assert errand is not None and np.flatnonzero(errand).tolist() == sorted(cells)


@pytest.mark.parametrize("settings", [CROWDED, DENSE, FULL, HUGE])
def test_what_a_jam_needs_is_compiled_before_the_clock_runs(
    settings: Settings, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first jam of a match takes as long as its kernels to compile."""
    jams, drive = [], Watchdog._drive
    monkeypatch.setattr(Watchdog, "_drive", lambda *parts: (jams.append(1), drive(*parts)))
    monkeypatch.setattr(lorr_entry, "CROWD", 1 if settings is HUGE else 1500)
    given = load(instance)
    lorr_entry.ready(given, Grid.of(given.free), settings)
    assert jams


@pytest.mark.parametrize("length", [1, 12])
def test_few_tables_serve_all_robots_and_tasks_of_any_length(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Given one table that may be filled in a moment, and sixty robots that ask for more."""
    monkeypatch.setattr(lorr_entry, "CROWD", 1)
    monkeypatch.setattr(lorr_entry, "CROWD_BYTES_MAX", (1, 100 * 2 * 576))
    monkeypatch.setattr(node_tables, "MOMENT_NODES", 576)
    dice = np.random.default_rng(1)
    tasks = []
    for number in range(600):
        walk = dice.integers(0, 24, 2) + dice.integers(-2, 3, (length + number % 2, 2)).cumsum(
            axis=0
        )
        tasks.append((walk.clip(0, 23) @ [24, 1]).tolist())
    free = np.ones((24, 24), bool)
    given = Instance("few", free, dice.permutation(576)[:60].tolist(), tasks, 1.5, "")
    match = lorr.Match(given, None, 20)
    match.run(300, 1000.0)
    last = np.zeros(60, int)
    for time, robot, *_ in match.tasks.events:
        last[robot] = time
    assert last.min() > (300 - 120 if length > 1 else 0), "of short tasks there are too few for all"
