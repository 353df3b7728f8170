"""Kits of ours that ask as the League's start kits do: by the fields that those document."""

from __future__ import annotations

import json
import sys
from collections import deque
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from planners.grid import Grid
from sim.lorr_files import load
from sim.lorr_kit import OURS
from sim.lorr_rules import Floor

ADAPTERS = Path(__file__).parents[2] / "benchmarks" / "lorr"
ROWS = ["........", ".@@..@@.", "........", "........", ".@@..@@.", "......@."]
STARTS = (0, 7, 16, 23, 40, 45)
WINDOW = 4  # actions that may be under way between two plans
TASKS = ((3, 44), (16, 31), (45, 0), (20, 7), (12, 40))


def write_instance(folder: Path) -> Path:
    """Six robots on a 6 x 8 floor."""
    (folder / "m.map").write_text("type octile\nheight 6\nwidth 8\nmap\n" + "\n".join(ROWS) + "\n")
    (folder / "a.agents").write_text("6\n" + "\n".join(map(str, STARTS)) + "\n")
    tasks = [f"{a},{b}" for a, b in TASKS]
    (folder / "t.tasks").write_text("5\n" + "\n".join(tasks) + "\n")
    head = {
        "mapFile": "m.map", "agentFile": "a.agents", "taskFile": "t.tasks", "teamSize": 6,
        "numTasksReveal": 1.5,
    }  # fmt: skip
    path = folder / "small.json"
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


