"""Writing a run: batches in one transaction each, a hash chain over events and over commands.

The write-ahead log is never folded into the main file bit by bit, only whole and then emptied. So
main file and log together are at any moment a sequence of commits, and a log that is cut anywhere
leaves a true beginning of the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.journal import lock
from orchestrator.journal.creation import create, insert, make_way, set_meta
from orchestrator.journal.format import MOTION, RunFileError, pack, unpack
from orchestrator.journal.prefix import Prefix, diverged
from orchestrator.journal.reader import RunReader

WAL_BYTES_MAX = 256 * 1024 * 1024
CLOSE_WAIT_MS = 5000  # for readers who are in the middle of a query


class RunWriter:
    """One process writes a run. `resume=True` goes on with one whose process died: the caller
    makes events, commands and ground truth anew from the beginning; each is compared with what is
    durable, and what comes behind is appended. A live one (meta `live`) may have been closed, too.

    `durable`: "normal" survives the process, "full" also a loss of power (each commit waits for
    the disk). Raises `RunFileError`, `ResumeDiverged`.
    """

    def __init__(
        self, path: Path, meta: dict[str, Any], *, resume: bool = False, durable: str = "normal"
    ) -> None:
        self.path = path
        self._chain, self._commands_chain = hashlib.sha256(), hashlib.sha256()
        self._commands_count = 0
        self._entries: list[bytes] = []
        self._times: list[int] = []
        self._first_seq = self._seq = 0
        self._motion: list[Any] = []
        self._truth: list[bytes] = []
        self._truth_times: list[int] = []
        self._snapshots: list[tuple[int, int, bytes]] = []
        self._wal_bytes_max = WAL_BYTES_MAX
        self._prefix = Prefix()
        self._lock = lock.acquire(path)
        try:
            if resume:
                self._prefix = _durable(path)
            else:
                make_way(path)
                create(path, meta)
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA wal_autocheckpoint=0")
            level = "FULL" if durable == "full" else "NORMAL"
            self._connection.execute(f"PRAGMA synchronous={level}")
            if resume:
                self._open_again()
        except BaseException as error:
            lock.release(path, self._lock)
            if isinstance(error, sqlite3.Error):
                raise _unwritable(path, error) from error
            raise
        self._expected = self._durable_events() if resume else iter(())
        self._behind = not self.prefix_entries  # past the durable prefix

    def _open_again(self) -> None:
        """What was said of its end holds no more."""
        run = self._connection.execute
        run("BEGIN")
        run("DELETE FROM meta WHERE key IN ('books', 'figures', 'totals')")
        set_meta(self._connection, "status", "open")
        run("COMMIT")

    @property
    def prefix_entries(self) -> int:
        """Number of events that were durable when a run was resumed."""
        return self._prefix.events

    @property
    def journal_hash(self) -> str:
        """SHA-256 over all events' canonical bytes so far."""
        return self._chain.hexdigest()

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """An event's canonical bytes. Raises `ResumeDiverged` unless they are the durable ones."""
        assert seq == self._seq, "events are numbered without gaps"
        if not self._behind:
            if seq < self.prefix_entries:
                if next(self._expected) != entry:
                    raise diverged(self.path, f"event {seq} differs from the journal's")
                self._seq = self._first_seq = seq + 1
                self._chain.update(entry)
                return
            commands = (self._commands_count, self._commands_chain.digest())
            if commands != self._prefix.commands:
                raise diverged(self.path, f"the commands before event {seq} differ")
            self._behind = True
        self._seq += 1
        self._chain.update(entry)
        self._entries.append(entry)
        self._times.append(time_ns)

    def command(self, encoded: bytes) -> None:
        """A command's bytes, before the commit of the event it follows: only their hash is kept."""
        self._commands_chain.update(encoded)
        self._commands_count += 1

    def commands(self, *encoded: bytes) -> None:
        """Several commands."""
        for one in encoded:
            self.command(one)

    def motion(self, rows: tuple[Any, ...] | NDArray[Any]) -> None:
        """One piece of motion or an array of them; see `format.MOTION`."""
        if isinstance(rows, tuple):
            self._motion.append(rows)
        else:
            self._motion.extend(rows.astype(MOTION, copy=False).tolist())

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """A ground-truth fact."""
        self._truth.append(json.dumps([time_ns, kind, payload], separators=(",", ":")).encode())
        self._truth_times.append(time_ns)

    def snapshot(self, time_ns: int, payload: bytes) -> None:
        """The caller's own state after all events so far."""
        self._snapshots.append((time_ns, self._seq, payload))

    def restart_ground_truth(self) -> None:
        """Forget the durable motion and facts, before the first event: all is written anew."""
        assert self._seq == 0
        try:
            self._connection.execute("BEGIN")
            self._connection.execute("DELETE FROM motion")
            self._connection.execute("DELETE FROM truth")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self._prefix = Prefix(self._prefix.events, self._prefix.commands)

    def commit(self) -> None:
        """One transaction with everything since the last: after it, commands may leave. After an
        error nothing but `abandon` may follow."""
        if not (self._entries or self._motion or self._truth or self._snapshots):
            return
        try:
            self._connection.execute("BEGIN")
            self._write_events()
            self._write_motion()
            self._write_truth()
            for row in self._snapshots:
                self._insert("snapshot", row, replace=True)
            self._connection.execute("COMMIT")
            self._fold_log()
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self._first_seq = self._seq
        self._entries, self._times, self._snapshots = [], [], []
        self._motion, self._truth, self._truth_times = [], [], []

    def _write_events(self) -> None:
        if self._entries:
            number = self._next("journal", "batch")
            row = (
                number, self._first_seq, len(self._entries), self._times[0], self._times[-1],
                pack(self._entries), self._chain.digest(), self._commands_count,
                self._commands_chain.digest(),
            )  # fmt: skip
            self._insert("journal", row)

    def _write_motion(self) -> None:
        if not self._motion:
            return
        rows = np.array(self._motion, dtype=MOTION)
        known = self._prefix.motion.known(self.path, len(rows), lambda n: rows[:n].tobytes())
        rows = rows[known:]
        if len(rows):
            ends = rows["t0_ns"] + rows["dt_ns"]
            span = int(rows["t0_ns"].min()), int(ends.max())
            number = self._next("motion", "batch")
            self._insert("motion", (number, *span, zlib.compress(rows.tobytes(), 1)))

    def _write_truth(self) -> None:
        made = self._truth
        known = self._prefix.truth.known(self.path, len(made), lambda n: b"".join(made[:n]))
        facts, times = made[known:], self._truth_times[known:]
        if facts:
            number, first = self._next("truth", "batch"), self._prefix.truth.seen - len(facts)
            self._insert("truth", (number, first, len(facts), min(times), max(times), pack(facts)))

    def _next(self, table: str, key: str) -> int:
        query = f"SELECT coalesce(max({key}), 0) + 1 FROM {table}"
        return int(self._connection.execute(query).fetchone()[0])

    def _insert(self, table: str, row: tuple[Any, ...], *, replace: bool = False) -> None:
        insert(self._connection, table, row, replace=replace)

    def _fold_log(self) -> None:
        """At its bound the log goes into the main file, whole; or later, if somebody reads now."""
        log = self.path.with_name(self.path.name + "-wal")
        if log.exists() and log.stat().st_size > self._wal_bytes_max:
            self._connection.execute("PRAGMA busy_timeout=0")
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._connection.execute("PRAGMA busy_timeout=5000")
            self._wal_bytes_max = log.stat().st_size + WAL_BYTES_MAX if busy else WAL_BYTES_MAX

    def _durable_events(self) -> Iterator[bytes]:
        numbers = self._connection.execute("SELECT batch FROM journal ORDER BY batch").fetchall()
        for number in numbers:  # each by itself: no read transaction stays open
            query = "SELECT payload FROM journal WHERE batch = ?"
            yield from unpack(self._connection.execute(query, number).fetchone()[0])

    def _failed(self, error: sqlite3.Error) -> RunFileError:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        return _unwritable(self.path, error)

    def abandon(self) -> None:
        """Let go of an unfinished run; what is committed stays."""
        self._connection.close()
        lock.release(self.path, self._lock)

    def close(self, status: str, **values: Any) -> None:
        """Last commit; one file remains. `values`, as `books` and `figures`, go to the meta table.

        Raises `ResumeDiverged` if a resumed run ends before its durable prefix does."""
        self.commit()
        if self._seq < self.prefix_entries:
            raise diverged(self.path, f"it ended before event {self._seq}, which the journal holds")
        self._prefix.motion.require_all(self.path)
        self._prefix.truth.require_all(self.path)
        run = self._connection.execute
        try:
            run("BEGIN")
            for key, value in {**values, "status": status}.items():
                set_meta(self._connection, key, value)
            set_meta(self._connection, "totals", self._totals())
            run("COMMIT")
            run(f"PRAGMA busy_timeout={CLOSE_WAIT_MS}")
            run("PRAGMA wal_checkpoint(TRUNCATE)")
            run("PRAGMA busy_timeout=0")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        with contextlib.suppress(sqlite3.OperationalError):  # open: the last reader tidies up
            run("PRAGMA journal_mode=DELETE")
        self.abandon()

    def _totals(self) -> dict[str, Any]:
        """What a reader must find, so that a row that vanished is noticed."""
        run = self._connection.execute
        tables = ("motion", "truth", "snapshot")
        counts = {t: run(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
        keys = {row[0] for row in run("SELECT key FROM meta")} | {"totals"}
        return {
            "events": self._seq, "journal_hash": self.journal_hash,
            "commands": self._commands_count, "rows": counts, "meta": sorted(keys),
        }  # fmt: skip


def _durable(path: Path) -> Prefix:
    with RunReader(path) as reader:
        reader.check()
        if reader.meta.get("status") == "closed" and not reader.meta.get("live"):
            raise RunFileError(path, "the run is complete", "replay it, or record a new one")
        return Prefix.of(reader)


def _unwritable(path: Path, error: sqlite3.Error) -> RunFileError:
    mend = "make room or choose another place; what was committed can be resumed"
    return RunFileError(path, f"can't be written: {error}", mend)
