"""What befalls robots: they die, slip or talk nonsense, by chance or at given places, and are brought
back from afar or by a person."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import Event, RecoverRobot, RecoveryFailed, RobotRecovered
from orchestrator.layout.robot_faults_file import RobotDies, RobotSlips, Strikes
from sim.clock import SECOND_NS, Clock, Streams
from sim.nonsense import Nonsense
from sim.robots import SimRobot
from sim.scenario import ScenarioError
from sim.visits import Visits

HOUR_NS = 3600 * SECOND_NS
RESTART_S = (45.0, 120.0)
RELOCALISE_S = (15.0, 60.0)


class Striker:
    """Lets one kind of fault strike robots at its rates and places."""

    def __init__(
        self,
        kind: str,
        purpose: str,
        clock: Clock,
        streams: Streams,
        robots: list[SimRobot],
        fleets: list[str],
        node_ids: tuple[str, ...],
        strike: Callable[[SimRobot, str], None],
    ) -> None:
        self._kind, self._purpose, self._clock, self._streams = kind, purpose, clock, streams
        self._robots, self._fleets, self._hit = robots, fleets, strike
        self._nodes = {name: index for index, name in enumerate(node_ids)}
        self._chance: list[random.Random] = []
        self._traps: dict[int, float] = {}  # node -> seconds from which on it strikes there
        self._spec: Strikes | None = None
        self._era = 0  # of the rates in force: what was drawn in an earlier one doesn't strike
        for _ in robots:
            self._draw()

    def _draw(self) -> None:
        name = self._robots[len(self._chance)].name
        self._chance.append(self._streams.of(self._purpose, name))

    def joined(self, robot: SimRobot) -> None:
        """A robot came later; it is the last of the list."""
        self._draw()
        self._may(robot)

    def change(self, spec: Strikes | None) -> None:
        """From now on it strikes at these rates and places."""
        if spec == self._spec:
            return
        self._spec, self._traps = spec, {}
        self._era += 1
        for row in spec.at if spec else ():
            if row.node not in self._nodes:
                where = f"faults: {self._kind}.at"
                raise ScenarioError(f"{where}: no node {row.node!r} -> mend the name")
            self._traps[self._nodes[row.node]] = row.after_s
        for robot in self._robots:
            self._may(robot)

    def _may(self, robot: SimRobot) -> None:
        spec = self._spec
        named = spec is not None and (not spec.fleets or self._fleets[robot.fleet] in spec.fleets)
        if spec and spec.per_robot_hour and named:
            self._next(robot)

    def _next(self, robot: SimRobot) -> None:
        assert self._spec is not None
        hours = self._chance[robot.index].expovariate(self._spec.per_robot_hour)
        self._clock.after(round(hours * HOUR_NS), self._strike, (robot, self._era))

    def _strike(self, argument: tuple[SimRobot, int]) -> None:
        robot, era = argument
        if era != self._era:
            return
        if not robot.dead and not robot.dying:
            self._hit(robot, "")
        self._next(robot)

    def passed(self, robot: SimRobot) -> None:
        """A robot reached a node: perhaps one of those where it is to strike."""
        after_s = self._traps.get(robot.node)
        if after_s is not None and self._clock.now_ns >= after_s * SECOND_NS and not robot.dead:
            del self._traps[robot.node]
            self._hit(robot, " where it was told to")


class Deaths:
    """Robots that stand still, and recoveries."""

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
        nonsense: Nonsense | None = None,
    ) -> None:
        self._clock, self._streams, self._robots = clock, streams, robots
        self._say, self._tell, self._nonsense = say, tell, nonsense
        self.visits = Visits(clock, robots, tell)
        self._restarts: list[random.Random] = []
        self._spec: RobotDies | None = None
        self._slips: RobotSlips | None = None
        known = (clock, streams, robots, fleets, node_ids)
        self.strikers = (
            Striker("robot_dies", "death", *known, self._dies),
            Striker("robot_slips", "slip", *known, self._slipped),
            Striker("robot_nonsense", "nonsense", *known, self._babbles),
        )
        for _ in robots:
            self._draw()
        self.change(spec)

    def _draw(self) -> None:
        name = self._robots[len(self._restarts)].name
        self._restarts.append(self._streams.of("restart", name))

    def joined(self, robot: SimRobot) -> None:
        """A robot came later; it is the last of the list."""
        self._draw()
        for striker in self.strikers:
            striker.joined(robot)

    def change(self, spec: RobotDies | None, slips: RobotSlips | None = None) -> None:
        """From now on robots die and slip at these rates and places."""
        self._spec, self._slips = spec, slips
        self.strikers[0].change(spec)
        self.strikers[1].change(slips)
        if self._nonsense is not None:
            self.strikers[2].change(self._nonsense.spec)

    def passed(self, robot: SimRobot) -> None:
        """A robot reached a node."""
        for striker in self.strikers:
            striker.passed(robot)

    def _dies(self, robot: SimRobot, where: str) -> None:
        robot.die(f"died{where}" if where else "drive fault")

    def _slipped(self, robot: SimRobot, where: str) -> None:
        robot.die(f"lost its position{where}", "robot_slipped")

    def _babbles(self, robot: SimRobot, where: str) -> None:
        if self._nonsense is not None:
            self._nonsense.begins(robot, f"reports nonsense{where}")

    # --- recoveries ------------------------------------------------------------------------------

    def recover(self, command: RecoverRobot) -> None:
        """Begin a restart, or maintenance by a person."""
        robot = self._robots[command.robot]
        if command.maintenance:
            reason = f"maintenance of {robot.name}"
            self.visits.begin(
                robot.position(), command.orders, reason, self._restarted, (robot, command)
            )
            return
        seconds = self._restarts[command.robot].uniform(*self._how_long_s(robot, command))
        self._clock.after(round(seconds * SECOND_NS), self._restarted, (robot, command))

    def _how_long_s(self, robot: SimRobot, command: RecoverRobot) -> tuple[float, float]:
        if command.how == "relocalise":
            return self._slips.relocalise_s if self._slips else RELOCALISE_S
        if robot.fault == "robot_nonsense" and self._nonsense and self._nonsense.spec:
            return self._nonsense.spec.restart_s
        return self._spec.restart_s if self._spec else RESTART_S

    def _share(self, robot: SimRobot, command: RecoverRobot) -> float:
        """How likely this helps; a battery that is empty it never fills."""
        if robot.charge_permille <= 0:
            return 0.0
        if robot.fault == "robot_nonsense":
            return 1.0
        if command.how == "relocalise":
            fits = robot.fault == "robot_slipped"
            return self._slips.relocalise_success if self._slips and fits else 0.0
        return self._spec.restart_success if self._spec else 1.0

    def _restarted(self, argument: tuple[SimRobot, RecoverRobot]) -> None:
        robot, command = argument
        if not robot.dead:
            return
        good = self._restarts[robot.index].random() < self._share(robot, command)
        if command.maintenance:
            robot.charge_permille = max(robot.charge_permille, 500.0)
        elif not good:
            self._say(robot.index, RecoveryFailed(robot=robot.index, attempt=command.attempt))
            return
        kind = "robot_dies" if robot.fault in ("", "robot_dead") else robot.fault
        edge = robot.passed if robot.fault == "robot_nonsense" else -1
        if self._nonsense is not None:
            self._nonsense.ends(robot)
        self._tell("fault_ended", {"kind": kind, "robot": robot.name})
        self._say(robot.index, RobotRecovered(robot=robot.index, edge=edge))
        robot.revive()
