"""Charge: how full each fleet was, how many robots charged, and what driving and waiting used."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.report.bins import edges, width_ns
from sim.report.timeline import CHARGING, Crew, Timeline
from sim.verification.tracks import Floats

Reports = list[tuple[int, int, int]]  # robot row, time, permille


def used(crew: Crew, timeline: Timeline, spec: Any) -> Floats:
    """Full charges that each span of the timeline used: way and time, as the fleet's battery says."""
    reach, idle = np.ones(len(crew.robots)), np.ones(len(crew.robots))
    for row, robot in enumerate(crew.robots):
        battery = spec.fleets[robot.fleet].battery
        reach[row], idle[row] = battery.reach_m, battery.idle_hours
    hours = np.where(timeline.state == CHARGING, 0.0, timeline.seconds / 3600)
    charges: Floats = timeline.way_m / reach[timeline.row] + hours / idle[timeline.row]
    return charges


def figures(crew: Crew, timeline: Timeline, reports: Reports, spec: Any) -> dict[str, Any]:
    """Per fleet, over the run and over time: full charges used (kWh where the site says how much a
    battery holds), mean and least charge, share of the robots' time on a charger."""
    charges = used(crew, timeline, spec)
    names = [robot.fleet for robot in crew.robots]
    width = width_ns(crew.end_ns)
    bins = edges(crew.end_ns, width)
    fleets = {}
    for name in dict.fromkeys(names):
        rows = np.array([fleet == name for fleet in names])
        mine = rows[timeline.row]
        seconds = float(timeline.seconds[mine].sum())
        total = float(charges[mine].sum())
        capacity = getattr(spec.fleets[name].battery, "capacity_kwh", None)
        over_time = _over_time(timeline, mine, bins, width)
        levels = _levels(reports, rows, bins)
        fleets[name] = {
            "charges_used": round(total, 3),
            "kwh_used": None if not capacity else round(total * capacity, 2),
            "charging_share": round(_on_charger(timeline, mine) / max(seconds, 1e-9), 4),
            "least_percent": min((p / 10 for r, _, p in reports if rows[r]), default=None),
            "over_time": [
                {"from_s": low / 1e9, "percent": level, "charging_share": share}
                for (low, _), level, share in zip(bins, levels, over_time, strict=True)
            ],
        }  # fmt: skip
    return {"bin_s": width / 1e9, "fleets": fleets}


def _on_charger(timeline: Timeline, mine: Any) -> float:
    return float(timeline.seconds[mine & (timeline.state == CHARGING)].sum())


def _over_time(
    timeline: Timeline, mine: Any, bins: list[tuple[int, int]], width: int
) -> list[float]:
    number = np.minimum(timeline.t0_ns[mine] // width, len(bins) - 1)
    every = np.bincount(number, timeline.seconds[mine], minlength=len(bins))
    on = timeline.state[mine] == CHARGING
    charging = np.bincount(number[on], timeline.seconds[mine][on], minlength=len(bins))
    return [round(float(c / e), 4) if e > 0 else 0.0 for c, e in zip(charging, every, strict=True)]


def _levels(reports: Reports, rows: Any, bins: list[tuple[int, int]]) -> list[float | None]:
    """Mean charge in percent at the end of each bin, as last reported (each 5 %)."""
    level: dict[int, int] = {}
    result: list[float | None] = []
    pending = iter(sorted((t, r, p) for r, t, p in reports if rows[r]))
    following = next(pending, None)
    for _, high in bins:
        while following is not None and following[0] <= high:
            level[following[1]] = following[2]
            following = next(pending, None)
        mean = sum(level.values()) / len(level) / 10 if level else None
        result.append(None if mean is None else round(mean, 1))
    return result
