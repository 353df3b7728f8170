"""Where robots are as time goes by: motion is read a stretch at a time, however long the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sim.verification.tracks import Robot, Run, robots_of, rows_in, tracks_of

STEP_NS = 100_000_000
STEPS = 600  # a minute


class Place(NamedTuple):
    """x, y in m; theta in rad, in (-pi, pi]."""

    robot: int
    x_m: float
    y_m: float
    theta: float


class Passing:
    """Times are asked for in steps of 0.1 s and never go back. Raises `UnusableRun`."""

    def __init__(self, run: Run, from_ns: int = 0) -> None:
        self._run = run
        self._robots = robots_of(run)
        self._from_ns = 0
        self._first, self._rows = -1, np.zeros((0, 3, len(self._robots)))
        while self._from_ns + STEPS * STEP_NS <= from_ns:
            self._read()

    def at(self, time_ns: int) -> list[Place]:
        """All robots that have joined by then."""
        while time_ns // STEP_NS >= self._first + len(self._rows):
            self._read()
        x, y, theta = self._rows[time_ns // STEP_NS - self._first].tolist()
        return [
            Place(robot.index, x[row], y[row], theta[row])
            for row, robot in enumerate(self._robots)
            if robot.joined_ns <= time_ns
        ]

    def _read(self) -> None:
        """The next stretch."""
        end_ns = self._from_ns + STEPS * STEP_NS
        rows, motion, _ = rows_in(self._run.motion(self._from_ns, end_ns), self._robots)
        tracks = tracks_of(self._robots, rows, motion, end_ns)
        self._first = self._from_ns // STEP_NS
        times = np.arange(self._first, self._first + STEPS + 1) * STEP_NS
        count = len(self._robots)
        every = np.tile(np.arange(count), len(times))
        x, y, theta = tracks.pose(every, np.repeat(times, count))
        theta = np.pi - (np.pi - theta) % (2 * np.pi)
        found = np.stack([x, y, theta]).reshape(3, len(times), count).transpose(1, 0, 2)
        self._robots = [
            _moved(robot, found[-1, :, row], end_ns) for row, robot in enumerate(self._robots)
        ]
        self._rows, self._from_ns = found[:-1].round(5), end_ns


def _moved(robot: Robot, place: Any, end_ns: int) -> Robot:
    """Where it is at the end of a stretch."""
    if robot.joined_ns > end_ns:
        return robot
    x, y, theta = (float(value) for value in place)
    return replace(robot, pose=(x, y, theta))
