"""The oracle against a plain search over poses."""

from __future__ import annotations

import heapq

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from roadmaps import aisles, roadmap

from planners.distances import Distances
from planners.grid import Grid, heading_deg
from planners.grid import roadmap as of_grid
from planners.guidance import alternate
from planners.protocols import UNREACHABLE
from planners.roadmap import RoadmapArrays
from planners.state_tables import StateTables


def plain(arrays: RoadmapArrays, node: int, heading: int, goal: int, shut: tuple[int, ...]) -> int:
    """Forward Dijkstra over (node, heading): no way through a foreign bay or a blocked node."""
    best, heap = {(node, heading): 0}, [(0, node, heading)]
    bay = arrays.node_bay
    while heap:
        cost, v, facing = heapq.heappop(heap)
        if v == goal:
            return cost
        if cost > best[v, facing]:
            continue
        for e in np.flatnonzero(arrays.edge_tail == v).tolist():
            w, along = int(arrays.edge_head[e]), int(arrays.edge_heading_deg[e])
            if w in shut or bay[w] not in (-1, bay[v], bay[goal]):
                continue
            angle = (along - facing) % 360
            turn = -(-min(angle, 360 - angle) * int(arrays.turn_ms[0]) // 90)
            value = cost + turn + int(arrays.edge_ms[0, e])
            if value < best.get((w, along), UNREACHABLE):
                best[w, along] = value
                heapq.heappush(heap, (value, w, along))
    return UNREACHABLE


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_travel_times_are_exact(data):
    nodes = data.draw(st.integers(2, 9))
    each = st.integers(0, nodes - 1)
    ends = data.draw(st.lists(st.tuples(each, each).filter(lambda p: p[0] != p[1]), min_size=1,
                              max_size=40))  # fmt: skip
    headings = st.sampled_from((0, 30, 90, 180, 225, 270))
    edges = [(a, b, data.draw(headings)) for a, b in ends]
    times = data.draw(st.lists(st.integers(1, 5000), min_size=len(edges), max_size=len(edges)))
    bays = dict.fromkeys(data.draw(st.sets(each, max_size=3)), 0)
    arrays = roadmap(nodes, edges, bays, edge_ms=times, turn_ms=data.draw(st.integers(0, 3000)))
    shut = tuple(sorted(data.draw(st.sets(each, max_size=2))))
    oracle = Distances(arrays)
    goal = data.draw(each)
    for blocked in ((), shut, ()):
        oracle.restrict(blocked)
        for node in range(nodes):
            heading = data.draw(headings)
            found = oracle.travel_ms(0, node, heading, goal)
            assert found == plain(arrays, node, heading, goal, blocked)


def test_forgotten_tables_come_back_the_same():
    arrays = aisles(4, 4)
    small, large = Distances(arrays, bytes_max=1), Distances(arrays)
    for _ in range(2):
        for goal in range(arrays.nodes):
            first = small.travel_ms(0, 0, 90, goal)
            assert first == large.travel_ms(0, 0, 90, goal)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_states_and_edges_agree_on_grids(data):
    cells = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=5, max_size=5)
    free = np.array(data.draw(cells))
    free[0, 0] = True
    grid = Grid.of(free)
    lanes = alternate(free, grid, 0)
    tables, oracle = StateTables(grid, lanes), Distances(of_grid(grid))
    goals = np.arange(grid.nodes, dtype=np.int32)
    rows = tables.rows(goals)
    for goal in goals.tolist():
        for state in range(4 * grid.nodes):
            steps = int(tables.tables[rows[goal], state])
            found = oracle.travel_ms(0, state >> 2, heading_deg(state & 3), goal)
            assert found == (UNREACHABLE if steps == 65535 else steps // lanes.unit)


def test_state_tables_stay_within_their_bound():
    free = np.ones((6, 6), bool)
    grid = Grid.of(free)
    lanes = alternate(free, grid, 8)
    small = StateTables(grid, lanes, bytes_max=5 * 2 * 4 * grid.nodes)
    large = StateTables(grid, lanes)
    assert small.tables.nbytes <= 5 * 2 * 4 * grid.nodes
    for start in range(0, 36, 4):
        goals = np.arange(start, start + 4, dtype=np.int32)
        kept, every = small.rows(goals).copy(), large.rows(goals).copy()
        assert (small.tables[kept] == large.tables[every]).all()
    try:
        small.rows(np.arange(6, dtype=np.int32))
    except MemoryError as error:
        assert "raise the byte bound" in str(error)
    else:
        raise AssertionError("six goals can't fit into five rows")
