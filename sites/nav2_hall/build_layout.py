#!/usr/bin/env python3
"""Draws the floor of nav2_hall as a VDMA LIF 1.0.0 file: python3 sites/nav2_hall/build_layout.py

A hall for robots that run Nav2. In cells of PITCH metres, x to the east, y to the north:

    y=14        parking and chargers
    y=13  >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>v
          ^ stops, aisle y=11 eastward  v    the trunks (x=0 and x=14) are corridors: a robot plans
          ^ stops, aisle y=8  westward  v    its own way there, and goes round what stands in it
          ^ stops, aisle y=5  eastward  v
          ^ stops, aisle y=2  westward  v
    y=0   ^<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<
    y=-1        parking and chargers
"""

from __future__ import annotations

import json
import math
from pathlib import Path

PITCH = 1.6  # m between neighbouring nodes
WEST, EAST, BOTTOM, TOP = 0, 14, 0, 13
AISLES = {2: -1, 5: 1, 8: -1, 11: 1}  # row -> direction of travel in x
FLEET = "amr"
BAY_SPEED = 0.8  # m/s into and out of bays

nodes: dict[tuple[int, int], str] = {}
edges: list[dict] = []
stations: list[dict] = []


def node(x: int, y: int) -> str:
    """The node at a cell, made when first named."""
    return nodes.setdefault((x, y), f"n{x:+03d}{y:+03d}")


def edge(a: tuple[int, int], b: tuple[int, int], speed=None, reverse=False) -> None:
    """A directed edge; `reverse`: driven backwards."""
    start, end = node(*a), node(*b)
    row = {"vehicleTypeId": FLEET, "orientationType": "TANGENTIAL",
           "vehicleOrientation": math.pi if reverse else 0.0, "rotationAllowed": False}  # fmt: skip
    if speed:
        row["maxSpeed"] = speed
    edges.append({"edgeId": f"{start}-{end}", "startNodeId": start, "endNodeId": end,
                  "vehicleTypeEdgeProperties": [row]})  # fmt: skip


def lane(a: tuple[int, int], b: tuple[int, int]) -> None:
    """A straight one-way lane from cell to cell."""
    dx, dy = (b[0] > a[0]) - (b[0] < a[0]), (b[1] > a[1]) - (b[1] < a[1])
    while a != b:
        after = (a[0] + dx, a[1] + dy)
        edge(a, after)
        a = after


def bay(name: str, mouth: tuple[int, int], cell: tuple[int, int]) -> None:
    """A bay of one node: forwards in, backwards out, so that nobody turns in it."""
    edge(mouth, cell, BAY_SPEED)
    edge(cell, mouth, BAY_SPEED, reverse=True)
    x, y = cell
    stations.append({
        "stationId": name,
        "interactionNodeIds": [node(*cell)],
        "stationName": name,
        "stationPosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3), "theta": 0.0},
    })  # fmt: skip


def main() -> None:
    """Write layout.lif.json beside this script."""
    lane((WEST, BOTTOM), (WEST, TOP))
    lane((WEST, TOP), (EAST, TOP))
    lane((EAST, TOP), (EAST, BOTTOM))
    lane((EAST, BOTTOM), (WEST, BOTTOM))
    number = 0
    for row, direction in AISLES.items():
        ends = ((WEST, row), (EAST, row))
        lane(*(ends if direction > 0 else ends[::-1]))
        for side in (1, -1):
            for x in range(WEST + 2, EAST, 2):
                number += 1
                bay(f"stop-{number:02d}", (x, row), (x, row + side))
    parking = chargers = 0
    for number, x in enumerate([*range(WEST + 1, EAST), *range(WEST + 1, EAST)]):
        mouth, cell = ((x, TOP), (x, TOP + 1)) if number < EAST - 1 else ((x, BOTTOM), (x, -1))
        if number % 5 == 2:
            chargers += 1
            bay(f"charge-{chargers:02d}", mouth, cell)
        else:
            parking += 1
            bay(f"park-{parking:02d}", mouth, cell)
    layout = {
        "layoutId": "nav2_hall",
        "layoutName": "nav2_hall",
        "layoutVersion": "1",
        "layoutLevelId": "ground",
        "nodes": [
            {"nodeId": name, "nodePosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3)},
             "vehicleTypeNodeProperties": []}
            for (x, y), name in nodes.items()
        ],
        "edges": edges,
        "stations": stations,
    }  # fmt: skip
    meta = {
        "projectIdentification": "nav2_hall",
        "creator": "Lightsout",
        "exportTimestamp": "2026-01-01T00:00:00Z",
        "lifVersion": "1.0.0",
    }
    text = json.dumps({"metaInformation": meta, "layouts": [layout]}, indent=1)
    Path(__file__).with_name("layout.lif.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
