"""One connection to a broker that is always made again, with a bound on everything.

Behaviours at the bounds: see `Backlog` for both queues; a payload over `payload_max` is dropped and
counted in either direction; a lost connection is tried again for ever, ever slower, up to `Backoff`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import cast

import aiomqtt

from orchestrator.mqtt.address import Address, AddressError, Tls, Will
from orchestrator.mqtt.queues import Inbox, Outbox
from orchestrator.mqtt.session import Session, Subscriptions
from orchestrator.mqtt.straight import attach
from orchestrator.mqtt.trouble import LastWords, Trouble, trouble_of

PAYLOAD_BYTES_MAX = 1 << 20
BATCH = 1000  # messages handed out before the event loop has a turn
ANSWER_S = 5.0  # for CONNACK, SUBACK
NAGLE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an order must not wait for the next one


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts: doubling, with up to half of it left to chance, so that half a fleet
    that lost its broker does not come back in one moment."""

    shortest_s: float = 0.25
    longest_s: float = 15.0
    steady_s: float = 5.0  # a connection that lasted this long starts from the shortest again

    @classmethod
    def at_speed(cls, speed: float) -> Backoff:
        """Where time runs `speed` times as fast, nobody waits for minutes of it."""
        return cls(longest_s=max(1.0, cls().longest_s / max(1.0, speed)))

    def delay_s(self, failures: int, chance: float) -> float:
        """The wait after so many failures in a row; `chance` in 0-1."""
        full = min(self.longest_s, self.shortest_s * 2.0 ** min(failures, 30))
        return full * (1.0 - 0.5 * chance)


@dataclass(frozen=True, slots=True)
class Counters:
    """What went through a link since it was made, and what did not."""

    received: int
    inbox_dropped: int  # QoS 0 that made room
    inbox_refused: int  # QoS 1 and 2 that found none
    received_too_large: int
    sent: int
    outbox_dropped: int
    outbox_refused: int
    sent_too_large: int
    connections: int


def nothing() -> None:
    """For callers that don't want to hear."""


def no_trouble(_: Trouble) -> None:
    """For callers that don't want to hear."""


