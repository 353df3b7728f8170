"""Is each trajectory one that the robot could have driven? No teleports, no overlaps in time, and
speed, acceleration and turn rate within the robot's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.verification.findings import Findings
from sim.verification.stretches import Stretch
from sim.verification.tracks import Ints, Robot

JUMP_M = 1e-3
JUMP_RAD = 1e-3
SLACK = 1e-6  # relative and absolute, on limits
SPEED_STEP_MPS = 5e-3  # between two pieces: more would be an acceleration without end
BEND_RAD = 0.035  # at lane joints that a robot rolls over


@dataclass(slots=True)
class MotionCheck:
    """Runs over stretches of time; figures collect here."""

    pieces: int = 0
    tops: tuple[float, float, float] = (0.0, 0.0, 0.0)  # m/s, m/s2, rad/s

    def run(self, stretch: Stretch, found: Findings) -> None:
        """Check the pieces that begin in a stretch of the run."""
        robots, rows, pieces = stretch.robots, stretch.rows, stretch.pieces
        if not len(pieces):
            return
        _finite(robots, rows, pieces, found)
        _limits(robots, rows, pieces, found)
        _continuity(stretch, found)
        v_end = pieces["v_mps"] + pieces["a_mps2"] * (pieces["dt_ns"] * 1e-9)
        speed = np.maximum(np.abs(pieces["v_mps"]), np.abs(v_end))
        values = (speed, np.abs(pieces["a_mps2"]), np.abs(pieces["omega_radps"]))
        self.tops = tuple(  # type: ignore[assignment]
            max(top, float(value.max())) for top, value in zip(self.tops, values, strict=True)
        )
        self.pieces += len(pieces)

    def figures(self) -> dict[str, Any]:
        """All stretches were run."""
        speed_mps, acceleration_mps2, turn_radps = self.tops
        return {
            "pieces": self.pieces,
            "speed_mps_max": round(speed_mps, 6),
            "acceleration_mps2_max": round(acceleration_mps2, 6),
            "turn_radps_max": round(turn_radps, 6),
        }


def _finite(robots: list[Robot], rows: Ints, motion: NDArray[Any], found: Findings) -> None:
    good = motion["dt_ns"] >= 0
    for name in motion.dtype.names or ():
        if motion.dtype[name].kind == "f":
            good &= np.isfinite(motion[name])
    for index in np.flatnonzero(~good):
        time_ns = int(motion["t0_ns"][index])
        found.add(
            "motion", time_ns, robots[rows[index]].name, "is no motion (NaN, or backwards in time)"
        )


def _limits(robots: list[Robot], rows: Ints, motion: NDArray[Any], found: Findings) -> None:
    tau = motion["dt_ns"] * 1e-9
    v_end = motion["v_mps"] + motion["a_mps2"] * tau
    top = np.maximum(np.abs(motion["v_mps"]), np.abs(v_end))
    checks = (
        ("speed", top, [robot.speed_mps for robot in robots], "m/s"),
        ("acceleration", np.abs(motion["a_mps2"]), [r.acceleration_mps2 for r in robots], "m/s2"),
        ("turn rate", np.abs(motion["omega_radps"]), [r.turn_radps for r in robots], "rad/s"),
    )
    for kind, value, limits, unit in checks:
        limit = np.asarray(limits, np.float64)[rows]
        for index in np.flatnonzero(value > limit * (1 + SLACK) + SLACK):
            text = f"{value[index]:.4f} {unit}, {limit[index]:.4f} allowed"
            found.add(kind, int(motion["t0_ns"][index]), robots[rows[index]].name, text)


def _ends(motion: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Poses (N, 3) and velocities (N, 2) at the ends of the pieces."""
    tau = motion["dt_ns"] * 1e-9
    way = motion["v_mps"] * tau + motion["a_mps2"] * tau * tau / 2
    ux, uy = np.cos(motion["direction_rad"]), np.sin(motion["direction_rad"])
    theta = motion["theta_rad"] + motion["omega_radps"] * tau
    v_end = motion["v_mps"] + motion["a_mps2"] * tau
    poses = np.stack([motion["x_m"] + ux * way, motion["y_m"] + uy * way, theta], axis=1)
    return poses, np.stack([ux * v_end, uy * v_end], axis=1)


