"""What each robot did at each moment: motion, truth and layout, cut into spans of one state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sim.verification.tracks import Floats, Ints, Tracks

STATES = (
    "driving_loaded", "driving_empty", "turning", "at_station", "handling", "waiting", "charging",
    "down", "idle",
)  # fmt: skip
LOADED, EMPTY, TURNING, STATION, HANDLING, WAITING, CHARGING, DOWN, IDLE = range(9)
BIN_NS = 300_000_000_000  # 5 minutes
NEAR_M = 0.02

Fact = tuple[int, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Places:
    """The floor as far as the report needs it. Positions in m."""

    nodes_m: Floats  # (N, 2)
    bay_nodes: Ints  # node -> bay, -1 on the lanes
    bay_kind: list[str]
    bay_station: list[str]  # bay -> station's id, "" for none
    handling_s: dict[str, tuple[float, float]]  # fleet -> pick, drop


@dataclass(frozen=True, slots=True)
class Timeline:
    """Spans, one entry each: robot row, from, to, state, bay (-1), loaded, metres driven."""

    row: Ints
    t0_ns: Ints
    t1_ns: Ints
    state: Ints
    bay: Ints
    loaded: NDArray[np.bool_]
    way_m: Floats

    @property
    def seconds(self) -> Floats:
        """Length of each span."""
        return ((self.t1_ns - self.t0_ns) * 1e-9).astype(np.float64)


class Spans:
    """Disjoint spans per robot row, to be asked by moments."""

    def __init__(self, spans: Iterable[tuple[int, int, int]], scale: int) -> None:
        table = np.array(sorted(spans), np.int64).reshape(-1, 3)
        self.table, self._scale = table, scale
        self._keys = table[:, 0] * scale + table[:, 1]

    def inside(self, row: Ints, time_ns: Ints) -> NDArray[np.bool_]:
        """Is the robot in one of its spans at this moment?"""
        if not len(self._keys):
            return np.zeros(len(row), bool)
        index = np.searchsorted(self._keys, row * self._scale + time_ns, side="right") - 1
        at = self.table[np.maximum(index, 0)]
        inside: NDArray[np.bool_] = (index >= 0) & (at[:, 0] == row) & (time_ns < at[:, 2])
        return inside


def carrying(facts: list[Fact], rows: dict[str, int], end_ns: int) -> list[tuple[int, int, int]]:
    """(row, from, to) in which a load was on a robot."""
    since: dict[int, int] = {}
    spans = []
    for time_ns, kind, fact in facts:
        if kind != "load_moved":
            continue
        start = rows.get(fact["from"].removeprefix("robot:"), -1)
        to = rows.get(fact["to"].removeprefix("robot:"), -1)
        if start >= 0 and start in since:
            spans.append((start, since.pop(start), time_ns))
        if to >= 0:
            since[to] = time_ns
    return spans + [(row, begin, end_ns) for row, begin in since.items()]


def handling(
    facts: list[Fact], tracks: Tracks, rows: dict[str, int], times_s: dict[str, tuple[float, float]]
) -> list[tuple[int, int, int]]:
    """(row, from, to) in which a robot lifted or set down; the load moves at the end of it."""
    last: dict[int, int] = defaultdict(int)
    spans = []
    for time_ns, kind, fact in facts:
        if kind != "load_moved":
            continue
        for key, which in (("to", 0), ("from", 1)):
            row = rows.get(fact[key].removeprefix("robot:"), -1)
            if row >= 0 and fact["to"] != "gone":
                fleet = tracks.robots[row].fleet
                length = round(times_s.get(fleet, (0.0, 0.0))[which] * 1e9)
                spans.append((row, max(last[row], time_ns - length), time_ns))
                last[row] = time_ns
    return spans


def down(facts: list[Fact], rows: dict[str, int], end_ns: int) -> list[tuple[int, int, int]]:
    """(row, from, to) in which a robot was dead."""
    since: dict[int, int] = {}
    spans = []
    for time_ns, kind, fact in facts:
        row = rows.get(str(fact.get("robot", "")), -1) if kind.startswith("fault") else -1
        if row >= 0 and kind == "fault":
            since.setdefault(row, time_ns)
        elif row >= 0 and row in since:
            spans.append((row, since.pop(row), time_ns))
    return spans + [(row, begin, end_ns) for row, begin in since.items()]


def charging(
    tracks: Tracks, places: Places, rising: list[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """(row, from, to) on a charger while the charge rose. `rising`: (row, time) of such reports."""
    times: dict[int, list[int]] = defaultdict(list)
    for row, time_ns in rising:
        times[row].append(time_ns)
    still = np.flatnonzero(~tracks.recorded)
    bay = bays_at(tracks.x_m[still], tracks.y_m[still], places)
    spans = []
    for piece, at in zip(still.tolist(), bay.tolist(), strict=True):
        if at < 0 or places.bay_kind[at] != "charger":
            continue
        row = int(tracks.row[piece])
        begin, end = int(tracks.t0_ns[piece]), int(tracks.t1_ns[piece])
        if any(begin <= time_ns <= end for time_ns in times[row]):
            spans.append((row, begin, end))
    return spans


def bays_at(x_m: Floats, y_m: Floats, places: Places) -> Ints:
    """The bay at each position, -1 on the lanes or off the roadmap."""
    far, node = cKDTree(places.nodes_m).query(
        np.stack([x_m, y_m], axis=1), distance_upper_bound=NEAR_M
    )
    known = np.isfinite(far)
    result = np.full(len(x_m), -1, np.int64)
    result[known] = places.bay_nodes[node[known]]
    return result


def charge_reports(entries: Iterable[Any], rows: dict[int, int]) -> list[tuple[int, int, int]]:
    """(row, time, permille): what each robot said of its charge, by time."""
    return [
        (rows[entry.event.robot], entry.time_ns, entry.event.battery_permille)
        for entry in entries
        if type(entry.event).__name__ in ("RobotJoined", "BatteryCrossed")
        and entry.event.robot in rows
    ]


def rising(reports: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """(row, time) of every report of a higher charge than before."""
    charge: dict[int, int] = {}
    found = []
    for row, time_ns, permille in reports:
        if permille > charge.get(row, 10**6):
            found.append((row, time_ns))
        charge[row] = permille
    return found


def build(
    tracks: Tracks,
    facts: list[Fact],
    places: Places,
    rising: list[tuple[int, int]],
    marks_ns: Iterable[int] = (),
) -> Timeline:
    """Cut the run into spans, also at `marks_ns`. A robot that stands is, in this order: down,
    handling, charging, at a station, idle (empty, in a parking bay or on a charger), else waiting.
    Before it joins, and from when it retires, a robot has no spans."""
    end_ns, scale = tracks.end_ns, int(max(tracks.end_ns, tracks.t1_ns.max())) + 2
    rows = {robot.name: row for row, robot in enumerate(tracks.robots)}
    flags = {
        "loaded": Spans(carrying(facts, rows, end_ns), scale),
        "handling": Spans(handling(facts, tracks, rows, places.handling_s), scale),
        "down": Spans(down(facts, rows, end_ns), scale),
        "charging": Spans(charging(tracks, places, rising), scale),
    }
    left = np.full(len(tracks.robots), 2**62, np.int64)
    for time_ns, kind, fact in facts:
        if kind == "robot_retired" and fact["robot"] in rows:
            left[rows[fact["robot"]]] = time_ns
    row, t0, t1 = _cuts(tracks, flags.values(), (scale, marks_ns, left))
    middle = t0 + (t1 - t0) // 2
    piece = tracks.piece(row, middle)
    driving, turning = tracks.driving[piece], tracks.turning[piece]
    x, y, _ = tracks.pose_in(piece, middle)
    bay = np.where(driving, -1, bays_at(x, y, places))
    loaded = flags["loaded"].inside(row, middle)
    kinds = np.array([*places.bay_kind, ""], dtype=object)[bay]
    quiet = ((kinds == "parking") | (kinds == "charger")) & ~loaded
    state = np.select(
        [driving & loaded, driving, turning, flags["down"].inside(row, middle),
         flags["handling"].inside(row, middle), flags["charging"].inside(row, middle),
         kinds == "station", quiet],
        [LOADED, EMPTY, TURNING, DOWN, HANDLING, CHARGING, STATION, IDLE], WAITING,
    )  # fmt: skip
    length = np.maximum(tracks.t1_ns[piece] - tracks.t0_ns[piece], 1)
    way = np.where(driving, tracks.way_m[piece] * (t1 - t0) / length, 0.0)
    return Timeline(row, t0, t1, state.astype(np.int64), bay, loaded, way)


def _cuts(
    tracks: Tracks, flags: Iterable[Spans], at: tuple[int, Iterable[int], Ints]
) -> tuple[Ints, Ints, Ints]:
    scale, marks_ns, left = at
    count, end_ns = len(tracks.robots), tracks.end_ns
    marks = [mark for mark in marks_ns if 0 <= mark <= end_ns]
    bins = np.concatenate([np.arange(0, end_ns + 1, BIN_NS), np.array(marks, np.int64)])
    joined = np.array([robot.joined_ns for robot in tracks.robots], np.int64)
    keys = [tracks.row * scale + tracks.t0_ns, np.arange(count) * scale + end_ns]
    keys.append((np.arange(count)[:, None] * scale + bins[None, :]).ravel())
    for spans in flags:
        for column in (1, 2):
            keys.append(spans.table[:, 0] * scale + np.clip(spans.table[:, column], 0, end_ns))
    keys.append(np.arange(count) * scale + np.minimum(left, end_ns))
    cuts = np.unique(np.concatenate(keys))
    row, time_ns = cuts // scale, cuts % scale
    same = (row[1:] == row[:-1]) & (time_ns[1:] <= end_ns)
    same &= (time_ns[:-1] >= joined[row[:-1]]) & (time_ns[:-1] < left[row[:-1]])
    return row[:-1][same], time_ns[:-1][same], time_ns[1:][same]
