"""What robots have begun, simulated away: where each is free again, how far limits must yield."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.protocols import UNREACHABLE, TourPlan, TourProblem

Stops = tuple[int, ...]
UNLIMITED = 2**44  # times and lengths are cut here, so that sums stay far from 2**63


@dataclass(frozen=True, slots=True)
class Walk:
    """One robot's tour as it happens: every service as early as can be."""

    begin_ms: Stops
    place: int  # of the last stop
    free_ms: int  # after its service
    end_ms: int  # arrived at the robot's end
    travel_ms: int  # the way to the end included, like `length_mm`
    length_mm: int
    length_to_last_mm: int
    units: int  # aboard after the last stop
    peak: int
    reachable: bool


def walk(problem: TourProblem, robot: int, stops: Stops) -> Walk:
    """Simulate one tour; checks no limit."""
    place, now = int(problem.start[robot]), int(problem.free_ms[robot])
    units = peak = int(problem.units[problem.aboard == robot].sum())
    travel = length = 0
    reachable = True
    begin = []
    for stop in stops:
        request, side = divmod(stop, 2)
        there = int(problem.place[request, side])
        leg = int(problem.travel_ms[place, there])
        reachable &= leg < UNREACHABLE
        travel += leg
        length += int(problem.length_mm[place, there])
        begin.append(max(now + leg, int(problem.open_ms[request, side])))
        now = begin[-1] + int(problem.service_ms[request, side])
        units += int(problem.units[request]) * (1 - 2 * side)
        peak = max(peak, units)
        place = there
    last, end = length, now
    home = int(problem.end[robot])
    if home >= 0:
        leg = int(problem.travel_ms[place, home])
        reachable &= leg < UNREACHABLE
        travel, end = travel + leg, now + leg
        length += int(problem.length_mm[place, home])
    return Walk(tuple(begin), place, now, end, travel, length, last, units, peak, bool(reachable))


class Begun:
    """The problem behind the prefixes.

    `base[r]` is what the robot must still do in the straightforward order: the deliveries of goods
    aboard, most urgent first. Its limits are loosened to what prefix and base need, so base is always
    feasible. A robot that can't even reach those stops (a lane is closed) is not `able`: it keeps them
    and gets nothing else.
    """

    def __init__(self, problem: TourProblem) -> None:
        _check(problem)
        self.problem = problem
        robots = len(problem.start)
        holder = problem.aboard.astype(np.int64)
        for robot, stops in enumerate(problem.prefix):
            for stop in stops:
                holder[stop // 2] = robot
        done = {stop for stops in problem.prefix for stop in stops}
        self.holder = holder
        self.free = [int(q) for q in np.flatnonzero(holder < 0)]
        self.base: list[Stops] = []
        for robot in range(robots):
            owed = [2 * int(q) + 1 for q in np.flatnonzero(holder == robot)]
            left = [stop for stop in owed if stop not in done]
            left.sort(key=lambda stop: (int(problem.close_ms[stop // 2, 1]), stop))
            self.base.append(tuple(left))
        self.behind = [walk(problem, r, problem.prefix[r]) for r in range(robots)]
        whole = [walk(problem, r, problem.prefix[r] + self.base[r]) for r in range(robots)]
        self.able = [w.reachable for w in whole]
        self.until_ms = _loosened(problem.until_ms, [w.end_ms for w in whole])
        self.reach_mm = _loosened(problem.reach_mm, [w.length_mm for w in whole])
        self.capacity = _loosened(problem.capacity, [w.peak for w in whole])
        self.close_ms = np.minimum(problem.close_ms, UNLIMITED)
        for robot, stops in enumerate(self.base):
            begin = whole[robot].begin_ms[len(problem.prefix[robot]) :]
            for stop, at in zip(stops, begin, strict=True):
                old = int(self.close_ms[stop // 2, 1])
                self.close_ms[stop // 2, 1] = max(old, at)

    def tied(self, robot: int) -> bool:
        """The robot has begun something, so it is in use whatever is decided."""
        return bool(self.problem.prefix[robot] or self.base[robot])

    def possible(self, robots: Sequence[int]) -> list[int]:
        """Free requests that one of these robots could serve if it did nothing else.

        The others must not reach the solver: it holds windows against dropped stops too (no answer
        at all), and OR-Tools 9.15 has crashed on pairs that were fixed to be inactive.
        """
        return [q for q in self.free if any(self._could(robot, q) for robot in robots)]

    def _could(self, robot: int, request: int) -> bool:
        """Straight from the robot to pickup, delivery and end, whatever is aboard. (Travel times
        obey the triangle inequality, or else some requests are dropped that might be served.)"""
        problem, was = self.problem, self.behind[robot]
        now, here, length = was.free_ms, was.place, was.length_to_last_mm
        for side in (0, 1):
            there = int(problem.place[request, side])
            leg = int(problem.travel_ms[here, there])
            now = max(now + leg, int(problem.open_ms[request, side]))
            if leg >= UNREACHABLE or now > self.close_ms[request, side]:
                return False
            now += int(problem.service_ms[request, side])
            length += int(problem.length_mm[here, there])
            here = there
        home = int(problem.end[robot])
        if home >= 0:
            now += int(problem.travel_ms[here, home])
            length += int(problem.length_mm[here, home])
        fits = problem.units[request] <= self.capacity[robot]
        return bool(fits and now <= self.until_ms[robot] and length <= self.reach_mm[robot])

    def plan(self, tours: tuple[Stops, ...]) -> TourPlan:
        """The whole answer from the tours behind the prefixes."""
        problem = self.problem
        stops = tuple(problem.prefix[r] + tours[r] for r in range(len(tours)))
        walks = [walk(problem, r, tour) for r, tour in enumerate(stops)]
        served = {stop // 2 for tour in stops for stop in tour}
        dropped = tuple(q for q in self.free if q not in served)
        cost = sum(int(problem.drop_ms[q]) for q in dropped)
        for robot, tour in enumerate(stops):
            if tour:
                cost += walks[robot].travel_ms + int(problem.fixed_ms[robot])
        return TourPlan(stops, tuple(w.begin_ms for w in walks), dropped, cost)


def _loosened(limit: NDArray[np.int64], needed: list[int]) -> list[int]:
    return [max(min(int(old), UNLIMITED), new) for old, new in zip(limit, needed, strict=True)]


def _check(problem: TourProblem) -> None:
    """Refuse what contradicts itself: our own bug, not the world's."""
    seen: set[int] = set()
    for robot, stops in enumerate(problem.prefix):
        for stop in stops:
            request, side = divmod(stop, 2)
            assert stop not in seen, f"stop {stop} is in a prefix twice"
            seen.add(stop)
            holder = int(problem.aboard[request])
            if side == 0:
                assert holder < 0, f"request {request} is aboard, yet to be picked up"
            else:
                own = holder == robot or 2 * request in stops[: stops.index(stop)]
                assert own, f"robot {robot} delivers request {request} without having it"
    assert (problem.units >= 0).all() and (problem.drop_ms >= 0).all()
    assert len(problem.prefix) == len(problem.start)
