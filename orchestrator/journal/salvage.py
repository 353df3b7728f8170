"""Bringing out of a damaged run file what can still be read and proved."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.journal import pages
from orchestrator.journal.format import (
    APPLICATION_ID,
    FORMAT,
    SCHEMA,
    SQLITE_MAGIC,
    TABLES,
    RunFileError,
    crc,
    unpack,
)


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What came out."""

    events: int  # in the unbroken, proved prefix
    stray_batches: int  # behind a gap: kept in the table `stray`, not part of the journal
    motion_batches: int
    truth_batches: int
    meta: tuple[str, ...]
    journal_hash: str

    def __str__(self) -> str:
        return (
            f"{self.events} events in an unbroken prefix (hash {self.journal_hash[:16]}), "
            f"{self.stray_batches} batches behind a gap, {self.motion_batches} of motion, "
            f"{self.truth_batches} of ground truth, meta: {', '.join(self.meta) or 'none'}"
        )


def salvage(path: Path, out: Path) -> SalvageReport:
    """Write a fresh run file with everything of `path` whose checksums hold."""
    if not path.is_file():
        raise RunFileError(path, "does not exist or is no file", "name the damaged run")
    if out.exists():
        raise RunFileError(out, "exists already", "choose another name for what is salvaged")
    wal = path.with_name(path.name + "-wal")
    main = path.read_bytes()
    log = wal.read_bytes() if wal.is_file() else b""
    found = _collect(main, log)
    return _write(found, out)


def _collect(main: bytes, log: bytes) -> dict[str, dict[Any, list[Any]]]:
    """Rows by table and key, each proved by its checksum; from all page sizes until one yields."""
    found: dict[str, dict[Any, list[Any]]] = {name: {} for name in TABLES}
    images = [main, pages.overlay(main, log)] if log else [main]
    sizes = [int.from_bytes(main[16:18], "big")] if main[:16] == SQLITE_MAGIC else []
    for size in dict.fromkeys([*sizes, *pages.PAGE_SIZES]):
        if size not in pages.PAGE_SIZES:
            continue
        for image in images:
            for rowid, columns in pages.rows(image, size):
                _keep(found, rowid, columns)
        if any(found.values()):
            break
    return found


def _keep(found: dict[str, dict[Any, list[Any]]], rowid: int, columns: list[Any]) -> None:
    for name, names in TABLES.items():
        if len(columns) != len(names):
            continue
        if name == "meta":
            if crc(columns[0], columns[1]) == columns[2]:
                found[name][columns[0]] = columns
        elif crc(*columns[1:-1]) == columns[-1]:
            found[name][rowid] = [rowid, *columns[1:]]


def _write(found: dict[str, dict[Any, list[Any]]], out: Path) -> SalvageReport:
    prefix, stray, digest = _prefix(list(found["journal"].values()))
    events = sum(row[2] for row in prefix)
    connection = sqlite3.connect(out, isolation_level=None)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={FORMAT}")
    connection.executescript(SCHEMA + "CREATE TABLE stray AS SELECT * FROM journal;")
    connection.execute("BEGIN")
    status = json.dumps("salvaged").encode()
    found["meta"]["status"] = ["status", status, crc("status", status)]
    for table, rows in (
        ("meta", list(found["meta"].values())),
        ("journal", prefix),
        ("stray", stray),
        ("motion", [row for _, row in sorted(found["motion"].items())]),
        ("truth", [row for _, row in sorted(found["truth"].items())]),
    ):
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES({','.join('?' * len(row))})", row)
    connection.execute("COMMIT")
    connection.close()
    return SalvageReport(
        events=events,
        stray_batches=len(stray),
        motion_batches=len(found["motion"]),
        truth_batches=len(found["truth"]),
        meta=tuple(key for key in found["meta"] if key != "status"),
        journal_hash=digest,
    )


def _prefix(rows: list[list[Any]]) -> tuple[list[list[Any]], list[list[Any]], str]:
    """The longest unbroken beginning whose hash chain holds, and the rest."""
    rows.sort(key=lambda row: row[1])
    hashed, seq, taken = hashlib.sha256(), 0, 0
    digest = hashed.hexdigest()
    for row in rows:
        if row[1] != seq:
            break
        try:
            entries = list(unpack(row[5]))
        except ValueError:
            break
        for entry in entries:
            hashed.update(entry)
        if len(entries) != row[2] or hashed.digest() != row[6]:
            break
        digest = hashed.hexdigest()
        seq += len(entries)
        taken += 1
    return rows[:taken], rows[taken:], digest