def _continuity(stretch: Stretch, found: Findings) -> None:
    robots, rows, motion = stretch.robots, stretch.rows, stretch.pieces
    count = len(motion)
    poses, velocities = _ends(motion)
    first = np.ones(count, bool)
    first[1:] = rows[1:] != rows[:-1]
    starts = np.array([robot.pose for robot in robots], np.float64).reshape(len(robots), 3)
    joined = np.array([robot.joined_ns for robot in robots], np.int64)
    moving = np.zeros((len(robots), 2))
    begun = stretch.begun
    starts[begun], moving[begun] = (values[begun] for values in _ends(stretch.last))
    joined[begun] = (stretch.last["t0_ns"] + stretch.last["dt_ns"])[begun]
    previous = np.where(first[:, None], starts[rows], np.roll(poses, 1, axis=0))
    ended = np.where(first, joined[rows], np.roll(motion["t0_ns"] + motion["dt_ns"], 1))
    before = np.where(first[:, None], moving[rows], np.roll(velocities, 1, axis=0))
    first &= ~begun[rows]
    here = np.stack([motion["x_m"], motion["y_m"], motion["theta_rad"]], axis=1)
    jump = np.hypot(here[:, 0] - previous[:, 0], here[:, 1] - previous[:, 1])
    twist = np.abs((here[:, 2] - previous[:, 2] + np.pi) % (2 * np.pi) - np.pi)
    for index in np.flatnonzero((jump > JUMP_M) | (twist > JUMP_RAD)):
        text = f"jumps by {jump[index]:.4f} m, {twist[index]:.4f} rad"
        found.add("teleport", int(motion["t0_ns"][index]), robots[rows[index]].name, text)
    for index in np.flatnonzero(motion["t0_ns"] < ended):
        early_s = (ended[index] - motion["t0_ns"][index]) * 1e-9
        text = f"begins {early_s:.6f} s before {'it joined' if first[index] else 'the last ended'}"
        found.add("overlap", int(motion["t0_ns"][index]), robots[rows[index]].name, text)
    _speed_steps(robots, rows, motion, (ended, before), found)


def _speed_steps(
    robots: list[Robot],
    rows: Ints,
    motion: NDArray[Any],
    last: tuple[NDArray[Any], NDArray[Any]],
    found: Findings,
) -> None:
    """Speed must not change between pieces, and must be zero where a robot begins to stand."""
    ended, before = last
    now = motion["v_mps"][:, None] * np.stack(
        [np.cos(motion["direction_rad"]), np.sin(motion["direction_rad"])], axis=1
    )
    gap = motion["t0_ns"] > ended
    fast, speed = np.hypot(before[:, 0], before[:, 1]), np.hypot(now[:, 0], now[:, 1])
    along = (now * before).sum(axis=1) / np.where(fast > 0, fast, 1.0)
    bend = np.sqrt(np.maximum(speed**2 - along**2, 0.0))
    step = np.where(fast > 0, np.hypot(speed - fast, np.minimum(along, 0.0)), speed)
    stands = np.maximum(fast, speed)
    rough = (step > SPEED_STEP_MPS) | (bend > SPEED_STEP_MPS + BEND_RAD * fast)
    wrong = np.where(gap, stands > SPEED_STEP_MPS, rough)
    for index in np.flatnonzero(wrong):
        size = stands[index] if gap[index] else max(step[index], bend[index])
        text = f"changes its speed by {size:.4f} m/s at once"
        found.add("acceleration", int(motion["t0_ns"][index]), robots[rows[index]].name, text)


def last_pieces(stretch: Stretch, end_ns: int, found: Findings) -> None:
    """Who moves at the end of his last piece, while the run goes on, stops dead. `stretch` is the
    last one."""
    last, begun = stretch.last.copy(), stretch.begun.copy()
    last[stretch.rows], begun[stretch.rows] = stretch.pieces, True
    ended = last["t0_ns"] + last["dt_ns"]
    speed = np.abs(last["v_mps"] + last["a_mps2"] * last["dt_ns"] * 1e-9)
    for row in np.flatnonzero(begun & (speed > SPEED_STEP_MPS) & (ended < end_ns)):
        text = f"is last seen at {speed[row]:.4f} m/s, and then stands"
        found.add("acceleration", int(ended[row]), stretch.robots[row].name, text)
