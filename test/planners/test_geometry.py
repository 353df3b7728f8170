"""Conflict sets against plain geometry, written down a second time without index or tricks."""

import dataclasses
import math
import random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, Point, Polygon

from planners.geometry import Conflicts, Floor, conflicts

CAR = ((0.5, 0.3), (-0.5, 0.3), (-0.5, -0.3), (0.5, -0.3))
CART = ((0.3, 0.2), (-0.3, 0.2), (-0.3, -0.2), (0.3, -0.2))


@st.composite
def floors(draw: st.DrawFn) -> Floor:
    """Up to seven nodes anywhere, up to twelve edges, two fleets."""
    spot = st.tuples(st.integers(0, 60), st.integers(0, 60))
    nodes = draw(st.lists(spot, min_size=2, max_size=7, unique=True))
    pair = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1))
    pairs = draw(
        st.lists(pair.filter(lambda p: p[0] != p[1]), min_size=1, max_size=12, unique=True)
    )
    count = len(pairs)
    turned = draw(st.lists(st.sampled_from([0, 180]), min_size=count, max_size=count))
    masks = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    xy = np.array(nodes, float) / 10
    heading = [
        round(math.degrees(math.atan2(*(xy[b] - xy[a])[::-1])) + turn) % 360
        for (a, b), turn in zip(pairs, turned, strict=True)
    ]
    ends = np.array(pairs, np.int32)
    return Floor(
        xy, ends[:, 0], ends[:, 1], np.array(heading, np.int32), np.array(masks, np.int32),
        (CAR, CART), 0.1,
    )  # fmt: skip


