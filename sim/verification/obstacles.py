"""Does a robot touch something that lies on a lane? From the outlines that the ground truth tells.

By conservative advancement: from a gap the robot can't close faster than its top speed (and the turn
of its farthest corner) allow, so nothing is missed between the moments that are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim.verification.findings import Findings
from sim.verification.polygons import convex_parts, distance, placed
from sim.verification.tracks import Floats, Robot, Tracks

TOUCH_M = 1e-4
STEP_S_MIN = 1e-3


@dataclass(slots=True)
class Obstacle:
    """Something that lies there for a while."""

    id: str
    outline: Floats  # (K, 2) metres
    from_ns: int
    to_ns: int


def obstacles_of(facts: Iterable[tuple[int, str, dict[str, Any]]], end_ns: int) -> list[Obstacle]:
    """From (time_ns, kind, fact)."""
    there: dict[str, Obstacle] = {}
    for time_ns, kind, fact in facts:
        if kind == "obstacle_placed":
            outline = np.asarray(fact["outline"], np.float64)
            there[fact["id"]] = Obstacle(fact["id"], outline, time_ns, end_ns)
        elif kind == "obstacle_removed":
            there[fact["id"]].to_ns = time_ns
    return list(there.values())


@dataclass(slots=True)
class ObstacleCheck:
    """Runs over stretches of time; touches and the clearance collect here."""

    obstacles: list[Obstacle]
    clearance_m: float = np.inf
    _touched: set[tuple[int, str]] = field(default_factory=set)  # robot's row, obstacle

    def run(self, tracks: Tracks, from_ns: int, found: Findings) -> None:
        """Check a stretch of the run, up to where its tracks end: a finding for each robot and
        obstacle that touch."""
        for whole in self.obstacles:
            begin, end = max(whole.from_ns, from_ns), min(whole.to_ns, tracks.end_ns)
            if begin > end:
                continue
            part = Obstacle(whole.id, whole.outline, begin, end)
            for row, robot in enumerate(tracks.robots):
                if (row, whole.id) in self._touched:
                    continue
                gap, time_ns = _least(tracks, row, robot, part)
                self.clearance_m = min(self.clearance_m, gap)
                if gap <= TOUCH_M:
                    self._touched.add((row, whole.id))
                    found.add("contact", time_ns, f"{robot.name} and {whole.id}", "touch")

    def figures(self) -> dict[str, Any]:
        """All stretches were run."""
        clearance = round(float(self.clearance_m), 4) if np.isfinite(self.clearance_m) else None
        count = len(self.obstacles)
        return {"count": count, "touched": len(self._touched), "clearance_m": clearance}


def _least(tracks: Tracks, row: int, robot: Robot, obstacle: Obstacle) -> tuple[float, int]:
    """The smallest gap while both are there, and when; at the first touch it ends."""
    bodies = convex_parts(robot.footprint_m)
    things = convex_parts(obstacle.outline)
    reach = float(np.hypot(robot.footprint_m[:, 0], robot.footprint_m[:, 1]).max())
    now, least, at = max(obstacle.from_ns, robot.joined_ns), np.inf, obstacle.from_ns
    rows = np.array([row])
    top_mps = robot.speed_mps + robot.turn_radps * reach
    while now <= obstacle.to_ns:
        time = np.array([now], np.int64)
        x, y, theta = tracks.pose(rows, time)
        gap = min(
            float(distance(placed(body[None], x, y, theta), thing[None])[0][0])
            for body in bodies
            for thing in things
        )
        if gap < least:
            least, at = gap, now
        if gap <= TOUCH_M:
            break
        safe_ns = int(max(gap / top_mps, STEP_S_MIN) * 1e9)
        piece = int(tracks.piece(rows, time)[0])
        if not tracks.recorded[piece]:  # it stands until the next piece
            safe_ns = max(safe_ns, int(tracks.t1_ns[piece]) - now)
        now += safe_ns
    return least, at
