"""A person in the building: how long, and whose orders that touches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sim.clock import SECOND_NS, Clock
from sim.robots import SimRobot

VISIT_S = 600
LOOK_S = 5  # so often it is seen who is near
NEAR_M = 3.0  # robots so near are delayed: nobody drives there while a person is in


class Visits:
    """Touched are the orders of what is mended, of every load on a robot that was near at any time of
    the visit, and those that the core named (empty robots that wait in the closed area)."""

    def __init__(
        self, clock: Clock, robots: list[SimRobot], tell: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._clock, self._robots, self._tell = clock, robots, tell

    def begin(
        self,
        place: tuple[float, float],
        orders: tuple[str, ...],
        reason: str,
        done: Callable[[Any], None],
        argument: Any,
    ) -> None:
        """A person goes to a place; `done(argument)` is called when the work is done."""
        near: dict[str, None] = {}
        for second in range(0, VISIT_S + 1, LOOK_S):
            self._clock.after(second * SECOND_NS, self._look, (place, near))
        self._clock.after(VISIT_S * SECOND_NS, self._leaves, (near, orders, reason, done, argument))

    def _look(self, argument: tuple[tuple[float, float], dict[str, None]]) -> None:
        (x, y), near = argument
        for robot in self._robots:
            at_x, at_y = robot.position()
            if robot.loads and math.hypot(at_x - x, at_y - y) <= NEAR_M:
                near.update(dict.fromkeys(robot.loads))

    def _leaves(self, argument: tuple[Any, ...]) -> None:
        near, orders, reason, done, what = argument
        fact = {"reason": reason, "loads": list(near), "orders": list(orders)}
        self._tell("human_touched", fact)
        done(what)
