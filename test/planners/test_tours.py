"""Tours: against brute force, an independent check of every limit, and what is dropped."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planners.protocols import UNREACHABLE, TourPlan, TourProblem
from planners.tours import RoutingTours, TourParameters

QUICK = TourParameters(solutions=30)
LONG = 10**7


def draw(rng, robots, requests, width=40_000, units=1, windows=True) -> TourProblem:
    """Places on a floor: the robots' starts and ends, then pickups and deliveries."""
    places = 2 * robots + 2 * requests
    spot = rng.integers(0, 1000, (places, 2))
    travel = np.abs(spot[:, None] - spot[None]).sum(2).astype(np.int64)
    opens = rng.integers(0, 4000, (requests, 2)) if windows else np.zeros((requests, 2), int)
    length = travel * 2
    return TourProblem(
        travel_ms=travel,
        length_mm=length,
        start=np.arange(robots, dtype=np.int32),
        end=np.where(rng.random(robots) < 0.7, robots + np.arange(robots), -1).astype(np.int32),
        free_ms=rng.integers(0, 300, robots),
        until_ms=rng.integers(4000, 9000, robots) if windows else np.full(robots, LONG),
        capacity=rng.integers(1, 4, robots),
        reach_mm=rng.integers(4000, 16_000, robots) if windows else np.full(robots, LONG),
        fixed_ms=rng.integers(0, 2, robots) * 3000,
        place=(2 * robots + np.arange(2 * requests, dtype=np.int32)).reshape(requests, 2),
        open_ms=opens,
        close_ms=opens + (rng.integers(0, width, (requests, 2)) if windows else LONG),
        service_ms=rng.integers(0, 90, (requests, 2)),
        units=rng.integers(1, units + 1, requests),
        drop_ms=rng.integers(2000, 30_000, requests),
        aboard=np.full(requests, -1, np.int32),
        prefix=((),) * robots,
    )


def drive(problem: TourProblem, robot: int, stops, hard=True):
    """(begin times, travel) of one tour, written anew from the protocol; None: breaks a limit."""
    now, here, travel, length = int(problem.free_ms[robot]), int(problem.start[robot]), 0, 0
    hold = {int(q) for q in np.flatnonzero(problem.aboard == robot)}
    begins = []

    def load():
        return sum(int(problem.units[q]) for q in hold)

    for stop in stops:
        request, delivers = stop // 2, stop % 2 == 1
        there = int(problem.place[request][int(delivers)])
        travel += int(problem.travel_ms[here, there])
        length += int(problem.length_mm[here, there])
        now = max(
            now + int(problem.travel_ms[here, there]), int(problem.open_ms[request][stop % 2])
        )
        if hard and now > problem.close_ms[request][stop % 2]:
            return None
        begins.append(now)
        now += int(problem.service_ms[request][stop % 2])
        if delivers and request not in hold:
            return None
        hold.symmetric_difference_update({request})
        if hard and load() > problem.capacity[robot]:
            return None
        here = there
    home = int(problem.end[robot])
    if stops and home >= 0:
        travel += int(problem.travel_ms[here, home])
        length += int(problem.length_mm[here, home])
        now += int(problem.travel_ms[here, home])
    if hold or (hard and stops and (now > problem.until_ms[robot])):
        return None
    if hard and length > problem.reach_mm[robot]:
        return None
    return tuple(begins), travel


def check(problem: TourProblem, plan: TourPlan, hard=True) -> None:
    """Everything the protocol promises."""
    served = [stop for tour in plan.stops for stop in tour]
    assert len(served) == len(set(served))
    requests = range(len(problem.units))
    wanted = {2 * q + s for q in requests if q not in plan.dropped for s in (0, 1)}
    wanted -= {2 * q for q in requests if problem.aboard[q] >= 0}
    assert set(served) == wanted and list(plan.dropped) == sorted(set(plan.dropped))
    cost = sum(int(problem.drop_ms[q]) for q in plan.dropped)
    for robot, tour in enumerate(plan.stops):
        assert tour[: len(problem.prefix[robot])] == problem.prefix[robot]
        driven = drive(problem, robot, tour, hard)
        assert driven is not None, f"robot {robot} breaks a limit: {tour}"
        assert driven[0] == plan.begin_ms[robot]
        cost += driven[1] + (int(problem.fixed_ms[robot]) if tour else 0)
    assert cost == plan.cost_ms


