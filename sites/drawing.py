"""Draws floors as VDMA LIF 1.0.0 files: one-way streets over a lattice of cells, bays beside them.

What the `build_layout.py` of jd_medium and jd_large share; import it for a floor of your own.
x to the east, y to the north, in cells of PITCH metres.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PITCH = 1.4  # m between neighbouring cells
EDGE_CELLS = 2  # a lane has a node at least every so many cells
BAY_SPEED = 0.8  # m/s into and out of bays
NORTH, SOUTH, EAST, WEST = (0, 1), (0, -1), (1, 0), (-1, 0)

Cell = tuple[int, int]
Fleets = tuple[str, ...]  # LIF's vehicleTypeIds


class Floor:
    """Streets, bays and stations so far; `lanes` become edges when all of them are known."""

    def __init__(self) -> None:
        self.nodes: dict[Cell, str] = {}
        self.edges: dict[tuple[str, str], dict[str, Any]] = {}
        self.stations: list[dict[str, Any]] = []
        self.mouths: dict[Cell, None] = {}  # cells that need a node because a bay begins there
        self.lanes: list[tuple[Cell, Cell, Fleets]] = []

    def node(self, cell: Cell) -> str:
        """The node at a cell, made when first named."""
        return self.nodes.setdefault(cell, f"n{cell[0]:+03d}{cell[1]:+03d}")

    def edge(
        self, a: Cell, b: Cell, fleets: Fleets, speed: float | None = None, reverse: bool = False
    ) -> None:
        """A directed edge; `reverse`: driven backwards."""
        start, end = self.node(a), self.node(b)
        known = self.edges.setdefault(
            (start, end),
            {"edgeId": f"{start}-{end}", "startNodeId": start, "endNodeId": end,
             "vehicleTypeEdgeProperties": []},
        )  # fmt: skip
        for fleet in fleets:
            row: dict[str, Any] = {"vehicleTypeId": fleet, "orientationType": "TANGENTIAL"}
            row["vehicleOrientation"] = math.pi if reverse else 0.0
            row["rotationAllowed"] = False
            if speed:
                row["maxSpeed"] = speed
            known["vehicleTypeEdgeProperties"].append(row)

    def street(self, a: Cell, b: Cell, direction: Cell, fleets: Fleets) -> None:
        """A straight one-way lane over all cells from a to b, which lies north or east of a."""
        self.lanes.append((a, b, fleets) if direction in (NORTH, EAST) else (b, a, fleets))

    def build_lanes(self) -> None:
        """A node where streets meet, where bays begin, at ends, and at least every EDGE_CELLS."""
        crossings: dict[Cell, int] = {}
        for a, b, _ in self.lanes:
            for cell in between(a, b):
                crossings[cell] = crossings.get(cell, 0) + 1
        for a, b, fleets in self.lanes:
            last = a
            for cell in between(a, b)[1:]:
                far = max(abs(cell[0] - last[0]), abs(cell[1] - last[1])) >= EDGE_CELLS
                if far or crossings[cell] > 1 or cell in self.mouths or cell == b:
                    self.edge(last, cell, fleets)
                    last = cell

    def station(self, name: str, *cells: Cell) -> None:
        """A LIF station over cells in driving sequence."""
        x, y = cells[-1]
        self.stations.append({
            "stationId": name,
            "interactionNodeIds": [self.node(cell) for cell in cells],
            "stationName": name,
            "stationPosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3), "theta": 0.0},
        })  # fmt: skip

    def bay(self, name: str, cell: Cell, *doors: tuple[Cell, Fleets]) -> None:
        """A bay of one node, forwards in and backwards out, so that nobody turns in it. `doors`:
        mouths on lanes with the fleets that come from there."""
        for mouth, fleets in doors:
            self.mouths[mouth] = None
            self.edge(mouth, cell, fleets, BAY_SPEED)
            self.edge(cell, mouth, fleets, BAY_SPEED, reverse=True)
        self.station(name, cell)

    def siding(
        self,
        name: str,
        entry: Cell,
        cells: list[Cell],
        leave: Cell,
        fleets: Fleets,
        speed: float = BAY_SPEED,
    ) -> None:
        """A bay of several nodes beside a lane: queue places, then the point of service, then out."""
        self.mouths.update({entry: None, leave: None})
        for a, b in itertools.pairwise([entry, *cells, leave]):
            self.edge(a, b, fleets, speed)
        self.station(name, *cells)

    def beside(self, name: str, corner: Cell, side: int, direction: Cell, fleets: Fleets) -> None:
        """A siding of three places beside the column at `corner`, from there northwards, `side`
        cells off it; driven in the column's direction."""
        x, y = corner
        rows = (y, y + 1, y + 2) if direction == NORTH else (y + 2, y + 1, y)
        cells = [(x + side, row) for row in rows]
        self.siding(name, (x, rows[0]), cells, (x, rows[-1]), fleets)

    def rest(
        self, name: str, places: Iterable[tuple[Cell, Cell]], fleets: Fleets, every: int
    ) -> None:
        """Parking places (mouth, cell), each `every`th a charger."""
        chargers = parkings = 0
        for number, (mouth, cell) in enumerate(places):
            if number % every == 1:
                chargers += 1
                self.bay(f"charge-{name}-{chargers:02d}", cell, (mouth, fleets))
            else:
                parkings += 1
                self.bay(f"park-{name}-{parkings:02d}", cell, (mouth, fleets))

    def write(self, name: str, path: Path) -> None:
        """Write the file; all lanes are made first."""
        self.build_lanes()
        layout = {
            "layoutId": name,
            "layoutName": name,
            "layoutVersion": "1",
            "layoutLevelId": "ground",
            "nodes": [
                {"nodeId": node, "nodePosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3)},
                 "vehicleTypeNodeProperties": []}
                for (x, y), node in self.nodes.items()
            ],
            "edges": list(self.edges.values()),
            "stations": self.stations,
        }  # fmt: skip
        meta = {
            "projectIdentification": name,
            "creator": "Lightsout",
            "exportTimestamp": "2026-01-01T00:00:00Z",
            "lifVersion": "1.0.0",
        }
        text = json.dumps({"metaInformation": meta, "layouts": [layout]}, separators=(",", ":"))
        path.write_text(text + "\n")


def between(a: Cell, b: Cell) -> list[Cell]:
    """The cells of a straight way, both ends included."""
    dx, dy = (b[0] > a[0]) - (b[0] < a[0]), (b[1] > a[1]) - (b[1] < a[1])
    length = max(abs(b[0] - a[0]), abs(b[1] - a[1]))
    return [(a[0] + k * dx, a[1] + k * dy) for k in range(length + 1)]
