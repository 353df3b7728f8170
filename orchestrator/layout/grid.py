"""Grids made by others: movingai `.map` files, and the site a grid becomes (cell = 1 m)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from orchestrator.layout import LoadedSite, load_files
from orchestrator.layout.findings import Finding, LayoutError

CELLS_MAX = 4_000_000
HEADINGS = {"e": (0, 1), "s": (1, 0), "w": (0, -1), "n": (-1, 0)}


def read_map(path: Path) -> NDArray[np.bool_]:
    """A movingai map: (rows, columns) True where a robot may stand ('.', 'G', 'S', 'E')."""

    def wrong(line: int, text: str, mend: str) -> LayoutError:
        return LayoutError([Finding("error", str(path), f"line {line}", text, mend)])

    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(1, f"can't be read: {error}", "give a movingai .map file") from error
    head = dict(line.split()[:2] for line in lines[:4] if len(line.split()) == 2)
    try:
        height, width = int(head["height"]), int(head["width"])
    except (KeyError, ValueError) as error:
        raise wrong(1, "no height and width in the first four lines", "begin with type octile, "
                    "height H, width W, map") from error  # fmt: skip
    rows = lines[4 : 4 + height]
    if len(rows) != height or not 0 < height * width <= CELLS_MAX:
        raise wrong(4 + len(rows), f"{len(rows)} rows, {height} announced", "mend the height")
    for number, row in enumerate(rows):
        if len(row) != width:
            raise wrong(5 + number, f"{len(row)} columns, {width} announced", "mend the row")
    return np.array([[cell in ".GSE" for cell in row] for row in rows])


def node_name(row: int, column: int) -> str:
    """The node id of a cell."""
    return f"{row},{column}"


def grid_site(
    free: NDArray[np.bool_], name: str, robots: int = 0, cell_m: float = 1.0
) -> LoadedSite:
    """The site of a grid: `free` (rows, columns); nodes are its free cells in row-major order."""
    return load_files(grid_files(free, name, robots, cell_m), name)


def grid_files(
    free: NDArray[np.bool_], name: str, robots: int, cell_m: float = 1.0
) -> dict[str, str]:
    """The files of a site whose nodes are the free cells (row-major), east +x, south -y."""
    rows, columns = free.shape
    nodes, edges = [], []
    for r, c in np.argwhere(free).tolist():
        nodes.append({
            "nodeId": node_name(r, c),
            "nodePosition": {"x": c * cell_m, "y": -r * cell_m},
            "vehicleTypeNodeProperties": [],
        })  # fmt: skip
        for letter, (dr, dc) in HEADINGS.items():
            if 0 <= r + dr < rows and 0 <= c + dc < columns and free[r + dr, c + dc]:
                edges.append({
                    "edgeId": f"{node_name(r, c)},{letter}",
                    "startNodeId": node_name(r, c),
                    "endNodeId": node_name(r + dr, c + dc),
                    "vehicleTypeEdgeProperties": [{"vehicleTypeId": "robot"}],
                })  # fmt: skip
    layout = {
        "layoutId": name, "layoutVersion": "1", "layoutLevelId": "ground",
        "nodes": nodes, "edges": edges, "stations": [],
    }  # fmt: skip
    meta = {
        "projectIdentification": name, "creator": "Lightsout",
        "exportTimestamp": "2026-01-01T00:00:00Z", "lifVersion": "1.0.0",
    }  # fmt: skip
    lif = json.dumps({"metaInformation": meta, "layouts": [layout]}, separators=(",", ":"))
    return {"site.yaml": _site(name, robots), "layout.lif.json": lif}


def _site(name: str, robots: int) -> str:
    half_length, half_width = 0.3, 0.25
    corners = [[1, 1], [-1, 1], [-1, -1], [1, -1]]
    site = {
        "format": 1,
        "id": name,
        "guarantees": "advised",
        "fleets": {
            "robot": {
                "robots": robots,
                "footprint_m": [[x * half_length, y * half_width] for x, y in corners],
                "speed_mps": 1.5,
                "acceleration_mps2": 1.5,
                "turn_degps": 120,
                "battery": {"reach_m": 1e9, "idle_hours": 1e6, "charge_minutes": 1},
            }
        },
        "safety_margin_m": 0.04,
        "two_way_penalty": 4.0,
        "flow": {
            "transport": {
                "visit": {"do": "carry", "to": "stop", "then": ["done"]},
                "done": {"do": "finish"},
            }
        },
        "policy": {"lookahead": 3, "horizon": 6, "replan_ms": 1000},
        "simulation": {"battery_at_start_percent": [100, 100]},
    }
    return str(yaml.safe_dump(site, sort_keys=False))
