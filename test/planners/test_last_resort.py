"""Robots that priorities can't untangle are let through by LaCAM*, one move at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roadmaps import aisles, roadmap, walk
from test_pibt import planner_for, problem, scenes

from planners import last_resort
from planners.kernels.lacam import RUNNING
from planners.last_resort import LastResort, LastResortParameters
from planners.protocols import PathPlan, PathProblem
from planners.roadmap import Rows
from planners.search import Search

EAST, NORTH = 0, 90


def lane(length, pocket, near=()):
    """A two-way lane with one place to step aside, north of node `pocket`."""
    edges = [(v, v + 1, EAST) for v in range(length - 1)]
    edges += [(v + 1, v, EAST) for v in range(length - 1)]
    edges += [(pocket, length, NORTH), (length, pocket, NORTH)]
    return roadmap(length + 1, edges, near=list(near))


def drive(arrays, planner, asked: PathProblem, windows, done=(), made=None):
    """Plan and make `made` of the moves (None: all), again and again, as the core does; with another
    seed when the watchdog rings for a robot: when it came to no new node for three windows. Returns the
    windows until all (or those of `done`) have been at their goals, -1: never."""
    who = list(done) or range(len(asked.node))
    still, reached = np.zeros(len(asked.node), int), np.zeros(len(asked.node), bool)
    rings, been = np.zeros(len(asked.node), np.int32), {*enumerate(asked.node.tolist())}
    for window in range(windows):
        plan = planner.plan(asked)
        rest = np.stack([plan.robot, plan.edge], axis=1)[len(plan.edge) if made is None else made :]
        plan = PathPlan(plan.robot[:made], plan.edge[:made])
        node = walk(arrays, asked, plan)
        heading = asked.heading_deg.copy()
        for robot, edge in zip(plan.robot.tolist(), plan.edge.tolist(), strict=True):
            heading[robot] = arrays.edge_heading_deg[edge]
            reached[robot] |= arrays.edge_head[edge] == asked.goal[robot]
        if reached[who].all():
            return window
        here = {(r, int(arrays.edge_head[e])) for r, e in zip(plan.robot, plan.edge, strict=True)}
        new = [robot for robot, _ in here - been]
        still = np.where(np.isin(np.arange(len(node)), new), 0, still + 1)
        been |= here
        late = (still >= 3) & (asked.goal != node) & (asked.goal >= 0)
        rings = np.where(reached, 0, rings + late)
        still[late] = 0
        waited = np.where(reached, 0, asked.priority + 10).astype(np.int32)
        vain = int(np.argmax(rings)) if rings.max() >= 3 else -1
        asked = replace(
            asked, node=node, heading_deg=heading, priority=waited, seed=asked.seed + int(late.any()),
            stalled=vain, been=np.array([n for robot, n in been if robot == vain], np.int32),
            rest=rest if vain >= 0 else rest[:0],
        )  # fmt: skip
    return -1


def test_two_face_to_face_change_places_at_the_one_place_to_step_aside():
    arrays = lane(9, 4)
    asked = problem([2, 6], [8, 0], horizon=6)
    assert drive(arrays, planner_for(arrays), asked, 60) == -1, "priorities alone never do it"
    assert drive(arrays, LastResort(arrays, planner_for(arrays)), asked, 60) >= 0


@pytest.mark.parametrize("made", [1, 2, 3, 5])
@pytest.mark.parametrize("pocket", [3, 4, 6])
def test_of_each_plan_but_the_beginning_is_driven(made, pocket):
    arrays = lane(9, pocket)
    asked = problem([2, 6], [8, 0], horizon=6)
    planner = LastResort(arrays, planner_for(arrays))
    assert drive(arrays, planner, asked, 200, made=made) >= 0


def test_what_is_left_of_a_plan_is_kept_as_far_as_it_brings_the_robot_nearer():
    arrays = lane(9, 4)
    planner = LastResort(arrays, planner_for(arrays))
    asked = replace(problem([4, 5], [8, 0], horizon=6, priority=[9, 0]), stalled=0)
    plan = planner.plan(asked)
    whole = np.stack([plan.robot, plan.edge], axis=1)
    then = replace(asked, node=walk(arrays, asked, PathPlan(*whole[:1].T)), rest=whole[1:])
    again = planner.plan(then)
    kept = list(zip(again.robot.tolist(), again.edge.tolist(), strict=True))
    nearer = next(i for i, (r, e) in enumerate(whole) if r == 0 and arrays.edge_head[e] > 4)
    assert kept[:nearer] == [tuple(row) for row in whole[1 : nearer + 1].tolist()]
    wrong = replace(then, rest=whole[2:])  # begins where nobody is
    assert walk(arrays, wrong, planner.plan(wrong)) is not None


def for_two_fleets(arrays, barred):
    """The same floor for a second fleet, which may not drive the edges `barred`."""

    def both(rows, count):
        table = [rows.items[a:b].tolist() for a, b in pairwise(rows.offset.tolist())]
        return Rows.of([row + [item + count for item in row] for row in table] * 2)

    fleets = arrays.edge_fleets | 2
    fleets[barred] = 1
    return replace(
        arrays, edge_fleets=fleets, edge_ms=np.repeat(arrays.edge_ms, 2, axis=0),
        turn_ms=np.repeat(arrays.turn_ms, 2), move_stands=both(arrays.move_stands, arrays.nodes),
        move_moves=both(arrays.move_moves, arrays.edges),
        stand_stands=both(arrays.stand_stands, arrays.nodes),
    )  # fmt: skip


def test_a_robot_of_a_fleet_with_lanes_of_its_own_makes_way_on_those_that_it_may_drive():
    arrays = for_two_fleets(lane(9, 4), [7, 15])  # the others never pass between nodes 7 and 8
    fleet = np.array([0, 1], np.int32)
    asked = replace(problem([2, 6], [8, 0], horizon=6), fleet=fleet)
    assert drive(arrays, LastResort(arrays, planner_for(arrays)), asked, 60) >= 0


def test_a_robot_that_parks_without_a_goal_makes_way_and_a_fixed_one_does_not():
    arrays = lane(9, 4)
    planner = LastResort(arrays, planner_for(arrays))
    asked = problem([2, 8], [8, -1], horizon=6, priority=[5, 0])
    asked = replace(asked, stalled=0)
    assert drive(arrays, planner_for(arrays), asked, 60, done=[0]) == -1
    assert drive(arrays, planner, asked, 60, done=[0]) >= 0
    stands = replace(asked, fixed=np.array([0, 1], np.int32))
    assert walk(arrays, stands, planner.plan(stands)).tolist()[1] == 8


def test_where_priorities_get_on_they_are_asked_alone():
    arrays = aisles(4, 6)
    asked = problem([0, 3, 9], [20, 12, 1], horizon=8, seed=3)
    asked = replace(asked, stalled=0)
    plain = planner_for(arrays).plan(asked)
    plan = LastResort(arrays, planner_for(arrays)).plan(asked)
    assert plan.edge.tolist() == plain.edge.tolist() and len(plan.edge)


def test_while_nobody_is_stalled_the_other_planner_is_asked_alone():
    arrays = lane(9, 4)
    asked = problem([2, 6], [8, 0], horizon=6, seed=3)
    plain = planner_for(arrays).plan(asked)
    assert LastResort(arrays, planner_for(arrays)).plan(asked).edge.tolist() == plain.edge.tolist()


class Nothing:
    """A planner that moves nobody."""

    def plan(self, problem):
        return PathPlan(np.empty(0, np.int32), np.empty(0, np.int32))


def ladder(rungs, length):
    """`rungs` two-way lanes, each with one place to step aside, at a two-way lane that joins them."""
    edges = []
    for rung in range(rungs):
        low = rung * (length + 1)
        ways = [(v, v + 1, EAST) for v in range(low, low + length - 1)]
        ways.append((low + length // 2, low + length, NORTH))
        ways += [(low, low + length + 1, NORTH)] if rung < rungs - 1 else []
        edges += ways + [(b, a, heading) for a, b, heading in ways]
    return roadmap(rungs * (length + 1), edges)


def test_on_a_large_floor_only_those_around_take_part():
    rungs, length = 60, 9
    arrays = ladder(rungs, length)
    lows = [rung * (length + 1) for rung in range(rungs)]
    node = [low + at for low in lows for at in (2, 6)]
    goal = [low + at for low in lows for at in (8, 1)]
    row = 60  # of the lane in the middle
    planner = LastResort(arrays, Nothing(), LastResortParameters(nodes=64))
    asked = replace(problem(node, goal, horizon=6), stalled=row)
    asked = replace(asked, been=np.array([node[row] + 1, node[row] + 2, node[row] + 3], np.int32))
    plan = planner.plan(asked)
    assert walk(arrays, asked, plan)[row] > node[row] + 3
    assert set(plan.robot.tolist()) <= set(range(row - 10, row + 12))
    far = asked.node[:20].copy()
    assert walk(arrays, asked, plan)[:20].tolist() == far.tolist()


def test_where_those_around_do_not_do_more_take_part():
    arrays = lane(19, 16)
    asked = problem([2, 6], [18, 0], horizon=6)
    asked = replace(asked, stalled=0, been=np.arange(3, 12, dtype=np.int32))
    few = LastResortParameters(nodes=8)
    plan = LastResort(arrays, Nothing(), few).plan(asked)
    assert walk(arrays, asked, plan)[0] == 12


@pytest.mark.parametrize("work", [1, 31, 200, 1000])
def test_no_more_work_than_the_budget_allows(work, monkeypatch):
    """However little is left of it for the last search, in the larger part of the floor."""
    made = []

    class Vain(Search):
        def __init__(self, near, start, *more):
            super().__init__(near, start, *more)
            self.agents = len(start)

        def run(self, iterations, samples):
            made.append(iterations * self.agents)
            return RUNNING

    monkeypatch.setattr(last_resort, "Search", Vain)
    asked = replace(problem([2, 6], [18, 0], horizon=6), stalled=0)
    parameters = LastResortParameters(nodes=8, expansions=90, work=work)
    assert not len(LastResort(lane(19, 16), Nothing(), parameters).plan(asked).edge)
    assert sum(made) <= work and (len(made) > 0) == (work > 1)


def test_what_was_in_vain_is_searched_again_only_when_something_has_changed(monkeypatch):
    """Two face to face in a lane where nobody can step aside."""
    searched = []

    class Counted(Search):
        def __init__(self, *parts):
            searched.append(parts)
            super().__init__(*parts)

    monkeypatch.setattr(last_resort, "Search", Counted)
    edges = [(v, v + 1, EAST) for v in range(3)]
    arrays = roadmap(4, edges + [(b, a, EAST) for a, b, _ in edges])
    asked = replace(problem([1, 2], [3, 0], horizon=6), stalled=0)
    planner, counts = LastResort(arrays, Nothing()), []
    for change in ({}, {"horizon": 8}, {"seed": 1}, {"been": np.array([1], np.int32)}):
        asked = replace(asked, **change)
        assert not len(planner.plan(asked).edge)
        counts.append(len(searched))
    assert counts[0] == counts[1] < counts[2] < counts[3]


def test_of_a_plan_no_more_is_laid_out_than_is_used(monkeypatch):
    laid, sequence = [], LastResort._sequence
    monkeypatch.setattr(
        LastResort, "_sequence", lambda *parts: laid.append(sequence(*parts)) or laid[-1]
    )
    asked = replace(problem([4, 5], [8, 0], horizon=6), stalled=0)
    plan = LastResort(lane(9, 4), Nothing()).plan(asked)
    assert laid[-1] == list(zip(plan.robot.tolist(), plan.edge.tolist(), strict=True)) != []


@settings(max_examples=150, deadline=None)
@given(scenes(), st.integers(0, 99))
def test_every_plan_can_be_made_one_move_at_a_time(scene, seed):
    arrays, asked = scene
    asked = replace(asked, seed=seed, stalled=seed % len(asked.node))
    parameters = LastResortParameters(expansions=256, bytes_max=1 << 20)
    plans = [LastResort(arrays, planner_for(arrays), parameters).plan(asked) for _ in range(2)]
    walk(arrays, asked, plans[0])
    assert plans[0].robot.tolist() == plans[1].robot.tolist()
    assert plans[0].edge.tolist() == plans[1].edge.tolist()
