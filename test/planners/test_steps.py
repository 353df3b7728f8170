"""The step planner: joint actions that keep the rules, chains of pushes, determinism."""

from __future__ import annotations

import numpy as np
import pytest
from floors_at_random import judged
from hypothesis import given, settings
from hypothesis import strategies as st

from planners import state_tables, steps
from planners.grid import Grid
from planners.guidance import alternate
from planners.jam import JamParameters
from planners.kernels.operations import operations
from planners.kernels.states import FAR_WIDE
from planners.state_tables import StateTables, longest
from planners.steps import StepParameters, StepPlanner

ACTIONS = "WFRC"


def planner_on(free, states, parameters=None, against=0):
    grid = Grid.of(free)
    tables = StateTables(grid, alternate(free, grid, against))
    return grid, StepPlanner(grid, tables, np.array(states, np.int32), parameters)


def no_more(made: int) -> bool:
    return made >= 64


def play(grid, planner, states, goals, steps):
    """Make steps; check each against the rules; return the last states and all actions."""
    goals = np.array(goals, np.int32)
    states, rows = np.array(states, np.int32), []
    for _ in range(steps):
        none = np.full(len(goals), -1, np.int32)
        actions = planner.plan(goals, none, -np.arange(len(goals), dtype=np.int64), no_more)
        states = judged(grid, states, actions)
        assert planner.made().tolist() == states.tolist()
        rows.append("".join(ACTIONS[a] for a in actions))
    return states, rows


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rules_are_kept_and_it_is_deterministic(data):
    cells = st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=5, max_size=5)
    free = np.array(data.draw(cells))
    free[2, :] = True
    nodes = int(free.sum())
    where = data.draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=12, unique=True))
    headings = data.draw(st.lists(st.integers(0, 3), min_size=len(where), max_size=len(where)))
    each = st.integers(0, nodes - 1)
    goals = data.draw(st.lists(each, min_size=len(where), max_size=len(where)))
    states = [4 * node + heading for node, heading in zip(where, headings, strict=True)]
    parameters = StepParameters(length=3, tries=200)
    first = play(*planner_on(free, states, parameters), states, goals, 8)
    second = play(*planner_on(free, states, parameters), states, goals, 8)
    assert first[1] == second[1]


def test_a_robot_alone_takes_a_shortest_way():
    free = np.array([[True, True, True], [True, False, True], [True, True, True]])
    grid, planner = planner_on(free, [4 * 0 + 0])
    _, rows = play(grid, planner, [0], [7], 5)
    assert rows in (["F", "F", "R", "F", "F"], ["R", "F", "F", "C", "F"])


