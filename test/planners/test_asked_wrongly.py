"""What planners say to whoever asks for what can't be: a ValueError that names the argument, before a
kernel reads where nothing is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from planners.assignment import FlowAssigner
from planners.crowd import CrowdPlanner, NodeTables
from planners.distances import Distances
from planners.grid import Grid, roadmap
from planners.guidance import Lanes, Paces, SpreadParameters, alternate, spread
from planners.lacam import OneShot, Parameters, ProblemError, solve
from planners.lorr_scheduler import TaskMatcher
from planners.protocols import COST_MAX, AssignmentProblem
from planners.rotations import FreedomTables, RotationPlanner
from planners.state_tables import StateTables
from planners.steps import LENGTH_MAX, StepParameters, StepPlanner
from planners.turning import PibtPlanner

FREE = np.ones((5, 5), bool)
GRID = Grid.of(FREE)
LANES = alternate(FREE, GRID, 16)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def refused(text: str):
    return pytest.raises(ValueError, match=re.escape(text))


@pytest.mark.parametrize(
    ("restrict", "said"),
    [
        (((999,),), "nodes from 999 to 999 -> 0 to 24"),
        (((), ints(80, 1).reshape(1, 2)), "changes[:, 0] from 80 to 80 -> 0 to 79"),
        (((), None, ints(1, -500).reshape(1, 2)), "delays[:, 1] from -500 to -500"),
        (((), None, ints(25, 500).reshape(1, 2)), "delays[:, 0] from 25 to 25 -> 0 to 24"),
        (((), None, ints(1, 2, 3).reshape(1, 3)), "delays is (1, 3) -> (1, 2)"),
    ],
)
def test_distances_restricted(restrict, said):
    """And distances are as before."""
    distances = Distances(roadmap(GRID))
    before = distances.travel_ms(0, 0, 0, 24)
    for _ in range(2):
        with refused(said):
            distances.restrict(*restrict)
    assert distances.travel_ms(0, 0, 0, 24) == before


def test_distances_elsewhere():
    distances = Distances(roadmap(GRID))
    for _ in range(2):
        for question, said in (
            ((0, 0, 0, 99), "goal from 99"), ((0, 0, 0, -1), "goal from -1"),
            ((0, -1, 0, 9), "nodes from -1"), ((0, 99, 0, 9), "nodes from 99"),
            ((5, 0, 0, 9), "fleet from 5"),
        ):  # fmt: skip
            with refused(said):
                distances.travel_ms(*question)
    with refused("headings_deg is (1,) -> (2,)"):
        distances.travel_many(0, ints(0, 1), ints(0), 9)


def planner_of(kind: str, states: np.ndarray):
    nodes = np.arange(GRID.nodes, dtype=np.int32)
    if kind == "steps":
        return StepPlanner(GRID, StateTables(GRID, LANES), states)
    if kind == "crowd":
        return CrowdPlanner(NodeTables(GRID, Paces.of(LANES), nodes), states)
    if kind == "pibt":
        return PibtPlanner(GRID, StateTables(GRID, LANES), states)
    return RotationPlanner(FreedomTables(GRID, nodes), states)


@pytest.mark.parametrize("kind", ["steps", "crowd", "pibt", "rotations"])
def test_planners_of_steps(kind):
    with refused("robot 1 stands in another's cell"):
        planner_of(kind, ints(0, 3))
    with refused("states from 0 to 100 -> 0 to 99"):
        planner_of(kind, ints(0, 100))
    planner, two = planner_of(kind, ints(0, 16)), np.zeros(2, np.int64)
    for goals, counts, said in (
        (ints(24), two, "goals is (1,) -> (2,)"),
        (ints(24, 25), two, "goals from 24 to 25"),
        (ints(24, -2), two, "goals from -2 to 24"),
        (ints(24, 20), two[:1], "is (1,) -> (2,)"),
    ):
        more = (goals, counts) if kind == "rotations" else (goals, goals, counts)
        with refused(said):
            planner.plan(*more, lambda made: True)


def test_what_is_beyond_and_what_robots_count():
    planner, goals, two = planner_of("steps", ints(0, 16)), ints(24, 20), np.zeros(2, np.int64)
    with refused("onward from -1 to 25"):
        planner.plan(goals, ints(-1, 25), two, lambda made: True)
    with refused("weight is (1,) -> (2,)"):
        planner.plan(goals, goals, two, lambda made: True, two[:1])


@pytest.mark.parametrize("length", [0, LENGTH_MAX + 1])
def test_operations_of_another_length(length):
    with refused(f"length {length} -> 1 to {LENGTH_MAX}"):
        StepPlanner(GRID, StateTables(GRID, LANES), ints(0), StepParameters(length=length))


def test_tables():
    every = np.arange(GRID.nodes, dtype=np.int32)
    free = Lanes(LANES.pace * 0)
    for make in (
        lambda lanes: StateTables(GRID, lanes),
        lambda lanes: NodeTables(GRID, Paces.of(lanes), every),
    ):
        with refused("pace from 0, unit 4 -> 1 or more"):
            make(free)
        for goal in (-1, 25):
            with refused(f"goals from {goal} to {goal} -> 0 to 24"):
                make(LANES).rows(ints(goal))
    with refused("pace from 0"):
        StateTables(GRID, LANES).repave(free)


def test_a_task_without_errands():
    tables = StateTables(GRID, LANES)
    with refused("a task has no errands"):
        TaskMatcher(tables).match({7: []}, ints(0), ints(-1))


def test_a_goal_that_was_not_named():
    tables = NodeTables(GRID, Paces.of(LANES), ints(3, 4))
    with refused("goal 5 has no table -> name it beforehand"):
        tables.rows(ints(3, 5))


def test_trips():
    with refused("trips from 0 to 99 -> 0 to 24"):
        spread(GRID, LANES, ints(0, 99).reshape(1, 2), 3.0)
    with refused("moving nan"):
        spread(GRID, LANES, ints(0, 20).reshape(1, 2), float("nan"))
    with refused("rounds 0"):
        spread(GRID, LANES, ints(0, 20).reshape(1, 2), 3.0, SpreadParameters(rounds=0))
    nowhere = spread(GRID, LANES, np.empty((0, 2), np.int32), 3.0)
    assert nowhere.pace.tolist() == [LANES.pace.tolist()]


def test_one_shot_problems():
    with refused("samples 0 -> 1 or more"):
        Parameters(samples=0)
    with pytest.raises(ProblemError, match=re.escape("near is (2, 0) -> (nodes, 1 to")):
        solve(OneShot(np.empty((2, 0), np.int32), ints(0), ints(1)), lambda made: True)


def test_assignments():
    cost = np.array([[5, 1], [1, 5]], np.int64)
    with refused("cost_ms is (2, 2), drop_ms (1,) -> (T, R) and (T,)"):
        AssignmentProblem(cost, np.array([10], np.int64))
    with refused("cost_ms is (2,), drop_ms (2,)"):
        AssignmentProblem(cost[0], np.array([10, 10], np.int64))
    for costs, drop in ((cost, 2**62), (cost - 2**62, 10), (cost, COST_MAX + 1)):
        with refused("cost_ms from"):
            AssignmentProblem(costs, np.full(2, drop, np.int64))
    most = AssignmentProblem(cost, np.full(2, COST_MAX, np.int64))
    assert FlowAssigner().assign(most).tolist() == [1, 0]
