"""The host's side of a numbered outbox, as a folder: a file per message, each there before it is
acknowledged, and how far it has come."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from orchestrator.host.records import HostFileError

CURSOR = "cursor.json"
AHEAD_MAX = 1000  # messages that wait for one before them
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Kept:
    """Raises `HostFileError` where the folder can't be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run, self.number = "", 0
        self._ahead: dict[int, dict[str, Any]] = {}
        self._cursor = folder / CURSOR
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._cursor.exists():
                cursor = json.loads(self._cursor.read_text(encoding="utf-8"))
                self.run, self.number = str(cursor["run"]), int(cursor["number"])
        except (ValueError, KeyError, TypeError) as error:
            mend = "delete it: everything is asked for again"
            raise HostFileError(f"{self._cursor}: is damaged: {error} -> {mend}") from error
        except OSError as error:
            raise self._unwritable(error) from error

    def begin(self, run: str) -> None:
        """Messages of this run come."""
        if self.run and self.run != run:
            text = f"{self.folder}: holds messages of another run ({self.run})"
            raise HostFileError(f"{text} -> name another folder")
        self.run = run

    def take(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """Keep a message, and those that waited for it; return what is new. What is there already, or
        is no message of the run, is left out."""
        number = message.get("number")
        if not isinstance(number, int) or number <= self.number or message.get("run") != self.run:
            return []
        if len(self._ahead) < AHEAD_MAX:
            self._ahead[number] = message
        kept: list[dict[str, Any]] = []
        try:
            while self.number + 1 in self._ahead:
                found = self._ahead.pop(self.number + 1)
                self._put(self.folder / _name(found), json.dumps(found, indent=1) + "\n")
                self.number += 1
                kept.append(found)
            if kept:
                cursor = json.dumps({"run": self.run, "number": self.number})
                self._put(self._cursor, cursor)
        except OSError as error:
            raise self._unwritable(error) from error
        return kept

    def _put(self, path: Path, text: str) -> None:
        """There whole, or not at all, also after a loss of power."""
        part = path.with_name(f".{path.name}.part")
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _unwritable(self, error: OSError) -> HostFileError:
        return HostFileError(
            f"{self.folder}: can't be written: {error.strerror} -> mend it, then listen again"
        )


def _name(message: dict[str, Any]) -> str:
    """Sortable: the message's number, and what it is about."""
    about = _UNSAFE.sub("_", str(message.get("key", "")).partition(":")[2].partition("-")[2])[:120]
    return f"{message['number']:010}-{about}.json"
