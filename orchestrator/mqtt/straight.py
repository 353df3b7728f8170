"""The short way between socket and queues, for many messages a second.

The client library reads one message in each turn of the event loop, with four system calls, and waits
for the socket after each one that it sends. Here all that has come is read at once, and all that is to
be sent at QoS 0 leaves at once; whatever else there is to the protocol (connecting, subscribing, QoS 2,
keep-alive) is the library's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final, cast

import aiomqtt
from paho.mqtt.client import MQTT_ERR_CONN_LOST, MQTT_ERR_PROTOCOL

from orchestrator.mqtt.backlog import Item
from orchestrator.mqtt.queues import Inbox

PUBLISH: Final = 0x30
READ_BYTES = 1 << 18
READS = 16  # before others have a turn
LENGTH_DIGITS_MAX = 4


def attach(client: aiomqtt.Client, inbox: Inbox) -> Sender:
    """What the client receives goes to the inbox this way; return what sends. Before it connects."""
    inner: Any = client._client
    inner.loop_read = Reader(inner, inbox).read
    return Sender(client)


class Reader:
    """Cuts the stream into packets."""

    def __init__(self, inner: Any, inbox: Inbox) -> None:
        self._inner, self._inbox = inner, inbox
        self._rest = bytearray()
        self._wanted = 2  # so many bytes must be there before it is worth looking

    def read(self) -> None:
        """The socket has something: take all of it, within a bound."""
        for _ in range(READS):
            if not self._read():
                return

    def _read(self) -> bool:
        inner = self._inner
        try:
            data = inner._sock_recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            inner._loop_rc_handle(MQTT_ERR_CONN_LOST)
            return False
        inner._last_bytes_received = time.monotonic()
        self._came(data)
        return inner._sock is not None and len(data) == READ_BYTES

    def _came(self, data: bytes) -> None:
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data = bytes(self._rest)
        self._rest = bytearray(data[self._packets(data) :])

    def _packets(self, data: bytes) -> int:
        """Handle all that are whole; return where the next begins."""
        at, end = 0, len(data)
        while end - at >= 2:
            length, body = data[at + 1], at + 2
            if length >= 128:
                length, body = _length(data, at + 1)
            if body < 0:  # of the length, more is to come
                if end - at > LENGTH_DIGITS_MAX:
                    self._inner._loop_rc_handle(MQTT_ERR_PROTOCOL)
                    return end
                break
            if body + length > end:
                self._wanted = body + length - at
                return at
            kind = data[at]
            at = body + length
            if kind & 0xF0 == PUBLISH and kind & 0x06 < 0x04:
                sound = self._published(kind, data[body:at])
            else:
                sound = self._other(kind, data[body:at])
            if not sound:
                return end
        self._wanted = 2
        return at

    def _published(self, kind: int, body: bytes) -> bool:
        qos = kind >> 1 & 3
        start = 2 + int.from_bytes(body[:2], "big")
        if len(body) < start + 2 * qos:
            self._inner._loop_rc_handle(MQTT_ERR_PROTOCOL)
            return False
        payload = body[start + 2 * qos :]
        topic = body[2:start].decode(errors="replace")
        self._inbox.add(topic, payload, qos, bool(kind & 1))
        if qos:
            self._inner._send_puback(int.from_bytes(body[start : start + 2], "big"))
        return True

    def _other(self, kind: int, body: bytes) -> bool:
        """As the library has a packet that it has read; False: the connection is over."""
        inner = self._inner
        inner._in_packet = {
            "command": kind, "have_remaining": 1, "remaining_count": [], "remaining_mult": 1,
            "remaining_length": len(body), "packet": bytearray(body), "to_process": 0, "pos": 0,
        }  # fmt: skip
        try:
            code = inner._packet_handle()
        finally:
            inner._in_packet |= {
                "command": 0, "have_remaining": 0, "remaining_length": 0, "packet": bytearray(),
            }  # fmt: skip
        if code > 0:
            inner._loop_rc_handle(code)
        return bool(code <= 0) and inner._sock is not None


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The packet's length, and where its body begins; (0, -1): not all of it is there."""
    length = shift = 0
    for place in range(at, min(at + LENGTH_DIGITS_MAX, len(data))):
        digit = data[place]
        length |= (digit & 127) << shift
        if digit < 128:
            return length, place + 1
        shift += 7
    return 0, -1


class Sender:
    """Messages at QoS 0, many in one write."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client, self._inner = client, cast(Any, client._client)
        self._loop = asyncio.get_running_loop()
        self._written = asyncio.Event()
        self._inner.on_socket_register_write = self._full
        self._inner.on_socket_unregister_write = self._empty

    async def send(self, items: Iterable[Item]) -> None:
        """Wait only where the socket does not take them all at once."""
        inner = self._inner
        block = b"".join(map(_packet, items))
        self._written.clear()
        # Of no kind: of a message the library would look for who waits for it.
        inner._out_packet.append({
            "command": 0, "mid": 0, "qos": 0, "pos": 0, "to_process": len(block), "packet": block,
            "info": None,
        })  # fmt: skip
        inner.loop_write()
        if inner.want_write():
            await self._written.wait()

    def _full(self, _client: object, _data: object, sock: Any) -> None:
        """There is something to write; also called from the thread that connects."""
        self._loop.call_soon_threadsafe(self._watch, sock)

    def _watch(self, sock: Any) -> None:
        # By now it may have been written: then nobody would ever take the watch away again.
        if self._inner._registered_write and sock is self._inner._sock and sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._inner.loop_write()
        except Exception as error:
            if not self._client._disconnected.done():
                self._client._disconnected.set_exception(error)

    def _empty(self, _client: object, _data: object, sock: Any) -> None:
        self._loop.remove_writer(sock.fileno())
        self._written.set()


def _packet(item: Item) -> bytes:
    topic = item.topic.encode()
    length = 2 + len(topic) + len(item.payload)
    head = bytearray([PUBLISH | item.retain])
    while length >= 128:
        head.append(length & 127 | 128)
        length >>= 7
    head.append(length)
    return bytes(head) + len(topic).to_bytes(2, "big") + topic + item.payload