def cheapest(problem: TourProblem) -> int:
    """Brute force: all ways to share and order the requests."""
    robots, requests = len(problem.start), len(problem.units)
    tours: list[dict[frozenset[int], int]] = []
    for robot in range(robots):
        best = {frozenset(): 0}
        for mask in range(1, 2**requests):
            chosen = [q for q in range(requests) if mask >> q & 1]
            for order in permutations([2 * q + s for q in chosen for s in (0, 1)]):
                driven = drive(problem, robot, order)
                if driven is not None:
                    cost = driven[1] + int(problem.fixed_ms[robot])
                    key = frozenset(chosen)
                    best[key] = min(cost, best.get(key, cost))
        tours.append(best)
    totals = {frozenset[int](): 0}
    for best in tours:
        after: dict[frozenset[int], int] = {}
        for taken, cost in totals.items():
            for more, extra in best.items():
                if not taken & more:
                    key = taken | more
                    after[key] = min(cost + extra, after.get(key, cost + extra))
        totals = after
    every = range(requests)
    return min(
        cost + sum(int(problem.drop_ms[q]) for q in every if q not in taken)
        for taken, cost in totals.items()
    )


@pytest.mark.parametrize("seed", range(12))
def test_as_cheap_as_brute_force(seed: int) -> None:
    problem = draw(np.random.default_rng(seed), robots=2, requests=3, width=4000)
    plan = RoutingTours(TourParameters(solutions=100)).plan(problem)
    check(problem, plan)
    assert plan.cost_ms == cheapest(problem)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 10), st.integers(100, 8000), st.integers(0, 2**31))
def test_every_limit_holds_and_the_same_each_time(robots, requests, width, seed) -> None:
    problem = draw(np.random.default_rng(seed), robots, requests, width, units=3)
    plan = RoutingTours(QUICK).plan(problem)
    check(problem, plan)
    assert plan.cost_ms <= int(problem.drop_ms.sum()), "never dearer than doing nothing"
    assert plan == RoutingTours(QUICK).plan(problem)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(2, 8), st.integers(0, 2**31))
