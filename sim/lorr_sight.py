"""What scheduler and planner may see of a match: robots, revealed tasks, who has which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planners.grid import Grid
from planners.roadmap import Ints
from sim.lorr_files import Instance


class Sight:
    """Robots and tasks at a time. `states` (R,) are 4 * node + heading; `current` (R,) task or -1.
    `errands` of revealed tasks are nodes, `progress` is how many of them are done."""

    def __init__(self, grid: Grid, states: Ints) -> None:
        self.grid, self.states = grid, states
        self.current = np.full(len(states), -1, np.int32)
        self.errands: dict[int, list[int]] = {}
        self.progress: dict[int, int] = {}

    def opened(self) -> NDArray[np.bool_]:
        """(R,) whether the robot has done an errand of its task."""
        progress = self.progress
        return np.array([t >= 0 and progress[t] > 0 for t in self.current.tolist()], bool)

    def unopened(self) -> dict[int, list[int]]:
        """Revealed tasks of which no errand is done: id -> nodes."""
        return {t: e for t, e in self.errands.items() if self.progress[t] == 0}

    def goals(self, schedule: Ints) -> tuple[Ints, Ints]:
        """(R,) node of the next errand (where there is none: where the robot stands), and (R,) node
        of the one behind it or -1."""
        goals, onward = self.states >> 2, np.full(len(schedule), -1, np.int32)
        for robot, task in enumerate(schedule.tolist()):
            if task >= 0:
                errands, at = self.errands[task], self.progress[task]
                goals[robot] = errands[at]
                if at + 1 < len(errands):
                    onward[robot] = errands[at + 1]
        return goals, onward

    def ahead(self, schedule: Ints) -> list[tuple[int, list[int]]]:
        """(R,) each robot's task and its errands (nodes) that are not done."""
        return [
            (task, self.errands[task][self.progress[task] :] if task >= 0 else [])
            for task in schedule.tolist()
        ]

    def visit(self) -> list[tuple[int, int, int]]:
        """See who stands where its next errand is: (robot, task, errands done). Who has done all is
        without a task, and the task is gone."""
        seen = []
        for robot, (task, state) in enumerate(
            zip(self.current.tolist(), self.states.tolist(), strict=True)
        ):
            if task < 0 or state >> 2 != self.errands[task][self.progress[task]]:
                continue
            self.progress[task] += 1
            seen.append((robot, task, self.progress[task]))
            if self.progress[task] == len(self.errands[task]):
                self.current[robot] = -1
                del self.errands[task], self.progress[task]
        return seen


def starts(instance: Instance, grid: Grid) -> Ints:
    """(R,) the states in which the robots of an instance begin: all face east."""
    states: Ints = 4 * grid.number[np.array(instance.starts, np.int64)]
    return states
