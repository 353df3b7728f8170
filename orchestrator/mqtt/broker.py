"""A broker of our own, so that nothing needs to be installed to try things: `--broker embedded`.

For trying and for tests. It asks nobody for a password, so it listens on this machine alone unless told
otherwise; a real fleet wants a real broker (see docs/mqtt.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.errors import BrokerError
from amqtt.session import Session

CLIENTS_MAX = 1_000
ANYBODY = "amqtt.plugins.authentication.AnonymousAuthPlugin"


class _Topics(dict[str, Any]):
    """May change while the broker goes through it, as it does between two awaits."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.keys()))

    def items(self) -> Any:
        """As they are now."""
        return list(super().items())


class _Broker(Broker):  # type: ignore[misc]
    """Gives who connects what is retained for its own subscriptions; the library (0.12.1) gives each
    client what is retained for anybody's."""

    def __init__(self, config: BrokerConfig, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(config, loop=loop)
        self._subscriptions = _Topics()

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        holders = self._subscriptions.get(subscription[0], ())
        if any(holder.client_id == session.client_id for holder, _ in holders):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class BrokerStartError(OSError):
    """The embedded broker could not listen; the text says where and what to do."""


class EmbeddedBroker:
    """`async with EmbeddedBroker() as broker:` ... `broker.url`. Lives in the running loop."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """`port` 0: any free one. Another `host` opens the broker to whoever can reach it."""
        self._host = host
        self._port = port
        self._broker: Broker | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, once it does."""
        return self._port

    @property
    def url(self) -> str:
        """The address for clients."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"mqtt://{host}:{self._port}"

    async def __aenter__(self) -> EmbeddedBroker:
        host = f"[{self._host}]" if ":" in self._host else self._host
        listener = ListenerConfig(bind=f"{host}:{self._port}", max_connections=CLIENTS_MAX)
        config = BrokerConfig(
            listeners={"default": listener}, plugins={ANYBODY: {"allow_anonymous": True}}
        )
        # It logs each packet's way, and with a traceback what ends as our error anyway.
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        broker = _Broker(config, loop=asyncio.get_running_loop())
        try:
            await broker.start()
        except BrokerError as error:
            cause = error.__cause__ or error
            text = f"the embedded broker can't listen on {host}:{self._port} ({cause})"
            raise BrokerStartError(
                f"{text}: another program may have the port; 0 takes any"
            ) from error
        self._broker = broker
        server = broker._servers["default"].instance
        self._port = int(next(iter(server.sockets)).getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._broker is not None:
            await self._broker.shutdown()
            self._broker = None
