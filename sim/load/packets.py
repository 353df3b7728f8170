"""As much of MQTT 3.1.1 as a cheap vehicle needs: bytes to send, bytes that came."""

from __future__ import annotations

import struct

CONNACK, PUBLISH, SUBACK = 0x20, 0x30, 0x90
SHORT = struct.Struct(">H")


def _text(text: bytes) -> bytes:
    return SHORT.pack(len(text)) + text


def _packet(kind: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([kind])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | 128 if length else digit)
        if not length:
            return bytes(head) + body


def connect(client_id: str, keepalive_s: int) -> bytes:
    """A clean session, no will, nobody's name."""
    body = _text(b"MQTT") + b"\x04\x02" + SHORT.pack(keepalive_s) + _text(client_id.encode())
    return _packet(0x10, body)


def subscribe(number: int, topics: list[bytes]) -> bytes:
    """Quality of service 0."""
    return _packet(0x82, SHORT.pack(number) + b"".join(_text(topic) + b"\0" for topic in topics))


def publish(topic: bytes, payload: bytes, retain: bool = False) -> bytes:
    """Quality of service 0."""
    return _packet(PUBLISH | retain, _text(topic) + payload)


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole packets in `data` as (first byte, body), and what is left."""
    found, at, end = [], 0, len(data)
    while end - at >= 2:
        length = shift = 0
        body = at + 1
        while body < end:
            digit = data[body]
            length |= (digit & 127) << shift
            shift += 7
            body += 1
            if not digit & 128:
                break
        else:
            break
        if body + length > end:
            break
        found.append((data[at], data[body : body + length]))
        at = body + length
    return found, data[at:]


def published(body: bytes) -> tuple[bytes, bytes]:
    """Topic and payload of a message of quality of service 0."""
    length = SHORT.unpack_from(body)[0]
    return body[2 : 2 + length], body[2 + length :]
