"""The matching against scipy's, and what pruning and drop arcs promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planners.assignment import FlowAssigner
from planners.protocols import UNREACHABLE, AssignmentProblem

DROP = 100_000


def total(cost, drop, chosen):
    return sum(
        int(drop[task]) if robot < 0 else int(cost[task, robot])
        for task, robot in enumerate(chosen.tolist())
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31))
def test_as_cheap_as_can_be(tasks, robots, seed):
    scipy_optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 5000, (tasks, robots))
    cost[rng.random(cost.shape) < 0.2] = UNREACHABLE
    drop = np.full(tasks, DROP) + rng.integers(0, 1000, tasks)
    chosen = FlowAssigner().assign(AssignmentProblem(cost, drop, neighbours=99))
    matched = chosen[chosen >= 0]
    assert len(set(matched.tolist())) == len(matched)
    padded = np.concatenate([cost, np.full((tasks, tasks), 2 * UNREACHABLE)], axis=1)
    padded[np.arange(tasks), robots + np.arange(tasks)] = drop
    rows, columns = scipy_optimize.linear_sum_assignment(padded)
    assert total(cost, drop, chosen) == padded[rows, columns].sum()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**31))
def test_pruned_it_still_is_a_matching_and_the_same_each_time(tasks, robots, seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 5000, (tasks, robots))
    problem = AssignmentProblem(cost, np.full(tasks, DROP), neighbours=3)
    chosen = FlowAssigner().assign(problem)
    matched = chosen[chosen >= 0]
    assert len(set(matched.tolist())) == len(matched) >= min(tasks, robots, 3)
    assert chosen.tolist() == FlowAssigner().assign(problem).tolist()


def test_nobody_can_then_nobody_does():
    problem = AssignmentProblem(np.full((2, 3), UNREACHABLE), np.full(2, DROP))
    assert FlowAssigner().assign(problem).tolist() == [-1, -1]


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (3, 0)])
def test_nothing_to_match(shape):
    problem = AssignmentProblem(np.zeros(shape, np.int64), np.full(shape[0], DROP))
    assert FlowAssigner().assign(problem).tolist() == [-1] * shape[0]
