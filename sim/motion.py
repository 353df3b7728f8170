"""Kinematics along one edge: accelerate, cruise, brake to the speed that the way ahead allows."""

from __future__ import annotations

import math
from typing import NamedTuple


class Phase(NamedTuple):
    """Constant acceleration from (`s_m`, `v_mps`) for `dt_ns`."""

    t0_ns: int
    dt_ns: int
    s_m: float
    v_mps: float
    a_mps2: float


def exit_speed(lengths_m: list[float], limits_mps: list[float], a_mps2: float) -> float:
    """The highest speed at the end of the first edge from which the robot still stops at the end of
    the last, keeping every edge's limit. One edge: zero."""
    speed = 0.0
    for index in range(len(lengths_m) - 1, 0, -1):
        reachable = math.sqrt(speed * speed + 2 * a_mps2 * lengths_m[index])
        speed = min(reachable, limits_mps[index], limits_mps[index - 1])
    return speed


def profile(
    t0_ns: int, s_m: float, length_m: float, v_in: float, v_out: float, limit: float, a: float
) -> list[Phase]:
    """Phases from `s_m` to `length_m`, entering at `v_in`, leaving at no more than `v_out` (less if
    the edge is too short to get there). The robot must still be able to brake to `v_out`."""
    distance = max(0.0, length_m - s_m)
    v_out = min(v_out, math.sqrt(v_in * v_in + 2 * a * distance))
    peak = min(limit, math.sqrt(max(0.0, (2 * a * distance + v_in * v_in + v_out * v_out) / 2)))
    peak = max(peak, v_in, v_out)
    up = (peak * peak - v_in * v_in) / (2 * a)
    down = (peak * peak - v_out * v_out) / (2 * a)
    cruise = max(0.0, distance - up - down)
    phases: list[Phase] = []
    time_ns, at = t0_ns, s_m
    for seconds, speed, acceleration, way in (
        ((peak - v_in) / a, v_in, a, up),
        (cruise / peak if peak > 0 else 0.0, peak, 0.0, cruise),
        ((peak - v_out) / a, peak, -a, down),
    ):
        if seconds > 1e-9:
            dt_ns = math.ceil(seconds * 1e9)
            phases.append(Phase(time_ns, dt_ns, at, speed, acceleration))
            time_ns += dt_ns
            at += way
    return phases


def state(phase: Phase, time_ns: int) -> tuple[float, float]:
    """Position and speed at a time within the phase."""
    tau = (time_ns - phase.t0_ns) * 1e-9
    speed = phase.v_mps + phase.a_mps2 * tau
    return phase.s_m + phase.v_mps * tau + phase.a_mps2 * tau * tau / 2, max(0.0, speed)
