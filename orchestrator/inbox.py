"""Events on their way to the core, in sequence; what safety controllers say overtakes others."""

from __future__ import annotations

import asyncio
from collections import deque

from orchestrator.core.messages import EmergencyReset, EmergencyStopped, Event, ZoneCleared

# All of them, not stops alone: a stop must not overtake the reset that was said before it.
URGENT = EmergencyStopped | EmergencyReset | ZoneCleared


class Inbox:
    """For one event loop. What was put in is never lost; who can wait should, while it is full."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._line, self._urgent = deque[Event](), deque[Event]()
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()

    def __len__(self) -> int:
        return len(self._line) + len(self._urgent)

    def put(self, event: Event) -> None:
        """At once, also where it is full."""
        (self._urgent if isinstance(event, URGENT) else self._line).append(event)
        self._filled.set()

    async def room(self) -> None:
        """Wait while it is full."""
        while len(self) >= self._bound:
            self._emptied.clear()
            await self._emptied.wait()

    def next(self) -> Event | None:
        """What is to be handled now; None: nothing is there."""
        line = self._urgent or self._line
        event = line.popleft() if line else None
        if len(self) < self._bound:
            self._emptied.set()
        return event

    async def filled(self) -> None:
        """Wait until something is there."""
        while not len(self):
            self._filled.clear()
            await self._filled.wait()
