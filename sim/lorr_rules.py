"""The competition's rules: what a step does to robots and tasks, and the file it leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.grid import Grid
from planners.roadmap import Ints
from sim.lorr_files import Instance

LETTERS = np.frombuffer(b"WFRC", np.uint8)
LATE, COMMA = ord("T"), ord(",")
TURN = np.array([0, 0, 1, 3])


class Floor:
    """Robots and tasks at a time. `states` (R,) are 4 * node + heading; `current` (R,) task or -1."""

    def __init__(self, instance: Instance, grid: Grid) -> None:
        self.instance, self.grid, self.time, self.finished = instance, grid, 0, 0
        self.starts = 4 * grid.number[np.array(instance.starts, np.int64)]
        self.states = self.starts.copy()
        self.current = np.full(len(self.states), -1, np.int32)
        self.planner_times: list[float] = []
        self.late = 0
        self.planner_errors: list[list[Any]] = []
        self.schedule_errors: list[list[Any]] = []
        self.events: list[list[int]] = []
        self.actions: list[NDArray[np.uint8]] = []  # letters, a row per step
        self.changes: list[tuple[int, Ints, Ints]] = []  # time, robots, their tasks from then on
        self.revealed_at: list[int] = []
        self._errands: dict[int, list[int]] = {}  # open tasks, as nodes
        self._progress: dict[int, int] = {}
        self._number = grid.number.tolist()
        self._pool = int(instance.reveal * len(instance.starts))
        self._reveal()

    def opened(self) -> NDArray[np.bool_]:
        """(R,) whether the robot has done an errand of its task."""
        progress = self._progress
        return np.array([t >= 0 and progress[t] > 0 for t in self.current.tolist()], bool)

    def unopened(self) -> dict[int, list[int]]:
        """Revealed tasks of which no errand is done: id -> nodes."""
        return {t: e for t, e in self._errands.items() if self._progress[t] == 0}

    def goals(self, schedule: Ints) -> tuple[Ints, Ints]:
        """(R,) node of the next errand (where there is none: where the robot stands), and (R,) node
        of the one behind it or -1."""
        goals, onward = self.states >> 2, np.full(len(schedule), -1, np.int32)
        for robot, task in enumerate(schedule.tolist()):
            if task >= 0:
                errands, at = self._errands[task], self._progress[task]
                goals[robot] = errands[at]
                if at + 1 < len(errands):
                    onward[robot] = errands[at + 1]
        return goals, onward

    def wait(self, steps: int) -> None:
        """The entry is late: nobody moves."""
        self.late += steps
        self.time += steps
        self.actions += [np.full(len(self.states), LATE, np.uint8)] * steps

    def step(self, actions: Ints, schedule: Ints) -> None:
        """Move, then hand out tasks, then see who is where."""
        error = self._move(actions)
        if error is not None:
            self.planner_errors.append(error)
            actions = np.zeros_like(actions)
        self.actions.append(LETTERS[actions])
        self.time += 1
        wrong = self._refuse(schedule)
        if wrong is not None:
            self.schedule_errors.append(wrong)
        else:
            told = (schedule != self.current) | (self.time == 1)
            robots = np.flatnonzero(told).astype(np.int32)
            self.changes.append((self.time, robots, schedule[robots].astype(np.int32)))
            self.current = schedule.copy()
        self._visit()
        self._reveal()

    def _move(self, actions: Ints) -> list[Any] | None:
        """Change `states`, or return why nobody may move."""
        forward = actions == 1
        ahead = self.grid.ahead[self.states]
        before = self.states >> 2
        after = np.where(forward, ahead, before)
        if (after < 0).any():
            return [int(np.argmin(after)), -1, self.time + 1, "unallowed move"]
        owner = np.full(self.grid.nodes, -1, np.int64)
        owner[after] = np.arange(len(after))
        clash = np.flatnonzero(owner[after] != np.arange(len(after)))
        if len(clash):
            return [int(clash[0]), int(owner[after[clash[0]]]), self.time + 1, "vertex conflict"]
        owner[:] = -1
        owner[before] = np.arange(len(before))
        other = owner[after]
        swap = np.flatnonzero(forward & (other >= 0) & (after[other] == before))
        if len(swap):
            return [int(swap[0]), int(other[swap[0]]), self.time + 1, "edge conflict"]
        heading = (self.states + TURN[actions]) & 3
        self.states = (4 * after + heading).astype(np.int32)
        return None

    def _refuse(self, schedule: Ints) -> list[Any] | None:
        """Why a schedule isn't accepted: [task, robot, other robot, time, reason]."""
        owner: dict[int, int] = {}
        for robot, (task, old) in enumerate(
            zip(schedule.tolist(), self.current.tolist(), strict=True)
        ):
            if task >= 0 and task not in self._errands:
                return [task, robot, -1, self.time, "task is not open"]
            if task >= 0 and task in owner:
                return [task, robot, owner[task], self.time, "task is given twice"]
            if old >= 0 and self._progress[old] > 0 and task != old:
                return [task, robot, robot, self.time, "an opened task is abandoned"]
            owner[task] = robot
        return None

    def _visit(self) -> None:
        for robot, (task, state) in enumerate(
            zip(self.current.tolist(), self.states.tolist(), strict=True)
        ):
            if task < 0 or state >> 2 != self._errands[task][self._progress[task]]:
                continue
            self._progress[task] += 1
            self.events.append([self.time, robot, task, self._progress[task]])
            if self._progress[task] == len(self._errands[task]):
                self.current[robot] = -1
                self.finished += 1
                del self._errands[task], self._progress[task]

    def _reveal(self) -> None:
        tasks = self.instance.tasks
        while len(self._errands) < self._pool:
            task = len(self.revealed_at)
            self._errands[task] = [self._number[cell] for cell in tasks[task % len(tasks)]]
            self._progress[task] = 0
            self.revealed_at.append(self.time)


