"""A fulfilment centre of one or several halls, as jd_medium and jd_large have them.

A hall, from its first row; halls stand one north of the other and share the columns:

    x = -31     -30 ...... 0 .......... 30  31 ........ 40  42  43 ...  58 ....
    docks     | reserve  | forward        | pick stations | pack | sorting, chutes | tuggers | doors
    relabel   | shuttles | shuttles, AMRs | AMRs          |      | sorters         |         |

* Streets are one-way and alternate, in x (rows) and in y (columns), as in a city of one-way streets:
  every lane lies on a loop, and nobody drives far in the wrong direction.
* Shuttle rows (y = 2, 6, ...) run through reserve and forward; AMR rows (y = 0, 4, ...) through
  forward only. A rack of the forward zone stands between one of each: shuttles fill it from their
  row, AMRs take from theirs. The columns of the forward zone are shared by both.
* Each pair of AMR rows leads into a spur of its own with two pick stations, east of the last column.
  (With all stations along one column, that column jammed at a quarter of the trips.)
* A robot drives to a station only when a queue place there is kept for it (a ticket). So the places,
  divided by the time of a drive, are what a station can be fed with: six for each arm.
* North and south of the racks are yards where AMRs park and charge, with the stations that take
  empty totes. Shuttles have yards beside the reserve, sorters theirs between their rows.
* Tuggers come over the sorters' northern rows to the chargers that both use, in the same direction:
  a lane that two fleets drove against each other would be shut by the first two that met.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from drawing import EAST, NORTH, SOUTH, WEST, Cell, Fleets, Floor

RESERVE_COLUMNS = {-30: NORTH, -20: SOUTH, -10: SOUTH}  # x -> direction
FORWARD_COLUMNS = {0: NORTH, 10: SOUTH, 20: NORTH, 30: SOUTH}
# Rows of a hall (y from its first -> direction).
AMR_RACKS = {4 * k: (WEST if k % 2 == 0 else EAST) for k in range(13)}  # 0 .. 48
AMR_ROWS = {-6: WEST, -3: EAST} | AMR_RACKS | {51: EAST}
SPURS = tuple(range(0, 48, 8))  # y of the westward row; the eastward one lies 4 further north
SPUR_END = 40
SHUTTLE_ROWS = {2 + 4 * k: (WEST if k % 2 == 0 else EAST) for k in range(12)}  # 2 .. 46
SHUTTLE_YARDS = {-1: WEST, 49: EAST}
SORT_ROWS = {-1 + 4 * k: (EAST if k % 2 == 0 else WEST) for k in range(12)} | {47: WEST}  # -1 .. 47
SORT_PARKING = tuple(range(-1, 47, 4))  # rows with parking beside them
TUG_ROWS = {-1 + 6 * k: (EAST if k % 2 == 0 else WEST) for k in range(7)} | {39: EAST, 47: WEST}
DOOR_ROWS = (0, 6, 12, 18, 24, 30, 41)
CHUTES = 5  # for each door
WEST_ROWS = {
    ("dock", 0): 3, ("dock", 1): 9, ("dock", 2): 15, ("relabel", 0): 21,
    ("empties", 0): 25, ("dock", 3): 31, ("dock", 4): 37, ("dock", 5): 43,
}  # fmt: skip
QUEUE_SPEED = 1.2  # m/s in the queues before the arms


@dataclass(frozen=True)
class Centre:
    """What the sites have of their own."""

    name: str
    halls: dict[str, int]  # letter (or "", if there is but one) -> y of its first row
    amrs: Fleets  # the fleets that bring totes to the arms; they share all lanes
    sort_columns: dict[int, Cell] = field(
        default_factory=lambda: {43: SOUTH, 47: NORTH, 51: SOUTH, 55: NORTH}
    )
    shuttles: Fleets = ("shuttle",)
    sorters: Fleets = ("sorter",)
    tuggers: Fleets = ("tugger",)

    @property
    def tug_columns(self) -> tuple[int, int]:
        """Southward before the chutes, northward before the doors."""
        return max(self.sort_columns) + 4, max(self.sort_columns) + 8

    def draw(self, path: Path) -> None:
        """Write the layout file."""
        floor = Floor()
        for letter, y in self.halls.items():
            hall = Hall(floor, self, f"{letter}-" if letter else "", y)
            hall.storage()
            hall.stations_west()
            hall.picking()
            hall.sorting()
            hall.shipping()
            hall.resting()
        floor.write(self.name, path)


@dataclass(frozen=True)
class Hall:
    """One hall; `tag` goes into the names of what stands in it."""

    floor: Floor
    centre: Centre
    tag: str
    y: int

    def rows(self, rows: dict[int, Cell]) -> dict[int, Cell]:
        """Rows of a hall where this one has them."""
        return {self.y + y: direction for y, direction in rows.items()}

    def column(self, x: int, rows: dict[int, Cell], direction: Cell, fleets: Fleets) -> None:
        """Columns run through all halls: the first one draws them."""
        halls = self.centre.halls.values()
        if self.y == min(halls):
            south, north = (x, self.y + min(rows)), (x, max(halls) + max(rows))
            self.floor.street(south, north, direction, fleets)

    def storage(self) -> None:
        """Streets of shuttles and AMRs, the racks between them."""
        floor, shuttles, amrs = self.floor, self.centre.shuttles, self.centre.amrs
        west, east = min(RESERVE_COLUMNS), max(FORWARD_COLUMNS)
        rows = self.rows(SHUTTLE_ROWS)
        low, high = min(rows), max(rows)
        for x, direction in RESERVE_COLUMNS.items():
            self.column(x, SHUTTLE_YARDS, direction, shuttles)
        for y, direction in rows.items():
            floor.street((west, y), (east, y), direction, shuttles)
        for y, direction in self.rows(SHUTTLE_YARDS).items():
            floor.street((west, y), (max(RESERVE_COLUMNS), y), direction, shuttles)
        for x, direction in FORWARD_COLUMNS.items():
            floor.street((x, low), (x, high), direction, shuttles)
            self.column(x, AMR_ROWS, direction, amrs)
        for y, direction in self.rows(AMR_ROWS).items():
            floor.street((0, y), (east, y), direction, amrs)
        number = {"r": 0, "f": 0}
        racks = [x for x in range(west + 1, east) if x not in FORWARD_COLUMNS | RESERVE_COLUMNS]
        for y in range(low - 1, high + 2, 2):
            shuttle_y = y + 1 if y + 1 in rows else y - 1
            for x in racks:
                zone = "r" if x < 0 else "f"
                number[zone] += 1
                doors = [((x, shuttle_y), shuttles)]
                if zone == "f":
                    doors.append(((x, 2 * y - shuttle_y), amrs))
                floor.bay(f"slot-{zone}-{self.tag}{number[zone]:03d}", (x, y), *doors)

    def stations_west(self) -> None:
        """Docks, relabelling, empty totes: sidings of the shuttles along their westernmost column."""
        x = min(RESERVE_COLUMNS)
        for (kind, number), y in WEST_ROWS.items():
            place, direction = (x, self.y + y), RESERVE_COLUMNS[x]
            name = f"{kind}-{self.tag}{number}"
            self.floor.beside(name, place, -1, direction, self.centre.shuttles)

    def picking(self) -> None:
        """Spurs with two pick stations each, what they made at the sorters' first column; unpacking."""
        floor, amrs, sorters = self.floor, self.centre.amrs, self.centre.sorters
        last, sort = max(FORWARD_COLUMNS), min(self.centre.sort_columns)
        queue = [(0, 3), (1, 3), (2, 3), (2, 2), (1, 2), (1, 1)]
        for k, spur in enumerate(SPURS):
            y = self.y + spur
            floor.street((last, y + 4), (SPUR_END, y + 4), EAST, amrs)
            floor.street((SPUR_END, y), (SPUR_END, y + 4), SOUTH, amrs)
            floor.street((last, y), (SPUR_END, y), WEST, amrs)
            for j, x in enumerate((last + 2, last + 6)):
                cells = [(x + dx, y + dy) for dx, dy in queue]
                name = f"{self.tag}{2 * k + j:02d}"
                floor.siding(f"pick-{name}", (x, y + 4), cells, (x + 1, y), amrs, QUEUE_SPEED)
                floor.beside(f"pack-{name}", (sort, y + 1 + 4 * j), -1, SOUTH, sorters)
        for k, (row, side, out) in enumerate(((47, 1, 49), (-1, -1, -5))):
            y = self.y + row
            floor.bay(f"unpack-{self.tag}{k}", (sort + 2, y + side), ((sort + 2, y), sorters))
            floor.beside(f"unpacked-{self.tag}{k}", (last, self.y + out), 1, SOUTH, amrs)

    def sorting(self) -> None:
        """The sorters' rows; chutes between two of them: in from the north, out to the south. What
        was dropped slides to where tuggers fetch it."""
        floor, known = self.floor, self.centre.sort_columns
        rows = self.rows(SORT_ROWS)
        for x, direction in known.items():
            self.column(x, SORT_ROWS, direction, self.centre.sorters)
        for y, direction in rows.items():
            floor.street((min(known), y), (max(known), y), direction, self.centre.sorters)
        inner = [x for x in range(*sorted(known)[-2:])][1:]
        places = [(x, y) for y in sorted(rows)[:-1] for x in inner][: CHUTES * len(DOOR_ROWS)]
        tug = self.centre.tug_columns[0]
        for k, (x, y) in enumerate(places):
            name, cells = f"{self.tag}{k:02d}", [(x, y + 3), (x, y + 2), (x, y + 1)]
            floor.siding(f"chute-{name}", (x, y + 4), cells, (x, y), self.centre.sorters)
            row = self.y + DOOR_ROWS[k // CHUTES] + k % CHUTES  # a belt brings the parcels there
            floor.bay(f"parcels-{name}", (tug - 1, row), ((tug, row), self.centre.tuggers))

    def shipping(self) -> None:
        """The tuggers' rows, doors, and their way to the chargers they share with the sorters."""
        floor, tuggers = self.floor, self.centre.tuggers
        west, east = self.centre.tug_columns
        rows = self.rows(TUG_ROWS)
        high = max(rows)
        self.column(west, TUG_ROWS, SOUTH, tuggers)
        self.column(east, TUG_ROWS, NORTH, tuggers)
        for y, direction in rows.items():
            floor.street((west, y), (east, y), direction, tuggers)
        for k, row in enumerate(DOOR_ROWS):
            y = self.y + row
            cells = [(east + 1, y), (east + 1, y + 1), (east + 1, y + 2)]
            floor.siding(f"door-{self.tag}{k}", (east, y), cells, (east, y + 2), tuggers)
        turn = sorted(self.centre.sort_columns)[-2]  # shared with the sorters to their last column
        floor.street((turn, high), (west, high), WEST, tuggers)
        below = sorted(rows)[-2]
        floor.street((turn, below), (turn, high), SOUTH, tuggers)
        floor.street((turn, below), (west, below), EAST, tuggers)

    def resting(self) -> None:
        """Parking and chargers: at least one place per robot. Yards of AMRs and shuttles, places
        between the sorters' rows, chargers that sorters and tuggers share."""
        self._rest_of_amrs()
        west, east = min(RESERVE_COLUMNS), max(RESERVE_COLUMNS)
        free = [x for x in range(west + 1, east) if x not in RESERVE_COLUMNS]
        rows = [(self.y + y, side) for y in SHUTTLE_YARDS for side in (1, -1)]
        places = [((x, y), (x, y + side)) for y, side in rows for x in free]
        self._rest("r", places, self.centre.shuttles, every=4)
        self._rest_of_sorters()
        self._rest_of_tuggers()

    def _rest(self, kind: str, places: list[tuple[Cell, Cell]], fleets: Fleets, every: int) -> None:
        name = f"{kind}-{self.tag}".rstrip("-")
        self.floor.rest(name, places, fleets, every)

    def _rest_of_amrs(self) -> None:
        floor, amrs = self.floor, self.centre.amrs
        free = [x for x in range(1, max(FORWARD_COLUMNS)) if x not in FORWARD_COLUMNS]
        for k, (row, side) in enumerate(((51, 1), (-6, -1))):
            for j, x in enumerate((1, 21)):
                y = self.y + row
                cells = [(x + i if side > 0 else x + 2 - i, y + side) for i in range(3)]
                name = f"empties-{self.tag}{1 + 2 * k + j}"
                floor.siding(name, (cells[0][0], y), cells, (cells[-1][0], y), amrs)
        rows = [(48, 1), (51, -1), (51, 1), (0, -1), (-3, 1), (-3, -1), (-6, 1), (-6, -1)]
        places = [((x, self.y + y), (x, self.y + y + side)) for y, side in rows for x in free]
        places = [place for place in places if place[1] not in floor.nodes]
        self._rest("a", places, amrs, every=4)

    def _rest_of_sorters(self) -> None:
        known = self.centre.sort_columns
        turn = sorted(known)[-2]
        free = [x for x in range(min(known), turn) if x not in known]
        rows = [self.y + y for y in SORT_PARKING]
        places = [((x, y), (x, y + 1)) for y in rows for x in free]
        places += [((x, y), (x, y - 1)) for y in rows[3:9:2] for x in free]
        self._rest("s", places, self.centre.sorters, every=4)

    def _rest_of_tuggers(self) -> None:
        floor, centre = self.floor, self.centre
        turn, last = sorted(centre.sort_columns)[-2:]
        west, east = centre.tug_columns
        rows = self.rows(TUG_ROWS)
        top = max(rows)
        halls = centre.halls.values()  # no bay where a column goes on to the next hall
        free = [x for x in range(turn + 1, west) if x != last or self.y == max(halls)]
        for number, x in enumerate(free, 1):
            fleets = centre.sorters + centre.tuggers if x < last else centre.tuggers
            floor.bay(f"charge-c-{self.tag}{number}", (x, top + 1), ((x, top), fleets))
        places = [((east, y), (east - 1, y)) for y in range(self.y, top, 2) if y not in rows]
        below = self.y + min(TUG_ROWS)
        ends = self.y == min(halls)
        free = [x for x in range(west, east + 1) if ends or x not in (west, east)]
        places += [((x, below), (x, below - 1)) for x in free]
        self._rest("t", places, centre.tuggers, every=3)
