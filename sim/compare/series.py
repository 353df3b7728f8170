"""Curves of two runs over the same time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.report.bins import edges, width_ns
from sim.report.measured import Measured
from sim.report.timeline import CHARGING, DOWN, EMPTY, IDLE, LOADED, TURNING, WAITING

Curve = list[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """A value of both runs per bin; None where a run has ended."""

    key: str
    title: str
    caption: str
    bin_s: float
    curves: tuple[Curve, Curve]

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return {"bin_s": self.bin_s, "first": self.curves[0], "second": self.curves[1]}


def series(first: Measured, second: Measured) -> list[Series]:
    """All curves, over the longer of both runs."""
    runs = (first, second)
    end_ns = max(run.end_ns for run in runs)
    width = width_ns(end_ns)
    bins = edges(end_ns, width)
    length = f"each {width / 60e9:g} minutes"
    made = [
        ("throughput", "Throughput", f"orders done per hour, {length}", _throughput),
        ("queue", "Queue", "orders received and not yet done", _queue),
        ("waiting", "Congestion", "percent of the robots under way that wait", _waiting),
        ("at_work", "Robots at work", "mean number that neither rest, charge nor lie dead", _work),
    ]
    return [
        Series(key, title, caption, width / 1e9, (make(first, bins), make(second, bins)))
        for key, title, caption, make in made
    ]


def _ended(run: Measured, bins: list[tuple[int, int]]) -> list[bool]:
    """Bins that the run doesn't fill."""
    return [min(high, bins[-1][1]) > run.end_ns for _, high in bins]


def _throughput(run: Measured, bins: list[tuple[int, int]]) -> Curve:
    orders = [order for order in run.verdict.ledger.orders.values() if not order.inbound]
    times = sorted(order.right_ns for order in orders if order.right_ns >= 0)
    counts = [bisect_right(times, high) - bisect_right(times, low) for low, high in bins]
    return [
        None if ended else round(count * 3600e9 / max(high - low, 1), 2)
        for count, (low, high), ended in zip(counts, bins, _ended(run, bins), strict=True)
    ]


def _queue(run: Measured, bins: list[tuple[int, int]]) -> Curve:
    orders = [order for order in run.verdict.ledger.orders.values() if not order.inbound]
    came = sorted(order.received_ns for order in orders)
    ends = [[t for t in (o.right_ns, o.closed_ns) if t >= 0] for o in orders]
    went = sorted(min(times) for times in ends if times)
    return [
        None if ended else float(bisect_right(came, high) - bisect_right(went, high))
        for (_, high), ended in zip(bins, _ended(run, bins), strict=True)
    ]


def _seconds(run: Measured, states: tuple[int, ...], bins: list[tuple[int, int]]) -> Any:
    """Robot-seconds in these states per bin."""
    spans = run.spans
    mine = np.isin(spans.state, states)
    width = bins[0][1] - bins[0][0]
    number = np.minimum(spans.t0_ns[mine] // width, len(bins) - 1)
    return np.bincount(number, spans.seconds[mine], minlength=len(bins))


def _waiting(run: Measured, bins: list[tuple[int, int]]) -> Curve:
    waits = _seconds(run, (WAITING,), bins)
    underway = _seconds(run, (LOADED, EMPTY, TURNING, WAITING), bins)
    return [
        None if ended else round(100 * float(w / max(u, 1e-9)), 2)
        for w, u, ended in zip(waits, underway, _ended(run, bins), strict=True)
    ]


def _work(run: Measured, bins: list[tuple[int, int]]) -> Curve:
    busy = _seconds(run, tuple(s for s in range(9) if s not in (CHARGING, DOWN, IDLE)), bins)
    return [
        None if ended else round(float(b) * 1e9 / max(high - low, 1), 2)
        for b, (low, high), ended in zip(busy, bins, _ended(run, bins), strict=True)
    ]
