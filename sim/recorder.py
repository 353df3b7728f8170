"""What a simulated run is written to."""

from __future__ import annotations

from typing import Any, Protocol

from sim.surroundings import MotionRow


class Recorder(Protocol):
    """Where a run is written to."""

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """An event's canonical bytes."""

    def command(self, encoded: bytes) -> None:
        """A command's bytes."""

    def motion(self, row: MotionRow) -> None:
        """An executed piece of motion."""

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """A ground-truth fact."""

    def commit(self) -> None:
        """Make everything so far durable."""
