"""Edges as straight lines in metres, made when first driven: what motion needs of them."""

from __future__ import annotations

import math
from typing import NamedTuple

from orchestrator.core.roadmap import Roadmap

SAME_WAY = math.cos(math.radians(1.0))  # a joint that bends less is driven through


class Lane(NamedTuple):
    """From (`x_m`, `y_m`) along the unit vector (`dx`, `dy`); meanwhile the body looks towards
    `heading_deg`."""

    x_m: float
    y_m: float
    dx: float
    dy: float
    direction_rad: float
    length_m: float
    limit_mps: float  # inf: the fleet's own
    heading_deg: int
    theta_rad: float
    head: int  # node


class Lanes:
    """All lanes of a roadmap."""

    def __init__(self, roadmap: Roadmap) -> None:
        self._roadmap = roadmap
        self._lanes: dict[int, Lane] = {}
        self._joints: dict[tuple[int, int], bool] = {}

    def of(self, edge: int) -> Lane:
        """The lane of an edge."""
        lane = self._lanes.get(edge)
        if lane is None:
            lane = self._lanes[edge] = self._make(edge)
        return lane

    def _make(self, edge: int) -> Lane:
        roadmap = self._roadmap
        ax, ay = self.position(roadmap.edge_tail[edge])
        bx, by = self.position(roadmap.edge_head[edge])
        length_m = math.hypot(bx - ax, by - ay)
        dx, dy = (bx - ax) / length_m, (by - ay) / length_m
        speed, heading = roadmap.edge_speed_mmps[edge], roadmap.edge_heading_deg[edge]
        return Lane(
            ax, ay, dx, dy, math.atan2(dy, dx), length_m,
            speed / 1000 if speed else math.inf, heading, math.radians(heading),
            roadmap.edge_head[edge],
        )  # fmt: skip

    def continues(self, before: int, edge: int) -> bool:
        """True where a robot drives from one edge onto the next without stopping: the same
        direction, and the same heading of the body."""
        key = (before, edge)
        known = self._joints.get(key)
        if known is None:
            a, b = self.of(before), self.of(edge)
            straight = a.dx * b.dx + a.dy * b.dy > SAME_WAY
            known = self._joints[key] = straight and a.heading_deg == b.heading_deg
        return known

    def position(self, node: int) -> tuple[float, float]:
        """Of a node, in metres."""
        return self._roadmap.node_x_mm[node] / 1000, self._roadmap.node_y_mm[node] / 1000
