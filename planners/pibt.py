"""Lifelong path finding by PIBT, one window at a time, on roadmaps with headings and conflict sets."""

from __future__ import annotations

import numpy as np

from planners.distances import Distances
from planners.kernels.pibt import window
from planners.protocols import PathPlan, PathProblem
from planners.roadmap import RoadmapArrays

BEATS = 12  # looks at each robot, in the time of a move
MOVES_FACTOR = 2  # where edges are short, so many times the moves that a window has time for


class PibtPlanner:
    """`protocols.Planner`. Deterministic: the same problem gives the same plan, bit for bit."""

    def __init__(self, arrays: RoadmapArrays, distances: Distances) -> None:
        self._arrays = arrays
        self._distances = distances  # of the whole roadmap: kept while something is closed
        self._restricted: Distances | None = None
        self._step_ms = max(1, round(float(arrays.edge_ms.mean()))) if arrays.edges else 1
        self._fields = (
            arrays.edge_tail,
            arrays.edge_head,
            arrays.edge_heading_deg,
            arrays.edge_fleets,
            arrays.edge_ms,
            arrays.turn_ms,
            arrays.out_edges.offset,
            arrays.out_edges.items,
            arrays.node_bay,
        )
        self._conflicts = (
            arrays.move_stands.offset,
            arrays.move_stands.items,
            arrays.move_moves.offset,
            arrays.move_moves.items,
            arrays.nodes,
            arrays.swept,
            arrays.edge_sweep,
        )

    def plan(self, problem: PathProblem) -> PathPlan:
        """Return the moves of the next `problem.horizon` steps, valid one at a time. A step is the
        mean time of a move."""
        arrays, robots = self._arrays, len(problem.node)
        distances = self._distances_for(problem)
        fields = (*self._fields[:3], distances.edge_fleets, *self._fields[4:])
        table_row = distances.rows(problem.fleet, problem.goal)
        node, heading = problem.node.copy(), problem.heading_deg.copy()
        stand_owner = np.full(arrays.fleets * arrays.nodes, -1, np.int32)
        stand_owner[problem.fleet * arrays.nodes + node] = np.arange(robots, dtype=np.int32)
        shut = np.zeros(arrays.nodes, np.uint8)
        shut[problem.blocked] = 1
        most = MOVES_FACTOR * problem.horizon
        out = np.empty((max(1, most * robots), 2), np.int32)
        ready_ms = problem.ready_ms if len(problem.ready_ms) else np.zeros(robots, np.int32)
        made = window(
            (problem.horizon * self._step_ms, max(1, self._step_ms // BEATS), most),
            ready_ms,
            problem.priority.astype(np.int64),
            (problem.fleet, problem.goal, problem.fixed),
            node,
            heading,
            table_row,
            distances.tables,
            fields,
            self._conflicts,
            stand_owner,
            shut,
            problem.seed,
            out,
        )
        return PathPlan(out[:made, 0].copy(), out[:made, 1].copy())

    def _distances_for(self, problem: PathProblem) -> Distances:
        if not len(problem.blocked) and not len(problem.changes):
            return self._distances
        if self._restricted is None:
            self._restricted = Distances(self._arrays)
        self._restricted.restrict(tuple(problem.blocked.tolist()), problem.changes)
        return self._restricted