class MqttLink:
    """`async with MqttLink(url) as link:` — usable at once, connected as soon as it can be.

    Callbacks run in the event loop and must not wait; they may be set at any time. `on_up`: after each
    connection, when the subscriptions are made (publish what must be retained there). `on_down`: a
    connection is lost. `on_trouble`: a new reason that keeps us from being connected. What they raise
    ends the link, and comes out of `messages`.
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str | None = None,
        user: str | None = None,
        password: str | None = None,
        tls: Tls | None = None,
        will: Will | None = None,
        keepalive_s: int = 15,
        clean_session: bool = True,
        inbox_max: int = 50_000,
        outbox_max: int = 20_000,
        payload_max: int = PAYLOAD_BYTES_MAX,
        backoff: Backoff | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Raises `AddressError` for a URL or certificates that can't be used.

        Without `clean_session` the broker keeps what QoS 1 and 2 bring while we are away; that needs a
        `client_id` that stays the same.
        """
        assert clean_session or client_id is not None
        self.address = Address.parse(url)
        if tls is not None and not self.address.encrypted:
            mend = "write mqtts://, or leave the certificates out"
            raise AddressError(str(self.address), "certificates, but no TLS", mend)
        self._user = self.address.user if user is None else user
        self._password = self.address.password if password is None else password
        self._tls = (tls or Tls()).context() if self.address.encrypted else None
        self._client_id = client_id
        self._clean_session = clean_session
        self._will = None
        if will is not None:
            aiomqtt.Topic(will.topic)  # raises ValueError
            self._will = aiomqtt.Will(will.topic, will.payload, will.qos, will.retain)
        self._keepalive_s = keepalive_s
        self._answer_s = answer_s
        self._backoff = backoff or Backoff()
        self._inbox = Inbox(inbox_max, payload_max)
        self._outbox = Outbox(outbox_max, payload_max)
        self._subscriptions = Subscriptions()
        self._settled = asyncio.Event()
        self._chance = random.Random()
        self._keeper: asyncio.Task[None] | None = None
        self._connections = 0
        self._told: Trouble | None = None
        self._session_client: aiomqtt.Client | None = None
        self.connected = False
        self.on_up: Callable[[], None] = nothing
        self.on_down: Callable[[Trouble], None] = no_trouble
        self.on_trouble: Callable[[Trouble], None] = no_trouble

    async def __aenter__(self) -> MqttLink:
        self._keeper = asyncio.create_task(self._keep())
        self._keeper.add_done_callback(lambda _: self._inbox.filled.set())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close without waiting for what is still to be sent: see `flush`."""
        assert self._keeper is not None
        self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper

    def subscribe(self, pattern: str, qos: int = 0) -> None:
        """Ask for a topic filter now and after each reconnect; `wait_up` waits for it."""
        aiomqtt.Wildcard(pattern)  # raises ValueError
        self._settled.clear()
        self._subscriptions.add(pattern, qos)

    def unsubscribe(self, pattern: str) -> None:
        """Ask for a filter no more. What is on its way still comes."""
        self._subscriptions.drop(pattern)

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        """Send as soon as possible; never waits. False: it was dropped, and counted.

        QoS 1 and 2 are sent again after a reconnect until they are acknowledged (at least once). Raises
        ValueError for a topic that can't be published to.
        """
        if not topic or "+" in topic or "#" in topic or "\0" in topic:
            raise ValueError(f"'{topic}' is no topic to publish to")
        assert qos in {0, 1, 2}
        return self._outbox.add(topic, payload, qos, retain)

    def cut(self) -> None:
        """Lose the connection without a word, as by a cable that is pulled: the broker tells the last
        will, and the connection is made again."""
        sock = self._session_client._client.socket() if self._session_client is not None else None
        if self.connected and isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    async def messages(self) -> AsyncIterator[tuple[str, bytes, bool]]:
        """Topic, payload, whether it was retained; ends when the link is closed. One reader."""
        async for batch in self.batches():
            for message in batch:
                yield message

    async def batches(self, count: int = BATCH) -> AsyncIterator[list[tuple[str, bytes, bool]]]:
        """The same in lists of what has come, up to `count`: for who commits in batches."""
        while True:
            await self._inbox.filled.wait()
            if batch := self._inbox.take(count):
                yield batch
            elif self._keeper is not None and self._keeper.done():
                if not self._keeper.cancelled():
                    self._keeper.result()  # raises what a callback raised
                return
            await asyncio.sleep(0)

    async def wait_up(self, timeout_s: float | None = None) -> None:
        """Wait until we are connected with every subscription made; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._settled.wait()

    async def flush(self, timeout_s: float | None = None) -> None:
        """Wait until everything is sent and acknowledged; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._outbox.quiet()

    @property
    def counters(self) -> Counters:
        """What went through and what was lost so far."""
        inbox, outbox = self._inbox, self._outbox
        return Counters(
            received=inbox.received,
            inbox_dropped=inbox.backlog.dropped,
            inbox_refused=inbox.backlog.refused,
            received_too_large=inbox.too_large,
            sent=outbox.sent,
            outbox_dropped=outbox.backlog.dropped,
            outbox_refused=outbox.backlog.refused,
            sent_too_large=outbox.too_large,
            connections=self._connections,
        )

    async def _keep(self) -> None:
        """Connect, for ever."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            before = self._connections
            began = clock()
            await self._connection()
            steady = self._connections > before and clock() - began >= self._backoff.steady_s
            failures = 0 if steady else failures + 1
            await asyncio.sleep(self._backoff.delay_s(failures - 1, self._chance.random()))

    async def _connection(self) -> None:
        """One connection from beginning to end; tells why it ended or didn't come about."""
        words = LastWords()
        client = self._session_client = self._client(words)
        sender = attach(client, self._inbox)
        connecting = asyncio.create_task(client.__aenter__())
        try:
            # Not to be interrupted: the library's thread would open a socket that nobody closes.
            await asyncio.shield(connecting)
            await Session(
                client, sender, self.address, self._outbox, self._subscriptions, self._report
            ).run(self._came_up, self._settled)
            raise AssertionError("a session ends with an error")
        except aiomqtt.MqttError as error:
            trouble = trouble_of(error, self.address, words.text, self._user)
        finally:
            was_connected, self.connected = self.connected, False
            await asyncio.wait([connecting])
            if not connecting.cancelled():
                connecting.exception()  # where we were cancelled meanwhile, nobody else asks for it
            await _close(client)
        if was_connected:
            self._told = trouble
            self.on_down(trouble)
        else:
            self._report(trouble)

    def _client(self, words: LastWords) -> aiomqtt.Client:
        logger = logging.Logger("lightsout.mqtt", logging.WARNING)  # of its own: no parent hears
        logger.addHandler(words)
        return aiomqtt.Client(
            self.address.host,
            self.address.port,
            username=self._user,
            password=self._password,
            identifier=self._client_id,
            clean_session=self._clean_session,
            logger=logger,
            # Called with `maxsize`; ours has its own bound and outlives the connection.
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: self._inbox),
            will=self._will,
            timeout=self._answer_s,
            keepalive=self._keepalive_s,
            tls_context=self._tls,
            socket_options=[NAGLE],
        )

    def _came_up(self) -> None:
        self.connected = True
        self._connections += 1
        self._told = None
        self.on_up()

    def _report(self, trouble: Trouble) -> None:
        """Tell of a new reason; the same one again is no news."""
        if trouble != self._told:
            self._told = trouble
            self.on_trouble(trouble)


async def _close(client: aiomqtt.Client) -> None:
    """Say good-bye where that is possible, and let go of the socket in any case.

    The library leaves it open, with its reader in the event loop, after a connection that was never
    acknowledged and after an error while reading.
    """
    client.timeout = 0.5
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)
    inner = client._client
    inner.disconnect()
    sock = inner.socket()
    if isinstance(sock, socket.socket) and sock.fileno() >= 0:
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())
        sock.close()
