"""What a robot of the fake world needs of the world around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sim.clock import Clock
from sim.lanes import Lanes

if TYPE_CHECKING:
    from sim.robots import SimRobot

MotionRow = tuple[int, int, int, float, float, float, float, float, float, float]


class Ahead(Protocol):
    """What its sensors tell a robot of things that lie on lanes."""

    def __bool__(self) -> bool:
        """False: there is nothing anywhere."""

    def stop_m(self, robot: SimRobot, edge: int) -> float:
        """How far along the edge the robot may drive; inf: to its end. Below zero: not at all."""

    def may_turn(self, robot: SimRobot) -> bool:
        """Nothing is in the way of a turn where it stands."""


class World(Protocol):
    """What a robot needs of the world around it."""

    clock: Clock
    lanes: Lanes

    @property
    def cartons(self) -> Ahead | None:
        """What may lie on lanes."""

    def reached(self, robot: int, edge: int) -> None:
        """Report a node."""

    def charge_crossed(self, robot: int, permille: int) -> None:
        """Report the charge."""

    def stopped_for_good(self, robot: SimRobot, reason: str) -> None:
        """The robot has come to rest, dead."""

    def stood(self, robot: SimRobot) -> None:
        """The robot has come to rest because it was told to."""

    def blocked(self, robot: SimRobot, edge: int) -> None:
        """The robot has stopped before something that lies on its way."""

    def backed_out(self, robot: SimRobot) -> None:
        """The robot is back at its last node, without a base."""

    def revived(self, robot: SimRobot) -> None:
        """The robot obeys again."""

    def moved(self, row: MotionRow) -> None:
        """Record an executed piece of motion."""
