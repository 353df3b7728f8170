"""A controller by OPC UA: all its values are read in one request, a few times a second."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.uaerrors import UaError

from orchestrator.safety.bridge import Value


class OpcUa:
    """`async with OpcUa(url, places, timeout_s) as source: await source.read()`; raises OSError,
    TimeoutError or `UaError` where that is not possible."""

    errors: tuple[type[Exception], ...] = (OSError, TimeoutError, UaError, ConnectionError)

    def __init__(self, url: str, places: tuple[str, ...], timeout_s: float) -> None:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what is wrong is told by us
        self._client = Client(url, timeout=timeout_s)
        self._places = places
        self._nodes: list[Node] = []

    async def __aenter__(self) -> OpcUa:
        await self._client.connect()
        self._nodes = [self._client.get_node(place) for place in self._places]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.disconnect()

    async def read(self) -> dict[str, Value]:
        """By place; None: the server says that the value is no good, or it is none of ours."""
        found = await self._client.read_attributes(self._nodes)
        return dict(zip(self._places, map(_value, found), strict=True))


def _value(got: ua.DataValue) -> Value:
    if got.StatusCode is not None and not got.StatusCode.is_good():
        return None
    value: Any = got.Value.Value if got.Value is not None else None
    return value if isinstance(value, bool | int | float | str) else None
