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
BYTES_MAX = 100_000_000
DIGITS_MAX = 9
HEAD = ("type", "height", "width")
HEADINGS = {"e": (0, 1), "s": (1, 0), "w": (0, -1), "n": (-1, 0)}


class UnreadableError(ValueError):
    """Why a file is no text, without its name and the mend."""


def read_text(path: Path) -> str:
    """A text file of others: UTF-8 with or without a byte order mark, lines end with \\n."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise UnreadableError(f"can't be read: {error.strerror or error}") from error
    except ValueError as error:  # no UTF-8, or no file name
        raise UnreadableError(f"can't be read: {error}") from error
    if len(text) > BYTES_MAX:
        raise UnreadableError(f"can't be read: over {BYTES_MAX // 1_000_000} MB")
    return text


def whole(text: str) -> int:
    """The whole number that is written there."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        raise ValueError(f"{text[:40]!r} is no whole number of at most {DIGITS_MAX} digits")
    return int(text)


def read_map(path: Path) -> NDArray[np.bool_]:
    """A movingai map: (rows, columns) True where a robot may stand ('.', 'G', 'S', 'E')."""
    return cells(map_rows(path), ".GSE")


def cells(rows: list[str], marks: str) -> NDArray[np.bool_]:
    """(rows, columns) whether a cell is one of `marks`."""
    return np.array([[cell in marks for cell in row] for row in rows], bool)


def map_rows(path: Path) -> list[str]:
    """The rows of a movingai map, all of the width that it announces."""
    try:
        lines = read_text(path).rstrip("\n").split("\n")
    except UnreadableError as error:
        raise _wrong(path, 1, str(error), "give a movingai .map file") from error
    height, width = _size(path, lines[:4])
    rows = lines[4 : 4 + height]
    if len(rows) < height:
        raise _wrong(path, len(lines), f"{len(rows)} rows, {height} announced", "mend the height")
    for number, line in enumerate(lines[4 + height :], 5 + height):
        if line.strip():
            raise _wrong(path, number, f"more than the {height} rows announced", "mend the height")
    for number, row in enumerate(rows, 5):
        if len(row) != width:
            raise _wrong(path, number, f"{len(row)} columns, {width} announced", "mend the row")
        if not (row.isascii() and row.isprintable()):
            odd = next(c for c in row if not (c.isascii() and c.isprintable()))
            what = f"column {row.index(odd) + 1} is {odd!r}"
            raise _wrong(path, number, what, "write . for free cells, @ for obstacles")
    return rows


def _size(path: Path, lines: list[str]) -> tuple[int, int]:
    """(height, width) by the first four lines."""
    words = [line.split() for line in lines]
    head = {w[0].lower(): (number, w[1]) for number, w in enumerate(words, 1) if len(w) == 2}
    if len(words) < 4 or words[3] != ["map"] or not all(key in head for key in HEAD):
        mend = "begin with type octile, height H, width W, map"
        raise _wrong(path, 1, "no type, height, width and map in the first four lines", mend)
    if head["type"][1] != "octile":
        what = f"type {head['type'][1]!r}"
        raise _wrong(path, head["type"][0], what, "give a map of type octile")
    found = []
    for key in ("height", "width"):
        number, text = head[key]
        try:
            found.append(whole(text))
        except ValueError as error:
            raise _wrong(path, number, f"{key} {error}", f"mend the {key}") from error
        if not 0 < found[-1] <= CELLS_MAX:
            raise _wrong(path, number, f"{key} {found[-1]}", f"mend the {key}: 1 to {CELLS_MAX}")
    if found[0] * found[1] > CELLS_MAX:
        what = f"{found[0]} x {found[1]} cells are more than {CELLS_MAX}"
        raise _wrong(path, head["height"][0], what, "give a smaller map")
    return found[0], found[1]


def _wrong(path: Path, line: int, text: str, mend: str) -> LayoutError:
    return LayoutError([Finding("error", str(path), f"line {line}", text, mend)])


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
