"""The adapters for the League's start kits, asked by kits of ours that know their documented fields."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from planners.grid import Grid
from sim import lorr
from sim.lorr_files import InstanceError, load
from sim.lorr_kit import CODES, INSTANCE, ITERATIONS, OURS, StepTeam, drawn
from sim.lorr_rules import Floor

ADAPTERS = Path(__file__).parents[2] / "benchmarks" / "lorr"
ROWS = ["........", ".@@..@@.", "........", "........", ".@@..@@.", "......@."]
STARTS = (0, 7, 16, 23, 40, 45)


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Six robots on a 6 x 8 floor; one cell is cut off from the others by nothing but a corner."""
    (tmp_path / "m.map").write_text(
        "type octile\nheight 6\nwidth 8\nmap\n" + "\n".join(ROWS) + "\n"
    )
    (tmp_path / "a.agents").write_text("6\n" + "\n".join(map(str, STARTS)) + "\n")
    tasks = [f"{a},{b}" for a, b in ((3, 44), (16, 31), (45, 0), (20, 7), (12, 40))]
    (tmp_path / "t.tasks").write_text("5\n" + "\n".join(tasks) + "\n")
    head = {
        "mapFile": "m.map", "agentFile": "a.agents", "taskFile": "t.tasks", "teamSize": 6,
        "numTasksReveal": 1.5,
    }  # fmt: skip
    path = tmp_path / "small.json"
    path.write_text(json.dumps(head))
    return path


def blank(path: Path) -> SimpleNamespace:
    """What an environment tells before the clock runs: not where robots are, nor any task."""
    given = load(path)
    rows, cols = given.free.shape
    return SimpleNamespace(
        num_of_agents=len(given.starts), rows=rows, cols=cols, map_name="m.map",
        map=[int(not free) for free in given.free.ravel()],
        curr_states=[], task_pool={}, new_tasks=[], curr_task_schedule=[], goal_locations=[],
    )  # fmt: skip


class StepKit:
    """The 2024 kit's way of asking, on our own rules."""

    def __init__(self, path: Path, adapters: Callable[[str], ModuleType]) -> None:
        given = load(path)
        self.floor, self.env = Floor(given, Grid.of(given.free)), blank(path)
        self.scheduler = adapters("pyTaskScheduler").pyTaskScheduler(self.env)
        self.planner = adapters("pyMAPFPlanner").pyMAPFPlanner(self.env)
        self.scheduler.initialize(30_000)
        self.planner.initialize(30_000)
        self._seen: set[int] = set()

    def sync(self) -> None:
        floor, cells, env = self.floor, self.floor.grid.cell, self.env
        env.curr_states = [
            SimpleNamespace(location=int(cells[state >> 2]), orientation=int(state & 3))
            for state in floor.states
        ]
        env.task_pool = {
            task: SimpleNamespace(
                task_id=task, locations=[int(cells[node]) for node in errands],
                idx_next_loc=floor.progress[task], agent_assigned=-1,
            )
            for task, errands in reversed(floor.errands.items())
        }  # fmt: skip
        env.new_tasks = [task for task in floor.errands if task not in self._seen]
        self._seen |= set(env.new_tasks)
        env.curr_task_schedule = floor.current.tolist()

    def ask(self) -> tuple[np.ndarray, np.ndarray]:
        """Our numbers of actions, and tasks."""
        self.sync()
        schedule = self.scheduler.plan(1000)
        actions = self.planner.plan(1000)
        assert all(type(number) is int for number in [*schedule, *actions])
        return OURS[actions].astype(np.int32), np.array(schedule, np.int32)

    def play(self, steps: int) -> None:
        for _ in range(steps):
            self.floor.step(*self.ask())


@pytest.fixture
def adapters(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[str], ModuleType]:
    """Import the files of a year, afresh, as a kit does."""
    monkeypatch.syspath_prepend(str(ADAPTERS / request.param))
    monkeypatch.setitem(sys.modules, "MAPF", ModuleType("MAPF"))
    monkeypatch.setenv(ITERATIONS, "128")
    for name in ("pyTaskScheduler", "pyMAPFPlanner"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def load_one(name: str) -> ModuleType:
        module = __import__(name)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return load_one


@pytest.mark.parametrize("adapters", ["2024"], indirect=True)
def test_a_kit_plays_the_match_that_we_play(
    instance: Path, adapters: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTANCE, str(instance))
    kit = StepKit(instance, adapters)
    kit.play(60)
    ours = lorr.run_lorr(instance, 60, 60_000, iterations=128)
    theirs = lorr.result(kit.floor)
    del ours["plannerTimes"], theirs["plannerTimes"]
    assert ours["numTaskFinished"] > 10
    assert ours == theirs


@pytest.mark.parametrize("adapters", ["2024"], indirect=True)
def test_a_kit_that_tells_the_map_alone_and_refuses_a_step(
    instance: Path, adapters: Callable[[str], ModuleType]
) -> None:
    """Settings come from drawn tasks. The answer to step 20 isn't carried out: robots are not where
    the planner expects them."""
    kit = StepKit(instance, adapters)
    kit.play(20)
    kit.ask()
    kit.floor.wait(1)
    kit.play(39)
    result = lorr.result(kit.floor)
    assert result["numTaskFinished"] > 10
    assert (result["numPlannerErrors"], result["numScheduleErrors"]) == (0, 0)


def test_drawn_tasks_lie_where_most_robots_can_go() -> None:
    free = np.ones((5, 6), bool)
    free[:, 2] = False
    made = drawn(free, 8)
    assert made.tasks == drawn(free, 8).tasks
    assert len(set(made.starts)) == 8 and len(made.tasks) == 12
    assert all(cell % 6 > 2 for task in made.tasks for cell in task)
    with pytest.raises(InstanceError, match="lower the team size"):
        drawn(free, 26)


def test_an_instance_of_another_map_is_refused(instance: Path) -> None:
    env = blank(instance)
    env.map[0] = 1
    with pytest.raises(InstanceError, match="another map or team"):
        StepTeam.told({INSTANCE: str(instance)}).prepare(env)
    with pytest.raises(InstanceError, match="whole number"):
        StepTeam.told({ITERATIONS: "many"})


def test_numbers_of_actions() -> None:
    assert OURS[CODES].tolist() == [0, 1, 2, 3]
