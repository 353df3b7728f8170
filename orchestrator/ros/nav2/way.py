"""The way of an order as a line on the floor: stretches between turns on the spot, paths along them,
and where a robot is on one. Metres and radians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.vda5050.model import Edge, Node


class Pose(NamedTuple):
    """Of a robot's reference point; theta: where its body looks."""

    x: float
    y: float
    theta: float


@dataclass(frozen=True, slots=True)
class Leg:
    """One straight edge: from a to b, the body turned to theta all along; in a corridor the robot is
    free so far to both sides."""

    a: tuple[float, float]
    b: tuple[float, float]
    theta: float
    sequence: int  # of the node at its end
    corridor_m: float = 0.0  # 0: it is no corridor

    @property
    def free(self) -> bool:
        """The robot may plan its own way."""
        return self.corridor_m > 0

    @property
    def length_m(self) -> float:
        """From a to b."""
        return math.dist(self.a, self.b)

    @property
    def travel(self) -> float:
        """The direction from a to b."""
        return math.atan2(self.b[1] - self.a[1], self.b[0] - self.a[0])

    def at(self, way_m: float) -> Pose:
        """So far behind a."""
        share = way_m / self.length_m if self.length_m else 0.0
        (ax, ay), (bx, by) = self.a, self.b
        return Pose(ax + (bx - ax) * share, ay + (by - ay) * share, self.theta)

    def project(self, x: float, y: float) -> tuple[float, float]:
        """The nearest point: (way behind a, distance from it)."""
        (ax, ay), (bx, by) = self.a, self.b
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / length2)) if length2 else 0.0
        return t * math.sqrt(length2), math.hypot(ax + t * dx - x, ay + t * dy - y)


def leg_of(start: Node, edge: Edge, end: Node) -> Leg:
    """`edge.orientation`: of the body to the direction of travel. Nodes need their positions."""
    assert start.position is not None and end.position is not None
    a, b = (start.position.x, start.position.y), (end.position.x, end.position.y)
    travel = math.atan2(b[1] - a[1], b[0] - a[0])
    theta = math.remainder(travel + (edge.orientation or 0.0), math.tau)
    return Leg(a, b, theta, end.sequence, edge.corridor_m or 0.0)


def stretch(legs: Sequence[Leg], corner: float) -> int:
    """So many legs from the first on make one goal: in corridors all, elsewhere those without a turn on
    the spot: from one to the next neither body nor travel turn by more than `corner`."""
    count = min(1, len(legs))
    while count < len(legs):
        before, after = legs[count - 1], legs[count]
        if before.free != after.free:
            break
        turns = (after.theta - before.theta, after.travel - before.travel)
        if not after.free and any(abs(math.remainder(t, math.tau)) > corner for t in turns):
            break
        count += 1
    return count


def ends(legs: Sequence[Leg]) -> list[Pose]:
    """The nodes behind the first one, for a robot that plans its way between them."""
    return [leg.at(leg.length_m) for leg in legs]


def path(legs: Sequence[Leg], first_m: float, step_m: float) -> list[Pose]:
    """From `first_m` behind the beginning to the end of the last leg, a pose each `step_m`, and one at
    each node."""
    found: list[Pose] = []
    for number, leg in enumerate(legs):
        begin = min(first_m, leg.length_m) if number == 0 else 0.0
        steps = max(1, math.ceil((leg.length_m - begin) / step_m))
        found += [leg.at(begin + (leg.length_m - begin) * k / steps) for k in range(steps)]
    if legs:
        found.append(legs[-1].at(legs[-1].length_m))
    return found


def locate(legs: Sequence[Leg], at: int, x: float, y: float) -> tuple[int, float, float]:
    """On which leg a robot is (no earlier than `at`, and at most the next but one), how far along it,
    and how far off. A robot that stands at a node is on the leg that ends there."""
    best, way_m, off_m = at, 0.0, math.inf
    for number in range(at, min(at + 3, len(legs))):
        along, off = legs[number].project(x, y)
        if off < off_m - 1e-6:
            best, way_m, off_m = number, along, off
    return best, way_m, off_m
