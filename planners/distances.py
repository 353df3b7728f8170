"""The distance oracle: exact travel times with headings, computed when asked, forgotten when old.

A table per (fleet, goal) holds, for every edge, the cost from its head to the goal after having
driven it, turns included. Ways lead through no bay but the one they start in and the goal's.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from planners.kernels.distance import FAR, fill, from_poses
from planners.protocols import UNREACHABLE
from planners.roadmap import Ints, RoadmapArrays

assert FAR == UNREACHABLE


class Distances:
    """Travel times in ms on the empty roadmap; `block` closes nodes (dead robots)."""

    def __init__(self, arrays: RoadmapArrays, bytes_max: int = 1 << 30) -> None:
        self._arrays = arrays
        self._tables: OrderedDict[tuple[int, int], Ints] = OrderedDict()
        self._tables_max = max(8, bytes_max // max(1, 4 * arrays.edges))
        self._blocked: tuple[int, ...] = ()
        self._open = self._open_edges()

    def block(self, nodes: tuple[int, ...]) -> None:
        """Close these nodes, and no others, from now on."""
        if nodes != self._blocked:
            self._blocked = nodes
            self._tables.clear()
            self._open = self._open_edges()

    def table(self, fleet: int, goal: int) -> Ints:
        """(E,) int32 ms from the head of each edge to `goal`; UNREACHABLE where there is no way."""
        key = (fleet, goal)
        table = self._tables.get(key)
        if table is not None:
            self._tables.move_to_end(key)
            return table
        arrays = self._arrays
        table = np.empty(arrays.edges, np.int32)
        fill(
            goal,
            self._open_for(fleet, goal),
            arrays.edge_ms[fleet],
            int(arrays.turn_ms[fleet]),
            arrays.edge_tail,
            arrays.edge_head,
            arrays.edge_heading_deg,
            arrays.in_edges.offset,
            arrays.in_edges.items,
            table,
        )
        self._tables[key] = table
        if len(self._tables) > self._tables_max:
            self._tables.popitem(last=False)
        return table

    def travel_ms(self, fleet: int, node: int, heading_deg: int, goal: int) -> int:
        """Milliseconds from a pose to a node; UNREACHABLE where there is no way."""
        poses = np.array([[node], [heading_deg]], np.int32)
        return int(self.travel_many(fleet, poses[0], poses[1], goal)[0])

    def travel_many(self, fleet: int, nodes: Ints, headings_deg: Ints, goal: int) -> Ints:
        """(R,) milliseconds from poses to a node."""
        arrays = self._arrays
        out = np.empty(len(nodes), np.int32)
        from_poses(
            nodes,
            headings_deg,
            goal,
            self.table(fleet, goal),
            arrays.edge_ms[fleet],
            int(arrays.turn_ms[fleet]),
            self._open[fleet],
            arrays.edge_heading_deg,
            arrays.out_edges.offset,
            arrays.out_edges.items,
            out,
        )
        return out

    def _open_edges(self) -> NDArray[np.uint8]:
        """(F, E) 1 where the fleet may drive and neither end is blocked."""
        arrays = self._arrays
        fleets = np.arange(arrays.fleets)[:, None]
        allowed = ((arrays.edge_fleets[None, :] >> fleets) & 1).astype(np.uint8)
        if self._blocked:
            shut = np.isin(arrays.edge_head, self._blocked)
            allowed[:, shut] = 0
        return allowed

    def _open_for(self, fleet: int, goal: int) -> NDArray[np.uint8]:
        """Edges on the core, out of any bay, within a bay, and into the goal's bay."""
        arrays = self._arrays
        into, out_of = arrays.node_bay[arrays.edge_head], arrays.node_bay[arrays.edge_tail]
        passable = (into < 0) | (into == out_of) | (into == arrays.node_bay[goal])
        return (self._open[fleet] & passable).astype(np.uint8)
