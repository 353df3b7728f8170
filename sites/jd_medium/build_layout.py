#!/usr/bin/env python3
"""Draws the floor of jd_medium as a VDMA LIF 1.0.0 file: python3 sites/jd_medium/build_layout.py

Four fleets on one floor. In cells of PITCH metres, x to the east, y to the north:

    x = -31     -30 ...... 0 .......... 30  31 ........ 40  42  43 ............ 55  58  59 ... 63  64
    docks     | reserve  | forward        | pick stations | pack | sorting, chutes | tuggers    | doors
    relabel   | shuttles | shuttles, AMRs | AMRs          |      | sorters         |            |

* Streets are one-way and alternate, in x (rows) and in y (columns), as in a city of one-way streets:
  every lane lies on a loop, and nobody drives far in the wrong direction.
* Shuttle rows (y = 2, 6, ...) run through reserve and forward; AMR rows (y = 0, 4, ...) through
  forward only. A rack of the forward zone stands between one of each: shuttles fill it from their
  row, AMRs take from theirs. The columns of the forward zone are shared by both fleets.
* Each pair of AMR rows leads into a spur of its own with two pick stations, east of the last column.
  (With all stations along one column, that column jammed at a quarter of the trips.)
* A robot drives to a station only when a queue place there is kept for it (a ticket). So the places,
  divided by the time of a drive, are what a station can be fed with: six for each arm.
* North and south of the racks are yards where AMRs park and charge, with the stations that take
  empty totes. Shuttles have yards beside the reserve, sorters theirs between their rows.
* Tuggers come over the sorters' northern rows to the chargers that both use, in the same direction:
  a lane that two fleets drove against each other would be shut by the first two that met.

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
RESERVE_COLUMNS = {-30: NORTH, -20: SOUTH, -10: SOUTH}
FORWARD_COLUMNS = {0: NORTH, 10: SOUTH, 20: NORTH, 30: SOUTH}
AMR_RACKS = {4 * k: (WEST if k % 2 == 0 else EAST) for k in range(13)}  # 0 .. 48
AMR_ROWS = {-6: WEST, -3: EAST} | AMR_RACKS | {51: EAST}
SPURS = tuple(range(0, 48, 8))  # y of the westward row; the eastward one lies 4 further north
SPUR_END = 40
SHUTTLE_ROWS = {2 + 4 * k: (WEST if k % 2 == 0 else EAST) for k in range(12)}  # 2 .. 46
SHUTTLE_YARDS = {-1: WEST, 49: EAST}
SORT_COLUMNS = {43: SOUTH, 47: NORTH, 51: SOUTH, 55: NORTH}
SORT_ROWS = {-1 + 4 * k: (EAST if k % 2 == 0 else WEST) for k in range(12)} | {47: WEST}  # -1 .. 47
SORT_PARKING = tuple(range(-1, 47, 4))  # rows with parking beside them
TUG_WEST, TUG_EAST = 59, 63  # southward before the chutes, northward before the doors
TUG_ROWS = {-1 + 6 * k: (EAST if k % 2 == 0 else WEST) for k in range(7)} | {39: EAST, 47: WEST}
DOOR_ROWS = (0, 6, 12, 18, 24, 30, 41)
CHUTES = 5  # for each door
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


def beside(name: str, x: int, y: int, side: int, direction: Cell, fleets) -> None:
    """A siding of three places, rows y to y + 2, `side` cells off the column at x."""
    rows = (y, y + 1, y + 2) if direction == NORTH else (y + 2, y + 1, y)
    cells = [(x + side, row) for row in rows]
    siding(name, (x, rows[0]), cells, (x, rows[-1]), fleets)


def storage() -> None:
    """Streets of shuttles and AMRs, the racks between them."""
    west, east = min(RESERVE_COLUMNS), max(FORWARD_COLUMNS)
    low, high = min(SHUTTLE_ROWS), max(SHUTTLE_ROWS)
    bottom, top = min(SHUTTLE_YARDS), max(SHUTTLE_YARDS)
    for x, direction in RESERVE_COLUMNS.items():
        street((x, bottom), (x, top), direction, SHUTTLE)
    for y, direction in SHUTTLE_ROWS.items():
        street((west, y), (east, y), direction, SHUTTLE)
    for y, direction in SHUTTLE_YARDS.items():
        street((west, y), (max(RESERVE_COLUMNS), y), direction, SHUTTLE)
    for x, direction in FORWARD_COLUMNS.items():
        street((x, low), (x, high), direction, SHUTTLE)
        street((x, min(AMR_ROWS)), (x, max(AMR_ROWS)), direction, AMR)
    for y, direction in AMR_ROWS.items():
        street((0, y), (east, y), direction, AMR)
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
    for name, y in (("dock-0", 3), ("dock-1", 9), ("dock-2", 15), ("relabel-0", 21),
                    ("empties-0", 25), ("dock-3", 31), ("dock-4", 37), ("dock-5", 43)):  # fmt: skip
        beside(name, x, y, -1, RESERVE_COLUMNS[x], SHUTTLE)


def picking() -> None:
    """Spurs with two pick stations each, what they made at the sorters' first column; unpacking."""
    last, sort = max(FORWARD_COLUMNS), min(SORT_COLUMNS)
    queue = [(0, 3), (1, 3), (2, 3), (2, 2), (1, 2), (1, 1)]
    for k, y in enumerate(SPURS):
        street((last, y + 4), (SPUR_END, y + 4), EAST, AMR)
        street((SPUR_END, y), (SPUR_END, y + 4), SOUTH, AMR)
        street((last, y), (SPUR_END, y), WEST, AMR)
        for j, x in enumerate((last + 2, last + 6)):
            cells = [(x + dx, y + dy) for dx, dy in queue]
            name = f"{2 * k + j:02d}"
            siding(f"pick-{name}", (x, y + 4), cells, (x + 1, y), AMR, QUEUE_SPEED)
            beside(f"pack-{name}", sort, y + 1 + 4 * j, -1, SOUTH, SORTER)
    for k, (y, side, out_y) in enumerate(((47, 1, 49), (-1, -1, -5))):
        bay(f"unpack-{k}", (sort + 2, y + side), ((sort + 2, y), SORTER))
        beside(f"unpacked-{k}", last, out_y, 1, SOUTH, AMR)


