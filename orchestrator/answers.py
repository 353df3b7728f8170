"""Answers to the core's requests: arrays in, planners, events out. Live and simulation share this."""

from __future__ import annotations

import threading

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
from planners.last_resort import LastResort
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
        self._one = threading.Lock()  # fills its tables at a time, where answers come from threads
        self._tours = Tours(self._distances)
        self._planner = planner or LastResort(arrays, PibtPlanner(arrays, Distances(arrays)))
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
        rest = np.frombuffer(request.rest, "<i4").reshape(-1, 2).astype(np.int32)
        rest[:, 0] = np.searchsorted(column[0], rest[:, 0])
        stalled = int(np.searchsorted(column[0], request.stalled)) if request.stalled >= 0 else -1
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
                stalled=stalled,
                been=np.array(request.been, np.int32),
                rest=rest,
                delays=np.frombuffer(request.delays, "<i4").reshape(-1, 2).astype(np.int32),
            )
        )
        moves = np.stack([column[0][plan.robot], plan.edge], axis=1).astype("<i4")
        return PathsPlanned(request=request.request, basis=request.basis, moves=moves.tobytes())

    def tours(self, request: RequestTours) -> ToursPlanned:
        """Tours of vehicles with several places."""
        with self._one:
            return self._tours.answer(request)

    def assignment(self, request: RequestAssignment) -> AssignmentMade:
        """Match tasks with robots by exact travel times on the empty roadmap."""
        tasks, robots = request.tasks, request.robots
        cost = np.full((len(tasks), len(robots)), UNREACHABLE, np.int64)
        classes = np.array([robot.classes for robot in robots], np.int64)
        fleets = np.array([robot.fleet for robot in robots], np.int64)
        free_ms = np.array([robot.free_in_ms for robot in robots], np.int64)
        nodes = np.array([robot.node for robot in robots], np.int32)
        headings = np.array([robot.heading_deg for robot in robots], np.int32)
        reach_ms = np.array([robot.reach_ms for robot in robots], np.int64)
        onward_ms = np.array([task.onward_ms for task in tasks], np.int64)
        for fleet in sorted(set(fleets.tolist())):
            own = np.flatnonzero(fleets == fleet)
            known = int(np.bitwise_or.reduce(classes[own]))
            groups: dict[int, list[int]] = {}  # tasks that the same robots fit
            for row, task in enumerate(tasks):
                if task.classes & known:
                    groups.setdefault(task.classes & known, []).append(row)
            for bits, rows in groups.items():
                fits = own[classes[own] & bits != 0]
                goals = [tasks[row].node for row in rows]
                with self._one:
                    ways = {
                        node: self._distances.travel_many(fleet, nodes[fits], headings[fits], node)
                        for node in set(goals)
                    }
                way = np.stack([ways[node] for node in goals]).astype(np.int64)
                can = (way < UNREACHABLE) & (way + onward_ms[rows, None] <= reach_ms[fits])
                cost[np.ix_(rows, fits)] = np.where(can, way + free_ms[fits], UNREACHABLE)
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
