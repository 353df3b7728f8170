"""Crowds on random floors: no conflict ever, no step over its budget, every errand done in the end."""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np
import pytest
from floors_at_random import biconnected, blocks, judged
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from planners import jam
from planners.crowd import CrowdPlanner, NodeTables
from planners.grid import Grid
from planners.guidance import Paces, alternate
from planners.jam import JamParameters, Watchdog
from planners.kernels.lacam import RUNNING
from planners.kernels.unfold import keep_up, proceed, sequence
from planners.lacam import OneShot, Parameters, ProblemError, solve
from planners.protocols import fitting
from planners.search import Search
from planners.state_tables import StateTables
from planners.steps import StepParameters, StepPlanner

ERRANDS, BUDGET = 2, 48


def planner_on(kind, free, states, parameters):
    """One of the two step planners; the one for crowds in parts, as on large floors."""
    grid, lanes = Grid.of(free), alternate(free, Grid.of(free), 4)
    if kind == "steps":
        return grid, StepPlanner(grid, StateTables(grid, lanes), states, parameters)
    tables = NodeTables(grid, Paces.of(lanes), np.arange(grid.nodes, dtype=np.int32))
    return grid, CrowdPlanner(tables, states, parameters)


class Day:
    """Robots that have one errand after the other, each step judged."""

    def __init__(self, kind, free, states, errands, budget=BUDGET, parts=1, **jam):
        parameters = StepParameters(
            length=3, tries=60, parts=parts, cells_min=4, jam=JamParameters(**jam)
        )
        self.grid, self.planner = planner_on(kind, free, states, parameters)
        self.states, self.errands, self.budget = states, errands, budget
        self.done = np.zeros(len(states), int)
        self.waited = np.zeros(len(states), np.int64)
        self.rows, self.dearest = [], 0

    def goals(self):
        robots, count = np.arange(len(self.states)), self.errands.shape[1]
        while True:
            goal = self.errands[robots, np.minimum(self.done, count - 1)]
            hit = (self.done < count) & (goal == self.states >> 2)
            if not hit.any():
                return np.where(self.done < count, goal, self.states >> 2).astype(np.int32)
            self.done[hit] += 1
            self.waited[hit] = 0

    def over(self):
        self.goals()
        return bool((self.done == self.errands.shape[1]).all())

    def run(self, steps):
        """Until all is done, at most so many steps; return how many were made."""
        for made in range(steps):
            if self.over():
                return made
            self.step()
        return steps

    def step(self):
        goals, before = self.goals(), self.planner.iterations
        none = np.full(len(goals), -1, np.int32)
        actions = self.planner.plan(goals, none, self.waited.copy(), self.stop)
        self.dearest = max(self.dearest, self.planner.iterations - before)
        self.waited += 1
        self.states = judged(self.grid, self.states, actions)
        assert self.planner.made().tolist() == self.states.tolist()
        self.rows.append(actions.tobytes())

    def stop(self, made):
        return made >= self.budget


@st.composite
def crowds(draw, side, densest=0.95):
    """(free, states, errands) on a random biconnected floor, up to 95 % of its cells taken."""
    seed = draw(st.integers(0, 10**6))
    free = biconnected(seed, draw(st.integers(4, side)), draw(st.floats(0, 0.3)))
    nodes = int(free.sum())
    assume(nodes >= 6)
    robots = max(2, int(draw(st.floats(0.1, densest)) * nodes))
    chance = np.random.default_rng(seed + 1)
    where = chance.permutation(nodes)[:robots]
    states = (4 * where + chance.integers(0, 4, robots)).astype(np.int32)
    return free, states, chance.integers(0, nodes, (robots, ERRANDS))


def packed(side, share, seed=0):
    """The same without drawing: a hall without walls."""
    chance, nodes = np.random.default_rng(seed), side * side
    where = chance.permutation(nodes)[: int(share * nodes)]
    states = (4 * where + chance.integers(0, 4, len(where))).astype(np.int32)
    return np.ones((side, side), bool), states, chance.integers(0, nodes, (len(where), ERRANDS))


