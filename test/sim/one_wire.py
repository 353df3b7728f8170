"""A core with its master control, and the simulated building, with nothing but messages between them:
a broker in memory, in simulated time."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.answers import Answers
from orchestrator.api.equipment import Equipment
from orchestrator.api.naming import Naming
from orchestrator.api.published import OrderStatus
from orchestrator.core import invariants
from orchestrator.core.books import books
from orchestrator.core.loop import Core
from orchestrator.core.messages import (
    BackedOut,
    BaseTrimmed,
    CloseOrder,
    Command,
    CommandRefused,
    Event,
    ExtendBase,
    NodeReached,
    OrderReceived,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    RobotJoined,
    RobotRecovered,
    RunStarted,
    Ticked,
)
from orchestrator.core.world import CORE_VERSION
from orchestrator.fleets import declared_of, rules_of
from orchestrator.gate import Gate
from orchestrator.journal import RunReader, RunWriter
from orchestrator.live import has_joined
from orchestrator.vda5050.control.control import Control
from sim.clock import SECOND_NS
from sim.recipe import Recipe
from sim.vehicle.building import Building, asked
from sim.verification import Verdict, verify

UTC_NS = 1_700_000_000 * SECOND_NS
TICK_NS = SECOND_NS // 2


class Wire:
    """`latency_ms`: of each message. `events`: all that the core heard."""

    def __init__(self, made: Recipe, path: Path, latency_ms: float = 20.0, seed: int = 1) -> None:
        scenario, _ = made.scenario()
        loaded = scenario.loaded
        self.path, self.record = path, RunWriter(path, made.meta())
        self.chance, self.latency_ms = random.Random(seed), latency_ms
        self.counts: Counter[str] = Counter()
        self.building = Building(scenario, self.record, self._up, self.utc_ns)
        self.clock = self.building.clock
        self.events: list[Event] = []
        self.alarms: list[str] = []
        self._last: dict[str, int] = {}
        self.core = Core(loaded.site, self, lambda t, s, e: self.record.append(e, t, s))
        self.gate = Gate(loaded.site.roadmap)
        self.answers = Answers(loaded.arrays, loaded.site.policy)
        self.naming = Naming(loaded.site)
        self.control = Control(
            loaded.site, rules_of(loaded), declared_of(loaded), self._down, self._post, run="t",
            planned=self._planned, alarm=self._alarm, map_id=loaded.spec.id,
        )  # fmt: skip
        self.equipment = Equipment(loaded.spec.id, self.naming, self._down, self._post, self._alarm)
        self._post(RunStarted(site_hash=loaded.site.hash, core_version=CORE_VERSION))
        for stored in scenario.totes:
            self._post(stored)
        for time_ns, event in asked(scenario):
            self.clock.at(time_ns, self._handle, event)
        for agent in self.building.agents:
            agent.online()
        self.clock.at(0, self._tick)

    def utc_ns(self) -> int:
        return UTC_NS + self.clock.now_ns

    # --- the broker ---

    def _arrival(self, topic: str) -> int:
        """TCP keeps the sequence of a connection."""
        delay = round(self.chance.uniform(0.5, 1.5) * self.latency_ms * 1e6)
        at = max(self.clock.now_ns + delay, self._last.get(topic, 0))
        self._last[topic] = at
        return at

    def _up(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.counts[topic.rpartition("/")[2]] += 1
        self.clock.at(self._arrival("up"), self._to_master, (topic, payload))

    def _to_master(self, message: tuple[str, bytes]) -> None:
        topic, payload = message
        if not self.equipment.message(topic, payload):
            self.control.message(self.utc_ns(), topic, payload)

    def _down(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.counts[topic.rpartition("/")[2]] += 1
        self.clock.at(self._arrival("down"), self._to_building, (topic, payload))

    def _to_building(self, message: tuple[str, bytes]) -> None:
        topic, payload = message
        if topic == self.building.commands_topic:
            self.building.received(payload)
            return
        for agent in self.building.agents:
            for name in ("order", "instantActions"):
                if topic == agent.topic(name):
                    agent.received(name, payload)

    # --- the core ---

    def _alarm(self, subject: str, text: str) -> None:
        self.alarms.append(f"{self.clock.now_ns / 1e9:.1f} {subject}: {text}")

    def _post(self, event: Event) -> None:
        self.clock.after(0, self._handle, event)

    def _handle(self, event: Event) -> None:
        if isinstance(event, NodeReached | RobotRecovered):
            self.gate.reached(event.robot, event.edge)
        elif isinstance(event, BackedOut):
            self.gate.backed_out(event.robot, event.node)
        elif isinstance(event, BaseTrimmed):
            self.gate.trimmed(event.robot, event.edges)
        self.events.append(event)
        self.core.handle(self.clock.now_ns, event)
        if isinstance(event, RobotJoined):
            taken = has_joined(self.core.world, event)
            self.control.answered(event, taken=taken)
            if taken:
                self.gate.joined(event.robot, event.fleet, event.node)
                self.naming.joined(event.name)

    def _planned(self, robot: int) -> list[int]:
        return [move.edge for move in self.core.world.traffic.planned[robot]]

    def _tick(self, _: None) -> None:
        self._handle(Ticked())
        self.control.tick(self.utc_ns())
        self.clock.after(SECOND_NS, self._tick)

    def send(self, command: Command) -> None:
        """core.loop.Port"""
        match command:
            case RequestPaths():
                self.clock.after(50_000_000, self._handle, self.answers.paths(command))
            case RequestAssignment():
                self.clock.after(50_000_000, self._handle, self.answers.assignment(command))
            case RequestTours():
                self.clock.after(50_000_000, self._handle, self.answers.tours(command))
            case ExtendBase():
                reason = self.gate.check(command)
                if reason:
                    refused = CommandRefused(
                        robot=command.robot, reason=reason, edges=command.edges
                    )
                    self._post(refused)
                else:
                    self.clock.after(0, self._command, command)
            case _:
                self.clock.after(0, self._command, command)

    def _command(self, command: Command) -> None:
        if isinstance(command, CloseOrder):
            status: Any = command.status
            told = OrderStatus(order_id=command.order_id, status=status, reason=command.reason)
            self.building.order_closed(msgspec.json.encode(told))
        elif not self.control.command(self.utc_ns(), command):
            self.equipment.command(command)

    def run(self, seconds: float) -> Wire:
        """Until a time."""
        self.clock.run(round(seconds * SECOND_NS))
        return self

    def finish(self) -> Verdict:
        """The end: invariants, the record's end, and what verification says of what happened."""
        invariants.require(self.core.world)
        for event in self.events:
            if isinstance(event, OrderReceived) and event.order_id in self.building.unheard:
                self.building.order_known(event)
        self.building.finish()
        self.record.close("closed", books=books(self.core.world))
        with RunReader(self.path) as reader:
            return verify(reader)
