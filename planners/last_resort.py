"""When other tie-breaks don't help: LaCAM* lets the robot through that has waited longest.

Priorities alone can't change the places of two robots in a two-way lane, or lead several round in a
ring with one gap. The watchdog of the core asks again and again with another seed; every few seeds the
question is answered here, and only where priorities would bring the longest waiting robot no nearer.
LaCAM* knows nodes and edges only, so its plan is put in a sequence of single moves, each checked
against conflict sets, and cut where none is possible; the core checks it once more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.kernels.hops import FAR_HOPS, fill_hops, reverse
from planners.kernels.lacam import FOUND, RUNNING
from planners.protocols import Ints, PathPlan, PathProblem, Planner
from planners.roadmap import RoadmapArrays
from planners.search import DEGREE_MAX, Search

Bools = NDArray[np.bool_]
CHUNK = 64


@dataclass(frozen=True, slots=True)
class LastResortParameters:
    """When, and how much."""

    every: int = 4  # seeds, of which the last is answered so; 0: none is
    expansions: int = 4000
    tries: int = 4  # searches, where a plan can't be put in a sequence
    steps: int = 64  # of a plan, at most
    bytes_max: int = 1 << 26


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Who takes part, and where they may drive: the same for all, so no more than for each."""

    rows: Ints  # (A,) of the problem
    served: int  # place in `rows`
    edge_of: dict[tuple[int, int], int]
    near: Ints  # (N, K)
    hops: NDArray[np.uint16]  # (A, N) to where each is drawn


