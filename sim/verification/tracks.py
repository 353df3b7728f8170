"""Where every robot was at every moment: the recorded pieces of motion, with the standing between
them filled in, so that each robot's track covers the run without a gap, from when it joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.verification.findings import UnusableRun

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Run(Protocol):
    """The part of `orchestrator.journal.RunReader` that is read here."""

    meta: dict[str, Any]

    def entries(self) -> Iterator[Any]:
        """Every event of the journal."""

    def motion(self, from_ns: int = 0, to_ns: int = 2**62) -> NDArray[Any]:
        """Pieces of motion that touch the time span."""

    def truth(self, kind: str | None = None) -> Iterator[Any]:
        """(seq, time_ns, kind, payload)"""


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot as the ground truth introduces it."""

    index: int
    name: str
    fleet: str
    footprint_m: Floats  # (K, 2), in its own frame
    speed_mps: float
    acceleration_mps2: float
    turn_radps: float
    pose: tuple[float, float, float]  # x_m, y_m, theta_rad at the start
    joined_ns: int = 0  # it isn't there before

    @staticmethod
    def of(fact: dict[str, Any], time_ns: int = 0) -> Robot:
        """From a `robot` fact, told when the robot joined."""
        return Robot(
            index=int(fact["robot"]),
            name=str(fact["name"]),
            fleet=str(fact["fleet"]),
            footprint_m=np.asarray(fact["footprint"], np.float64),
            speed_mps=float(fact["speed_mps"]),
            acceleration_mps2=float(fact["acceleration_mps2"]),
            turn_radps=float(fact["turn_radps"]),
            pose=(float(fact["x_m"]), float(fact["y_m"]), float(fact["theta_rad"])),
            joined_ns=int(time_ns),
        )


@dataclass(slots=True)
class Tracks:
    """Pieces sorted by robot (its row in `robots`), then time. All arrays have one entry a piece.

    Within a piece, tau seconds after `t0_ns`: s = v tau + a tau^2 / 2 along (`ux`, `uy`), heading
    theta + omega tau.
    """

    robots: list[Robot]
    end_ns: int
    row: Ints  # piece -> row in `robots`
    t0_ns: Ints
    t1_ns: Ints
    x_m: Floats
    y_m: Floats
    theta_rad: Floats
    ux: Floats
    uy: Floats
    v_mps: Floats
    a_mps2: Floats
    omega_radps: Floats
    recorded: NDArray[np.bool_]  # False: filled in, the robot stands
    first: Ints = field(init=False)  # row -> its first piece; one more entry at the end
    _keys: Ints = field(init=False)
    _scale: int = field(init=False)

    def __post_init__(self) -> None:
        self.first = np.searchsorted(self.row, np.arange(len(self.robots) + 1)).astype(np.int64)
        self._scale = int(max(self.end_ns, int(self.t1_ns.max(initial=0)))) + 2
        if len(self.robots) * self._scale >= 2**63:
            raise UnusableRun("the run is too long for so many robots -> verify a part of it")
        self._keys = self.row * self._scale + self.t0_ns

    def piece(self, rows: Ints, times_ns: Ints) -> Ints:
        """The piece each robot is in at its time; the later one at a boundary."""
        found = np.searchsorted(self._keys, rows * self._scale + times_ns, side="right") - 1
        return np.maximum(found, self.first[rows]).astype(np.int64)

    def pose_in(self, pieces: Ints, times_ns: Ints) -> tuple[Floats, Floats, Floats]:
        """x_m, y_m, theta_rad within given pieces."""
        begin = self.t0_ns[pieces]
        tau = (np.clip(times_ns, begin, self.t1_ns[pieces]) - begin) * 1e-9
        way = self.v_mps[pieces] * tau + self.a_mps2[pieces] * tau * tau / 2
        return (
            self.x_m[pieces] + self.ux[pieces] * way,
            self.y_m[pieces] + self.uy[pieces] * way,
            self.theta_rad[pieces] + self.omega_radps[pieces] * tau,
        )

    def pose(self, rows: Ints, times_ns: Ints) -> tuple[Floats, Floats, Floats]:
        """x_m, y_m, theta_rad of robots at times (same shape)."""
        return self.pose_in(self.piece(rows, times_ns), times_ns)

    @property
    def dt_s(self) -> Floats:
        """Length of each piece in seconds."""
        seconds: Floats = ((self.t1_ns - self.t0_ns) * 1e-9).astype(np.float64)
        return seconds

    @property
    def v_end_mps(self) -> Floats:
        """Speed at the end of each piece."""
        speed: Floats = self.v_mps + self.a_mps2 * self.dt_s
        return speed

    @property
    def driving(self) -> NDArray[np.bool_]:
        """Pieces in which the robot changes its place."""
        driving: NDArray[np.bool_] = self.recorded & ((self.v_mps != 0) | (self.a_mps2 != 0))
        return driving

    @property
    def turning(self) -> NDArray[np.bool_]:
        """Pieces in which the robot turns on the spot."""
        turning: NDArray[np.bool_] = self.recorded & (self.omega_radps != 0) & ~self.driving
        return turning

    @property
    def way_m(self) -> Floats:
        """Metres driven in each piece (exact also where the speed changes its sign)."""
        dt, v, a = self.dt_s, self.v_mps, self.a_mps2
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.where(a != 0, -v / np.where(a != 0, a, 1.0), 0.0)
        turn = np.clip(turn, 0.0, dt)

        def way(tau: Floats) -> Floats:
            return v * tau + a * tau * tau / 2

        there: Floats = np.abs(way(turn)) + np.abs(way(dt) - way(turn))
        return there


