"""What of a run is durable, so that one that is made anew can be compared with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.journal.format import ResumeDiverged

if TYPE_CHECKING:
    from orchestrator.journal.reader import RunReader


def diverged(path: Path, what: str) -> ResumeDiverged:
    """The resumed run isn't the recorded one."""
    mend = "resume with the version, the input and the machine family that recorded it"
    return ResumeDiverged(path, what, mend)


class Known:
    """The first `count` records of a kind, as a digest."""

    def __init__(self, name: str, count: int = 0, data: bytes = b"") -> None:
        self.seen = 0
        self._name, self._count = name, count
        self._digest = hashlib.sha256(data).digest()
        self._hash = hashlib.sha256()

    def known(self, path: Path, number: int, first: Callable[[int], bytes]) -> int:
        """How many of the next `number` records are durable already; `first(n)` gives the bytes of
        the first n of them. Raises `ResumeDiverged`."""
        known = min(number, max(0, self._count - self.seen))
        self.seen += number
        if known:
            self._hash.update(first(known))
            if self.seen >= self._count and self._hash.digest() != self._digest:
                raise diverged(path, f"the ground truth ({self._name}) differs from the recorded")
        return known

    def require_all(self, path: Path) -> None:
        """At the end of the run. Raises `ResumeDiverged`."""
        if self.seen < self._count:
            raise diverged(path, f"it made less ground truth ({self._name}) than is recorded")


@dataclass(slots=True)
class Prefix:
    """The writer compares events one by one, and ground truth by digest at its end."""

    events: int = 0
    commands: tuple[int, bytes] = (0, hashlib.sha256().digest())
    motion: Known = field(default_factory=lambda: Known("motion"))
    truth: Known = field(default_factory=lambda: Known("facts"))

    @staticmethod
    def of(reader: RunReader) -> Prefix:
        """Of a run that has been checked."""
        last = reader.last_durable()
        motion, facts = reader.motion(), list(reader.truth_bytes())
        return Prefix(
            last.seq + 1,
            (last.commands, last.commands_chain),
            Known("motion", len(motion), motion.tobytes()),
            Known("facts", len(facts), b"".join(facts)),
        )
