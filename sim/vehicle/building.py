"""The simulated building without its core: robots speak VDA 5050 through their agents, the rest speaks
over the equipment topics. No I/O: it calls `publish`, and is told what came in.

Goods move here: what a robot can't take, because it isn't there, fails. Start it together with the run
of the core that it plays for: both begin with the same opening stock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from orchestrator.api.cameras import TakePicture
from orchestrator.api.equipment import COMMANDS, QOS
from orchestrator.api.naming import Naming, Unnamed, reader
from orchestrator.api.published import OrderStatus, root
from orchestrator.core.messages import (
    ActionEnded,
    BackedOut,
    BatteryCrossed,
    Event,
    ExpectLoad,
    LaneBlocked,
    LaneCleared,
    NodeReached,
    OrderReceived,
    RecoverRobot,
    RecoveryFailed,
    RequestInference,
    RobotFaulted,
    RobotRecovered,
    StartAction,
)
from sim.cameras import Scenes
from sim.clock import SECOND_NS
from sim.eyes import Shown
from sim.premises import MINUTE_NS, Premises
from sim.recorder import Recorder
from sim.robots import SimRobot
from sim.scenario import Scenario, robot_fact
from sim.vehicle.accounts import account_of
from sim.vehicle.agent import Agent, Publish
from sim.vehicle.expected import ExpectedLoads
from sim.vehicle.ways import Ways
from sim.vision import photograph

RESTARTS = 6  # attempts from afar, then somebody comes
PATIENCE_NS = 5 * MINUTE_NS  # so long a lost vehicle waits for somebody to tell it where it is
Timed = tuple[int, OrderReceived]


def brings(scenario: Scenario, event: OrderReceived) -> bool:
    """Something stands at a dock: the building says so, and nobody orders it."""
    kind = scenario.loaded.site.order_types.get(event.kind)
    return kind is not None and kind.brings


def asked(scenario: Scenario) -> Iterator[Timed]:
    """Orders of customers: the part of a site's demand that does not come from its building."""
    return (row for row in scenario.orders if not brings(scenario, row[1]))


