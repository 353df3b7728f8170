"""Transport orders: was somebody really at each stop, in sequence, before the order was closed?"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np

from sim.verification.orders import Truth
from sim.verification.trajectory import Trajectory

NEWS_NS = 60_000_000_000  # the report of the last arrival may take so long


class Visits:
    """Where robots were at the ends of their pieces of motion, by place in mm."""

    def __init__(self, tracks: list[Trajectory]) -> None:
        self._tracks = tracks
        self._at: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._seen: list[dict[tuple[int, int], list[int]]] = []
        for index, track in enumerate(tracks):
            seen: dict[tuple[int, int], list[int]] = {}
            x, y, _ = track.body.start
            seen[_key(x, y)] = [0]
            ends = (track.t0 + track.rows["dt_ns"]).tolist()
            xs = np.rint(track.end_x * 1000).astype(int).tolist()
            ys = np.rint(track.end_y * 1000).astype(int).tolist()
            for time_ns, px, py in zip(ends, xs, ys, strict=True):
                seen.setdefault((px, py), []).append(time_ns)
            for place, times in seen.items():
                self._at.setdefault(place, []).extend((time_ns, index) for time_ns in times)
            self._seen.append(seen)
        for visits in self._at.values():
            visits.sort()

    def check(
        self, orders: dict[str, Truth], stops: dict[str, list[tuple[float, float]]], source: Any
    ) -> list[str]:
        """Findings for orders that were closed as done but not backed by a trajectory."""
        closed = {
            fact["order_id"]: time_ns
            for _, time_ns, _, fact in source.truth("order_closed")
            if fact["status"] == "done"
        }
        found = []
        for name, time_ns in closed.items():
            order = orders.get(name)
            if order is None or order.kind != "transport" or name not in stops:
                continue
            if not self._made(order.received_ns, time_ns, stops[name]):
                found.append(f"order {name} is closed, but nobody was at all of its stops")
        return found

    def _made(self, start_ns: int, end_ns: int, stops: list[tuple[float, float]]) -> bool:
        keys = [_key(x, y) for x, y in stops]
        visits = self._at.get(keys[-1], [])
        last = bisect_left(visits, (end_ns + 1, -1))
        robots: dict[int, None] = {}
        for _, robot in visits[max(0, last - 200) : last]:
            robots[robot] = None
        return any(self._in_sequence(robot, keys, start_ns, end_ns) for robot in robots)

    def _in_sequence(
        self, robot: int, keys: list[tuple[int, int]], start_ns: int, end_ns: int
    ) -> bool:
        """Backwards from the end: each stop's last visit before the next one's. A robot that stood
        at its stop from before the order came counts as there."""
        limit = end_ns
        for key in reversed(keys):
            times = self._seen[robot].get(key, [])
            index = bisect_left(times, limit + 1) - 1
            if index < 0:
                return False
            limit = times[index] if times[index] >= start_ns else min(limit, start_ns)
        return True


def _key(x: float, y: float) -> tuple[int, int]:
    return round(x * 1000), round(y * 1000)
