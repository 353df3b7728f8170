"""All that befalls robots and lanes, and what the core asks for against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrator.core.messages import (
    BackedOut,
    BackOut,
    Command,
    Event,
    LaneBlocked,
    RobotFaulted,
    StopRobot,
    SwitchOn,
    TrimBase,
)
from orchestrator.layout.site_file import FaultsFile
from sim.cartons import Cartons
from sim.faults import Deaths
from sim.nonsense import Nonsense
from sim.robots import SimRobot

if TYPE_CHECKING:
    from sim.premises import Premises


class Troubles:
    """Deaths, slips, nonsense and cartons of one premises."""

    def __init__(self, premises: Premises, faults: FaultsFile | None) -> None:
        self._premises = premises
        site, roadmap = premises.loaded.site, premises.roadmap
        clock, streams, robots = premises.clock, premises.streams, premises.robots
        self.nonsense = Nonsense(clock, streams, roadmap.edges, premises.say_later, premises.tell)
        self.deaths = Deaths(
            clock, streams, None, robots, [fleet.id for fleet in site.fleets], roadmap.node_ids,
            premises.say_later, premises.tell, self.nonsense,
        )  # fmt: skip
        self.cartons = Cartons(
            roadmap, premises.lanes, clock, streams, robots, self.deaths.visits,
            premises.say, premises.tell,
        )  # fmt: skip
        self.change(faults)

    def change(self, faults: FaultsFile | None) -> None:
        """From now on these faults strike."""
        self.nonsense.spec = faults.robot_nonsense if faults else None
        dies, slips = (faults.robot_dies, faults.robot_slips) if faults else (None, None)
        self.deaths.change(dies, slips)
        self.cartons.change(faults.lane_blocked if faults else None)

    def send(self, command: Command) -> bool:
        """Carry a command out, if it is one of these."""
        match command:
            case TrimBase():
                # Behind what is under way to the robot: it comes in sequence.
                self._later(command.robot, lambda robot: robot.trim(command.edges))
            case StopRobot():
                self._later(command.robot, self._stop)
            case SwitchOn():
                self._later(command.robot, lambda robot: robot.switch(off=False))
            case BackOut():
                self._later(command.robot, lambda robot: robot.back_out())
            case _:
                return False
        return True

    def _later(self, robot: int, action: Callable[[Any], None]) -> None:
        self._premises.later(robot, action, self._premises.robots[robot])

    def _stop(self, robot: SimRobot) -> None:
        robot.die("stopped: its reports can't be believed", "robot_nonsense")

    def stopped(self, robot: SimRobot, reason: str) -> None:
        """A robot has come to rest, and obeys nothing."""
        kind = "robot_dies" if robot.fault == "robot_dead" else robot.fault
        fact = {"kind": kind, "robot": robot.name, "reason": reason}
        self._premises.tell("fault", fact)
        report: Event = RobotFaulted(robot=robot.index, reason=reason, kind=robot.fault)
        self._premises.say_later(robot.index, report)

    def blocked(self, robot: SimRobot, edge: int) -> None:
        """A robot stands before a carton."""
        self.cartons.met(robot, edge)
        self._premises.say_later(robot.index, LaneBlocked(robot=robot.index, edge=edge))

    def backed_out(self, robot: SimRobot) -> None:
        """A robot is back at its last node."""
        event = BackedOut(robot=robot.index, node=robot.node)
        self._premises.say_later(robot.index, event)
