"""Dense teams: few tasks at a time, who is done first counts most, ways that learn."""

from __future__ import annotations

import numpy as np

from planners.dense import UNCALLED, WEIGHT, FewMatcher, FewParameters, Lesson, shares
from planners.grid import Grid
from planners.guidance import alternate
from planners.kernels import operations as kernel
from planners.state_tables import StateTables

OPEN = np.ones((4, 6), bool)


def tables_of(free: np.ndarray, against: int = 0) -> tuple[Grid, StateTables]:
    grid = Grid.of(free)
    return grid, StateTables(grid, alternate(free, grid, against))


def learn(lesson: Lesson, tables: StateTables, standing: np.ndarray, steps: int) -> None:
    for _ in range(steps):
        if tables.lanes is not lesson.lanes:
            tables.repave(lesson.lanes)
        if lesson.stretch:
            tables.prepare(
                lesson.coming, 1
            )  # too few to be ready in time: the rest is filled at once
        lesson.learn(standing)


def test_few_have_tasks_and_those_are_done_soonest() -> None:
    """Given four robots of which three may have tasks and one has begun another, then two more have
    one, and no pair that was left out would have been done sooner."""
    _, tables = tables_of(OPEN)
    tasks = {7: [0, 5], 8: [23, 22], 9: [12, 13]}
    states = 4 * np.array([1, 13, 17, 22], np.int32)
    chosen = FewMatcher(tables, 3).match(tasks, states, np.full(4, -1, np.int32), begun=1)
    assert chosen.tolist() == [-1, 9, -1, 8], "the nearest with the shortest ways"
    assert (FewMatcher(tables, 1).match(tasks, states, chosen, begun=1) == -1).all()
    alone = FewMatcher(tables, 9).match({7: [0, 5]}, states, chosen)
    assert alone.tolist() == [7, -1, -1, -1], "as many as there are tasks"


def test_what_is_hard_comes_last() -> None:
    """Given a robot beside a task at a hard place and far from another one, then it takes the other
    one; the hard one when there is nothing else."""
    _, tables = tables_of(OPEN)
    hard = np.zeros(24, bool)
    hard[2] = True
    matcher = FewMatcher(tables, 1, hard=hard)
    state, none = np.array([0], np.int32), np.full(1, -1, np.int32)
    assert matcher.match({7: [1, 2], 8: [22, 23]}, state, none).tolist() == [8]
    assert FewMatcher(tables, 1).match({7: [1, 2], 8: [22, 23]}, state, none).tolist() == [7]
    assert matcher.match({7: [1, 2]}, state, none).tolist() == [7]


def test_who_has_least_left_counts_most() -> None:
    """Given what is left of some tasks, then weights fall with it, and who has none counts nothing."""
    _, tables = tables_of(OPEN)
    matcher = FewMatcher(tables, 3)
    ahead = [(4, [5, 0]), (-1, []), (6, [2])]
    left = matcher.left(ahead, 4 * np.array([0, 1, 1], np.int32))
    assert left[0] == 4 * (5 + 5) + tables.lanes.unit * 0 and left[2] == 4 and left[1] == UNCALLED
    assert shares(left, 2).tolist() == [WEIGHT // 2, 0, WEIGHT]


def test_ways_lead_round_those_who_stand() -> None:
    """Given a robot that stands in the middle of the shortest way for long, when the ways have learned
    it, then the way leads round it; when it has gone, by and by it leads there again."""
    free = np.ones((3, 5), bool)
    free[1, 1] = free[1, 3] = False
    grid = Grid.of(free)
    lesson = Lesson(grid, alternate(free, grid, 0), FewParameters(every=10, memory=10))
    tables = StateTables(grid, lesson.lanes)
    goal, start = np.array([4], np.int32), 0
    plain = int(tables.tables[tables.rows(goal)[0], start])
    learn(lesson, tables, np.array([2]), 45)
    fresh = StateTables(grid, lesson.lanes)
    assert (tables.tables[tables.rows(goal)] == fresh.tables[fresh.rows(goal)]).all()
    dear = int(tables.tables[tables.rows(goal)[0], start])
    assert plain < dear < plain + 48, "there is a way round"
    learn(lesson, tables, np.zeros(0, np.int64), 100)
    assert int(tables.tables[tables.rows(goal)[0], start]) == plain


def test_alike_operations_are_left_out_but_the_cheapest() -> None:
    """Given all operations, when those at the same places at the same times are left out, then each
    sequence of places is still there, at the least cost."""
    grid, tables = tables_of(OPEN, against=8)
    ops, states = kernel.operations(4), np.arange(0, 4 * grid.nodes, 5, dtype=np.int32)
    robots = np.arange(len(states))
    goals = ((states >> 2) * 7 % grid.nodes).astype(np.int32)
    rows, none = tables.rows(goals), np.full(len(states), -1, np.int32)
    best: list[list[dict[tuple[int, ...], int]]] = []
    for shape in (np.arange(len(ops)), kernel.shapes(ops)):
        ranked = np.zeros((len(states), len(ops)), np.int16)
        costs, counts = np.zeros((len(states), len(ops)), np.int64), np.zeros(len(states), np.int64)
        kernel.rank(
            robots, states, ops, shape, grid.ahead, goals, none, rows, rows, tables.tables,
            np.zeros(len(states), np.int64), 8, tables.lanes.unit, 3, ranked, costs, counts,
        )  # fmt: skip
        found: list[dict[tuple[int, ...], int]] = []
        for r in robots.tolist():
            ways: dict[tuple[int, ...], int] = {}
            for k in range(counts[r]):
                path = np.empty(5, np.int32)
                kernel.follow(states[r], ops[ranked[r, k]], grid.ahead, path)
                cost = int(costs[r, k])
                ways[tuple(path.tolist())] = min(cost, ways.get(tuple(path.tolist()), cost))
            found.append(ways)
        best.append(found)
        if len(best) == 2:
            assert counts.tolist() == [len(ways) for ways in found], "each of them once"
    assert best[0] == best[1]
