"""Tables that learn from jams: dearer where robots stand, as before when they don't."""

from __future__ import annotations

import numpy as np
import pytest
from floors_at_random import judged

from planners import congestion
from planners.congestion import Congestion, CongestionParameters
from planners.crowd import CrowdPlanner
from planners.grid import Grid
from planners.guidance import Paces, alternate
from planners.jam import JamParameters
from planners.kernels.states import FAR_STEPS
from planners.node_tables import NodeTables
from planners.steps import StepParameters

GOAL, BLOCKED, HERE = 10, 5, 2  # in the upper corridor of `two_ways`


def two_ways() -> tuple[NodeTables, Grid]:
    """A loop: an upper corridor and a lower one, of 12 cells each, joined at their ends."""
    free = np.zeros((3, 12), bool)
    free[0], free[2], free[1, 0], free[1, -1] = True, True, True, True
    grid = Grid.of(free)
    paces = Paces.of(alternate(free, grid, 0))
    return NodeTables(grid, paces, np.arange(grid.nodes, dtype=np.int32)), grid


def in_time(made: int) -> bool:
    return False


def too_late(made: int) -> bool:
    return True


def stand(congestion: Congestion, nodes: list[int], goals: list[int], steps: int) -> None:
    """Robots stay where they are."""
    for _ in range(steps):
        congestion.look(np.array(nodes, np.int32), np.array(goals, np.int32))
        congestion.learn(np.array(goals, np.int32), np.full(len(goals), -1, np.int32), in_time)


def test_who_stands_in_the_way_is_gone_round_and_forgotten_when_it_drives_on() -> None:
    tables, _ = two_ways()
    before = tables.tables.copy()
    congestion = Congestion(tables, np.array([BLOCKED, HERE], np.int32))
    goals = [GOAL, GOAL]
    stand(congestion, [BLOCKED, HERE], goals, 40)
    row = tables.rows(np.array([GOAL], np.int32))[0]
    assert tables.tables[row, HERE] > before[row, HERE]
    assert tables.tables[row, 1] < tables.tables[row, HERE], "back, and by the lower corridor"
    for step in range(300):  # both drive round and round; heat cools
        nodes = [(BLOCKED + step) % 12, (HERE + step) % 12]
        stand(congestion, nodes, goals, 1)
    assert (tables.tables == before).all()


def test_a_robot_at_its_goal_is_no_congestion() -> None:
    tables, _ = two_ways()
    before = tables.tables.copy()
    congestion = Congestion(tables, np.array([GOAL], np.int32))
    stand(congestion, [GOAL], [GOAL], 40)
    assert (tables.tables == before).all()


@pytest.mark.parametrize("turns", [1, 4])
def test_every_goal_in_use_has_its_turn(turns: int) -> None:
    tables, grid = two_ways()
    chance = np.random.default_rng(3)
    nodes, goals = chance.permutation(grid.nodes)[:12], chance.permutation(grid.nodes)[:12]
    congestion = Congestion(tables, nodes.astype(np.int32), CongestionParameters(turns=turns))
    before = tables.tables.copy()
    stand(congestion, nodes.tolist(), goals.tolist(), 8 + turns)
    rows = tables.rows(goals.astype(np.int32))
    assert (tables.tables[rows] != before[rows]).any(axis=1).all()


def test_without_time_nothing_is_filled_and_no_turns_means_never() -> None:
    tables, _ = two_ways()
    here, goals = np.array([BLOCKED], np.int32), np.array([GOAL], np.int32)
    none = np.full(1, -1, np.int32)
    congestion = Congestion(tables, here)
    never = Congestion(tables, here, CongestionParameters(turns=0))
    for _ in range(20):
        congestion.look(here, goals)
        never.look(here, goals)
        assert not len(congestion.learn(goals, none, too_late))
        assert not len(never.learn(goals, none, in_time))
    assert list(congestion.learn(goals, none, in_time)) == [GOAL]


def test_tables_can_be_made_again_from_what_is_remembered() -> None:
    """As behind a checkpoint, which holds no tables."""
    tables, grid = two_ways()
    chance = np.random.default_rng(1)
    nodes = chance.permutation(grid.nodes)[:10]
    congestion = Congestion(tables, nodes.astype(np.int32))
    for _ in range(30):
        some = chance.random(10) < 0.2
        nodes = np.where(some, chance.integers(0, grid.nodes, 10), nodes)
        stand(congestion, nodes.tolist(), chance.integers(0, grid.nodes, 10).tolist(), 1)
    learned = tables.tables.copy()
    fresh, _ = two_ways()
    assert (learned != fresh.tables).any()
    tables.tables[:] = fresh.tables
    congestion.restore()
    assert (tables.tables == learned).all()


@pytest.mark.parametrize("turns", [0, 1])
def test_the_tables_of_a_crowd_learn_while_it_is_planned(turns: int) -> None:
    """Two robots face to face in the upper corridor, neither of which gives way."""
    tables, grid = two_ways()
    before = tables.tables.copy()
    states, goals = np.array([4 * 5, 4 * 6 + 2], np.int32), np.array([10, 1], np.int32)
    parameters = StepParameters(length=3, improve=False, jam=JamParameters(patience=0))
    planner = CrowdPlanner(tables, states, parameters, CongestionParameters(turns=turns))
    for _ in range(20):
        none, priority = np.full(2, -1, np.int32), np.zeros(2, np.int64)
        states = judged(grid, states, planner.plan(goals, none, priority, in_time))
        planner.made()
    assert (tables.tables != before).any() == bool(turns)


def test_ways_that_jams_make_too_long_for_the_tables_are_left_as_they_were() -> None:
    """Given a corridor that just fits, with robots standing all along it, then its table still leads to
    the goal from everywhere."""
    free, goals = np.ones((1, 3000), bool), np.zeros(1, np.int32)
    grid = Grid.of(free)
    tables = NodeTables(grid, Paces.of(alternate(free, grid, 16)), goals)
    before, nodes = tables.tables.copy(), np.arange(1, 3000, dtype=np.int32)
    assert before.dtype == np.uint16 and before.max() < FAR_STEPS
    congestion = Congestion(tables, nodes)
    stand(congestion, nodes.tolist(), [0] * len(nodes), 40)
    assert (tables.tables == before).all()


def test_goals_in_use_have_their_turn_though_new_ones_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given time for a few tables a step, and as many new goals in tables that don't fit for all."""
    monkeypatch.setattr(congestion, "CHUNK", 4)
    free = np.ones((20, 20), bool)
    grid = Grid.of(free)
    paces, every = Paces.of(alternate(free, grid, 0)), np.arange(400, dtype=np.int32)
    tables = NodeTables(grid, paces, every, 1, 60 * 800)
    old, onward = np.arange(100, 130, dtype=np.int32), np.full(36, -1, np.int32)
    learning = Congestion(tables, every[:36])
    for step in range(100):
        goals = np.append(old, 200 + (6 * step + every[:6]) % 200).astype(np.int32)
        learning.look(every[:36], goals)
        asked = iter([False])
        learning.learn(goals, onward, lambda made, asked=asked: next(asked, True))
    assert tables.shelf.since[tables.rows(old)].min() > 75
