"""Lifelong path finding by PIBT, one window at a time, on roadmaps with headings and conflict sets."""

from __future__ import annotations

import numpy as np

from planners.distances import Distances
from planners.kernels.pibt import window
from planners.protocols import PathPlan, PathProblem
from planners.roadmap import Ints, RoadmapArrays


class PibtPlanner:
    """`protocols.Planner`. Deterministic: the same problem gives the same plan, bit for bit."""

    def __init__(self, arrays: RoadmapArrays, distances: Distances) -> None:
        self._arrays = arrays
        self._distances = distances  # of the whole roadmap: kept while something is closed
        self._restricted: Distances | None = None
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
            arrays.nodes,
            arrays.swept,
            arrays.edge_sweep,
        )

    def plan(self, problem: PathProblem) -> PathPlan:
        """Return the moves of the next `problem.horizon` steps, valid one at a time."""
        moves, _, _ = self._roll(problem)
        return PathPlan(moves[:, 0].copy(), moves[:, 1].copy())

    def step(self, problem: PathProblem) -> tuple[Ints, Ints]:
        """Where everybody is after `problem.horizon` steps: (R,) nodes, (R,) headings in degrees."""
        _, node, heading = self._roll(problem)
        return node, heading

    def _distances_for(self, problem: PathProblem) -> Distances:
        if not len(problem.blocked) and not len(problem.changes):
            self._distances.restrict((), delays=problem.delays)
            return self._distances
        if self._restricted is None:
            self._restricted = Distances(self._arrays)
        blocked = tuple(problem.blocked.tolist())
        self._restricted.restrict(blocked, problem.changes, problem.delays)
        return self._restricted

    def _roll(self, problem: PathProblem) -> tuple[Ints, Ints, Ints]:
        arrays, robots = self._arrays, len(problem.node)
        distances = self._distances_for(problem)
        fields = (*self._fields[:3], distances.edge_fleets, distances.edge_ms, *self._fields[5:])
        table_row = distances.rows(problem.fleet, problem.goal)
        node, heading = problem.node.copy(), problem.heading_deg.copy()
        stand_owner = np.full(arrays.fleets * arrays.nodes, -1, np.int32)
        stand_owner[problem.fleet * arrays.nodes + node] = np.arange(robots, dtype=np.int32)
        shut = np.zeros(arrays.nodes, np.uint8)
        shut[problem.blocked] = 1
        out = np.empty((max(1, problem.horizon * robots), 2), np.int32)
        made = window(
            problem.horizon,
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
        return out[:made], node, heading
