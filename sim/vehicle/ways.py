"""The layout by its names, as orders use them."""

from __future__ import annotations

from orchestrator.core.roadmap import Roadmap
from orchestrator.vda5050.model import Edge


class Ways:
    """Look-ups shared by all vehicles of a building."""

    def __init__(self, roadmap: Roadmap) -> None:
        self.roadmap = roadmap
        self.node_of = {name: node for node, name in enumerate(roadmap.node_ids)}
        self._edge_of = {name: edge for edge, name in enumerate(roadmap.edge_ids)}
        self._between: dict[tuple[int, int], int] = {}
        for edge in range(roadmap.edges):
            ends = (roadmap.edge_tail[edge], roadmap.edge_head[edge])
            self._between.setdefault(ends, edge)
        self._bay_of = {name.id: bay for bay, name in enumerate(roadmap.bays)}

    def edge(self, edge: Edge) -> int:
        """The layout's edge; of masters with edge ids of their own, the one between these nodes. -1:
        there is none."""
        ends = (self.node_of.get(edge.start, -1), self.node_of.get(edge.end, -1))
        known, roadmap = self._edge_of.get(edge.id, -1), self.roadmap
        if known >= 0 and (roadmap.edge_tail[known], roadmap.edge_head[known]) == ends:
            return known
        return self._between.get(ends, -1)

    def position(self, node: int) -> tuple[float, float]:
        """In metres."""
        return self.roadmap.node_x_mm[node] / 1000, self.roadmap.node_y_mm[node] / 1000

    def bay(self, node: int, name: str = "") -> int:
        """The bay that is served at a node, `name` where it has several; -1: none."""
        bays = self.roadmap.bays
        named = self._bay_of.get(name, -1)
        if named >= 0 and bays[named].node == node:
            return named
        bay = self.roadmap.node_bay[node]
        return bay if bay >= 0 and bays[bay].node == node else -1
