"""The heat map: lanes and places of the floor below, seconds per cell above."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from sim.report.floor import Grid
from sim.report.svg import number, text
from sim.report.timeline import Places
from sim.verification.tracks import Floats

LEVELS = 9
WIDTH = 640.0


def heat_map(grid: Grid, seconds: Floats, floor: tuple[Any, Places], layer: str, tip: str) -> str:
    """SVG of one layer (CSS class `layer`). Colours step with the square root of the seconds, up to
    the 99th percentile, so that quiet corners are seen beside busy ones."""
    loaded, places = floor
    scale = WIDTH / (grid.columns * grid.cell_m)
    height = grid.rows * grid.cell_m * scale

    def x(value_m: float) -> float:
        return (value_m - grid.x_m) * scale

    def y(value_m: float) -> float:
        return height - (value_m - grid.y_m) * scale

    parts = [_lanes(loaded, places, x, y)]
    top = float(np.percentile(seconds[seconds > 0], 99)) if (seconds > 0).any() else 1.0
    level = np.ceil(np.clip(np.sqrt(seconds / top), 0, 1) * LEVELS).astype(int)
    level[seconds < top * 1e-4] = 0
    side = grid.cell_m * scale
    for step in range(1, LEVELS + 1):
        path = "".join(
            f"M{number(column * side)} {number(height - (row + 1) * side)}h{number(length * side)}"
            f"v{number(side)}h{number(-length * side)}z"
            for row, column, length in _runs(level == step)
        )
        if path:
            parts.append(f'<path class="{layer}" fill-opacity="{0.12 + 0.88 * step / LEVELS:.2f}" '
                         f'd="{path}"/>')  # fmt: skip
    parts += _names(places, x, y)
    return (
        f'<svg viewBox="0 0 {number(WIDTH)} {number(height)}" role="img" '
        f'aria-label="{escape(tip, quote=True)}">{"".join(parts)}</svg>'
    )


def _runs(mask: Any) -> list[tuple[int, int, int]]:
    """(row, first column, length) of runs of set cells."""
    runs = []
    for row in np.flatnonzero(mask.any(axis=1)).tolist():
        line = np.concatenate([[0], mask[row].astype(int), [0]])
        change = np.diff(line)
        begins, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
        runs += [(row, int(b), int(e - b)) for b, e in zip(begins, ends, strict=True)]
    return runs


def _lanes(loaded: Any, places: Places, x: Any, y: Any) -> str:
    roadmap = loaded.site.roadmap
    drawn: set[tuple[int, int]] = set()
    path = []
    for tail, head in zip(roadmap.edge_tail, roadmap.edge_head, strict=True):
        if (min(tail, head), max(tail, head)) not in drawn:
            drawn.add((min(tail, head), max(tail, head)))
            (ax, ay), (bx, by) = places.nodes_m[tail], places.nodes_m[head]
            path.append(f"M{x(ax):.1f} {y(ay):.1f}L{x(bx):.1f} {y(by):.1f}")
    return f'<path class="lane" d="{"".join(path)}"/>'


def _names(places: Places, x: Any, y: Any) -> list[str]:
    """Stations by name, other bays by a small mark."""
    parts, named = [], set()
    for node, bay in enumerate(places.bay_nodes.tolist()):
        if bay < 0:
            continue
        px, py = x(places.nodes_m[node, 0]), y(places.nodes_m[node, 1])
        kind, station = places.bay_kind[bay], places.bay_station[bay]
        parts.append(f'<rect class="bay {escape(kind)}" x="{px - 2.5:.1f}" y="{py - 2.5:.1f}" '
                     f'width="5" height="5"><title>{escape(station or kind)}</title>'
                     "</rect>")  # fmt: skip
        if station and station not in named:
            named.add(station)
            side = "end" if px > 0.85 * WIDTH else "start" if px < 0.15 * WIDTH else "middle"
            parts.append(text(px, py - 6, station, "place", side))
    return parts
