"""The roadmap as arrays, for kernels. Grids are a special case: a node per cell, headings 0/90/180/270.

Conventions are those of the core's roadmap (stand id = fleet * N + node, move id = fleet * `swept` +
`edge_sweep`, bays entered only by the robot whose goal lies in them), in compressed sparse rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Rows:
    """Compressed sparse rows: row i is `items[offset[i]:offset[i + 1]]`."""

    offset: Ints  # (rows + 1,)
    items: Ints

    @staticmethod
    def of(table: list[list[int]] | tuple[tuple[int, ...], ...]) -> Rows:
        """Pack a list of lists."""
        lengths = np.fromiter((len(row) for row in table), dtype=np.int64, count=len(table))
        offset = np.zeros(len(table) + 1, dtype=np.int32)
        offset[1:] = np.cumsum(lengths)
        items = np.fromiter(
            (x for row in table for x in row), dtype=np.int32, count=int(offset[-1])
        )
        return Rows(offset, items)


@dataclass(frozen=True, slots=True)
class RoadmapArrays:
    """N nodes, E edges, F fleets. Times in ms, lengths in mm, headings in whole degrees [0, 360)."""

    node_bay: Ints  # (N,) -1: traffic core
    edge_tail: Ints  # (E,)
    edge_head: Ints  # (E,)
    edge_heading_deg: Ints  # (E,) the heading the robot's body must have on it
    edge_fleets: Ints  # (E,) bit mask
    edge_ms: Ints  # (F, E) travel time at cruising speed
    turn_ms: Ints  # (F,) time of a quarter turn
    out_edges: Rows  # by node
    in_edges: Rows  # by node
    move_stands: Rows  # by move id
    move_moves: Rows  # by move id
    stand_stands: Rows  # by stand id
    epoch: str  # hash of the layout
    edge_sweep: Ints  # (E,) the edge whose swept area it has: itself, but for contraflow

    @property
    def nodes(self) -> int:
        """N."""
        return len(self.node_bay)

    @property
    def edges(self) -> int:
        """E."""
        return len(self.edge_tail)

    @property
    def swept(self) -> int:
        """Edges that have conflict rows of their own: move id = fleet * swept + edge_sweep."""
        return (len(self.move_stands.offset) - 1) // self.fleets

    @property
    def fleets(self) -> int:
        """F."""
        return len(self.turn_ms)
