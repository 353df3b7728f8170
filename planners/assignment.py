"""Rolling assignment: a min-cost matching with drop arcs, solved by OR-Tools' min-cost flow."""

from __future__ import annotations

import numpy as np

from planners.protocols import UNREACHABLE, AssignmentProblem
from planners.roadmap import Ints


class FlowAssigner:
    """`protocols.Assigner`. Every task may stay open at its drop cost, so there always is an answer."""

    def assign(self, problem: AssignmentProblem) -> Ints:
        """Return (T,) the robot's column of each task, -1: none."""
        from ortools.graph.python import min_cost_flow  # noqa: PLC0415  (heavy: load when needed)

        tasks, robots = problem.cost_ms.shape
        answer = np.full(tasks, -1, np.int32)
        task, robot = np.nonzero(_nearest(problem))
        if len(task) == 0:
            return answer
        cost = problem.cost_ms[task, robot]
        source, sink, drop = tasks + robots, tasks + robots + 1, tasks + robots
        every = np.arange(tasks)
        heads = np.concatenate(
            [every, tasks + robot, np.full(tasks, sink), tasks + np.arange(robots)]
        )
        tails = np.concatenate([np.full(tasks, source), task, every, tasks + np.arange(robots)])
        heads[-robots:] = sink
        costs = np.concatenate([np.zeros(tasks), cost, problem.drop_ms, np.zeros(robots)])
        solver = min_cost_flow.SimpleMinCostFlow()
        arcs = solver.add_arcs_with_capacity_and_unit_cost(
            tails.astype(np.int32),
            heads.astype(np.int32),
            np.ones(len(tails), np.int64),
            costs.astype(np.int64),
        )
        solver.set_nodes_supplies(np.array([source, sink], np.int32), np.array([tasks, -tasks]))
        status = solver.solve()
        assert status == solver.OPTIMAL and drop == source, f"flow solver: {status}"
        flows = solver.flows(arcs[tasks : tasks + len(task)])
        chosen = flows > 0
        answer[task[chosen]] = robot[chosen]
        return answer


class NearestAssigner:
    """For ablation: task by task, the dearest to leave open first, takes its nearest free robot."""

    def assign(self, problem: AssignmentProblem) -> Ints:
        """Return (T,) the robot's column of each task, -1: none."""
        tasks, robots = problem.cost_ms.shape
        answer, free = np.full(tasks, -1, np.int32), np.ones(robots, bool)
        for task in np.argsort(-problem.drop_ms, kind="stable").tolist():
            cost = np.where(free, problem.cost_ms[task], UNREACHABLE)
            robot = int(cost.argmin()) if robots else -1
            if robot >= 0 and cost[robot] < min(int(problem.drop_ms[task]), UNREACHABLE):
                answer[task], free[robot] = robot, False
        return answer


class RandomAssigner:
    """For ablation: each task takes any free robot that can do it; `seed` decides."""

    def __init__(self) -> None:
        self.seed = 0

    def assign(self, problem: AssignmentProblem) -> Ints:
        """Return (T,) the robot's column of each task, -1: none."""
        chance = np.random.default_rng(self.seed)
        tasks, robots = problem.cost_ms.shape
        answer, free = np.full(tasks, -1, np.int32), np.ones(robots, bool)
        for task in chance.permutation(tasks).tolist():
            fits = np.flatnonzero(free & (problem.cost_ms[task] < UNREACHABLE))
            if len(fits):
                robot = int(chance.choice(fits))
                answer[task], free[robot] = robot, False
        return answer


def _nearest(problem: AssignmentProblem) -> np.ndarray:
    """(T, R) True for the pairs among the k cheapest of their task or of their robot."""
    cost = problem.cost_ms
    keep = np.zeros(cost.shape, bool)
    for axis in (0, 1):
        count = min(problem.neighbours, cost.shape[axis])
        near = np.argsort(cost, axis=axis, kind="stable").take(np.arange(count), axis=axis)
        np.put_along_axis(keep, near, True, axis=axis)
    useful = cost < np.minimum(problem.drop_ms[:, None], UNREACHABLE)
    return np.asarray(keep & useful)
