"""One connection for the server, made of several: ROS 2, a broker where there is one, and the adapters
of Nav2 robots. To the server it looks like the link to a broker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

INBOX_MAX = 50_000
BATCH = 500
Message = tuple[str, bytes, bool]  # topic, payload, retained
TO_VEHICLE = ("order", "instantActions")


@dataclass(frozen=True, slots=True)
class Counters:
    """What went through."""

    received: int = 0
    sent: int = 0
    inbox_dropped: int = 0
    inbox_refused: int = 0


class Wire(Protocol):
    """A broker, as far as it is needed here."""

    connected: bool

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        """Send as soon as possible."""

    def subscribe(self, pattern: str, qos: int = 0) -> None:
        """Ask for a topic filter."""

    def unsubscribe(self, pattern: str) -> None:
        """Ask for it no more."""

    def batches(self, count: int = BATCH) -> AsyncIterator[list[Message]]:
        """What comes in."""

    async def flush(self, timeout_s: float | None = None) -> None:
        """Until everything is sent."""


class Vehicle(Protocol):
    """An adapter."""

    def received(self, now_ns: int, name: str, payload: bytes) -> None:
        """On its topic `name`."""


class Junction:
    """`told` hears what is published, but for orders of the adapters' vehicles. One event loop."""

    connected = True

    def __init__(
        self, told: Callable[[str, bytes, bool], None], wire: Wire | None, now_ns: Callable[[], int]
    ) -> None:
        self._told, self._wire, self._now_ns = told, wire, now_ns
        self._vehicles: dict[str, Vehicle] = {}  # by the beginning of their topics
        self._inbox: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._received = self._sent = self._dropped = 0

    async def __aenter__(self) -> Junction:
        if self._wire is not None:
            self._pump = asyncio.create_task(self._listen(self._wire))
            self._pump.add_done_callback(lambda _: self._filled.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    def joins(self, prefix: str, vehicle: Vehicle) -> None:
        """From now on what is published below `prefix` is for this adapter."""
        self._vehicles[prefix] = vehicle

    def post(self, topic: str, payload: bytes, qos: int = 0, retained: bool = False) -> bool:
        """Something comes in. False: there is no room; it is counted."""
        if len(self._inbox) >= INBOX_MAX:
            self._dropped += 1
            return False
        self._received += 1
        self._inbox.append((topic, payload, retained))
        self._filled.set()
        return True

    # --- as of a link to a broker ----------------------------------------------------------------

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        """To whom it is for."""
        self._sent += 1
        prefix, _, name = topic.rpartition("/")
        vehicle = self._vehicles.get(prefix)
        if vehicle is not None and name in TO_VEHICLE:
            vehicle.received(self._now_ns(), name, payload)
            return True
        self._told(topic, payload, retain)
        return self._wire is None or self._wire.publish(topic, payload, qos, retain)

    def subscribe(self, pattern: str, qos: int = 0) -> None:
        """Of the broker."""
        if self._wire is not None:
            self._wire.subscribe(pattern, qos)

    def unsubscribe(self, pattern: str) -> None:
        """Of the broker."""
        if self._wire is not None:
            self._wire.unsubscribe(pattern)

    async def batches(self, count: int = BATCH) -> AsyncIterator[list[Message]]:
        """What came in; ends with the broker's link."""
        while True:
            await self._filled.wait()
            if not self._inbox:
                if self._pump is not None and self._pump.done():
                    self._pump.result()
                    return
                self._filled.clear()
                continue
            size = min(count, len(self._inbox))
            yield [self._inbox.popleft() for _ in range(size)]
            await asyncio.sleep(0)

    async def flush(self, timeout_s: float | None = None) -> None:
        """Until the broker has everything."""
        if self._wire is not None:
            await self._wire.flush(timeout_s)

    @property
    def counters(self) -> Counters:
        """What went through, and what was lost."""
        return Counters(self._received, self._sent, self._dropped, 0)

    async def _listen(self, wire: Wire) -> None:
        async for batch in wire.batches():
            for topic, payload, retained in batch:
                self.post(topic, payload, retained=retained)
