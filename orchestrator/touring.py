"""Answers to `RequestTours`: tables in, OR-Tools routing, tours out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.core.messages import RequestTours, ToursPlanned
from orchestrator.core.planning_messages import TourRobot, TourTask
from planners.distances import Distances
from planners.protocols import TourPlanner, TourProblem
from planners.tours import RoutingTours, TourParameters

SERVICE_MS = 6_000  # a stop: handling, and the way into the bay and out
MORE_MS = 3_000  # each further load at the same stop
IDLE_SPARE = 3  # idle vehicles offered beyond those that could be filled
FETCH_MS = 600_000  # a task is fetched within this time, or waits for the next answer
DROP_MS = 3_600_000  # leaving a task open costs as much as an hour's travel
FOREVER_MS = 2**42
STRAIGHT = 2  # a due time counts where it leaves so many times the direct way


@dataclass(frozen=True, slots=True)
class Load:
    """Tasks that begin at one place and end at another, fetched and brought together."""

    numbers: tuple[int, ...]
    node: int
    end_node: int
    due_in_ms: int
    priority: int

    @property
    def units(self) -> int:
        """Places they take up."""
        return len(self.numbers)


def _loads(tasks: list[TourTask], places: int) -> list[Load]:
    """Tasks with the same ends, the most urgent ones together, no more than a vehicle holds. To the
    solver each is one request: parcels of one chute for one truck by the dozen would be the same
    decision a dozen times, at the price of its square."""
    alike: dict[tuple[int, int], list[TourTask]] = {}
    for task in sorted(tasks, key=lambda task: (task.due_in_ms, task.task)):
        alike.setdefault((task.node, task.end_node), []).append(task)
    return [
        Load(
            tuple(task.task for task in some), *ends, some[0].due_in_ms,
            max(task.priority for task in some),
        )
        for ends, row in alike.items()
        for some in (row[first : first + places] for first in range(0, len(row), places))
    ]  # fmt: skip


def _aboard(robots: list[TourRobot]) -> list[tuple[Load, int]]:
    """What vehicles hold, by where it is to go, with the vehicle's row."""
    held: list[tuple[Load, int]] = []
    for r, robot in enumerate(robots):
        by_end: dict[int, list[tuple[int, int, int]]] = {}
        for row in robot.aboard:
            by_end.setdefault(row[1], []).append(row)
        for end, rows in by_end.items():
            numbers = tuple(row[0] for row in rows)
            held.append((Load(numbers, -1, end, min(row[2] for row in rows), 0), r))
    return held


class Tours:
    """Plans tours, fleet by fleet. Deterministic: it stops after so many solutions."""

    def __init__(self, distances: Distances, solutions: int = 12) -> None:
        self._distances = distances
        self._planner: TourPlanner = RoutingTours(TourParameters(solutions=solutions, guided=False))

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
        loads = _loads(tasks, max((robot.places for robot in robots), default=1))
        robots = self._near(fleet, loads, robots)
        aboard = _aboard(robots)
        every = loads + [load for load, _ in aboard]
        if not every:
            return []
        plan = self._planner.plan(self._problem(fleet, loads, robots, aboard))
        return [
            (robot.robot, tuple((n, stop % 2) for stop in stops for n in every[stop // 2].numbers))
            for robot, stops in zip(robots, plan.stops, strict=True)
        ]

    def _near(self, fleet: int, loads: list[Load], robots: list[TourRobot]) -> list[TourRobot]:
        """Vehicles that have something to do, and of the idle ones those nearest to what waits, a few
        more than could be filled: every further one only costs time."""
        idle = [robot for robot in robots if not robot.aboard and not robot.free_in_ms]
        wanted = sum(load.units for load in loads) // max(
            1, min((r.places for r in idle), default=1)
        )
        wanted = min(len(loads), wanted + IDLE_SPARE)
        if len(idle) <= wanted:
            return robots
        nodes = np.array([robot.node for robot in idle], np.int32)
        facing = np.array([robot.heading_deg for robot in idle], np.int32)
        starts = sorted({load.node for load in loads})
        ways = [self._distances.travel_many(fleet, nodes, facing, node) for node in starts]
        way = np.min(ways, axis=0) if ways else np.zeros(len(idle), np.int64)
        near = set(np.argsort(way, kind="stable")[:wanted].tolist())
        far = {robot.robot for number, robot in enumerate(idle) if number not in near}
        return [robot for robot in robots if robot.robot not in far]

    def _problem(
        self,
        fleet: int,
        loads: list[Load],
        robots: list[TourRobot],
        aboard: list[tuple[Load, int]],
    ) -> TourProblem:
        nodes = [robot.node for robot in robots]  # places 0 .. R-1: where robots begin
        place = []
        for load in loads:
            place.append((len(nodes), len(nodes) + 1))
            nodes += [load.node, load.end_node]
        for load, _ in aboard:
            place.append((len(nodes), len(nodes)))
            nodes.append(load.end_node)
        headings = [robot.heading_deg for robot in robots] + [0] * (len(nodes) - len(robots))
        travel = self._travel(fleet, nodes, headings)
        every = loads + [load for load, _ in aboard]
        direct = np.array([travel[a, b] for a, b in place], np.int64)
        units = np.array([load.units for load in every], np.int64)
        service = np.repeat((SERVICE_MS + MORE_MS * (units - 1))[:, None], 2, axis=1)
        due = np.array([load.due_in_ms for load in every], np.int64)
        close = np.full((len(place), 2), FOREVER_MS, np.int64)
        makeable = due > STRAIGHT * (direct + service[:, 0])
        close[:, 1] = np.where(makeable, due, FOREVER_MS)
        close[: len(loads), 0] = FETCH_MS
        drop = [(DROP_MS + load.priority) * load.units for load in loads] + [0] * len(aboard)
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
            service_ms=service,
            units=units,
            drop_ms=np.array(drop, np.int64),
            aboard=np.array([-1] * len(loads) + [r for _, r in aboard], np.int32),
            prefix=((),) * count,
        )

    def _travel(self, fleet: int, nodes: list[int], headings: list[int]) -> np.ndarray:
        """(P, P) ms between places on the empty roadmap."""
        starts, facing = np.array(nodes, np.int32), np.array(headings, np.int32)
        columns = {
            node: self._distances.travel_many(fleet, starts, facing, node) for node in set(nodes)
        }
        return np.stack([columns[node] for node in nodes], axis=1).astype(np.int64)
