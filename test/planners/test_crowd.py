"""Tables by cell, and the matching of thousands: against the plain way of computing the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from planners.crowd import CrowdMatcher, CrowdMatchParameters
from planners.grid import Grid
from planners.guidance import Paces, alternate
from planners.kernels import crowd
from planners.lorr_scheduler import MatchParameters, TaskMatcher
from planners.node_tables import NodeTables
from planners.state_tables import StateTables

Cost = Callable[[int, int], int]


def hall(seed: int) -> tuple[Grid, np.ndarray]:
    """A random map whose free cells hold together well enough."""
    free = np.random.default_rng(seed).random((9, 11)) > 0.25
    free[4, :] = True
    return Grid.of(free), free


def tables_of(grid: Grid, free: np.ndarray) -> NodeTables:
    """Ways to everywhere, nothing dearer than anything else."""
    paces = Paces.of(alternate(free, grid, 0))
    return NodeTables(grid, paces, np.arange(grid.nodes, dtype=np.int32))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("against", [0, 8])
def test_cell_tables_agree_with_state_tables(seed: int, against: int) -> None:
    """Without turns a way costs no more than with them; one action ahead, turns are in."""
    grid, free = hall(seed)
    lanes = alternate(free, grid, against)
    goals = np.arange(grid.nodes, dtype=np.int32)
    cells, states = NodeTables(grid, Paces.of(lanes), goals), StateTables(grid, lanes)
    rows = states.rows(goals)
    for goal in goals[::7].tolist():
        exact = states.tables[rows[goal]].astype(np.int64)
        way = cells.tables[goal]
        for state in range(4 * grid.nodes):
            looked = crowd.togo(state, goal, way, lanes.pace, grid.ahead, lanes.unit)
            if exact[state] < 65535:
                assert way[state >> 2] <= looked <= exact[state]
            straight = grid.ahead[state] == goal and exact[state] < 65535
            if straight:
                assert looked == exact[state]


def drawn(
    seed: int, robots: int, tasks: int
) -> tuple[CrowdMatcher, dict[int, list[int]], np.ndarray, Cost]:
    """A matcher without queues, tasks and robots at random, and what a task costs a robot."""
    grid, free = hall(seed)
    tables = tables_of(grid, free)
    chance = np.random.default_rng(5)
    reached = np.flatnonzero(tables.tables[grid.nodes // 2] < 65535).astype(np.int32)
    states = 4 * chance.choice(reached, robots, replace=False).astype(np.int32)
    wanted = {100 + n: chance.choice(reached, 2).tolist() for n in range(tasks)}

    def cost(robot: int, task: int) -> int:
        first, last = wanted[task]
        rest = int(tables.tables[last, first]) * parameters.rest_permille // 1000
        return int(tables.tables[first, states[robot] >> 2]) + rest

    parameters = CrowdMatchParameters(queue=0, margin=0, others=tasks)
    matcher = CrowdMatcher(tables, parameters)
    return matcher, wanted, states, cost


def test_no_two_would_gain_by_an_exchange() -> None:
    """Given tasks and robots at random, some with a task, when they are matched until nothing changes,
    then no task is given twice, a task that is begun stays, and no exchange of two robots, nor any
    free task, would save anything."""
    matcher, tasks, states, cost = drawn(1, 12, 15)
    held = np.full(12, -1, np.int32)
    held[3], held[5] = 104, 999  # 999: begun, so not among the tasks that may change hands
    for _ in range(20):
        before = held
        held = matcher.match(tasks, states, held)
        assert len(set(held.tolist())) == 12 and held[5] == 999
        if (held == before).all():
            break
    else:
        pytest.fail("it never settles")
    chosen = {robot: task for robot, task in enumerate(held.tolist()) if robot != 5}
    for robot, task in chosen.items():
        for other in set(tasks) - set(chosen.values()):
            assert cost(robot, task) <= cost(robot, other)
        for rival, theirs in chosen.items():
            both = cost(robot, task) + cost(rival, theirs)
            assert both <= cost(robot, theirs) + cost(rival, task)


def test_a_queue_makes_others_go_elsewhere() -> None:
    """Given two places with tasks, one a little nearer to all robots, when queues count, then not all
    robots go to the nearer one."""
    free = np.ones((3, 20), bool)
    grid = Grid.of(free)
    tables = tables_of(grid, free)
    near, far = 25, 27
    tasks = {n: 2 * [near if n < 9 else far] for n in range(18)}
    states = 4 * np.array([0, 1, 2, 3, 4, 20, 21, 22, 23], np.int32)
    none = np.full(9, -1, np.int32)
    for queue, most in ((0, 9), (16, 6)):
        matcher = CrowdMatcher(tables, CrowdMatchParameters(queue=queue))
        chosen = matcher.match(tasks, states, none)
        assert (chosen >= 0).all() and int((chosen < 9).sum()) <= most
        assert queue or int((chosen < 9).sum()) == 9


def test_whoever_finds_its_places_taken_looks_at_others() -> None:
    """Given many robots far from all tasks, which look at the same few places first, when they are
    matched, then all have a task: without one they would stand in the others' way."""
    free = np.ones((4, 40), bool)
    grid = Grid.of(free)
    tables = tables_of(grid, free)
    tasks = {n: [40 * (n % 4) + n // 4, 3] for n in range(40)}  # in the west, one at each place
    states = 4 * np.array([40 * (n % 4) + 39 - n // 4 for n in range(36)], np.int32)
    matcher = CrowdMatcher(tables, CrowdMatchParameters(places=3))
    chosen = matcher.match(tasks, states, np.full(36, -1, np.int32))
    assert (chosen >= 0).all() and len(set(chosen.tolist())) == 36


def test_pairs_are_bounded() -> None:
    """Given more pairs than may be looked at, when they are matched, then some robots wait, and have
    their turn when asked again."""
    grid, free = hall(2)
    tables = tables_of(grid, free)
    tasks = {n: [n, n + 1] for n in range(10)}
    states = 4 * np.arange(20, 28, dtype=np.int32)
    matcher = CrowdMatcher(tables, CrowdMatchParameters(pairs=20))
    held = np.full(8, -1, np.int32)
    seen = []
    for _ in range(5):
        held = matcher.match(tasks, states, held)
        seen.append(int((held >= 0).sum()))
    assert seen[0] == 2 and seen[-1] == 8


@pytest.mark.parametrize("kind", [TaskMatcher, CrowdMatcher])
def test_a_near_task_with_a_long_way_behind_it_is_not_left_for_a_far_one(kind: type) -> None:
    """What is left is done later, so most of the way behind its first errand is not saved. Where it
    counts in full, the far task has less left in all."""
    free = np.ones((1, 40), bool)
    grid = Grid.of(free)
    many = kind is CrowdMatcher
    tables = tables_of(grid, free) if many else StateTables(grid, alternate(free, grid, 0))
    tasks, robot, nothing = (
        {0: [1, 21], 1: [6, 7]},
        np.array([0], np.int32),
        np.array([-1], np.int32),
    )
    assert kind(tables).match(tasks, robot, nothing).tolist() == [0]
    full = (CrowdMatchParameters if many else MatchParameters)(rest_permille=1000)
    assert kind(tables, full).match(tasks, robot, nothing).tolist() == [1]
