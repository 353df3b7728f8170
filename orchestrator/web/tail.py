"""Following a run file that another process may be writing.

No connection stays open between two reads: a writer that closes its run has to leave WAL mode, and
SQLite lets it do that only when it is alone.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.messages import Entry, decode_entry
from orchestrator.journal import MOTION, RunFileError, RunReader
from orchestrator.journal.format import crc, inflate, unpack

Fact = tuple[int, str, dict[str, Any]]
"""time_ns, kind, payload"""

T = TypeVar("T")
ROWS_MAX = 64  # batches read per table and poll: bounds the time of one poll
CACHE_BATCHES = 48
MEND = "lightsout salvage RUN --out NEW.run brings out what can be read"
COLUMNS = {
    "truth": "batch, first_seq, count, time_from_ns, time_to_ns, payload, crc",
    "motion": "batch, time_from_ns, time_to_ns, payload, crc",
    "journal": "batch, first_seq, count, time_from_ns, time_to_ns, payload, chain, "
    "commands_count, commands_chain, crc",
}
TIMES_AT = {"truth": 3, "motion": 1, "journal": 3}  # column of time_from_ns


@contextmanager
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A short-lived connection that can only read."""
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2)) as opened:
            yield opened
    except sqlite3.DatabaseError as error:
        raise RunFileError(path, f"can't be read: {error}", MEND) from error


def check_is_run(path: Path) -> dict[str, Any]:
    """Raise `RunFileError` if it is no run; return its meta values."""
    with RunReader(path) as reader:
        return reader.meta


def facts_of(payload: bytes) -> list[Fact]:
    """Decode a truth batch."""
    return [(t, kind, fact) for t, kind, fact in map(json.loads, unpack(payload))]


def motion_of(payload: bytes) -> NDArray[Any]:
    """Decode a motion batch."""
    return np.frombuffer(inflate(payload), MOTION)


def entries_of(payload: bytes) -> list[Entry]:
    """Decode a journal batch."""
    return [decode_entry(data) for data in unpack(payload)]


@dataclass(slots=True)
class Batches(Generic[T]):
    """One table's batches: their times in memory, their content on demand, the last few cached."""

    path: Path
    table: str
    decode: Any  # bytes -> T
    numbers: list[int] = field(default_factory=list)
    from_ns: list[int] = field(default_factory=list)
    to_ns: list[int] = field(default_factory=list)
    latest_ns: list[int] = field(default_factory=list)  # running maximum of to_ns
    _cache: OrderedDict[int, T] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def news(self, opened: sqlite3.Connection) -> list[tuple[int, int, int, T]]:
        """(number, from, to, content) of batches written since, at most `ROWS_MAX`. Nothing is
        taken in yet: `add` does that, in the thread that owns the index."""
        last = self.numbers[-1] if self.numbers else 0
        query = f"SELECT {COLUMNS[self.table]} FROM {self.table} WHERE batch > ? ORDER BY batch"
        found = []
        for row in opened.execute(f"{query} LIMIT {ROWS_MAX}", (last,)):
            at = TIMES_AT[self.table]
            found.append((row[0], row[at], row[at + 1], self._checked(row)))
        return found

    def add(self, number: int, from_ns: int, to_ns: int, content: T) -> None:
        """Take a batch in."""
        with self._lock:
            self._remember(len(self.numbers), content)
        self.latest_ns.append(max(to_ns, self.latest_ns[-1] if self.latest_ns else to_ns))
        self.from_ns.append(from_ns)
        self.to_ns.append(to_ns)
        self.numbers.append(number)

    def __len__(self) -> int:
        return len(self.numbers)

    def read(self, position: int) -> T:
        """The content of the batch at a position (0: the first)."""
        with self._lock:
            if position in self._cache:
                self._cache.move_to_end(position)
                return self._cache[position]
        query = f"SELECT {COLUMNS[self.table]} FROM {self.table} WHERE batch = ?"
        with connection(self.path) as opened:
            row = opened.execute(query, (self.numbers[position],)).fetchone()
        if row is None:
            raise RunFileError(self.path, f"has lost {self.table} batch {position + 1}", MEND)
        content = self._checked(row)
        with self._lock:
            self._remember(position, content)
        return content

    def between(self, from_ns: int, to_ns: int, first: int = 0) -> Iterator[T]:
        """Contents of the batches, from position `first` on, that touch the time span."""
        count = len(self.numbers)
        for position in range(max(first, bisect_left(self.latest_ns, from_ns)), count):
            if self.from_ns[position] <= to_ns and self.to_ns[position] >= from_ns:
                yield self.read(position)

    def _remember(self, position: int, content: T) -> None:
        self._cache[position] = content
        while len(self._cache) > CACHE_BATCHES:
            self._cache.popitem(last=False)

    def _checked(self, row: tuple[Any, ...]) -> T:
        number, *columns, check = row
        if crc(number, *columns) != check:
            raise RunFileError(self.path, f"is damaged: {self.table} batch {number}", MEND)
        payload = columns[2] if self.table == "motion" else columns[4]
        try:
            content: T = self.decode(payload)
        except ValueError as error:
            what = f"is damaged: {self.table} batch {number}: {error}"
            raise RunFileError(self.path, what, MEND) from error
        return content
