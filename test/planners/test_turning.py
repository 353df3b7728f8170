"""Plain PIBT with headings: joint actions that keep the rules, priorities, rings."""

from __future__ import annotations

import numpy as np
import pytest
from floors_at_random import judged
from hypothesis import given, settings
from hypothesis import strategies as st

from planners.crowd import NodeTables
from planners.grid import Grid
from planners.guidance import Paces, alternate
from planners.state_tables import StateTables
from planners.turning import PibtPlanner

EAST, SOUTH, WEST, NORTH = range(4)


def never(made: int) -> bool:
    return False


def tables_of(kind, free, grid):
    lanes = alternate(free, grid, 0)
    if kind == "states":
        return StateTables(grid, lanes)
    return NodeTables(grid, Paces.of(lanes), np.arange(grid.nodes, dtype=np.int32))


def play(kind, free, states, goals, steps, priority=None):
    """Make steps, each checked against the rules; the states after each."""
    grid = Grid.of(free)
    planner = PibtPlanner(grid, tables_of(kind, free, grid), np.array(states, np.int32))
    goals, states = np.array(goals, np.int32), np.array(states, np.int32)
    none = np.full(len(goals), -1, np.int32)
    waited = np.zeros(len(goals), np.int64)
    found = []
    for _ in range(steps):
        ranks = waited if priority is None else np.array(priority, np.int64)
        actions = planner.plan(goals, none, ranks, never)
        states = judged(grid, states, actions)
        assert planner.made().tolist() == states.tolist()
        waited = np.where(states >> 2 == goals, 0, waited + 1)
        found.append(states)
    return found


@pytest.mark.parametrize("kind", ["states", "nodes"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_rules_are_kept_at_any_density(kind, data):
    cells = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=6, max_size=6)
    free = np.array(data.draw(cells))
    free[2, :] = True
    nodes = int(free.sum())
    where = data.draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=nodes, unique=True))
    headings = data.draw(st.lists(st.integers(0, 3), min_size=len(where), max_size=len(where)))
    goals = data.draw(st.lists(st.integers(0, nodes - 1), min_size=len(where), max_size=len(where)))
    states = [4 * node + heading for node, heading in zip(where, headings, strict=True)]
    play(kind, free, states, goals, 12)


@pytest.mark.parametrize("kind", ["states", "nodes"])
def test_who_comes_first_arrives_by_the_shortest_way(kind):
    """He who has the highest priority is never held up by who stands in his way."""
    free = np.ones((3, 6), bool)
    start, ends = [4 * 6 + EAST, 4 * 8 + WEST, 4 * 9 + WEST], [11, 6, 7]
    found = play(kind, free, start, ends, 12, priority=[2, 1, 0])
    arrived = next(k + 1 for k, states in enumerate(found) if states[0] >> 2 == 11)
    assert arrived <= 8, "five cells, and those ahead turn aside first"


def test_a_full_ring_turns():
    """Four robots on four cells, each facing the next."""
    free = np.ones((2, 2), bool)
    start = [4 * 0 + EAST, 4 * 1 + SOUTH, 4 * 3 + WEST, 4 * 2 + NORTH]
    found = play("states", free, start, [1, 3, 2, 0], 1)
    assert (found[0] >> 2).tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize("kind", ["states", "nodes"])
def test_all_arrive_where_there_are_ways_round(kind):
    """Goals that are taken in turn: whoever waits longest goes first (PIBT's theorem)."""
    free = np.ones((8, 8), bool)
    free[3:5, 3:5] = False
    chance = np.random.default_rng(5)
    nodes = int(free.sum())
    starts = chance.permutation(nodes)[:30]
    goals = chance.permutation(nodes)[:30]
    found = play(kind, free, 4 * starts, goals, 400)
    seen = np.zeros(30, bool)
    for states in found:
        seen |= states >> 2 == goals
    assert seen.all()


def test_robots_that_are_elsewhere_are_taken_as_they_are():
    free = np.ones((1, 4), bool)
    grid = Grid.of(free)
    planner = PibtPlanner(grid, tables_of("states", free, grid), np.array([EAST], np.int32))
    assert planner.place(np.array([4 * 2 + WEST], np.int32)) == 1
    none = np.full(1, -1, np.int32)
    planner.plan(np.array([0], np.int32), none, np.zeros(1, np.int64), never)
    assert planner.made().tolist() == [4 * 1 + WEST]
    with pytest.raises(ValueError, match="planned for 1"):
        planner.place(np.array([0, 4], np.int32))
