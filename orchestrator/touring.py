"""Answers to `RequestTours`: tables in, OR-Tools routing, tours out."""

from __future__ import annotations

import numpy as np

from orchestrator.core.messages import RequestTours, ToursPlanned
from orchestrator.core.planning_messages import TourRobot, TourTask
from planners.distances import Distances
from planners.protocols import TourPlanner, TourProblem
from planners.tours import RoutingTours, TourParameters

SERVICE_MS = 6_000  # a stop: handling, and the way into the bay and out
FETCH_MS = 600_000  # a task is fetched within this time, or waits for the next answer
DROP_MS = 3_600_000  # leaving a task open costs as much as an hour's travel
FOREVER_MS = 2**42
STRAIGHT = 2  # a due time counts where it leaves so many times the direct way


class Tours:
    """Plans tours, fleet by fleet. Deterministic: it stops after so many solutions."""

    def __init__(self, distances: Distances, solutions: int = 60) -> None:
        self._distances = distances
        self._planner: TourPlanner = RoutingTours(TourParameters(solutions=solutions))

    def answer(self, request: RequestTours) -> ToursPlanned:
        """Tours for all vehicles; a task that two fleets may take goes to the first that does."""
        open_tasks = list(request.tasks)
        tours: list[tuple[int, tuple[tuple[int, int], ...]]] = []
        for fleet in sorted({robot.fleet for robot in request.robots}):
            robots = [robot for robot in request.robots if robot.fleet == fleet]
            tasks = [task for task in open_tasks if task.fleets >> fleet & 1]
            found = self._fleet(fleet, tasks, robots)
            tours += found
            taken = {number for _, stops in found for number, side in stops if side == 0}
            open_tasks = [task for task in open_tasks if task.task not in taken]
        return ToursPlanned(request=request.request, tours=tuple(tours))

    def _fleet(
        self, fleet: int, tasks: list[TourTask], robots: list[TourRobot]
    ) -> list[tuple[int, tuple[tuple[int, int], ...]]]:
        owed = [(row, r) for r, robot in enumerate(robots) for row in robot.aboard]
        numbers = [task.task for task in tasks] + [row[0] for row, _ in owed]
        if not numbers:
            return []
        problem = self._problem(fleet, tasks, robots, owed)
        plan = self._planner.plan(problem)
        return [
            (robot.robot, tuple((numbers[stop // 2], stop % 2) for stop in stops))
            for robot, stops in zip(robots, plan.stops, strict=True)
        ]

    def _problem(
        self,
        fleet: int,
        tasks: list[TourTask],
        robots: list[TourRobot],
        owed: list[tuple[tuple[int, int, int], int]],
    ) -> TourProblem:
        nodes = [robot.node for robot in robots]  # places 0 .. R-1: where robots begin
        place = []
        for task in tasks:
            place.append((len(nodes), len(nodes) + 1))
            nodes += [task.node, task.end_node]
        for (_, end_node, _), _ in owed:
            place.append((len(nodes), len(nodes)))
            nodes.append(end_node)
        headings = [robot.heading_deg for robot in robots] + [0] * (len(nodes) - len(robots))
        travel = self._travel(fleet, nodes, headings)
        direct = np.array([travel[a, b] for a, b in place], np.int64)
        due = np.array([t.due_in_ms for t in tasks] + [row[2] for row, _ in owed], np.int64)
        close = np.full((len(place), 2), FOREVER_MS, np.int64)
        makeable = due > STRAIGHT * (direct + SERVICE_MS)
        close[:, 1] = np.where(makeable, due, FOREVER_MS)
        close[: len(tasks), 0] = FETCH_MS
        drop = [DROP_MS + task.priority for task in tasks] + [0] * len(owed)
        count = len(robots)
        return TourProblem(
            travel_ms=travel,
            length_mm=travel,  # the battery's reach is counted in travel time
            start=np.arange(count, dtype=np.int32),
            end=np.full(count, -1, np.int32),
            free_ms=np.array([robot.free_in_ms for robot in robots], np.int64),
            until_ms=np.full(count, FOREVER_MS, np.int64),
            capacity=np.array([robot.places for robot in robots], np.int64),
            reach_mm=np.array([robot.reach_ms for robot in robots], np.int64),
            fixed_ms=np.zeros(count, np.int64),
            place=np.array(place, np.int32),
            open_ms=np.zeros((len(place), 2), np.int64),
            close_ms=close,
            service_ms=np.full((len(place), 2), SERVICE_MS, np.int64),
            units=np.ones(len(place), np.int64),
            drop_ms=np.array(drop, np.int64),
            aboard=np.array([-1] * len(tasks) + [r for _, r in owed], np.int32),
            prefix=((),) * count,
        )

    def _travel(self, fleet: int, nodes: list[int], headings: list[int]) -> np.ndarray:
        """(P, P) ms between places on the empty roadmap."""
        starts, facing = np.array(nodes, np.int32), np.array(headings, np.int32)
        columns = {
            node: self._distances.travel_many(fleet, starts, facing, node) for node in set(nodes)
        }
        return np.stack([columns[node] for node in nodes], axis=1).astype(np.int64)
