"""Bodies by the poses that they report: footprints and circles at places, held against swept areas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from orchestrator.core.roadmap import Roadmap

Footprint = Sequence[tuple[float, float]]


class Sweeps:
    """What each fleet's body covers along each edge, both ends included, and a margin around it."""

    def __init__(self, roadmap: Roadmap, footprints: Sequence[Footprint], margin_m: float) -> None:
        self.roadmap, self.margin_m = roadmap, margin_m
        self.shapes = [Polygon(corners) for corners in footprints]
        self.radius_m = [max(math.hypot(x, y) for x, y in corners) for corners in footprints]
        self._known: dict[tuple[int, int], BaseGeometry] = {}

    def of(self, fleet: int, edge: int) -> BaseGeometry:
        """The area, prepared for many questions."""
        known = self._known.get((fleet, edge))
        if known is None:
            heading, shape = self.roadmap.edge_heading_deg[edge], self.shapes[fleet]
            corners = [
                corner
                for x, y in self.ends(edge)
                for corner in placed(shape, heading, x, y).exterior.coords
            ]
            known = MultiPoint(corners).convex_hull.buffer(self.margin_m)
            shapely.prepare(known)
            self._known[fleet, edge] = known
        return known

    def ends(self, edge: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Both ends of an edge."""
        roadmap = self.roadmap
        tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
        xs, ys = roadmap.node_x_mm, roadmap.node_y_mm
        return (xs[tail] / 1000, ys[tail] / 1000), (xs[head] / 1000, ys[head] / 1000)

    def reach(self, fleet: int, edge: int) -> tuple[float, float, float]:
        """A circle around all of it: x, y, radius."""
        (ax, ay), (bx, by) = self.ends(edge)
        radius = math.hypot(bx - ax, by - ay) / 2 + self.radius_m[fleet] + self.margin_m
        return (ax + bx) / 2, (ay + by) / 2, radius


class Bodies:
    """Rows of places: x, y, theta, the body's radius, and when it was seen there."""

    def __init__(self) -> None:
        self.count = 0
        self.xyt: NDArray[np.float64] = np.full((16, 3), np.nan)
        self.radii: NDArray[np.float64] = np.zeros(16)
        self.seen_ns: NDArray[np.int64] = np.zeros(16, np.int64)

    def add(self, radius_m: float) -> int:
        """A row more; it is nowhere yet."""
        row = self.count
        if row >= len(self.xyt):
            self.xyt = np.concatenate([self.xyt, np.full((row, 3), np.nan)])
            self.radii = np.concatenate([self.radii, np.zeros(row)])
            self.seen_ns = np.concatenate([self.seen_ns, np.zeros(row, np.int64)])
        self.count += 1
        self.radii[row] = radius_m
        return row

    def put(self, row: int, x: float, y: float, theta: float, now_ns: int) -> None:
        """It is here now; NaN: nowhere."""
        self.xyt[row] = (x, y, theta)
        self.seen_ns[row] = now_ns

    def near(self, circle: tuple[float, float, float], since_ns: int) -> list[int]:
        """Rows whose circle touches this one, seen no longer ago than `since_ns`."""
        x, y, radius = circle
        count = self.count
        far = np.hypot(self.xyt[:count, 0] - x, self.xyt[:count, 1] - y)
        found = far <= radius + self.radii[:count]  # False where there is no pose
        found &= self.seen_ns[:count] >= since_ns
        return [int(row) for row in np.flatnonzero(found)]


def placed(shape: Polygon, heading_deg: float, x: float, y: float) -> Polygon:
    """A footprint where its robot is."""
    turned = affinity.rotate(shape, heading_deg, origin=(0, 0))
    return affinity.translate(turned, x, y)


def circle(x: float, y: float, radius_m: float) -> BaseGeometry:
    """A body of which only the size is known."""
    return Point(x, y).buffer(radius_m)
