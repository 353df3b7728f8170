"""Reading a run, finished or not. Everything read is checked."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.messages import Entry, decode_entry
from orchestrator.journal import lock
from orchestrator.journal.format import DAMAGE, MOTION, TABLES, RunFileError, crc, inflate, unpack
from orchestrator.journal.opening import SALVAGE, connect, tidy

Batch = tuple[int, list[bytes], bytes, int, bytes]
"""first_seq, entries, chain, commands_count, commands_chain"""


@dataclass(frozen=True, slots=True)
class Durable:
    """The last event that is safe; `seq` is -1 in an empty journal."""

    seq: int
    time_ns: int
    chain: bytes  # SHA-256 over all events' bytes so far
    commands: int
    commands_chain: bytes


class RunReader:
    """One run file, which another process may be writing. Raises `RunFileError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        self._verified: dict[str, tuple[int, int]] = {}  # table: last key, rows
        try:
            self.meta = self._read_meta()
        except BaseException:
            self._connection.close()
            raise

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
        finished = False
        with contextlib.suppress(RunFileError):
            self.refresh()
            finished = not self.open
        self._connection.close()
        tidy(self.path, finished)

    def _damaged(self, what: str) -> RunFileError:
        return RunFileError(self.path, f"is damaged: {what}", SALVAGE)

    def _query(self, query: str, *arguments: Any) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(query, arguments)
        except DAMAGE as error:
            raise self._damaged(str(error)) from error

    def _rows(self, table: str, rest: str = "", *arguments: Any) -> Iterator[tuple[Any, ...]]:
        """Whole rows without their checksum, which held."""
        for *columns, check in self._query(f"SELECT * FROM {table} {rest}", *arguments):
            if crc(*columns) != check:
                raise self._damaged(f"{table}, row {columns[0]!r}")
            yield tuple(columns)

    def _verify(self, table: str) -> None:
        """Check rows that nobody has checked yet, before values of theirs select some of them."""
        last, rows = self._verified.get(table, (-(2**63), 0))
        key = TABLES[table][0]
        for row in self._rows(table, f"WHERE {key} > ? ORDER BY {key}", last):
            last, rows = row[0], rows + 1
        expected = self._totals().get("rows", {}).get(table, rows)
        if rows != expected:
            raise self._damaged(f"{table} has {rows} rows of {expected}")
        self._verified[table] = (last, rows)

    def _read_meta(self) -> dict[str, Any]:
        meta = {key: json.loads(value) for key, value in self._rows("meta")}
        finished = meta.get("status") not in ("open", "salvaged")
        if finished and sorted(meta) != meta.get("totals", {}).get("meta"):
            raise self._damaged("values of the meta table are missing")
        return meta

    def _totals(self) -> dict[str, Any]:
        return self.meta.get("totals", {}) if not self.open else {}

    @property
    def open(self) -> bool:
        """Whether the run goes on, or died."""
        return bool(self.meta["status"] == "open")

    def require_finished(self) -> None:
        """Raise `RunFileError` if the run goes on or died."""
        if self.open and lock.held(self.path):
            raise RunFileError(self.path, "is still being written", "wait for its end")
        if self.open:
            raise RunFileError(self.path, "is unfinished", "lightsout run --resume RUN goes on")

    def refresh(self) -> None:
        """Read the meta values again (the writer may have closed the run)."""
        self.meta = self._read_meta()

    def last_durable(self) -> Durable:
        """Where a resumed run would go on."""
        row = next(self._rows("journal", "ORDER BY batch DESC LIMIT 1"), None)
        if row is None:
            nothing = hashlib.sha256().digest()
            return Durable(-1, 0, nothing, 0, nothing)
        _, first, count, _, time_ns, _, chain, commands, commands_chain = row
        return Durable(first + count - 1, time_ns, chain, commands, commands_chain)

    @property
    def count(self) -> int:
        """Number of durable events."""
        return self.last_durable().seq + 1

    @property
    def time_range_ns(self) -> tuple[int, int]:
        """First and last time of the journal."""
        row = next(self._rows("journal", "ORDER BY batch LIMIT 1"), None)
        return (row[3], self.last_durable().time_ns) if row else (0, 0)

    @property
    def motion_lost(self) -> int:
        """Batches of motion that are missing between the first and the last (salvaged runs)."""
        query = "SELECT coalesce(max(batch), 0) - count(*) FROM motion"
        try:
            return int(self._connection.execute(query).fetchone()[0])
        except DAMAGE as error:
            raise self._damaged(str(error)) from error

    def batches(self, from_seq: int = 0) -> Iterator[Batch]:
        """The batches from the one with `from_seq` on, each checked by itself."""
        if from_seq:
            self._verify("journal")
        rest = "WHERE first_seq + count > ? ORDER BY batch" if from_seq else "ORDER BY batch"
        for row in self._rows("journal", rest, *([from_seq] if from_seq else [])):
            number, first, count, _, _, payload, chain, commands, commands_chain = row
            entries = self._unpack("journal", number, payload)
            if len(entries) != count:
                raise self._damaged(f"journal batch {number} holds {len(entries)} of {count}")
            yield first, entries, chain, commands, commands_chain

    def _unpack(self, table: str, number: int, payload: bytes) -> list[bytes]:
        try:
            return list(unpack(payload))
        except ValueError as error:
            raise self._damaged(f"{table} batch {number}: {error}") from error

    def entry_bytes(self, from_seq: int = 0) -> Iterator[bytes]:
        """Canonical bytes of every event; without `from_seq` the hash chain is checked as well."""
        hashed, seq = hashlib.sha256(), from_seq
        for first, entries, chain, _, _ in self.batches(from_seq):
            wanted = entries[max(0, seq - first) :]
            if first + len(entries) - len(wanted) != seq:
                raise self._damaged(f"events {seq} to {first - 1} are missing")
            for entry in wanted:
                hashed.update(entry)
                yield entry
            seq += len(wanted)
            if not from_seq and hashed.digest() != chain:
                raise self._damaged(f"the hash chain breaks before event {seq}")
        total = self._totals().get("events", seq)
        if seq < total:
            raise self._damaged(f"events {seq} to {total - 1} are missing")

    def entries(self, from_seq: int = 0) -> Iterator[Entry]:
        """Every event, or those from `from_seq` on."""
        for data in self.entry_bytes(from_seq):
            yield decode_entry(data)

    @property
    def journal_hash(self) -> str:
        """SHA-256 over all events' canonical bytes."""
        hashed = hashlib.sha256()
        for data in self.entry_bytes():
            hashed.update(data)
        return hashed.hexdigest()

    def motion(self, from_ns: int = 0, to_ns: int = 2**62) -> NDArray[Any]:
        """Pieces of motion that touch the time span, in the sequence of their recording."""
        self._verify("motion")
        rest = "WHERE time_to_ns >= ? AND time_from_ns <= ? ORDER BY batch"
        parts = []
        for number, _, _, payload in self._rows("motion", rest, from_ns, to_ns):
            try:
                rows = np.frombuffer(inflate(payload), MOTION)
            except ValueError as error:
                raise self._damaged(f"motion batch {number}: {error}") from error
            ends = rows["t0_ns"] + rows["dt_ns"]
            parts.append(rows[(ends >= from_ns) & (rows["t0_ns"] <= to_ns)])
        return np.concatenate(parts) if parts else np.empty(0, MOTION)

    def truth(self, kind: str | None = None, from_seq: int = 0) -> Iterator[Any]:
        """Ground-truth facts as (seq, time_ns, kind, payload)."""
        for seq, data in enumerate(self.truth_bytes(from_seq), from_seq):
            time_ns, name, payload = json.loads(data)
            if kind in (None, name):
                yield seq, time_ns, name, payload

    def truth_bytes(self, from_seq: int = 0) -> Iterator[bytes]:
        """Ground-truth facts as they are stored: JSON of [time_ns, kind, payload]."""
        self._verify("truth")
        rest = "WHERE first_seq + count > ? ORDER BY batch"
        for number, first, _, _, _, payload in self._rows("truth", rest, from_seq):
            yield from self._unpack("truth", number, payload)[max(0, from_seq - first) :]

    def snapshots(self) -> Iterator[tuple[int, int, bytes]]:
        """(time_ns, first_seq, payload): states after all events before `first_seq`."""
        self._verify("snapshot")
        yield from self._rows("snapshot", "ORDER BY time_ns")

    def check(self) -> None:
        """Read everything there is; raise `RunFileError` where something is damaged."""
        problem = next(self._query("PRAGMA quick_check(1)"), ("ok",))[0]
        if problem != "ok":
            raise self._damaged(problem)
        expected = self._totals().get("journal_hash")
        if self.journal_hash != (expected or self.last_durable().chain.hex()):
            raise self._damaged("the journal isn't the one that was closed")
        for _ in self.truth():
            pass
        for _ in self.snapshots():
            pass
        self.motion()
