"""The worst of all futures: each with its seed, so that it can be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Measure = Callable[[dict[str, Any]], float | None]


def worst(rows: list[Row]) -> dict[str, Any]:
    """Least clearance, longest wait, latest order, worst ratios, longest standstill; None: there is
    none."""
    return {
        "clearance": _most(rows, _negative("clearance_m"), _clearance),
        "wait": _most(rows, _within("longest_wait", "seconds"), _as_it_is("longest_wait")),
        "order": _most(rows, _within("latest_order", "late_s"), _as_it_is("latest_order")),
        "on_time": _most(rows, _negative("on_time_ratio"), _ratio("on_time_ratio")),
        "lights_out": _most(rows, _negative("lights_out_ratio"), _ratio("lights_out_ratio")),
        "standstill": _most(
            rows, _within("longest_standstill", "seconds"), _as_it_is("longest_standstill")
        ),
    }


def _most(rows: list[Row], measure: Measure, told: Callable[[Row], Row]) -> Row | None:
    known = [(value, row) for row in rows if (value := measure(row.get("figures", {}))) is not None]
    if not known:
        return None
    _, row = max(known, key=lambda pair: (pair[0], -pair[1]["seed"]))
    return {"seed": row["seed"], **told(row["figures"])}


def _negative(key: str) -> Measure:
    return lambda figures: None if figures.get(key) is None else -figures[key]


def _within(key: str, inner: str) -> Measure:
    return lambda figures: None if figures.get(key) is None else figures[key][inner]


def _as_it_is(key: str) -> Callable[[Row], Row]:
    return lambda figures: figures[key]


def _ratio(key: str) -> Callable[[Row], Row]:
    return lambda figures: {"ratio": figures[key]}


def _clearance(figures: Row) -> Row:
    return {
        "m": figures["clearance_m"], "at_s": figures["clearance_s"],
        "robots": figures["clearance_robots"],
    }  # fmt: skip
