"""The geometric half of the last check: does what a command opens touch where anybody really is?

It draws the swept area of each edge from the site's footprints by itself, and holds it against the
poses that vehicles report. A robot's pose that is missing or too old counts as nothing here: then all
that the robot holds is closed by the logical half (`gate.Gate`), which knows no poses. Whoever is no
robot of the building holds nothing, so where it was seen last it is, until it is seen elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from orchestrator.core.messages import ExtendBase
from orchestrator.core.roadmap import Roadmap
from orchestrator.gate.bodies import Bodies, Footprint, Sweeps, circle, placed

FRESH_NS = 5_000_000_000
OTHERS_MAX = 2000
NOWHERE = (math.nan, math.nan, 0.0)


class Poses:
    """Where robots say that they are, and where others are. Metres and radians; times in ns."""

    def __init__(self, roadmap: Roadmap, footprints: Sequence[Footprint], margin_m: float) -> None:
        self._roadmap = roadmap
        self._sweeps = Sweeps(roadmap, footprints, margin_m)
        self._robots, self._others = Bodies(), Bodies()
        self._fleet: list[int] = []
        self._rows: dict[str, int] = {}  # of others, by name
        self._shapes: list[tuple[str, int]] = []  # by row: name and fleet, -1: a stranger's
        self._free: list[int] = []

    def joined(self, robot: int, fleet: int) -> None:
        """The next robot."""
        assert robot == len(self._fleet), "robots join in sequence"
        self._fleet.append(fleet)
        self._robots.add(self._sweeps.radius_m[fleet])

    def seen(self, robot: int, x_m: float, y_m: float, theta: float, now_ns: int) -> None:
        """A pose that was reported just now."""
        self._robots.put(robot, x_m, y_m, theta, now_ns)

    def unseen(self, robot: int) -> None:
        """Where it says that it is is not to be believed: it counts as all that it holds."""
        self._robots.put(robot, *NOWHERE, 0)

    def other(self, name: str, fleet: int, x_m: float, y_m: float, theta: float) -> None:
        """Somebody stands here who is no robot of the building (yet). `fleet` -1: a stranger, who
        counts as a circle around the largest robot."""
        row = self._rows.get(name)
        if row is None:
            if len(self._rows) >= OTHERS_MAX:
                return
            row = self._free.pop() if self._free else self._others.add(0.0)
            self._rows[name] = row
            self._shapes[row : row + 1] = [(name, fleet)]
            self._others.resize(row, self._radius_m(fleet))
        self._others.put(row, x_m, y_m, theta, 0)

    def gone(self, name: str) -> None:
        """It is a robot now, or has left."""
        row = self._rows.pop(name, None)
        if row is not None:
            self._others.put(row, *NOWHERE, 0)
            self._free.append(row)

    def touched(self, name: str) -> list[int]:
        """Edges along which some fleet would touch it."""
        row = self._rows.get(name)
        if row is None:
            return []
        x, y, _ = self._others.xyt[row]
        far_m = 2 * max(self._sweeps.radius_m) + self._sweeps.margin_m
        body, roadmap = self._body(row), self._roadmap
        found = []
        for edge in range(roadmap.edges):
            at_x, at_y, radius = self._sweeps.reach(0, edge)
            if math.hypot(at_x - x, at_y - y) > radius + far_m:
                continue
            if any(
                roadmap.edge_fleets[edge] >> fleet & 1
                and shapely.intersects(self._sweeps.of(fleet, edge), body)
                for fleet in range(len(self._sweeps.shapes))
            ):
                found.append(edge)
        return found

    def check(self, command: ExtendBase, now_ns: int) -> str:
        """ "" or why the command must not leave: who stands where it leads."""
        fleet = self._fleet[command.robot]
        for edge in command.edges:
            if not 0 <= edge < len(self._roadmap.edge_tail):
                return ""  # the logical half names it
            who = self._on(command.robot, fleet, edge, now_ns)
            if who:
                return f"{who}: on the way along edge {self._roadmap.edge_ids[edge]}"
        return ""

    def _on(self, robot: int, fleet: int, edge: int, now_ns: int) -> str:
        reach = self._sweeps.reach(fleet, edge)
        for other in self._robots.near(reach, now_ns - FRESH_NS):
            x, y, theta = self._robots.xyt[other]
            if other == robot or self._sweeps.beyond(fleet, edge, x, y, self._robots.radii[other]):
                continue
            body = placed(self._sweeps.shapes[self._fleet[other]], math.degrees(theta), x, y)
            if shapely.intersects(self._sweeps.of(fleet, edge), body):
                return f"robot {other} is at {x:.2f}, {y:.2f}"
        for row in self._others.near(reach, 0):
            if shapely.intersects(self._sweeps.of(fleet, edge), self._body(row)):
                x, y, _ = self._others.xyt[row]
                return f"{self._shapes[row][0]}, no robot of the building, is at {x:.2f}, {y:.2f}"
        return ""

    def _radius_m(self, fleet: int) -> float:
        return self._sweeps.radius_m[fleet] if fleet >= 0 else max(self._sweeps.radius_m)

    def _body(self, row: int) -> BaseGeometry:
        fleet = self._shapes[row][1]
        x, y, theta = self._others.xyt[row]
        if fleet < 0:
            return circle(x, y, self._radius_m(-1))
        return placed(self._sweeps.shapes[fleet], math.degrees(theta), x, y)
