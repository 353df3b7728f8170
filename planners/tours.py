"""Tours for robots with several places: pickup and delivery with time windows, by OR-Tools routing.

What a robot has begun is taken out first (`Begun`): its prefix is simulated and the robot starts behind
it, so that the solver meets only free decisions. Where it has no answer, the straightforward tours
(prefix, then goods aboard) stand. Where robots have a fixed price, fewer robots come first: one after
the other is taken away and its requests squeezed into the others' tours.
"""

from __future__ import annotations

from dataclasses import dataclass

from planners.protocols import TourPlan, TourProblem
from planners.tour_begun import Begun, Stops
from planners.tour_model import Model, Search

Tours = tuple[Stops, ...]


@dataclass(frozen=True, slots=True)
class TourParameters:
    """Effort and switches.

    Stops at whichever comes first: `solutions` visited by the local search in all (reproducible), or
    `seconds` of wall time (0: no such limit; with one, answers depend on the machine).
    """

    solutions: int = 500
    seconds: float = 0.0
    first_share: float = 0.2  # of the effort: all robots allowed
    try_share: float = 0.2  # of the effort, at most: one attempt to do with a robot less
    last_share: float = 0.3  # of the effort: fewest robots known, cost polished
    guided: bool = True  # guided local search; False: descent to a local optimum
    reduce: bool = True  # take robots away one by one
    lambda_coefficient: float = 0.1  # how strongly guided local search punishes


class RoutingTours:
    """`protocols.TourPlanner` on OR-Tools' routing library (Perron and Furnon, Apache-2.0)."""

    def __init__(self, parameters: TourParameters | None = None) -> None:
        self.parameters = parameters or TourParameters()

    def plan(self, problem: TourProblem) -> TourPlan:
        """Return the tours; every request is in one of them or dropped."""
        begun = Begun(problem)
        best = begun.plan(tuple(begun.base))
        if begun.free or any(len(base) > 1 for base in begun.base):
            best = _Effort(begun, self.parameters).run(best)
        return best


class _Effort:
    """One call's budget, spent phase by phase; the best plan so far never gets worse."""

    def __init__(self, begun: Begun, parameters: TourParameters) -> None:
        self.begun, self.parameters = begun, parameters
        self.solutions, self.seconds = parameters.solutions, parameters.seconds

    def run(self, best: TourPlan) -> TourPlan:
        """First solution, fewer robots, polish."""
        able = [r for r, can in enumerate(self.begun.able) if can]
        if not able:
            return best
        parameters = self.parameters
        prices = any(self.begun.problem.fixed_ms[r] > 0 for r in able)
        reduce = prices and parameters.reduce
        best = self._search(best, able, None, parameters.first_share if reduce else 1.0, True)
        if reduce:
            best = self._fewer(best)
            best = self._search(best, self._used(best), self._tours(best), 1.0, False)
        return best

    def _fewer(self, best: TourPlan) -> TourPlan:
        """Take robots away, the shortest tour first; a failed attempt tries the next one."""
        skip = 0
        while self._left(self.parameters.last_share):
            used = self._used(best)
            idle = [r for r in used if not self.begun.tied(r) and self.begun.problem.fixed_ms[r]]
            idle.sort(key=lambda r: (len(best.stops[r]), r))
            if skip >= len(idle):  # a second attempt would be the first one again
                break
            gone = idle[skip]
            hint = tuple(() if r == gone else tour for r, tour in enumerate(self._tours(best)))
            robots = [r for r in used if r != gone]
            if not robots:
                break
            better = self._search(best, robots, hint, self.parameters.try_share, False, served=True)
            skip = 0 if better.cost_ms < best.cost_ms else skip + 1
            best = better
        return best

    def _left(self, share: float) -> bool:
        """More than this share of the effort is left."""
        whole = self.parameters
        timely = whole.seconds <= 0 or self.seconds > share * whole.seconds
        return timely and self.solutions > share * whole.solutions

    def _used(self, plan: TourPlan) -> list[int]:
        """Robots with a tour, and those that cost nothing to use."""
        fixed = self.begun.problem.fixed_ms
        return [
            r for r, tour in enumerate(plan.stops) if self.begun.able[r] and (tour or fixed[r] == 0)
        ]

    def _tours(self, plan: TourPlan) -> Tours:
        prefix = self.begun.problem.prefix
        return tuple(tour[len(prefix[r]) :] for r, tour in enumerate(plan.stops))

    def _search(
        self,
        best: TourPlan,
        robots: list[int],
        hint: Tours | None,
        share: float,
        priced: bool,
        served: bool = False,
    ) -> TourPlan:
        """One search with a share of the whole effort, at most with what is left."""
        whole = self.parameters
        solutions = min(self.solutions, max(1, round(share * whole.solutions)))
        seconds = min(self.seconds, share * whole.seconds)
        if not robots or solutions < 1 or (whole.seconds > 0 and seconds <= 0):
            return best
        search = Search(solutions, seconds, whole.guided, whole.lambda_coefficient, served)
        found = Model(self.begun, robots, priced).solve(search, hint)
        self.solutions -= max(1, found.solutions)
        self.seconds -= found.seconds
        if found.tours is None:
            return best
        plan = self.begun.plan(found.tours)
        return plan if plan.cost_ms < best.cost_ms else best
