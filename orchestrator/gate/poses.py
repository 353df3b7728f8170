"""The geometric half of the last check: does what a command opens touch where anybody really is?

It draws the swept area of each edge from the site's footprints by itself, and holds it against the
poses that vehicles report. A pose that is missing or too old counts as nothing here: then all that
the vehicle holds is closed by the logical half (`gate.Gate`), which knows no poses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from orchestrator.core.messages import ExtendBase
from orchestrator.core.roadmap import Roadmap

FRESH_NS = 5_000_000_000
Footprint = Sequence[tuple[float, float]]


class Poses:
    """Where robots say that they are. Metres and radians; times in ns."""

    def __init__(self, roadmap: Roadmap, footprints: Sequence[Footprint], margin_m: float) -> None:
        self._roadmap = roadmap
        self._shapes = [Polygon(corners) for corners in footprints]
        self._radius_m = [max(math.hypot(x, y) for x, y in corners) for corners in footprints]
        self._margin_m = margin_m
        self._sweeps: dict[tuple[int, int], BaseGeometry] = {}
        self._xyt: NDArray[np.float64] = np.full((16, 3), np.nan)
        self._radii: NDArray[np.float64] = np.zeros(16)
        self._fleet: list[int] = []
        self._seen_ns: NDArray[np.int64] = np.zeros(16, np.int64)

    def joined(self, robot: int, fleet: int) -> None:
        """The next robot."""
        assert robot == len(self._fleet), "robots join in sequence"
        self._fleet.append(fleet)
        if robot >= len(self._xyt):
            more = len(self._xyt)
            self._xyt = np.concatenate([self._xyt, np.full((more, 3), np.nan)])
            self._radii = np.concatenate([self._radii, np.zeros(more)])
            self._seen_ns = np.concatenate([self._seen_ns, np.zeros(more, np.int64)])
        self._radii[robot] = self._radius_m[fleet]

    def seen(self, robot: int, x_m: float, y_m: float, theta: float, now_ns: int) -> None:
        """A pose that was reported just now."""
        self._xyt[robot] = (x_m, y_m, theta)
        self._seen_ns[robot] = now_ns

    def check(self, command: ExtendBase, now_ns: int) -> str:
        """ "" or why the command must not leave: who stands where it leads."""
        fleet = self._fleet[command.robot]
        for edge in command.edges:
            if not 0 <= edge < len(self._roadmap.edge_tail):
                return ""  # the logical half names it
            for other in self._near(fleet, edge, now_ns):
                if other != command.robot and self._touches(fleet, edge, other):
                    name = self._roadmap.edge_ids[edge]
                    x, y, _ = self._xyt[other]
                    return f"robot {other} is at {x:.2f}, {y:.2f}: on the way along edge {name}"
        return ""

    def _near(self, fleet: int, edge: int, now_ns: int) -> list[int]:
        (ax, ay), (bx, by) = self._ends(edge)
        count = len(self._fleet)
        far = np.hypot(self._xyt[:count, 0] - (ax + bx) / 2, self._xyt[:count, 1] - (ay + by) / 2)
        reach = math.hypot(bx - ax, by - ay) / 2 + self._radius_m[fleet] + self._margin_m
        near = far <= reach + self._radii[:count]  # False where there is no pose
        near &= self._seen_ns[:count] >= now_ns - FRESH_NS
        return [int(robot) for robot in np.flatnonzero(near)]

    def _touches(self, fleet: int, edge: int, other: int) -> bool:
        x, y, theta = self._xyt[other]
        body = _placed(self._shapes[self._fleet[other]], math.degrees(theta), x, y)
        return bool(shapely.intersects(self._sweep(fleet, edge), body))

    def _sweep(self, fleet: int, edge: int) -> BaseGeometry:
        """What the body covers along the edge, both ends included."""
        known = self._sweeps.get((fleet, edge))
        if known is None:
            (ax, ay), (bx, by) = self._ends(edge)
            heading, shape = self._roadmap.edge_heading_deg[edge], self._shapes[fleet]
            corners = [
                corner
                for x, y in ((ax, ay), (bx, by))
                for corner in _placed(shape, heading, x, y).exterior.coords
            ]
            known = MultiPoint(corners).convex_hull.buffer(self._margin_m)
            shapely.prepare(known)
            self._sweeps[fleet, edge] = known
        return known

    def _ends(self, edge: int) -> tuple[tuple[float, float], tuple[float, float]]:
        roadmap = self._roadmap
        tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
        xs, ys = roadmap.node_x_mm, roadmap.node_y_mm
        return (xs[tail] / 1000, ys[tail] / 1000), (xs[head] / 1000, ys[head] / 1000)


def _placed(shape: Polygon, heading_deg: float, x: float, y: float) -> Polygon:
    turned = affinity.rotate(shape, heading_deg, origin=(0, 0))
    return affinity.translate(turned, x, y)