def adapters(monkeypatch: pytest.MonkeyPatch, year: str) -> tuple[ModuleType, ModuleType]:
    """Scheduler's and planner's file of a year, imported afresh as a kit does."""
    monkeypatch.syspath_prepend(str(ADAPTERS / year))
    monkeypatch.setitem(sys.modules, "MAPF", ModuleType("MAPF"))
    modules = []
    for name in ("pyTaskScheduler", "pyMAPFPlanner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        modules.append(__import__(name))
        monkeypatch.setitem(sys.modules, name, modules[-1])
    return modules[0], modules[1]


class Kit:
    """Tasks and their pool as both years tell them."""

    def __init__(self, path: Path) -> None:
        given = load(path)
        self.floor, self.env = Floor(given, Grid.of(given.free)), blank(path)
        self._seen: set[int] = set()

    def tell(self, states: np.ndarray) -> None:
        """Robots and tasks into the environment."""
        floor, cells, env = self.floor, self.floor.grid.cell, self.env
        env.curr_states = [self.state(int(state)) for state in states]
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

    def state(self, state: int, count: int = 0, late: bool = False) -> SimpleNamespace:
        cell = int(self.floor.grid.cell[state >> 2])
        return SimpleNamespace(
            location=cell, orientation=state & 3, counter=SimpleNamespace(count=count),
            delay=SimpleNamespace(inDelay=late),
        )  # fmt: skip


class StepKit(Kit):
    """2024: an action per step, on our own rules."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(path)
        scheduler, planner = adapters(monkeypatch, "2024")
        self.scheduler = scheduler.pyTaskScheduler(self.env)
        self.planner = planner.pyMAPFPlanner(self.env)
        self.scheduler.initialize(30_000)
        self.planner.initialize(30_000)

    def ask(self) -> tuple[np.ndarray, np.ndarray]:
        """Our numbers of actions, and tasks."""
        self.tell(self.floor.states)
        schedule = self.scheduler.plan(1000)
        actions = self.planner.plan(1000)
        assert all(type(number) is int for number in [*schedule, *actions])
        return OURS[actions].astype(np.int32), np.array(schedule, np.int32)

    def play(self, steps: int) -> None:
        for _ in range(steps):
            self.floor.step(*self.ask())


class TickKit(Kit):
    """2026: a plan every ten ticks, three ticks per action, robots held up at random. Who is to enter a
    cell, and in which order, is kept; what can't be made until the next plan is struck out."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, late: float) -> None:
        super().__init__(path)
        scheduler, planner = adapters(monkeypatch, "2026")
        self.scheduler, self.planner = scheduler.pyTaskScheduler(), planner.pyMAPFPlanner()
        self.env.min_planner_communication_time = 1000
        self.env.action_time, self.env.max_counter = 100, 3
        self.scheduler.env = self.planner.env = self.env
        self.scheduler.initialize(30_000)
        self.planner.initialize(30_000)
        team = len(self.floor.states)
        self.grid = self.floor.grid
        self.expected = self.floor.states.copy()
        self.staged: list[deque[int]] = [deque() for _ in range(team)]
        self.count, self.held_up = np.zeros(team, np.int64), np.zeros(team, np.int64)
        self.order: dict[int, deque[int]] = {}
        self.refused: list[Any] = []
        self._late, self._dice = late, np.random.default_rng(1)

    def play(self, plans: int) -> None:
        for _ in range(plans):
            self.tell(self.expected)
            env, late = self.env, self.held_up > 0
            told = zip(self.floor.states.tolist(), self.count.tolist(), late.tolist(), strict=True)
            env.system_states = [self.state(*one) for one in told]
            env.staged_actions = [[int([3, 0, 1, 2][a]) for a in some] for some in self.staged]
            schedule = self.scheduler.plan(1000)
            plan = OURS[self.planner.plan(1000)].astype(np.int32)
            for _ in range(10):
                self._tick()
            self._adopt(schedule)
            self._stage(plan)

    def _adopt(self, schedule: list[int]) -> None:
        """Hand out tasks, one wrong robot at a time."""
        floor = self.floor
        for robot, task in enumerate(schedule):
            old = int(floor.current[robot])
            if task >= 0 and task not in floor.errands:
                self.refused.append((robot, task, "is finished"))
                schedule[robot] = -1
            if old >= 0 and floor.progress[old] > 0 and task != old:
                self.refused.append((robot, task, "has begun another"))
                schedule[robot] = old
        assert len({t for t in schedule if t >= 0}) == sum(t >= 0 for t in schedule)
        floor.current = np.array(schedule, np.int32)

    def _stage(self, plan: np.ndarray) -> None:
        """Plans are good on their own terms; then keep what can be made in time."""
        assert plan.shape == (len(self.expected), WINDOW)
        states = self.expected
        for robot, state in enumerate(self.floor.states.tolist()):
            self.order.setdefault(state >> 2, deque([robot]))
        for actions in plan.T:
            after = self.grid.moved(states, actions)
            assert (after >= 0).all() and len(set((after >> 2).tolist())) == len(after)
            entered = (after >> 2)[after >> 2 != states >> 2]
            assert not set(entered.tolist()) & set((states >> 2).tolist()), "no gap"
            states = after
            for robot in np.flatnonzero(actions > 0).tolist():
                self.staged[robot].append(int(actions[robot]))
                if actions[robot] == 1:
                    self.order.setdefault(int(states[robot]) >> 2, deque()).append(robot)
        self._strike()

    def _strike(self) -> None:
        states = self.floor.states.copy()
        orders = {node: deque(order) for node, order in self.order.items()}
        kept = [0] * len(states)
        made = {int(state) >> 2: deque([robot]) for robot, state in enumerate(states)}
        for _ in range(WINDOW):
            gone = []
            for robot, some in enumerate(self.staged):
                if kept[robot] == len(some):
                    continue
                step = np.array([some[kept[robot]]])
                after = int(self.grid.moved(states[robot : robot + 1], step)[0])
                if step[0] == 1:
                    if orders[after >> 2][0] != robot:
                        continue
                    gone.append(int(states[robot]) >> 2)
                    made.setdefault(after >> 2, deque()).append(robot)
                states[robot] = after
                kept[robot] += 1
            for node in gone:
                orders[node].popleft()
        for robot, some in enumerate(self.staged):
            while len(some) > kept[robot]:
                some.pop()
        self.expected, self.order = states, made

    def _tick(self) -> None:
        floor, fresh = self.floor, self._dice.random(len(self.staged)) < self._late
        self.held_up = np.where(self.held_up > 0, self.held_up - 1, np.where(fresh, 7, 0))
        for robot, some in enumerate(self.staged):
            if not some or self.held_up[robot]:
                continue
            state, step = floor.states[robot : robot + 1], np.array([some[0]])
            after = int(self.grid.moved(state, step)[0])
            if step[0] == 1 and self.order[after >> 2][0] != robot:
                continue
            self.count[robot] = (self.count[robot] + 1) % 3
            if self.count[robot] == 0:
                if step[0] == 1:
                    assert self.order[int(state[0]) >> 2].popleft() == robot
                some.popleft()
                floor.states[robot] = after
        floor.time += 1
        for robot, task, _ in floor.visit():
            floor.finished += task not in floor.errands
            assert robot >= 0
        floor._reveal()
