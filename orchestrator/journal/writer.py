"""Writing a run: batches in one transaction each, a hash chain over events and over commands."""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from orchestrator.journal.format import (
    APPLICATION_ID,
    FORMAT,
    MOTION,
    SCHEMA,
    ResumeDiverged,
    RunFileError,
    crc,
    pack,
)
from orchestrator.journal.reader import RunReader


class RunWriter:
    """One process writes a run. `resume=True` goes on with one whose process died: the caller makes
    its events anew from the beginning, each is compared with the durable prefix, and what comes
    behind is appended."""

    def __init__(
        self, path: Path, meta: dict[str, Any], *, resume: bool = False, durable: str = "normal"
    ) -> None:
        self.path = path
        self._lock = _lock(path)
        self._prefix: Iterator[bytes] | None = None
        self.prefix_entries = 0
        if resume:
            with RunReader(path) as reader:
                reader.check()
                if reader.meta.get("status") == "closed":
                    raise RunFileError(path, "the run is complete", "replay it, or record a new one")
                self.prefix_entries = reader.count
                prefix = list(reader.entry_bytes())
            self._prefix = iter(prefix)
        elif path.exists():
            path.unlink()
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(f"PRAGMA synchronous={'FULL' if durable == 'full' else 'NORMAL'}")
        self._chain, self._commands_chain = hashlib.sha256(), hashlib.sha256()
        self._commands_count = 0
        self._entries: list[bytes] = []
        self._times: list[int] = []
        self._first_seq = self._seq = 0
        self._motion: list[Any] = []
        self._truth: list[bytes] = []
        self._truth_times: list[int] = []
        self._truth_seq = 0
        if resume:
            self._connection.execute("BEGIN")
            self._connection.execute("DELETE FROM motion")
            self._connection.execute("DELETE FROM truth")
            self._connection.execute("COMMIT")
        else:
            self._create(meta)

    def _create(self, meta: dict[str, Any]) -> None:
        run = self._connection.execute
        run(f"PRAGMA application_id={APPLICATION_ID}")
        run(f"PRAGMA user_version={FORMAT}")
        for statement in SCHEMA.strip().split(";"):
            if statement.strip():
                run(statement)
        run("BEGIN")
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        for key, value in {"created": created, "status": "open", **meta}.items():
            self._set(key, value)
        run("COMMIT")

    def _set(self, key: str, value: Any) -> None:
        data = json.dumps(value, sort_keys=True).encode()
        self._connection.execute(
            "INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", (key, data, crc(key, data))
        )

    @property
    def journal_hash(self) -> str:
        """SHA-256 over all events' canonical bytes so far."""
        return self._chain.hexdigest()

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """An event's canonical bytes."""
        assert seq == self._seq, "events are numbered without gaps"
        self._seq += 1
        self._chain.update(entry)
        if self._prefix is not None:
            expected = next(self._prefix, None)
            if expected is not None:
                if expected != entry:
                    what = f"event {seq} differs from the journal's"
                    mend = "resume with the version and machine family that recorded it"
                    raise ResumeDiverged(self.path, what, mend)
                self._first_seq = self._seq
                return
            self._prefix = None
        self._entries.append(entry)
        self._times.append(time_ns)

    def command(self, encoded: bytes) -> None:
        """A command's bytes: only their hash is kept."""
        self._commands_chain.update(encoded)
        self._commands_count += 1

    def motion(self, row: tuple[Any, ...]) -> None:
        """A piece of motion; see `format.MOTION`."""
        self._motion.append(row)

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """A ground-truth fact."""
        self._truth.append(json.dumps([time_ns, kind, payload], separators=(",", ":")).encode())
        self._truth_times.append(time_ns)

    def commit(self) -> None:
        """One transaction with everything since the last."""
        if not (self._entries or self._motion or self._truth):
            return
        run = self._connection.execute
        run("BEGIN")
        if self._entries:
            columns = (
                self._first_seq, len(self._entries), self._times[0], self._times[-1],
                pack(self._entries), self._chain.digest(), self._commands_count,
                self._commands_chain.digest(),
            )  # fmt: skip
            run("INSERT INTO journal VALUES(NULL,?,?,?,?,?,?,?,?,?)", (*columns, crc(*columns)))
        if self._motion:
            rows = np.array(self._motion, dtype=MOTION)
            ends = rows["t0_ns"] + rows["dt_ns"]
            motion = (
                int(rows["t0_ns"].min()),
                int(ends.max()),
                zlib.compress(rows.tobytes(), 1),
            )
            run("INSERT INTO motion VALUES(NULL,?,?,?,?)", (*motion, crc(*motion)))
        if self._truth:
            facts = (
                self._truth_seq, len(self._truth), self._truth_times[0], self._truth_times[-1],
                pack(self._truth),
            )  # fmt: skip
            run("INSERT INTO truth VALUES(NULL,?,?,?,?,?,?)", (*facts, crc(*facts)))
            self._truth_seq += len(self._truth)
        run("COMMIT")
        self._first_seq = self._seq
        self._entries, self._times = [], []
        self._motion, self._truth, self._truth_times = [], [], []

    def abandon(self) -> None:
        """Let go of an unfinished run; what is committed stays."""
        self._connection.close()
        self._lock.close()

    def close(self, status: str, **values: Any) -> None:
        """Last commit; one file remains."""
        self.commit()
        self._connection.execute("BEGIN")
        for key, value in {**values, "status": status}.items():
            self._set(key, value)
        self._connection.execute("COMMIT")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute("PRAGMA journal_mode=DELETE")
        self._connection.close()
        self._lock.close()
        lock = lock_path(self.path)
        if lock.exists():
            lock.unlink()


def lock_path(path: Path) -> Path:
    """A lock of its own: SQLite locks the file's bytes itself."""
    return path.with_name(path.name + ".lock")


def _lock(path: Path) -> IO[str]:
    """A lock that dies with the process."""
    if path.is_dir():
        raise RunFileError(path, "is a folder", "give a file name")
    try:
        file = lock_path(path).open("a+")
    except OSError as error:
        raise RunFileError(path, f"can't be written: {error.strerror}", "choose another") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        who = file.read().strip() or "another process"
        file.close()
        mend = "wait for it to end, or record into another file"
        raise RunFileError(path, f"is being written by {who}", mend) from None
    file.truncate(0)
    file.write(f"process {os.getpid()}")
    file.flush()
    return file
