"""Footprints, swept areas and the conflict sets that follow from them (shapely).

A robot that may turn at a node covers the circle round its footprint there, else its footprint in
every heading it may have. Along an edge it covers the sweep between both ends, and both ends; along a
corridor all that it can cover while it is no farther than its half width from the edge, however it is
turned. Two areas conflict where they touch after each was grown by half the safety margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

Table = tuple[tuple[int, ...], ...]
SEGMENTS = 8  # of a quarter circle; circles are drawn round, not into, the true circle


@dataclass(frozen=True, slots=True)
class Floor:
    """Geometry of a roadmap. Lengths in m, headings in degrees.

    `node_xy` (N, 2), `edge_tail`, `edge_head`, `edge_heading_deg` (E,), `edge_fleets` (E,) bit
    mask; `footprints`: for each fleet a polygon in its own frame (x forward, y left);
    `edge_corridor_m` (E,): half widths of corridors, 0: none; None: there are none."""

    node_xy: NDArray[np.float64]
    edge_tail: NDArray[np.int32]
    edge_head: NDArray[np.int32]
    edge_heading_deg: NDArray[np.int32]
    edge_fleets: NDArray[np.int32]
    footprints: tuple[tuple[tuple[float, float], ...], ...]
    margin_m: float
    edge_corridor_m: NDArray[np.float64] | None = None

    def corridor_m(self, edge: int) -> float:
        """Half its width; 0: the edge is none."""
        return 0.0 if self.edge_corridor_m is None else float(self.edge_corridor_m[edge])


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Rows by move id or stand id, ids sorted; see the core's roadmap for the ids."""

    move_stands: Table
    move_moves: Table
    stand_stands: Table


def conflicts(floor: Floor) -> Conflicts:
    """Compute all conflict sets with a spatial index."""
    nodes, edges, fleets = len(floor.node_xy), len(floor.edge_tail), len(floor.footprints)
    stands: list[BaseGeometry] = []
    moves: list[BaseGeometry] = []
    for fleet in range(fleets):
        own = stand_areas(floor, fleet)
        stands += own
        moves += move_areas(floor, fleet, own)
    stand_shape, move_shape = np.array(stands, dtype=object), np.array(moves, dtype=object)
    stand_tree, move_tree = shapely.STRtree(stand_shape), shapely.STRtree(move_shape)
    return Conflicts(
        move_stands=_rows(stand_tree.query(move_shape, "intersects"), fleets * edges),
        move_moves=_rows(move_tree.query(move_shape, "intersects"), fleets * edges),
        stand_stands=_rows(stand_tree.query(stand_shape, "intersects"), fleets * nodes),
    )


def _rows(pairs: NDArray[np.int64], rows: int) -> Table:
    order = np.lexsort((pairs[1], pairs[0]))
    offset = np.searchsorted(pairs[0][order], np.arange(rows + 1))
    items = pairs[1][order].tolist()
    return tuple(tuple(items[offset[i] : offset[i + 1]]) for i in range(rows))


def stand_areas(floor: Floor, fleet: int) -> list[BaseGeometry]:
    """(N,) what a robot of this fleet covers at each node; empty where it never is."""
    arriving: list[set[int]] = [set() for _ in floor.node_xy]
    leaving: list[set[int]] = [set() for _ in floor.node_xy]
    turning: set[int] = set()  # nodes of corridors: nobody knows with which heading it comes
    for edge in np.flatnonzero((floor.edge_fleets >> fleet) & 1).tolist():
        heading = int(floor.edge_heading_deg[edge])
        arriving[floor.edge_head[edge]].add(heading)
        leaving[floor.edge_tail[edge]].add(heading)
        if floor.corridor_m(edge):
            turning |= {int(floor.edge_tail[edge]), int(floor.edge_head[edge])}
    body = Polygon(floor.footprints[fleet])
    round_ = Point(0, 0).buffer(_round_m(floor, fleet), quad_segs=SEGMENTS)
    areas: list[BaseGeometry] = []
    for index, (x, y) in enumerate(floor.node_xy.tolist()):
        headings = sorted(arriving[index] | leaving[index])
        if not headings:
            areas.append(Polygon())
        elif len(headings) == 1 and index not in turning:
            areas.append(_placed(_grown(body, floor), headings[0], x, y))
        else:
            areas.append(_placed(_grown(round_, floor), 0, x, y))
    return areas


def move_areas(floor: Floor, fleet: int, stands: list[BaseGeometry]) -> list[BaseGeometry]:
    """(E,) what a robot of this fleet covers along each edge; empty where it may not drive."""
    body = _grown(Polygon(floor.footprints[fleet]), floor)
    areas: list[BaseGeometry] = []
    for edge, (tail, head) in enumerate(zip(floor.edge_tail, floor.edge_head, strict=True)):
        if not floor.edge_fleets[edge] >> fleet & 1:
            areas.append(Polygon())
            continue
        if floor.corridor_m(edge):
            line = LineString([floor.node_xy[tail], floor.node_xy[head]])
            wide_m = _round_m(floor, fleet, floor.corridor_m(edge))
            sweep = _grown(line.buffer(wide_m, quad_segs=SEGMENTS), floor)
        else:
            heading = int(floor.edge_heading_deg[edge])
            ends = [
                point
                for node in (tail, head)
                for point in _placed(body, heading, *floor.node_xy[node].tolist()).exterior.coords
            ]
            sweep = MultiPoint(ends).convex_hull
        areas.append(shapely.unary_union([sweep, stands[tail], stands[head]]))
    return areas


def _round_m(floor: Floor, fleet: int, more_m: float = 0.0) -> float:
    """The radius round a body, and more; so large that its polygon lies outside the circle."""
    radius = max(math.hypot(x, y) for x, y in floor.footprints[fleet])
    return (radius + more_m) / math.cos(math.pi / (4 * SEGMENTS))


def _grown(shape: Polygon, floor: Floor) -> Polygon:
    return shape.buffer(floor.margin_m / 2, join_style="mitre") if floor.margin_m else shape


def _placed(shape: Polygon, heading_deg: int, x: float, y: float) -> Polygon:
    return affinity.translate(affinity.rotate(shape, heading_deg, origin=(0, 0)), x, y)
