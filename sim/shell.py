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
    BaseTrimmed,
    CloseOrder,
    Command,
    CommandRefused,
    Event,
    ExtendBase,
    NodeReached,
    NoteException,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    RobotJoined,
    RobotRecovered,
    RunStarted,
    Ticked,
    TrimBase,
    encode,
)
from orchestrator.core.world import CORE_VERSION
from orchestrator.gate import Gate
from orchestrator.host.confirmations import Follower
from sim.clock import SECOND_NS
from sim.network import Network
from sim.premises import MINUTE_NS, Premises
from sim.recorder import Recorder
from sim.scenario import Scenario, robot_fact
from sim.turning import turn

BATCH = 500  # events per transaction


class Simulation(Premises):
    """One run of a scenario."""

    def __init__(
        self,
        scenario: Scenario,
        record: Recorder,
        answers: Answers | None = None,
        follower: Follower | None = None,
    ) -> None:
        super().__init__(scenario, record)
        self.follower = follower
        self._forks = deque(scenario.forks)
        self.core = Core(self.loaded.site, self, self._append)
        self.gate = Gate(self.roadmap)
        self.answers = answers or Answers(self.loaded.arrays, self.loaded.site.policy)
        names = [robot.name for robot in self.robots]
        late = self.faults.message_late if self.faults else None
        latency = self.loaded.spec.simulation.latency_ms
        self.network = Network(self.clock, self.streams, latency, late, names)
        self._next_order = 0
        self._open = 0
        self._uncommitted = 0
        self._begin()
        self.occupy()

    def _begin(self) -> None:
        self.say(RunStarted(site_hash=self.loaded.site.hash, core_version=CORE_VERSION))
        for joined in self.scenario.robots:
            self.enters(joined)
        for stored in self.scenario.totes:
            self.store(stored)
            self.say(stored)
        if self.scenario.reveal:
            self.clock.at(0, lambda _: self._reveal())
        elif self.scenario.orders:
            self.clock.at(self.scenario.orders[0][0], self._order_comes)
        self.clock.at(0, self._tick)
        self.clock.after(MINUTE_NS, self.watch_batteries)

    def enters(self, joined: RobotJoined) -> None:
        """A robot is there: told to the record, the gate and the core."""
        self.tell("robot", robot_fact(self.loaded, joined))
        self.gate.joined(joined.robot, joined.fleet, joined.node)
        self.say(joined)
        assert len(self.core.world.robots) == joined.robot + 1, f"no room for {joined.name}"

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
        elif isinstance(event, BaseTrimmed):
            self.gate.trimmed(event.robot, event.edges)
        self.worklog.said(event)
        self.core.handle(self.clock.now_ns, event)
        if self.follower is not None:
            self.follower.event(self.core.seq - 1, self.clock.now_ns, event, self.core.world)

    def say_later(self, robot: int, event: Event) -> None:
        """A robot's message, over the network."""
        self.clock.at(self.network.arrival_ns(robot, "up"), self.say, event)

    def later(self, robot: int, action: Callable[[Any], None], argument: Any) -> None:
        """A message to a robot, over the network."""
        self.clock.at(self.network.arrival_ns(robot, "down"), action, argument)

    def _append(self, time_ns: int, seq: int, entry: bytes) -> None:
        if self._uncommitted >= BATCH:
            self._uncommitted = 0
            self.record.commit()
        self.record.append(entry, time_ns, seq)
        self._uncommitted += 1

    def _tick(self, _: None) -> None:
        self.say(Ticked())
        self.clock.after(self.loaded.site.policy.tick_ms * 1_000_000, self._tick)

    # --- orders ----------------------------------------------------------------------------------

    def _order_comes(self, _: None) -> None:
        orders = self.scenario.orders
        event = orders[self._next_order][1]
        self._next_order += 1
        if self._next_order < len(orders):
            self.clock.at(max(self.clock.now_ns, orders[self._next_order][0]), self._order_comes)
        if not self.docks.comes(event):
            self.order_enters(event)

    def _reveal(self) -> None:
        """Competition: keep so many tasks open."""
        orders = self.scenario.orders
        while self._open < self.scenario.reveal and self._next_order < len(orders):
            event = orders[self._next_order][1]
            self._next_order += 1
            self._open += 1
            self.order_enters(event)

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
            case NoteException():
                self.tell("exception", asdict(command))
            case CloseOrder():
                self._closed(command)
            case TrimBase():
                stands = BaseTrimmed(robot=command.robot, edges=command.edges)
                self.clock.after(0, self.say, stands)  # whoever is dead here does stand
                self.carry_out(command)
            case _:
                self.carry_out(command)

    def _extend(self, command: ExtendBase) -> None:
        reason = self.gate.check(command)
        if reason:
            refusal = CommandRefused(robot=command.robot, reason=reason, edges=command.edges)
            self.clock.after(0, self.say, refusal)
            return
        self.later(command.robot, self._extended, command)

    def _extended(self, command: ExtendBase) -> None:
        self.robots[command.robot].extend(command.edges)

    def _closed(self, command: CloseOrder) -> None:
        fact = {"order_id": command.order_id, "status": command.status, "reason": command.reason}
        self.tell("order_closed", fact)
        self.floor.pallet_leaves(command.order_id)
        if self.scenario.reveal:
            self._open -= 1
            self.clock.after(0, lambda _: self._reveal())
