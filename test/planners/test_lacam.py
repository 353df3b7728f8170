"""One-shot plans: valid by a checker in plain Python, optimal where LaCAM* says so, same by seed."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planners import lacam
from planners.grid import Grid
from planners.lacam import OneShot, Parameters, ProblemError, solve
from planners.search import Refinement


def up_to(most):
    return lambda made: made >= most


def check(near, start, goal, nodes):
    """Rules of the game, without numpy."""
    ways = [{u for u in row if u >= 0} for row in near.tolist()]
    rows = nodes.tolist()
    assert rows[0] == start.tolist()
    assert all(g in (-1, v) for v, g in zip(rows[-1], goal.tolist(), strict=True))
    for before, after in itertools.pairwise(rows):
        assert len(set(after)) == len(after), "two on one node"
        moved = set()
        for v, u in zip(before, after, strict=True):
            assert v == u or u in ways[v], "no way"
            assert (u, v) not in moved, "two change places"
            if u != v:
                moved.add((v, u))


def sum_of_costs(nodes, goal):
    ends = nodes[-1] if (goal < 0).any() else goal
    total = 0
    for column, end in zip(nodes.T.tolist(), ends.tolist(), strict=True):
        late = [t for t, v in enumerate(column) if v != end]
        total += late[-1] + 1 if late else 0
    return total


def loss(nodes, goal):
    steps = itertools.pairwise(nodes.tolist())
    return sum(
        v != g or u != g
        for before, after in steps
        for v, u, g in zip(before, after, goal.tolist(), strict=True)
    )


def least_loss(near, start, goal):
    """Dijkstra over joint places; None: no plan."""
    ways = [[v, *(u for u in row if u >= 0)] for v, row in enumerate(near.tolist())]
    first, last = tuple(start.tolist()), tuple(goal.tolist())
    best, heap = {first: 0}, [(0, first)]
    while heap:
        cost, at = heapq.heappop(heap)
        if at == last:
            return cost
        if cost > best[at]:
            continue
        for to in itertools.product(*(ways[v] for v in at)):
            pairs = set(zip(at, to, strict=True))
            if len(set(to)) < len(to) or any(v != u and (u, v) in pairs for v, u in pairs):
                continue
            step = sum(v != g or u != g for v, u, g in zip(at, to, last, strict=True))
            if cost + step < best.get(to, 1 << 30):
                best[to] = cost + step
                heapq.heappush(heap, (cost + step, to))
    return None


def on_grid(rows, start, goal):
    grid = Grid.of(np.array([[cell != "#" for cell in row] for row in rows]))
    return OneShot.on(grid, np.array(start, np.int32), np.array(goal, np.int32))


@st.composite
def problems(draw, side, agents_max):
    cells = draw(st.lists(st.sampled_from("...#"), min_size=side * side, max_size=side * side))
    free = [k for k, cell in enumerate(cells) if cell == "."]
    agents = draw(st.integers(1, max(1, min(agents_max, len(free)))))
    if len(free) < agents:
        cells, free = ["."] * side * side, list(range(side * side))
    places = list(range(len(free)))
    rows = ["".join(cells[side * r : side * (r + 1)]) for r in range(side)]
    return on_grid(
        rows, draw(st.permutations(places))[:agents], draw(st.permutations(places))[:agents]
    )


DEAD_ENDS = [[2, -1, -1], [4, -1, -1], [3, 5, 0], [4, 2, -1], [6, 3, 1], [2, -1, -1], [4, -1, -1]]
LEAST_AT_SAME_COST = OneShot(
    np.array(DEAD_ENDS, np.int32), np.arange(3, dtype=np.int32), np.array([3, 2, 4], np.int32)
)


LONG_WAYS = [[1, -1, -1], [0, 2, -1], [1, 3, 5], [2, 4, -1], [3, -1, -1], [2, -1, -1]]
LEAST_AT_MORE_COST = OneShot(
    np.array(LONG_WAYS, np.int32), np.array([3, 2, 0], np.int32), np.array([5, 2, 4], np.int32)
)


@settings(max_examples=60, deadline=None)
@given(problems(3, 3), st.integers(0, 3))
@example(LEAST_AT_SAME_COST, 0)
@example(LEAST_AT_MORE_COST, 0)
def test_small_ones_are_solved_at_least_loss_or_less_cost_or_proven_to_have_no_plan(problem, seed):
    least = least_loss(problem.near, problem.start, problem.goal)
    parameters = Parameters(seed=seed, bytes_max=1 << 24)
    if least is None:
        with pytest.raises(ProblemError):
            solve(problem, up_to(10**7), parameters)
        return
    plans = []
    plan = solve(
        problem,
        lambda made: made >= 200_000 or (bool(plans) and plans[-1].loss_optimal),
        parameters,
        plans.append,
    )
    check(problem.near, problem.start, problem.goal, plan.nodes)
    assert plan.cost == sum_of_costs(plan.nodes, problem.goal)
    for each in plans:
        found = loss(each.nodes, problem.goal)
        assert found >= least, "better than what is possible"
        assert found == least or not each.loss_optimal, "proven, and not so"
    assert plan.loss_optimal or plan.cost == plan.lower_bound or found > least


@settings(max_examples=40, deadline=None)
@given(problems(7, 30), st.integers(0, 9))
def test_crowds_keep_the_rules_and_only_get_better(problem, seed):
    told = []
    try:
        plan = solve(problem, up_to(4000), Parameters(seed=seed, bytes_max=1 << 25), told.append)
    except ProblemError:
        return  # cut off, or proven
    for each in told:
        check(problem.near, problem.start, problem.goal, each.nodes)
        assert each.cost == sum_of_costs(each.nodes, problem.goal) >= each.lower_bound
    costs = [each.cost for each in told]
    assert costs == sorted(costs, reverse=True)
    assert plan is None or plan is told[-1]


def aisles(agents, seed):
    """Shelves with aisles one wide, and agents all over the place."""
    block = ["." * 26, ".".join([""] + ["####"] * 5 + [""]), ".".join([""] + ["####"] * 5 + [""])]
    rows = block * 5 + block[:1]
    free = sum(row.count(".") for row in rows)
    chance = np.random.default_rng(seed)
    return on_grid(rows, chance.permutation(free)[:agents], chance.permutation(free)[:agents])


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    problem = aisles(80, 1)
    first, again, other = (
        solve(problem, up_to(3000), Parameters(seed=seed)).nodes for seed in (5, 5, 6)
    )
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_a_third_of_a_warehouse_of_aisles_is_solved_and_made_much_cheaper(seed):
    problem = aisles(85, seed)
    told = []
    plan = solve(problem, up_to(8000), Parameters(seed=seed), told.append)
    check(problem.near, problem.start, problem.goal, plan.nodes)
    assert plan.cost - plan.lower_bound < 0.6 * (told[0].cost - told[0].lower_bound)


def test_guides_keep_agents_out_of_each_others_way():
    """The mean of several halls: chance decides a single one."""
    alone = {"star": False, "refine": False}
    pairs = []
    for seed in range(5):
        problem = aisles(85, 10 + seed)
        pairs.append(
            [
                solve(
                    problem, up_to(9000), Parameters(seed=seed, guide_rounds=rounds, **alone)
                ).cost
                for rounds in (8, 0)
            ]
        )
    guided, plain = np.mean(pairs, axis=0)
    assert guided < 0.95 * plain


def test_two_change_places_where_there_is_one_bay():
    problem = on_grid(["......", "##.###"], [0, 5], [5, 0])
    plan = solve(problem, up_to(3000))
    check(problem.near, problem.start, problem.goal, plan.nodes)
    assert plan.cost == 12  # 5 each, and one into the bay and out again


def test_a_full_ring_turns():
    problem = on_grid(["...", ".#.", "..."], range(8), [1, 2, 4, 0, 7, 3, 5, 6])
    plan = solve(problem, up_to(3000))
    assert plan.cost == plan.lower_bound == 8 and plan.makespan == 1


def test_who_has_no_goal_makes_way():
    problem = on_grid([".....", "##.##"], [0, 1, 4], [4, -1, -1])
    plan = solve(problem, up_to(3000))
    check(problem.near, problem.start, problem.goal, plan.nodes)
    assert len(set(plan.nodes[-1].tolist())) == 3


def test_one_way_lanes_are_kept():
    ring = np.array([[1, 4], [2, -1], [3, -1], [0, -1], [0, -1]], np.int32)
    start, goal = np.array([0, 1], np.int32), np.array([3, 0], np.int32)
    plan = solve(OneShot(ring, start, goal), up_to(3000))
    check(ring, start, goal, plan.nodes)
    assert plan.cost == plan.lower_bound == 6


def test_no_time_is_no_plan_and_nobody_is_no_problem():
    assert solve(aisles(40, 0), up_to(0)) is None
    nobody = np.empty(0, np.int32)
    assert solve(OneShot(aisles(1, 0).near, nobody, nobody), up_to(10)).cost == 0


@pytest.mark.parametrize(
    ("start", "goal", "said"),
    [
        ([0, 0], [1, 2], "agents 0 and 1 have the same start"),
        ([0, 1], [2, 2], "agents 0 and 1 have the same goal"),
        ([0, 9], [1, 2], "agent 1: its start 9 is not on the graph"),
        ([0, -1], [1, 2], "agent 1: its start -1 is not on the graph"),
        ([0, 1], [2, 7], "agent 1: its goal 7 is not on the graph"),
        ([0, 1], [2, 3], "agent 1: no way from its start to its goal"),
        ([0, 1, 2], [2, 1, 0], "there is no plan"),
    ],
)
def test_what_is_no_problem_is_refused(start, goal, said):
    problem = on_grid(["...#.."], start, goal)
    with pytest.raises(ProblemError, match=said):
        solve(problem, up_to(100_000), Parameters(bytes_max=1 << 24))


def test_a_refinement_keeps_its_tables_in_step_with_its_plan():
    """After many neighbourhoods, its plan is still one that the rules allow."""
    problem = aisles(60, 3)
    first = solve(problem, up_to(9000), Parameters(star=False, refine=False))
    dist = distances(problem)
    refinement = Refinement(problem.near, first.nodes, problem.goal, dist, 1)
    gained = refinement.run(2000)
    plan = refinement.plan()
    check(problem.near, problem.start, problem.goal, plan)
    assert first.cost - gained == refinement.cost == sum_of_costs(plan, problem.goal)
    assert gained > 0


def distances(problem):
    """(A, N) steps to goals, breadth first in plain Python; the grid's ways go both ways."""
    table = np.full((len(problem.goal), len(problem.near)), 65535, np.uint16)
    ways = [[u for u in row if u >= 0] for row in problem.near.tolist()]
    for row, goal in zip(table, problem.goal.tolist(), strict=True):
        reached, steps = [goal], 0
        while reached:
            row[reached] = steps
            steps += 1
            reached = [u for u in {u for v in reached for u in ways[v]} if row[u] == 65535]
    return table


@pytest.mark.parametrize("budget", [1, 3, 17, 200])
def test_no_more_iterations_are_made_than_may_be(budget: int) -> None:
    """Given two robots that pass each other on a ring, then the budget is kept to the last one."""
    near = np.array([[(i + 1) % 8, (i - 1) % 8] for i in range(8)], np.int32)
    ends = np.array([0, 3, 5], np.int32)
    problem = OneShot(near, ends, np.roll(ends, 1))
    solver = lacam._Solver(problem, up_to(budget), Parameters(), None)
    solver.solve()
    assert 0 < solver._iterations <= budget
