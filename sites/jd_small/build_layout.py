#!/usr/bin/env python3
"""Draws the floor of jd_small as a VDMA LIF 1.0.0 file: python3 sites/jd_small/build_layout.py

Change the numbers on top, or draw your own floor with any LIF editor. Rules that keep traffic free
of deadlock (`lightsout layout check` tells where they are broken): lanes are one-way and form loops;
slots, stations, chargers and parking are *bays* beside the lanes; there is a place to park for
every robot.

The floor, in cells of PITCH metres, x to the east, y to the north:

    y=13        parking and chargers of the AMRs          parking and chargers of the sorters
    y=12  >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>v  >>service lane>>  v<<<<<<<<<<<<<<<
          ^ slots, aisle y=10 eastward      v pick-3  | pack-3   v              ^ chute
          ^ slots, aisle y=7  westward      v pick-2  | pack-2   v  cross lanes ^ chute
          ^ slots, aisle y=4  eastward      v pick-1  | pack-1   v              ^ chute
    docks ^ slots, aisle y=1  westward      v pick-0  | pack-0   v              ^ chute
    y=-1  ^<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<  <<service lane<<  >>>>>>>>>>>>>>>>
    y=-2        parking and chargers of the AMRs          parking and chargers of the sorters
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

PITCH = 1.4  # m between neighbouring nodes
AISLES = {1: -1, 4: 1, 7: -1, 10: 1}  # row -> direction of travel in x
TOP, BOTTOM = 12, -1
WEST, EAST = 0, 13  # the AMRs' trunks
SORT_WEST, SORT_EAST = 17, 23  # the sorters' trunks
CROSS = {3: 1, 8: -1}  # rows of the sorters' cross lanes -> direction
DOCK_ROWS = (1, 6)
CHUTE_ROWS = (0, 1, 3, 4, 6, 7, 9, 10)
AMR, SORTER = ("tote_amr",), ("sorter",)
BOTH = AMR + SORTER
BAY_SPEED = 0.8  # m/s into and out of bays

nodes: dict[tuple[int, int], str] = {}
edges: dict[tuple[str, str], dict] = {}
stations: list[dict] = []


def node(x: int, y: int) -> str:
    """The node at a cell, made when first named."""
    return nodes.setdefault((x, y), f"n{x:+03d}{y:+03d}")


def edge(a: tuple[int, int], b: tuple[int, int], fleets, speed=None, reverse=False) -> None:
    """A directed edge; `reverse`: driven backwards."""
    start, end = node(*a), node(*b)
    properties = []
    for fleet in fleets:
        row = {"vehicleTypeId": fleet, "orientationType": "TANGENTIAL"}
        row["vehicleOrientation"] = math.pi if reverse else 0.0
        row["rotationAllowed"] = False
        if speed:
            row["maxSpeed"] = speed
        properties.append(row)
    known = edges.setdefault(
        (start, end),
        {"edgeId": f"{start}-{end}", "startNodeId": start, "endNodeId": end,
         "vehicleTypeEdgeProperties": []},
    )  # fmt: skip
    known["vehicleTypeEdgeProperties"] += properties


def lane(a: tuple[int, int], b: tuple[int, int], fleets) -> None:
    """A straight one-way lane from cell to cell."""
    dx = (b[0] > a[0]) - (b[0] < a[0])
    dy = (b[1] > a[1]) - (b[1] < a[1])
    while a != b:
        after = (a[0] + dx, a[1] + dy)
        edge(a, after, fleets)
        a = after


def station(name: str, *cells: tuple[int, int]) -> None:
    """A LIF station over cells in driving sequence."""
    x, y = cells[-1]
    stations.append({
        "stationId": name,
        "interactionNodeIds": [node(*cell) for cell in cells],
        "stationName": name,
        "stationPosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3), "theta": 0.0},
    })  # fmt: skip


def bay(name: str, mouth: tuple[int, int], cell: tuple[int, int], fleets) -> None:
    """A bay of one node: forwards in, backwards out, so that nobody turns in it."""
    edge(mouth, cell, fleets, BAY_SPEED)
    edge(cell, mouth, fleets, BAY_SPEED, reverse=True)
    station(name, cell)


def siding(name: str, entry: tuple[int, int], cells, leave: tuple[int, int], fleets) -> None:
    """A bay of several nodes beside a lane: queue places, then the point of service, then out."""
    way = [entry, *cells, leave]
    for a, b in itertools.pairwise(way):
        edge(a, b, fleets, BAY_SPEED)
    station(name, *cells)


def storage() -> None:
    """AMR ring, aisles, slots, pick stations, docks."""
    lane((WEST, BOTTOM), (WEST, TOP), AMR)
    lane((WEST, TOP), (EAST, TOP), AMR)
    lane((EAST, TOP), (EAST, BOTTOM), AMR)
    lane((EAST, BOTTOM), (WEST, BOTTOM), AMR)
    number = 0
    for row, direction in AISLES.items():
        ends = ((WEST, row), (EAST, row))
        lane(*(ends if direction > 0 else ends[::-1]), AMR)
        for side in (1, -1):
            for x in range(WEST + 1, EAST):
                number += 1
                bay(f"slot-{number:02d}", (x, row), (x, row + side), AMR)
    for k in range(4):
        r = 3 * k
        cells = [(EAST + 1, r + 2), (EAST + 1, r + 1), (EAST + 1, r)]
        siding(f"pick-{k}", (EAST, r + 2), cells, (EAST, r), AMR)
    for k, r in enumerate(DOCK_ROWS):
        cells = [(WEST - 1, r), (WEST - 1, r + 1), (WEST - 1, r + 2)]
        siding(f"dock-{k}", (WEST, r), cells, (WEST, r + 2), AMR)


def sorting() -> None:
    """Sorter ring, cross lanes, pack-outs, chutes."""
    lane((SORT_WEST, TOP), (SORT_WEST, BOTTOM), SORTER)
    lane((SORT_WEST, BOTTOM), (SORT_EAST, BOTTOM), SORTER)
    lane((SORT_EAST, BOTTOM), (SORT_EAST, TOP), SORTER)
    lane((SORT_EAST, TOP), (SORT_WEST, TOP), SORTER)
    for row, direction in CROSS.items():
        ends = ((SORT_WEST, row), (SORT_EAST, row))
        lane(*(ends if direction > 0 else ends[::-1]), SORTER)
    for k in range(4):
        r = 3 * k
        cells = [(SORT_WEST - 1, r + 2), (SORT_WEST - 1, r + 1)]
        siding(f"pack-{k}", (SORT_WEST, r + 2), cells, (SORT_WEST, r + 1), SORTER)
    for k, row in enumerate(CHUTE_ROWS):
        bay(f"chute-{k}", (SORT_EAST, row), (SORT_EAST + 1, row), SORTER)


def service() -> None:
    """The sorters' west trunk is shared: AMRs come over a service lane to chargers for both."""
    lane((EAST, TOP), (SORT_WEST, TOP), AMR)
    lane((SORT_WEST, TOP), (SORT_WEST, BOTTOM), AMR)
    lane((SORT_WEST, BOTTOM), (EAST, BOTTOM), AMR)
    bay("charge-c-1", (SORT_WEST, TOP), (SORT_WEST, TOP + 1), BOTH)
    bay("charge-c-2", (SORT_WEST, BOTTOM), (SORT_WEST, BOTTOM - 1), BOTH)


