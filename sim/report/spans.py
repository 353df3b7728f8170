"""The run cut into spans of one state: a stretch at a time, and summed up for the whole of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from sim.report.timeline import (
    BIN_NS,
    CHARGING,
    DOWN,
    EMPTY,
    HANDLING,
    IDLE,
    LOADED,
    STATES,
    STATION,
    TURNING,
    WAITING,
    Fact,
    OnCharger,
    Places,
    Spans,
    Timeline,
    bays_at,
    carrying,
    down,
    handling,
)  # fmt: skip
from sim.verification.tracks import Ints, Robot, Tracks


@dataclass(frozen=True, slots=True)
class Flags:
    """What motion doesn't tell: when each robot carried, handled, was down, charged, had left."""

    loaded: Spans
    handling: Spans
    down: Spans
    charging: Spans
    left_ns: Ints  # by row
    scale: int

    def tables(self) -> list[Ints]:
        """All spans."""
        return [spans.table for spans in (self.loaded, self.handling, self.down, self.charging)]


def flags_of(
    robots: list[Robot],
    end_ns: int,
    facts: list[Fact],
    places: Places,
    charging: list[tuple[int, int, int]],
) -> Flags:
    """Of a whole run. `charging`: (row, from, to)."""
    scale = 2 * end_ns + 2
    if len(robots) * scale >= 2**63:
        scale = end_ns + 2
    rows = {robot.name: row for row, robot in enumerate(robots)}
    left = np.full(len(robots), 2**62, np.int64)
    for time_ns, kind, fact in facts:
        if kind == "robot_retired" and fact["robot"] in rows:
            left[rows[fact["robot"]]] = time_ns
    return Flags(
        Spans(carrying(facts, rows, end_ns), scale),
        Spans(handling(facts, robots, rows, places.handling_s), scale),
        Spans(down(facts, rows, end_ns), scale),
        Spans(charging, scale),
        left,
        scale,
    )


def build(
    tracks: Tracks,
    facts: list[Fact],
    places: Places,
    rising: list[tuple[int, int]],
    marks_ns: Iterable[int] = (),
) -> Timeline:
    """The timeline of a run whose tracks are all at hand; `rising`: (row, time) of reports of a higher
    charge, by time."""
    stood = OnCharger(places)
    stood.add(tracks)
    charging = stood.charging(rising)
    flags = flags_of(tracks.robots, tracks.end_ns, facts, places, charging)
    return cut(tracks, flags, places, marks_ns)


def cut(
    tracks: Tracks, flags: Flags, places: Places, marks_ns: Iterable[int] = (), from_ns: int = 0
) -> Timeline:
    """Cut a stretch into spans, also at `marks_ns` and each `BIN_NS`. A robot that stands is, in this
    order: down, handling, charging, at a station, idle (empty, in a parking bay or on a charger), else
    waiting. Before it joins, and from when it retires, a robot has no spans."""
    row, t0, t1 = _cuts(tracks, flags, marks_ns, from_ns)
    middle = t0 + (t1 - t0) // 2
    piece = tracks.piece(row, middle)
    driving, turning = tracks.driving[piece], tracks.turning[piece]
    x, y, _ = tracks.pose_in(piece, middle)
    bay = np.where(driving, -1, bays_at(x, y, places))
    loaded = flags.loaded.inside(row, middle)
    kinds = np.array([*places.bay_kind, ""], dtype=object)[bay]
    quiet = ((kinds == "parking") | (kinds == "charger")) & ~loaded
    state = np.select(
        [driving & loaded, driving, turning, flags.down.inside(row, middle),
         flags.handling.inside(row, middle), flags.charging.inside(row, middle),
         kinds == "station", quiet],
        [LOADED, EMPTY, TURNING, DOWN, HANDLING, CHARGING, STATION, IDLE], WAITING,
    )  # fmt: skip
    length = np.maximum(tracks.t1_ns[piece] - tracks.t0_ns[piece], 1)
    way = np.where(driving, tracks.way_m[piece] * (t1 - t0) / length, 0.0)
    seconds = ((t1 - t0) * 1e-9).astype(np.float64)
    return Timeline(row, t0, t1, state.astype(np.int64), bay, loaded, way, seconds)


def _cuts(
    tracks: Tracks, flags: Flags, marks_ns: Iterable[int], from_ns: int
) -> tuple[Ints, Ints, Ints]:
    count, end_ns, scale, left = len(tracks.robots), tracks.end_ns, flags.scale, flags.left_ns
    marks = edges(marks_ns, end_ns)
    marks = np.append(marks[marks >= from_ns], from_ns)
    joined = np.array([robot.joined_ns for robot in tracks.robots], np.int64)
    keys = [tracks.row * scale + np.minimum(tracks.t0_ns, end_ns)]
    keys.append((np.arange(count)[:, None] * scale + marks[None, :]).ravel())
    for table in flags.tables():
        near = table[(table[:, 2] >= from_ns) & (table[:, 1] <= end_ns)]
        for column in (1, 2):
            keys.append(near[:, 0] * scale + np.clip(near[:, column], from_ns, end_ns))
    keys.append(np.arange(count) * scale + np.clip(left, from_ns, end_ns))
    cuts = np.unique(np.concatenate(keys))
    row, time_ns = cuts // scale, cuts % scale
    same = (row[1:] == row[:-1]) & (time_ns[:-1] >= from_ns)
    same &= (time_ns[:-1] >= joined[row[:-1]]) & (time_ns[:-1] < left[row[:-1]])
    return row[:-1][same], time_ns[:-1][same], time_ns[1:][same]


def edges(marks_ns: Iterable[int], end_ns: int) -> Ints:
    """All times at which every span is cut, the run's end among them."""
    marks = [mark for mark in marks_ns if 0 <= mark <= end_ns]
    times = np.concatenate([np.arange(0, end_ns + 1, BIN_NS), np.array([*marks, end_ns])])
    return np.unique(times).astype(np.int64)


class Summed:
    """Spans of one robot, state, place and load between two edges, made one: a day of hundreds of
    robots fits in memory so, and every sum over whole bins stays what it was."""

    def __init__(self, places: Places, edges_ns: Ints) -> None:
        """`edges_ns`: from `edges`."""
        self._bays, self._edges = len(places.bay_kind), edges_ns
        self._parts: list[Timeline] = []

    def add(self, spans: Timeline) -> None:
        """The next stretch."""
        segments = len(self._edges)
        segment = np.searchsorted(self._edges, spans.t0_ns, side="right") - 1
        key = (spans.row * segments + segment) * len(STATES) + spans.state
        key = (key * (self._bays + 1) + spans.bay + 1) * 2 + spans.loaded
        made, which = np.unique(key, return_inverse=True)
        rest, loaded = made // 2, made % 2 == 1
        rest, bay = rest // (self._bays + 1), rest % (self._bays + 1) - 1
        rest, state = rest // len(STATES), rest % len(STATES)
        row, at = rest // segments, rest % segments
        ends = np.append(self._edges[1:], self._edges[-1])
        self._parts.append(
            Timeline(
                row, self._edges[at], ends[at], state, bay, loaded,
                np.bincount(which, spans.way_m, len(made)).astype(np.float64),
                np.bincount(which, spans.seconds, len(made)).astype(np.float64),
            )
        )  # fmt: skip

    def timeline(self) -> Timeline:
        """The whole run."""
        return Timeline(
            *(
                np.concatenate([getattr(part, column.name) for part in self._parts])
                for column in fields(Timeline)
            )
        )
