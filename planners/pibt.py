"""Lifelong path finding by PIBT, one window at a time, on roadmaps with headings and conflict sets."""

from __future__ import annotations

import numpy as np

from planners.distances import Distances
from planners.kernels.pibt import window
from planners.protocols import PathPlan, PathProblem
from planners.roadmap import RoadmapArrays


class PibtPlanner:
    """`protocols.Planner`. Deterministic: the same problem gives the same plan, bit for bit."""

    def __init__(self, arrays: RoadmapArrays, distances: Distances) -> None:
        self._arrays = arrays
        self._distances = distances
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
            arrays.edges,
        )

    def plan(self, problem: PathProblem) -> PathPlan:
        """Return the moves of the next `problem.horizon` steps, valid one at a time."""
        arrays, robots = self._arrays, len(problem.node)
        self._distances.block(tuple(int(node) for node in problem.blocked))
        row_of: dict[tuple[int, int], int] = {}
        table_row = np.zeros(robots, np.int32)
        for robot, (fleet, goal) in enumerate(
            zip(problem.fleet.tolist(), problem.goal.tolist(), strict=True)
        ):
            if goal >= 0:
                table_row[robot] = row_of.setdefault((fleet, goal), len(row_of))
        tables = np.empty((max(1, len(row_of)), arrays.edges), np.int32)
        for (fleet, goal), row in row_of.items():
            tables[row] = self._distances.table(fleet, goal)
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
            tables,
            self._fields,
            self._conflicts,
            stand_owner,
            shut,
            problem.seed,
            out,
        )
        return PathPlan(out[:made, 0].copy(), out[:made, 1].copy())
