"""The competition's rules: what a step does to robots and tasks, and the file it leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.grid import Grid
from planners.roadmap import Ints
from sim.lorr_files import Instance
from sim.lorr_sight import Sight, starts

LETTERS = np.frombuffer(b"WFRC", np.uint8)
FORWARD, LATE, COMMA = ord("F"), ord("T"), ord(",")


class Floor(Sight):
    """Robots and tasks of an instance, from its start."""

    def __init__(self, instance: Instance, grid: Grid) -> None:
        super().__init__(grid, starts(instance, grid))
        self.instance, self.time, self.finished = instance, 0, 0
        self.planner_times: list[float] = []
        self.late = 0
        self.planner_errors: list[list[Any]] = []
        self.schedule_errors: list[list[Any]] = []
        self.events: list[list[int]] = []
        self.actions: list[NDArray[np.uint8]] = []  # letters, a row per step
        self.changes: list[tuple[int, Ints, Ints]] = []  # time, robots, their tasks from then on
        self.revealed_at: list[int] = []
        self._number = grid.number.tolist()
        self._pool = int(instance.reveal * len(instance.starts))
        self._reveal()

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
        for robot, task, errand in self.visit():
            self.events.append([self.time, robot, task, errand])
            self.finished += task not in self.errands
        self._reveal()

    def standing(self, steps: int) -> NDArray[np.bool_]:
        """(R,) who has a task, and has not left its cell in the last `steps` (or since the start)."""
        moved = np.zeros(len(self.states), bool)
        for letters in self.actions[-steps:]:
            moved |= letters == FORWARD
        return (self.current >= 0) & ~moved

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
        self.states = self.grid.moved(self.states, actions)
        return None

    def _refuse(self, schedule: Ints) -> list[Any] | None:
        """Why a schedule isn't accepted: [task, robot, other robot, time, reason]."""
        owner: dict[int, int] = {}
        for robot, (task, old) in enumerate(
            zip(schedule.tolist(), self.current.tolist(), strict=True)
        ):
            if task >= 0 and task not in self.errands:
                return [task, robot, -1, self.time, "task is not open"]
            if task >= 0 and task in owner:
                return [task, robot, owner[task], self.time, "task is given twice"]
            if old >= 0 and self.progress[old] > 0 and task != old:
                return [task, robot, robot, self.time, "an opened task is abandoned"]
            owner[task] = robot
        return None

    def _reveal(self) -> None:
        tasks = self.instance.tasks
        while len(self.errands) < self._pool:
            task = len(self.revealed_at)
            self.errands[task] = [self._number[cell] for cell in tasks[task % len(tasks)]]
            self.progress[task] = 0
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