class LastResort:
    """`protocols.Planner` around another one. Deterministic as far as that is."""

    def __init__(
        self,
        arrays: RoadmapArrays,
        planner: Planner,
        parameters: LastResortParameters | None = None,
    ) -> None:
        self._arrays, self._planner = arrays, planner
        self._p = parameters or LastResortParameters()

    def plan(self, problem: PathProblem) -> PathPlan:
        """The other planner's moves, or those that let the longest waiting robot through."""
        plan, every = self._planner.plan(problem), self._p.every
        if every <= 0 or problem.seed % every != every - 1:
            return plan
        waits = (problem.goal >= 0) & (problem.goal != problem.node) & (problem.fixed == 0)
        if not waits.any():
            return plan
        served = int(np.argmax(np.where(waits, problem.priority.astype(np.int64), -(1 << 40))))
        crowd = self._crowd(problem, served)
        if crowd is None or self._nearer(problem, crowd, plan):
            return plan
        return self._let_through(problem, crowd) or plan

    def _nearer(self, problem: PathProblem, crowd: _Crowd, plan: PathPlan) -> bool:
        """Whether the robot served is nearer to its goal after these moves."""
        row = int(crowd.rows[crowd.served])
        mine, hops = plan.edge[plan.robot == row], crowd.hops[crowd.served]
        end = int(self._arrays.edge_head[mine[-1]]) if len(mine) else int(problem.node[row])
        return bool(hops[end] < hops[problem.node[row]])

    def _crowd(self, problem: PathProblem, served: int) -> _Crowd | None:
        arrays = self._arrays
        bay = arrays.node_bay
        mine = {int(bay[problem.node[served]]), int(bay[problem.goal[served]])}
        allowed = (bay < 0) | np.isin(bay, sorted(mine))
        allowed[problem.blocked] = False
        takes_part = (problem.fixed == 0) & allowed[problem.node]
        rows = np.flatnonzero(takes_part).astype(np.int32)
        if not takes_part[served] or not allowed[problem.goal[served]]:
            return None
        stands = np.zeros(arrays.fleets * arrays.nodes, bool)
        stands[problem.fleet[~takes_part] * arrays.nodes + problem.node[~takes_part]] = True
        edges = np.flatnonzero(
            self._usable(problem, np.unique(problem.fleet[rows]), allowed, stands)
        )
        edge_of = {
            (int(arrays.edge_tail[e]), int(arrays.edge_head[e])): int(e) for e in edges[::-1]
        }
        near = _near(edge_of, arrays.nodes)
        if near.shape[1] > DEGREE_MAX:
            return None
        goal = problem.goal[rows]
        drawn = (goal >= 0) & allowed[goal]
        hops = np.empty((len(rows), arrays.nodes), np.uint16)
        fill_hops(
            np.where(drawn, goal, problem.node[rows]).astype(np.int32), reverse(near)[0], hops
        )
        at = int(np.searchsorted(rows, served))
        if hops[at, problem.node[served]] == FAR_HOPS:
            return None
        return _Crowd(rows, at, edge_of, near, hops)

    def _usable(self, problem: PathProblem, fleets: Ints, allowed: Bools, stands: Bools) -> Bools:
        """(E,) edges open to all fleets that take part, past which nobody stands who doesn't."""
        arrays = self._arrays
        masks = arrays.edge_fleets.copy()
        masks[problem.changes[:, 0]] = problem.changes[:, 1]
        usable = allowed[arrays.edge_tail] & allowed[arrays.edge_head]
        offset, items = arrays.move_stands.offset, arrays.move_stands.items
        met = np.concatenate([[0], np.cumsum(stands[items])])
        for fleet in fleets.tolist():
            move = fleet * arrays.swept + arrays.edge_sweep
            usable &= (masks >> fleet & 1).astype(bool)
            usable &= met[offset[move + 1]] == met[offset[move]]
        return usable

    def _let_through(self, problem: PathProblem, crowd: _Crowd) -> PathPlan | None:
        for turn in range(self._p.tries):
            nodes = self._searched(problem, crowd, turn)
            if nodes is None:
                continue
            moves, whole = self._sequence(problem, crowd, nodes[: self._p.steps + 1])
            table = np.array(moves, np.int32).reshape(-1, 2)
            plan = PathPlan(table[:, 0].copy(), table[:, 1].copy())
            if len(moves) and (whole or self._nearer(problem, crowd, plan)):
                return plan
        return None

    def _searched(self, problem: PathProblem, crowd: _Crowd, turn: int) -> Ints | None:
        """(T, A) nodes: a plan that serves one, everybody else drawn to its goal."""
        start = problem.node[crowd.rows].astype(np.int32)
        goal, dist = np.full_like(start, -1), np.zeros_like(crowd.hops)
        goal[crowd.served] = problem.goal[crowd.rows[crowd.served]]
        dist[crowd.served] = crowd.hops[crowd.served]
        seed = problem.seed + 7919 * turn
        search = Search(crowd.near, start, goal, dist, self._p.bytes_max, seed)
        search.follow(crowd.hops)
        for _ in range(0, self._p.expansions, CHUNK):
            status = search.run(CHUNK, 1)
            if status != RUNNING:
                return search.plan() if status == FOUND else None
        return None

    def _sequence(
        self, problem: PathProblem, crowd: _Crowd, nodes: Ints
    ) -> tuple[list[tuple[int, int]], bool]:
        """The moves of a plan one at a time, as far as that is possible; whether that is all."""
        arrays, fleet = self._arrays, problem.fleet.tolist()
        at = problem.node.tolist()
        stands = {f * arrays.nodes + v: r for r, (f, v) in enumerate(zip(fleet, at, strict=True))}
        moves: list[tuple[int, int]] = []
        for then in nodes[1:]:
            waiting = [
                (row, crowd.edge_of[at[row], to])
                for row, to in zip(crowd.rows.tolist(), then.tolist(), strict=True)
                if at[row] != to
            ]
            while waiting:
                free = [move for move in waiting if self._free(move, fleet, at, stands)]
                if not free:
                    return moves, False
                row, edge = free[0]
                del stands[fleet[row] * arrays.nodes + at[row]]
                at[row] = int(arrays.edge_head[edge])
                stands[fleet[row] * arrays.nodes + at[row]] = row
                moves.append((row, edge))
                waiting.remove((row, edge))
        return moves, True

    def _free(
        self, move: tuple[int, int], fleet: list[int], at: list[int], stands: dict[int, int]
    ) -> bool:
        """Nobody else stands where the robot would sweep, and it may go there."""
        arrays, (row, edge) = self._arrays, move
        number = fleet[row] * arrays.swept + int(arrays.edge_sweep[edge])
        offset = arrays.move_stands.offset
        swept = arrays.move_stands.items[offset[number] : offset[number + 1]].tolist()
        return all(stands.get(stand, row) == row for stand in swept)


def _near(edge_of: dict[tuple[int, int], int], nodes: int) -> Ints:
    """(N, K) where steps lead, -1 behind the last."""
    ways: list[list[int]] = [[] for _ in range(nodes)]
    for tail, head in sorted(edge_of):
        ways[tail].append(head)
    near = np.full((nodes, max(1, *map(len, ways))), -1, np.int32)
    for node, row in enumerate(ways):
        near[node, : len(row)] = row
    return near
