"""Paths: valid one move at a time, nobody starves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roadmaps import aisles, roadmap, walk

from planners.distances import Distances
from planners.grid import Grid
from planners.grid import roadmap as of_grid
from planners.pibt import PibtPlanner
from planners.protocols import PathProblem
from planners.roadmap import RoadmapArrays


def problem(node, goal, heading=None, fixed=None, priority=None, blocked=(), horizon=10, seed=0):
    def ints(values):
        return np.array(values, np.int32)

    count = len(node)
    return PathProblem(
        fleet=ints([0] * count),
        node=ints(node),
        heading_deg=ints([0] * count if heading is None else heading),
        goal=ints(goal),
        fixed=ints([0] * count if fixed is None else fixed),
        priority=ints([0] * count if priority is None else priority),
        blocked=ints(blocked),
        horizon=horizon,
        seed=seed,
    )


def planner_for(arrays: RoadmapArrays) -> PibtPlanner:
    return PibtPlanner(arrays, Distances(arrays))


@st.composite
def scenes(draw):
    """A random directed roadmap with conflict sets and bays, and robots on it that don't touch."""
    nodes = draw(st.integers(3, 12))
    pairs = st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1))
    ends = draw(
        st.lists(pairs.filter(lambda p: p[0] != p[1]), min_size=2, max_size=30, unique=True)
    )
    headings = st.sampled_from((0, 45, 90, 180, 270))
    edges = [(a, b, draw(headings)) for a, b in ends]
    near = draw(st.lists(pairs, max_size=5))
    bays = {node: 0 for node in draw(st.sets(st.integers(0, nodes - 1), max_size=3))}
    arrays = roadmap(nodes, edges, bays, near)
    rows, taken, where = arrays.stand_stands, set(), []
    for node in draw(st.permutations(range(nodes))):
        close = set(rows.items[rows.offset[node] : rows.offset[node + 1]].tolist())
        if not close & taken:
            taken.add(node)
            where.append(node)
    where = where[: draw(st.integers(1, len(where)))]
    count = len(where)
    each = st.integers(-1, nodes - 1)
    return arrays, problem(
        where,
        draw(st.lists(each, min_size=count, max_size=count)),
        draw(st.lists(headings, min_size=count, max_size=count)),
        draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)),
        draw(st.lists(st.integers(0, 50), min_size=count, max_size=count)),
        draw(st.lists(st.integers(0, nodes - 1), max_size=2, unique=True)),
        seed=draw(st.integers(0, 1000)),
    )


@settings(max_examples=300, deadline=None)
@given(scenes())
def test_every_plan_can_be_made_one_move_at_a_time(scene):
    arrays, asked = scene
    plan = planner_for(arrays).plan(asked)
    walk(arrays, asked, plan)
    again = planner_for(arrays).plan(asked)
    assert plan.robot.tobytes() == again.robot.tobytes()
    assert plan.edge.tobytes() == again.edge.tobytes()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_grids_are_a_special_case(data):
    free = np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=4,
                                       max_size=4)))  # fmt: skip
    free[0, :2] = True
    arrays = of_grid(Grid.of(free))
    cells = st.integers(0, arrays.nodes - 1)
    where = data.draw(st.lists(cells, min_size=1, max_size=8, unique=True))
    goals = data.draw(st.lists(cells, min_size=len(where), max_size=len(where)))
    asked = problem(where, goals)
    walk(arrays, asked, planner_for(arrays).plan(asked))


def test_a_robot_goes_to_its_goal_and_stops_there():
    arrays = roadmap(4, [(0, 1, 0), (1, 2, 0), (2, 3, 90), (3, 0, 180)])
    asked = problem([0], [3])
    plan = planner_for(arrays).plan(asked)
    assert plan.edge.tolist() == [0, 1, 2]


def test_turns_cost_steps():
    arrays = roadmap(3, [(0, 1, 180), (1, 2, 180)])
    plan = planner_for(arrays).plan(problem([0], [2], heading=[0], horizon=3))
    assert plan.edge.tolist() == [0], "two steps of turning, one of driving"


