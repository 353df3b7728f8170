#!/usr/bin/env python3
"""Draws the floor of jd_medium as a VDMA LIF 1.0.0 file: python3 sites/jd_medium/build_layout.py

Four fleets on one floor. In cells of PITCH metres, x to the east, y to the north:

    x = -31     -30 ........ 0 ........... 20 21  22..24 26 27 ........ 39  40  42  43 ... 47  48
    docks     | reserve    | forward        | AMR | pick | sorting      | chutes | tuggers | doors
    relabel   | shuttles   | shuttles, AMRs | lane| pack | sorters      |        |         |

* Streets are one-way and alternate, in x (rows) and in y (columns), as in a city of one-way streets:
  every lane lies on a loop, and nobody drives far in the wrong direction.
* Shuttle rows (y = 2, 6, ...) run through reserve and forward; AMR rows (y = 0, 4, ...) through
  forward only. A rack of the forward zone stands between one of each: shuttles fill it from their
  row, AMRs take from theirs. The columns of the forward zone are shared by both fleets.
* The forward zone is high and narrow, with pick stations all along its east side, so that totes
  go to a station near their rack. (Forty columns by nine aisles, with all stations' traffic on one
  lane, jammed at a quarter of the trips.)
* A robot drives to a station only when a queue place there is kept for it (a ticket). So the places,
  divided by the time of a drive, are what a station can be fed with: queues before the arms are loops
  of seven places round the arm.
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
FORWARD_COLUMNS = {0: NORTH, 10: SOUTH, 20: NORTH}
AMR_LANE = 21  # southward, before the pick stations
AMR_RACKS = {4 * k: (WEST if k % 2 == 0 else EAST) for k in range(16)}  # 0 .. 60
AMR_ROWS = {-6: WEST, -3: EAST} | AMR_RACKS | {63: WEST, 66: EAST}
SHUTTLE_ROWS = {2 + 4 * k: (EAST if k % 2 == 0 else WEST) for k in range(15)} | {
    58: WEST
}  # 2 .. 58
SHUTTLE_YARD = 61  # westward, north of the reserve
SORT_COLUMNS = {27: SOUTH, 31: NORTH, 35: SOUTH, 39: NORTH}
SORT_ROWS = {-1 + 4 * k: (EAST if k % 2 == 0 else WEST) for k in range(16)}  # -1 .. 59
SORT_PARKING = (7, 11, 19, 23, 31, 35, 43, 47, 51, 55)  # rows with parking beside them
TUG_WEST, TUG_EAST = 43, 47  # southward before the chutes, northward before the doors
TUG_ROWS = {-1 + 7 * k: (EAST if k % 2 == 0 else WEST) for k in range(9)} | {59: WEST}  # -1 .. 59
PICK_ROWS = tuple(range(0, 60, 5))
CHUTE_ROWS = tuple(7 * k + j for k in range(8) for j in range(1, 6))  # five for each door
DOOR_ROWS = tuple(7 * k + 1 for k in range(8))
BAY_SPEED = 0.8  # m/s into and out of bays
QUEUE_SPEED = 1.2  # m/s in the queues before the arms

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


def siding(name: str, entry: Cell, cells: list[Cell], leave: Cell, fleets, speed=BAY_SPEED) -> None:
    """A bay of several nodes beside a lane: queue places, then the point of service, then out."""
    mouths.update({entry: None, leave: None})
    for a, b in itertools.pairwise([entry, *cells, leave]):
        edge(a, b, fleets, speed)
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
    for name, y in (("dock-0", 4), ("dock-1", 10), ("dock-2", 16), ("relabel-0", 24),
                    ("empties-0", 32), ("dock-3", 40), ("dock-4", 46), ("dock-5", 52)):  # fmt: skip
        beside_south(name, x, y, -1, SHUTTLE)


def picking() -> None:
    """Pick stations between the AMRs' lane and the sorters' first column; unpacking beside them."""
    x, sort = AMR_LANE, min(SORT_COLUMNS)
    for k, y in enumerate(PICK_ROWS):
        queue = [(1, 2), (2, 2), (3, 2), (3, 1), (3, 0), (2, 0), (1, 0)]
        cells = [(x + dx, y + dy) for dx, dy in queue]
        siding(f"pick-{k:02d}", (x, y + 2), cells, (x, y), AMR, QUEUE_SPEED)
        beside_south(f"pack-{k:02d}", sort, y, -1, SORTER)
    for k, (bay_y, out_y) in enumerate(((59, 61), (-1, -5))):
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
    below = sorted(TUG_ROWS)[-2]
    street((turn, below), (turn, high), SOUTH, TUGGER)
    street((turn, below), (TUG_WEST, below), EAST, TUGGER)


def resting() -> None:
    """Parking and chargers: at least one place per robot. Yards of AMRs and shuttles, places between
    the sorters' rows, chargers that sorters and tuggers share."""
    columns = [x for x in range(1, max(FORWARD_COLUMNS)) if x not in FORWARD_COLUMNS]
    for k, (y, side) in enumerate(((66, 1), (-6, -1))):
        for j, x in enumerate((1, 11)):
            cells = [(x + i if side > 0 else x + 2 - i, y + side) for i in range(3)]
            name = f"empties-{1 + 2 * k + j}"
            siding(name, (cells[0][0], y), cells, (cells[-1][0], y), AMR)
    rows = [(60, 1), (63, -1), (63, 1), (66, -1), (66, 1)]
    rows += [(0, -1), (-3, 1), (-3, -1), (-6, 1), (-6, -1)]
    places = [((x, y), (x, y + side)) for y, side in rows for x in columns]
    rest("a", [place for place in places if place[1] not in nodes], AMR, every=4)
    columns = [x for x in range(min(RESERVE_COLUMNS) + 1, 0) if x not in RESERVE_COLUMNS]
    y = SHUTTLE_YARD
    rest("r", [((x, y), (x, y + side)) for side in (1, -1) for x in columns], SHUTTLE, every=4)
    columns = [x for x in range(min(SORT_COLUMNS), max(SORT_COLUMNS)) if x not in SORT_COLUMNS]
    rest("s", [((x, y), (x, y + 1)) for y in SORT_PARKING for x in columns], SORTER, every=4)
    first, last = sorted(SORT_COLUMNS)[-2:]
    top = max(TUG_ROWS)
    for number, x in enumerate(range(first + 1, TUG_WEST), 1):
        bay(f"charge-c-{number}", (x, top + 1), ((x, top), SORTER + TUGGER if x < last else TUGGER))
    rows = [y for y in range(0, top, 2) if y not in TUG_ROWS]
    places = [((TUG_EAST, y), (TUG_EAST - 1, y)) for y in rows]
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
