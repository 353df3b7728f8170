"""The simulation shell: the same core, a virtual clock, robots and machines of the fake world."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from orchestrator.core import invariants
from orchestrator.core.books import books
from orchestrator.core.loop import Core
from orchestrator.core.messages import (
    ActionEnded,
    BatteryCrossed,
    CloseOrder,
    Command,
    CommandRefused,
    Event,
    ExtendBase,
    NodeReached,
    OrderReceived,
    RecoverRobot,
    RequestAssignment,
    RequestInference,
    RequestPaths,
    RobotFaulted,
    RunStarted,
    StartAction,
    StartWork,
    Ticked,
    encode,
)
from orchestrator.core.world import CORE_VERSION
from orchestrator.gate import Gate
from orchestrator.answers import Answers
from sim.clock import SECOND_NS, Clock, Streams
from sim.faults import Deaths
from sim.floor import Floor
from sim.machines import Machines
from sim.network import Network
from sim.robots import MotionRow, SimRobot
from sim.scenario import Scenario, robot_fact

MINUTE_NS = 60 * SECOND_NS
BATCH = 500  # events per transaction


class Recorder(Protocol):
    """Where a run is written to."""

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """An event's canonical bytes."""

    def command(self, encoded: bytes) -> None:
        """A command's bytes."""

    def motion(self, row: MotionRow) -> None:
        """An executed piece of motion."""

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """A ground-truth fact."""

    def commit(self) -> None:
        """Make everything so far durable."""


