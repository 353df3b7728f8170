"""Replay: fold a journal through the very same core, and compare what it commands."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.core import invariants
from orchestrator.core.books import books
from orchestrator.core.loop import Core
from orchestrator.core.messages import Command, Event, decode_entry, encode
from orchestrator.core.world import World
from orchestrator.host.confirmations import Follower
from orchestrator.host.outbox import Outbox
from orchestrator.layout import LoadedSite


class Journal(Protocol):
    """A run file, or whatever holds as much of a run."""

    meta: dict[str, Any]

    def batches(self) -> Iterator[tuple[int, list[bytes], bytes, int, bytes]]:
        """first_seq, entries, chain, commands so far, their chain."""


Watch = Callable[[int, Event, World], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay found."""

    events: int
    commands: int
    journal_hash: str
    difference: str  # "" if every command was the recorded one
    wall_s: float


class _Port:
    """Hashes commands instead of carrying them out."""

    def __init__(self, follower: Follower | None) -> None:
        self.chain = hashlib.sha256()
        self.count = 0
        self._follower = follower

    def send(self, command: Command) -> None:
        if self._follower is not None:
            self._follower.command(command)
        self.chain.update(encode(command))
        self.count += 1


def replay(
    reader: Journal,
    loaded: LoadedSite,
    *,
    from_ns: int = 0,
    speed: float | None = None,
    watch: Watch | None = None,
    follower: Follower | None = None,
    outbox: Outbox | None = None,
) -> Outcome:
    """Fold the journal. `watch(time_ns, event, world)` sees what happens from `from_ns` on, at
    `speed` simulated seconds per second. What the `follower` says goes to the `outbox`."""
    port = _Port(follower)
    core = Core(loaded.site, port, record=lambda *_: None)
    started, begun = time.monotonic(), 0.0
    hashed, difference, events = hashlib.sha256(), "", 0
    for first, entries, _, commands, chain in reader.batches():
        for data in entries:
            entry = decode_entry(data)
            hashed.update(data)
            core.handle(entry.time_ns, entry.event)
            if follower is not None:
                follower.event(entry.seq, entry.time_ns, entry.event, core.world)
            events += 1
            if entry.time_ns >= from_ns:
                begun = begun or time.monotonic()
                if speed is not None:
                    due = begun + (entry.time_ns - from_ns) / 1e9 / speed
                    time.sleep(max(0.0, due - time.monotonic()))
                if watch is not None:
                    watch(entry.time_ns, entry.event, core.world)
        if follower is not None and outbox is not None:
            outbox.deliver(follower.take(), follower.seq)
        if not difference and (port.count != commands or port.chain.digest() != chain):
            difference = (
                f"between events {first} and {first + len(entries) - 1}: "
                f"{port.count} commands so far, recorded were {commands}"
            )
    if follower is not None and outbox is not None and reader.meta["status"] == "closed":
        follower.end(core.seq, core.world)
        outbox.deliver(follower.take(), follower.seq)
    invariants.require(core.world)
    recorded = reader.meta.get("books")
    if not difference and recorded is not None and recorded != books(core.world):
        difference = "the books at the end differ"
    seconds = time.monotonic() - started
    return Outcome(events, port.count, hashed.hexdigest(), difference, round(seconds, 3))
