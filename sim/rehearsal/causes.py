"""Why a future fell short: causes that its record shows, the most telling first, and when to look."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from sim.rehearsal.bottlenecks import chargers, fleets, machines
from sim.rehearsal.judging import Judgement, due_orders, lateness_s
from sim.rehearsal.standstill import Standstill, waits
from sim.report import problems
from sim.report.measured import Measured
from sim.verification.table import clock

BEFORE_S = 30.0  # look so long before it begins
NEAR_M = 1.0


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that explains a shortfall."""

    kind: str  # jam | chargers | station | fleet | persons | unknown
    text: str
    at_s: float

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return asdict(self) | {"at_s": round(max(0.0, self.at_s), 1)}


def find(seen: Measured, judged: Judgement) -> list[Cause]:
    """All that apply. Nothing where nothing fell short."""
    if not judged.shortfalls:
        return []
    found = [Cause(kind, text, at) for kind, text, at in chargers(seen)]
    jam = _jam(seen, judged)
    if jam is not None:
        found.append(jam)  # behind the chargers: robots that ran empty block lanes
    if any(row.threshold in ("on_time", "lights_out") for row in judged.shortfalls):
        found += [Cause("station", text, at) for text, at in machines(seen)]
        if not found:
            found += [Cause("fleet", text, at) for text, at in fleets(seen)]
    found += _persons(seen, judged)
    return found or [_unknown(seen, judged)]


def _jam(seen: Measured, judged: Judgement) -> Cause | None:
    stood = next((row for row in judged.locked if row.kind == "robots"), None)
    if stood is None:
        return None
    at, ids = _where(seen, stood), seen.loaded.site.roadmap.node_ids
    holders = {node: name for name, (node, _) in at.items()}
    loop = _loop(seen, holders)
    if loop:
        ring = " -> ".join(f"{holders[node]} at {ids[node]}" for node in loop)
        closed = max(at[holders[node]][1] for node in loop)
        text = f"a one-way loop is full, and each waits for the next: {ring} -> {ids[loop[0]]}"
        text += f"; it closed at {clock(closed / 1e9)[:-4]}"
        return Cause("jam", text, closed / 1e9 - BEFORE_S)
    ring = ", ".join(f"{name} at {ids[node]}" for name, (node, _) in list(at.items())[:6])
    text = f"robots stand on the lanes and don't get on: {ring}"
    return Cause("jam", text, stood.from_ns / 1e9 - BEFORE_S)


def _where(seen: Measured, stood: Standstill) -> dict[str, tuple[int, int]]:
    """Robot -> (node, since when), by time: who stood on the lanes when the last one of a standstill
    had come to stand."""
    names = [robot.name for robot in seen.tracks.robots]
    rows = waits(seen, lanes_only=True)
    longest: dict[str, int] = {}  # robot -> when its longest wait began
    for row, low, _ in sorted(rows, key=lambda entry: entry[2] - entry[1]):
        longest[names[row]] = low
    moment = max(longest[name] for name in stood.subjects)
    there = sorted((row for row in rows if row[1] <= moment < row[2]), key=lambda row: row[1])
    robots = np.array([row[0] for row in there])
    x, y, _ = seen.tracks.pose(robots, np.full(len(there), moment))
    far, node = cKDTree(seen.places.nodes_m).query(np.stack([x, y], axis=1))
    return {
        names[row[0]]: (int(n), row[1])
        for row, n, d in zip(there, node, far, strict=True)
        if d < NEAR_M
    }


def _loop(seen: Measured, holders: dict[int, str]) -> list[int]:
    """Nodes, each held, that lead into each other in a circle along the lanes; empty: there is none."""
    roadmap = seen.loaded.site.roadmap
    after = {
        node: [
            head
            for edge in roadmap.out_edges[node]
            if edge < roadmap.edges and (head := roadmap.edge_head[edge]) in holders
        ]
        for node in holders
    }
    for start in sorted(holders):
        path, todo, known = [start], [list(after[start])], {start}
        while todo:
            if not todo[-1]:
                todo.pop()
                path.pop()
                continue
            node = todo[-1].pop()
            if node == start and len(path) > 2:
                return path
            if node not in known:
                known.add(node)
                path.append(node)
                todo.append(list(after[node]))
    return []


def _persons(seen: Measured, judged: Judgement) -> list[Cause]:
    """Exceptions that ended with a person or with an order set aside."""
    if not any(row.threshold == "lights_out" for row in judged.shortfalls):
        return []
    rows = [row for row in seen.problems if row.how in problems.BY_PERSON + problems.SET_ASIDE]
    if not rows:
        return []
    kinds = sorted({row.kind for row in rows}, key=lambda kind: -sum(r.kind == kind for r in rows))
    listed = ", ".join(f"{sum(r.kind == kind for r in rows)} x {kind}" for kind in kinds[:4])
    text = f"exceptions that ended with a person or with an order set aside: {listed}"
    return [Cause("persons", text, rows[0].opened_ns / 1e9 - BEFORE_S)]


def _unknown(seen: Measured, judged: Judgement) -> Cause:
    """No single cause shows: where to begin looking."""
    at = next((row.at_s for row in judged.shortfalls if row.at_s is not None), 0.0)
    text = "no single cause shows"
    latest = max(due_orders(seen), key=lambda o: lateness_s(o, seen.tracks.end_ns), default=None)
    if latest is not None and lateness_s(latest, seen.tracks.end_ns) > 0:
        text += f"; the latest order is {latest.order_id}, due at {clock(latest.due_ns / 1e9)[:-4]}"
    return Cause("unknown", text, (at or 0.0) - BEFORE_S)
