"""A run made by hand, with the reading side of a run file. For tests and for foreign recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIELDS = [
    ("robot", "<i4"), ("t0_ns", "<i8"), ("dt_ns", "<i8"), ("x_m", "<f8"), ("y_m", "<f8"),
    ("theta_rad", "<f8"), ("direction_rad", "<f8"), ("v_mps", "<f8"), ("a_mps2", "<f8"),
    ("omega_radps", "<f8"),
]  # fmt: skip
SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class MemoryRun:
    """Facts and pieces of motion are appended; `sim.verification.Run` reads them."""

    meta: dict[str, Any] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)
    pieces: list[tuple[Any, ...]] = field(default_factory=list)
    facts: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)

    def robot(
        self, index: int, pose: tuple[float, float, float], joined_s: float = 0.0, **changes: Any
    ) -> None:
        """A robot of 1.0 x 0.6 m that may do 2 m/s, 1 m/s2, 2 rad/s, unless changed."""
        fact = {
            "robot": index, "name": f"r{index}", "fleet": "amr",
            "footprint": [[0.5, 0.3], [-0.5, 0.3], [-0.5, -0.3], [0.5, -0.3]],
            "speed_mps": 2.0, "acceleration_mps2": 1.0, "turn_radps": 2.0,
            "x_m": pose[0], "y_m": pose[1], "theta_rad": pose[2],
        }  # fmt: skip
        self.facts.append((round(joined_s * SECOND_NS), "robot", fact | changes))

    def move(
        self,
        index: int,
        span_s: tuple[float, float],
        pose: tuple[float, float, float],
        direction: float = 0.0,
        *,
        v: float = 0.0,
        a: float = 0.0,
        omega: float = 0.0,
    ) -> None:
        """A piece of motion from a time for so many seconds."""
        t0, dt = (round(seconds * SECOND_NS) for seconds in span_s)
        self.pieces.append((index, t0, dt, *pose, direction, v, a, omega))

    def fact(self, time_s: float, kind: str, /, **payload: Any) -> None:
        """A ground-truth fact."""
        self.facts.append((round(time_s * SECOND_NS), kind, payload))

    def entries(self) -> Iterator[Any]:
        """Every event of the journal."""
        return iter(self.events)

    def motion(self, from_ns: int = 0, to_ns: int = 2**62) -> NDArray[Any]:
        """Pieces that touch the time span."""
        rows = np.array(self.pieces, np.dtype(FIELDS))
        near: NDArray[Any] = rows[
            (rows["t0_ns"] + rows["dt_ns"] >= from_ns) & (rows["t0_ns"] <= to_ns)
        ]
        return near

    def truth(self, kind: str | None = None) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
        """(seq, time_ns, kind, payload), by time."""
        for seq, (time_ns, name, payload) in enumerate(sorted(self.facts, key=lambda f: f[0])):
            if kind in (None, name):
                yield seq, time_ns, name, payload
