"""Transport orders: was a robot really at each stop, one after the other, before the order was
closed? Judged from the trajectories and the positions of the layout's nodes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from sim.verification.findings import Findings
from sim.verification.outcomes import Ledger, OrderTruth
from sim.verification.tracks import Floats, Tracks

NEAR_M = 0.01
Span = tuple[int, int, int]  # last visit ns, first visit ns, robot row

Visits = dict[tuple[int, int], tuple[list[int], list[int]]]  # (row, node) -> arrived, left


@dataclass(slots=True)
class VisitLog:
    """When each robot was at each node, and which robots were at a node; collected over stretches. A
    robot that stands across an edge is there twice, one after the other, which changes nothing."""

    nodes_m: Floats
    visits: Visits = field(default_factory=lambda: defaultdict(lambda: ([], [])))
    robots: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _tree: Any = field(init=False)

    def __post_init__(self) -> None:
        self._tree = cKDTree(self.nodes_m)

    def add(self, tracks: Tracks) -> None:
        """Robots are looked at where a piece of motion begins, which is at every node: a lane's end
        ends a piece."""
        places = np.stack([tracks.x_m, tracks.y_m], axis=1)
        far, node = self._tree.query(places, distance_upper_bound=NEAR_M)
        still = ~tracks.driving
        for piece in np.flatnonzero(np.isfinite(far)).tolist():
            key = (int(tracks.row[piece]), int(node[piece]))
            arrived, left = self.visits[key]
            if not arrived:
                self.robots[key[1]].append(key[0])
            arrived.append(int(tracks.t0_ns[piece]))
            left.append(int(tracks.t1_ns[piece] if still[piece] else tracks.t0_ns[piece]))


def spans(order: OrderTruth, visits: Visits, robots: dict[int, list[int]]) -> list[Span]:
    """For each robot that was at all stops in sequence within the order's time: the tightest span,
    found from the last stop backwards. Latest first."""
    found = []
    for row in robots.get(order.stops[-1], ()):
        latest, last = order.closed_ns, -1
        for stop in reversed(order.stops):
            times = visits.get((row, stop))
            index = bisect_right(times[0], latest) - 1 if times else -1
            if times is None or index < 0:
                break
            latest = min(times[1][index], latest)
            if latest < order.received_ns:
                break
            last = latest if last < 0 else last
        else:
            found.append((last, latest, row))
    return sorted(found, reverse=True)


def judge(ledger: Ledger, log: VisitLog, names: list[str], found: Findings) -> dict[str, Any]:
    """Mark transports that were finished right; a closing that no trajectory backs is a finding.
    `names`: of the robots, by row."""
    done = [
        order
        for order in ledger.orders.values()
        if order.kind == "transport" and order.closed_as == "done"
    ]
    if not done:
        return {}
    claimed: dict[int, list[tuple[int, int]]] = defaultdict(list)
    shared = 0
    for order in sorted(done, key=lambda o: (o.closed_ns, o.order_id)):
        if not order.stops or max(order.stops) >= len(log.nodes_m):
            found.add("transport", order.closed_ns, order.order_id, "has stops of another layout")
            continue
        backed = spans(order, log.visits, log.robots)
        if not backed:
            text = f"is closed as done, but no robot was at {order.stops} in sequence by then"
            found.add("transport", order.closed_ns, order.order_id, text)
            continue
        free = [span for span in backed if _free(claimed[span[2]], span)]
        shared += not free
        last, first, row = (free or backed)[0]
        claimed[row].append((first, last))
        claimed[row].sort()
        order.right_ns = last
        _touched_by(ledger, order, names[row])
    return {"transports_backed": sum(o.right_ns >= 0 for o in done), "transports_shared": shared}


def _free(taken: list[tuple[int, int]], span: Span) -> bool:
    """Is the robot in the span at no other order's?"""
    last, first, _ = span
    index = bisect_left(taken, (first, first))
    after = index < len(taken) and taken[index][0] < last
    before = index > 0 and taken[index - 1][1] > first
    return not after and not before


def _touched_by(ledger: Ledger, order: OrderTruth, robot: str) -> None:
    for time_ns, fact in ledger.touches:
        if fact.get("robot") == robot and order.received_ns <= time_ns <= order.closed_ns:
            order.touched = True
