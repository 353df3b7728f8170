"""Answers to the core's requests: arrays in, planners, events out. Live and simulation share this."""

from __future__ import annotations

import numpy as np

from orchestrator.core.messages import (
    AssignmentMade,
    PathsPlanned,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    ToursPlanned,
)
from orchestrator.core.site import Policy
from orchestrator.touring import Tours
from planners.assignment import FlowAssigner, NearestAssigner, RandomAssigner
from planners.distances import Distances
from planners.pibt import PibtPlanner
from planners.protocols import UNREACHABLE, Assigner, AssignmentProblem, PathProblem, Planner
from planners.roadmap import RoadmapArrays

DROP_MS = 3_600_000  # leaving a task open costs as much as an hour's travel


class Answers:
    """Computes answers with the planners it is given."""

    def __init__(
        self,
        arrays: RoadmapArrays,
        policy: Policy | None = None,
        planner: Planner | None = None,
        assigner: Assigner | None = None,
    ) -> None:
        self._arrays = arrays
        self._distances = Distances(arrays)  # of the empty floor, for assignment
        self._tours = Tours(self._distances)
        self._planner = planner or PibtPlanner(arrays, Distances(arrays))
        self._assigner = assigner or FlowAssigner()
        self._assigners: dict[str, Assigner] = {
            "flow": self._assigner,
            "nearest": NearestAssigner(),
            "random": RandomAssigner(),
        }
        self.change(policy or Policy())

    def change(self, policy: Policy) -> None:
        """From now on answers follow these numbers."""
        self._neighbours = policy.assign_neighbours
        self._assigner = self._assigners[policy.assignment]

    def paths(self, request: RequestPaths) -> PathsPlanned:
        """Plan from the frontiers of the request."""
        rows = np.frombuffer(request.robots, np.dtype("<i4")).reshape(-1, 8).astype(np.int32)
        column = np.ascontiguousarray(rows.T)
        plan = self._planner.plan(
            PathProblem(
                fleet=column[1],
                node=column[2],
                heading_deg=column[3],
                goal=column[4],
                fixed=column[5],
                priority=column[6],
                blocked=np.array(request.blocked, np.int32),
                horizon=request.horizon,
                seed=request.seed,
                changes=np.frombuffer(request.changes, "<i4").reshape(-1, 2).astype(np.int32),
            )
        )
        moves = np.stack([column[0][plan.robot], plan.edge], axis=1).astype("<i4")
        return PathsPlanned(request=request.request, basis=request.basis, moves=moves.tobytes())

    def tours(self, request: RequestTours) -> ToursPlanned:
        """Tours of vehicles with several places."""
        return self._tours.answer(request)

    def assignment(self, request: RequestAssignment) -> AssignmentMade:
        """Match tasks with robots by exact travel times on the empty roadmap."""
        tasks, robots = request.tasks, request.robots
        cost = np.full((len(tasks), len(robots)), UNREACHABLE, np.int64)
        fleets = np.array([robot.fleet for robot in robots])
        classes = np.array([robot.classes for robot in robots])
        free_ms = np.array([robot.free_in_ms for robot in robots])
        nodes = np.array([robot.node for robot in robots], np.int32)
        headings = np.array([robot.heading_deg for robot in robots], np.int32)
        reach_ms = np.array([robot.reach_ms for robot in robots])
        rows: dict[int, list[int]] = {}  # classes of tasks -> their rows
        for row, task in enumerate(tasks):
            rows.setdefault(task.classes, []).append(row)
        for wanted, alike in rows.items():
            for fleet in range(self._arrays.fleets):
                fits = np.flatnonzero((fleets == fleet) & (classes & wanted != 0))
                if not len(fits):
                    continue
                at, facing, free = nodes[fits], headings[fits], free_ms[fits]
                for row in alike:
                    way = self._distances.travel_many(fleet, at, facing, tasks[row].node)
                    can = (way < UNREACHABLE) & (way + tasks[row].onward_ms <= reach_ms[fits])
                    cost[row, fits] = np.where(can, way + free, UNREACHABLE)
        drop = np.array([DROP_MS + task.priority for task in tasks], np.int64)
        if isinstance(self._assigner, RandomAssigner):
            self._assigner.seed = request.request
        chosen = self._assigner.assign(AssignmentProblem(cost, drop, self._neighbours))
        pairs = [
            (task.task, robots[column].robot)
            for task, column in zip(tasks, chosen.tolist(), strict=True)
            if column >= 0
        ]
        return AssignmentMade(request=request.request, pairs=tuple(pairs))
