"""The live driver: one asyncio task owns the core; everything else posts to its inbox.

Events are taken in batches: journalled, made durable, stepped; their commands leave after that. What
is slow (planning, matching) is computed in threads and comes back as an event. At the bound of the
inbox `post` waits: whoever reports too fast is slowed down, and nothing is lost. A stop by the safety
controllers overtakes what waits, and its commands leave before anything else is handled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Protocol, TypeVar

from orchestrator.answers import Answers
from orchestrator.core.loop import Core
from orchestrator.core.messages import (
    BackedOut,
    BaseTrimmed,
    Command,
    CommandRefused,
    Entry,
    Event,
    ExtendBase,
    NodeReached,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    RobotJoined,
    RobotRecovered,
    RunStarted,
    Ticked,
    encode,
)
from orchestrator.core.world import CORE_VERSION, World
from orchestrator.gate import Gate
from orchestrator.gate.closed import closed
from orchestrator.gate.poses import Poses
from orchestrator.inbox import URGENT, Inbox
from orchestrator.layout import LoadedSite
from orchestrator.pending import Pending

INBOX_MAX = 100_000
BATCH_MAX = 4000
UNTOLD_NS = (
    2_000_000_000  # so long before the end of a journal the server may not have got round to it
)
C = TypeVar("C", bound=Command)


def has_joined(world: World, event: RobotJoined) -> bool:
    """The core has taken the robot in."""
    known = world.robots
    return event.robot < len(known) and known[event.robot].name == event.name


class Record(Protocol):
    """The journal, as far as the driver needs it."""

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """An event."""

    def command(self, encoded: bytes) -> None:
        """A command."""

    def commit(self) -> None:
        """Make durable."""


class Outside(Protocol):
    """Robots, stations, cameras, hosts: where commands go that aren't planning."""

    def send(self, command: Command, post: Callable[[Event], None]) -> None:
        """Carry out, or begin to; report by `post`, from the loop's thread."""


class Watcher(Protocol):
    """Sees every event, in sequence."""

    def event(self, seq: int, event: Event) -> None:
        """The core has handled an event."""


class Follower(Protocol):
    """Sees everything from the journal's first event on, also what is folded when a run goes on."""

    def command(self, command: Command) -> None:
        """A command of the event that is told next."""

    def event(self, seq: int, time_ns: int, event: Event, world: World) -> None:
        """The core has handled an event."""

    def committed(self) -> None:
        """What was told is durable."""


