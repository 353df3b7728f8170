"""Bodies are found by where they are: the same ones as by looking at each."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.gate.bodies import Bodies

PLACE = st.tuples(st.floats(-20, 20), st.floats(-20, 20))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(PLACE, st.floats(0.1, 2.0), st.booleans()), max_size=25),
    st.lists(st.tuples(st.integers(0, 24), PLACE), max_size=10),
    PLACE,
    st.floats(0.1, 8.0),
)
def test_near_is_whose_circle_touches(
    rows: list[tuple[tuple[float, float], float, bool]],
    moves: list[tuple[int, tuple[float, float]]],
    middle: tuple[float, float],
    radius: float,
) -> None:
    bodies = Bodies()
    for (x, y), size, fresh in rows:
        bodies.put(bodies.add(size), x, y, 0.0, 10 if fresh else 5)
    for row, (x, y) in moves:
        if row < len(rows):
            bodies.put(row, x, y, 0.0, bodies.seen_ns[row])
    expected = [
        row
        for row, (x, y, _) in enumerate(bodies.xyt)
        if math.hypot(x - middle[0], y - middle[1]) <= radius + bodies.radii[row]
        and bodies.seen_ns[row] >= 10
    ]
    assert bodies.near((*middle, radius), 10) == expected


def test_who_is_nowhere_is_near_nothing() -> None:
    bodies = Bodies()
    row = bodies.add(1.0)
    assert bodies.near((0.0, 0.0, 5.0), 0) == []
    bodies.put(row, 1.0, 0.0, 0.0, 1)
    assert bodies.near((0.0, 0.0, 5.0), 0) == [row]
    bodies.put(row, math.nan, math.nan, 0.0, 2)
    assert bodies.near((0.0, 0.0, 5.0), 0) == []