@pytest.mark.parametrize("against", [0, 16])
@pytest.mark.parametrize("rows", [1, 3])
def test_tables_hold_ways_of_any_length(rows, against):
    """Both ways along a corridor, and along one that winds: the tables that a long way needs, and the
    small ones where they do."""
    for columns, wide in ((1000 // rows, False), (17000 // rows, True)):
        free = np.ones((2 * rows - 1, columns), bool)
        for row in range(1, 2 * rows - 1, 2):
            free[row] = False
            free[row, -1 if row % 4 == 1 else 0] = True
        grid = Grid.of(free)
        tables = StateTables(grid, alternate(free, grid, against), bytes_max=16 * 4 * grid.nodes)
        ends = np.array([0, grid.nodes - 1], np.int32)
        assert (tables.tables.dtype == np.uint32) == wide
        assert (tables.legs(ends, ends[::-1]) >= 4 * (grid.nodes - 1)).all()
        assert tables.legs(ends, ends[::-1]).max() <= longest(grid, tables.lanes)
        assert longest(grid, tables.lanes) < FAR_WIDE


@settings(max_examples=60, deadline=None)
@given(data=st.data(), against=st.integers(0, 40))
def test_no_way_is_longer_than_the_bound(data, against):
    cells = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=6, max_size=6)
    free = np.array(data.draw(cells))
    free[0, 0] = True
    grid = Grid.of(free)
    lanes = alternate(free, grid, against)
    tables = StateTables(grid, lanes)
    nodes = np.arange(grid.nodes, dtype=np.int32)
    cost = tables.between(nodes, np.arange(4 * grid.nodes, dtype=np.int32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_tables, "FAR_STEPS", 1)
        assert cost[cost < 65535].max() <= longest(grid, lanes) < FAR_WIDE


@pytest.mark.parametrize("improve", [False, True])
def test_face_to_face_one_makes_way_at_the_pocket(improve):
    """The first has priority; the second is pushed back to where it can step aside."""
    free = np.zeros((3, 9), bool)
    free[1, :] = True
    free[0, 6] = free[2, 6] = True
    grid = Grid.of(free)
    left, right = int(grid.number[9]), int(grid.number[17])
    states = [4 * int(grid.number[9 + 3]) + 0, 4 * int(grid.number[9 + 5]) + 2]
    _, planner = planner_on(free, states, StepParameters(improve=improve))
    goals, reached = [right, left], [False, False]
    for _ in range(60):
        states, _ = play(grid, planner, states, goals, 1)
        reached = [
            r or s >> 2 == g for r, s, g in zip(reached, states.tolist(), goals, strict=True)
        ]
    assert reached[0]


def test_a_full_cycle_rotates():
    """Four robots on four cells, each wants the next one's: moves are simultaneous."""
    free = np.ones((2, 2), bool)
    states = [4 * 0 + 0, 4 * 1 + 1, 4 * 3 + 2, 4 * 2 + 3]
    for length in (1, 3):
        parameters = StepParameters(length=length, improve=False)
        grid, planner = planner_on(free, states, parameters)
        assert play(grid, planner, states, [1, 3, 2, 0], 1)[1] == ["FFFF"]


def test_operations_hold_nothing_that_is_done_as_well_by_another():
    words = {"".join(ACTIONS[a] for a in row) for row in operations(3).tolist()}
    assert {"FFF", "RFF", "CFW", "WWF", "RRF", "WWW"} <= words
    assert not words & {"RCF", "CCF", "RRR", "WRF"}


def test_with_few_tables_the_next_errand_is_left_out():
    """Two goals and two goals behind them, but only two tables fit: the plan still leads there."""
    free = np.ones((4, 6), bool)
    grid = Grid.of(free)
    tables = StateTables(grid, alternate(free, grid, 0), bytes_max=2 * 2 * 4 * grid.nodes)
    states = np.array([4 * 0, 4 * 23 + 2], np.int32)
    planner = StepPlanner(grid, tables, states)
    goals, onward = np.array([5, 18], np.int32), np.array([0, 23], np.int32)
    for _ in range(5):
        planner.plan(goals, onward, np.zeros(2, np.int64), no_more)
        states = planner.made()
    assert (states >> 2).tolist() == goals.tolist()


@pytest.mark.parametrize("part", [1, 1000])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_robots_that_are_elsewhere_meet_nobody(part, data):
    """Some never made their moves, some were carried away. With part 1 one robot chooses anew and all
    others go on with what they had in mind."""
    free = np.ones((4, 5), bool)
    each = st.integers(0, 19)
    where = data.draw(st.lists(each, min_size=2, max_size=12, unique=True))
    goals = data.draw(st.lists(each, min_size=len(where), max_size=len(where)))
    begun = [4 * node for node in where]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "PART", part)
        grid, planner = planner_on(free, begun, StepParameters(length=4, tries=200))
        now, _ = play(grid, planner, begun, goals, 2)
        late = data.draw(st.lists(st.booleans(), min_size=len(where), max_size=len(where)))
        here = np.where(late, np.array(begun), now).astype(np.int32)
        if len(set((here >> 2).tolist())) < len(here):  # late robots stand in others' way: all late
            here = np.array(begun, np.int32)
        waits = planner.place(here)
        assert (here != now).sum() <= waits <= len(here)
        patch.setattr(f"{__name__}.no_more", lambda made: True)
        play(grid, planner, here, goals, 4)


def test_robots_where_they_are_expected_keep_their_plans():
    grid, planner = planner_on(np.ones((1, 6), bool), [0, 8])
    states, _ = play(grid, planner, [0, 8], [3, 5], 1)
    assert planner.place(states) == 0
    assert play(grid, planner, states, [3, 5], 1)[1] == ["FF"]


@pytest.mark.parametrize(
    ("states", "says"),
    [([0], "name all"), ([0, 24], "0 to 23"), ([4, 7], "robot 1 stands in another's cell")],
)
def test_states_that_can_not_be_are_refused(states, says):
    _, planner = planner_on(np.ones((1, 6), bool), [0, 8])
    with pytest.raises(ValueError, match=says):
        planner.place(np.array(states, np.int32))


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_with_a_gap_nobody_enters_a_cell_that_is_just_left(data):
    """Neither with the action chosen now nor with any that is in mind."""
    each = st.integers(0, 19)
    where = data.draw(st.lists(each, min_size=2, max_size=14, unique=True))
    goals = data.draw(st.lists(each, min_size=len(where), max_size=len(where)))
    states = [4 * node + data.draw(st.integers(0, 3)) for node in where]
    parameters = StepParameters(length=3, tries=200, gap=True, jam=JamParameters(patience=0))
    grid, planner = planner_on(np.ones((4, 5), bool), states, parameters)
    for _ in range(6):
        before = {state >> 2 for state in np.array(states).tolist()}
        after, _ = play(grid, planner, states, goals, 1)
        new = zip(np.array(states).tolist(), after.tolist(), strict=True)
        assert not before & {b >> 2 for a, b in new if a >> 2 != b >> 2}
        states = after


def test_a_column_moves_up_with_a_gap():
    """Three behind each other: each starts when the one before is away."""
    gap = StepParameters(length=4, gap=True, jam=JamParameters(patience=0))
    grid, planner = planner_on(np.ones((1, 9), bool), [0, 4, 8], gap)
    _, rows = play(grid, planner, [0, 4, 8], [6, 7, 8], 8)
    assert rows[:3] == ["WWF", "WFF", "FFF"]
