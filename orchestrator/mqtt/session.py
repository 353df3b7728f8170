"""One connection's life: subscribe, say that it is up, send and receive until it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from orchestrator.mqtt.address import Address
from orchestrator.mqtt.backlog import Item
from orchestrator.mqtt.queues import Outbox
from orchestrator.mqtt.straight import Sender
from orchestrator.mqtt.trouble import Trouble

WINDOW = 100  # messages under way without acknowledgement
TURN = 500  # messages sent before others have a turn
REFUSED = 128  # SUBACK's codes from here on


class Subscriptions:
    """Filters that the link wants, whatever the connection; the newest QoS of each counts."""

    def __init__(self) -> None:
        self._wanted: dict[str, int] = {}
        self._new: list[str] = []
        self._dropped: list[str] = []
        self._changed = asyncio.Event()

    def add(self, pattern: str, qos: int) -> None:
        """Remember a filter; a session under way hears of it."""
        self._wanted[pattern] = qos
        self._new.append(pattern)
        self._changed.set()

    def drop(self, pattern: str) -> None:
        """Forget a filter; a session under way hears of it."""
        if self._wanted.pop(pattern, None) is not None:
            self._new = [each for each in self._new if each != pattern]
            self._dropped.append(pattern)
            self._changed.set()

    def again(self) -> None:
        """A new connection: everything is to be asked for again."""
        self._new, self._dropped = list(self._wanted), []

    def take(self) -> list[tuple[str, int]]:
        """What the broker has not been asked for yet."""
        new, self._new = list(dict.fromkeys(self._new)), []
        self._changed.clear()
        return [(pattern, self._wanted[pattern]) for pattern in new]

    def take_dropped(self) -> list[str]:
        """What the broker still sends and nobody wants any more."""
        dropped, self._dropped = self._dropped, []
        return [pattern for pattern in dropped if pattern not in self._wanted]

    async def changed(self) -> None:
        """Wait until there is something to ask for."""
        await self._changed.wait()

    @property
    def open(self) -> bool:
        """Whether something is still to be asked for."""
        return bool(self._new)


class Session:
    """Drives a connected client; `run` ends with the library's `MqttError` when it is gone."""

    def __init__(
        self,
        client: aiomqtt.Client,
        sender: Sender,
        address: Address,
        outbox: Outbox,
        subscriptions: Subscriptions,
        report: Callable[[Trouble], None],
    ) -> None:
        self._client = client
        self._sender = sender
        self._address = address
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._report = report
        self._flights: set[asyncio.Task[None]] = set()
        client.pending_calls_threshold = 2 * WINDOW  # the library warns from 10 on

    async def run(self, up: Callable[[], None], settled: asyncio.Event) -> None:
        """Call `up` once the subscriptions are made; `settled` is set while none is open."""
        self._subscriptions.again()
        ready = asyncio.Event()
        parts = [
            asyncio.create_task(self._gone()),  # first: it knows best why the others failed
            asyncio.create_task(self._subscribe(up, ready, settled)),
            asyncio.create_task(self._send(ready)),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            await next(part for part in parts if part in done)
        finally:
            settled.clear()
            everything = [*parts, *self._flights]
            for task in everything:
                task.cancel()
            await asyncio.gather(*everything, return_exceptions=True)
            self._outbox.ground()

    async def _gone(self) -> None:
        """Raises when the connection is lost; messages go to the inbox, not this way."""
        async for _ in self._client.messages:
            raise AssertionError("the inbox hands nothing out this way")

    async def _subscribe(
        self, up: Callable[[], None], ready: asyncio.Event, settled: asyncio.Event
    ) -> None:
        while True:
            if asked := self._subscriptions.take():
                codes: Sequence[int | ReasonCode] = await self._client.subscribe(asked)
                for (pattern, _), code in zip(asked, codes, strict=False):
                    if (code if isinstance(code, int) else code.value) >= REFUSED:
                        self._refused(pattern)
            if dropped := self._subscriptions.take_dropped():
                await self._client.unsubscribe(dropped)
            if self._subscriptions.open:
                continue
            settled.set()
            if not ready.is_set():
                up()
                ready.set()
            await self._subscriptions.changed()
            settled.clear()

    def _refused(self, pattern: str) -> None:
        text = f"the broker {self._address} refuses the subscription '{pattern}': check its ACL"
        self._report(Trouble("subscription", text))

    async def _send(self, ready: asyncio.Event) -> None:
        await ready.wait()
        while True:
            if loose := self._outbox.loose(TURN):
                await self._sender.send(loose)
                for sent in loose:
                    self._outbox.landed(sent)
                await asyncio.sleep(0)  # others have a turn
                continue
            item = self._outbox.next()
            if item is None:
                await self._outbox.filled()
                continue
            flight = asyncio.create_task(self._fly(item))
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)
            await self._outbox.room(WINDOW)

    async def _fly(self, item: Item) -> None:
        # When it fails the connection is going; the message stays in flight until `ground`.
        with contextlib.suppress(aiomqtt.MqttError):
            await self._deliver(item)

    async def _deliver(self, item: Item) -> None:
        """Without a time limit: that the broker is still there is the keep-alive's concern."""
        await self._client.publish(
            item.topic, item.payload, item.qos, item.retain, timeout=math.inf
        )
        self._outbox.landed(item)
