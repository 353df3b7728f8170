"""A record that keeps nothing."""

from __future__ import annotations

from typing import Any

from sim.surroundings import MotionRow


class Unrecorded:
    """`sim.recorder.Recorder` for who records nothing."""

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """Nothing."""

    def command(self, encoded: bytes) -> None:
        """Nothing."""

    def motion(self, row: MotionRow) -> None:
        """Nothing."""

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """Nothing."""

    def commit(self) -> None:
        """Nothing."""
