"""Vehicles without a building around them: they drive; each pick and drop succeeds. For masters that
keep their own stations, and for measuring load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import RobotJoined, StartAction
from sim.clock import SECOND_NS, Clock, Streams
from sim.lanes import Lanes
from sim.recorder import Recorder
from sim.robots import SimRobot
from sim.scenario import Scenario, robot_fact
from sim.surroundings import MotionRow
from sim.vehicle.accounts import account_of
from sim.vehicle.agent import Agent, Publish
from sim.vehicle.ways import Ways

BATTERIES_NS = 15 * SECOND_NS
RESTART_NS = 60 * SECOND_NS  # of a vehicle whose battery is empty: it is given another one


class Yard:
    """`sim.surroundings.World` and `sim.vehicle.agent.Hands` for some of a site's robots. `record`
    takes their motion; None: nobody wants it."""

    cartons = None

    def __init__(
        self,
        scenario: Scenario,
        publish: Publish,
        utc_ns: Callable[[], int],
        *,
        record: Recorder | None = None,
        protocol: str | None = None,
        part: tuple[int, int] = (0, 1),
        **options: Any,
    ) -> None:
        """`part` (k, n): of n parts, the robots of part k."""
        loaded = scenario.loaded
        self._loaded, self._record, self._seed = loaded, record, scenario.options.seed
        self.clock = Clock()
        self.lanes = Lanes(loaded.site.roadmap)
        ways = Ways(loaded.site.roadmap)
        self.agents: list[Agent] = []
        self._by_robot: dict[int, Agent] = {}
        for joined in scenario.robots[part[0] :: part[1]]:
            fleet = loaded.site.fleets[joined.fleet].id
            account = account_of(loaded, joined.name, fleet, protocol)
            agent = Agent(
                self._robot(joined, fleet), ways, self, account.codec, publish, utc_ns,
                manufacturer=account.manufacturer, series=fleet, interface=account.interface,
                map_id=loaded.spec.id, **options,
            )  # fmt: skip
            self.agents.append(agent)
            self._by_robot[joined.robot] = agent
            if record is not None:
                record.truth(0, "robot", robot_fact(loaded, joined))
        self.clock.after(BATTERIES_NS, self._batteries)

    def _robot(self, joined: RobotJoined, fleet: str) -> SimRobot:
        low, high = self._loaded.spec.simulation.speed_share
        share = Streams(self._seed).of("speed", joined.name).uniform(low, high)
        spec = self._loaded.spec.fleets[fleet]
        robot = SimRobot(joined.robot, joined.name, joined.fleet, spec, share, self)
        robot.place(joined.node, joined.heading_deg, joined.battery_permille)
        return robot

    def _batteries(self, _: None) -> None:
        for agent in self.agents:
            agent.robot.use_charge()
        self.clock.after(BATTERIES_NS, self._batteries)

    def finish(self) -> None:
        """The end of the record."""
        for agent in self.agents:
            agent.robot.flush()
        if self._record is not None:
            self._record.truth(self.clock.now_ns, "end", {})
            self._record.commit()

    # --- Hands -----------------------------------------------------------------------------------

    def start(self, command: StartAction) -> None:
        """Handling takes its time, and succeeds."""
        robot = self._by_robot[command.robot].robot
        if command.kind in ("charge", "stop_charging"):
            robot.use_charge()
            robot.charging = command.kind == "charge"
            self.clock.after(0, self._ended, command)
            return
        robot.busy = True
        handling = robot.spec.handling_s
        seconds = handling.pick if command.kind == "pick" else handling.drop
        self.clock.after(round(seconds * SECOND_NS), self._ended, command)

    def _ended(self, command: StartAction) -> None:
        agent = self._by_robot[command.robot]
        robot, outcome = agent.robot, "ok"
        robot.busy = False
        if command.kind == "pick":
            outcome = "ok" if len(robot.loads) < robot.spec.places else "failed"
            robot.loads += [command.load or "load"] if outcome == "ok" else []
        elif command.kind == "drop":
            load = command.load or next(iter(robot.loads), "")
            outcome = "ok" if load in robot.loads else "failed"
            robot.loads = [each for each in robot.loads if each != load]
        if command.kind != "stop_charging":
            agent.action_ended(command.action, outcome)
        robot.go_on()

    def relocalise(self, robot: SimRobot) -> None:
        """Nobody is ever lost here."""
        self._by_robot[robot.index].recovered()

    # --- World -----------------------------------------------------------------------------------

    def reached(self, robot: int, edge: int) -> None:
        """A node."""
        self._by_robot[robot].reached(edge)

    def charge_crossed(self, robot: int, permille: int) -> None:
        """A step of its charge."""
        self._by_robot[robot].settle_soon()

    def stopped_for_good(self, robot: SimRobot, reason: str) -> None:
        """Only an empty battery does that here."""
        self._by_robot[robot.index].faulted(robot.fault, reason)
        self.clock.after(RESTART_NS, self._restarted, robot)

    def _restarted(self, robot: SimRobot) -> None:
        robot.charge_permille = 500.0
        robot.revive()

    def revived(self, robot: SimRobot) -> None:
        """It obeys again."""
        self._by_robot[robot.index].recovered()

    def stood(self, robot: SimRobot) -> None:
        """It rests because it was told to."""
        self._by_robot[robot.index].settle_soon()

    def blocked(self, robot: SimRobot, edge: int) -> None:
        """Nothing lies here."""

    def backed_out(self, robot: SimRobot) -> None:
        """Nothing lies here."""

    def moved(self, row: MotionRow) -> None:
        """A piece of motion."""
        if self._record is not None:
            self._record.motion(row)
