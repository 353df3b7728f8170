"""A new run file: its place, its schema, and how rows get into it."""

from __future__ import annotations

import datetime
import json
import sqlite3
from pathlib import Path
from typing import Any

from orchestrator.journal.format import (
    APPLICATION_ID,
    FORMAT,
    PAGE_BYTES,
    SCHEMA,
    SQLITE_MAGIC,
    RunFileError,
    crc,
)


def make_way(path: Path) -> None:
    """Remove an older run of this name, and nothing but a run."""
    if path.exists() and not path.is_file():
        raise RunFileError(path, "is no regular file", "choose another name")
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            head = file.read(100)
        if head[:16] != SQLITE_MAGIC or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
            raise RunFileError(path, "exists and is no (whole) run file", "choose another name")
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def create(path: Path, meta: dict[str, Any]) -> None:
    """Schema and first meta values, in the main file itself: it is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        run = connection.execute
        run(f"PRAGMA page_size={PAGE_BYTES}")
        run("BEGIN")
        run(f"PRAGMA application_id={APPLICATION_ID}")
        run(f"PRAGMA user_version={FORMAT}")
        for statement in filter(str.strip, SCHEMA.split(";")):
            run(statement)
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        values = {"format": FORMAT, "created": created, "status": "open", **meta}
        for key, value in values.items():
            set_meta(connection, key, value)
        run("COMMIT")
    finally:
        connection.close()
    new.replace(path)


def set_meta(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Put a value into the meta table."""
    data = json.dumps(value, sort_keys=True).encode()
    insert(connection, "meta", (key, data), replace=True)


def insert(
    connection: sqlite3.Connection, table: str, row: tuple[Any, ...], *, replace: bool = False
) -> None:
    """A row and its checksum."""
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    marks = ",".join("?" * (len(row) + 1))
    connection.execute(f"{verb} INTO {table} VALUES({marks})", (*row, crc(*row)))