def resting() -> None:
    """Parking and chargers: at least one place per robot."""
    places = [((x, TOP), (x, TOP + 1)) for x in range(WEST + 1, EAST)]
    places += [((x, BOTTOM), (x, BOTTOM - 1)) for x in range(WEST + 1, EAST)]
    places += [((WEST, y), (WEST - 1, y)) for y in (4, 9, 10, 11)]
    _rest("a", places, AMR, every=3)
    places = [((x, TOP), (x, TOP + 1)) for x in range(SORT_WEST + 1, SORT_EAST)]
    places += [((x, BOTTOM), (x, BOTTOM - 1)) for x in range(SORT_WEST + 1, SORT_EAST)]
    places += [((x, 3), (x, 4)) for x in (19, 21)] + [((x, 8), (x, 7)) for x in (19, 21)]
    _rest("s", places, SORTER, every=3)


def _rest(letter: str, places, fleets, every: int) -> None:
    chargers = parkings = 0
    for number, (mouth, cell) in enumerate(places):
        if number % every == 1:
            chargers += 1
            bay(f"charge-{letter}-{chargers:02d}", mouth, cell, fleets)
        else:
            parkings += 1
            bay(f"park-{letter}-{parkings:02d}", mouth, cell, fleets)


def main() -> None:
    """Write layout.lif.json beside this script."""
    storage()
    sorting()
    service()
    resting()
    layout = {
        "layoutId": "jd_small",
        "layoutName": "jd_small",
        "layoutVersion": "1",
        "layoutLevelId": "ground",
        "nodes": [
            {"nodeId": name, "nodePosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3)},
             "vehicleTypeNodeProperties": []}
            for (x, y), name in nodes.items()
        ],
        "edges": list(edges.values()),
        "stations": stations,
    }  # fmt: skip
    meta = {
        "projectIdentification": "jd_small",
        "creator": "Lightsout",
        "exportTimestamp": "2026-01-01T00:00:00Z",
        "lifVersion": "1.0.0",
    }
    text = json.dumps({"metaInformation": meta, "layouts": [layout]}, indent=1)
    Path(__file__).with_name("layout.lif.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
