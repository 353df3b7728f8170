"""The building of the fake world without what decides in it: robots, stations, trucks, goods, and what
befalls them. Whoever drives it hears `say`, and hands commands to `carry_out`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import (
    BatteryCrossed,
    ClearLane,
    Command,
    DispatchTruck,
    Event,
    NodeReached,
    OrderReceived,
    RecoverRobot,
    RecoverStation,
    RepairCharger,
    RequestInference,
    RobotJoined,
    RobotServiced,
    ServiceRobot,
    StartAction,
    StartWork,
    SwitchOff,
    ToteStored,
)
from sim.breakdowns import Breakdowns
from sim.cartons import Cartons
from sim.clock import SECOND_NS, Clock, Streams
from sim.docks import Docks
from sim.floor import Floor
from sim.handling import Handling
from sim.lanes import Lanes
from sim.machines import Machines
from sim.mishaps import Mishaps
from sim.recorder import Recorder
from sim.robots import SimRobot
from sim.scenario import Scenario
from sim.surroundings import MotionRow
from sim.troubles import Troubles
from sim.trucks import Trucks
from sim.turning import pick_fails
from sim.vision import eyes_of
from sim.worklog import WorkLog

MINUTE_NS = 60 * SECOND_NS
SERVICE_NS = 10 * MINUTE_NS  # a service station looks after a worn robot


class Premises(ABC):
    """One building. Nothing happens in it before `occupy`."""

    def __init__(self, scenario: Scenario, record: Recorder) -> None:
        self.scenario, self.record = scenario, record
        self.loaded = scenario.loaded  # a fork may bring another policy and simulation
        self.faults = scenario.options.faults
        self.roadmap = self.loaded.site.roadmap
        options, spec, faults = scenario.options, self.loaded.spec, self.faults
        self.clock = Clock()
        self.lanes = Lanes(self.roadmap)
        self.end_ns = round(options.hours * 3600 * SECOND_NS)
        self.cartons: Cartons | None = None
        self.floor = Floor(self.tell)
        self.worklog = WorkLog(self.loaded.site, self.clock, self.tell)
        self.streams = streams = Streams(options.seed)
        self.robots = [self.make_robot(joined) for joined in scenario.robots]
        self.mishaps = Mishaps(streams, faults, self.tell)
        self.handling = Handling(
            self.loaded.site, self.clock, self.floor, self.robots,
            lambda robot: self.mishaps.strikes("item_dropped", robot), self.say_later, self._freed,
        )  # fmt: skip
        self.trucks = Trucks(
            self.loaded.site, spec.simulation, faults.truck_late if faults else None, self.clock,
            self.floor, streams, self.end_ns, self.say,
        )  # fmt: skip
        self.machines = Machines(
            self.loaded.site, spec.simulation, self.clock, self.floor, streams,
            pick_fails(faults), self.handling.present, self.trucks.at, self.mishaps, self.say,
            eyes_of(options, self.loaded, self.floor, self.clock),
        )  # fmt: skip
        self.breakdowns = Breakdowns(
            self.loaded.site, self.clock, streams, faults, self.machines.broke, self._delayed,
            self.handling.goes_dark, self.say, self.tell,
        )  # fmt: skip
        self.handling.dark = self.breakdowns.dead
        wrong = faults.notice_wrong if faults else None
        self.docks = Docks(
            self.loaded.site, self.floor, wrong, streams, self.mishaps, self.order_enters, self.tell
        )

    def occupy(self) -> None:
        """From now on things may go wrong."""
        self.troubles = Troubles(self, self.faults)
        self.cartons = self.troubles.cartons
        self.machines.fallen = self.cartons.lies_on
        self.stopped_for_good = self.troubles.stopped
        self.blocked, self.backed_out = self.troubles.blocked, self.troubles.backed_out

    def make_robot(self, joined: RobotJoined) -> SimRobot:
        """The robot of the fake world, where it is to join."""
        low, high = self.loaded.spec.simulation.speed_share
        spec = self.loaded.spec.fleets[self.loaded.site.fleets[joined.fleet].id]
        share = self.streams.of("speed", joined.name).uniform(low, high)
        robot = SimRobot(joined.robot, joined.name, joined.fleet, spec, share, self)
        robot.place(joined.node, joined.heading_deg, joined.battery_permille)
        return robot

    def store(self, stored: ToteStored) -> None:
        """A tote of the opening stock, with what it really holds."""
        place = f"slot:{self.roadmap.bays[stored.bay].id}"
        really = self.mishaps.really(stored.tote, stored.quantity)
        self.floor.tote(stored.tote, stored.sku, really, place)

    def watch_batteries(self, _: None = None) -> None:
        """Charge is used by standing, too."""
        for robot in self.robots:
            robot.use_charge()
        self.clock.after(MINUTE_NS // 4, self.watch_batteries)

    # --- what it says ----------------------------------------------------------------------------

    @abstractmethod
    def say(self, event: Event) -> None:
        """An event, now."""

    @abstractmethod
    def say_later(self, robot: int, event: Event) -> None:
        """A robot's message, as it comes to whoever decides."""

    @abstractmethod
    def later(self, robot: int, action: Callable[[Any], None], argument: Any) -> None:
        """A robot's order, as it comes to the robot: then `action(argument)`."""

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        """A ground-truth fact."""
        self.record.truth(self.clock.now_ns, kind, payload)
        if kind in ("pallet_emptied", "pallet_left"):
            self._freed()

    def _freed(self) -> None:
        self.clock.after(0, lambda _: self.docks.freed())

    def order_enters(self, event: OrderReceived) -> None:
        """An order is there, with what it brings."""
        self.tell("order", self.order_fact(event))
        self.say(event)

    def order_fact(self, event: OrderReceived) -> dict[str, Any]:
        """What the record says of an order."""
        kind = self.loaded.site.order_types.get(event.kind)
        return {
            "order_id": event.order_id,
            "kind": event.kind,
            "lines": [[line.sku, line.quantity] for line in event.lines],
            "due_ns": event.due_ns,
            "route": event.route,
            "inbound": kind is not None and kind.brings,
        }

    def _delayed(self, station: int) -> tuple[list[str], list[str]]:
        """Orders and loads that wait at a station."""
        there = self.floor.at.get(f"station:{self.loaded.site.stations[station].id}", {})
        return self.machines.boxes_at(station), [*there, *self.handling.loads_at(station)]

    # --- what it is asked for --------------------------------------------------------------------

    def carry_out(self, command: Command) -> bool:
        """Carry a command out, or begin to; False: nothing here does that."""
        match command:
            case RequestInference():
                self.worklog.begun(command)
                self.machines.look(command)
            case StartAction():
                self.later(command.robot, self.handling.start, command)
            case StartWork():
                self.worklog.begun(command)
                self.machines.start(command)
            case DispatchTruck():
                self.trucks.dispatch(command)
            case ServiceRobot():
                self.clock.after(SERVICE_NS, self._serviced, command)
            case RecoverStation():
                self.breakdowns.recover(command)
            case RepairCharger():
                self.breakdowns.repair(command)
            case SwitchOff():
                self.later(command.robot, self._switched_off, command)
            case RecoverRobot():
                self.troubles.deaths.recover(command)
            case ClearLane():
                self.troubles.cartons.clear(command)
            case _:
                return self.troubles.send(command)
        return True

    def _switched_off(self, command: SwitchOff) -> None:
        robot = self.robots[command.robot]
        robot.switch(off=True)
        self.tell("robot_retired", {"robot": robot.name})

    def _serviced(self, command: ServiceRobot) -> None:
        self.tell("robot_serviced", {"robot": self.robots[command.robot].name})
        self.say_later(command.robot, RobotServiced(robot=command.robot))

    # --- what robots report: sim.surroundings.World ----------------------------------------------

    def reached(self, robot: int, edge: int) -> None:
        """A node."""
        self.say_later(robot, NodeReached(robot=robot, edge=edge))
        self.troubles.deaths.passed(self.robots[robot])

    def charge_crossed(self, robot: int, permille: int) -> None:
        """A step of its charge."""
        self.say_later(robot, BatteryCrossed(robot=robot, battery_permille=permille))

    def stood(self, robot: SimRobot) -> None:  # noqa: B027 (who hears it may do nothing)
        """It rests because it was told to."""

    def revived(self, robot: SimRobot) -> None:
        """It obeys again."""
        self.handling.revived(robot)

    def moved(self, row: MotionRow) -> None:
        """A piece of motion."""
        self.record.motion(row)
