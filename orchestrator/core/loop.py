"""The loop that live, simulation and replay share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from orchestrator.core import invariants
from orchestrator.core.messages import Command, Entry, Event, encode
from orchestrator.core.site import Site
from orchestrator.core.step import step
from orchestrator.core.world import new_world


class Port(Protocol):
    """Where commands go. Answers come back later, as events."""

    def send(self, command: Command) -> None:
        """Carry the command out, or begin to."""
        ...


Record = Callable[[int, int, bytes], None]
"""time_ns, seq, the entry's canonical bytes."""


class Core:
    """Numbers, records and applies events; hands every command to the port."""

    def __init__(self, site: Site, port: Port, record: Record) -> None:
        self.world = new_world(site)
        self.seq = 0
        self._port = port
        self._record = record

    def handle(self, time_ns: int, event: Event) -> None:
        """One event: journal, step, commands."""
        self._record(time_ns, self.seq, encode(Entry(time_ns, self.seq, event)))
        self.seq += 1
        for command in step(self.world, time_ns, event):
            self._port.send(command)
        if self.seq % self.world.site.policy.invariants_every == 0:
            invariants.require(self.world)