@pytest.mark.parametrize("kind", ["steps", "crowd"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.filter_too_much], deadline=None)
@given(crowd=crowds(7))
@example(crowd=packed(6, 0.95))
def test_every_errand_is_done_in_the_end_and_no_rule_is_broken(kind, crowd):
    free, states, errands = crowd
    day = Day(kind, free, states, errands)
    most = 200 + 60 * len(states)
    assert day.run(most) < most, "somebody never comes to its goal"
    assert day.dearest <= BUDGET, "a step over its budget"
    assert not day.planner.watchdog.hopeless


@pytest.mark.parametrize("kind", ["steps", "crowd"])
def test_who_is_only_far_away_drives_on(kind):
    """Given a corridor so long that its costs don't fit into 16 bits, against its lane, then a robot
    comes nearer in each step, and nobody takes it for one without a way."""
    free, goals = np.ones((1, 9000), bool), np.zeros(1, np.int32)
    grid, lanes = Grid.of(free), alternate(free, Grid.of(free), 4)
    start = np.array([4 * 8999 + 2], np.int32)
    parameters = StepParameters(length=3, jam=JamParameters(patience=2, alone=1))
    if kind == "steps":
        planner = StepPlanner(grid, StateTables(grid, lanes), start, parameters)
    else:
        planner = CrowdPlanner(NodeTables(grid, Paces.of(lanes), goals), start, parameters)
    for step in range(40):
        planner.plan(goals, goals - 1, np.zeros(1, np.int64), lambda made: made >= 64)
        assert planner.made().tolist() == [4 * (8998 - step) + 2]
    assert not planner.watchdog.hopeless


def test_far_is_not_without_a_way_whatever_costs_say():
    """Given costs that don't tell far from never, then only what is on another part of the floor counts
    as without a way."""
    free = np.ones((3, 40), bool)
    free[1] = False
    grid = Grid.of(free)
    dog = Watchdog(grid, 2, JamParameters(patience=2, alone=1, table=0, alone_far=1, cells=4))
    states, goals = np.array([4 * 39 + 2, 4 * 40], np.int32), np.array([0, 20], np.int32)
    saturated = np.full(2, 1 << 30, np.int64)
    for _ in range(12):
        dog.look(states, goals, saturated, lambda r, c: np.full((len(r), len(c)), 1 << 30), no_stop)
    assert dog.hopeless == {1: 20}


def no_stop(made: int) -> bool:
    return False


def test_without_the_watchdog_the_same_crowd_stands_still():
    """So it is the watchdog that does it."""
    free, states, errands = packed(6, 0.95)
    day = Day("steps", free, states, errands, patience=0)
    assert day.run(400) == 400 and not day.over()
    watched = Day("steps", free, states, errands)
    assert watched.run(400) < 400 and watched.planner.watchdog.undone > 3


@pytest.mark.parametrize("kind", ["steps", "crowd"])
def test_it_is_bit_equal_for_any_number_of_cores(kind):
    free, states, errands = packed(7, 0.9, 3)
    days = []
    for cores in (1, numba.config.NUMBA_NUM_THREADS, 1):
        numba.set_num_threads(cores)
        try:
            day = Day(kind, free, states, errands, parts=3)
            day.run(80)
        finally:
            numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
        days.append(day)
    assert days[0].planner.watchdog.undone > 0
    assert days[0].rows == days[1].rows == days[2].rows


@pytest.mark.parametrize("kind", ["steps", "crowd"])
def test_on_a_large_floor_only_those_around_take_part(kind):
    """A corner is jammed; the rest of the hall goes on meanwhile."""
    free, states, errands = packed(11, 0.6, 5)
    day = Day(kind, free, states, errands, table=1, cells=40, patience=8, alone_far=4)
    held = set()
    while not day.over() and len(day.rows) < 1500:
        day.step()
        held.add(len(day.planner.watchdog.robots))
    assert day.over() and day.planner.watchdog.undone > 0
    assert 1 < max(held) <= 40 < len(states)


def test_a_small_budget_thinks_for_several_steps():
    free, states, errands = packed(5, 0.95)
    day = Day("steps", free, states, errands, budget=3)
    assert day.run(4000) < 4000 and day.dearest <= 3


@pytest.mark.parametrize("kind", ["steps", "crowd"])
def test_who_can_never_get_there_is_named(kind):
    """Two face to face in an aisle without a bay, and one whose goal lies behind a wall."""
    free = np.array([[1, 1, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]], bool)
    where = np.array([1, 2, 7], np.int32)
    errands = np.array([[3], [0], [4]])
    day = Day("steps" if kind == "steps" else "crowd", free, 4 * where, errands)
    day.run(400)
    assert day.planner.watchdog.hopeless == {0: 3, 1: 0, 2: 4}
    day.errands[2] = 10
    day.run(40)
    assert 2 not in day.planner.watchdog.hopeless and day.done[2] == 1, (
        "another goal, another chance"
    )


