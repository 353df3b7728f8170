"""Reading a run, finished or not. Everything read is checked."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.messages import Entry, decode_entry
from orchestrator.journal.format import (
    APPLICATION_ID,
    FORMAT,
    MOTION,
    SQLITE_MAGIC,
    RunFileError,
    crc,
    unpack,
)

SALVAGE = "lightsout salvage RUN --out NEW.run brings out what can be read"


class RunReader:
    """One run file, which another process may be writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _looks_like_a_run(path)
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA query_only=ON")
            application = self._connection.execute("PRAGMA application_id").fetchone()[0]
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION_ID:
                raise RunFileError(path, "is a database, but no run", "name a file of --record")
            if version > FORMAT:
                what = f"format {version} is newer than this Lightsout, which knows {FORMAT}"
                raise RunFileError(path, what, "update Lightsout")
            self.meta = self._read_meta()
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def __enter__(self) -> RunReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _damaged(self, what: str) -> RunFileError:
        return RunFileError(self.path, f"is damaged: {what}", SALVAGE)

    def _rows(self, query: str, *arguments: Any) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(query, arguments)
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _read_meta(self) -> dict[str, Any]:
        meta = {}
        for key, value, check in self._connection.execute("SELECT key, value, crc FROM meta"):
            if crc(key, value) != check:
                raise self._damaged(f"meta {key!r}")
            meta[key] = json.loads(value)
        return meta

    def refresh(self) -> None:
        """Read the meta values again (the writer may have closed the run)."""
        self.meta = self._read_meta()

    @property
    def count(self) -> int:
        """Number of durable events."""
        query = "SELECT first_seq + count FROM journal ORDER BY batch DESC LIMIT 1"
        row = next(self._rows(query), None)
        return int(row[0]) if row else 0

    @property
    def time_range_ns(self) -> tuple[int, int]:
        """First and last time of the journal."""
        row = next(self._rows("SELECT min(time_from_ns), max(time_to_ns) FROM journal"), None)
        return (int(row[0] or 0), int(row[1] or 0)) if row else (0, 0)

    def batches(self) -> Iterator[tuple[int, list[bytes], bytes, int, bytes]]:
        """(first_seq, entries, chain, commands_count, commands_chain), each checked."""
        query = "SELECT * FROM journal ORDER BY batch"
        for number, *columns, check in self._rows(query):
            if crc(*columns) != check:
                raise self._damaged(f"journal batch {number}")
            first, count, _, _, payload, chain, commands, commands_chain = columns
            try:
                entries = list(unpack(payload))
            except ValueError as error:
                raise self._damaged(f"journal batch {number}: {error}") from error
            if len(entries) != count:
                raise self._damaged(f"journal batch {number} holds {len(entries)} of {count}")
            yield first, entries, chain, commands, commands_chain

    def entry_bytes(self) -> Iterator[bytes]:
        """Canonical bytes of every event; the hash chain is checked on the way."""
        hashed, seq = hashlib.sha256(), 0
        for first, entries, chain, _, _ in self.batches():
            if first != seq:
                raise self._damaged(f"events {seq} to {first - 1} are missing")
            for entry in entries:
                hashed.update(entry)
                yield entry
            seq += len(entries)
            if hashed.digest() != chain:
                raise self._damaged(f"the hash chain breaks before event {seq}")

    def entries(self) -> Iterator[Entry]:
        """Every event."""
        for data in self.entry_bytes():
            yield decode_entry(data)

    @property
    def journal_hash(self) -> str:
        """SHA-256 over all events' canonical bytes."""
        hashed = hashlib.sha256()
        for data in self.entry_bytes():
            hashed.update(data)
        return hashed.hexdigest()

    def motion(self, from_ns: int = 0, to_ns: int = 2**62) -> NDArray[Any]:
        """Pieces of motion that touch the time span, in the sequence in which they were recorded."""
        query = "SELECT * FROM motion WHERE time_to_ns >= ? AND time_from_ns <= ? ORDER BY batch"
        parts = []
        for number, *columns, check in self._rows(query, from_ns, to_ns):
            if crc(*columns) != check:
                raise self._damaged(f"motion batch {number}")
            rows = np.frombuffer(zlib.decompress(columns[2]), MOTION)
            ends = rows["t0_ns"] + rows["dt_ns"]
            parts.append(rows[(ends >= from_ns) & (rows["t0_ns"] <= to_ns)])
        return np.concatenate(parts) if parts else np.empty(0, MOTION)

    def truth(self, kind: str | None = None, from_seq: int = 0) -> Iterator[Any]:
        """Ground-truth facts as (seq, time_ns, kind, payload)."""
        query = "SELECT * FROM truth WHERE first_seq + count > ? ORDER BY batch"
        for number, *columns, check in self._rows(query, from_seq):
            if crc(*columns) != check:
                raise self._damaged(f"truth batch {number}")
            for seq, data in enumerate(unpack(columns[4]), columns[0]):
                time_ns, name, payload = json.loads(data)
                if seq >= from_seq and kind in (None, name):
                    yield seq, time_ns, name, payload

    def check(self) -> None:
        """Read everything there is; raise `RunFileError` where something is damaged."""
        problem = next(self._rows("PRAGMA quick_check(1)"), ("ok",))[0]
        if problem != "ok":
            raise self._damaged(problem)
        for _ in self.entry_bytes():
            pass
        for _ in self.truth():
            pass
        for number, *columns, check in self._rows("SELECT * FROM motion ORDER BY batch"):
            if crc(*columns) != check:
                raise self._damaged(f"motion batch {number}")


def _looks_like_a_run(path: Path) -> None:
    mend = "name a file made by `lightsout run --record`"
    if not path.exists():
        raise RunFileError(path, "does not exist", mend)
    if path.is_dir():
        raise RunFileError(path, "is a folder", mend)
    try:
        with path.open("rb") as file:
            magic = file.read(16)
            file.seek(68)
            application = int.from_bytes(file.read(4), "big")
    except OSError as error:
        raise RunFileError(path, f"can't be read: {error.strerror}", mend) from error
    if magic == SQLITE_MAGIC:
        return
    if application == APPLICATION_ID:
        raise RunFileError(path, "is damaged: its header is broken", SALVAGE)
    raise RunFileError(path, "is no run file", f"{mend}; if it once was one: {SALVAGE}")
