#!/usr/bin/env python3
"""Draws the floor of jd_medium as a VDMA LIF 1.0.0 file: python3 sites/jd_medium/build_layout.py

Four fleets on one floor. In cells of PITCH metres, x to the east, y to the north:

    x = -31     -30 ........ 0 ............... 40 41   42  44   45 ........ 57  58  60  61 ... 65  66
    docks     | reserve    | forward            | AMR | pick  | sorting      | chutes | tuggers | doors
    relabel   | shuttles   | shuttles and AMRs  | lane| pack  | sorters      |        |         |

* Streets are one-way and alternate, in x (rows) and in y (columns), as in a city of one-way streets:
  every lane lies on a loop, and nobody drives far in the wrong direction.
* Shuttle rows (y = 2, 6, ...) run through reserve and forward; AMR rows (y = 0, 4, ...) through
  forward only. A rack of the forward zone stands between one of each: shuttles fill it from their
  row, AMRs take from theirs. The columns of the forward zone are shared by both fleets.
* North and south of the racks are yards where AMRs park and charge, with the stations that take
  empty totes. Shuttles have a yard north of the reserve, sorters theirs between their rows.
* Tuggers come over the sorters' northern rows to the chargers that both use.

Change the numbers on top, or draw your own floor with any LIF editor: `lightsout layout check` tells
where a change broke the rules that keep traffic free of deadlock (docs/site-file.md).
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

PITCH = 1.4  # m between neighbouring cells
EDGE_CELLS = 2  # a lane has a node at least every so many cells
NORTH, SOUTH, EAST, WEST = (0, 1), (0, -1), (1, 0), (-1, 0)
SHUTTLE, AMR, SORTER, TUGGER = ("shuttle",), ("tote_amr",), ("sorter",), ("tugger",)

# Columns (x -> direction) and rows (y -> direction) of each network.
RESERVE_COLUMNS = {-30: SOUTH, -20: NORTH, -10: SOUTH}
FORWARD_COLUMNS = {0: NORTH, 10: SOUTH, 20: NORTH, 30: SOUTH, 40: NORTH}
AMR_LANE = 41  # southward, before the pick stations
AMR_ROWS = {
    -3: WEST, 0: WEST, 4: EAST, 8: WEST, 12: EAST, 16: WEST, 20: EAST, 24: WEST, 28: EAST, 32: WEST,
    36: EAST, 39: EAST,
}  # fmt: skip
SHUTTLE_ROWS = {
    2: EAST, 6: WEST, 10: EAST, 14: WEST, 18: EAST, 22: WEST, 26: EAST, 30: WEST, 34: WEST,
}  # fmt: skip
SHUTTLE_YARD = 37  # westward, north of the reserve
SORT_COLUMNS = {45: SOUTH, 49: NORTH, 53: SOUTH, 57: NORTH}
SORT_ROWS = {-1 + 3 * k: (EAST if k % 2 == 0 else WEST) for k in range(14)}  # -1 .. 38
SORT_PARKING = (5, 8, 14, 17, 20, 23, 26, 29, 32)  # rows with parking beside them
TUG_WEST, TUG_EAST = 61, 65  # southward before the chutes, northward before the doors
TUG_ROWS = {-1: EAST, 5: WEST, 11: EAST, 17: WEST, 23: EAST, 29: WEST, 35: EAST, 38: WEST}
PICKS = 12
CHUTE_ROWS = tuple(range(1, 33, 2))
DOOR_ROWS = (0, 4, 8, 12, 16, 20, 24, 28)
BAY_SPEED = 0.8  # m/s into and out of bays

Cell = tuple[int, int]
nodes: dict[Cell, str] = {}
edges: dict[tuple[str, str], dict] = {}
stations: list[dict] = []
mouths: dict[Cell, None] = {}  # cells of lanes that need a node because a bay begins there
lanes: list[tuple[Cell, Cell, tuple[str, ...]]] = []


def node(cell: Cell) -> str:
    """The node at a cell, made when first named."""
    return nodes.setdefault(cell, f"n{cell[0]:+03d}{cell[1]:+03d}")


def edge(a: Cell, b: Cell, fleets, speed=None, reverse=False) -> None:
    """A directed edge; `reverse`: driven backwards."""
    start, end = node(a), node(b)
    known = edges.setdefault(
        (start, end),
        {"edgeId": f"{start}-{end}", "startNodeId": start, "endNodeId": end,
         "vehicleTypeEdgeProperties": []},
    )  # fmt: skip
    for fleet in fleets:
        row = {"vehicleTypeId": fleet, "orientationType": "TANGENTIAL"}
        row["vehicleOrientation"] = math.pi if reverse else 0.0
        row["rotationAllowed"] = False
        if speed:
            row["maxSpeed"] = speed
        known["vehicleTypeEdgeProperties"].append(row)


def street(a: Cell, b: Cell, direction: Cell, fleets) -> None:
    """A straight one-way lane over all cells from a to b, which lies north or east of a."""
    lanes.append((a, b, fleets) if direction in (NORTH, EAST) else (b, a, fleets))


def between(a: Cell, b: Cell) -> list[Cell]:
    """The cells of a straight way, both ends included."""
    dx, dy = (b[0] > a[0]) - (b[0] < a[0]), (b[1] > a[1]) - (b[1] < a[1])
    length = max(abs(b[0] - a[0]), abs(b[1] - a[1]))
    return [(a[0] + k * dx, a[1] + k * dy) for k in range(length + 1)]


def build_lanes() -> None:
    """A node where streets meet, where bays begin, at ends, and at least every EDGE_CELLS."""
    crossings: dict[Cell, int] = {}
    for a, b, _ in lanes:
        for cell in between(a, b):
            crossings[cell] = crossings.get(cell, 0) + 1
    for a, b, fleets in lanes:
        last = a
        for cell in between(a, b)[1:]:
            far = max(abs(cell[0] - last[0]), abs(cell[1] - last[1])) >= EDGE_CELLS
            if far or crossings[cell] > 1 or cell in mouths or cell == b:
                edge(last, cell, fleets)
                last = cell


def station(name: str, *cells: Cell) -> None:
    """A LIF station over cells in driving sequence."""
    x, y = cells[-1]
    stations.append({
        "stationId": name,
        "interactionNodeIds": [node(cell) for cell in cells],
        "stationName": name,
        "stationPosition": {"x": round(x * PITCH, 3), "y": round(y * PITCH, 3), "theta": 0.0},
    })  # fmt: skip


def bay(name: str, cell: Cell, *doors: tuple[Cell, tuple[str, ...]]) -> None:
    """A bay of one node, forwards in and backwards out, so that nobody turns in it. `doors`: mouths
    on lanes with the fleets that come from there."""
    for mouth, fleets in doors:
        mouths[mouth] = None
        edge(mouth, cell, fleets, BAY_SPEED)
        edge(cell, mouth, fleets, BAY_SPEED, reverse=True)
    station(name, cell)


def siding(name: str, entry: Cell, cells: list[Cell], leave: Cell, fleets) -> None:
    """A bay of several nodes beside a lane: queue places, then the point of service, then out."""
    mouths.update({entry: None, leave: None})
    for a, b in itertools.pairwise([entry, *cells, leave]):
        edge(a, b, fleets, BAY_SPEED)
    station(name, *cells)


def beside_south(name: str, x: int, y: int, side: int, fleets, places: int = 3) -> None:
    """A siding beside a southward lane at x, `side` cells off, whose point of service is at row y."""
    cells = [(x + side, y + k) for k in reversed(range(places))]
    siding(name, (x, y + places - 1), cells, (x, y), fleets)


def storage() -> None:
    """Streets of shuttles and AMRs, the racks between them."""
    west, east = min(RESERVE_COLUMNS), max(FORWARD_COLUMNS)
    low, high = min(SHUTTLE_ROWS), max(SHUTTLE_ROWS)
    for x, direction in RESERVE_COLUMNS.items():
        street((x, low), (x, SHUTTLE_YARD), direction, SHUTTLE)
    for y, direction in SHUTTLE_ROWS.items():
        street((west, y), (east, y), direction, SHUTTLE)
    street((west, SHUTTLE_YARD), (0, SHUTTLE_YARD), WEST, SHUTTLE)
    for x, direction in FORWARD_COLUMNS.items():
        top = SHUTTLE_YARD if x == 0 else high
        street((x, low), (x, top), direction, SHUTTLE)
        street((x, min(AMR_ROWS)), (x, max(AMR_ROWS)), direction, AMR)
    street((AMR_LANE, min(AMR_ROWS)), (AMR_LANE, max(AMR_ROWS)), SOUTH, AMR)
    for y, direction in AMR_ROWS.items():
        street((0, y), (AMR_LANE, y), direction, AMR)
    number = {"r": 0, "f": 0}
    columns = [x for x in range(west + 1, east) if x not in FORWARD_COLUMNS | RESERVE_COLUMNS]
    for y in range(low - 1, high + 2, 2):
        shuttle_y = y + 1 if y + 1 in SHUTTLE_ROWS else y - 1
        for x in columns:
            zone = "r" if x < 0 else "f"
            number[zone] += 1
            doors = [((x, shuttle_y), SHUTTLE)]
            if zone == "f":
                doors.append(((x, 2 * y - shuttle_y), AMR))
            bay(f"slot-{zone}-{number[zone]:03d}", (x, y), *doors)


def stations_west() -> None:
    """Docks, relabelling, empty totes: sidings of the shuttles along their westernmost column."""
    x = min(RESERVE_COLUMNS)
    for name, y in (("dock-0", 4), ("dock-1", 8), ("dock-2", 12), ("relabel-0", 16),
                    ("empties-0", 20), ("dock-3", 24), ("dock-4", 28), ("dock-5", 32)):  # fmt: skip
        beside_south(name, x, y, -1, SHUTTLE)


def picking() -> None:
    """Pick stations between the AMRs' lane and the sorters' first column; unpacking beside them."""
    x, sort = AMR_LANE, min(SORT_COLUMNS)
    for k in range(PICKS):
        y = 3 * k
        beside_south(f"pick-{k:02d}", x, y, 1, AMR)
        cells = [(sort - 1, y + 2), (sort - 1, y + 1)]
        siding(f"pack-{k:02d}", (sort, y + 2), cells, (sort, y + 1), SORTER)
    for k, (bay_y, out_y) in enumerate(((37, 37), (0, -3))):
        bay(f"unpack-{k}", (sort - 1, bay_y), ((sort, bay_y), SORTER))
        beside_south(f"unpacked-{k}", x, out_y, 1, AMR)


def sorting() -> None:
    """The sorters' streets, and chutes that tuggers empty from the other side."""
    low, high = min(SORT_ROWS), max(SORT_ROWS)
    for x, direction in SORT_COLUMNS.items():
        street((x, low), (x, high), direction, SORTER)
    for y, direction in SORT_ROWS.items():
        street((min(SORT_COLUMNS), y), (max(SORT_COLUMNS), y), direction, SORTER)
    for k, y in enumerate(CHUTE_ROWS):
        east = max(SORT_COLUMNS)
        bay(f"chute-{k:02d}", (east + 1, y), ((east, y), SORTER))
        bay(f"parcels-{k:02d}", (TUG_WEST - 1, y), ((TUG_WEST, y), TUGGER))