class Live:
    """The core against real time."""

    def __init__(
        self,
        loaded: LoadedSite,
        record: Record,
        outside: Outside,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        poses: Poses | None = None,
        speed: float = 1.0,
    ) -> None:
        """`clock_ns` runs `speed` times as fast as the real one: for tests against vehicles that do so,
        too."""
        self.loaded = loaded
        self.inbox = Inbox(INBOX_MAX)
        self.core = Core(loaded.site, self, record=lambda t, s, e: record.append(e, t, s))
        self._record, self._outside = record, outside
        self._answers = Answers(loaded.arrays, loaded.site.policy)
        self._gate, self._poses = Gate(loaded.site.roadmap), poses
        self._clock_ns, self._begun_ns = clock_ns, clock_ns()
        self._tick_s = loaded.site.policy.tick_ms / 1000 / speed
        self._commands: list[Command] = []
        self.pending = Pending()
        self.watchers: list[Watcher] = []
        self.followers: list[Follower] = []
        self._restored = False
        self._running: set[asyncio.Task[None]] = set()

    def send(self, command: Command) -> None:
        """core.loop.Port: commands wait for the commit."""
        self._record.command(encode(command))
        self._commands.append(command)
        for follower in self.followers:
            follower.command(command)

    def restore(
        self,
        entries: Iterable[Entry],
        told: Callable[[Event, list[Command]], None] = lambda _event, _commands: None,
    ) -> None:
        """Go on with a run: fold its journal. Time goes on where it ended; what was commanded and not
        answered is commanded again when the run begins. `told` hears each event and its commands."""
        last_ns = 0
        untold: list[tuple[int, CommandRefused]] = []  # by the gate, and not in the journal
        for entry in entries:
            if isinstance(entry.event, CommandRefused):
                told_now = [each for each in untold if _same(each[1], entry.event)]
                untold = [each for each in untold if each not in told_now]
                if not told_now:  # the gate had let it through
                    self._gate.taken_back(entry.event.robot, entry.event.edges)
            self._heard(entry.event)
            self.core.handle(entry.time_ns, entry.event)
            self._handled(entry.event)
            for command in self._commands:
                self.pending.given(command)
                if isinstance(command, ExtendBase) and (reason := self._gate.check(command)):
                    untold.append((entry.time_ns, _refusal(command, reason)))
            told(entry.event, self._commands)
            self._commands.clear()
            last_ns, self._restored = entry.time_ns, True
        for time_ns, refused in untold:
            if last_ns - time_ns > UNTOLD_NS:
                continue  # it would be in the journal: so it was let through
            self.core.handle(last_ns, refused)
            self._handled(refused)
            told(refused, self._commands)
        self._commit()
        self._begun_ns = self._clock_ns() - last_ns

    @property
    def now_ns(self) -> int:
        """Since the run began."""
        return self._clock_ns() - self._begun_ns

    async def post(self, event: Event) -> None:
        """Report an event; waits while the inbox is full."""
        await self.inbox.room()
        self.inbox.put(event)

    def post_soon(self, event: Event) -> None:
        """Report an event from a callback, which can't wait."""
        self.inbox.put(event)

    async def run(self, seconds: float | None = None) -> None:
        """Until cancelled, or for so many seconds."""
        if self._restored:
            since, self._commands = self._commands, []
            for command in self.pending.commands():
                self._carry_out(command)
            self._leave(since)
        else:
            start = RunStarted(site_hash=self.loaded.site.hash, core_version=CORE_VERSION)
            self._take(start)  # before whatever was posted already
        ticker = asyncio.create_task(self._tick())
        end_ns = None if seconds is None else self._clock_ns() + round(seconds * 1e9)
        try:
            while end_ns is None or self._clock_ns() < end_ns:
                try:
                    # not `wait_for`: before Python 3.12 it swallows a cancellation that comes together
                    # with an event, and the run would never end
                    async with asyncio.timeout(0.1):
                        await self.inbox.filled()
                except TimeoutError:
                    continue
                if (first := self.inbox.next()) is not None:
                    self._take(first)
                await asyncio.sleep(0)
        finally:
            ticker.cancel()
            for task in self._running:
                task.cancel()
            self._commit()

    def _take(self, first: Event) -> None:
        """A batch of events, one at least."""
        event: Event | None = first
        count = 0
        while event is not None:
            count += 1
            self._heard(event)
            self.core.handle(self.now_ns, event)
            self._handled(event)
            for watcher in self.watchers:
                watcher.event(self.core.seq - 1, event)
            if count == BATCH_MAX or isinstance(event, URGENT):
                break
            event = self.inbox.next()
        self._commit()
        commands, self._commands = self._commands, []
        self._leave(commands)

    def _leave(self, commands: list[Command]) -> None:
        for command in commands:
            self.pending.given(command)
            self._carry_out(command)

    def _commit(self) -> None:
        self._record.commit()
        for follower in self.followers:
            follower.committed()

    def _heard(self, event: Event) -> None:
        """What the gate and the list of open commands must know before the core does."""
        self.pending.heard(event)
        match event:
            case NodeReached() | RobotRecovered():
                self._gate.reached(event.robot, event.edge)
            case BackedOut():
                self._gate.backed_out(event.robot, event.node)
            case BaseTrimmed():
                self._gate.trimmed(event.robot, event.edges)

    def _handled(self, event: Event) -> None:
        """A robot that the core has taken in is known at the gate, too."""
        for follower in self.followers:
            follower.event(self.core.seq - 1, self.core.world.time_ns, event, self.core.world)
        if isinstance(event, RobotJoined) and has_joined(self.core.world, event):
            self._gate.joined(event.robot, event.fleet, event.node)
            if self._poses is not None:
                self._poses.joined(event.robot, event.fleet)

    def _carry_out(self, command: Command) -> None:
        match command:
            case RequestPaths():
                self._spawn(self._answer(self._answers.paths, command))
            case RequestAssignment():
                self._spawn(self._answer(self._answers.assignment, command))
            case RequestTours():
                self._spawn(self._answer(self._answers.tours, command))
            case ExtendBase():
                reason = self._barred(command) or self._gate.check(command)
                if reason:
                    self.post_soon(_refusal(command, reason))
                else:
                    self._outside.send(command, self.post_soon)
            case _:
                self._outside.send(command, self.post_soon)

    def _barred(self, command: ExtendBase) -> str:
        """What can change after something was let through: who is where, and what is closed."""
        reason = closed(self.core.world, command)
        if self._poses is not None:
            reason = reason or self._poses.check(command, self.now_ns)
        return reason

    def may_drive(self, robot: int, edges: Sequence[int]) -> str:
        """ "" or why a base that has passed the gate must not be sent again, or later."""
        command = ExtendBase(robot=robot, edges=tuple(edges))
        if not self._gate.holds(robot, command.edges):
            return "it is not let through"
        return self._barred(command)

    def given_back(self, event: CommandRefused) -> None:
        """Something that has passed the gate is not sent: what comes behind it must not pass."""
        self._gate.taken_back(event.robot, event.edges)
        self.post_soon(event)

    async def _answer(self, compute: Callable[[C], Event], request: C) -> None:
        await self.post(await asyncio.to_thread(compute, request))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            await self.post(Ticked())


def _refusal(command: ExtendBase, reason: str) -> CommandRefused:
    return CommandRefused(robot=command.robot, reason=reason, edges=command.edges)


def _same(one: CommandRefused, other: CommandRefused) -> bool:
    """Of the same command."""
    return (one.robot, one.edges) == (other.robot, other.edges)
