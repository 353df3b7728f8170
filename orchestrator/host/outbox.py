"""The outbox: what leaves for the host, each message once, whatever dies in between.

A message's name is its event's sequence number, kind and subject; the run's id before it is the
idempotency key. Messages come in the sequence of their events. `deliver` puts what isn't there yet
and then moves the cursor; who dies before that makes the same messages again, under the same names.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestrator.host.records import HostFileError

CURSOR, SENT = "cursor.json", "sent"
SUBJECT_MAX = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message; `seq`: of the event that it follows from."""

    seq: int
    kind: str
    subject: str
    time_ns: int
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """Sortable, safe as a file name, and unique within the run."""
        subject = _UNSAFE.sub("_", self.subject)[:SUBJECT_MAX]
        if subject != self.subject:  # others may look the same now
            subject += "_" + hashlib.sha256(self.subject.encode()).hexdigest()[:8]
        return f"{self.seq:010}-{self.kind}-{subject}"

    def data(self, run: str) -> bytes:
        """The message's bytes: the same each time it is made."""
        head = {
            "key": f"{run}:{self.name}", "run": run, "seq": self.seq, "kind": self.kind,
            "time_s": round(self.time_ns / 1e9, 3),
        }  # fmt: skip
        return (json.dumps(head | self.content, indent=1, ensure_ascii=False) + "\n").encode()


class Outbox(Protocol):
    """A wire to the host."""

    def deliver(self, messages: Iterable[Outgoing], seq: int) -> int:
        """Put these messages, those that were put before left out, and remember that everything up to
        the event `seq` is delivered; return how many were put."""
        ...


class FileOutbox:
    """A folder: one file per message, acknowledged by moving it to `sent/`. Raises `HostFileError`
    where it belongs to another run, or can't be written."""

    def __init__(self, folder: Path, run: str) -> None:
        self.folder, self.run = folder, run
        self.seq = -1  # the last event whose messages are all delivered
        self._cursor = folder / CURSOR
        try:
            (folder / SENT).mkdir(parents=True, exist_ok=True)
            if self._cursor.exists():
                self.seq = self._read_cursor()
            else:  # it is written with the first delivery
                self._require_empty()
        except OSError as error:
            raise self._unwritable(error) from error

    def _read_cursor(self) -> int:
        try:
            cursor = json.loads(self._cursor.read_text(encoding="utf-8"))
            run, seq = cursor["run"], int(cursor["seq"])
        except (ValueError, KeyError, TypeError) as error:
            mend = "delete it: all messages are looked for again"
            raise HostFileError(f"{self._cursor}: is damaged: {error} -> {mend}") from error
        if run != self.run:
            text = f"{self.folder}: is the outbox of another run ({run})"
            raise HostFileError(f"{text} -> name another folder")
        return seq

    def _require_empty(self) -> None:
        """Without a cursor, whose messages there are they must say themselves."""
        for folder in (self.folder, self.folder / SENT):
            for path in folder.glob("[0-9]" * 10 + "-*.json"):
                with path.open(encoding="utf-8", errors="replace") as file:
                    head = file.read(400)
                if f'"run": "{self.run}"' not in head:
                    text = f"{self.folder}: holds messages of another run ({path.name})"
                    raise HostFileError(f"{text} -> name another folder")

    def deliver(self, messages: Iterable[Outgoing], seq: int) -> int:
        """See `Outbox`."""
        count = 0
        try:
            for message in messages:
                name = f"{message.name}.json"
                if message.seq <= self.seq or self._known(name):
                    continue
                self._put(self.folder / name, message.data(self.run))
                count += 1
            if seq > self.seq:
                if count:
                    _sync(self.folder)
                self.seq = seq
                self._write_cursor()
        except OSError as error:
            raise self._unwritable(error) from error
        return count

    def _known(self, name: str) -> bool:
        return (self.folder / name).exists() or (self.folder / SENT / name).exists()

    def _put(self, path: Path, data: bytes) -> None:
        """There whole, or not at all."""
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def _write_cursor(self) -> None:
        self._put(self._cursor, json.dumps({"run": self.run, "seq": self.seq}).encode())
        _sync(self.folder)

    def acknowledge(self, name: str) -> None:
        """The host has it: the file moves to `sent/`."""
        (self.folder / name).replace(self.folder / SENT / name)

    def pending(self) -> list[Path]:
        """What the host has not acknowledged, in sequence."""
        return sorted(self.folder.glob("[0-9]" * 10 + "-*.json"))

    def _unwritable(self, error: OSError) -> HostFileError:
        mend = "make room or mend the permissions, then go on with --resume"
        return HostFileError(f"{self.folder}: can't be written: {error.strerror} -> {mend}")


def _sync(folder: Path) -> None:
    """A rename is durable when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
