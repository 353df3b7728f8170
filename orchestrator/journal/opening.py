"""Opening a run file for reading: what it is not, and what is wrong with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from orchestrator.journal import lock
from orchestrator.journal.format import APPLICATION_ID, DAMAGE, FORMAT, SQLITE_MAGIC, RunFileError

MEND = "name a file made by `lightsout run --record`"
SALVAGE = "lightsout salvage RUN --out NEW.run brings out what can be read"


def connect(path: Path) -> sqlite3.Connection:
    """A connection that can't write. Raises `RunFileError` if this is no run of a known format."""
    _look(path)
    connection = None
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID:
            raise RunFileError(path, "is a database, but no run", MEND)
        if version > FORMAT:
            what = f"format {version} is newer than this Lightsout, which knows {FORMAT}"
            raise RunFileError(path, what, "update Lightsout")
        if version < 1:
            raise RunFileError(path, f"is damaged: it claims format {version}", SALVAGE)
    except DAMAGE as error:
        if connection is not None:
            connection.close()
        raise RunFileError(path, f"is damaged: {error}", SALVAGE) from error
    except RunFileError:
        if connection is not None:
            connection.close()
        raise
    return connection


def tidy(path: Path, finished: bool) -> None:
    """The last reader of a run that its writer has left makes it one file again.

    A writer can't while somebody reads, or if it died on its last metres. Nothing is lost if this
    doesn't succeed."""
    log = path.with_name(path.name + "-wal")
    try:
        if not log.exists() or (log.stat().st_size and not finished) or lock.held(path):
            return
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        finally:
            connection.close()
    except (sqlite3.Error, OSError):
        return


def _look(path: Path) -> None:
    if not path.exists():
        raise RunFileError(path, "does not exist", MEND)
    if path.is_dir():
        raise RunFileError(path, "is a folder", MEND)
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise RunFileError(path, f"can't be read: {error.strerror}", MEND) from error
    if not head:
        raise RunFileError(path, "is empty: its run died before it began", "record it again")
    if head[:16] == SQLITE_MAGIC:
        return
    if int.from_bytes(head[68:72], "big") == APPLICATION_ID:
        raise RunFileError(path, "is damaged: its header is broken", SALVAGE)
    raise RunFileError(path, "is no run file", f"{MEND}; if it once was one: {SALVAGE}")
