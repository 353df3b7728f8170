"""Bodies by the poses that they report: footprints and circles at places, held against swept areas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from orchestrator.core.roadmap import Roadmap

CELL_M = 4.0
ROUNDING_M = 0.001
Footprint = Sequence[tuple[float, float]]


class Sweeps:
    """What each fleet's body covers along each edge, both ends included, and a margin around it; in a
    corridor wherever in it, and however it is turned."""

    def __init__(self, roadmap: Roadmap, footprints: Sequence[Footprint], margin_m: float) -> None:
        self.roadmap, self.margin_m = roadmap, margin_m
        self.shapes = [Polygon(corners) for corners in footprints]
        self.radius_m = [max(math.hypot(x, y) for x, y in corners) for corners in footprints]
        self._known: dict[tuple[int, int], BaseGeometry] = {}

    def of(self, fleet: int, edge: int) -> BaseGeometry:
        """The area, prepared for many questions."""
        known = self._known.get((fleet, edge))
        if known is None:
            known = self._area(fleet, edge)
            shapely.prepare(known)
            self._known[fleet, edge] = known
        return known

    def _area(self, fleet: int, edge: int) -> BaseGeometry:
        wide_m = self.roadmap.corridor_mm(edge) / 1000
        if wide_m:
            return LineString(self.ends(edge)).buffer(self.radius_m[fleet] + wide_m + self.margin_m)
        heading, shape = self.roadmap.edge_heading_deg[edge], self.shapes[fleet]
        corners = [
            corner
            for x, y in self.ends(edge)
            for corner in placed(shape, heading, x, y).exterior.coords
        ]
        return MultiPoint(corners).convex_hull.buffer(self.margin_m)

    def ends(self, edge: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Both ends of an edge."""
        roadmap = self.roadmap
        tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
        xs, ys = roadmap.node_x_mm, roadmap.node_y_mm
        return (xs[tail] / 1000, ys[tail] / 1000), (xs[head] / 1000, ys[head] / 1000)

    def beyond(self, fleet: int, edge: int, x: float, y: float, radius_m: float) -> bool:
        """A body of this radius there can't touch it: a quick look before the exact one."""
        (ax, ay), (bx, by) = self.ends(edge)
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / length2)) if length2 else 0.0
        far_m = math.hypot(ax + t * dx - x, ay + t * dy - y)
        wide_m = self.roadmap.corridor_mm(edge) / 1000
        return far_m > self.radius_m[fleet] + wide_m + self.margin_m + radius_m + ROUNDING_M

    def reach(self, fleet: int, edge: int) -> tuple[float, float, float]:
        """A circle around all of it: x, y, radius."""
        (ax, ay), (bx, by) = self.ends(edge)
        radius = math.hypot(bx - ax, by - ay) / 2 + self.radius_m[fleet] + self.margin_m
        radius += self.roadmap.corridor_mm(edge) / 1000
        return (ax + bx) / 2, (ay + by) / 2, radius


class Bodies:
    """Rows of places: x, y, theta, the body's radius, and when it was seen there; found by where they
    are, whatever their number."""

    def __init__(self) -> None:
        self.xyt: list[tuple[float, float, float]] = []
        self.radii: list[float] = []
        self.seen_ns: list[int] = []
        self._radius_max = 0.0
        self._cell: list[tuple[int, int] | None] = []
        self._cells: dict[tuple[int, int], dict[int, None]] = {}

    def add(self, radius_m: float) -> int:
        """A row more; it is nowhere yet."""
        self.xyt.append((math.nan, math.nan, 0.0))
        self.radii.append(0.0)
        self.seen_ns.append(0)
        self._cell.append(None)
        row = len(self.xyt) - 1
        self.resize(row, radius_m)
        return row

    def resize(self, row: int, radius_m: float) -> None:
        """It is so large from now on."""
        self.radii[row] = radius_m
        self._radius_max = max(self._radius_max, radius_m)

    def put(self, row: int, x: float, y: float, theta: float, now_ns: int) -> None:
        """It is here now; NaN: nowhere."""
        self.xyt[row] = (x, y, theta)
        self.seen_ns[row] = now_ns
        cell = None if math.isnan(x) else (math.floor(x / CELL_M), math.floor(y / CELL_M))
        before = self._cell[row]
        if cell == before:
            return
        self._cell[row] = cell
        if before is not None:
            del self._cells[before][row]
            if not self._cells[before]:
                del self._cells[before]
        if cell is not None:
            self._cells.setdefault(cell, {})[row] = None

    def near(self, circle: tuple[float, float, float], since_ns: int) -> list[int]:
        """Rows whose circle touches this one, seen no longer ago than `since_ns`, in their order."""
        x, y, radius = circle
        far = radius + self._radius_max
        columns = range(math.floor((x - far) / CELL_M), math.floor((x + far) / CELL_M) + 1)
        rows = range(math.floor((y - far) / CELL_M), math.floor((y + far) / CELL_M) + 1)
        found = []
        for cell in [(column, row) for column in columns for row in rows]:
            for row in self._cells.get(cell, ()):
                at_x, at_y, _ = self.xyt[row]
                close = math.hypot(at_x - x, at_y - y) <= radius + self.radii[row]
                if close and self.seen_ns[row] >= since_ns:
                    found.append(row)
        return sorted(found)


def placed(shape: Polygon, heading_deg: float, x: float, y: float) -> Polygon:
    """A footprint where its robot is."""
    turned = affinity.rotate(shape, heading_deg, origin=(0, 0))
    return affinity.translate(turned, x, y)


def circle(x: float, y: float, radius_m: float) -> BaseGeometry:
    """A body of which only the size is known."""
    return Point(x, y).buffer(radius_m)
