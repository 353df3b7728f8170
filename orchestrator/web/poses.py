"""Pieces of motion by time, and where everybody stands at any time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.journal import MOTION
from orchestrator.web.tail import Batches

CHECKPOINT_NS = 120 * 10**9
CHECKPOINTS_MAX = 256


def standing(robot: int, t_ns: int, x_m: float, y_m: float, theta_rad: float) -> tuple[Any, ...]:
    """A piece of motion of no length."""
    return (robot, t_ns, 0, x_m, y_m, theta_rad, 0.0, 0.0, 0.0, 0.0)


def state(piece: Any, t_ns: int) -> tuple[float, float, float, float]:
    """x, y, theta and speed at a time; before and behind the piece: at its ends."""
    tau = min(max(t_ns - int(piece["t0_ns"]), 0), int(piece["dt_ns"])) / 1e9
    v, a = float(piece["v_mps"]), float(piece["a_mps2"])
    s = v * tau + a * tau * tau / 2
    direction = float(piece["direction_rad"])
    moving = t_ns < int(piece["t0_ns"]) + int(piece["dt_ns"])
    return (
        float(piece["x_m"]) + float(np.cos(direction)) * s,
        float(piece["y_m"]) + float(np.sin(direction)) * s,
        float(piece["theta_rad"]) + float(piece["omega_radps"]) * tau,
        v + a * tau if moving else 0.0,
    )


def last_of_each(rows: NDArray[Any]) -> NDArray[Any]:
    """The last row of each robot."""
    _, backwards = np.unique(rows["robot"][::-1], return_index=True)
    last: NDArray[Any] = rows[len(rows) - 1 - backwards]
    return last


@dataclass(slots=True)
class PoseIndex:
    """All motion of a run, read batch by batch."""

    batches: Batches[NDArray[Any]]
    _head: NDArray[Any] = field(default_factory=lambda: np.empty(0, MOTION))  # by robot index
    _marks_ns: list[int] = field(default_factory=lambda: [-1])
    _marks: list[tuple[int, NDArray[Any]]] = field(
        default_factory=lambda: [(0, np.empty(0, MOTION))]
    )
    _every_ns: int = field(default_factory=lambda: CHECKPOINT_NS)

    def start(self, robots: list[dict[str, Any]]) -> None:
        """Where they stand at first: a piece of no length, at the time when the robot joined."""
        known = len(self._marks[0][1])
        if len(robots) <= known:
            return
        rows = [
            standing(r["robot"], r.get("joined_ns", 0), r["x_m"], r["y_m"], r["theta_rad"])
            for r in robots[known:]
        ]
        made = np.array(rows, dtype=MOTION)
        self._head = np.concatenate([self._head, made])
        self._marks = [(at, np.concatenate([poses, made])) for at, poses in self._marks]

    def add(self, number: int, from_ns: int, to_ns: int, rows: NDArray[Any]) -> None:
        """Take the next batch in."""
        self._apply(self._head, rows)
        self.batches.add(number, from_ns, to_ns, rows)
        latest = self.batches.latest_ns[-1]
        if latest - self._marks_ns[-1] >= self._every_ns:
            self._marks_ns.append(latest)
            self._marks.append((len(self.batches), self._head.copy()))
            if len(self._marks) > CHECKPOINTS_MAX:
                self._marks, self._marks_ns = self._marks[::2], self._marks_ns[::2]
                self._every_ns *= 2

    @staticmethod
    def _apply(poses: NDArray[Any], rows: NDArray[Any]) -> None:
        rows = rows[rows["robot"] < len(poses)]
        if len(rows):
            last = last_of_each(rows)
            poses[last["robot"]] = last

    def at(self, t_ns: int) -> NDArray[Any]:
        """Each robot's last piece that began by `t_ns` (shape: robots, dtype MOTION)."""
        mark = max(0, bisect_right(self._marks_ns, t_ns) - 1)
        first, poses = self._marks[mark]
        poses = poses.copy()
        for position in range(first, len(self.batches)):
            if self.batches.from_ns[position] <= t_ns:
                rows = self.batches.read(position)
                self._apply(poses, rows[rows["t0_ns"] <= t_ns])
            elif self.batches.from_ns[position] > t_ns + CHECKPOINT_NS:
                break
        return poses

    def begun(self, from_ns: int, to_ns: int) -> NDArray[Any]:
        """Pieces that began in (from, to]."""
        parts = []
        for rows in self.batches.between(from_ns, to_ns):
            parts.append(rows[(rows["t0_ns"] > from_ns) & (rows["t0_ns"] <= to_ns)])
        return np.concatenate(parts) if parts else np.empty(0, MOTION)

    def late(self, first: int, sent_ns: int, t_ns: int) -> NDArray[Any]:
        """From batches at position `first` on: pieces that began before `sent_ns` and last beyond
        `t_ns`. A robot on a long lane is recorded when it arrives."""
        parts = []
        for position in range(first, len(self.batches)):
            if self.batches.from_ns[position] <= sent_ns:
                rows = self.batches.read(position)
                ends = rows["t0_ns"] + rows["dt_ns"]
                parts.append(rows[(rows["t0_ns"] <= sent_ns) & (ends > t_ns)])
        return np.concatenate(parts) if parts else np.empty(0, MOTION)

    def moving(self, t_ns: int) -> set[int]:
        """Robots that drive or turn at a time."""
        poses = self.at(t_ns)
        ends = poses["t0_ns"] + poses["dt_ns"]
        begun = poses["t0_ns"] <= t_ns  # who joins later is not there
        return {int(robot) for robot in poses["robot"][begun & (ends > t_ns)]}
