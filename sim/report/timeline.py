"""What each robot did at each moment: motion, truth and layout, cut into spans of one state."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sim.verification.tracks import Floats, Ints, Robot, Tracks

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
    seconds: Floats  # in that state: the span's length, less where spans are summed up


class Crew(Protocol):
    """Who was there, and until when."""

    @property
    def robots(self) -> list[Robot]:
        """All robots of the run."""

    @property
    def end_ns(self) -> int:
        """The run's last moment."""


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
    facts: list[Fact],
    robots: list[Robot],
    rows: dict[str, int],
    times_s: dict[str, tuple[float, float]],
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
                fleet = robots[row].fleet
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


@dataclass(slots=True)
class OnCharger:
    """(row, from, to) of standing on a charger; over the edges of stretches it goes on."""

    places: Places
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    _last: dict[int, int] = field(default_factory=dict)  # row -> its last span

    def add(self, tracks: Tracks) -> None:
        """The next stretch."""
        still = np.flatnonzero(~tracks.recorded)
        bay = bays_at(tracks.x_m[still], tracks.y_m[still], self.places)
        chargers = np.array([*(kind == "charger" for kind in self.places.bay_kind), False])
        for piece in still[chargers[bay]].tolist():
            row, begin, end = (int(v[piece]) for v in (tracks.row, tracks.t0_ns, tracks.t1_ns))
            at = self._last.get(row, -1)
            if at >= 0 and self.spans[at][2] == begin:
                self.spans[at] = (row, self.spans[at][1], end)
            else:
                self._last[row] = len(self.spans)
                self.spans.append((row, begin, end))

    def charging(self, rising: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
        """Those in which the charge rose. `rising`: (row, time) of such reports, by time."""
        times: dict[int, list[int]] = defaultdict(list)
        for row, time_ns in rising:
            times[row].append(time_ns)
        return [
            (row, begin, end)
            for row, begin, end in self.spans
            if bisect_left(times[row], begin) < bisect_right(times[row], end)
        ]


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
