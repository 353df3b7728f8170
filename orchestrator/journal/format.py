"""The run file: one SQLite database. Schema, checksums, errors. See docs/run-file.md."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

APPLICATION_ID = 0x4C4F5554  # "LOUT"
FORMAT = 1
PAGE_BYTES = 4096
DAMAGE = (sqlite3.Error, UnicodeDecodeError)  # the latter where SQLite quotes a broken schema
SQLITE_MAGIC = b"SQLite format 3\0"

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB, crc INTEGER);
CREATE TABLE journal(batch INTEGER PRIMARY KEY, first_seq INTEGER, count INTEGER,
  time_from_ns INTEGER, time_to_ns INTEGER, payload BLOB, chain BLOB,
  commands_count INTEGER, commands_chain BLOB, crc INTEGER);
CREATE TABLE motion(batch INTEGER PRIMARY KEY, time_from_ns INTEGER, time_to_ns INTEGER,
  payload BLOB, crc INTEGER);
CREATE TABLE snapshot(time_ns INTEGER PRIMARY KEY, first_seq INTEGER, payload BLOB, crc INTEGER);
CREATE TABLE truth(batch INTEGER PRIMARY KEY, first_seq INTEGER, count INTEGER,
  time_from_ns INTEGER, time_to_ns INTEGER, payload BLOB, crc INTEGER);
"""

TABLES = {
    "meta": ("key", "value", "crc"),
    "journal": (
        "batch", "first_seq", "count", "time_from_ns", "time_to_ns", "payload", "chain",
        "commands_count", "commands_chain", "crc",
    ),
    "motion": ("batch", "time_from_ns", "time_to_ns", "payload", "crc"),
    "snapshot": ("time_ns", "first_seq", "payload", "crc"),
    "truth": ("batch", "first_seq", "count", "time_from_ns", "time_to_ns", "payload", "crc"),
}  # fmt: skip

MOTION = np.dtype([
    ("robot", "<i4"), ("t0_ns", "<i8"), ("dt_ns", "<i8"), ("x_m", "<f8"), ("y_m", "<f8"),
    ("theta_rad", "<f8"), ("direction_rad", "<f8"), ("v_mps", "<f8"), ("a_mps2", "<f8"),
    ("omega_radps", "<f8"),
])  # fmt: skip
"""A piece of motion. At tau seconds after t0: s = v tau + a tau^2 / 2, x + cos(direction) s,
y + sin(direction) s, theta + omega tau. Between pieces a robot stands where the last one ended."""

_LENGTH = struct.Struct("<I")
BATCH_BYTES_MAX = 1 << 30


class RunFileError(Exception):
    """A run file that can't be used: which, what is wrong, how to mend it."""

    def __init__(self, path: Path | str, what: str, mend: str) -> None:
        self.path, self.what, self.mend = str(path), " ".join(what.split()), mend
        super().__init__(f"{path}: {self.what} -> {mend}")


class ResumeDiverged(RunFileError):
    """A resumed run made another event than the journal holds."""


def crc(*columns: Any) -> int:
    """Checksum over the other columns of a row, its key included."""
    value = 0
    for column in columns:
        data = column if isinstance(column, bytes) else repr(column).encode()
        value = zlib.crc32(_LENGTH.pack(len(data)) + data, value)
    return value


def pack(entries: list[bytes]) -> bytes:
    """Length-prefixed, compressed."""
    return zlib.compress(b"".join(_LENGTH.pack(len(e)) + e for e in entries), 1)


def inflate(payload: bytes) -> bytes:
    """Decompress one whole stream of at most `BATCH_BYTES_MAX`. Raises ValueError otherwise."""
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(payload, BATCH_BYTES_MAX)
    except zlib.error as error:
        raise ValueError(f"damaged payload: {error}") from error
    if not stream.eof or stream.unused_data:
        raise ValueError("damaged payload: cut, too long, or followed by something else")
    return data


def unpack(payload: bytes) -> Iterator[bytes]:
    """The inverse of `pack`. Raises ValueError on anything else."""
    data = inflate(payload)
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError("damaged payload: it ends within a length")
        (length,) = _LENGTH.unpack_from(data, at)
        at += 4
        if at + length > len(data):
            raise ValueError("damaged payload: it ends within an entry")
        yield data[at : at + length]
        at += length