def result(floor: Floor) -> dict[str, Any]:
    """The result file's contents (actionModel MAPF_T)."""
    width = floor.instance.free.shape[1]
    tasks = floor.instance.tasks
    team = len(floor.states)
    return {
        "actionModel": "MAPF_T",
        "version": floor.instance.version or "2024 LoRR",
        "teamSize": team,
        "numTaskFinished": floor.finished,
        "makespan": floor.time,
        "numPlannerErrors": len(floor.planner_errors),
        "numScheduleErrors": len(floor.schedule_errors),
        "numEntryTimeouts": floor.late,
        "start": [[*divmod(cell, width), "E"] for cell in floor.instance.starts],
        "actualPaths": _paths(floor),
        "plannerTimes": floor.planner_times,
        "errors": floor.planner_errors,
        "actualSchedule": _schedules(floor),
        "scheduleErrors": floor.schedule_errors,
        "events": floor.events,
        "tasks": [
            [task, at, [part for cell in tasks[task % len(tasks)] for part in divmod(cell, width)]]
            for task, at in enumerate(floor.revealed_at)
        ],
    }


def _paths(floor: Floor) -> list[str]:
    """A text per robot: its actions."""
    letters = np.array(floor.actions, np.uint8).reshape(len(floor.actions), len(floor.states)).T
    text = np.full(max(0, 2 * letters.shape[1] - 1), COMMA, np.uint8)
    paths = []
    for row in letters:
        text[::2] = row
        paths.append(text.tobytes().decode("ascii"))
    return paths


def _schedules(floor: Floor) -> list[str]:
    """A text per robot: when it was given what."""
    texts: list[list[str]] = [[] for _ in floor.states]
    for time, robots, tasks in floor.changes:
        for robot, task in zip(robots.tolist(), tasks.tolist(), strict=True):
            texts[robot].append(f"{time}:{task}")
    return [",".join(row) for row in texts]