def robots_of(run: Run) -> list[Robot]:
    """All robots of the run. Raises `UnusableRun` where there are none."""
    try:
        robots = [Robot.of(fact, time_ns) for _, time_ns, _, fact in run.truth("robot")]
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableRun(f"a robot's fact is incomplete ({error!r}) -> record anew") from error
    if not robots and run.meta.get("live"):
        raise UnusableRun(
            "a live run holds no ground truth -> lightsout replay --check, or compare"
        )
    if not robots:
        raise UnusableRun("the run holds no robots -> record it with `lightsout run --record`")
    return robots


def end_of(run: Run) -> int:
    """The run's last moment, ns: of the ground truth or, where it has no end, of the motion, whatever
    is later."""
    last, ended = 0, False
    for _, time_ns, kind, _ in run.truth():
        last, ended = max(last, time_ns), ended or kind == "end"
    if not ended:
        motion = run.motion(last)
        last = max(last, int((motion["t0_ns"] + motion["dt_ns"]).max(initial=0)))
    return int(last)


def rows_in(motion: NDArray[Any], robots: list[Robot]) -> tuple[Ints, NDArray[Any], int]:
    """Pieces as (row in `robots`, pieces), by row and time, and the number of pieces that belong to
    no known robot."""
    rows_of = {robot.index: row for row, robot in enumerate(robots)}
    known, inverse = np.unique(motion["robot"], return_inverse=True)
    lookup = np.array([rows_of.get(int(index), -1) for index in known], np.int64)
    rows = lookup[inverse] if len(motion) else np.empty(0, np.int64)
    keep = rows >= 0
    motion, rows = motion[keep], rows[keep]
    order = np.lexsort((motion["t0_ns"], rows))
    return rows[order].astype(np.int64), motion[order], int((~keep).sum())


def tracks_of(robots: list[Robot], rows: Ints, motion: NDArray[Any], end_ns: int) -> Tracks:
    """Fill the gaps with standing. A robot stands where its last piece ended, and from when it joined
    where it was set down."""
    count = len(robots)
    joined = np.array([robot.joined_ns for robot in robots], np.int64)
    t0 = motion["t0_ns"].astype(np.int64)
    t1 = t0 + motion["dt_ns"]
    tau = motion["dt_ns"] * 1e-9
    way = motion["v_mps"] * tau + motion["a_mps2"] * tau * tau / 2
    end_x = motion["x_m"] + np.cos(motion["direction_rad"]) * way
    end_y = motion["y_m"] + np.sin(motion["direction_rad"]) * way
    end_theta = motion["theta_rad"] + motion["omega_radps"] * tau
    starts = np.array([robot.pose for robot in robots], np.float64).reshape(count, 3)
    until = np.full(len(t0), end_ns, np.int64)
    same = rows[1:] == rows[:-1]
    until[:-1][same] = t0[1:][same]
    before = np.maximum(np.full(count, end_ns, np.int64), joined)
    begin = np.searchsorted(rows, np.arange(count))
    has = np.append(rows, -1)[np.minimum(begin, len(rows))] == np.arange(count)
    before[has] = t0[begin[has]]
    still = np.maximum(until, t1)
    zero = np.zeros(len(t0) + count)
    made = {
        "row": np.concatenate([np.arange(count), rows, rows]),
        "t0_ns": np.concatenate([joined, t0, t1]),
        "t1_ns": np.concatenate([before, t1, still]),
        "x_m": np.concatenate([starts[:, 0], motion["x_m"], end_x]),
        "y_m": np.concatenate([starts[:, 1], motion["y_m"], end_y]),
        "theta_rad": np.concatenate([starts[:, 2], motion["theta_rad"], end_theta]),
        "ux": np.concatenate([zero[:count], np.cos(motion["direction_rad"]), zero[count:]]),
        "uy": np.concatenate([zero[:count], np.sin(motion["direction_rad"]), zero[count:]]),
        "v_mps": np.concatenate([zero[:count], motion["v_mps"], zero[count:]]),
        "a_mps2": np.concatenate([zero[:count], motion["a_mps2"], zero[count:]]),
        "omega_radps": np.concatenate([zero[:count], motion["omega_radps"], zero[count:]]),
        "recorded": np.concatenate([zero[:count] > 0, np.ones(len(t0), bool), zero[count:] > 0]),
    }
    keep = made["recorded"] | (made["t1_ns"] > made["t0_ns"])
    keep[:count] = True  # every robot has at least one piece
    order = np.lexsort((~made["recorded"], made["t1_ns"], made["t0_ns"], made["row"]))
    order = order[keep[order]]
    return Tracks(robots, end_ns, **{name: values[order] for name, values in made.items()})


def read_tracks(run: Run) -> Tracks:
    """The tracks of a run, as drawings and exports need them."""
    robots = robots_of(run)
    rows, motion, _ = rows_in(run.motion(), robots)
    return tracks_of(robots, rows, motion, end_of(run))
