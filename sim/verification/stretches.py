"""The motion of a run, a stretch of time at a time: long runs of many robots need little memory so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.verification.tracks import Ints, Robot, Run, Tracks, rows_in, tracks_of

STRETCH_NS = 1200 * 10**9
FOREVER_NS = 2**62


@dataclass(slots=True)
class Stretch:
    """A part of the run, exact from `from_ns` to `to_ns`."""

    robots: list[Robot]  # as ground truth introduces them
    from_ns: int
    to_ns: int
    rows: Ints  # of the pieces that begin in it: by robot, then time
    pieces: NDArray[Any]
    last: NDArray[
        Any
    ]  # by robot, the piece that it began last before; `begun` tells whether there is
    begun: NDArray[np.bool_]

    def tracks(self) -> Tracks:
        """Where everybody is. Who was there before stands, or drives on, as he did: his first piece
        may have begun before the stretch."""
        robots = [self._at(row, robot) for row, robot in enumerate(self.robots)]
        under_way = np.flatnonzero(self.begun & (_ends(self.last) > self.from_ns))
        mine = self.pieces["t0_ns"] < max(self.to_ns, 1)
        rows = np.concatenate([under_way, self.rows[mine]]).astype(np.int64)
        pieces = np.concatenate([self.last[under_way], self.pieces[mine]])
        order = np.argsort(rows, kind="stable")
        return tracks_of(robots, rows[order], pieces[order], self.to_ns)

    def _at(self, row: int, robot: Robot) -> Robot:
        """The robot as it would be introduced when the stretch begins: its pose, or where the piece
        begins that it is in the middle of."""
        if robot.joined_ns >= self.from_ns:
            return robot
        if not self.begun[row]:
            return replace(robot, joined_ns=self.from_ns)
        piece, since_ns = self.last[row], self.from_ns
        tau = float(piece["dt_ns"]) * 1e-9
        if int(piece["t0_ns"] + piece["dt_ns"]) > self.from_ns:
            tau, since_ns = 0.0, int(piece["t0_ns"])
        way = float(piece["v_mps"]) * tau + float(piece["a_mps2"]) * tau * tau / 2
        direction = float(piece["direction_rad"])
        pose = (
            float(piece["x_m"]) + float(np.cos(direction)) * way,
            float(piece["y_m"]) + float(np.sin(direction)) * way,
            float(piece["theta_rad"]) + float(piece["omega_radps"]) * tau,
        )
        return replace(robot, pose=pose, joined_ns=since_ns)


@dataclass(slots=True)
class Stretches:
    """All stretches of a run, from its beginning to `end_ns`, each time that it is iterated over."""

    run: Run
    robots: list[Robot]
    end_ns: int
    cut: bool = False  # leave out what begins at `end_ns` or later
    stretch_ns: int = field(default_factory=lambda: STRETCH_NS)
    unknown: int = 0  # pieces that belong to no known robot, as far as was read

    def __iter__(self) -> Iterator[Stretch]:
        self.unknown = 0
        last = self.run.motion(0, -1)[:0]
        last = np.zeros(len(self.robots), last.dtype)
        begun = np.zeros(len(self.robots), bool)
        for from_ns in range(0, max(self.end_ns, 1), self.stretch_ns):
            to_ns = min(from_ns + self.stretch_ns, self.end_ns)
            rows, pieces = self._begun(from_ns, to_ns)
            yield Stretch(self.robots, from_ns, to_ns, rows, pieces, last, begun)
            last, begun = last.copy(), begun.copy()
            last[rows] = pieces  # by time: the last one stays
            begun[rows] = True

    def _begun(self, from_ns: int, to_ns: int) -> tuple[Ints, NDArray[Any]]:
        final = to_ns >= self.end_ns and not self.cut
        motion = self.run.motion(from_ns, FOREVER_NS if final else to_ns)
        t0_ns = motion["t0_ns"]
        mine = (t0_ns < (FOREVER_NS if final else to_ns)) & ((t0_ns >= from_ns) | (from_ns == 0))
        rows, pieces, unknown = rows_in(motion[mine], self.robots)
        self.unknown += unknown
        return rows, pieces


def _ends(pieces: NDArray[Any]) -> Ints:
    ends: Ints = pieces["t0_ns"] + pieces["dt_ns"]
    return ends
