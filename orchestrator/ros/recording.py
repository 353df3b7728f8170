"""A run as ROS 2 would have heard it: its journal is folded, and what a node publishes is yielded in
the sequence of time. Nothing is kept but the world, so a run may be as long as it likes.

`/tf` comes 10 times a second for who moves and once a second for all; what is drawn at most once a
second, when it changes; diagnostics each 5 s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from orchestrator.api.board import Board
from orchestrator.api.naming import Naming
from orchestrator.core.loop import Core
from orchestrator.core.messages import BatteryCrossed, Command, Entry, Event, RobotJoined
from orchestrator.core.messages import decode_entry as decoded
from orchestrator.core.world import World
from orchestrator.layout import LoadedSite
from orchestrator.ros import grid, markers, topics, translation
from orchestrator.ros import messages as ros
from orchestrator.ros.names import Names
from orchestrator.ros.topics import Topic
from orchestrator.ros.translation import At, stamp_ns

TICK_NS = 100_000_000
ALL_EVERY, DRAW_EVERY, TELL_EVERY, DIAGNOSE_EVERY = 10, 10, 10, 50  # ticks
FORMAT = 1
json = msgspec.json.Encoder().encode


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What the run file says of the entries before it: with it, commands are compared when the run is
    folded again."""

    first_seq: int
    count: int
    chain: bytes
    commands: int
    commands_chain: bytes


class Kept(msgspec.Struct, frozen=True):
    """One entry of the journal."""

    time_ns: int
    seq: int
    event: Event


class About(msgspec.Struct, frozen=True):
    """What the run was made from, and how it ended."""

    lightsout_run: int
    meta: dict[str, Any]


class Run(Protocol):
    """The part of `journal.RunReader` that is read here."""

    meta: dict[str, Any]

    def batches(self) -> Iterator[tuple[int, list[bytes], bytes, int, bytes]]:
        """first_seq, entries, chain, commands, commands' chain."""


class Poses(Protocol):
    """Where robots are; asked with times that never go back."""

    def at(self, time_ns: int) -> Sequence[At] | None:
        """All robots that are there by then; None: nobody recorded it."""


class Said(NamedTuple):
    """One message."""

    time_ns: int  # of ROS 2
    topic: Topic
    message: ros.Message


class _Desk:
    """The MQTT API's connection: what goes out there is a `std_msgs/String` here."""

    connected = True

    def __init__(self, site_id: str) -> None:
        self._site_id = site_id
        self.out: list[tuple[Topic, bytes]] = []

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        found = topics.told(self._site_id, topic)
        if found is not None and payload:
            self.out.append((found, payload))
        return True