def test_what_has_begun_stays_and_is_ended_even_too_late(robots, requests, seed) -> None:
    """Goods aboard and prefixes at random, with windows, capacity and reach already broken."""
    rng = np.random.default_rng(seed)
    problem = draw(rng, robots, requests, width=500, units=2)
    aboard = np.full(requests, -1, np.int32)
    prefix: list[list[int]] = [[] for _ in range(robots)]
    for request in range(requests):
        robot = int(rng.integers(robots))
        match int(rng.integers(4)):
            case 0:
                aboard[request] = robot
            case 1:
                prefix[robot].append(2 * request)
            case 2:
                prefix[robot] += [2 * request, 2 * request + 1]
    begun = replace(problem, aboard=aboard, prefix=tuple(map(tuple, prefix)))
    plan = RoutingTours(QUICK).plan(begun)
    check(begun, plan, hard=False)
    started = {s // 2 for stops in prefix for s in stops} | set(
        np.flatnonzero(aboard >= 0).tolist()
    )
    assert not started & set(plan.dropped)
    for robot, tour in enumerate(plan.stops):
        mine = {stop // 2 for stop in tour}
        assert mine.isdisjoint(started) or drive(begun, robot, tour, hard=False) is not None
        for stop, at in zip(tour, plan.begin_ms[robot], strict=True):
            request, side = divmod(stop, 2)
            if request not in started:
                assert at <= begun.close_ms[request, side], "a free request is never late"


def line(**changes) -> TourProblem:
    """One robot at 0 of a line of places 100 apart; request 0 from 1 to 3, request 1 from 2 to 4."""
    spot = np.arange(5) * 100
    travel = np.abs(spot[:, None] - spot[None]).astype(np.int64)
    calm = draw(np.random.default_rng(0), 1, 2, windows=False)
    base = replace(
        calm,
        travel_ms=travel,
        length_mm=travel,
        end=np.array([-1], np.int32),
        free_ms=np.array([0]),
        capacity=np.array([2]),
        fixed_ms=np.array([0]),
        place=np.array([[1, 3], [2, 4]], np.int32),
        service_ms=np.zeros((2, 2), np.int64),
        units=np.array([1, 1]),
        drop_ms=np.array([5000, 5000]),
    )
    return replace(base, **changes)


def test_places_are_used_together() -> None:
    plan = RoutingTours(QUICK).plan(line())
    assert plan.stops == ((0, 2, 1, 3),) and plan.begin_ms == ((100, 200, 300, 400),)
    alone = RoutingTours(QUICK).plan(line(capacity=np.array([1])))
    assert alone.stops == ((0, 1, 2, 3),) and alone.cost_ms == 600


@pytest.mark.parametrize(
    ("changes", "dropped"),
    [
        ({"reach_mm": np.array([399])}, 1),
        ({"until_ms": np.array([399])}, 1),
        ({"units": np.array([1, 3])}, 1),
        ({"close_ms": np.array([[LONG, LONG], [199, LONG]])}, 1),
        ({"open_ms": np.array([[0, 0], [500, 0]]), "close_ms": np.full((2, 2), 450)}, 1),
        ({"drop_ms": np.array([5000, 50])}, 1),
    ],
)
def test_what_does_not_fit_or_pay_is_dropped(changes, dropped) -> None:
    problem = line(**changes)
    plan = RoutingTours(QUICK).plan(problem)
    check(problem, plan)
    assert plan.dropped == (dropped,)


def test_no_way_then_dropped_and_goods_aboard_wait() -> None:
    travel = line().travel_ms.copy()
    travel[:, 4] = UNREACHABLE
    plan = RoutingTours(QUICK).plan(line(travel_ms=travel, until_ms=np.array([2**40])))
    assert plan.dropped == (1,) and plan.stops == ((0, 1),)
    stuck = line(travel_ms=travel, aboard=np.array([-1, 0], np.int32))
    plan = RoutingTours(QUICK).plan(stuck)
    assert plan.stops == ((3,),) and plan.dropped == (0,), (
        "a robot that is cut off gets nothing new"
    )


def test_a_prefix_comes_first_however_long_the_way() -> None:
    plan = RoutingTours(QUICK).plan(line(prefix=((2, 3),)))
    assert plan.stops[0][:2] == (2, 3) and plan.stops[0][2:] == (0, 1)
    tired = RoutingTours(QUICK).plan(line(prefix=((2,),), reach_mm=np.array([10])))
    assert tired.stops == ((2, 3),) and tired.dropped == (0,), "overrun for what is begun, no more"


def test_no_requests_no_robots() -> None:
    problem = draw(np.random.default_rng(1), 2, 0)
    assert RoutingTours().plan(problem) == TourPlan(((), ()), ((), ()), (), 0)
    nobody = draw(np.random.default_rng(1), 0, 3)
    assert RoutingTours().plan(nobody).dropped == (0, 1, 2)


def test_contradictions_are_our_own_bug() -> None:
    with pytest.raises(AssertionError, match="without having it"):
        RoutingTours().plan(line(prefix=((1,),)))


@pytest.mark.parametrize("guided", [True, False])
def test_fewer_robots_where_robots_cost(guided: bool) -> None:
    """Ten robots at one place, work for one: its price decides, and switched off it is not better."""
    problem = draw(np.random.default_rng(5), 6, 12, windows=False)
    dear = replace(
        problem,
        start=np.zeros(6, np.int32),
        end=np.zeros(6, np.int32),
        fixed_ms=np.full(6, 10**7),
        drop_ms=np.full(12, 10**9),
    )
    plan = RoutingTours(TourParameters(solutions=200, guided=guided)).plan(dear)
    check(dear, plan)
    assert sum(map(bool, plan.stops)) == 1 and not plan.dropped
    other = RoutingTours(TourParameters(solutions=200, guided=guided, reduce=False)).plan(dear)
    check(dear, other)
    assert other.cost_ms >= 10**7