@settings(max_examples=25, deadline=None)
@given(crowds(6))
def test_a_plan_is_unfolded_into_turns_and_drives_that_keep_its_sequence(crowd):
    free, states, errands = crowd
    grid = Grid.of(free)
    _, first = np.unique(errands[:, 0], return_index=True)
    goal = np.full(len(states), -1, np.int32)
    goal[first] = errands[first, 0]
    problem = OneShot.on(grid, states >> 2, goal)
    first_only = Parameters(guide_rounds=0, star=False, refine=False, bytes_max=1 << 22)
    try:
        found = solve(problem, lambda made: made >= 500, first_only)
    except ProblemError:
        return
    assume(found is not None)
    now, seen = states, {node: [r] for r, node in enumerate((states >> 2).tolist())}
    for actions in unfolded(found.nodes, states, grid):
        before, now = now >> 2, judged(grid, now, actions.astype(np.int32))
        for robot in np.flatnonzero(before != now >> 2).tolist():
            seen.setdefault(int(now[robot]) >> 2, []).append(robot)
    assert (now >> 2).tolist() == found.nodes[-1].tolist()
    assert seen == visitors(found.nodes)


def unfolded(plan, states, grid):
    """(T, A) actions until all have made their visits."""
    visits = sequence(plan, grid.nodes)
    none = np.zeros(len(states), np.int64)
    actions = proceed(visits, none, states, grid.ahead, 3 * len(plan))
    last = np.flatnonzero(actions.any(axis=0)).max(initial=-1)
    return actions[:, : last + 1].T


def visitors(plan):
    """Who comes to each node, in sequence."""
    seen = {node: [robot] for robot, node in enumerate(plan[0].tolist())}
    for before, after in pairwise(plan):
        for robot in np.flatnonzero(before != after).tolist():
            seen.setdefault(int(after[robot]), []).append(robot)
    return seen


def test_a_full_ring_turns_as_one_once_all_have_turned():
    free = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
    grid = Grid.of(free)
    ring = [0, 1, 2, 4, 7, 6, 5, 3]
    plan = np.array([ring, ring[1:] + ring[:1]], np.int32)
    actions = unfolded(plan, (4 * plan[0] + 2).astype(np.int32), grid)
    assert len(actions) == 3 and (actions[-1] == 1).all(), "half a turn for some; then all at once"


def test_who_is_late_keeps_its_place_in_the_sequence_and_who_is_lost_ends_it():
    """A robot that is held up at any step: the others wait where they must, and all arrive."""
    free, states, _ = packed(5, 0.8, 2)
    grid, chance = Grid.of(free), np.random.default_rng(0)
    goal = np.full(len(states), -1, np.int32)
    goal[0] = (states[0] >> 2) ^ 12
    found = solve(OneShot.on(grid, states >> 2, goal), lambda made: made >= 500)
    visits, made = sequence(found.nodes, grid.nodes), np.zeros(len(states), np.int64)
    for _ in range(400):
        lost, left = keep_up(visits, made, states)
        assert not lost
        if not left:
            break
        actions = proceed(visits, made, states, grid.ahead, 1)[:, 0].astype(np.int32)
        late = chance.random(len(states)) < 0.3
        for _ in states:  # whoever would drive into one that is held up is held up, too
            late |= (actions == 1) & np.isin(grid.ahead[states], states[late] >> 2)
        states = judged(grid, states, np.where(late, 0, actions))
    assert (states >> 2).tolist() == found.nodes[-1].tolist()
    assert keep_up(visits, made, states ^ 4)[0]


@pytest.mark.parametrize(
    ("most", "used", "given_"), [(10, 0, 8), (10, 7, 2), (10, 10, 0), (64, 0, 16)]
)
def test_what_is_done_at_a_time_fits_the_budget(most, used, given_):
    assert fitting(lambda made: made >= most, used, 16) == given_


def test_blocks_are_those_of_a_chain_of_rings():
    ways = [[1, 2], [0, 2], [0, 1, 3], [2, 4, 5], [3, 5], [3, 4]]
    assert sorted(blocks(ways)) == [[0, 1, 2], [2, 3], [3, 4, 5]]


