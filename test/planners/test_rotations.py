"""Robots that change places where hardly a cell is free: the rules are kept, and all get everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from floors_at_random import biconnected, judged
from hypothesis import given, settings
from hypothesis import strategies as st

from planners.grid import Grid
from planners.jam import JamParameters
from planners.kernels import rotations as kernel
from planners.kernels.states import LEFT, RIGHT, WAIT
from planners.rotations import FreedomTables, RotationParameters, RotationPlanner

FREE = 1 << 40  # left for a robot without a goal


def tables_of(free: np.ndarray) -> FreedomTables:
    grid = Grid.of(free)
    return FreedomTables(grid, np.arange(grid.nodes, dtype=np.int32))


def driven(
    tables: FreedomTables,
    states: np.ndarray,
    errands: list[list[int]],
    parameters: RotationParameters,
    rounds: int,
    steps: int,
) -> tuple[list[list[int]], int]:
    """Robots drive to their errands, one after the other, each step checked against the rules; the
    actions, and how many errands were not done after `steps`."""
    grid, todo = tables.grid, [list(stops) for stops in errands]
    planner = RotationPlanner(tables, states, parameters)
    actions = []
    for _ in range(steps):
        for robot, stops in enumerate(todo):
            if stops and stops[0] == states[robot] >> 2:
                stops.pop(0)
        if not any(todo):
            break
        goals = np.array([stops[0] if stops else -1 for stops in todo], np.int32)
        left = np.full(len(states), FREE, np.int64)
        having = np.flatnonzero(goals >= 0)
        left[having] = tables.togo(goals[having], states[having])
        made = planner.iterations
        acts = planner.plan(goals, left, lambda tried: tried >= rounds)
        assert planner.iterations - made <= rounds
        states = judged(grid, states, acts)
        assert planner.made().tolist() == states.tolist()
        actions.append(acts.tolist())
    return actions, sum(len(stops) for stops in todo)


@st.composite
def full_floors(draw: st.DrawFn) -> tuple[FreedomTables, np.ndarray, list[list[int]]]:
    """Biconnected maps, robots on 90 to 100 % of the cells, two errands each for half of them."""
    seed = draw(st.integers(0, 10**6))
    free = biconnected(seed, draw(st.integers(3, 8)), draw(st.sampled_from([0.0, 0.15, 0.3])))
    if free.sum() < 6:  # a circle of four can only turn
        free = np.ones((2, 3), bool)
    tables, chance = tables_of(free), np.random.default_rng(seed)
    nodes = tables.grid.nodes
    robots = max(1, int(nodes * draw(st.floats(0.9, 1.0))))
    states = 4 * chance.permutation(nodes)[:robots] + chance.integers(0, 4, robots)
    errands = [chance.integers(0, nodes, 2).tolist() if r % 2 else [] for r in range(robots)]
    return tables, states.astype(np.int32), errands


@settings(max_examples=40, deadline=None)
@given(full_floors(), st.sampled_from([0, 50]))
def test_every_errand_is_done_in_the_end(
    floor: tuple[FreedomTables, np.ndarray, list[list[int]]], rounds: int
) -> None:
    """Given a biconnected floor on which no cell, or hardly one, is free, when robots drive, then no
    rule is broken, no step takes more rounds than it may, all errands are done, and the same is done
    again by a second planner."""
    tables, states, errands = floor
    parameters = RotationParameters(patience=16, rounds=2 if rounds > 0 else 0)
    actions, left = driven(tables, states, errands, parameters, rounds, 4000)
    assert left == 0, f"{left} errands were not done after {len(actions)} steps"
    assert driven(tables, states, errands, parameters, rounds, 4000)[0] == actions


def test_no_step_takes_more_rounds_than_it_may() -> None:
    """Given a floor with robots or without, then as many rounds are made as may be, to the last."""
    tables = tables_of(np.ones((2, 3), bool))
    for robots in (0, 5):
        planner = RotationPlanner(
            tables, 4 * np.arange(robots, dtype=np.int32), RotationParameters(rounds=9)
        )
        goals, left = np.full(robots, -1, np.int32), np.full(robots, FREE, np.int64)
        assert (planner.plan(goals, left, lambda made: made >= 50) == WAIT).all()
        assert planner.iterations == 50
        planner.plan(goals, left, lambda made: False)
        assert planner.iterations == 50 + 2 * 9 * tables.grid.nodes, "now, and for what comes then"


def test_a_circle_turns_all_at_once() -> None:
    """Given six robots on six cells in two rows, all looking along the circle, when one wants to the
    next cell, then all drive in the same step."""
    tables = tables_of(np.ones((2, 3), bool))  # 0 1 2 over 3 4 5
    states = np.array([4 * 0 + 0, 4 * 1 + 0, 4 * 2 + 1, 4 * 5 + 2, 4 * 4 + 2, 4 * 3 + 3], np.int32)
    goals = np.array([-1, 2, -1, -1, -1, -1], np.int32)
    left = np.array([FREE, 4, FREE, FREE, FREE, FREE], np.int64)
    planner = RotationPlanner(tables, states, RotationParameters(rounds=0))
    assert planner.plan(goals, left, lambda made: True).tolist() == [1] * 6


def test_who_is_carried_away_counts() -> None:
    """Given a robot that two circles would bring to its goal at the same cost, one of which carries
    another robot away from its own, then those on the other one turn."""
    tables = tables_of(np.ones((3, 2), bool))  # 0 1 / 2 3 / 4 5
    east, south, west, north = range(4)
    heading = {2: east, 3: east, 0: south, 1: west, 4: north, 5: west}
    states = np.array([4 * node + looks for node, looks in heading.items()], np.int32)
    for spoilt, turn in ((5, LEFT), (1, RIGHT)):  # whose circle isn't taken; how the one on 3 turns
        goals, left = np.full(6, -1, np.int32), np.full(6, FREE, np.int64)
        goals[0], left[0] = 3, 4
        other = list(heading).index(spoilt)
        goals[other], left[other] = 3, 8
        planner = RotationPlanner(tables, states, RotationParameters(rounds=0, ahead=False))
        acts = planner.plan(goals, left, lambda made: True)
        assert acts.tolist() == [WAIT, turn, WAIT, WAIT, WAIT, WAIT]


def test_whoever_goes_first_goes_whatever_it_costs() -> None:
    """Given a circle that would carry five away from their goals for the sake of one, then nobody leads
    it, unless that one goes first."""
    tables = tables_of(np.ones((2, 3), bool))  # 0 1 2 over 3 4 5: the circle runs 0 1 2 5 4 3
    circle = [0, 1, 2, 5, 4, 3]
    owner = np.empty(6, np.int32)
    owner[circle] = np.arange(6)
    states = 4 * np.array(circle, np.int32) + np.array([0, 0, 1, 2, 2, 3], np.int32)
    goals = np.array([1, *(circle[k - 1] for k in range(1, 6))], np.int32)
    floor = states, owner, tables.grid.ahead
    aims = goals, tables.rows(goals), tables.tables, np.full(6, 8, np.int64)
    led = []
    for first in (-1, 0):
        shifts = kernel.none(6, 6, np.full(6, -1, np.int32))
        kernel.begin(np.zeros(1, np.int64), first, floor, aims, shifts)
        led.append(shifts[2].tolist())
    assert led == [[-1] * 6, [0] + [-1] * 5]


def test_who_has_no_part_turns_to_where_it_will_be_wanted() -> None:
    """Given a robot that wants to the other end of a full floor, when its first shift leaves the cells
    before it alone, then who stands there turns meanwhile, if it may."""
    tables = tables_of(np.ones((2, 6), bool))
    states = 4 * np.arange(12, dtype=np.int32) + 3  # all look north
    goals, left = np.full(12, -1, np.int32), np.full(12, FREE, np.int64)
    goals[0], left[0] = 5, 20
    for ahead in (False, True):
        parameters = RotationParameters(rounds=0, ahead=ahead)
        acts = RotationPlanner(tables, states, parameters).plan(goals, left, lambda made: True)
        assert acts[[0, 1, 6, 7]].any(), "those of the first shift turn"
        assert bool(np.delete(acts, [0, 1, 6, 7]).any()) == ahead


@pytest.mark.parametrize("seed", range(4))
def test_search_makes_shifts_worth_more(seed: int) -> None:
    """Given shifts that were chosen one after the other, when the search has looked at them, then they
    are worth as much or more, no two share a cell, each is a circle or ends in a free cell, and whoever
    goes first still does."""
    tables, chance = tables_of(biconnected(seed, 14, 0.15)), np.random.default_rng(seed)
    nodes = tables.grid.nodes
    robots = nodes - 6
    states = (4 * chance.permutation(nodes)[:robots] + chance.integers(0, 4, robots)).astype(
        np.int32
    )
    goals = np.where(chance.random(robots) < 0.6, chance.integers(0, nodes, robots), -1)
    goals = goals.astype(np.int32)
    rows, owner = tables.rows(np.maximum(goals, 0)), np.full(nodes, -1, np.int32)
    owner[states >> 2] = np.arange(robots)
    weight = chance.integers(1, 32, robots)
    floor, aims = (states, owner, tables.grid.ahead), (goals, rows, tables.tables, weight)
    shifts = kernel.none(nodes, robots, np.full(nodes, -1, np.int32))
    onto, leader, turns, worth = shifts
    first = int(np.flatnonzero((goals >= 0) & (goals != states >> 2))[0])
    kernel.begin(np.arange(robots), first, floor, aims, shifts)
    before, its = int(worth[turns >= 0].sum()), _cells(onto, states[first] >> 2)
    better = kernel.improve(300, 5, first, (12, 60), floor, aims, shifts)
    assert better > 0 and int(worth[turns >= 0].sum()) > before
    assert _cells(onto, states[first] >> 2) == its
    seen: list[int] = []
    for robot in np.flatnonzero(turns >= 0).tolist():
        cells = _cells(onto, states[robot] >> 2)
        assert all(leader[cell] == robot for cell in cells)
        assert cells[-1] == cells[0] or owner[cells[-1]] < 0
        seen += cells[:-1] if cells[-1] == cells[0] else cells
    assert len(set(seen)) == len(seen) == int((leader >= 0).sum())


def _cells(onto: np.ndarray, home: int) -> list[int]:
    cells = [int(home)]
    while onto[cells[-1]] >= 0 and (len(cells) == 1 or cells[-1] != home):
        cells.append(int(onto[cells[-1]]))
    return cells


def test_a_dead_end_is_emptied_and_filled() -> None:
    """Given a circle with two dead ends and one free cell, a robot in one of them that wants out and
    one on the circle that wants in, then both get there, with the watchdog's help if need be."""
    free = np.zeros((4, 4), bool)
    free[0, :3] = free[2, :3] = free[1, 0] = free[1, 2] = True
    free[0, 3] = free[3, 0] = True
    tables = tables_of(free)
    nodes = tables.grid.nodes
    end = int(tables.grid.number.reshape(4, 4)[0, 3])
    states = 4 * np.array([end, *(n for n in range(nodes) if n != end)], np.int32)[: nodes - 1]
    errands: list[list[int]] = [[] for _ in states]
    errands[0], errands[-1] = [int(states[-1]) >> 2], [end]
    parameters = RotationParameters(patience=16, jam=JamParameters(patience=16))
    actions, left = driven(tables, states.astype(np.int32), errands, parameters, 1024, 2000)
    assert left == 0, len(actions)


