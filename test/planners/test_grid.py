"""Grids as roadmaps, and lanes on them."""

from __future__ import annotations

import numpy as np

from planners.grid import Grid, behind_bridges, roadmap
from planners.guidance import UNIT, alternate


def rows_of(rows, i):
    return rows.items[rows.offset[i] : rows.offset[i + 1]].tolist()


def test_neighbours_and_conflicts():
    free = np.array([[True, True, False], [True, True, True]])
    grid = Grid.of(free)
    assert grid.cell.tolist() == [0, 1, 3, 4, 5]
    assert grid.ahead.reshape(-1, 4).tolist()[0] == [1, 2, -1, -1]
    arrays = roadmap(grid)
    ends = list(zip(arrays.edge_tail.tolist(), arrays.edge_head.tolist(), strict=True))
    assert len(ends) == 10 and len(set(ends)) == 10
    for edge, (tail, head) in enumerate(ends):
        assert rows_of(arrays.move_stands, edge) == sorted((tail, head))
        touching = [f for f, other in enumerate(ends) if {tail, head} & set(other)]
        assert rows_of(arrays.move_moves, edge) == touching
    for node in range(arrays.nodes):
        assert sorted(rows_of(arrays.out_edges, node)) == [
            e for e, (tail, _) in enumerate(ends) if tail == node
        ]
        assert sorted(rows_of(arrays.in_edges, node)) == [
            e for e, (_, head) in enumerate(ends) if head == node
        ]
    south = ends.index((0, 2))
    assert arrays.edge_heading_deg[south] == 270


def test_fifty_thousand_cells_are_no_matter():
    free = np.ones((250, 200), bool)
    arrays = roadmap(Grid.of(free))
    assert (arrays.nodes, arrays.edges) == (50_000, 2 * (249 * 200 + 250 * 199))


def test_neighbouring_aisles_run_against_each_other():
    free = np.ones((5, 9), bool)
    free[1:4, 1::2] = False  # aisles in columns 0, 2, 4, 6, 8
    grid = Grid.of(free)
    pace = alternate(free, grid, 7).pace.reshape(-1, 4)
    aisle = [int(grid.number[2 * 9 + column]) for column in (0, 2, 4, 6, 8)]
    south = [int(pace[node, 1]) for node in aisle]
    assert south == [UNIT, UNIT + 7, UNIT, UNIT + 7, UNIT] or south == [
        UNIT + 7, UNIT, UNIT + 7, UNIT, UNIT + 7,
    ]  # fmt: skip
    assert all(pace[node, 1] + pace[node, 3] == 2 * UNIT + 7 for node in aisle)


def test_what_a_bridge_cuts_off() -> None:
    """Given a circle with a tail, and a way to another circle of as many cells, then all but the first
    one lies behind a bridge; two circles that share a cell don't."""
    drawn = [".....", ".@.@@", "...@@", "@@.@@", "@...@", "@.@.@", "@...@"]
    tail = np.array([list(row) for row in drawn])
    grid = Grid.of(tail == ".")
    behind = np.zeros(tail.size, bool)
    behind[grid.cell[behind_bridges(grid)]] = True
    rows = ["".join("x" if x else "." for x in row) for row in behind.reshape(tail.shape)]
    assert rows == ["...xx", ".....", ".....", "..x..", ".xxx.", ".x.x.", ".xxx."]
    shared = np.array([list("...@@"), list(".@.@@"), list("....."), list("@@.@."), list("@@...")])
    assert not behind_bridges(Grid.of(shared == ".")).any()
