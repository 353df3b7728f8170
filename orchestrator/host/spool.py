"""A line of messages that may grow longer than memory: what is far behind waits in a nameless file.

Nothing of it outlives the process, and nothing must: whoever fills it can make the messages again.
"""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from collections.abc import Iterator
from itertools import islice

BYTES_MAX = 16_000_000
_LENGTH = struct.Struct("<I")


class Spool:
    """First in, first out; in memory at most `keep` messages, of so many bytes and one more."""

    def __init__(self, keep: int, bytes_max: int = BYTES_MAX) -> None:
        assert keep > 0
        self._keep, self._bytes_max = keep, bytes_max
        self._bytes = 0  # in memory
        self._near: deque[bytes] = deque()
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (it lives as long as we do)
        self._far = 0  # messages in the file
        self._read, self._written = 0, 0  # bytes

    def __len__(self) -> int:
        return len(self._near) + self._far

    def push(self, message: bytes) -> None:
        """To the end."""
        if not self._far and self._room:
            self._take(message)
            return
        self._file.seek(self._written)
        self._written += self._file.write(_LENGTH.pack(len(message)) + message)
        self._far += 1

    def pop(self) -> bytes:
        """The first one, taken out."""
        message = self._near.popleft()
        self._bytes -= len(message)
        few = len(self._near) <= self._keep // 2 and self._bytes <= self._bytes_max // 2
        if self._far and (few or not self._near):
            self._fetch()
        return message

    @property
    def _room(self) -> bool:
        return len(self._near) < self._keep and self._bytes < self._bytes_max

    def _take(self, message: bytes) -> None:
        self._near.append(message)
        self._bytes += len(message)

    def front(self, start: int, end: int) -> Iterator[bytes]:
        """Those from place `start` to `end` (excluded), as far as they are in memory."""
        return islice(self._near, start, end)

    def _fetch(self) -> None:
        self._file.seek(self._read)
        while self._far and self._room:
            (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
            self._take(self._file.read(length))
            self._far -= 1
            self._read += _LENGTH.size + length
        if not self._far:
            self._file.truncate(0)
            self._read = self._written = 0
