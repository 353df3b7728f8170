"""Recorded motion as poses, and whether a body could have moved so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
POSITION_M, ANGLE_RAD, SPEED_MPS = 0.002, 0.002, 0.02  # what rounding may explain


@dataclass(frozen=True, slots=True)
class Body:
    """A robot as the record's first facts describe it."""

    robot: int
    name: str
    fleet: str
    footprint: Array  # (K, 2) convex, in its own frame
    speed_mps: float
    acceleration_mps2: float
    turn_radps: float
    start: tuple[float, float, float]

    @property
    def radius_m(self) -> float:
        """Of the circle round the footprint."""
        return float(np.hypot(self.footprint[:, 0], self.footprint[:, 1]).max())


def bodies(facts: list[dict[str, Any]]) -> list[Body]:
    """From `robot` facts; lists by robot index."""
    made = [
        Body(
            robot=fact["robot"],
            name=fact["name"],
            fleet=fact["fleet"],
            footprint=_counter_clockwise(np.array(fact["footprint"], float)),
            speed_mps=fact["speed_mps"],
            acceleration_mps2=fact["acceleration_mps2"],
            turn_radps=fact["turn_radps"],
            start=(fact["x_m"], fact["y_m"], fact["theta_rad"]),
        )
        for fact in facts
    ]
    return sorted(made, key=lambda body: body.robot)


def _counter_clockwise(points: Array) -> Array:
    x, y = points[:, 0], points[:, 1]
    area = float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    return points if area > 0 else points[::-1]


class Trajectory:
    """All pieces of one robot, in time, after its standing at the start."""

    def __init__(self, body: Body, rows: NDArray[Any]) -> None:
        self.body = body
        self.rows = rows[np.argsort(rows["t0_ns"], kind="stable")]
        self.t0 = self.rows["t0_ns"]
        self.end_x, self.end_y, self.end_theta, self.end_v = self._ends()
        self.turning = np.concatenate([[0], np.cumsum(self.rows["omega_radps"] != 0)])

    def _ends(self) -> tuple[Array, Array, Array, Array]:
        rows = self.rows
        tau = rows["dt_ns"] * 1e-9
        way = rows["v_mps"] * tau + rows["a_mps2"] * tau * tau / 2
        return (
            rows["x_m"] + np.cos(rows["direction_rad"]) * way,
            rows["y_m"] + np.sin(rows["direction_rad"]) * way,
            rows["theta_rad"] + rows["omega_radps"] * tau,
            rows["v_mps"] + rows["a_mps2"] * tau,
        )

    def poses(self, times_ns: NDArray[np.int64]) -> tuple[Array, Array, Array, Array]:
        """x, y, theta, |speed| at the given times."""
        rows = self.rows
        if not len(rows):
            x, y, theta = self.body.start
            one = np.ones(len(times_ns))
            return x * one, y * one, theta * one, 0 * one
        piece = np.searchsorted(self.t0, times_ns, side="right") - 1
        before = piece < 0
        piece = np.maximum(piece, 0)
        row = rows[piece]
        tau_ns = np.minimum(times_ns - row["t0_ns"], row["dt_ns"])
        within = (times_ns - row["t0_ns"] < row["dt_ns"]) & ~before
        tau = np.where(before, 0, tau_ns) * 1e-9
        way = row["v_mps"] * tau + row["a_mps2"] * tau * tau / 2
        x = row["x_m"] + np.cos(row["direction_rad"]) * way
        y = row["y_m"] + np.sin(row["direction_rad"]) * way
        theta = row["theta_rad"] + row["omega_radps"] * tau
        speed = np.where(within, np.abs(row["v_mps"] + row["a_mps2"] * tau), 0.0)
        sx, sy, st = self.body.start
        return (
            np.where(before, sx, x), np.where(before, sy, y), np.where(before, st, theta), speed,
        )  # fmt: skip

    def activity(self, times_ns: NDArray[np.int64]) -> tuple[Array, Array]:
        """For each slice between consecutive times: upper bounds of |speed| and |turn rate|."""
        rows, body = self.rows, self.body
        slices = len(times_ns) - 1
        if not len(rows):
            return np.zeros(slices), np.zeros(slices)
        first = np.searchsorted(self.t0 + rows["dt_ns"], times_ns[:-1], side="right")
        last = np.searchsorted(self.t0, times_ns[1:], side="left")
        active = last > first
        turns = self.turning[np.maximum(last, first)] - self.turning[first]
        speed = np.where(active, body.speed_mps * 1.001 + 1e-3, 0.0)
        return speed, np.where(turns > 0, body.turn_radps * 1.001, 0.0)

    def problems(self) -> list[str]:
        """Jumps, overlaps, speeding: whatever a body could not have done."""
        rows, body, found = self.rows, self.body, []
        if not len(rows):
            return []
        x = np.concatenate([[body.start[0]], self.end_x])[:-1]
        y = np.concatenate([[body.start[1]], self.end_y])[:-1]
        theta = np.concatenate([[body.start[2]], self.end_theta])[:-1]
        v = np.concatenate([[0.0], self.end_v])[:-1]
        end_ns = np.concatenate([[0], self.t0 + rows["dt_ns"]])[:-1]
        gap = self.t0 > end_ns
        turned = np.abs((rows["theta_rad"] - theta + math.pi) % (2 * math.pi) - math.pi)
        speeds = np.maximum(np.abs(rows["v_mps"]), np.abs(self.end_v))
        sideways = np.abs(np.sin(rows["direction_rad"] - rows["theta_rad"]))
        entry = np.where(gap, np.maximum(np.abs(v), np.abs(rows["v_mps"])),
                         np.abs(v - rows["v_mps"]))  # fmt: skip
        checks = (
            (np.hypot(rows["x_m"] - x, rows["y_m"] - y) > POSITION_M, "jumps to another place"),
            (turned > ANGLE_RAD, "jumps to another heading"),
            (self.t0 < end_ns, "is in two pieces of motion at once"),
            (speeds > body.speed_mps * 1.001 + 1e-3, f"is faster than {body.speed_mps} m/s"),
            (np.abs(rows["a_mps2"]) > body.acceleration_mps2 * 1.001 + 1e-6,
             f"accelerates more than {body.acceleration_mps2} m/s2"),
            (np.abs(rows["omega_radps"]) > body.turn_radps * 1.001 + 1e-6,
             f"turns faster than {body.turn_radps:.2f} rad/s"),
            (entry > SPEED_MPS, "changes its speed in no time"),
            ((sideways > 0.01) & (speeds > 1e-3), "moves sideways"),
        )  # fmt: skip
        for wrong, text in checks:
            if wrong.any():
                at = self.t0[np.argmax(wrong)] / 1e9
                found.append(f"{body.name} {text} at {at:.3f} s ({int(wrong.sum())} times)")
        return found


def trajectories(made: list[Body], rows: NDArray[Any]) -> list[Trajectory]:
    """One for each body."""
    order = np.argsort(rows["robot"], kind="stable")
    rows = rows[order]
    edges = np.searchsorted(rows["robot"], np.arange(len(made) + 1))
    return [Trajectory(body, rows[edges[i] : edges[i + 1]]) for i, body in enumerate(made)]
