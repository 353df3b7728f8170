"""The simulation shell: the same core, a virtual clock, robots and machines of the fake world."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict

from orchestrator.answers import Answers
from orchestrator.core import invariants
from orchestrator.core.books import books
from orchestrator.core.loop import Core
from orchestrator.core.messages import (
    BackedOut,
    BatteryCrossed,
    CloseOrder,
    Command,
    CommandRefused,
    DispatchTruck,
    Event,
    ExtendBase,
    NodeReached,
    NoteException,
    OrderReceived,
    RecoverStation,
    RepairCharger,
    RequestAssignment,
    RequestInference,
    RequestPaths,
    RequestTours,
    RobotJoined,
    RobotRecovered,
    RobotServiced,
    RunStarted,
    ServiceRobot,
    StartAction,
    StartWork,
    SwitchOff,
    Ticked,
    encode,
)
from orchestrator.core.world import CORE_VERSION
from orchestrator.gate import Gate
from orchestrator.host.confirmations import Follower
from sim.breakdowns import Breakdowns
from sim.cartons import Cartons
from sim.clock import SECOND_NS, Clock, Streams
from sim.docks import Docks
from sim.floor import Floor
from sim.handling import Handling
from sim.lanes import Lanes
from sim.machines import Machines
from sim.mishaps import Mishaps
from sim.network import Network
from sim.recorder import Recorder
from sim.robots import SimRobot
from sim.scenario import Scenario, robot_fact
from sim.surroundings import MotionRow
from sim.troubles import Troubles
from sim.trucks import Trucks
from sim.turning import pick_fails, turn
from sim.worklog import WorkLog

MINUTE_NS = 60 * SECOND_NS
SERVICE_NS = 10 * MINUTE_NS  # a service station looks after a worn robot
BATCH = 500  # events per transaction


class Simulation:
    """One run of a scenario."""

    def __init__(
        self,
        scenario: Scenario,
        record: Recorder,
        answers: Answers | None = None,
        follower: Follower | None = None,
    ) -> None:
        self.scenario, self.record = scenario, record
        self.follower = follower
        self.loaded = scenario.loaded  # a fork may bring another policy and simulation
        self.faults = scenario.options.faults
        self.roadmap = self.loaded.site.roadmap
        options, spec, faults = scenario.options, self.loaded.spec, self.faults
        self._forks = deque(scenario.forks)
        self.clock = Clock()
        self.lanes = Lanes(self.roadmap)
        self.end_ns = round(options.hours * 3600 * SECOND_NS)
        self.core = Core(self.loaded.site, self, self._append)
        self.gate = Gate(self.roadmap)
        self.answers = answers or Answers(self.loaded.arrays, self.loaded.site.policy)
        self.cartons: Cartons | None = None
        self.floor = Floor(self.tell)
        self.worklog = WorkLog(self.loaded.site, self.clock, self.tell)
        self.streams = streams = Streams(options.seed)
        self.robots = [self.make_robot(joined) for joined in scenario.robots]
        names = [robot.name for robot in self.robots]
        late = faults.message_late if faults else None
        self.network = Network(self.clock, streams, spec.simulation.latency_ms, late, names)
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
        )  # fmt: skip
        self.breakdowns = Breakdowns(
            self.loaded.site, self.clock, streams, faults, self.machines.broke, self._delayed,
            self.handling.goes_dark, self.say, self.tell,
        )  # fmt: skip
        self.handling.dark = self.breakdowns.dead
        wrong = faults.notice_wrong if faults else None
        self.docks = Docks(self.loaded.site, self.floor, wrong, streams, self._enter, self.tell)
        self._next_order = 0
        self._open = 0
        self._uncommitted = 0
        self._begin()
        self.troubles = Troubles(self, faults)
        self.cartons = self.troubles.cartons
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

    def _begin(self) -> None:
        self.say(RunStarted(site_hash=self.loaded.site.hash, core_version=CORE_VERSION))
        for joined in self.scenario.robots:
            self.enters(joined)
        for stored in self.scenario.totes:
            place = f"slot:{self.roadmap.bays[stored.bay].id}"
            really = self.mishaps.really(stored.tote, stored.quantity)
            self.floor.tote(stored.tote, stored.sku, really, place)
            self.say(stored)
        if self.scenario.reveal:
            self.clock.at(0, lambda _: self._reveal())
        elif self.scenario.orders:
            self.clock.at(self.scenario.orders[0][0], self._order_comes)
        self.clock.at(0, self._tick)
        self.clock.after(MINUTE_NS, self._watch_batteries)

    def enters(self, joined: RobotJoined) -> None:
        """A robot is there: told to the record, the gate and the core."""
        self.tell("robot", robot_fact(self.loaded, joined))
        self.gate.joined(joined.robot, joined.fleet, joined.node)
        self.say(joined)

    def run(
        self,
        until_ns: int | None = None,
        pace: float | None = None,
        progress: Callable[[Simulation], None] | None = None,
        every_ns: int = SECOND_NS,
    ) -> None:
        """Run to the end, or to `until_ns`; `pace`: simulated seconds per second, None: as fast as
        it goes; `progress` is called each `every_ns`."""
        end = self.end_ns if until_ns is None else min(until_ns, self.end_ns)
        started, started_ns = time.monotonic(), self.clock.now_ns
        while self.clock.now_ns < end:
            fork_ns = self._forks[0].at_ns if self._forks else end
            self.clock.run(min(end, fork_ns, self.clock.now_ns + every_ns))
            while self._forks and self._forks[0].at_ns <= self.clock.now_ns:
                turn(self, self._forks.popleft())
            if progress is not None:
                progress(self)
            if pace is not None:
                self.record.commit()  # somebody may be watching
                due = started + (self.clock.now_ns - started_ns) / SECOND_NS / pace
                time.sleep(max(0.0, due - time.monotonic()))

    def finish(self) -> dict[str, Any]:
        """Close the run: final invariants, ground truth, the core's books."""
        for robot in self.robots:
            robot.flush()
        invariants.require(self.core.world)
        self.tell("stock", self.floor.stock())
        self.tell("end", {})
        if self.follower is not None:
            self.follower.end(self.core.seq, self.core.world)
        self.record.commit()
        return books(self.core.world)

    # --- towards the core ------------------------------------------------------------------------

    def say(self, event: Event) -> None:
        """An event, now."""
        if isinstance(event, NodeReached | RobotRecovered):
            self.gate.reached(event.robot, event.edge)
        elif isinstance(event, BackedOut):
            self.gate.backed_out(event.robot, event.node)
        self.worklog.said(event)
        self.core.handle(self.clock.now_ns, event)
        if self.follower is not None:
            self.follower.event(self.core.seq - 1, self.clock.now_ns, event, self.core.world)

    def say_later(self, robot: int, event: Event) -> None:
        """A robot's message, over the network."""
        self.clock.at(self.network.arrival_ns(robot, "up"), self.say, event)

    def _append(self, time_ns: int, seq: int, entry: bytes) -> None:
        if self._uncommitted >= BATCH:
            self._uncommitted = 0
            self.record.commit()
        self.record.append(entry, time_ns, seq)
        self._uncommitted += 1

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        self.record.truth(self.clock.now_ns, kind, payload)
        if kind in ("pallet_emptied", "pallet_left"):
            self._freed()

    def _tick(self, _: None) -> None:
        self.say(Ticked())
        self.clock.after(self.loaded.site.policy.tick_ms * 1_000_000, self._tick)

    def _watch_batteries(self, _: None) -> None:
        for robot in self.robots:
            robot.use_charge()
        self.clock.after(MINUTE_NS // 4, self._watch_batteries)

    # --- orders ----------------------------------------------------------------------------------

    def _order_comes(self, _: None) -> None:
        orders = self.scenario.orders
        event = orders[self._next_order][1]
        self._next_order += 1
        if self._next_order < len(orders):
            self.clock.at(max(self.clock.now_ns, orders[self._next_order][0]), self._order_comes)
        if not self.docks.comes(event):
            self._enter(event)

    def _enter(self, event: OrderReceived) -> None:
        kind = self.loaded.site.order_types.get(event.kind)
        fact = {
            "order_id": event.order_id,
            "kind": event.kind,
            "lines": [[line.sku, line.quantity] for line in event.lines],
            "due_ns": event.due_ns,
            "route": event.route,
            "inbound": kind is not None and kind.brings,
        }
        self.tell("order", fact)
        self.say(event)

    def _delayed(self, station: int) -> tuple[list[str], list[str]]:
        """Orders and loads that wait at a station."""
        there = self.floor.at.get(f"station:{self.loaded.site.stations[station].id}", {})
        return self.machines.boxes_at(station), [*there, *self.handling.loads_at(station)]

    def _freed(self) -> None:
        self.clock.after(0, lambda _: self.docks.freed())

    def _reveal(self) -> None:
        """Competition: keep so many tasks open."""
        orders = self.scenario.orders
        while self._open < self.scenario.reveal and self._next_order < len(orders):
            event = orders[self._next_order][1]
            self._next_order += 1
            self._open += 1
            self._enter(event)

    # --- from the core ---------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Carry a command out, or begin to."""
        self.record.command(encode(command))
        if self.follower is not None:
            self.follower.command(command)
        match command:
            case ExtendBase():
                self._extend(command)
            case RequestPaths():
                plan = self.answers.paths(command)
                self.clock.at(self.network.answer_ns("paths"), self.say, plan)
            case RequestAssignment():
                answer = self.answers.assignment(command)
                self.clock.at(self.network.answer_ns("assignment"), self.say, answer)
            case RequestTours():
                tours = self.answers.tours(command)
                self.clock.at(self.network.answer_ns("tours"), self.say, tours)
            case RequestInference():
                self.worklog.begun(command)
                self.machines.look(command)
            case StartAction():
                arrival = self.network.arrival_ns(command.robot, "down")
                self.clock.at(arrival, self.handling.start, command)
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
                arrival = self.network.arrival_ns(command.robot, "down")
                self.clock.at(arrival, self._switched_off, command)
            case NoteException():
                self.tell("exception", asdict(command))
            case CloseOrder():
                self._closed(command)
            case _:
                self.troubles.send(command)

    def _extend(self, command: ExtendBase) -> None:
        reason = self.gate.check(command)
        if reason:
            refusal = CommandRefused(robot=command.robot, reason=reason, edges=command.edges)
            self.clock.after(0, self.say, refusal)
            return
        arrival = self.network.arrival_ns(command.robot, "down")
        self.clock.at(arrival, self._extended, command)

    def _extended(self, command: ExtendBase) -> None:
        self.robots[command.robot].extend(command.edges)

    def _switched_off(self, command: SwitchOff) -> None:
        robot = self.robots[command.robot]
        robot.switch_off()
        self.tell("robot_retired", {"robot": robot.name})

    def _serviced(self, command: ServiceRobot) -> None:
        self.tell("robot_serviced", {"robot": self.robots[command.robot].name})
        self.say_later(command.robot, RobotServiced(robot=command.robot))

    def _closed(self, command: CloseOrder) -> None:
        fact = {"order_id": command.order_id, "status": command.status, "reason": command.reason}
        self.tell("order_closed", fact)
        self.floor.pallet_leaves(command.order_id)
        if self.scenario.reveal:
            self._open -= 1
            self.clock.after(0, lambda _: self._reveal())

    # --- what robots report ----------------------------------------------------------------------

    def reached(self, robot: int, edge: int) -> None:
        """sim.robots.World"""
        self.say_later(robot, NodeReached(robot=robot, edge=edge))
        self.troubles.deaths.passed(self.robots[robot])

    def charge_crossed(self, robot: int, permille: int) -> None:
        """sim.robots.World"""
        self.say_later(robot, BatteryCrossed(robot=robot, battery_permille=permille))

    def stood(self, robot: SimRobot) -> None:
        """sim.robots.World"""

    def revived(self, robot: SimRobot) -> None:
        """sim.robots.World"""
        self.handling.revived(robot)

    def moved(self, row: MotionRow) -> None:
        """sim.robots.World"""
        self.record.motion(row)