def sorting() -> None:
    """The sorters' streets; chutes between two rows: in from the north, out to the south. What
    was dropped slides to where tuggers fetch it."""
    low, high = min(SORT_ROWS), max(SORT_ROWS)
    for x, direction in SORT_COLUMNS.items():
        street((x, low), (x, high), direction, SORTER)
    for y, direction in SORT_ROWS.items():
        street((min(SORT_COLUMNS), y), (max(SORT_COLUMNS), y), direction, SORTER)
    inner = [x for x in range(*sorted(SORT_COLUMNS)[-2:])][1:]
    places = [(x, y) for y in sorted(SORT_ROWS)[:-1] for x in inner][: CHUTES * len(DOOR_ROWS)]
    for k, (x, y) in enumerate(places):
        cells = [(x, y + 3), (x, y + 2), (x, y + 1)]
        siding(f"chute-{k:02d}", (x, y + 4), cells, (x, y), SORTER)
        row = DOOR_ROWS[k // CHUTES] + k % CHUTES  # a belt brings the parcels there
        bay(f"parcels-{k:02d}", (TUG_WEST - 1, row), ((TUG_WEST, row), TUGGER))


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
    for k, (y, side) in enumerate(((51, 1), (-6, -1))):
        for j, x in enumerate((1, 21)):
            cells = [(x + i if side > 0 else x + 2 - i, y + side) for i in range(3)]
            name = f"empties-{1 + 2 * k + j}"
            siding(name, (cells[0][0], y), cells, (cells[-1][0], y), AMR)
    rows = [(48, 1), (51, -1), (51, 1), (0, -1), (-3, 1), (-3, -1), (-6, 1), (-6, -1)]
    places = [((x, y), (x, y + side)) for y, side in rows for x in columns]
    rest("a", [place for place in places if place[1] not in nodes], AMR, every=4)
    west, east = min(RESERVE_COLUMNS), max(RESERVE_COLUMNS)
    columns = [x for x in range(west + 1, east) if x not in RESERVE_COLUMNS]
    rows = [(y, side) for y in SHUTTLE_YARDS for side in (1, -1)]
    rest("r", [((x, y), (x, y + side)) for y, side in rows for x in columns], SHUTTLE, every=4)
    turn, last = sorted(SORT_COLUMNS)[-2:]
    columns = [x for x in range(min(SORT_COLUMNS), turn) if x not in SORT_COLUMNS]
    places = [((x, y), (x, y + 1)) for y in SORT_PARKING for x in columns]
    places += [((x, y), (x, y - 1)) for y in SORT_PARKING[3:9:2] for x in columns]
    rest("s", places, SORTER, every=4)
    top = max(TUG_ROWS)
    for number, x in enumerate(range(turn + 1, TUG_WEST), 1):
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