def seen(free, where, goals, steps, **parameters):
    """A watchdog that has seen robots stand on nodes for so many steps; those, and where they are."""
    grid = Grid.of(free)
    states, goals = 4 * np.array(where, np.int32), np.array(goals, np.int32)
    tables = NodeTables(grid, Paces.of(alternate(free, grid, 0)), np.arange(grid.nodes))
    dog = Watchdog(grid, len(where), JamParameters(**parameters))

    def look():
        togo = tables.togo(goals, states)
        dog.look(
            states, goals, togo, lambda r, n: tables.tables[goals[r][:, None], n], lambda _: False
        )

    def drive():
        """Until all are free again; return how many steps that takes."""
        made = 0
        while len(dog.robots):
            actions = dog.acts(states, 1)[:, 0].astype(np.int32)
            states[dog.robots] = grid.moved(states[dog.robots], actions)
            look()
            made += 1
        return made

    for _ in range(steps):
        look()
    return dog, states, drive


def test_on_a_sparse_floor_only_those_around_stand_meanwhile():
    where = [379, 378, 398, 399, 5, 10, 15]
    dog, *_ = seen(np.ones((20, 20), bool), where, [200, *where[1:]], 128)
    assert dog.robots.tolist() == [0, 1, 2, 3]
    assert 0 < len(dog.closed) <= JamParameters().cells_first


def test_on_a_dense_floor_all_take_part():
    where = [379, *range(150)]
    dog, *_ = seen(np.ones((20, 20), bool), where, [200, *where[1:]], 128)
    assert len(dog.robots) == len(where) and not len(dog.closed)


def test_what_all_turns_have_in_common_is_made_once(monkeypatch):
    """Given three that are stuck, when no search may do anything, then all have had their turn in one
    step, and where everybody wants to was looked up once."""
    made, fill = [], jam.fill_hops
    monkeypatch.setattr(jam, "fill_hops", lambda *parts: made.append(fill(*parts)))
    dog, *_ = seen(np.ones((4, 4), bool), [0, 1, 2], [5, 6, 7], 40, short=0, expansions=0)
    assert (dog.given_up, len(dog.robots), len(made)) == (1, 0, 1)


class Blind(Search):
    """Finds nothing for the first robot, however long it looks."""

    def __init__(self, near, start, goal, *more):
        super().__init__(near, start, goal, *more)
        self.lost = goal[0] >= 0

    def run(self, iterations, samples):
        return RUNNING if self.lost else super().run(iterations, samples)


def test_another_is_let_through_when_that_is_sooner(monkeypatch):
    """A lane with a dead end in its middle: one wants in, and another one, inside, wants out."""
    monkeypatch.setattr(jam, "Search", Blind)
    free = np.zeros((2, 13), bool)
    free[0], free[1, 6] = True, True
    where, goals = [6, 13, 4, 5, 7, 8], [13, 3, 4, 5, 7, 8]
    dog, states, drive = seen(free, where, goals, 40)
    assert (dog.undone, dog.given_up) == (1, 0) and drive() < 20 and states[1] >> 2 == 3
    alone, *_ = seen(free, where, goals, 40, tried=1)
    assert (alone.undone, alone.given_up) == (0, 1)


def test_who_is_sent_elsewhere_while_it_is_searched_for_is_not_hopeless():
    """Two face to face in an aisle: one can't get past the other, but where it shall go by now."""
    free, states = np.ones((1, 4), bool), np.array([4, 8], np.int32)
    grid, goals = Grid.of(free), np.array([3, 0], np.int32)
    tables = NodeTables(grid, Paces.of(alternate(free, grid, 0)), np.arange(4, dtype=np.int32))
    dog = Watchdog(grid, 2, JamParameters(patience=4, short=100))
    for budget in (0, 0, 0, 0, 0, 0, 1000):
        if budget:
            assert len(dog.robots) == 2, "it has begun, without time to search"
            goals[0] = 0
        dog.look(
            states, goals, tables.togo(goals, states),
            lambda r, n: tables.tables[goals[r][:, None], n],
            lambda made, most=budget: made >= most,
        )  # fmt: skip
    assert not len(dog.robots), "all has been looked at"
    assert dog.hopeless.get(0) != 0
