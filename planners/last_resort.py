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

Only robots around take part, those at the nodes that are nearest; everybody else stands meanwhile. The
robot is led to the node among them from which its way is shortest. Where that is in vain, four times as
many nodes are tried, as long as that is little work: a large floor must not make requests late.
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

    nodes: int = 256  # around the robot; four times as many when that isn't enough
    table: int = 1 << 21  # robots that take part x nodes of the floor, at most
    expansions: int = 4000  # of one search,
    work: int = 1 << 17  # and expansions x robots of all of them
    tries: int = 4  # searches, where a plan can't be put in a sequence
    steps: int = 512  # of a plan, at most
    bytes_max: int = 1 << 26


@dataclass(frozen=True, slots=True)
class _Way:
    """Of the robot served, were it not for those who can make way."""

    fleet: int
    lanes: Ints  # (N, K) where its edges lead from each node, -1 behind the last
    allowed: Bools  # (N,) nodes
    takes_part: Bools  # (R,) who can
    hops: NDArray[np.uint16]  # (N,) to its goal
    near: Ints  # nodes it can get to or come from, the nearest first


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Who takes part, and where they may drive: the same for all, so no more than for each."""

    nodes: Ints  # (C,) ascending
    rows: Ints  # (A,) of the problem
    served: int  # place in `rows`
    edge_of: dict[tuple[int, int, int], int]  # by fleet, tail and head
    near: Ints  # (C, K) in the places of `nodes`
    goal: Ints  # (A,) likewise: where each is drawn
    hops: NDArray[np.uint16]  # (A, C) to there


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
        self._vain: tuple[object, ...] = ()  # the last question to which there was no answer

    def plan(self, problem: PathProblem) -> PathPlan:
        """Moves that bring the stalled robot nearer, or the other planner's."""
        row = problem.stalled
        way = None
        if row >= 0 and problem.goal[row] not in (-1, problem.node[row]) and not problem.fixed[row]:
            way = self._way(problem, row)
        if way is None:
            return self._planner.plan(problem)
        moves = self._as_far(problem, way, problem.rest.tolist())
        if not moves:
            plan = self._planner.plan(problem)
            if self._as_far(problem, way, _moves(plan)):
                return plan
            asked = _asked(problem)
            moves = self._let_through(problem, way) if asked != self._vain else []
            if not moves:
                self._vain = asked
                return plan
        after = self._planner.plan(_after(problem, moves, self._arrays))
        table = np.array(moves + _moves(after), np.int32)
        return PathPlan(table[:, 0].copy(), table[:, 1].copy())

    def _as_far(self, problem: PathProblem, way: _Way, moves: Moves) -> Moves:
        """These moves up to where the robot served is nearer to its goal than it has been; none, where
        they don't bring it so far."""
        at, stands = self._standing(problem)
        row, hops, nearest = problem.stalled, way.hops, _nearest(problem, way)
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

    def _way(self, problem: PathProblem, served: int) -> _Way | None:
        arrays = self._arrays
        bay, fleet = arrays.node_bay, int(problem.fleet[served])
        start, goal = problem.node[served], problem.goal[served]
        allowed = (bay < 0) | (bay == bay[start]) | (bay == bay[goal])
        allowed[problem.blocked] = False
        takes_part = (problem.fixed == 0) & allowed[problem.node]
        edges = self._usable(problem, fleet, allowed, takes_part)
        tail, head = arrays.edge_tail[edges], arrays.edge_head[edges]
        lanes = _near(tail, head, arrays.nodes)
        hops = _hops(goal[None], lanes)[0]
        if not takes_part[served] or not allowed[goal] or hops[start] == FAR_HOPS:
            return None
        both = _near(np.append(tail, head), np.append(head, tail), arrays.nodes)
        away = _hops(start[None], both)[0]
        near = np.argsort(away, kind="stable")[: np.count_nonzero(away < FAR_HOPS)]
        return _Way(fleet, lanes, allowed, takes_part, hops, near.astype(np.int32))

    def _crowd(self, problem: PathProblem, way: _Way, most: int) -> _Crowd | None:
        """Those at the nearest nodes, `most` at most; None, where the robot can't be led out there."""
        arrays = self._arrays
        nodes = np.sort(way.near[:most])
        inside = np.zeros(arrays.nodes, bool)
        inside[nodes] = True
        takes_part = way.takes_part & inside[problem.node]
        rows = np.flatnonzero(takes_part).astype(np.int32)
        if most > self._p.nodes and len(rows) * arrays.nodes > self._p.table:
            return None
        edge_of: dict[tuple[int, int, int], int] = {}
        for fleet in np.unique(problem.fleet[rows]).tolist():
            edges = self._usable(problem, fleet, inside, takes_part)[::-1]
            ends = zip(
                arrays.edge_tail[edges].tolist(), arrays.edge_head[edges].tolist(), strict=True
            )
            edge_of |= {
                (fleet, *pair): edge for pair, edge in zip(ends, edges.tolist(), strict=True)
            }
        steps = np.array([key[1:] for key in edge_of if key[0] == way.fleet], np.int32).reshape(
            -1, 2
        )
        tail, head = np.searchsorted(nodes, steps.T).astype(np.int32)
        near = _near(tail, head, len(nodes))
        if near.shape[1] > DEGREE_MAX:
            return None
        served = int(np.searchsorted(rows, problem.stalled))
        goal = np.searchsorted(nodes, self._drawn(problem, way, rows, nodes)).astype(np.int32)
        hops = _hops(goal, near)
        if hops[served, np.searchsorted(nodes, problem.node[problem.stalled])] == FAR_HOPS:
            return None
        return _Crowd(nodes, rows, served, edge_of, near, goal, hops)

    def _drawn(self, problem: PathProblem, way: _Way, rows: Ints, nodes: Ints) -> Ints:
        """(A,) of these nodes those from which ways to goals are shortest; else where each stands."""
        goal = problem.goal[rows]
        goal = np.where((goal >= 0) & way.allowed[goal], goal, problem.node[rows]).astype(np.int32)
        hops = _hops(goal, way.lanes)[:, nodes]
        lost = hops.min(axis=1) == FAR_HOPS
        drawn: Ints = np.where(lost, problem.node[rows], nodes[hops.argmin(axis=1)])
        return drawn

    def _usable(self, problem: PathProblem, fleet: int, inside: Bools, takes_part: Bools) -> Ints:
        """Edges between these nodes that are open to the fleet, and past which nobody stands who takes
        no part."""
        arrays = self._arrays
        masks = arrays.edge_fleets.copy()
        masks[problem.changes[:, 0]] = problem.changes[:, 1]
        stands = np.zeros(arrays.fleets * arrays.nodes, bool)
        stands[problem.fleet[~takes_part] * arrays.nodes + problem.node[~takes_part]] = True
        usable = (
            inside[arrays.edge_tail] & inside[arrays.edge_head] & (masks >> fleet & 1).astype(bool)
        )
        edges = np.flatnonzero(usable).astype(np.int32)
        offset, items = arrays.move_stands.offset, arrays.move_stands.items
        move = fleet * arrays.swept + arrays.edge_sweep[edges]
        low, high = offset[fleet * arrays.swept], offset[(fleet + 1) * arrays.swept]
        met = np.append(0, np.cumsum(stands[items[low:high]]))
        free: Ints = edges[met[offset[move + 1] - low] == met[offset[move] - low]]
        return free

    def _let_through(self, problem: PathProblem, way: _Way) -> Moves:
        """The moves of a plan of LaCAM*, as far as they are needed; none, where there is no plan."""
        most, work = self._p.nodes, self._p.work
        while True:
            crowd = self._crowd(problem, way, most)
            for turn in range(self._p.tries if crowd is not None else 0):
                assert crowd is not None
                expansions = min(self._p.expansions, work // len(crowd.rows))
                if not expansions:
                    return []
                nodes, tried = self._searched(problem, crowd, turn, expansions)
                work -= tried * len(crowd.rows)
                if nodes is None:
                    break  # other dice rarely find more
                moves = self._sequence(problem, way, crowd, nodes[: self._p.steps + 1])
                if moves:
                    return moves
            most *= 4
            if most // 4 >= len(way.near):
                return []

    def _searched(
        self, problem: PathProblem, crowd: _Crowd, turn: int, expansions: int
    ) -> tuple[Ints | None, int]:
        """(T, A) nodes: a plan that serves one, everybody else drawn to its goal; and expansions."""
        start = np.searchsorted(crowd.nodes, problem.node[crowd.rows]).astype(np.int32)
        goal, dist = np.full_like(start, -1), np.zeros_like(crowd.hops)
        goal[crowd.served] = crowd.goal[crowd.served]
        dist[crowd.served] = crowd.hops[crowd.served]
        seed = problem.seed + 7919 * turn
        search = Search(crowd.near, start, goal, dist, self._p.bytes_max, seed)
        search.follow(crowd.hops)
        tried, status = 0, RUNNING
        while status == RUNNING and tried < expansions:
            chunk = min(CHUNK, expansions - tried)
            status = search.run(chunk, 1)
            tried += chunk
        return (crowd.nodes[search.plan()] if status == FOUND else None), tried

    def _sequence(self, problem: PathProblem, way: _Way, crowd: _Crowd, nodes: Ints) -> Moves:
        """The moves of a plan one at a time, up to where the robot served is nearer to its goal than it
        has been; none, where it isn't possible so far."""
        fleet, (at, stands) = problem.fleet.tolist(), self._standing(problem)
        nearest = _nearest(problem, way)
        moves: Moves = []
        for then in nodes[1:]:
            waiting = [
                (row, crowd.edge_of.get((fleet[row], at[row], to), -1))
                for row, to in zip(crowd.rows.tolist(), then.tolist(), strict=True)
                if at[row] != to
            ]
            while waiting:
                free = (move for move in waiting if self._free(problem, move, at, stands))
                move = next(free, None)
                if move is None:
                    return []
                self._move(problem, move, at, stands)
                moves.append(move)
                waiting.remove(move)
                if move[0] == problem.stalled and way.hops[at[move[0]]] < nearest:
                    return moves
        return []

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


def _nearest(problem: PathProblem, way: _Way) -> int:
    """The fewest steps that the robot served has been from its goal."""
    here = way.hops[problem.node[problem.stalled]]
    return int(min(here, way.hops[problem.been].min(initial=FAR_HOPS)))


def _asked(problem: PathProblem) -> tuple[object, ...]:
    """All that a search looks at: equal where the answer is."""
    arrays = (
        problem.fleet, problem.node, problem.goal, problem.fixed, problem.blocked, problem.changes,
        problem.been,
    )  # fmt: skip
    return (problem.seed, problem.stalled, *(part.tobytes() for part in arrays))


def _moves(plan: PathPlan) -> Moves:
    return list(zip(plan.robot.tolist(), plan.edge.tolist(), strict=True))


def _after(problem: PathProblem, moves: Moves, arrays: RoadmapArrays) -> PathProblem:
    """The same, where these moves have been made."""
    node, heading = problem.node.copy(), problem.heading_deg.copy()
    for row, edge in moves:
        node[row], heading[row] = arrays.edge_head[edge], arrays.edge_heading_deg[edge]
    return replace(problem, node=node, heading_deg=heading)


def _hops(goal: Ints, near: Ints) -> NDArray[np.uint16]:
    """(A, N) steps from each node to each goal."""
    hops = np.empty((len(goal), len(near)), np.uint16)
    fill_hops(goal.astype(np.int32), reverse(near)[0], hops)
    return hops


def _near(tail: Ints, head: Ints, nodes: int) -> Ints:
    """(N, K) where edges lead from each node, ascending, -1 behind the last."""
    pairs = np.unique(tail.astype(np.int64) * nodes + head)
    tail, head = (pairs // nodes).astype(np.int32), (pairs % nodes).astype(np.int32)
    count = np.bincount(tail, minlength=nodes)
    near = np.full((nodes, max(1, count.max())), -1, np.int32)
    near[tail, np.arange(len(tail)) - (np.cumsum(count) - count)[tail]] = head
    return near
