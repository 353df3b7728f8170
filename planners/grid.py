"""Grids as roadmaps: a node per free cell, an edge per pair of neighbours, four headings.

Two views of the same grid. `roadmap` gives the arrays every planner takes (edge 1 step, quarter turn
1 step, no two robots on one cell). `Grid` gives the *states* (4 * node + heading, headings clockwise
0 east, 1 south, 2 west, 3 north) on which the step planner works. Rows run south.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.roadmap import Ints, RoadmapArrays, Rows

ROW_STEP = (0, 1, 0, -1)
COLUMN_STEP = (1, 0, -1, 0)
TURN = np.array([0, 0, 1, 3])  # quarter turns to the right, by action (`kernels.states`)


@dataclass(frozen=True, slots=True)
class Grid:
    """N free cells in row-major order."""

    cell: Ints  # (N,) row-major index over the whole map
    number: Ints  # (rows * columns,) node, -1: obstacle
    ahead: Ints  # (4 N,) node in front of a state, -1: none

    @property
    def nodes(self) -> int:
        """N."""
        return len(self.cell)

    def moved(self, states: Ints, actions: Ints) -> Ints:
        """(R,) the states that actions lead to, which must be possible."""
        node = np.where(actions == 1, self.ahead[states], states >> 2)
        after: Ints = (4 * node + ((states + TURN[actions]) & 3)).astype(np.int32)
        return after

    @staticmethod
    def of(free: NDArray[np.bool_]) -> Grid:
        """Number the free cells of a (rows, columns) map and link them."""
        rows, columns = free.shape
        cell = np.flatnonzero(free).astype(np.int32)
        framed = np.full((rows + 2, columns + 2), -1, np.int32)
        framed[1:-1, 1:-1][free] = np.arange(len(cell), dtype=np.int32)
        row, column = cell // columns + 1, cell % columns + 1
        ahead = np.empty((len(cell), 4), np.int32)
        for heading in range(4):
            there = (row + ROW_STEP[heading], column + COLUMN_STEP[heading])
            ahead[:, heading] = framed[there]
        return Grid(cell, framed[1:-1, 1:-1].ravel().copy(), ahead.ravel())


def behind_bridges(grid: Grid) -> NDArray[np.bool_]:
    """(N,) nodes that a single edge cuts off from the largest part of the floor: there robots can't
    change places in a circle with those outside (bridges by lowest numbers reached; Tarjan, 1974)."""
    near = [[n for n in row if n >= 0] for row in grid.ahead.reshape(-1, 4).tolist()]
    seen, low, part = [-1] * grid.nodes, [0] * grid.nodes, np.full(grid.nodes, -1, np.int64)
    clock = 0
    for root in range(grid.nodes):
        if seen[root] >= 0:
            continue
        seen[root] = low[root] = clock
        clock += 1
        stack, waiting = [(root, -1, iter(near[root]))], [root]
        while stack:
            at, above, rest = stack[-1]
            to = next(rest, None)
            if to is None:
                stack.pop()
                if low[at] == seen[at]:  # nothing from here on leads back
                    cut = waiting.index(at)
                    part[waiting[cut:]] = at
                    del waiting[cut:]
                if above >= 0:
                    low[above] = min(low[above], low[at])
            elif seen[to] < 0:
                seen[to] = low[to] = clock
                clock += 1
                waiting.append(to)
                stack.append((to, at, iter(near[to])))
            elif to != above:
                low[at] = min(low[at], seen[to])
    behind: NDArray[np.bool_] = part != np.bincount(part).argmax()
    return behind


def heading_deg(heading: int) -> int:
    """A grid heading (clockwise from east) in the roadmap's degrees (counter-clockwise)."""
    return -90 * heading % 360


def roadmap(grid: Grid) -> RoadmapArrays:
    """The grid as a roadmap of one fleet without bays; costs in steps."""
    state = np.flatnonzero(grid.ahead >= 0)  # edge e leaves along the e-th state that can
    tail = (state >> 2).astype(np.int32)
    head = grid.ahead[state]
    edges = len(state)
    edge_of = np.full(4 * grid.nodes, -1, np.int32)
    edge_of[state] = np.arange(edges, dtype=np.int32)
    leaving = edge_of.reshape(-1, 4)
    coming = np.full(4 * grid.nodes, -1, np.int32)
    coming[state] = edge_of[4 * head + (state + 2) % 4]
    arriving = coming.reshape(-1, 4)
    around = np.sort(np.concatenate([leaving, arriving], axis=1), axis=1)
    near = np.sort(np.concatenate([around[tail], around[head]], axis=1), axis=1)
    near[:, 1:][near[:, 1:] == near[:, :-1]] = -1
    nodes = np.arange(grid.nodes, dtype=np.int32)
    return RoadmapArrays(
        node_bay=np.full(grid.nodes, -1, np.int32),
        edge_tail=tail,
        edge_head=head,
        edge_heading_deg=(-90 * (state % 4) % 360).astype(np.int32),
        edge_fleets=np.ones(edges, np.int32),
        edge_ms=np.ones((1, edges), np.int32),
        turn_ms=np.ones(1, np.int32),
        out_edges=_rows(leaving),
        in_edges=_rows(arriving),
        move_stands=_rows(np.sort(np.stack([tail, head], axis=1), axis=1)),
        move_moves=_rows(near),
        stand_stands=_rows(nodes[:, None]),
        epoch=f"grid-{zlib.crc32(grid.ahead.tobytes()):08x}",
        edge_sweep=np.arange(edges, dtype=np.int32),
    )


def _rows(table: NDArray[np.int32]) -> Rows:
    """Compressed rows of a rectangular table whose empty places hold -1."""
    used = table >= 0
    offset = np.zeros(len(table) + 1, np.int32)
    offset[1:] = np.cumsum(used.sum(axis=1))
    return Rows(offset, table[used].astype(np.int32))