class Building(Premises):
    """`agents` by robot. `refused`: equipment commands that could not be read."""

    def __init__(
        self,
        scenario: Scenario,
        record: Recorder,
        publish: Publish,
        utc_ns: Callable[[], int],
        *,
        protocol: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(scenario, record)
        site = self.loaded.site
        self._publish = publish
        self.naming = Naming(site)
        self.commands_topic = f"{root(self.loaded.spec.id)}/equipment/commands"
        self.events_topic = f"{root(self.loaded.spec.id)}/equipment/events"
        self.status_filter = f"{root(self.loaded.spec.id)}/orders/+/status"
        self._read = reader(self.naming, COMMANDS | TakePicture)
        self.machines.camera = self._photograph
        self._read_status = msgspec.json.Decoder(OrderStatus).decode
        self._closed: dict[str, None] = {}  # orders: statuses may be told again
        self.expected = ExpectedLoads(site, self.clock, self._brought, self.say)
        self.unheard = {event.order_id: event for _, event in asked(scenario)}
        self.refused = 0
        ways = Ways(site.roadmap)
        self.agents: list[Agent] = []
        for robot in self.robots:
            fleet = site.fleets[robot.fleet].id
            account = account_of(self.loaded, robot.name, fleet, protocol)
            self.agents.append(
                Agent(
                    robot, ways, self, account.codec, publish, utc_ns,
                    manufacturer=account.manufacturer, series=fleet, interface=account.interface,
                    map_id=self.loaded.spec.id, **options,
                )
            )  # fmt: skip
            self.naming.joined(robot.name)
        self._open()

    def _open(self) -> None:
        for joined in self.scenario.robots:
            self.tell("robot", robot_fact(self.loaded, joined))
        for stored in self.scenario.totes:
            self.store(stored)
        for time_ns, event in self.scenario.orders:
            if brings(self.scenario, event):
                self.clock.at(time_ns, self._brought, event)
        self.clock.after(MINUTE_NS, self.watch_batteries)
        self.occupy()

    def _brought(self, event: OrderReceived) -> None:
        self.docks.comes(event)

    def finish(self) -> None:
        """The end of its record."""
        for robot in self.robots:
            robot.flush()
        for time_ns, event in asked(self.scenario):  # those that are not closed yet
            if time_ns <= self.clock.now_ns and event.order_id in self.unheard:
                self.order_known(event)
        self.tell("stock", self.floor.stock())
        self.tell("end", {})
        self.record.commit()

    # --- equipment -------------------------------------------------------------------------------

    def received(self, payload: bytes) -> None:
        """A message on `commands_topic`. What can't be read is counted, and nothing else."""
        try:
            command = self._read(payload)
        except Unnamed:
            self.refused += 1
            return
        if isinstance(command, ExpectLoad):
            self.expected.expect(command)
        elif isinstance(command, TakePicture):
            self.carry_out(command.plain())
        else:
            self.carry_out(command)

    def _photograph(self, request: RequestInference, shown: Shown, clear: bool) -> None:
        """sim.machines.Camera"""
        picture = photograph(self._scenes(), request, shown, clear)
        topic = f"{root(self.loaded.spec.id)}/equipment/pictures/{request.request}"
        self._publish(topic, picture.data, QOS, False)

    @cache  # noqa: B019 (lives as long as the process)
    def _scenes(self) -> Scenes:
        return Scenes(self.scenario.options.seed)

    def order_enters(self, event: OrderReceived) -> None:
        """sim.premises"""
        super().order_enters(event)
        self.expected.entered(event)

    def order_closed(self, payload: bytes) -> None:
        """A message on a topic of `status_filter`: what is left of its pallet goes."""
        if not payload:  # nothing is kept of it any more
            return
        try:
            status = self._read_status(payload)
        except msgspec.MsgspecError:
            self.refused += 1
            return
        if status.status == "open" or status.order_id in self._closed:
            return
        self._closed[status.order_id] = None
        if status.order_id in self.unheard:
            self.order_known(self.unheard[status.order_id])
        fact = {"order_id": status.order_id, "status": status.status, "reason": status.reason}
        self.tell("order_closed", fact)
        self.floor.pallet_leaves(status.order_id)

    def order_known(self, event: OrderReceived) -> None:
        """A customer's order: the building hears of it late, for its record alone."""
        self.unheard.pop(event.order_id, None)
        self.tell("order", self.order_fact(event))

    def say(self, event: Event) -> None:
        """Robots' events go to their agents, all others to the equipment's topic."""
        match event:
            case NodeReached():  # the true ones come by `reached`
                self.agents[event.robot].babble(event.edge)
            case ActionEnded():
                self.agents[event.robot].action_ended(event.action, event.outcome)
            case BatteryCrossed() | BackedOut():
                self.agents[event.robot].settle_soon()
            case LaneBlocked():
                self.agents[event.robot].blocked()
            case RobotFaulted():
                self.agents[event.robot].faulted(event.kind, event.reason)
                self._help(event)
            case RobotRecovered():
                self.agents[event.robot].recovered()
            case RecoveryFailed():
                self.agents[event.robot].not_recovered()
                self._help_again(event)
            case _:
                self.worklog.said(event)
                self._publish(self.events_topic, self.naming.encode(event), QOS, False)
        if isinstance(event, LaneCleared):
            for agent in self.agents:
                if agent.robot.blocked:
                    agent.settle_soon()

    def say_later(self, robot: int, event: Event) -> None:
        """The wire takes its own time."""
        self.clock.after(0, self.say, event)

    def later(self, robot: int, action: Callable[[Any], None], argument: Any) -> None:
        """It came over the wire already."""
        action(argument)

    # --- robots ----------------------------------------------------------------------------------

    def reached(self, robot: int, edge: int) -> None:
        """sim.surroundings.World"""
        self.agents[robot].reached(edge)
        self.troubles.deaths.passed(self.robots[robot])

    def stood(self, robot: SimRobot) -> None:
        """sim.surroundings.World"""
        self.agents[robot.index].settle_soon()

    def start(self, command: StartAction) -> None:
        """sim.vehicle.agent.Hands. Masters that name no load mean the one that is there."""
        if not command.load and command.kind in ("pick", "drop"):
            load = self.handling.obvious(command)
            command = StartAction(
                robot=command.robot, action=command.action, kind=command.kind, load=load,
                bay=command.bay,
            )  # fmt: skip
        self.handling.start(command)

    def relocalise(self, robot: SimRobot) -> None:
        """sim.vehicle.agent.Hands"""
        self.carry_out(RecoverRobot(robot=robot.index, attempt=1, how="relocalise"))

    # The maker's support restarts a vehicle that is dead, whatever the master does; VDA 5050 knows no
    # word for that.

    def _help(self, event: RobotFaulted) -> None:
        if event.kind == "robot_slipped":
            self.clock.after(PATIENCE_NS, self._still_lost, event.robot)
        else:
            self.carry_out(RecoverRobot(robot=event.robot, attempt=1))

    def _help_again(self, event: RecoveryFailed) -> None:
        robot = self.robots[event.robot]
        if robot.fault != "robot_slipped":
            last = event.attempt >= RESTARTS
            again = RecoverRobot(robot=robot.index, attempt=event.attempt + 1, maintenance=last)
            self.clock.after(SECOND_NS, self._recover, again)

    def _recover(self, command: RecoverRobot) -> None:
        self.carry_out(command)

    def _still_lost(self, robot: int) -> None:
        if self.robots[robot].dead and self.robots[robot].fault == "robot_slipped":
            self.carry_out(RecoverRobot(robot=robot, attempt=RESTARTS, maintenance=True))
