"""Codecs of VDA 5050 2.0, 2.1 and 3.0: bytes to the model and back, both directions."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from orchestrator.vda5050 import factsheets, reading, wire
from orchestrator.vda5050.errors import LocalError, RemoteError
from orchestrator.vda5050.model import (
    Connection,
    Factsheet,
    Header,
    InstantActions,
    Order,
    State,
    Visualization,
)
from orchestrator.vda5050.quirks import Quirks
from orchestrator.vda5050.writing import Writer

VERSIONS = {"2.0": "2.0.0", "2.1": "2.1.0", "3.0": "3.0.0"}
BYTES_MAX = 1_000_000
NONE_YET: dict[str, Any] = {  # of a state, where a kind reader finds nothing: no order, no node
    "orderId": "", "orderUpdateId": 0, "lastNodeId": "", "lastNodeSequenceId": 0,
    "nodeStates": [], "edgeStates": [], "actionStates": [], "errors": [],
}  # fmt: skip
Incoming = (
    State | Connection | Factsheet | Visualization
    | tuple[Header, Order] | tuple[Header, InstantActions]
)  # fmt: skip


class Codec:
    """For one protocol version and one kind of vehicle; without state."""

    def __init__(self, protocol: str, quirks: Quirks) -> None:
        if protocol not in VERSIONS:
            raise ValueError(f"protocol {protocol!r} is unknown -> one of {', '.join(VERSIONS)}")
        self.version = VERSIONS[protocol]
        self.quirks = quirks
        self._write = Writer(protocol, quirks)
        new = protocol.startswith("3")
        state: type[wire.StateBase] = wire.State3 if new else wire.State2
        to_state: Callable[[Any], State] = reading.state3 if new else reading.state2
        readers: dict[str, tuple[Any, Callable[[Any], Incoming]]] = {
            "state": (state, to_state),
            "connection": (wire.WireConnection, reading.connection),
            "visualization": (wire.WireVisualization, reading.visualization),
            "order": (wire.WireOrder, reading.order),
            "instantActions": (wire.WireInstantActions, reading.instant_actions),
        }
        strict = not quirks.lenient
        self._readers = {
            topic: (msgspec.json.Decoder(kind, strict=strict).decode, read)
            for topic, (kind, read) in readers.items()
        }
        self._encode = msgspec.json.Encoder().encode

    def decode(self, topic: str, payload: bytes) -> Incoming:
        """`topic`: state | connection | factsheet | visualization | order | instantActions (of these
        two: with their header). Raises RemoteError, and nothing else, where the other side broke the
        protocol."""
        if len(payload) > BYTES_MAX:
            raise RemoteError(topic, f"is {len(payload)} bytes long -> {BYTES_MAX} at most")
        try:
            if topic == "factsheet":
                return self._factsheet(payload)
            if topic not in self._readers:
                raise RemoteError(topic, f"is no topic -> {', '.join(self._readers)}, factsheet")
            decode, read = self._readers[topic]
            try:
                return read(decode(payload))
            except msgspec.MsgspecError:
                if not self.quirks.lenient:
                    raise
                return read(decode(_kindly(topic, payload)))
        except msgspec.MsgspecError as error:
            raise RemoteError(topic, str(error)) from error
        except (RecursionError, UnicodeError, OverflowError) as error:
            raise RemoteError(topic, f"can't be read: {type(error).__name__}") from error

    def _factsheet(self, payload: bytes) -> Factsheet:
        raw = msgspec.json.decode(payload)
        if not isinstance(raw, dict):
            raise RemoteError("factsheet", "is no object")
        head = msgspec.convert(
            {"headerId": 0, "timestamp": "1970-01-01T00:00:00Z"} | raw, wire.Head, strict=False
        )
        return factsheets.read(raw, reading.header(head), self.version)

    def encode(
        self,
        message: State | Connection | Factsheet | Order | InstantActions,
        header: Header | None = None,
    ) -> bytes:
        """`header`: of orders and instant actions; the others bring their own."""
        match message:
            case Order():
                body = self._write.order(message)
            case InstantActions():
                body = self._write.instant_actions(message)
            case State():
                body, header = self._write.state(message), message.header
            case Connection():
                body, header = self._write.connection(message), message.header
            case Factsheet():
                body, header = factsheets.write(message, self.version), message.header
        if header is None:
            raise LocalError("a message without a header")
        return self._encode(self._write.head(header) | body)


@cache
def _plain(protocol: str) -> Codec:
    return Codec(protocol, Quirks())


def codec_of(protocol: str, quirks: Quirks | None = None) -> Codec:
    """The codec for "2.0", "2.1" or "3.0"."""
    return _plain(protocol) if quirks is None else Codec(protocol, quirks)


def _kindly(topic: str, payload: bytes) -> bytes:
    """Without nulls, and with what a kind reader takes as none or empty where it is missing."""
    raw = _without_nulls(msgspec.json.decode(payload))
    if isinstance(raw, dict):
        if topic == "state":
            raw = NONE_YET | raw
        for key in ("nodes", "edges"):
            rows = raw.get(key)
            for each in rows if isinstance(rows, list) else ():
                if isinstance(each, dict):
                    each.setdefault("actions", [])
    return json.dumps(raw).encode()  # as bytes again: so errors name the field


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value if each is not None]
    return value
