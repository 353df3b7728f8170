"""The League of Robot Runners 2024: its step rules, with our scheduler and planner under them.

Actions F (forward), R (clockwise), C (counter-clockwise), W (wait); headings east, south, west, north.
A pool of tasks is revealed; a task may change its robot until its first errand is done.
(MAPF-Competition/Start-Kit v2.1.2.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from planners import grid
from planners.assignment import FlowAssigner
from planners.distances import Distances
from planners.pibt import PibtPlanner
from planners.protocols import UNREACHABLE, AssignmentProblem, PathProblem
from planners.roadmap import Ints, RoadmapArrays
from sim.lorr_files import Instance

LETTERS = "ESWN"
DROP = 1 << 20
REMAINING_WEIGHT = 0.5  # of the way after the first errand, against the way to it
TASKS_MAX = 3000  # matched at once
TABLE_BYTES = 2 << 30


@dataclass(slots=True)
class Tasks:
    """Which tasks are revealed, whose they are, how far they are."""

    errands: list[list[int]]  # nodes
    pool: int
    finished: int = 0
    revealed: int = 0
    progress: dict[int, int] = field(default_factory=dict)  # task -> errands done
    owner: dict[int, int] = field(default_factory=dict)
    open: dict[int, None] = field(default_factory=dict)  # revealed, not begun

    def reveal(self) -> None:
        """Show as many as the rules say."""
        while self.revealed < self.finished + self.pool:
            self.open[self.revealed] = None
            self.revealed += 1

    def places(self, task: int) -> list[int]:
        """Its errands."""
        return self.errands[task % len(self.errands)]


class Schedule:
    """Tasks to robots, re-decided while a task is not begun, on exact travel times."""

    def __init__(self, arrays: RoadmapArrays, distances: Distances, tasks: Tasks) -> None:
        self._distances, self._tasks = distances, tasks
        self._arrays = arrays
        self._assigner = FlowAssigner()
        self._remaining: dict[int, int] = {}

    def decide(self, node: Ints, heading: Ints, task: Ints) -> Ints:
        """(R,) the task of each robot, -1: none. Robots that have begun theirs keep it."""
        tasks = self._tasks
        begun = np.array([t >= 0 and tasks.progress.get(int(t), 0) > 0 for t in task])
        robots = np.flatnonzero(~begun)
        offered = [t for t in tasks.open if not tasks.progress.get(t, 0)][:TASKS_MAX]
        chosen = np.where(begun, task, -1).astype(np.int32)
        if len(robots) == 0 or not offered:
            return chosen
        cost = np.empty((len(offered), len(robots)), np.int64)
        for row, number in enumerate(offered):
            first = tasks.places(number)[0]
            cost[row] = self._distances.travel_many(0, node[robots], heading[robots], first)
            rest = 4 * round(REMAINING_WEIGHT * self._rest(number))
            held = task[robots] == number
            cost[row] = np.where(cost[row] < UNREACHABLE, 4 * cost[row] + rest - held, UNREACHABLE)
        problem = AssignmentProblem(cost, np.full(len(offered), DROP, np.int64), 16)
        for row, column in enumerate(self._assigner.assign(problem).tolist()):
            if column >= 0:
                chosen[robots[column]] = offered[row]
        return chosen

    def _rest(self, task: int) -> int:
        """Steps from the first errand to the last."""
        known = self._remaining.get(task)
        if known is None:
            places = self._tasks.places(task)
            known = 0
            for a, b in zip(places, places[1:], strict=False):
                known += self._distances.travel_ms(0, a, 0, b)
            self._remaining[task] = known
        return known


class Match:
    """One run of an instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.arrays = grid.roadmap(grid.Grid.of(instance.free))
        number = np.cumsum(instance.free.ravel()) - 1
        self.cell_of = np.flatnonzero(instance.free.ravel())
        self.node = number[np.array(instance.starts)].astype(np.int32)
        self.heading = np.zeros(len(self.node), np.int32)
        errands = [[int(number[cell]) for cell in task] for task in instance.tasks]
        self.tasks = Tasks(errands, int(instance.reveal * len(self.node)))
        self.distances = Distances(self.arrays, TABLE_BYTES)
        self.planner = PibtPlanner(self.arrays, self.distances)
        self.schedule = Schedule(self.arrays, self.distances, self.tasks)
        self.task = np.full(len(self.node), -1, np.int32)
        self.waited = np.zeros(len(self.node), np.int32)
        self.actions: list[list[str]] = [[] for _ in self.node]
        self.changes: list[list[str]] = [[] for _ in self.node]
        self.events: list[list[Any]] = []
        self.times: list[float] = []
        self.timeouts = 0
        self.errors: list[Any] = []

    def run(self, steps: int, budget_s: float, progress: Callable[[int, int], None] | None) -> None:
        """`steps` steps with `budget_s` seconds of real time each; a decision that takes longer
        costs the steps it runs over, in which all wait."""
        self._warm_up()
        done = 0
        while done < steps:
            self.tasks.reveal()
            started = time.perf_counter()
            task = self.schedule.decide(self.node, self.heading, self.task)
            plan = self._plan(task)
            seconds = time.perf_counter() - started
            self.times.append(seconds)
            late = int(seconds / budget_s) if seconds > budget_s else 0
            for _ in range(min(late, steps - done)):
                self.timeouts += 1
                for actions in self.actions:
                    actions.append("T")
                done += 1
            if done < steps:
                self._apply(task, plan, done)
                done += 1
            if progress is not None:
                progress(done, self.tasks.finished)

    def _warm_up(self) -> None:
        """Compile, and fill what is known beforehand, before the clock runs."""
        self.tasks.reveal()
        self._plan(self.schedule.decide(self.node, self.heading, self.task))

    def goals(self, task: Ints) -> Ints:
        """(R,) the next errand's node of each robot, -1 without a task."""
        goal = np.full(len(task), -1, np.int32)
        for robot, number in enumerate(task.tolist()):
            if number >= 0:
                goal[robot] = self.tasks.places(number)[self.tasks.progress.get(number, 0)]
        return goal

    def _plan(self, task: Ints) -> tuple[Ints, Ints]:
        """Next nodes and headings."""
        robots = len(self.node)
        goal = self.goals(task)
        problem = PathProblem(
            fleet=np.zeros(robots, np.int32),
            node=self.node,
            heading_deg=self.heading,
            goal=goal,
            fixed=np.zeros(robots, np.int32),
            priority=self.waited,
            blocked=np.zeros(0, np.int32),
            horizon=1,
        )
        return self.planner.step(problem)

    def _apply(self, task: Ints, plan: tuple[Ints, Ints], step: int) -> None:
        node, heading = plan
        turned = (heading - self.heading) % 360
        for robot, actions in enumerate(self.actions):
            if node[robot] != self.node[robot]:
                actions.append("F")
            else:
                actions.append({0: "W", 270: "R", 90: "C"}[int(turned[robot])])
        self.node, self.heading = node, heading
        tasks = self.tasks
        for robot in np.flatnonzero(task != self.task).tolist():
            old = int(self.task[robot])
            if old >= 0 and tasks.owner.get(old) == robot:
                del tasks.owner[old]
        for robot in np.flatnonzero(task != self.task).tolist():
            number = int(task[robot])
            self.changes[robot].append(f"{step + 1}:{number}")
            if number >= 0:
                tasks.owner[number] = robot
        self.task = task.copy()
        self._errands(step)

    def _errands(self, step: int) -> None:
        tasks = self.tasks
        goal = self.goals(self.task)
        self.waited = np.where(goal == self.node, 0, self.waited + 10).astype(np.int32)
        for robot in np.flatnonzero((goal == self.node) & (self.task >= 0)).tolist():
            number = int(self.task[robot])
            done = tasks.progress.get(number, 0) + 1
            tasks.progress[number] = done
            self.events.append([step + 1, robot, number, done])
            if done == len(tasks.places(number)):
                tasks.finished += 1
                self.task[robot] = -1
                del tasks.owner[number], tasks.open[number], tasks.progress[number]

    def result(self) -> dict[str, Any]:
        """The competition's result format."""
        columns = self.instance.free.shape[1]
        starts = [[cell // columns, cell % columns, "E"] for cell in self.instance.starts]
        length = len(self.actions[0])
        shown = []
        for number in range(self.tasks.revealed):
            cells = [int(self.cell_of[node]) for node in self.tasks.places(number)]
            places = [coordinate for cell in cells for coordinate in divmod(cell, columns)]
            shown.append([number, 0, places])
        return {
            "actionModel": "MAPF_T",
            "version": self.instance.version,
            "teamSize": len(self.node),
            "start": starts,
            "numTaskFinished": self.tasks.finished,
            "sumOfCost": length * len(self.node),
            "makespan": length,
            "numPlannerErrors": 0,
            "numScheduleErrors": 0,
            "numEntryTimeouts": self.timeouts,
            "actualPaths": [",".join(actions) for actions in self.actions],
            "plannerPaths": [",".join(actions) for actions in self.actions],
            "plannerTimes": self.times,
            "errors": self.errors,
            "actualSchedule": [",".join(changes) for changes in self.changes],
            "plannerSchedule": [",".join(changes) for changes in self.changes],
            "scheduleErrors": [],
            "events": self.events,
            "tasks": shown,
        }


def write_result(result: dict[str, Any], path: Path) -> None:
    """As the start kit writes it: one JSON object."""
    path.write_text(json.dumps(result))