class Simulation:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, record: Recorder, answers: Answers | None = None) -> None:
        self.scenario, self.record = scenario, record
        self.loaded = scenario.loaded
        self.roadmap = self.loaded.site.roadmap
        options, spec = scenario.options, self.loaded.spec
        self.clock = Clock()
        self.end_ns = round(options.hours * 3600 * SECOND_NS)
        self.core = Core(self.loaded.site, self, self._append)
        self.gate = Gate(self.roadmap)
        self.answers = answers or Answers(self.loaded.arrays, spec.policy.assign_neighbours)
        self.floor = Floor(self._tell)
        streams = Streams(options.seed)
        faults = options.faults
        late = faults.message_late if faults else None
        pick_fails = faults.pick_fails.share if faults and faults.pick_fails else 0.0
        self.network = Network(self.clock, streams, spec.simulation.latency_ms, late)
        self.machines = Machines(
            self.loaded.site, spec.simulation, self.clock, self.floor, streams, pick_fails, self.say
        )
        self.robots = self._make_robots(streams)
        self._pending_actions: dict[int, StartAction] = {}
        self._outside: dict[int, list[OrderReceived]] = {}  # totes that wait before a full dock
        self._next_order = 0
        self._open = 0
        self._uncommitted = 0
        self._begin()
        self.deaths = Deaths(
            self.clock, streams, faults.robot_dies if faults else None, self.robots,
            [fleet.id for fleet in self.loaded.site.fleets], self.say_later, self._tell,
        )  # fmt: skip

    def _make_robots(self, streams: Streams) -> list[SimRobot]:
        robots = []
        low, high = self.loaded.spec.simulation.speed_share
        for joined in self.scenario.robots:
            spec = self.loaded.spec.fleets[self.loaded.site.fleets[joined.fleet].id]
            share = streams.of("speed", joined.name).uniform(low, high)
            robot = SimRobot(joined.robot, joined.name, joined.fleet, spec, share, self)
            robot.place(joined.node, joined.heading_deg, joined.battery_permille)
            robots.append(robot)
        return robots

    def _begin(self) -> None:
        self.say(RunStarted(site_hash=self.loaded.site.hash, core_version=CORE_VERSION))
        for joined in self.scenario.robots:
            self._tell("robot", robot_fact(self.loaded, joined))
            self.gate.joined(joined.robot, joined.fleet, joined.node)
            self.say(joined)
        for stored in self.scenario.totes:
            place = f"slot:{self.roadmap.bays[stored.bay].id}"
            self.floor.tote(stored.tote, stored.sku, stored.quantity, place)
            self.say(stored)
        if self.scenario.reveal:
            self.clock.at(0, lambda _: self._reveal())
        elif self.scenario.orders:
            self.clock.at(self.scenario.orders[0][0], self._order_comes)
        self.clock.at(0, self._tick)
        self.clock.after(MINUTE_NS, self._watch_batteries)

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
            self.clock.run(min(end, self.clock.now_ns + every_ns))
            if progress is not None:
                progress(self)
            if pace is not None:
                due = started + (self.clock.now_ns - started_ns) / SECOND_NS / pace
                time.sleep(max(0.0, due - time.monotonic()))

    def finish(self) -> dict[str, Any]:
        """Close the run: final invariants, ground truth, the core's books."""
        for robot in self.robots:
            robot.flush()
        invariants.require(self.core.world)
        self._tell("stock", self.floor.stock())
        self._tell("end", {})
        self.record.commit()
        return books(self.core.world)

    # --- towards the core -------------------------------------------------------------------------

    def say(self, event: Event) -> None:
        """An event, now."""
        if type(event) is NodeReached:
            self.gate.reached(event.robot, event.edge)
        self.core.handle(self.clock.now_ns, event)

    def say_later(self, robot: int, event: Event) -> None:
        """A robot's message, over the network."""
        self.clock.at(self.network.arrival_ns(robot, "up"), self.say, event)

    def _append(self, time_ns: int, seq: int, entry: bytes) -> None:
        if self._uncommitted >= BATCH:
            self._uncommitted = 0
            self.record.commit()
        self.record.append(entry, time_ns, seq)
        self._uncommitted += 1

    def _tell(self, kind: str, payload: dict[str, Any]) -> None:
        self.record.truth(self.clock.now_ns, kind, payload)

    def _tick(self, _: None) -> None:
        self.say(Ticked())
        self.clock.after(self.loaded.site.policy.tick_ms * 1_000_000, self._tick)

    def _watch_batteries(self, _: None) -> None:
        for robot in self.robots:
            robot.use_charge()
        self.clock.after(MINUTE_NS // 4, self._watch_batteries)

    # --- orders -----------------------------------------------------------------------------------

    def _order_comes(self, _: None) -> None:
        orders = self.scenario.orders
        event = orders[self._next_order][1]
        self._next_order += 1
        if self._next_order < len(orders):
            self.clock.at(max(self.clock.now_ns, orders[self._next_order][0]), self._order_comes)
        if event.kind == "inbound":
            self._outside.setdefault(event.station, []).append(event)
            self._unload(event.station)
        else:
            self._enter(event)

    def _enter(self, event: OrderReceived) -> None:
        fact = {
            "order_id": event.order_id,
            "kind": event.kind,
            "lines": [[line.sku, line.quantity] for line in event.lines],
            "due_ns": event.due_ns,
        }
        self._tell("order", fact)
        self.say(event)

    def _unload(self, station: int) -> None:
        """Set a supplier's tote down where the dock has room."""
        waiting = self._outside.get(station, [])
        spec = self.loaded.site.stations[station]
        place = f"station:{spec.id}"
        while waiting and len(self.floor.at.get(place, ())) < spec.positions:
            event = waiting.pop(0)
            line = event.lines[0]
            self.floor.tote_arrived(event.load, line.sku, line.quantity, spec.id)
            self._enter(event)

    def _reveal(self) -> None:
        """Competition: keep so many tasks open."""
        orders = self.scenario.orders
        while self._open < self.scenario.reveal and self._next_order < len(orders):
            event = orders[self._next_order][1]
            self._next_order += 1
            self._open += 1
            self._enter(event)

    # --- from the core ----------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Carry a command out, or begin to."""
        self.record.command(encode(command))
        match command:
            case ExtendBase():
                self._extend(command)
            case RequestPaths():
                self.clock.at(self.network.answer_ns("paths"), self.say, self.answers.paths(command))
            case RequestAssignment():
                answer = self.answers.assignment(command)
                self.clock.at(self.network.answer_ns("assignment"), self.say, answer)
            case RequestInference():
                self.machines.look(command)
            case StartAction():
                arrival = self.network.arrival_ns(command.robot, "down")
                self.clock.at(arrival, self._act, command)
            case StartWork():
                self.machines.start(command)
            case RecoverRobot():
                self.deaths.recover(command)
            case CloseOrder():
                self._closed(command)

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

    def _closed(self, command: CloseOrder) -> None:
        fact = {"order_id": command.order_id, "status": command.status, "reason": command.reason}
        self._tell("order_closed", fact)
        if self.scenario.reveal:
            self._open -= 1
            self.clock.after(0, lambda _: self._reveal())

    # --- robots' actions ----------------------------------------------------------------------------

    def _act(self, command: StartAction) -> None:
        robot = self.robots[command.robot]
        if command.kind == "stop_charging":
            robot.use_charge()
            robot.charging = False
            return
        if command.kind == "charge":
            robot.use_charge()
            robot.charging = True
            self.say_later(robot.index, ActionEnded(robot=robot.index, action=command.action))
            return
        robot.busy = True
        handling = robot.spec.handling_s
        seconds = handling.pick if command.kind == "pick" else handling.drop
        self.clock.after(round(seconds * SECOND_NS), self._handled, command)

    def _handled(self, command: StartAction) -> None:
        robot = self.robots[command.robot]
        if robot.dead:
            self._pending_actions[robot.index] = command
            return
        robot.busy = False
        good = self._take(robot, command) if command.kind == "pick" else self._set(robot, command)
        if not good:
            fact = {"robot": robot.name, "action": command.kind, "load": command.load}
            self._tell("impossible_action", fact)
        outcome = "ok" if good else "failed"
        event = ActionEnded(robot=robot.index, action=command.action, outcome=outcome)
        self.say_later(robot.index, event)
        robot.go_on()

    def _where(self, command: StartAction) -> str:
        bay = self.roadmap.bays[command.bay]
        if bay.kind == "slot":
            return f"slot:{bay.id}"
        for station in self.loaded.site.stations:
            if command.bay in (station.bay, station.out_bay):
                return f"station:{station.id}"
        return "nowhere"

    def _take(self, robot: SimRobot, command: StartAction) -> bool:
        place = self._where(command)
        at_bay = robot.node == self.roadmap.bays[command.bay].node
        if not at_bay or robot.load or self.floor.place.get(command.load) != place:
            return False
        robot.load = command.load
        self.floor.move(command.load, f"robot:{robot.name}")
        for station in list(self._outside):
            self._unload(station)
        return True

    def _set(self, robot: SimRobot, command: StartAction) -> bool:
        place = self._where(command)
        at_bay = robot.node == self.roadmap.bays[command.bay].node
        if not at_bay or robot.load != command.load:
            return False
        if place.startswith("slot:") and self.floor.at.get(place):
            return False
        robot.load = ""
        self.floor.move(command.load, place)
        if command.load in self.floor.units and place.startswith("station:"):
            self.floor.leave(command.load)
        return True

    # --- what robots report -------------------------------------------------------------------------

    def reached(self, robot: int, edge: int) -> None:
        """sim.robots.World"""
        self.say_later(robot, NodeReached(robot=robot, edge=edge))

    def charge_crossed(self, robot: int, permille: int) -> None:
        """sim.robots.World"""
        self.say_later(robot, BatteryCrossed(robot=robot, battery_permille=permille))

    def stopped_for_good(self, robot: SimRobot, reason: str) -> None:
        """sim.robots.World"""
        self._tell("fault", {"kind": "robot_dies", "robot": robot.name, "reason": reason})
        self.say_later(robot.index, RobotFaulted(robot=robot.index, reason=reason))

    def revived(self, robot: SimRobot) -> None:
        """sim.robots.World: finish what it was at."""
        command = self._pending_actions.pop(robot.index, None)
        if command is not None:
            self._handled(command)

    def moved(self, row: MotionRow) -> None:
        """sim.robots.World"""
        self.record.motion(row)