def test_of_two_cells_as_far_the_one_with_more_ways_is_nearer() -> None:
    """Given an open floor, then among cells six steps from the corner those off the walls are nearer,
    every cell has a neighbour that is nearer, and on the mean ways are as long as steps are many."""
    free = np.ones((7, 7), bool)
    tables = tables_of(free)
    rows, columns = np.divmod(tables.grid.cell, 7)
    corner, straight, diagonal = (
        int(tables.grid.number.reshape(7, 7)[y, x]) for y, x in ((0, 0), (0, 6), (3, 3))
    )
    way = tables.tables[tables.rows(np.array([corner], np.int32))[0]].astype(np.int64)
    assert way[diagonal] < way[straight]
    for table, goal in zip(tables.tables, tables.goals.tolist(), strict=True):
        ahead = tables.grid.ahead.reshape(-1, 4)
        nearest = np.where(ahead >= 0, table[ahead], np.uint16(65535)).min(axis=1)
        others = np.arange(len(table)) != goal
        assert (nearest < table)[others].all() and table[goal] == 0
    steps = abs(rows[:, None] - rows) + abs(columns[:, None] - columns)
    assert tables.tables.mean() == pytest.approx(kernel.UNIT * steps.mean(), rel=0.01)


def test_a_long_corridor_has_ways_to_its_end() -> None:
    """Given a corridor of 1,500 cells, one way only, then costs are steps, and none is lost."""
    tables = tables_of(np.ones((1, 1500), bool))
    way = tables.tables[tables.rows(np.array([0], np.int32))[0]]
    assert (np.diff(way.astype(np.int64)) > 0).all() and way[-1] < 65535
