"""Bringing out of a damaged run file what can still be read and proved."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.journal import lock, pages
from orchestrator.journal.format import (
    APPLICATION_ID,
    DAMAGE,
    FORMAT,
    PAGE_BYTES,
    SCHEMA,
    TABLES,
    RunFileError,
    crc,
    unpack,
)

Rows = dict[str, dict[Any, tuple[Any, ...]]]
"""Table -> key -> whole row, the checksum included."""

STRAY = """
CREATE TABLE stray(batch INTEGER PRIMARY KEY, first_seq INTEGER, count INTEGER,
  time_from_ns INTEGER, time_to_ns INTEGER, payload BLOB, chain BLOB,
  commands_count INTEGER, commands_chain BLOB, crc INTEGER, note TEXT);
"""


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What came out, and what didn't."""

    events: int  # in the unbroken, proved prefix
    time_to_ns: int  # of its last event
    stray_batches: int  # behind a gap: kept in the table `stray`, not part of the journal
    stray_ranges: tuple[tuple[int, int], ...]  # their first and last events
    motion_batches: int
    truth_batches: int
    meta: tuple[str, ...]
    journal_hash: str
    lost: tuple[str, ...]  # what is known to be missing

    def __str__(self) -> str:
        return (
            f"{self.events} events in an unbroken prefix (hash {self.journal_hash[:16]}), "
            f"{self.stray_batches} batches behind a gap, {self.motion_batches} of motion, "
            f"{self.truth_batches} of ground truth, meta: {', '.join(self.meta) or 'none'}; "
            f"lost: {', '.join(self.lost) or 'nothing that is known of'}"
        )


def salvage(path: Path, out: Path) -> SalvageReport:
    """Write a fresh run file with everything of `path` whose checksums hold."""
    if not path.is_file():
        raise RunFileError(path, "does not exist or is no file", "name the damaged run")
    if out.exists():
        raise RunFileError(out, "exists already", "choose another name for what is salvaged")
    if lock.held(path):
        raise RunFileError(path, "is still being written", "wait for its end")
    wal = path.with_name(path.name + "-wal")
    found: Rows = {name: {} for name in TABLES}
    for table, row in _through_sqlite(path):
        _keep(found, table, row)
    _walk(found, path.read_bytes(), wal.read_bytes() if wal.is_file() else b"")
    try:
        return _write(found, out)
    except sqlite3.Error as error:
        raise RunFileError(out, f"can't be written: {error}", "choose another place") from error


def _through_sqlite(path: Path) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Rows that SQLite still gives: from the front up to what is broken, and from the back."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with contextlib.suppress(*DAMAGE), contextlib.closing(_plain(uri)) as connection:
        for table in TABLES:
            for direction in ("ASC", "DESC"):
                with contextlib.suppress(*DAMAGE):
                    query = f"SELECT * FROM {table} ORDER BY rowid {direction}"
                    for row in connection.execute(query):
                        yield table, row
                    break


def _plain(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _walk(found: Rows, main: bytes, log: bytes) -> None:
    """Rows that only the bare pages hold. Of other page sizes only if nothing else is there."""
    for size in pages.PAGE_SIZES:
        images = [pages.overlay(main, log), pages.overlay_unproved(main, log, size)] if log else []
        for image in (*images, main):
            for rowid, columns in pages.rows(image, size):
                for table, names in TABLES.items():
                    if len(columns) == len(names):
                        key = columns[0] if table == "meta" else rowid
                        _keep(found, table, (key, *columns[1:]))
        if any(found.values()):
            return


def _keep(found: Rows, table: str, row: tuple[Any, ...]) -> None:
    """What was found first stays: SQLite's word before that of pages which may be outdated."""
    if len(row) == len(TABLES[table]) and row[0] not in found[table] and crc(*row[:-1]) == row[-1]:
        found[table][row[0]] = row


def _write(found: Rows, out: Path) -> SalvageReport:
    prefix, stray, digest = _prefix([row for _, row in sorted(found["journal"].items())])
    events = sum(row[2] for row in prefix)
    meta = {key: json.loads(value) for key, value, _ in found["meta"].values()}
    keys = tuple(sorted(meta))
    lost = tuple(_lost(found, meta, events, stray))
    _revise(meta, digest)
    connection = sqlite3.connect(out, isolation_level=None)
    run = connection.execute
    try:
        run(f"PRAGMA page_size={PAGE_BYTES}")
        run("BEGIN")
        run(f"PRAGMA application_id={APPLICATION_ID}")
        run(f"PRAGMA user_version={FORMAT}")
        for statement in filter(str.strip, (SCHEMA + STRAY).split(";")):
            run(statement)
        note = f"behind a gap: the journal ends before event {events}"
        for table, rows in (
            ("meta", [_meta_row(key, value) for key, value in meta.items()]),
            ("journal", prefix),
            ("stray", [(*row, note) for row in stray]),
            *((name, [r for _, r in sorted(found[name].items())]) for name in _OTHERS),
        ):
            for row in rows:
                run(f"INSERT INTO {table} VALUES({','.join('?' * len(row))})", row)
        run("COMMIT")
    finally:
        connection.close()
    return SalvageReport(
        events=events,
        time_to_ns=prefix[-1][4] if prefix else 0,
        stray_batches=len(stray),
        stray_ranges=tuple((row[1], row[1] + row[2] - 1) for row in stray),
        motion_batches=len(found["motion"]),
        truth_batches=len(found["truth"]),
        meta=keys,
        journal_hash=digest,
        lost=lost,
    )


_OTHERS = ("motion", "truth", "snapshot")


def _meta_row(key: str, value: Any) -> tuple[str, bytes, int]:
    data = json.dumps(value, sort_keys=True).encode()
    return key, data, crc(key, data)


def _revise(meta: dict[str, Any], digest: str) -> None:
    """The salvaged run is no closed one, and books that describe another end are renamed."""
    totals = meta.pop("totals", {})
    meta["status"] = "salvaged"
    if totals.get("journal_hash") != digest:
        for key in ("books", "figures"):
            if key in meta:
                meta[f"{key}_of_the_whole_run"] = meta.pop(key)


def _lost(
    found: Rows, meta: dict[str, Any], events: int, stray: list[tuple[Any, ...]]
) -> Iterator[str]:
    """What totals or numbering say was there; an unfinished run's end is unknown."""
    totals = meta.get("totals", {})
    at = events
    for row in stray:
        if row[1] > at:
            yield f"events {at} to {row[1] - 1}"
        at = max(at, row[1] + row[2])
    if at < totals.get("events", at):
        yield f"events {at} to {totals['events'] - 1}"
    for table in _OTHERS:
        keys, rows = found[table], totals.get("rows", {}).get(table)
        if table != "snapshot" and keys:
            rows = max(rows or 0, *keys)
        if rows is not None and len(keys) < rows:
            yield f"{rows - len(keys)} of {rows} rows of {table}"
    for key in totals.get("meta", ()):
        if key not in meta:
            yield f"meta value {key}"


def _prefix(
    rows: list[tuple[Any, ...]],
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], str]:
    """The longest unbroken beginning whose hash chain holds, and the rest."""
    rows = sorted(rows, key=lambda row: int(row[1]))
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
