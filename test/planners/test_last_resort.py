"""Robots that priorities can't untangle are let through by LaCAM*, one move at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roadmaps import aisles, roadmap, walk
from test_pibt import planner_for, problem, scenes

from planners.last_resort import LastResort, LastResortParameters
from planners.protocols import PathProblem

EAST, NORTH = 0, 90


def lane(length, pocket, near=()):
    """A two-way lane with one place to step aside, north of node `pocket`."""
    edges = [(v, v + 1, EAST) for v in range(length - 1)]
    edges += [(v + 1, v, EAST) for v in range(length - 1)]
    edges += [(pocket, length, NORTH), (length, pocket, NORTH)]
    return roadmap(length + 1, edges, near=list(near))


def drive(arrays, planner, asked: PathProblem, windows, done=()):
    """Plan and make the moves, again and again; as the core does, with another seed when a robot has
    not moved for three windows. Returns the windows until all (or those of `done`) have been at their
    goals, -1: never."""
    who = list(done) or range(len(asked.node))
    still, reached = np.zeros(len(asked.node), int), np.zeros(len(asked.node), bool)
    for made in range(windows):
        plan = planner.plan(asked)
        node = walk(arrays, asked, plan)
        heading = asked.heading_deg.copy()
        for robot, edge in zip(plan.robot.tolist(), plan.edge.tolist(), strict=True):
            heading[robot] = arrays.edge_heading_deg[edge]
            reached[robot] |= arrays.edge_head[edge] == asked.goal[robot]
        if reached[who].all():
            return made
        still = np.where(node == asked.node, still + 1, 0)
        rings = bool((still[(asked.goal != node) & (asked.goal >= 0)] >= 3).any())
        still[:] = 0 if rings else still
        waited = np.where(reached, 0, asked.priority + 10).astype(np.int32)
        asked = replace(
            asked, node=node, heading_deg=heading, priority=waited, seed=asked.seed + rings
        )
    return -1


def test_two_face_to_face_change_places_at_the_one_place_to_step_aside():
    arrays = lane(9, 4)
    asked = problem([2, 6], [8, 0], horizon=6)
    assert drive(arrays, planner_for(arrays), asked, 60) == -1, "priorities alone never do it"
    assert drive(arrays, LastResort(arrays, planner_for(arrays)), asked, 60) >= 0


def test_a_robot_that_parks_without_a_goal_makes_way_and_a_fixed_one_does_not():
    arrays = lane(9, 4)
    planner = LastResort(arrays, planner_for(arrays), LastResortParameters(every=1))
    asked = problem([2, 8], [8, -1], horizon=6, priority=[5, 0])
    assert drive(arrays, planner_for(arrays), asked, 60, done=[0]) == -1
    assert drive(arrays, planner, asked, 60, done=[0]) >= 0
    stands = replace(asked, fixed=np.array([0, 1], np.int32))
    assert walk(arrays, stands, planner.plan(stands)).tolist()[1] == 8


def test_where_priorities_get_on_they_are_asked_alone():
    arrays = aisles(4, 6)
    asked = problem([0, 3, 9], [20, 12, 1], horizon=8, seed=3)
    plain = planner_for(arrays).plan(asked)
    plan = LastResort(arrays, planner_for(arrays)).plan(asked)
    assert plan.edge.tolist() == plain.edge.tolist() and len(plan.edge)


@pytest.mark.parametrize("seed", range(3))
def test_other_seeds_are_the_other_planners(seed):
    arrays = lane(9, 4)
    asked = problem([2, 6], [8, 0], horizon=6, seed=seed)
    plan, plain = (
        LastResort(arrays, planner_for(arrays)).plan(asked),
        planner_for(arrays).plan(asked),
    )
    assert plan.edge.tolist() == plain.edge.tolist()


@settings(max_examples=150, deadline=None)
@given(scenes(), st.integers(0, 99))
def test_every_plan_can_be_made_one_move_at_a_time(scene, seed):
    arrays, asked = scene
    asked = replace(asked, seed=seed)
    parameters = LastResortParameters(every=1, expansions=256, bytes_max=1 << 20)
    plans = [LastResort(arrays, planner_for(arrays), parameters).plan(asked) for _ in range(2)]
    walk(arrays, asked, plans[0])
    assert plans[0].robot.tolist() == plans[1].robot.tolist()
    assert plans[0].edge.tolist() == plans[1].edge.tolist()
