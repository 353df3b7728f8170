"""Figures of fleets and stations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from sim.report.bins import edges, width_ns
from sim.report.timeline import (
    BIN_NS,
    EMPTY,
    LOADED,
    NEAR_M,
    STATES,
    TURNING,
    WAITING,
    Fact,
    Places,
    Timeline,
)  # fmt: skip
from sim.verification.tracks import Robot, Tracks


def fleets(robots: list[Robot], timeline: Timeline, rolled: StopAndGo) -> dict[str, Any]:
    """Per fleet, and over "all": robots, share of time in each state, metres, waiting share of the
    time on missions (driving, turning, waiting), stop-and-go share."""
    names = [robot.fleet for robot in robots]
    result = {}
    for name in [*dict.fromkeys(names), "all"]:
        member = np.array([name in (fleet, "all") for fleet in names])
        mine = member[timeline.row]
        seconds = np.bincount(timeline.state[mine], timeline.seconds[mine], minlength=len(STATES))
        total = max(float(seconds.sum()), 1e-9)
        underway = float(seconds[[LOADED, EMPTY, TURNING, WAITING]].sum())
        stops, joints = rolled.of(member)
        way = [float(timeline.way_m[mine & (timeline.loaded == on)].sum()) for on in (True, False)]
        result[name] = {
            "robots": int(member.sum()),
            "share": dict(zip(STATES, (seconds / total).round(5).tolist(), strict=True)),
            "loaded_m": round(way[0], 1),
            "empty_m": round(way[1], 1),
            "empty_share": round(way[1] / max(sum(way), 1e-9), 4),
            "waiting_share": round(float(seconds[WAITING]) / max(underway, 1e-9), 4),
            "stop_and_go_share": round(stops / max(joints, 1), 4),
        }  # fmt: skip
    return result


class StopAndGo:
    """Counts nodes of the lanes at which a robot went on straight ahead (joints), and at how many of
    them it stood (stops). Where it turned it had to stand anyway. Over stretches."""

    def __init__(self, robots: int, places: Places) -> None:
        """`robots`: how many."""
        self._places, self._tree = places, cKDTree(places.nodes_m)
        self._stops, self._joints = np.zeros(robots, np.int64), np.zeros(robots, np.int64)
        self._last: dict[str, Any] = {}  # what each robot drove last

    def add(self, tracks: Tracks, from_ns: int = 0) -> None:
        """The next stretch."""
        now = _drives(tracks, from_ns)
        if self._last:
            now = {name: np.concatenate([self._last[name], now[name]]) for name in now}
            order = np.argsort(now["row"], kind="stable")
            now = {name: values[order] for name, values in now.items()}
        row = now["row"]
        final = np.ones(len(row), bool)
        final[:-1] = row[1:] != row[:-1]
        self._last = {name: values[final] for name, values in now.items()}
        here = np.flatnonzero(~final)
        after = here + 1
        away = np.hypot(now["x_m"][after] - now["to_x_m"][here],
                        now["y_m"][after] - now["to_y_m"][here])  # fmt: skip
        along = now["ux"][here] * now["ux"][after] + now["uy"][here] * now["uy"][after]
        ends = np.stack([now["to_x_m"][here], now["to_y_m"][here]], axis=1)
        far, node = self._tree.query(ends, distance_upper_bound=NEAR_M)
        on_lane = np.isfinite(far)
        on_lane[on_lane] = self._places.bay_nodes[node[on_lane]] < 0
        joint = (away < NEAR_M) & (along > 0.9998) & on_lane
        stands = (now["v_end_mps"][here] < 1e-3) | (now["t0_ns"][after] > now["t1_ns"][here])
        count = len(self._stops)
        self._joints += np.bincount(row[here][joint], minlength=count)
        self._stops += np.bincount(row[here][joint & stands], minlength=count)

    def of(self, member: Any) -> tuple[int, int]:
        """(stops, joints) of the robots in a mask."""
        return int(self._stops[member].sum()), int(self._joints[member].sum())


def _drives(tracks: Tracks, from_ns: int) -> dict[str, Any]:
    drives = np.flatnonzero(tracks.driving & (tracks.t0_ns >= from_ns))
    to_x, to_y, _ = tracks.pose_in(drives, tracks.t1_ns[drives])
    names = ("row", "t0_ns", "t1_ns", "x_m", "y_m", "ux", "uy", "v_end_mps")
    made = {name: getattr(tracks, name)[drives] for name in names}
    return made | {"to_x_m": to_x, "to_y_m": to_y}


def over_time(timeline: Timeline, end_ns: int) -> list[dict[str, Any]]:
    """Mean number of robots in each state, per 5 minutes."""
    rows = []
    bins = timeline.t0_ns // BIN_NS
    for number in range(int(-(-end_ns // BIN_NS))):
        mine = bins == number
        length = (min((number + 1) * BIN_NS, end_ns) - number * BIN_NS) * 1e-9
        seconds = np.bincount(timeline.state[mine], timeline.seconds[mine], minlength=len(STATES))
        counts = {s: round(float(v) / length, 3) for s, v in zip(STATES, seconds, strict=True)}
        rows.append({"from_s": number * BIN_NS / 1e9, "robots": counts})
    return rows


def congestion(timeline: Timeline, end_ns: int) -> list[dict[str, Any]]:
    """Per bin: how many robots are under way on average, and which share of them waits."""
    width = width_ns(end_ns)
    rows = []
    number = timeline.t0_ns // width
    underway = np.isin(timeline.state, (LOADED, EMPTY, TURNING, WAITING))
    waits = timeline.state == WAITING
    for index, (low, high) in enumerate(edges(end_ns, width)):
        mine = number == index
        total = float(timeline.seconds[mine & underway].sum())
        waiting = float(timeline.seconds[mine & waits].sum())
        rows.append({
            "from_s": low / 1e9,
            "under_way": round(total * 1e9 / max(high - low, 1), 2),
            "waiting_share": round(waiting / total, 4) if total else 0.0,
        })  # fmt: skip
    return rows


def _handled(facts: list[Fact]) -> Counter[str]:
    """What each station made, took in or handed out; of those that only pass loads on, what came."""
    made, came, doors = Counter[str](), Counter[str](), dict[str, str]()
    for _, kind, fact in facts:
        if kind in ("tote_arrived", "parcel_packed", "parcel_delivered", "units_unpacked"):
            made[str(fact.get("station", ""))] += 1
        elif kind == "truck_docked":
            doors[fact["truck"]] = fact["station"]
        elif kind == "parcel_loaded":
            made[doors.get(fact["truck"], "")] += 1
        elif kind == "load_moved" and fact["to"].startswith("station:"):
            came[fact["to"].removeprefix("station:")] += 1
    return Counter({name: made[name] or came[name] for name in (*made, *came)})


def stations(timeline: Timeline, places: Places, facts: list[Fact], end_ns: int) -> list[Any]:
    """Per station: share of time in which a robot stood there, and what it handled."""
    handled = _handled(facts)
    still = timeline.bay >= 0
    seconds = np.bincount(
        timeline.bay[still], timeline.seconds[still], minlength=len(places.bay_kind)
    )
    busy: dict[str, float] = {}
    for bay, name in enumerate(places.bay_station):
        if name:
            busy[name] = max(busy.get(name, 0.0), float(seconds[bay]))
    return [
        {
            "station": name,
            "occupied_share": round(min(1.0, value * 1e9 / max(end_ns, 1)), 4),
            "handled": handled[name],
            "per_hour": round(handled[name] * 3600e9 / max(end_ns, 1), 1),
        }
        for name, value in sorted(busy.items())
    ]