def shipping() -> None:
    """The tuggers' streets, doors, and their way to the chargers they share with the sorters."""
    low, high = min(TUG_ROWS), max(TUG_ROWS)
    street((TUG_WEST, low), (TUG_WEST, high), SOUTH, TUGGER)
    street((TUG_EAST, low), (TUG_EAST, high), NORTH, TUGGER)
    for y, direction in TUG_ROWS.items():
        street((TUG_WEST, y), (TUG_EAST, y), direction, TUGGER)
    for k, y in enumerate(DOOR_ROWS):
        cells = [(TUG_EAST + 1, y), (TUG_EAST + 1, y + 1), (TUG_EAST + 1, y + 2)]
        siding(f"door-{k}", (TUG_EAST, y), cells, (TUG_EAST, y + 2), TUGGER)
    turn = sorted(SORT_COLUMNS)[-2]  # shared with the sorters from here to their last column
    street((turn, high), (TUG_WEST, high), WEST, TUGGER)
    street((turn, high - 3), (turn, high), SOUTH, TUGGER)
    street((turn, high - 3), (TUG_WEST, high - 3), EAST, TUGGER)


def resting() -> None:
    """Parking and chargers: at least one place per robot."""
    columns = [x for x in range(1, max(FORWARD_COLUMNS)) if x not in FORWARD_COLUMNS]
    rows = [(36, 1), (39, -1), (0, -1), (-3, 1)]
    places = [((x, y), (x, y + side)) for y, side in rows for x in columns]
    for y, side, step in ((39, 1, 1), (-3, -1, -1)):
        for k, x in enumerate((12, 32) if step > 0 else (18, 38)):
            cells = [(x + step * j, y + side) for j in range(3)]
            name = f"empties-{1 + k + (2 if step < 0 else 0)}"
            siding(name, (x, y), cells, (x + 2 * step, y), AMR)
    free = [x for x in columns if not 11 <= x <= 19 and not 31 <= x <= 39]
    places += [((x, y), (x, y + side)) for y, side in ((39, 1), (-3, -1)) for x in free]
    rest("a", places, AMR, every=3)
    columns = [x for x in range(min(RESERVE_COLUMNS) + 1, 0) if x not in RESERVE_COLUMNS]
    y = SHUTTLE_YARD
    rest("r", [((x, y), (x, y + side)) for side in (1, -1) for x in columns], SHUTTLE, every=3)
    columns = [x for x in range(45, 57) if x not in SORT_COLUMNS]
    rest("s", [((x, y), (x, y + 1)) for y in SORT_PARKING for x in columns], SORTER, every=3)
    places = [((x, 38), (x, 39)) for x in range(54, 61)]
    for number, (mouth, cell) in enumerate(places, 1):
        both = SORTER + TUGGER if mouth[0] < 57 else TUGGER
        bay(f"charge-c-{number}", cell, (mouth, both))
    places = [((TUG_EAST, y), (TUG_EAST - 1, y)) for y in range(1, 34, 2)
              if y not in TUG_ROWS]  # fmt: skip
    places += [((x, -1), (x, -2)) for x in range(TUG_WEST, TUG_EAST + 1)]
    rest("t", places, TUGGER, every=3)


def rest(letter: str, places, fleets, every: int) -> None:
    """Parking places, each `every`th a charger."""
    chargers = parkings = 0
    for number, (mouth, cell) in enumerate(places):
        if number % every == 1:
            chargers += 1
            bay(f"charge-{letter}-{chargers:02d}", cell, (mouth, fleets))
        else:
            parkings += 1
            bay(f"park-{letter}-{parkings:02d}", cell, (mouth, fleets))


def main() -> None:
    """Write layout.lif.json beside this script."""
    storage()
    stations_west()
    picking()
    sorting()
    shipping()
    resting()
    build_lanes()
    layout = {
        "layoutId": "jd_medium",
        "layoutName": "jd_medium",
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
        "projectIdentification": "jd_medium",
        "creator": "Lightsout",
        "exportTimestamp": "2026-01-01T00:00:00Z",
        "lifVersion": "1.0.0",
    }
    text = json.dumps({"metaInformation": meta, "layouts": [layout]}, separators=(",", ":"))
    Path(__file__).with_name("layout.lif.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
