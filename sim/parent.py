"""The run that a fork comes from: its answers are taken, and its events must come again, byte by
byte, up to the fork."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

from orchestrator.answers import Answers
from orchestrator.core.messages import (
    AssignmentMade,
    Entry,
    ImageRead,
    PathsPlanned,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    ToursPlanned,
    decode_entry,
)
from orchestrator.journal import RunReader
from orchestrator.journal.reader import Batch
from sim.recorder import Recorder
from sim.scenario import ScenarioError
from sim.surroundings import MotionRow

AHEAD_NS = 60_000_000_000  # an answer that comes later than this is computed anew
Answer = PathsPlanned | AssignmentMade | ToursPlanned


class ForkDiverged(ScenarioError):
    """The beginning of a run could not be made again."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A run up to and with everything that happened at a moment."""

    events: int
    chain: str  # SHA-256 over the canonical bytes of these events
    reads: dict[int, ImageRead]  # what cameras saw, by request


def beginning(reader: RunReader, at_ns: int) -> Beginning:
    """Of a recorded run. Raises `ScenarioError` where the record ends earlier."""
    hashed, events, last_ns = hashlib.sha256(), 0, -1
    reads: dict[int, ImageRead] = {}
    for data in reader.entry_bytes():
        entry = decode_entry(data)
        last_ns = entry.time_ns
        if last_ns > at_ns:
            return Beginning(events, hashed.hexdigest(), reads)
        if isinstance(entry.event, ImageRead):
            reads[entry.event.request] = entry.event
        hashed.update(data)
        events += 1
    if last_ns < at_ns and reader.meta["status"] != "closed":
        raise ScenarioError(
            f"{reader.path}: is recorded up to {max(0, last_ns) / 1e9:g} s so far -> fork before it"
        )
    return Beginning(events, hashed.hexdigest(), reads)


class Parent:
    """Reads a parent's journal once, in step with the run that is made again: a bounded stretch ahead
    for its answers."""

    def __init__(self, reader: RunReader, begins: Beginning) -> None:
        self.events, self.reads = begins.events, begins.reads
        self._batches = cast("Generator[Batch, None, None]", reader.batches())
        self._entries = self._read()
        self._ahead: deque[tuple[bytes, Entry]] = deque()
        self._answers: dict[int, Answer] = {}
        self.ends: deque[tuple[int, int, bytes]] = deque()  # of batches: event, commands, chain

    def _read(self) -> Generator[tuple[bytes, Entry], None, None]:
        for first, entries, _, commands, chain in self._batches:
            self.ends.append((first + len(entries), commands, chain))
            for data in entries:
                yield data, decode_entry(data)

    def close(self) -> None:
        """Let go of the journal."""
        self._entries.close()
        self._batches.close()

    def next(self) -> bytes:
        """The bytes of the next event; empty behind the last."""
        if not self._ahead and self._pull() is None:
            return b""
        data, entry = self._ahead.popleft()
        if isinstance(entry.event, Answer):
            self._answers.pop(entry.event.request, None)
        return data

    def _pull(self) -> Entry | None:
        pair = next(self._entries, None)
        if pair is None:
            return None
        self._ahead.append(pair)
        event = pair[1].event
        if isinstance(event, Answer):
            self._answers[event.request] = event
        return pair[1]

    def answer(self, request: int, now_ns: int) -> Answer | None:
        """What was answered; None where that isn't recorded soon after."""
        while request not in self._answers:
            if self._ahead and self._ahead[-1][1].time_ns > now_ns + AHEAD_NS:
                return None
            if self._pull() is None:
                return None
        return self._answers[request]


class ParentAnswers(Answers):
    """The parent's answers up to the fork; behind it, answers are computed."""

    parent: Parent | None = None
    now_ns = 0

    def paths(self, request: RequestPaths) -> PathsPlanned:
        """The recorded plan, if there is one."""
        known = self.parent and self.parent.answer(request.request, self.now_ns)
        return known if isinstance(known, PathsPlanned) else super().paths(request)

    def assignment(self, request: RequestAssignment) -> AssignmentMade:
        """The recorded matching, if there is one."""
        known = self.parent and self.parent.answer(request.request, self.now_ns)
        return known if isinstance(known, AssignmentMade) else super().assignment(request)

    def tours(self, request: RequestTours) -> ToursPlanned:
        """The recorded tours, if there are any."""
        known = self.parent and self.parent.answer(request.request, self.now_ns)
        return known if isinstance(known, ToursPlanned) else super().tours(request)


class Following:
    """A recorder that lets through only what the parent recorded, up to the fork."""

    def __init__(self, record: Recorder, answers: ParentAnswers, parent: Parent) -> None:
        self._record, self._answers, self._parent = record, answers, parent
        self._commands, self._count = hashlib.sha256(), 0

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """sim.shell.Recorder"""
        self._answers.now_ns = time_ns
        if seq < self._parent.events:
            self._same(entry, time_ns, seq)
        else:
            self._answers.parent = None
        self._record.append(entry, time_ns, seq)

    def _same(self, entry: bytes, time_ns: int, seq: int) -> None:
        if self._parent.next() != entry:
            raise _diverged(f"event {seq} at {time_ns / 1e9:g} s is another one")
        ends = self._parent.ends
        while ends and ends[0][0] <= seq:
            end, count, chain = ends.popleft()
            if end == seq and (count, chain) != (self._count, self._commands.digest()):
                raise _diverged(f"the commands before event {seq} at {time_ns / 1e9:g} s differ")

    def command(self, encoded: bytes) -> None:
        """sim.shell.Recorder"""
        self._commands.update(encoded)
        self._count += 1
        self._record.command(encoded)

    def motion(self, row: MotionRow) -> None:
        """sim.shell.Recorder"""
        self._record.motion(row)

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """sim.shell.Recorder"""
        self._record.truth(time_ns, kind, payload)

    def commit(self) -> None:
        """sim.shell.Recorder"""
        self._record.commit()


def _diverged(what: str) -> ForkDiverged:
    return ForkDiverged(
        f"the run's beginning can't be made again: {what} -> fork it with the version of Lightsout "
        "and the machine that recorded it"
    )
