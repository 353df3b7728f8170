"""From what server and fleet noted to figures: which state caused which order, and how long it took."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = dict[str, NDArray[Any]]
SHIFT = 32


def keep(path: Path, log: Any) -> None:
    """Write a dataclass of arrays, for `np.load`."""
    save: Any = np.savez  # its keywords are typed as if there were but one
    save(path, **{each.name: np.array(getattr(log, each.name)) for each in fields(log)})


def _key(vehicle: NDArray[Any], header: NDArray[Any]) -> NDArray[np.int64]:
    return (vehicle.astype(np.int64) << SHIFT) | header.astype(np.int64)


def _when(wanted: NDArray[np.int64], keys: NDArray[np.int64], at_s: NDArray[Any]) -> NDArray[Any]:
    """The time of each wanted key; NaN where there is none."""
    if not len(keys):
        return np.full(len(wanted), np.nan)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found = order[place]
    return np.where(keys[found] == wanted, at_s[found], np.nan)


def latencies(caused: Table, fleet: Table, begin_s: float, end_s: float) -> dict[str, Any]:
    """`caused`: a row for each order that extends a base, with the state that was its reason. Only
    what was caused between `begin_s` and `end_s` counts."""
    states = _key(fleet["state_vehicle"], fleet["state_header"])
    orders = _key(fleet["order_vehicle"], fleet["order_header"])
    said_s = _when(_key(caused["by_vehicle"], caused["by_header"]), states, fleet["state_s"])
    came_s = _when(_key(caused["to_vehicle"], caused["order_header"]), orders, fleet["order_s"])
    inside = (said_s >= begin_s) & (said_s < end_s)
    whole = (came_s - said_s)[inside & ~np.isnan(came_s)]
    server = (caused["sent_s"] - caused["read_s"])[inside]
    return {
        "extensions": int(inside.sum()),
        **_spread("whole", whole),
        **_spread("server", server),
    }


def _spread(name: str, seconds: NDArray[Any]) -> dict[str, float]:
    if not len(seconds):
        return {}
    p50, p99 = np.percentile(seconds, [50, 99])
    return {
        f"{name}_p50_ms": round(1000 * float(p50), 1),
        f"{name}_p99_ms": round(1000 * float(p99), 1),
        f"{name}_max_ms": round(1000 * float(seconds.max()), 1),
    }
