"""The distance oracle: exact travel times with headings, computed when asked, forgotten when old.

A table per (fleet, goal) holds, for every edge, the cost from its head to the goal after having
driven it, turns included. Ways lead through no bay but the one they start in and the goal's.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from planners.checks import shaped, within
from planners.kernels.distance import FAR, fill, fill_unit, from_poses
from planners.protocols import UNREACHABLE
from planners.roadmap import Ints, RoadmapArrays

assert FAR == UNREACHABLE


class Distances:
    """Travel times in ms on the empty roadmap; `restrict` closes nodes and edges (dead robots), and
    makes them longer (where robots wait).

    Tables are rows of one array, reused when the bound is reached, the least recently used first."""

    def __init__(self, arrays: RoadmapArrays, bytes_max: int = 1 << 30) -> None:
        self._arrays = arrays
        self._row_of: OrderedDict[tuple[int, int], int] = OrderedDict()
        self._rows_max = max(8, bytes_max // max(1, 4 * arrays.edges))
        # Memory that nobody wrote to takes no room yet: so all of it at once, and no copies later.
        self.tables = np.empty((self._rows_max, arrays.edges), np.int32)  # (rows, E)
        self._blocked: tuple[int, ...] = ()
        self._changes = b""
        self._delays = b""
        self.edge_fleets = arrays.edge_fleets  # (E,) as they are just now
        self.edge_ms = arrays.edge_ms  # (F, E) likewise
        self._open = self._open_edges()
        self._unit = bool((arrays.edge_ms == 1).all() and (arrays.turn_ms == 1).all())
        self._queue = np.empty((4, arrays.edges if self._unit else 0), np.int32)

    def restrict(
        self, nodes: tuple[int, ...], changes: Ints | None = None, delays: Ints | None = None
    ) -> None:
        """From now on these nodes are closed, edges are open to other fleets (`changes` (C, 2): edge,
        bit mask) than the roadmap says, and those that lead to some nodes take longer (`delays` (D, 2):
        node, ms)."""
        arrays = self._arrays
        known = tuple(b"" if rows is None else rows.tobytes() for rows in (changes, delays))
        if (nodes, *known) == (self._blocked, self._changes, self._delays):
            return
        within("nodes", np.array(nodes, np.int64), arrays.nodes)
        for what, rows, end in (
            ("changes", changes, arrays.edges),
            ("delays", delays, arrays.nodes),
        ):
            if rows is not None and len(rows):
                shaped(what, rows, (len(rows), 2))
                within(f"{what}[:, 0]", rows[:, 0], end)
        if delays is not None and len(delays):
            within("delays[:, 1]", delays[:, 1], UNREACHABLE)
        self._blocked, (self._changes, self._delays) = nodes, known
        self.edge_fleets, self.edge_ms = arrays.edge_fleets, arrays.edge_ms
        if changes is not None and len(changes):
            self.edge_fleets = arrays.edge_fleets.copy()
            self.edge_fleets[changes[:, 0]] = changes[:, 1]
        if delays is not None and len(delays):
            more = np.zeros(arrays.nodes, np.int32)
            more[delays[:, 0]] = delays[:, 1]
            self.edge_ms = arrays.edge_ms + more[arrays.edge_head]
        self._row_of.clear()
        self._open = self._open_edges()

    def table(self, fleet: int, goal: int) -> Ints:
        """(E,) int32 ms from the head of each edge to `goal`; UNREACHABLE where there is no way."""
        row = self.row(fleet, goal)  # may replace `tables`
        table: Ints = self.tables[row]
        return table

    def rows(self, fleets: Ints, goals: Ints) -> Ints:
        """(R,) row of `tables` for each robot's goal; 0 where it has none. All stay valid until the
        next call."""
        keys = list(zip(fleets.tolist(), goals.tolist(), strict=True))
        self._rows_max = max(self._rows_max, len(set(keys)))
        return np.array([self.row(*key) if key[1] >= 0 else 0 for key in keys], np.int32)

    def row(self, fleet: int, goal: int) -> int:
        """The row of `tables` that holds this table; filled if it was not there."""
        key = (fleet, goal)
        row = self._row_of.get(key)
        if row is not None:
            self._row_of.move_to_end(key)
            return row
        within("fleet", np.array([fleet]), self._arrays.fleets)
        within("goal", np.array([goal]), self._arrays.nodes)
        if len(self._row_of) < self._rows_max:
            row = len(self._row_of)
            if row >= len(self.tables):
                more = np.empty((min(self._rows_max, 2 * row), self._arrays.edges), np.int32)
                more[:row] = self.tables
                self.tables = more
        else:
            _, row = self._row_of.popitem(last=False)
        self._row_of[key] = row
        self._fill(fleet, goal, self.tables[row])
        return row

    def _fill(self, fleet: int, goal: int, table: Ints) -> None:
        arrays = self._arrays
        incoming = (arrays.in_edges.offset, arrays.in_edges.items)
        if self._unit and not (self._blocked or self._changes or self._delays):
            fill_unit(
                goal, arrays.edge_tail, *incoming, arrays.edge_heading_deg, table, self._queue
            )
            return
        fill(
            goal,
            self._open_for(fleet, goal),
            self.edge_ms[fleet],
            int(arrays.turn_ms[fleet]),
            arrays.edge_tail,
            arrays.edge_head,
            arrays.edge_heading_deg,
            *incoming,
            table,
        )

    def travel_ms(self, fleet: int, node: int, heading_deg: int, goal: int) -> int:
        """Milliseconds from a pose to a node; UNREACHABLE where there is no way."""
        poses = np.array([[node], [heading_deg]], np.int32)
        return int(self.travel_many(fleet, poses[0], poses[1], goal)[0])

    def travel_many(self, fleet: int, nodes: Ints, headings_deg: Ints, goal: int) -> Ints:
        """(R,) milliseconds from poses to a node."""
        arrays = self._arrays
        within("nodes", nodes, arrays.nodes)
        shaped("headings_deg", headings_deg, nodes.shape)
        out = np.empty(len(nodes), np.int32)
        from_poses(
            nodes,
            headings_deg,
            goal,
            self.table(fleet, goal),
            self.edge_ms[fleet],
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
        allowed = ((self.edge_fleets[None, :] >> fleets) & 1).astype(np.uint8)
        if self._blocked:
            shut = np.isin(arrays.edge_head, self._blocked)
            allowed[:, shut] = 0
        return allowed

    def _open_for(self, fleet: int, goal: int) -> NDArray[np.uint8]:
        """Edges on the core, out of any bay, within a bay, and into the goal's bay."""
        arrays = self._arrays
        into, out_of = arrays.node_bay[arrays.edge_head], arrays.node_bay[arrays.edge_tail]
        passable = (into < 0) | (into == out_of) | (into == arrays.node_bay[goal])
        return np.asarray(self._open[fleet] & passable, np.uint8)