def test_who_stands_idle_in_the_way_is_pushed_on():
    arrays = roadmap(4, [(0, 1, 0), (1, 2, 0), (2, 3, 0), (3, 0, 0)])
    asked = problem([0, 1], [2, -1])
    assert walk(arrays, asked, planner_for(arrays).plan(asked))[0] == 2


def test_a_fixed_robot_is_driven_around():
    arrays = roadmap(4, [(0, 1, 0), (1, 3, 0), (0, 2, 0), (2, 3, 0)])
    asked = problem([0, 1], [3, -1], fixed=[0, 1])
    assert walk(arrays, asked, planner_for(arrays).plan(asked)).tolist() == [3, 1]


def test_who_leaves_a_bay_goes_before_who_wants_in():
    edges = [(0, 1, 0), (1, 2, 0), (2, 0, 0), (1, 3, 0), (3, 1, 0)]
    arrays = roadmap(4, edges, {3: 0})
    asked = problem([1, 3], [3, 0], priority=[5, 0])
    assert walk(arrays, asked, planner_for(arrays).plan(asked)).tolist() == [3, 0]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("share", [0.4, 0.6])
def test_nobody_starves(share, seed):
    """One-way aisles, bays to bays, 1,000 windows: everybody arrives, again and again."""
    arrays = aisles(6, 5)
    rng = np.random.default_rng(seed)
    bays = np.flatnonzero(arrays.node_bay >= 0)
    core = int((arrays.node_bay < 0).sum())
    count = round(share * core)
    node = np.sort(rng.choice(bays, count, replace=False)).astype(np.int32)
    goal, heading = _new_goals(rng, bays, node, node.copy()), np.zeros(count, np.int32)
    planner = planner_for(arrays)
    arrived, waited, longest = np.zeros(count, int), np.zeros(count, np.int32), 0
    for _ in range(1000):
        asked = problem(node, goal, heading, priority=waited, horizon=4)
        plan = planner.plan(asked)
        for robot, edge in zip(plan.robot.tolist(), plan.edge.tolist(), strict=True):
            heading[robot] = arrays.edge_heading_deg[edge]
        node = walk(arrays, asked, plan).astype(np.int32)
        there = node == goal
        arrived += there
        waited = np.where(there, 0, waited + 40).astype(np.int32)
        longest = max(longest, int(waited.max()) // 40)
        goal = _new_goals(rng, bays, node, goal)
    assert longest < 200, f"a robot was on its way for {longest} windows"
    assert arrived.min() >= 10


def _new_goals(rng, bays, node, goal):
    """A free bay for everybody who has arrived."""
    goal = goal.copy()
    for robot in np.flatnonzero(goal == node).tolist():
        taken = set(goal.tolist()) | set(node.tolist())
        free = [bay for bay in bays.tolist() if bay not in taken]
        if free:
            goal[robot] = free[rng.integers(len(free))]
    return goal


def test_ways_lead_round_places_where_others_wait_for_as_long_as_they_do():
    """Given two ways of which one is shorter, when that one counts as longer for a while, then the
    other is taken meanwhile, also where a third place is closed."""
    edges = [(0, 1, 0), (1, 3, 0), (0, 2, 0), (2, 3, 0), (3, 0, 0), (0, 4, 0), (4, 0, 0)]
    arrays = roadmap(5, edges, edge_ms=[1000, 1000, 1400, 1400, 1000, 1000, 1000])
    planner, free = planner_for(arrays), problem([0], [3])
    jam = np.array([[1, 900]], np.int32)
    for scene, ways in (
        (free, [0, 1]),
        (replace(free, delays=jam), [2, 3]),
        (replace(free, delays=np.array([[1, 700]], np.int32)), [0, 1]),
        (replace(free, delays=jam, blocked=np.array([4], np.int32)), [2, 3]),
        (replace(free, blocked=np.array([4], np.int32)), [0, 1]),
        (free, [0, 1]),
    ):
        assert planner.plan(scene).edge.tolist() == ways
