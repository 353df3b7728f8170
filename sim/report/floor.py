"""The floor: where robots move, where they stand, over the lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.report.timeline import CHARGING, IDLE, Places, Timeline
from sim.verification.tracks import Floats, Tracks

SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells over the floor; (0, 0) is south-west."""

    x_m: float
    y_m: float
    cell_m: float
    columns: int
    rows: int

    def add(self, x_m: Floats, y_m: Floats, seconds: Floats) -> Floats:
        """(rows, columns) seconds per cell."""
        column = np.clip(((x_m - self.x_m) / self.cell_m).astype(int), 0, self.columns - 1)
        row = np.clip(((y_m - self.y_m) / self.cell_m).astype(int), 0, self.rows - 1)
        flat = np.bincount(row * self.columns + column, seconds, self.rows * self.columns)
        return flat.reshape(self.rows, self.columns).astype(np.float64)


def grid_of(nodes_m: Floats, cell_m: float, cells: int) -> Grid:
    """Cells of at least `cell_m` (a multiple of 0.25 m), at most `cells` along the longer side,
    over all nodes and a metre around."""
    low, high = nodes_m.min(axis=0) - 1.0, nodes_m.max(axis=0) + 1.0
    cell = max(cell_m, float(np.ceil((high - low).max() / cells * 4)) / 4)
    columns, rows = (int(n) for n in np.ceil((high - low) / cell))
    return Grid(float(low[0]), float(low[1]), cell, max(columns, 1), max(rows, 1))


def moving(tracks: Tracks, grid: Grid, from_ns: int = 0) -> Floats:
    """Seconds of driving per cell, sampled at most each 0.1 s: of pieces that begin at `from_ns` or
    later."""
    drives = np.flatnonzero(tracks.driving & (tracks.t0_ns >= from_ns))
    length = tracks.t1_ns[drives] - tracks.t0_ns[drives]
    samples = np.maximum(1, np.ceil(length / (SAMPLE_S * 1e9))).astype(np.int64)
    piece = np.repeat(drives, samples)
    number = np.arange(len(piece)) - np.repeat(np.cumsum(samples) - samples, samples)
    share = (number + 0.5) / np.repeat(samples, samples)
    times = tracks.t0_ns[piece] + (np.repeat(length, samples) * share).astype(np.int64)
    x, y, _ = tracks.pose_in(piece, times)
    return grid.add(x, y, np.repeat(length / samples * 1e-9, samples))


def standing(tracks: Tracks, timeline: Timeline, grid: Grid) -> Floats:
    """Seconds of standing per cell, without those of idle and charging robots."""
    still = (timeline.state >= 3) & (timeline.state != IDLE) & (timeline.state != CHARGING)
    middle = timeline.t0_ns[still] + (timeline.t1_ns[still] - timeline.t0_ns[still]) // 2
    x, y, _ = tracks.pose(timeline.row[still], middle)
    return grid.add(x, y, timeline.seconds[still])


def places_of(loaded: Any) -> Places:
    """From a `LoadedSite`."""
    roadmap, site = loaded.site.roadmap, loaded.site
    nodes = np.stack([roadmap.node_x_mm, roadmap.node_y_mm], axis=1) / 1000.0
    station = [""] * len(roadmap.bays)
    for row in site.stations:
        for bay in (row.bay, row.out_bay):
            if bay >= 0:
                station[bay] = row.id
    return Places(
        nodes_m=nodes,
        bay_nodes=np.asarray(roadmap.node_bay, np.int64),
        bay_kind=[bay.kind for bay in roadmap.bays],
        bay_station=station,
        handling_s={
            name: (fleet.handling_s.pick, fleet.handling_s.drop)
            for name, fleet in loaded.spec.fleets.items()
        },
    )