def robot(
    footprint: tuple[tuple[float, float], ...], x: float, y: float, degrees: float
) -> Polygon:
    """The footprint, standing somewhere, without margin."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return Polygon([(x + c * u - s * v, y + s * u + c * v) for u, v in footprint])


def plain(floor: Floor, fleet: int, edge: int) -> MultiPoint | Polygon:
    """All of the floor that a robot covers along an edge (body only)."""
    (ax, ay), (bx, by) = floor.node_xy[floor.edge_tail[edge]], floor.node_xy[floor.edge_head[edge]]
    heading, shape = int(floor.edge_heading_deg[edge]), floor.footprints[fleet]
    steps = [(ax + (bx - ax) * t, ay + (by - ay) * t) for t in (0, 0.25, 0.5, 0.75, 1)]
    return MultiPoint(
        [p for x, y in steps for p in robot(shape, x, y, heading).exterior.coords]
    ).convex_hull


def headings(floor: Floor, fleet: int, node: int) -> set[int]:
    """Of the body, on the edges that this fleet may use here."""
    return {
        int(floor.edge_heading_deg[e])
        for e in range(len(floor.edge_tail))
        if floor.edge_fleets[e] >> fleet & 1 and node in (floor.edge_tail[e], floor.edge_head[e])
    }


def stand(floor: Floor, fleet: int, node: int):
    """The floor covered by standing, and turning where there is more than one heading."""
    known, (x, y) = headings(floor, fleet, node), floor.node_xy[node]
    if len(known) == 1:
        return robot(floor.footprints[fleet], x, y, known.pop())
    radius = max(math.hypot(*corner) for corner in floor.footprints[fleet])
    return Point(x, y).buffer(radius, quad_segs=64) if known else Polygon()


@settings(max_examples=60, deadline=None)
@given(floors())
def test_no_contact_is_missed_and_nothing_far_is_held(floor: Floor) -> None:
    tables = conflicts(floor)
    nodes, edges = len(floor.node_xy), len(floor.edge_tail)
    stands = [stand(floor, fleet, node) for fleet in (0, 1) for node in range(nodes)]
    moves = []
    for fleet in (0, 1):
        for edge in range(edges):
            if not floor.edge_fleets[edge] >> fleet & 1:
                moves.append(Polygon())
                continue
            ends = (floor.edge_tail[edge], floor.edge_head[edge])
            shape = plain(floor, fleet, edge)
            for node in ends:
                shape = shape.union(stands[fleet * nodes + node])
            moves.append(shape)
    for rows, ours, theirs in (
        (tables.stand_stands, stands, stands),
        (tables.move_stands, moves, stands),
        (tables.move_moves, moves, moves),
    ):
        assert len(rows) == len(ours)
        for row, shape in zip(rows, ours, strict=True):
            assert list(row) == sorted(set(row))
            for other, beside in enumerate(theirs):
                if shape.is_empty or beside.is_empty:
                    assert other not in row
                    continue
                gap = shape.distance(beside)
                if gap < floor.margin_m - 1e-6:
                    assert other in row, "two robots nearer than the margin"
                if gap > floor.margin_m * math.sqrt(2) + 0.02:  # corners of the margin, round ends
                    assert other not in row, "held apart for nothing"


@settings(max_examples=60, deadline=None)
@given(floors())
def test_symmetric_and_each_with_itself_and_its_ends(floor: Floor) -> None:
    tables: Conflicts = conflicts(floor)
    nodes, edges = len(floor.node_xy), len(floor.edge_tail)
    for rows in (tables.move_moves, tables.stand_stands):
        for one, row in enumerate(rows):
            assert all(one in rows[other] for other in row)
    for stand_id, row in enumerate(tables.stand_stands):
        assert bool(row) == bool(headings(floor, *divmod(stand_id, nodes)))
        assert not row or stand_id in row
    for move, row in enumerate(tables.move_stands):
        fleet, edge = divmod(move, edges)
        if not floor.edge_fleets[edge] >> fleet & 1:
            assert row == tables.move_moves[move] == ()
            continue
        assert move in tables.move_moves[move]
        for node in (int(floor.edge_tail[edge]), int(floor.edge_head[edge])):
            for other in (0, 1):
                assert (other * nodes + node in row) == bool(headings(floor, other, node))


@settings(max_examples=40, deadline=None)
@given(floors(), st.integers(1, 50))
def test_a_wider_margin_only_adds(floor: Floor, more_cm: int) -> None:
    assume(more_cm)
    wide = Floor(
        floor.node_xy, floor.edge_tail, floor.edge_head, floor.edge_heading_deg,
        floor.edge_fleets, floor.footprints, floor.margin_m + more_cm / 100,
    )  # fmt: skip
    narrow, wider = conflicts(floor), conflicts(wide)
    for name in ("move_stands", "move_moves", "stand_stands"):
        for less, many in zip(getattr(narrow, name), getattr(wider, name), strict=True):
            assert set(less) <= set(many)


def test_turning_takes_a_circle() -> None:
    """Two cars side by side may stand and drive past, until one of them has to turn."""
    xy = np.array([[0, 0], [5, 0], [0, 0.75], [5, 0.75], [0, 5]], float)

    def rows(pairs: list[tuple[int, int]], degrees: list[int]) -> Conflicts:
        ends = np.array(pairs, np.int32)
        return conflicts(Floor(xy, ends[:, 0], ends[:, 1], np.array(degrees, np.int32),
                               np.ones(len(pairs), np.int32), (CAR,), 0.1))  # fmt: skip

    straight = rows([(0, 1), (2, 3)], [0, 0])
    assert straight.move_moves == ((0,), (1,)) and straight.stand_stands[0] == (0,)
    turning = rows([(0, 1), (2, 3), (2, 4)], [0, 0, 90])
    assert turning.stand_stands[0] == (0, 2) and 2 in turning.move_stands[0]


def corridors(floor: Floor, wide_m: float) -> Floor:
    """The same, each edge a corridor."""
    return dataclasses.replace(floor, edge_corridor_m=np.full(len(floor.edge_tail), wide_m))


@settings(max_examples=60, deadline=None)
@given(floors(), st.floats(0.05, 1.0), st.randoms(use_true_random=False))
def test_wherever_two_are_in_their_corridors_they_meet_only_where_edges_conflict(
    floor: Floor, wide_m: float, chance: random.Random
) -> None:
    tables, edges = conflicts(corridors(floor, wide_m)), len(floor.edge_tail)

    def anywhere(fleet: int, edge: int) -> Polygon:
        """Beside the edge, no farther than the corridor is wide, however turned."""
        a, b = floor.node_xy[floor.edge_tail[edge]], floor.node_xy[floor.edge_head[edge]]
        x, y = a + (b - a) * chance.random()
        turn, off_m = chance.uniform(0, math.tau), wide_m * chance.random()
        x, y = x + off_m * math.cos(turn), y + off_m * math.sin(turn)
        return robot(floor.footprints[fleet], x, y, chance.uniform(0, 360))

    moves = [m for m in range(2 * edges) if floor.edge_fleets[m % edges] >> (m // edges) & 1]
    for one in moves:
        for other in moves:
            if other not in tables.move_moves[one]:
                a, b = anywhere(*divmod(one, edges)), anywhere(*divmod(other, edges))
                assert a.distance(b) >= floor.margin_m - 1e-6


@settings(max_examples=40, deadline=None)
@given(floors(), st.floats(0.05, 1.0))
def test_a_corridor_only_adds_and_is_no_wider_than_it_is(floor: Floor, wide_m: float) -> None:
    without, tables = conflicts(floor), conflicts(corridors(floor, wide_m))
    for less, many in zip(without.move_moves, tables.move_moves, strict=True):
        assert set(less) <= set(many)
    edges = len(floor.edge_tail)
    lines = [
        LineString([floor.node_xy[tail], floor.node_xy[head]])
        for tail, head in zip(floor.edge_tail, floor.edge_head, strict=True)
    ]
    radius = [max(math.hypot(*corner) for corner in each) for each in floor.footprints]
    for one, row in enumerate(tables.move_moves):
        for other in row:
            most = 2 * wide_m + radius[one // edges] + radius[other // edges] + floor.margin_m
            assert lines[one % edges].distance(lines[other % edges]) <= most * 1.01
