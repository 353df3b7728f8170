"""The floor as a grid: free where some robot may be by its lanes, unknown elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.roadmap import Roadmap
from orchestrator.ros import messages as ros
from orchestrator.ros.translation import MAP, pose, time

CELL_M = 0.1
CELLS_MAX = 4_000_000
EDGE_M = 1.0  # around all
FREE, UNKNOWN = 0, -1
Outline = Sequence[tuple[float, float]]


def grid(roadmap: Roadmap, outlines: Sequence[Outline], time_ns: int) -> ros.OccupancyGrid:
    """`outlines`: the footprint of each fleet, in m. Cells are 0.1 m, larger in large buildings."""
    xs = np.array(roadmap.node_x_mm) / 1000
    ys = np.array(roadmap.node_y_mm) / 1000
    radii = [max(math.hypot(x, y) for x, y in outline) for outline in outlines]
    edge_m = max(radii) + EDGE_M
    left, low = float(xs.min()) - edge_m, float(ys.min()) - edge_m
    wide, high = float(xs.max()) + edge_m - left, float(ys.max()) + edge_m - low
    cell = max(CELL_M, math.sqrt(wide * high / CELLS_MAX))
    shape = math.ceil(high / cell), math.ceil(wide / cell)
    cells = np.full(shape, UNKNOWN, np.int8)
    for edge in range(roadmap.edges):
        radius = max((r for f, r in enumerate(radii) if roadmap.edge_fleets[edge] >> f & 1),
                     default=0.0) + roadmap.corridor_mm(edge) / 1000  # fmt: skip
        ends = roadmap.edge_tail[edge], roadmap.edge_head[edge]
        line = [((float(xs[n]) - left) / cell, (float(ys[n]) - low) / cell) for n in ends]
        _free(cells, line[0], line[1], radius / cell)
    info = ros.MapMetaData(time(time_ns), cell, shape[1], shape[0], pose(left, low))
    return ros.OccupancyGrid(ros.Header(time(time_ns), MAP), info, cells.tobytes())


def _free(
    cells: NDArray[np.int8], a: tuple[float, float], b: tuple[float, float], radius: float
) -> None:
    """Cells whose middle is within `radius` of the line a-b; all in cells."""
    x0 = max(0, math.floor(min(a[0], b[0]) - radius))
    x1 = min(cells.shape[1], math.ceil(max(a[0], b[0]) + radius) + 1)
    y0 = max(0, math.floor(min(a[1], b[1]) - radius))
    y1 = min(cells.shape[0], math.ceil(max(a[1], b[1]) + radius) + 1)
    x = np.arange(x0, x1)[None, :] + 0.5 - a[0]
    y = np.arange(y0, y1)[:, None] + 0.5 - a[1]
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    along = np.clip((x * dx + y * dy) / length2, 0, 1) if length2 else np.zeros(1)
    near = (x - along * dx) ** 2 + (y - along * dy) ** 2 <= radius * radius
    cells[y0:y1, x0:x1][near] = FREE
