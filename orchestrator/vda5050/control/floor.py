"""The roadmap in the terms of orders: node and edge ids, positions in metres."""

from __future__ import annotations

import math

from msgspec import structs

from orchestrator.core.roadmap import Roadmap
from orchestrator.vda5050.model import Edge, Node, NodePosition, Position

DEVIATION_M = 0.3  # how near is near enough, where a vehicle begins an order
NEAR_M = 0.5  # a vehicle that never drove stands on the node that is so near


class Floor:
    """Look-ups for one roadmap on one map."""

    def __init__(self, roadmap: Roadmap, map_id: str = "") -> None:
        self.roadmap, self.map_id = roadmap, map_id or "map"
        self.node_of = {name: node for node, name in enumerate(roadmap.node_ids)}
        self._places = [
            NodePosition(*self.xy_m(node), self.map_id) for node in range(roadmap.nodes)
        ]
        self._edges: dict[int, Edge] = {}
        self._cells: dict[tuple[int, int], list[int]] = {}
        for node in range(roadmap.nodes):
            self._cells.setdefault(_cell(*self.xy_m(node)), []).append(node)

    def xy_m(self, node: int) -> tuple[float, float]:
        """A node's place."""
        return self.roadmap.node_x_mm[node] / 1000, self.roadmap.node_y_mm[node] / 1000

    def node(self, node: int, sequence: int, *, released: bool, deviation_m: float) -> Node:
        """As a node of an order; 0 m: the vehicle's own tolerance."""
        place = self._places[node]
        if deviation_m:
            place = structs.replace(place, deviation_xy_m=deviation_m)
        name = self.roadmap.node_ids[node]
        return Node(id=name, sequence=sequence, released=released, position=place)

    def edge(self, edge: int, sequence: int, *, released: bool) -> Edge:
        """As an edge of an order. `orientation` tells where the body looks, seen from the direction of
        travel."""
        known = self._edges.get(edge)
        if known is None:
            known = self._edges[edge] = self._edge(edge)
        return structs.replace(known, sequence=sequence, released=released)

    def _edge(self, edge: int) -> Edge:
        roadmap = self.roadmap
        (ax, ay), (bx, by) = (self.xy_m(n[edge]) for n in (roadmap.edge_tail, roadmap.edge_head))
        travel = math.degrees(math.atan2(by - ay, bx - ax))
        turned = (roadmap.edge_heading_deg[edge] - travel + 180.0) % 360.0 - 180.0
        speed, wide = roadmap.edge_speed_mmps[edge], roadmap.corridor_mm(edge)
        return Edge(
            id=roadmap.edge_ids[edge],
            sequence=0,
            released=False,
            start=roadmap.node_ids[roadmap.edge_tail[edge]],
            end=roadmap.node_ids[roadmap.edge_head[edge]],
            speed_mps_max=speed / 1000 if speed else None,
            orientation=math.radians(round(turned)) if round(turned) else 0.0,
            length_m=roadmap.edge_length_mm[edge] / 1000,
            corridor_m=wide / 1000 if wide else None,
        )

    def nearest(self, x: float, y: float) -> int:
        """The node next to a place; -1: none is within `NEAR_M`."""
        best, best_m = -1, NEAR_M
        column, row = _cell(x, y)
        for cell in [(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
            for node in self._cells.get(cell, ()):
                nx, ny = self.xy_m(node)
                far = math.hypot(nx - x, ny - y)
                if far <= best_m:
                    best, best_m = node, far
        return best

    def at(self, place: Position | None, node: int) -> bool:
        """Whoever says so stands on the node."""
        if place is None or not place.localized:
            return False
        x, y = self.xy_m(node)
        return math.hypot(place.x - x, place.y - y) <= DEVIATION_M

    def off_m(self, x: float, y: float, start: int, edges: list[int]) -> float:
        """How far a place is from the way along `edges` that begins at node `start`; of what is no
        farther than `DEVIATION_M`, not more than that is known."""
        ax, ay = self.xy_m(start)
        best = math.hypot(ax - x, ay - y)
        for edge in edges:
            if best <= DEVIATION_M:
                break
            bx, by = self.xy_m(self.roadmap.edge_head[edge])
            best = min(best, _to_line(x, y, ax, ay, bx, by))
            ax, ay = bx, by
        return best


def _cell(x: float, y: float) -> tuple[int, int]:
    return math.floor(x / NEAR_M), math.floor(y / NEAR_M)


def _to_line(x: float, y: float, ax: float, ay: float, bx: float, by: float) -> float:
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / length2)) if length2 else 0.0
    return math.hypot(ax + t * dx - x, ay + t * dy - y)
