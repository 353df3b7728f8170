"""Faults: robots that die and are restarted."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import Event, RecoverRobot, RecoveryFailed, RobotRecovered
from orchestrator.layout.site_file import RobotDies
from sim.clock import SECOND_NS, Clock, Streams
from sim.robots import SimRobot
from sim.scenario import ScenarioError

HOUR_NS = 3600 * SECOND_NS
MAINTENANCE_S = 600.0
RESTART_S = (45.0, 120.0)


class Deaths:
    """Kills robots by chance, and carries recoveries out."""

    def __init__(
        self,
        clock: Clock,
        streams: Streams,
        spec: RobotDies | None,
        robots: list[SimRobot],
        fleets: list[str],
        node_ids: tuple[str, ...],
        say: Callable[[int, Event], None],
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._clock, self._streams, self._robots = clock, streams, robots
        self._fleets = fleets
        self._say, self._tell = say, tell
        self._deaths: list[random.Random] = []
        self._restarts: list[random.Random] = []
        self._nodes = {name: index for index, name in enumerate(node_ids)}
        self._traps: dict[int, float] = {}  # node -> seconds from which on a robot dies there
        self._spec: RobotDies | None = None
        self._era = 0  # of the rates in force: what was drawn in an earlier one doesn't strike
        for _ in robots:
            self._draw()
        self.change(spec)

    def _draw(self) -> None:
        name = self._robots[len(self._deaths)].name
        self._deaths.append(self._streams.of("death", name))
        self._restarts.append(self._streams.of("restart", name))

    def joined(self, robot: SimRobot) -> None:
        """A robot came later; it is the last of the list."""
        self._draw()
        self._may_die(robot)

    def change(self, spec: RobotDies | None) -> None:
        """From now on robots die at these rates and places."""
        if spec == self._spec:
            return
        self._spec, self._traps = spec, {}
        self._era += 1
        for row in spec.at if spec else ():
            if row.node not in self._nodes:
                raise ScenarioError(f"faults: robot_dies.at: no node {row.node!r} -> mend the name")
            self._traps[self._nodes[row.node]] = row.after_s
        for robot in self._robots:
            self._may_die(robot)

    def _may_die(self, robot: SimRobot) -> None:
        spec = self._spec
        if (
            spec
            and spec.per_robot_hour
            and (not spec.fleets or self._fleets[robot.fleet] in spec.fleets)
        ):
            self._next(robot)

    def _next(self, robot: SimRobot) -> None:
        assert self._spec is not None
        hours = self._deaths[robot.index].expovariate(self._spec.per_robot_hour)
        self._clock.after(round(hours * HOUR_NS), self._strike, (robot, self._era))

    def _strike(self, argument: tuple[SimRobot, int]) -> None:
        robot, era = argument
        if era != self._era:
            return
        if not robot.dead and not robot.dying:
            robot.die("drive fault")
        self._next(robot)

    def passed(self, robot: SimRobot) -> None:
        """A robot reached a node: perhaps one of those where it is to die."""
        after_s = self._traps.get(robot.node)
        if after_s is not None and self._clock.now_ns >= after_s * SECOND_NS and not robot.dead:
            del self._traps[robot.node]
            robot.die("died where it was told to")

    def recover(self, command: RecoverRobot) -> None:
        """Begin a restart, or maintenance by a person."""
        robot = self._robots[command.robot]
        restart_s = self._spec.restart_s if self._spec else RESTART_S
        seconds = self._restarts[command.robot].uniform(*restart_s)
        if command.maintenance:
            seconds = MAINTENANCE_S
        self._clock.after(round(seconds * SECOND_NS), self._restarted, (robot, command))

    def _restarted(self, argument: tuple[SimRobot, RecoverRobot]) -> None:
        robot, command = argument
        if not robot.dead:
            return
        share = self._spec.restart_success if self._spec else 1.0
        good = self._restarts[robot.index].random() < share and robot.charge_permille > 0
        if command.maintenance:
            orders = list(robot.loads)
            fact = {"reason": f"maintenance of {robot.name}", "robot": robot.name, "loads": orders}
            self._tell("human_touched", fact)
            robot.charge_permille = max(robot.charge_permille, 500.0)
        elif not good:
            self._say(robot.index, RecoveryFailed(robot=robot.index, attempt=command.attempt))
            return
        self._tell("fault_ended", {"kind": "robot_dies", "robot": robot.name})
        self._say(robot.index, RobotRecovered(robot=robot.index))
        robot.revive()
