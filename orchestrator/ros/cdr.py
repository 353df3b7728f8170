"""Messages as bytes: CDR, little endian, as the middlewares of ROS 2 write it.

Each value is aligned to its size, counted from behind the header of four bytes; texts end with a zero
byte that counts; a sequence begins with its length. Encoders are compiled from the definitions, once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any

from orchestrator.ros import definitions
from orchestrator.ros.definitions import base, full
from orchestrator.ros.messages import Message

HEADER = b"\x00\x01\x00\x00"
CODES = {
    "bool": "?", "byte": "B", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
BYTES = ("byte", "int8", "uint8")
Write = Callable[[bytearray, Any], None]
_length = struct.Struct("<I").pack


class CdrError(ValueError):
    """Bytes that are no such message."""


def encode(message: Message) -> bytes:
    """The message, its header included."""
    out = bytearray()
    _writer(message.TYPE)(out, message)
    return HEADER + bytes(out)


def decode_string(data: bytes) -> str:
    """The text of a `std_msgs/msg/String`. Raises `CdrError`."""
    if len(data) < 8 or data[0] != 0 or data[1] not in (0, 1):
        raise CdrError("is no CDR message")
    (length,) = struct.unpack_from("<I" if data[1] else ">I", data, 4)
    if length == 0:
        return ""
    if 8 + length > len(data) or data[7 + length] != 0:
        raise CdrError("ends within its text")
    try:
        return data[8 : 7 + length].decode("utf-8")
    except UnicodeDecodeError as error:
        raise CdrError("is no UTF-8") from error


@cache
def _writer(name: str) -> Write:
    """Writes a whole message. One whose values all have the same size needs only one format."""
    leaves = _leaves(name)
    sizes = {struct.calcsize(f"<{code}") for _, code in leaves or ()}
    if leaves is not None and len(sizes) == 1:
        return _uniform([path for path, _ in leaves], "".join(c for _, c in leaves), sizes.pop())
    parts = [(attrgetter(field), _field(kind)) for kind, field in definitions.fields(name)]

    def write(out: bytearray, message: Any) -> None:
        for value, put in parts:
            put(out, value(message))

    return write


def _leaves(name: str) -> list[tuple[str, str]] | None:
    """Paths and codes of all numbers in a message; None: there is more than numbers in it."""
    found: list[tuple[str, str]] = []
    for kind, field in definitions.fields(name):
        if kind in CODES and kind != "byte":
            found.append((field, CODES[kind]))
        elif "/" in kind and "[" not in kind:
            below = _leaves(full(kind))
            if below is None:
                return None
            found += [(f"{field}.{path}", code) for path, code in below]
        else:
            return None
    return found


def _uniform(paths: list[str], codes: str, size: int) -> Write:
    values, pack = attrgetter(*paths), struct.Struct(f"<{codes}").pack
    if len(paths) == 1:

        def write_one(out: bytearray, message: Any) -> None:
            out += bytes(-len(out) % size) + pack(values(message))

        return write_one

    def write(out: bytearray, message: Any) -> None:
        out += bytes(-len(out) % size) + pack(*values(message))

    return write


def _field(kind: str) -> Write:
    if kind.endswith("[]"):
        return _sequence(base(kind))
    if kind == "string":
        return _string
    if kind == "byte":
        return _byte
    return _number(kind) if kind in CODES else _writer(full(kind))


def _number(kind: str) -> Write:
    pack = struct.Struct(f"<{CODES[kind]}").pack
    size = struct.calcsize(f"<{CODES[kind]}")

    def write(out: bytearray, value: Any) -> None:
        out += bytes(-len(out) % size) + pack(value)

    return write


def _sequence(kind: str) -> Write:
    one = _field(kind)

    def write(out: bytearray, values: Any) -> None:
        out += bytes(-len(out) % 4) + _length(len(values))
        if kind in BYTES and isinstance(values, bytes):
            out += values
            return
        for value in values:
            one(out, value)

    return write


def _string(out: bytearray, text: str) -> None:
    data = text.encode("utf-8")
    out += bytes(-len(out) % 4) + _length(len(data) + 1) + data + b"\x00"


def _byte(out: bytearray, value: bytes) -> None:
    out += value
