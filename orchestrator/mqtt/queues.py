"""The two queues between us and the broker. They belong to the link and outlive its connections."""

from __future__ import annotations

import asyncio

import aiomqtt

from orchestrator.mqtt.backlog import Backlog, Item


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """Stands in for the client library's own queue, which forgets its content with each connection and
    counts nothing."""

    def __init__(self, bound: int, payload_max: int) -> None:
        super().__init__()
        self.backlog = Backlog(bound)
        self.filled = asyncio.Event()
        self.received = 0
        self.too_large = 0
        self._payload_max = payload_max

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Called by the library, within the event loop."""
        self.add(item.topic.value, item.payload, item.qos, item.retain)

    def add(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """A message has come."""
        if len(payload) > self._payload_max:
            self.too_large += 1
            return
        self.received += 1
        self.backlog.add(topic, payload, qos, retain)
        if not self.filled.is_set():
            self.filled.set()

    async def get(self) -> aiomqtt.Message:
        """Never: the library's iterator is used only to hear that the connection is gone."""
        forever: asyncio.Future[aiomqtt.Message] = asyncio.get_running_loop().create_future()
        return await forever

    def take(self, count: int) -> list[tuple[str, bytes, bool]]:
        """Up to `count` messages, oldest first: topic, payload, retained."""
        taken: list[tuple[str, bytes, bool]] = []
        pop = self.backlog.pop
        while len(taken) < count and (item := pop()) is not None:
            taken.append((item.topic, item.payload, item.retain))
        if not self.backlog:
            self.filled.clear()
        return taken


class Outbox:
    """What is to be sent, and what was sent and not yet acknowledged; one bound for both."""

    def __init__(self, bound: int, payload_max: int) -> None:
        self.backlog = Backlog(bound)
        self.sent = 0  # QoS 0: handed to the socket; QoS 1 and 2: acknowledged
        self.too_large = 0
        self._payload_max = payload_max
        self._flying: dict[int, Item] = {}
        self._filled = asyncio.Event()
        self._landed = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def add(self, topic: str, payload: bytes, qos: int, retain: bool) -> bool:
        """Take a message to send; False: dropped (QoS 0) or refused (QoS 1 and 2)."""
        if len(payload) > self._payload_max:
            self.too_large += 1
            return False
        if not self.backlog.add(topic, payload, qos, retain, held=len(self._flying)):
            return False
        self._filled.set()
        self._quiet.clear()
        return True

    def next(self) -> Item | None:
        """The next message to send; one that must be acknowledged counts as flying."""
        item = self.backlog.pop()
        if item is not None and item.qos:
            self._flying[item.number] = item
        return item

    def landed(self, item: Item) -> None:
        """The message has left us for good."""
        self._flying.pop(item.number, None)
        self.sent += 1
        self._landed.set()
        self._look()

    def ground(self) -> None:
        """The connection is gone: what wasn't acknowledged is to be sent again, in its order."""
        self.backlog.put_back(list(self._flying.values()))
        self._flying.clear()
        if self.backlog:
            self._filled.set()
        self._look()

    def loose(self, count: int) -> list[Item]:
        """The next messages at QoS 0, up to `count`, as far as no other one is before them."""
        return self.backlog.loose(count)

    async def filled(self) -> None:
        """Wait until there is something to send."""
        self._look()
        await self._filled.wait()

    async def room(self, window: int) -> None:
        """Wait until fewer than `window` messages are without acknowledgement."""
        while len(self._flying) >= window:
            self._landed.clear()
            await self._landed.wait()

    async def quiet(self) -> None:
        """Wait until nothing is to be sent or acknowledged."""
        await self._quiet.wait()

    def _look(self) -> None:
        if not self.backlog:
            self._filled.clear()
            if not self._flying:
                self._quiet.set()
