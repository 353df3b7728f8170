"""The arrays of LaCAM*'s search, and those of the refinement of a plan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planners.kernels import lacam, refine, sipp
from planners.protocols import Ints

Table = NDArray[np.uint16]
Longs = NDArray[np.int64]
STATES_MAX = 1 << 16  # of one agent's search
SLACK = 32  # times a plan may become longer
DEGREE_MAX = 14
ARMS = refine.KINDS * len(refine.SIZES)


def dice(seed: int, salt: int) -> NDArray[np.uint64]:
    """The state of a generator; never 0."""
    mixed = ((seed & 0xFFFFFFFF) * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) % (1 << 64)
    return np.array([mixed | 1], np.uint64)


class Search:
    """LaCAM* from one configuration; `bytes_max` bounds its arrays, of which untouched parts cost
    nothing."""

    def __init__(
        self, near: Ints, start: Ints, goal: Ints, dist: Table, bytes_max: int, seed: int
    ) -> None:
        nodes, agents = len(near), len(start)
        most = max(64, bytes_max // (8 * agents + 600))  # configurations
        self._dist = dist
        self._problem = (near, goal, dist, dist)
        self._nodes = (
            np.empty((most, agents), np.int32),  # configuration
            np.empty((most, agents), np.int32),  # urgency: steps away << 16 | steps at the start
            np.empty(most, np.int32),  # parent
            np.empty(most, np.int64),  # g
            np.empty(most, np.int64),  # h
            np.full(1 << (2 * most - 1).bit_length(), -1, np.int32),  # open addressing
        )
        self._lists = (
            np.empty(2 * most, np.int32),  # open
            np.zeros(most, np.uint8),  # mark
            np.full(most, -1, np.int32),  # first edge
            np.empty(4 * most, np.int32),  # next edge
            np.empty(4 * most, np.int32),  # to
            np.empty(4 * most, np.int32),  # cost
            np.empty(most, np.int32),  # queue
            np.zeros(most, np.uint8),  # waiting in it
        )
        self._constraints = (
            np.empty(most, np.int32),  # first, last of a configuration's
            np.empty(most, np.int32),
            *(np.empty(16 * most, np.int32) for _ in range(5)),  # next, above, who, where, depth
        )
        scratch = (
            np.full(nodes, -1, np.int32),  # now
            np.full(nodes, -1, np.int32),  # then
            *(np.empty(agents, np.int32) for _ in range(3)),  # stack, tried, count
            np.empty((agents, near.shape[1] + 1), np.int32),  # candidates
            np.empty(agents, np.int32),  # partner
        )
        self._work = (np.empty(agents, np.int32), np.empty(agents, np.int32), scratch)
        self._counter = np.array([0, 0, 0, 0, -1, 0], np.int64)
        self._dice = dice(seed, 1)
        _, place = lacam.lookup(start, self._nodes[5], self._nodes[0])
        lacam.add_node(start, -1, place, 0, self._problem, self._nodes, self._counter)
        lacam.open_tree(0, self._constraints, self._counter)
        lacam.push_open(0, self._lists, self._counter)

    def follow(self, rank: Table | None) -> None:
        """Prefer ways by `rank` (A, N); None: by steps to the goal."""
        self._problem = (*self._problem[:3], self._dist if rank is None else rank)

    def run(self, iterations: int, samples: int) -> int:
        """Search on: RUNNING, FOUND, EXHAUSTED or FULL."""
        status = lacam.search(
            iterations,
            samples,
            self._problem,
            self._nodes,
            self._lists,
            self._constraints,
            self._work,
            self._counter,
            self._dice,
        )
        return int(status)

    def inject(self, plan: Ints) -> None:
        """Let the search know a plan (T, A) that begins at its root."""
        lacam.inject(
            plan, self._problem, self._nodes, self._lists, self._constraints, self._counter
        )

    @property
    def loss(self) -> int:
        """Steps of agents that were not on their goals before and after, in the best plan; -1: none."""
        goal = self._counter[lacam.GOAL]
        return -1 if goal < 0 else int(self._nodes[3][goal])

    @property
    def nearest(self) -> int:
        """The least sum of steps that any configuration found is from the goals."""
        return int(self._nodes[4][: self._counter[lacam.NODES]].min())

    def plan(self) -> Ints:
        """(T, A) the best plan."""
        node, rows = int(self._counter[lacam.GOAL]), []
        while node >= 0:
            rows.append(self._nodes[0][node])
            node = int(self._nodes[2][node])
        return np.array(rows[::-1], np.int32)


class Refinement:
    """Large neighbourhood search on a plan (T, A); `goal` and `dist` fit where each agent ends."""

    def __init__(self, near: Ints, plan: Ints, goal: Ints, dist: Table, seed: int) -> None:
        steps, agents = plan.shape
        horizon = -(-(steps + SLACK) // 64) * 64
        self._paths = np.empty((agents, horizon), np.int32)
        self._paths[:, :steps] = plan.T
        self._paths[:, steps:] = plan[-1][:, None]
        self.lengths: Longs = arrivals(plan, goal)
        least = dist[np.arange(agents), plan[0]].astype(np.int64)
        busy = np.zeros((len(near), horizon // 64), np.uint64)
        who = np.empty((len(near), horizon), np.int32)
        refine.enter(self._paths, self.lengths, busy, who)
        pool = (
            *(np.empty(STATES_MAX, np.int32) for _ in range(5)),
            np.empty(horizon + 1, np.int32),
            (np.zeros(2 * STATES_MAX, np.int64), np.zeros(2 * STATES_MAX, np.int32)),
        )
        most = min(agents, int(refine.SIZES[-1]))
        self._arguments = (
            (self._paths, self.lengths, least),
            (near, goal, dist),
            (busy, who),
            pool,
            np.zeros(2, np.int64),
            (np.empty((most, horizon), np.int32), np.empty(most, np.int64)),
            (
                np.empty(agents + 1, np.int64),
                np.zeros(agents, np.uint8),
                np.empty(256, np.int64),
                np.ones(ARMS),
            ),
            dice(seed, 2),
        )

    def run(self, iterations: int) -> int:
        """Try some neighbourhoods; return the steps that were gained."""
        return int(refine.refine(iterations, *self._arguments))

    @property
    def cost(self) -> int:
        """The sum of costs: when each agent arrives for good."""
        return int(self.lengths.sum())

    def plan(self) -> Ints:
        """(T, A) as it is now."""
        return np.ascontiguousarray(self._paths[:, : int(self.lengths.max()) + 1].T)

    @staticmethod
    def size(nodes: int, agents: int, steps: int) -> int:
        """Bytes that its tables would take."""
        return (steps + SLACK + 64) * (4 * nodes + nodes // 8 + 4 * agents)


def arrivals(plan: Ints, goal: Ints) -> Longs:
    """(A,) when each agent of a plan (T, A) is on its goal (T, A or A,) for good."""
    away = plan != goal
    last = len(plan) - np.argmax(away[::-1], axis=0)
    times: Longs = np.where(away.any(axis=0), last, 0).astype(np.int64)
    return times


assert sipp.NONE == lacam.NONE
