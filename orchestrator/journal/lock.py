"""One writer per run: a lock beside the file, which dies with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from orchestrator.journal.format import RunFileError


def lock_path(path: Path) -> Path:
    """A file of its own: SQLite locks the run's bytes itself."""
    return path.with_name(path.name + ".lock")


def acquire(path: Path) -> IO[str]:
    """Take the lock, or raise `RunFileError`."""
    if path.is_dir():
        raise RunFileError(path, "is a folder", "give a file name")
    if path.exists() and not path.is_file():
        raise RunFileError(path, "is no regular file", "give a file name")
    while True:
        try:
            file = lock_path(path).open("a+")
        except OSError as error:
            what = f"can't be written: {error.strerror}"
            raise RunFileError(path, what, "choose another place") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            who = file.read().strip() or "another process"
            file.close()
            mend = "wait for it to end, or record into another file"
            raise RunFileError(path, f"is being written by {who}", mend) from None
        if _still_there(file, path):
            break
        file.close()  # its last owner removed it between our open and our lock
    file.truncate(0)
    file.write(f"process {os.getpid()}")
    file.flush()
    return file


def release(path: Path, file: IO[str]) -> None:
    """Give the lock back. Its file goes first, while nobody else can hold it."""
    if not file.closed:
        lock_path(path).unlink(missing_ok=True)
        file.close()


def held(path: Path) -> bool:
    """Whether a living process writes this run."""
    try:
        with lock_path(path).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _still_there(file: IO[str], path: Path) -> bool:
    try:
        return os.fstat(file.fileno()).st_ino == lock_path(path).stat().st_ino
    except FileNotFoundError:
        return False
