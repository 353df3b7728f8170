"""A run as ROS 2 would have heard it: its journal is folded, and what a node publishes is yielded in
the sequence of time. Nothing is kept but the world, so a run may be as long as it likes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from orchestrator.api.board import Board
from orchestrator.api.naming import Naming
from orchestrator.core.loop import Core
from orchestrator.core.messages import Command, Entry, Event
from orchestrator.core.messages import decode_entry as decoded
from orchestrator.core.world import World
from orchestrator.layout import LoadedSite
from orchestrator.ros import messages as ros
from orchestrator.ros import topics
from orchestrator.ros.display import TICK_NS, Display, Said
from orchestrator.ros.topics import Topic
from orchestrator.ros.translation import At, stamp_ns

TELL_EVERY = 10  # ticks
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
        self._run, self._poses = run, poses
        self._from_ns, self._to_ns = from_ns, to_ns
        self._core = Core(loaded.site, self, record=lambda *_: None)
        self._naming, self._desk = Naming(loaded.site), _Desk(loaded.spec.id)
        self._board = Board(
            loaded.spec.id, self._naming, self._desk, lambda: self.world,
            lambda: (self._now_ns, stamp_ns(self._now_ns)),
        )  # fmt: skip
        self._display = Display(loaded, self.world, self._naming, paths)
        self._now_ns = 0
        self._tick = from_ns // TICK_NS + bool(from_ns % TICK_NS)

    @property
    def world(self) -> World:
        """The core's."""
        return self._core.world

    def send(self, command: Command) -> None:
        """core.loop.Port: what was commanded is told, not carried out."""
        self._board.command(command)

    def messages(self) -> Iterator[Said]:
        """From the first to the last."""
        begin_ns = stamp_ns(self._from_ns)
        about = About(FORMAT, self._run.meta | ({"span": True} if self._part else {}))
        yield _text(topics.RUN, json(about), begin_ns)
        yield from self._display.first(begin_ns)
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
                yield _text(topics.BATCHES, json(batch), stamp_ns(self._now_ns))

    @property
    def _part(self) -> bool:
        return self._from_ns > 0 or self._to_ns is not None

    def _entry(self, entry: Entry) -> Iterator[Said]:
        self._now_ns = entry.time_ns
        now_ns = stamp_ns(entry.time_ns)
        self._core.handle(entry.time_ns, entry.event)
        for robot in self.world.robots[len(self._naming.robots) :]:
            self._naming.joined(robot.name)
        self._board.event(entry.seq, entry.event)
        found = list(self._display.event(entry.event, now_ns))
        told = self._told(now_ns)
        if entry.time_ns >= self._from_ns:
            kept = Kept(entry.time_ns, entry.seq, entry.event)
            yield _text(topics.JOURNAL, json(kept), now_ns)
            yield from told
            yield from found

    def _told(self, now_ns: int) -> list[Said]:
        """What the MQTT API would have told."""
        out, self._desk.out = self._desk.out, []
        return [_text(topic, payload, now_ns) for topic, payload in out]

    def _until(self, time_ns: int) -> Iterator[Said]:
        """What comes by itself, before `time_ns`."""
        while self._tick * TICK_NS < time_ns:
            tick, self._tick = self._tick, self._tick + 1
            self._now_ns = tick * TICK_NS
            now_ns = stamp_ns(self._now_ns)
            yield from self._display.tick(tick, self._poses.at(self._now_ns), now_ns)
            if tick % TELL_EVERY == 0:
                self._board.tell(self._now_ns)
                yield from self._told(now_ns)


def _text(topic: Topic, payload: bytes, now_ns: int) -> Said:
    return Said(now_ns, topic, ros.String(payload.decode()))


class NoPoses:
    """Of a run whose vehicles' poses nobody recorded."""

    def at(self, time_ns: int) -> None:
        """Nobody knows."""
