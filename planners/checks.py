"""What public entry points ask of arrays before kernels, which ask nothing, get them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shaped(what: str, values: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    """Raises ValueError where an array hasn't this shape."""
    if values.shape != shape:
        raise ValueError(f"{what} is {values.shape} -> {shape}")


def within(what: str, values: NDArray[np.integer], end: int, least: int = 0) -> None:
    """Raises ValueError where values aren't from `least` to below `end`."""
    if values.size and not least <= values.min() <= values.max() < end:
        raise ValueError(f"{what} from {values.min()} to {values.max()} -> {least} to {end - 1}")


def costing(pace: NDArray[np.integer], unit: int) -> None:
    """Raises ValueError where driving or turning (`unit`) costs nothing, or less: ways had no end."""
    if min(unit, pace.min(initial=1)) < 1:
        raise ValueError(f"pace from {pace.min(initial=1)}, unit {unit} -> 1 or more")
