"""Reading SQLite pages without SQLite, for files it refuses: table leaves and overflow chains.

After the file format's description (sqlite.org/fileformat2.html). Every page of the file, and
every frame of a write-ahead log beside it, is tried; rows are told apart by their shape and kept
only if their own checksum holds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

LEAF = 0x0D
PAGE_SIZES = (4096, 1024, 2048, 8192, 16384, 32768, 65536, 512)
ROW_BYTES_MAX = 1 << 28


def rows(data: bytes, page_bytes: int = 4096) -> Iterator[tuple[int, list[Any]]]:
    """(rowid, columns) of everything that looks like a table row."""
    pages = len(data) // page_bytes
    for number in range(pages):
        start = number * page_bytes
        header = start + (100 if number == 0 else 0)
        if data[header] != LEAF:
            continue
        count = int.from_bytes(data[header + 3 : header + 5], "big")
        for index in range(min(count, page_bytes // 4)):
            at = header + 8 + 2 * index
            cell = int.from_bytes(data[at : at + 2], "big")
            if 8 <= cell < page_bytes:
                row = _cell(data, start, cell, page_bytes)
                if row is not None:
                    yield row


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(9):
        if at >= len(data):
            return 0, at
        byte = data[at]
        at += 1
        if step == 8:
            return (value << 8) | byte, at
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            break
    return value, at


def _cell(data: bytes, start: int, cell: int, page_bytes: int) -> tuple[int, list[Any]] | None:
    end = start + page_bytes
    length, at = _varint(data, start + cell)
    rowid, at = _varint(data, at)
    if not 0 < length <= min(ROW_BYTES_MAX, len(data)) or at >= end:
        return None
    local_max = page_bytes - 35
    if length <= local_max:
        payload = data[at : at + length]
    else:
        local_min = (page_bytes - 12) * 32 // 255 - 23
        local = local_min + (length - local_min) % (page_bytes - 4)
        local = local if local <= local_max else local_min
        payload = data[at : at + local]
        follow = int.from_bytes(data[at + local : at + local + 4], "big")
        payload += _overflow(data, follow, length - local, page_bytes)
    return (rowid, columns) if (columns := _record(payload)) and len(payload) == length else None


def _overflow(data: bytes, page: int, left: int, page_bytes: int) -> bytes:
    parts: list[bytes] = []
    seen: set[int] = set()
    while left > 0 and page and page not in seen and page * page_bytes <= len(data):
        seen.add(page)
        start = (page - 1) * page_bytes
        part = data[start + 4 : start + 4 + min(left, page_bytes - 4)]
        parts.append(part)
        left -= len(part)
        page = int.from_bytes(data[start : start + 4], "big")
    return b"".join(parts)


def _record(payload: bytes) -> list[Any] | None:
    header, at = _varint(payload, 0)
    if not 1 < header <= min(len(payload), 200):
        return None
    types = []
    while at < header:
        kind, at = _varint(payload, at)
        types.append(kind)
    columns: list[Any] = []
    for kind in types:
        size = _size(kind)
        if size < 0 or at + size > len(payload):
            return None
        columns.append(_value(kind, payload[at : at + size]))
        at += size
    return columns


def _size(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    return (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, -1, -1)[kind]


def _value(kind: int, data: bytes) -> Any:
    if kind >= 12:
        return data if kind % 2 == 0 else data.decode("utf-8", "replace")
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind]
    if kind == 7:
        return struct.unpack(">d", data)[0]
    return int.from_bytes(data, "big", signed=True)


def overlay(main: bytes, wal: bytes) -> bytes:
    """The database as its write-ahead log leaves it: valid frames up to the last commit."""
    if len(wal) < 32:
        return main
    magic, _, size, _, salt1, salt2 = struct.unpack(">IIIIII", wal[:24])
    if magic not in (0x377F0682, 0x377F0683) or size not in PAGE_SIZES:
        return main
    order = ">" if magic & 1 else "<"
    s0, s1 = _checksum(wal[:24], order, 0, 0)
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    at = 32
    while at + 24 + size <= len(wal):
        page, commit, f1, f2, c0, c1 = struct.unpack(">IIIIII", wal[at : at + 24])
        s0, s1 = _checksum(wal[at : at + 8] + wal[at + 24 : at + 24 + size], order, s0, s1)
        if (f1, f2) != (salt1, salt2) or (s0, s1) != (c0, c1):
            break
        pending[page] = wal[at + 24 : at + 24 + size]
        if commit:
            pages.update(pending)
            pending = {}
        at += 24 + size
    return _laid_over(main, pages, size)


def overlay_unproved(main: bytes, wal: bytes, page_bytes: int = 4096) -> bytes:
    """The database with every frame of a log, whatever its header and checksums say.

    The rows' own checksums have to prove what comes out."""
    pages: dict[int, bytes] = {}
    frame = 24 + page_bytes
    bound = (len(main) + len(wal)) // page_bytes + 1  # a page behind it has a broken number
    for at in range(32, len(wal) - frame + 1, frame):
        page = int.from_bytes(wal[at : at + 4], "big")
        if 0 < page <= bound:
            pages[page] = wal[at + 24 : at + frame]
    return _laid_over(main, pages, page_bytes)


def _laid_over(main: bytes, pages: dict[int, bytes], size: int) -> bytes:
    bound = len(main) // size + len(pages) + 1
    image = bytearray(main)
    for page, data in pages.items():
        if not 0 < page <= 2 * bound:
            continue
        need = page * size
        if need > len(image):
            image.extend(bytes(need - len(image)))
        image[need - size : need] = data
    return bytes(image)


def _checksum(data: bytes, order: str, s0: int, s1: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        s0 = (s0 + first + s1) & 0xFFFFFFFF
        s1 = (s1 + second + s0) & 0xFFFFFFFF
    return s0, s1
