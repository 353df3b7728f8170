"""One OR-Tools routing model of the free decisions, and one search in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.protocols import UNREACHABLE
from planners.tour_begun import UNLIMITED, Begun, Stops

ANYWHERE = -1
PRICE_MAX = 2**50
CHECKS_MAX = 5000  # of the solver's limits since the last solution, and for each two stops:
CHECKS_PER_PAIR = 15  # (neighbourhoods grow with the square)


@dataclass(frozen=True, slots=True)
class Search:
    """Effort of one search; 0 seconds: no such limit."""

    solutions: int
    seconds: float
    guided: bool
    lambda_coefficient: float
    until_served: bool = False  # stop as soon as nothing is dropped


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found and what it took."""

    tours: tuple[Stops, ...] | None  # of all robots; None: no answer
    solutions: int
    seconds: float


class Model:
    """Robots `robots` (able ones) decide; the others are absent. `priced`: fixed prices count."""

    def __init__(self, begun: Begun, robots: Sequence[int], priced: bool) -> None:
        from ortools.constraint_solver import pywrapcp  # noqa: PLC0415  (heavy: load when needed)

        self.begun, self.robots = begun, list(robots)
        self.requests = begun.possible(self.robots)
        self._pywrapcp: Any = pywrapcp
        self._number_nodes()
        self.manager: Any = pywrapcp.RoutingIndexManager(
            len(self.place), len(self.robots), self.starts, self.ends
        )
        self.routing: Any = pywrapcp.RoutingModel(self.manager)
        self._dimensions()
        self._costs(priced)
        self._requests()

    def _number_nodes(self) -> None:
        """Nodes: the stops to decide, then the places where robots begin and end."""
        begun, problem = self.begun, self.begun.problem
        stops = [stop for robot in self.robots for stop in begun.base[robot]]
        stops += [2 * q + side for q in self.requests for side in (0, 1)]
        self.stops = stops
        self.node_of = {stop: node for node, stop in enumerate(stops)}
        self.place = [int(problem.place[stop // 2, stop % 2]) for stop in stops]
        terminals: dict[int, int] = {}
        self.starts: list[int] = []
        self.ends: list[int] = []
        for robot in self.robots:
            ends = ((begun.behind[robot].place, self.starts), (int(problem.end[robot]), self.ends))
            for place, into in ends:
                if place not in terminals:
                    terminals[place] = len(self.place)
                    self.place.append(place)
                into.append(terminals[place])

    def _between(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N, N) the table between nodes; nothing from or to ANYWHERE."""
        place = np.array(self.place)
        matrix = np.minimum(table[np.ix_(place, place)], UNLIMITED)
        matrix[place == ANYWHERE, :] = 0
        matrix[:, place == ANYWHERE] = 0
        return np.asarray(matrix)

    def _dimensions(self) -> None:
        """Time, units aboard, length."""
        begun, routing, problem = self.begun, self.routing, self.begun.problem
        behind = [begun.behind[robot] for robot in self.robots]
        self.travel = self._between(problem.travel_ms)
        until = [begun.until_ms[robot] for robot in self.robots]
        horizon = max(until, default=0)
        time = self.travel.copy()
        time[self.travel >= UNREACHABLE] = horizon + 1
        units = np.zeros(len(self.place), np.int64)
        for node, stop in enumerate(self.stops):
            request, side = divmod(stop, 2)
            time[node] += min(int(problem.service_ms[request, side]), horizon + 1)
            units[node] = int(problem.units[request]) * (1 - 2 * side)
        transit = routing.RegisterTransitMatrix(time.tolist())
        routing.AddDimension(transit, horizon, horizon, False, "time")
        load = routing.RegisterUnaryTransitVector(units.tolist())
        capacity = [begun.capacity[robot] for robot in self.robots]
        routing.AddDimensionWithVehicleCapacity(load, 0, capacity, False, "units")
        reach = [
            begun.reach_mm[r] - w.length_to_last_mm
            for r, w in zip(self.robots, behind, strict=True)
        ]
        length = self._between(problem.length_mm)
        if min(reach, default=UNLIMITED) < UNLIMITED // 2:
            transit = routing.RegisterTransitMatrix(length.tolist())
            routing.AddDimensionWithVehicleCapacity(transit, 0, reach, True, "length")
        self.time: Any = routing.GetDimensionOrDie("time")
        aboard: Any = routing.GetDimensionOrDie("units")
        for vehicle, was in enumerate(behind):
            self.time.CumulVar(routing.Start(vehicle)).SetRange(was.free_ms, until[vehicle])
            self.time.CumulVar(routing.End(vehicle)).SetRange(0, until[vehicle])
            aboard.CumulVar(routing.Start(vehicle)).SetValue(was.units)

    def _costs(self, priced: bool) -> None:
        begun, routing = self.begun, self.routing
        routing.SetArcCostEvaluatorOfAllVehicles(
            routing.RegisterTransitMatrix(self.travel.tolist())
        )
        for vehicle, robot in enumerate(self.robots):
            if begun.tied(robot):
                routing.SetVehicleUsedWhenEmpty(True, vehicle)
            elif priced:
                price = min(int(begun.problem.fixed_ms[robot]), PRICE_MAX)
                routing.SetFixedCostOfVehicle(price, vehicle)

    def _requests(self) -> None:
        """Windows; goods aboard stay with their robot; the rest is served in pairs or dropped."""
        begun, routing, problem = self.begun, self.routing, self.begun.problem
        solver = routing.solver()
        horizon = max((begun.until_ms[robot] for robot in self.robots), default=0)
        vehicle_of = {robot: vehicle for vehicle, robot in enumerate(self.robots)}
        for node, stop in enumerate(self.stops):
            request, side = divmod(stop, 2)
            holder = int(begun.holder[request])
            if holder >= 0:
                index = self.manager.NodeToIndex(node)
                solver.Add(routing.VehicleVar(index) == vehicle_of[holder])
                self.time.CumulVar(index).SetRange(*self._window(request, side, horizon))
        for request in self.requests:
            pair = [self.manager.NodeToIndex(self.node_of[2 * request + side]) for side in (0, 1)]
            price = min(int(problem.drop_ms[request]), PRICE_MAX)
            routing.AddDisjunction(pair, price, 2)
            active = [routing.ActiveVar(index) for index in pair]
            times = [self.time.CumulVar(index) for index in pair]
            for side, variable in enumerate(times):
                variable.SetRange(*self._window(request, side, horizon))
            routing.AddPickupAndDelivery(*pair)
            solver.Add(routing.VehicleVar(pair[0]) == routing.VehicleVar(pair[1]))
            solver.Add(active[0] == active[1])
            solver.Add(times[0] <= times[1])

    def _window(self, request: int, side: int, horizon: int) -> tuple[int, int]:
        opens = int(self.begun.problem.open_ms[request, side])
        return max(0, opens), min(int(self.begun.close_ms[request, side]), horizon)

    def solve(self, search: Search, hint: tuple[Stops, ...] | None) -> Found:
        """Search from `hint` (tours of all robots; feasible), or from a first solution of its own."""
        routing = self.routing
        if not self.stops:
            return Found(tuple(self.begun.base), 1, 0.0)
        parameters = self._parameters(search)
        if search.until_served:
            self._stop_when_served()
        if search.seconds <= 0 and search.guided:  # a descent ends by itself
            routing.AddSearchMonitor(self._patience())
        routing.CloseModelWithParameters(parameters)
        start = None if hint is None else self._assignment(hint)
        if start is None:
            best = routing.SolveWithParameters(parameters)
        else:
            best = routing.SolveFromAssignmentWithParameters(start, parameters)
        solver = routing.solver()
        seconds = solver.WallTime() / 1000
        tours = None if best is None else self._tours(best)
        return Found(tours, int(solver.Solutions()), seconds)

    def _parameters(self, search: Search) -> Any:
        from ortools.constraint_solver import routing_enums_pb2 as enums  # noqa: PLC0415

        parameters = self._pywrapcp.DefaultRoutingSearchParameters()
        first = enums.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        parameters.first_solution_strategy = first
        kinds = enums.LocalSearchMetaheuristic
        kind = kinds.GUIDED_LOCAL_SEARCH if search.guided else kinds.GREEDY_DESCENT
        parameters.local_search_metaheuristic = kind
        parameters.guided_local_search_lambda_coefficient = search.lambda_coefficient
        parameters.solution_limit = max(1, search.solutions)
        parameters.lns_time_limit.seconds = 10**6  # the default, 0.1 s, is not reproducible
        if search.seconds > 0:
            parameters.time_limit.FromMilliseconds(max(1, round(1000 * search.seconds)))
        return parameters

    def _patience(self) -> Any:
        """Guided local search never ends where no neighbour is feasible, and a solution limit alone
        does not see it. The solver's checks do go on: a bound on those since the last solution is as
        reproducible."""
        solver = self.routing.solver()
        checks = last = 0
        checks_max = CHECKS_MAX + CHECKS_PER_PAIR * len(self.stops) ** 2

        def impatient() -> bool:
            nonlocal checks, last
            if solver.Solutions() != last:
                last, checks = solver.Solutions(), 0
            checks += 1
            return checks > checks_max

        return solver.CustomLimit(impatient)

    def _stop_when_served(self) -> None:
        routing, solver = self.routing, self.routing.solver()
        pickups = [self.manager.NodeToIndex(self.node_of[2 * q]) for q in self.requests]

        def look() -> None:
            if all(routing.ActiveVar(index).Value() for index in pickups):
                solver.FinishCurrentSearch()

        routing.AddAtSolutionCallback(look)

    def _assignment(self, tours: tuple[Stops, ...]) -> Any:
        routes = [
            [self.manager.NodeToIndex(self.node_of[stop]) for stop in tours[robot]]
            for robot in self.robots
        ]
        return self.routing.ReadAssignmentFromRoutes(routes, True)

    def _tours(self, assignment: Any) -> tuple[Stops, ...]:
        """Tours of all robots: the absent keep their base."""
        tours = list(self.begun.base)
        for vehicle, robot in enumerate(self.robots):
            tour = []
            index = assignment.Value(self.routing.NextVar(self.routing.Start(vehicle)))
            while not self.routing.IsEnd(index):
                tour.append(self.stops[self.manager.IndexToNode(index)])
                index = assignment.Value(self.routing.NextVar(index))
            tours[robot] = tuple(tour)
        return tuple(tours)
