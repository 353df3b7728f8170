"""Distance of convex polygons, many pairs at once, and footprints as convex parts."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def convex_parts(outline: Floats) -> list[Floats]:
    """Convex polygons, counter-clockwise, that together make the (K, 2) outline."""
    polygon = shapely.Polygon(outline)
    if not polygon.is_valid or polygon.area <= 0:
        polygon = shapely.MultiPoint(outline).convex_hull.buffer(0)
    hull = polygon.convex_hull
    if hull.area - polygon.area <= 1e-9 * max(hull.area, 1e-9):
        return [_ring(hull)]
    return [_ring(part) for part in shapely.constrained_delaunay_triangles(polygon).geoms]


def _ring(polygon: shapely.Geometry) -> Floats:
    ring = shapely.orient_polygons(polygon).exterior.simplify(0.0)
    return np.asarray(ring.coords, np.float64)[:-1]


def padded(parts: list[Floats]) -> Floats:
    """(P, K, 2) with the last corner repeated, so that all have the same number."""
    size = max(len(part) for part in parts)
    return np.stack([np.concatenate([p, np.repeat(p[-1:], size - len(p), axis=0)]) for p in parts])


def placed(shapes: Floats, x_m: Floats, y_m: Floats, theta_rad: Floats) -> Floats:
    """Shapes (N, K, 2) turned and moved to their poses (N,)."""
    cos, sin = np.cos(theta_rad)[:, None], np.sin(theta_rad)[:, None]
    px, py = shapes[:, :, 0], shapes[:, :, 1]
    return np.stack(
        [px * cos - py * sin + x_m[:, None], px * sin + py * cos + y_m[:, None]], axis=2
    )


def distance(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Signed distances (N,) of convex polygons (N, K, 2), (N, L, 2), counter-clockwise, and unit
    vectors (N, 2) from a to b.

    Apart: the exact distance, along the vector of the closest points; the gap between the two along
    that vector is the distance itself. Touching or overlapping: minus the depth (how far one must
    be moved along the vector until they part).
    """
    gap, axis = _separation(a, b)
    apart = gap > 0
    result, vector = gap.copy(), axis
    if apart.any():
        far, between = _closest(a[apart], b[apart])
        result[apart] = far
        near = far > 1e-12
        rows = np.flatnonzero(apart)[near]
        vector[rows] = between[near] / far[near, None]
    return result, vector


def _separation(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Largest gap along any edge normal (separating axis theorem), and that normal, a to b."""
    best, axis = _along_normals(a, b)
    other, other_axis = _along_normals(b, a)
    swap = other > best
    return np.where(swap, other, best), np.where(swap[:, None], -other_axis, axis)


def _along_normals(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    edge = np.roll(a, -1, axis=1) - a
    length = np.hypot(edge[:, :, 0], edge[:, :, 1])
    safe = np.where(length > 1e-12, length, 1.0)
    nx, ny = edge[:, :, 1] / safe, -edge[:, :, 0] / safe
    to_x = b[:, None, :, 0] - a[:, :, None, 0]
    to_y = b[:, None, :, 1] - a[:, :, None, 1]
    gaps = (nx[:, :, None] * to_x + ny[:, :, None] * to_y).min(axis=2)
    gaps = np.where(length > 1e-12, gaps, -np.inf)
    best = gaps.argmax(axis=1)
    row = np.arange(len(a))
    return gaps[row, best], np.stack([nx[row, best], ny[row, best]], axis=1)


def _closest(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Distance of disjoint polygons, and the vector from a's to b's closest point."""
    far, vector = _corners_to_edges(a, b)
    other, other_vector = _corners_to_edges(b, a)
    swap = other < far
    return np.where(swap, other, far), np.where(swap[:, None], -other_vector, vector)


def _corners_to_edges(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """From the corners of a to the edges of b."""
    edge = np.roll(b, -1, axis=1) - b
    squared = (edge**2).sum(axis=2)[:, None, :]
    to_x = a[:, :, None, 0] - b[:, None, :, 0]
    to_y = a[:, :, None, 1] - b[:, None, :, 1]
    ex, ey = edge[:, None, :, 0], edge[:, None, :, 1]
    share = (to_x * ex + to_y * ey) / np.where(squared > 1e-24, squared, 1.0)
    share = np.clip(share, 0.0, 1.0)
    vx, vy = ex * share - to_x, ey * share - to_y
    flat = (vx * vx + vy * vy).reshape(len(a), -1)
    best = flat.argmin(axis=1)
    row = np.arange(len(a))
    vector = np.stack(
        [vx.reshape(len(a), -1)[row, best], vy.reshape(len(a), -1)[row, best]], axis=1
    )
    return np.sqrt(flat[row, best]), vector
