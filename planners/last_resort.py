"""When other tie-breaks don't help: LaCAM* lets the robot through that has waited longest.

Priorities alone can't change the places of two robots in a two-way lane, or lead several round in a
ring with one gap. The watchdog of the core asks again and again with another seed; when that was in
vain for a robot, the question is answered here until it is at its goal, and only where priorities
would bring it no nearer than it has been. LaCAM* knows nodes and edges only, those of that robot's
fleet, so its plan is put in a sequence of single moves, each checked against conflict sets and the
lanes of whoever makes it, and cut where none is possible; the core checks it once more.

Backing out of a lane takes longer than a plan lasts, and what one plan begins the next would undo. So
what is left of the plan before is kept as far as it brings the robot nearer than it has been, and
priorities plan what comes after. Each such place is nearer than the last: there is an end to them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planners.kernels.hops import FAR_HOPS, fill_hops, reverse
from planners.kernels.lacam import FOUND, RUNNING
from planners.protocols import Ints, PathPlan, PathProblem, Planner
from planners.roadmap import RoadmapArrays
from planners.search import DEGREE_MAX, Search

Bools = NDArray[np.bool_]
Moves = list[tuple[int, int]]  # rows and edges, in sequence
CHUNK = 64


@dataclass(frozen=True, slots=True)
class LastResortParameters:
    """When, and how much."""

    expansions: int = 4000
    tries: int = 4  # searches, where a plan can't be put in a sequence
    steps: int = 512  # of a plan, at most
    bytes_max: int = 1 << 26


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Who takes part, and where they may drive: the same for all, so no more than for each."""

    rows: Ints  # (A,) of the problem
    served: int  # place in `rows`
    edge_of: dict[tuple[int, int, int], int]  # by fleet, tail and head
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
        """Moves that bring the stalled robot nearer, or the other planner's."""
        row = problem.stalled
        crowd = None
        if row >= 0 and problem.goal[row] not in (-1, problem.node[row]) and not problem.fixed[row]:
            crowd = self._crowd(problem, row)
        if crowd is None:
            return self._planner.plan(problem)
        moves = self._as_far(problem, crowd, problem.rest.tolist())
        if not moves:
            plan = self._planner.plan(problem)
            if self._as_far(problem, crowd, _moves(plan)):
                return plan
            moves = self._let_through(problem, crowd)
            if not moves:
                return plan
        after = self._planner.plan(_after(problem, moves, self._arrays))
        table = np.array(moves + _moves(after), np.int32)
        return PathPlan(table[:, 0].copy(), table[:, 1].copy())

    def _as_far(self, problem: PathProblem, crowd: _Crowd, moves: Moves) -> Moves:
        """These moves up to where the robot served is nearer to its goal than it has been; none, where
        they don't bring it so far."""
        at, stands = self._standing(problem)
        row, hops = problem.stalled, crowd.hops[crowd.served]
        nearest = min(hops[problem.node[row]], hops[problem.been].min(initial=FAR_HOPS))
        for made, (robot, edge) in enumerate(moves, 1):
            possible = at[robot] == self._arrays.edge_tail[edge] and not problem.fixed[robot]
            if not possible or not self._free(problem, (robot, edge), at, stands):
                break
            self._move(problem, (robot, edge), at, stands)
            if robot == row and hops[at[row]] < nearest:
                return [(robot, edge) for robot, edge in moves[:made]]
        return []

    def _standing(self, problem: PathProblem) -> tuple[list[int], dict[int, int]]:
        """Where each robot stands, and who stands at each place of a fleet."""
        at, nodes = problem.node.tolist(), self._arrays.nodes
        places = zip(problem.fleet.tolist(), at, strict=True)
        return at, {fleet * nodes + node: row for row, (fleet, node) in enumerate(places)}

    def _move(
        self, problem: PathProblem, move: tuple[int, int], at: list[int], stands: dict[int, int]
    ) -> None:
        row, edge = move
        base = int(problem.fleet[row]) * self._arrays.nodes
        del stands[base + at[row]]
        at[row] = int(self._arrays.edge_head[edge])
        stands[base + at[row]] = row

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
        edge_of = self._usable(problem, np.unique(problem.fleet[rows]), allowed, stands)
        near = _near(edge_of, int(problem.fleet[served]), arrays.nodes)
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

    def _usable(
        self, problem: PathProblem, fleets: Ints, allowed: Bools, stands: Bools
    ) -> dict[tuple[int, int, int], int]:
        """By fleet, tail and head: edges open to it, past which nobody stands who takes no part."""
        arrays = self._arrays
        masks = arrays.edge_fleets.copy()
        masks[problem.changes[:, 0]] = problem.changes[:, 1]
        inside = allowed[arrays.edge_tail] & allowed[arrays.edge_head]
        offset, items = arrays.move_stands.offset, arrays.move_stands.items
        met = np.concatenate([[0], np.cumsum(stands[items])])
        edge_of: dict[tuple[int, int, int], int] = {}
        for fleet in fleets.tolist():
            move = fleet * arrays.swept + arrays.edge_sweep
            usable = inside & (masks >> fleet & 1).astype(bool)
            usable &= met[offset[move + 1]] == met[offset[move]]
            for e in np.flatnonzero(usable)[::-1].tolist():
                edge_of[fleet, int(arrays.edge_tail[e]), int(arrays.edge_head[e])] = e
        return edge_of

    def _let_through(self, problem: PathProblem, crowd: _Crowd) -> Moves:
        """The moves of a plan of LaCAM*, as far as they are needed; none, where there is no plan."""
        for turn in range(self._p.tries):
            nodes = self._searched(problem, crowd, turn)
            if nodes is None:
                break  # other dice rarely find more
            moves = self._sequence(problem, crowd, nodes[: self._p.steps + 1])
            moves = self._as_far(problem, crowd, moves)
            if moves:
                return moves
        return []

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

    def _sequence(self, problem: PathProblem, crowd: _Crowd, nodes: Ints) -> Moves:
        """The moves of a plan one at a time, as far as that is possible."""
        fleet, (at, stands) = problem.fleet.tolist(), self._standing(problem)
        moves: Moves = []
        for then in nodes[1:]:
            waiting = [
                (row, crowd.edge_of.get((fleet[row], at[row], to), -1))
                for row, to in zip(crowd.rows.tolist(), then.tolist(), strict=True)
                if at[row] != to
            ]
            while waiting:
                free = [move for move in waiting if self._free(problem, move, at, stands)]
                if not free:
                    return moves
                self._move(problem, free[0], at, stands)
                moves.append(free[0])
                waiting.remove(free[0])
        return moves

    def _free(
        self,
        problem: PathProblem,
        move: tuple[int, int],
        at: list[int],
        stands: dict[int, int],
    ) -> bool:
        """The edge is open to the robot, leads into no bay but its goal's, and nobody else stands where
        it would sweep."""
        arrays, (row, edge) = self._arrays, move
        if edge < 0:
            return False
        bay, goal = int(arrays.node_bay[arrays.edge_head[edge]]), int(problem.goal[row])
        own = (int(arrays.node_bay[at[row]]), int(arrays.node_bay[goal]) if goal >= 0 else -1)
        if bay >= 0 and bay not in own:
            return False
        number = int(problem.fleet[row]) * arrays.swept + int(arrays.edge_sweep[edge])
        offset = arrays.move_stands.offset
        swept = arrays.move_stands.items[offset[number] : offset[number + 1]].tolist()
        return all(stands.get(stand, row) == row for stand in swept)


def _moves(plan: PathPlan) -> Moves:
    return list(zip(plan.robot.tolist(), plan.edge.tolist(), strict=True))


def _after(problem: PathProblem, moves: Moves, arrays: RoadmapArrays) -> PathProblem:
    """The same, where these moves have been made."""
    node, heading = problem.node.copy(), problem.heading_deg.copy()
    for row, edge in moves:
        node[row], heading[row] = arrays.edge_head[edge], arrays.edge_heading_deg[edge]
    return replace(problem, node=node, heading_deg=heading)


def _near(edge_of: dict[tuple[int, int, int], int], fleet: int, nodes: int) -> Ints:
    """(N, K) where steps of this fleet lead, -1 behind the last."""
    ways: list[list[int]] = [[] for _ in range(nodes)]
    for of, tail, head in sorted(edge_of):
        if of == fleet:
            ways[tail].append(head)
    near = np.full((nodes, max(1, *map(len, ways))), -1, np.int32)
    for node, row in enumerate(ways):
        near[node, : len(row)] = row
    return near