class Recording:
    """One run. `paths`: names of the robots whose ways are told. Raises nothing of its own."""

    def __init__(
        self,
        run: Run,
        loaded: LoadedSite,
        poses: Poses,
        *,
        paths: Collection[str] = (),
        from_ns: int = 0,
        to_ns: int | None = None,
    ) -> None:
        self._run, self._loaded, self._poses = run, loaded, poses
        self._paths = frozenset(paths)
        self._from_ns, self._to_ns = from_ns, to_ns
        self._core = Core(loaded.site, self, record=lambda *_: None)
        self._naming, self._names = Naming(loaded.site), Names()
        self._desk = _Desk(loaded.spec.id)
        self._board = Board(
            loaded.spec.id, self._naming, self._desk, lambda: self.world,
            lambda: (self._now_ns, stamp_ns(self._now_ns)),
        )  # fmt: skip
        self._now_ns = 0
        self._tick = from_ns // TICK_NS + bool(from_ns % TICK_NS)
        self._frames: list[str] = []
        self._seen: dict[int, At] = {}  # as last told
        self._looks: dict[int, tuple[str, int]] = {}
        self._drawn: dict[str, Any] = {}
        self._outlines = [spec.footprint_m for spec in loaded.spec.fleets.values()]

    @property
    def world(self) -> World:
        """The core's."""
        return self._core.world

    def send(self, command: Command) -> None:
        """core.loop.Port: what was commanded is told, not carried out."""
        self._board.command(command)

    def messages(self) -> Iterator[Said]:
        """From the first to the last."""
        yield from self._first()
        for first_seq, entries, chain, commands, commands_chain in self._run.batches():
            for data in entries:
                entry = decoded(data)
                if self._to_ns is not None and entry.time_ns > self._to_ns:
                    yield from self._until(self._to_ns + 1)
                    return
                yield from self._until(entry.time_ns)
                yield from self._entry(entry)
            if self._now_ns >= self._from_ns:
                batch = Batch(
                    first_seq=first_seq, count=len(entries), chain=chain, commands=commands,
                    commands_chain=commands_chain,
                )  # fmt: skip
                yield self._text(topics.BATCHES, json(batch))

    # --- what comes when -------------------------------------------------------------------------

    def _first(self) -> Iterator[Said]:
        now_ns = self._now_ns = self._from_ns
        about = About(FORMAT, self._run.meta | ({"span": True} if self._part else {}))
        yield self._text(topics.RUN, json(about))
        yield self._said(
            topics.MAP, grid.grid(self.world.site.roadmap, self._outlines, now_ns), now_ns
        )
        yield self._said(topics.LAYOUT, markers.layout(self.world, now_ns), now_ns)
        self._now_ns = 0

    @property
    def _part(self) -> bool:
        return self._from_ns > 0 or self._to_ns is not None

    def _entry(self, entry: Entry) -> Iterator[Said]:
        self._now_ns = entry.time_ns
        self._core.handle(entry.time_ns, entry.event)
        self._taken_in()
        self._board.event(entry.seq, entry.event)
        told, self._desk.out = self._desk.out, []
        if entry.time_ns < self._from_ns:
            return
        yield self._text(topics.JOURNAL, json(Kept(entry.time_ns, entry.seq, entry.event)))
        for topic, payload in told:
            yield self._text(topic, payload)
        if isinstance(entry.event, BatteryCrossed | RobotJoined):
            yield from self._battery(entry.event.robot)

    def _taken_in(self) -> None:
        """Names grow with the robots."""
        for robot in self.world.robots[len(self._frames) :]:
            self._naming.joined(robot.name)
            self._frames.append(self._names.frame(robot.name))

    def _until(self, time_ns: int) -> Iterator[Said]:
        """What comes by itself, before `time_ns`."""
        while self._tick * TICK_NS < time_ns:
            tick, self._tick = self._tick, self._tick + 1
            self._now_ns = tick * TICK_NS
            yield from self._moves(tick)
            if tick % DRAW_EVERY == 0:
                yield from self._drawings()
            if tick % TELL_EVERY == 0:
                self._board.tell(self._now_ns)
                for topic, payload in self._desk.out:
                    yield self._text(topic, payload)
                self._desk.out.clear()
            if tick % DIAGNOSE_EVERY == 0:
                found = translation.diagnostics(self.world, self._naming, self._names, self._now_ns)
                yield self._said(topics.DIAGNOSTICS, found, self._now_ns)

    def _moves(self, tick: int) -> Iterator[Said]:
        places = self._poses.at(self._now_ns)
        if places is None:
            places = last_nodes(self.world)
        known = [at for at in places if at[0] < len(self._frames)]
        if tick % ALL_EVERY:
            known = [at for at in known if self._seen.get(at[0]) != at]
        if known:
            self._seen.update({at[0]: at for at in known})
            found = translation.transforms(known, self._frames, self._now_ns)
            yield self._said(topics.TF, found, self._now_ns)

    def _drawings(self) -> Iterator[Said]:
        world, now_ns = self.world, self._now_ns
        bodies = []
        for robot in world.robots:
            looks = markers.looks(world, robot)
            if self._looks.get(robot.index) != looks:
                self._looks[robot.index] = looks
                outline, frame = self._outlines[robot.fleet], self._frames[robot.index]
                bodies += markers.body(world, robot, outline, frame, now_ns)
        if bodies:
            yield self._said(topics.ROBOTS, ros.MarkerArray(bodies), now_ns)
        traffic = world.traffic
        for topic, draw, queues in (
            (topics.RESERVATIONS, markers.reservations, traffic.released),
            (topics.PLANS, markers.plans, traffic.planned),
        ):
            edges = [[move.edge for move in queue] for queue in queues]
            if self._drawn.get(topic.name) != edges:
                self._drawn[topic.name] = edges
                yield self._said(topic, draw(world, now_ns), now_ns)
        yield from self._ways()

    def _ways(self) -> Iterator[Said]:
        if not self._paths:
            return
        for robot in self.world.robots:
            if robot.name in self._paths:
                topic = topics.plan(self._names(robot.name))
                found = translation.path(self.world, robot.index, self._now_ns)
                places = [each.pose for each in found.poses]
                if self._drawn.get(topic.name) != places:
                    self._drawn[topic.name] = places
                    yield self._said(topic, found, self._now_ns)

    def _battery(self, robot: int) -> Iterator[Said]:
        if 0 <= robot < len(self._frames):
            known = self.world.robots[robot]
            found = translation.battery(known, self._frames[robot], self._now_ns)
            yield self._said(topics.battery(self._names(known.name)), found, self._now_ns)

    def _text(self, topic: Topic, payload: bytes) -> Said:
        return self._said(topic, ros.String(payload.decode()), self._now_ns)

    def _said(self, topic: Topic, message: ros.Message, now_ns: int) -> Said:
        return Said(stamp_ns(now_ns), topic, message)


class NoPoses:
    """Of a run whose vehicles' poses nobody recorded."""

    def at(self, time_ns: int) -> None:
        """Nobody knows."""


def last_nodes(world: World) -> list[At]:
    """Each robot where it reported last."""
    traffic = world.traffic
    return [
        (robot.index, *next(translation.nodes_of(world, robot.index)))
        for robot in world.robots
        if robot.index < len(traffic.at)
    ]
