"""Guidance that is optimised once per layout and demand, and kept on disk by what it follows from."""

from __future__ import annotations

from functools import cache

import numpy as np

from orchestrator import certificate
from planners.cache import cached
from planners.grid import Grid
from planners.guidance import Lanes, Paces, SpreadParameters, spread
from planners.roadmap import Ints

SOURCES = ("guidance.py", "grid.py", "kernels")  # of planners: what the optimiser consists of


def guided(
    grid: Grid, lanes: Lanes, trips: Ints, moving: float, parameters: SpreadParameters
) -> Paces:
    """`planners.guidance.spread`, from disk where the same was asked before by the same code."""
    parts = [_optimiser(), repr((grid.nodes, lanes.unit, moving, parameters)).encode()]
    for row in (grid.ahead, lanes.pace, trips):
        parts.append(repr((row.dtype.str, row.shape)).encode() + row.tobytes())
    pace: np.ndarray = cached(
        "guidance",
        b"\0".join(parts),
        lambda: spread(grid, lanes, trips, moving, parameters).pace,
    )
    return Paces(pace, lanes.unit)


@cache
def _optimiser() -> bytes:
    planners = certificate.ROOT / "planners"
    hashes = [certificate.sources(planners / name) for name in SOURCES]
    return "\0".join((*hashes, repr(sorted(certificate.libraries().items())))).encode()
