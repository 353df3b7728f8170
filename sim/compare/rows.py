"""Figures of two runs over one span, with their difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim.report import departures
from sim.report.energy import used
from sim.report.measured import Measured
from sim.report.problems import within
from sim.report.timeline import CHARGING, DOWN, EMPTY, IDLE, LOADED, TURNING, WAITING

Value = float | int | None
# What the record of a building without its master can't tell: it hears of orders when they are closed.
MASTERS = (
    "orders_received", "cycle_", "lights_out", "late", "open_at_end", "charging_percent",
    "human_touches", "exceptions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one run; `better`: 1 more is better, -1 less is, 0 neither."""

    key: str
    label: str
    value: Value
    unit: str = ""  # "", s, m, %
    better: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both runs."""

    key: str
    label: str
    unit: str
    better: int
    first: Value
    second: Value

    @property
    def difference(self) -> Value:
        """Second minus first."""
        if self.first is None or self.second is None:
            return None
        return round(self.second - self.first, 4)

    @property
    def percent(self) -> float | None:
        """The difference in percent of the first."""
        if self.difference is None or not self.first:
            return None
        return round(100 * self.difference / abs(self.first), 2)

    @property
    def verdict(self) -> str:
        """better | worse | "" (equal, or neither)."""
        if not self.difference or not self.better:
            return ""
        return "better" if (self.difference > 0) == (self.better > 0) else "worse"

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return {
            "label": self.label, "unit": self.unit, "first": self.first, "second": self.second,
            "difference": self.difference, "percent": self.percent, "verdict": self.verdict,
        }  # fmt: skip


def rows(first: Measured, second: Measured, from_ns: int, to_ns: int) -> list[Row]:
    """Both runs' figures; what only one of them knows counts as none of it in the other, but for what
    the other can't know."""
    sides = [
        {f.key: _known(run, f) for f in figures(run, from_ns, to_ns)} for run in (first, second)
    ]
    blank = [None if run.meta.get("building") else 0 for run in (first, second)]
    result = []
    for key in _merged(list(sides[0]), list(sides[1])):
        mine, theirs = sides[0].get(key), sides[1].get(key)
        about = mine or theirs
        assert about is not None
        result.append(
            Row(
                key, about.label, about.unit, about.better,
                mine.value if mine else blank[0], theirs.value if theirs else blank[1],
            )
        )  # fmt: skip
    return result


def _known(run: Measured, figure: Figure) -> Figure:
    if run.meta.get("building") and figure.key.startswith(MASTERS):
        return replace(figure, value=None)
    return figure


def _merged(first: list[str], second: list[str]) -> list[str]:
    """The keys of both, each behind the one it follows in its own list."""
    merged = list(first)
    for at, key in enumerate(second):
        if key not in merged:
            merged.insert(merged.index(second[at - 1]) + 1 if at else 0, key)
    return merged


def figures(run: Measured, from_ns: int, to_ns: int) -> Iterator[Figure]:
    """All figures of a run over (from, to]; its timeline must be cut at both."""
    yield from _orders(run, from_ns, to_ns)
    yield from _robots(run, from_ns, to_ns)
    yield from _machines(run, from_ns, to_ns)
    yield from _troubles(run, from_ns, to_ns)


def _orders(run: Measured, from_ns: int, to_ns: int) -> Iterator[Figure]:
    hours = (to_ns - from_ns) / 3600e9
    orders = [order for order in run.verdict.ledger.orders.values() if not order.inbound]
    done = [order for order in orders if from_ns < order.right_ns <= to_ns]
    seconds = [(order.right_ns - order.received_ns) / 1e9 for order in done]
    due = [order for order in orders if from_ns < order.due_ns <= to_ns]
    late = [o for o in due if not 0 <= o.right_ns <= to_ns or o.late]
    fillable = [order for order in due if order.fillable]
    good = [o for o in fillable if 0 <= o.right_ns <= to_ns and not o.touched]
    ratio = round(100 * len(good) / len(fillable), 3) if fillable else None
    open_ones = sum(_open(order, to_ns) for order in orders)
    received = sum(from_ns < order.received_ns <= to_ns for order in orders)
    yield Figure("orders_received", "orders received", received)
    yield Figure("orders_done", "orders done", len(done), better=1)
    yield Figure("orders_per_hour", "orders per hour", round(len(done) / hours, 2), better=1)
    yield Figure("cycle_p50_s", "cycle time p50", _percentile(seconds, 50), "s", -1)
    yield Figure("cycle_p95_s", "cycle time p95", _percentile(seconds, 95), "s", -1)
    yield Figure("lights_out_percent", "lights-out ratio, fillable", ratio, "%", 1)
    yield Figure("late", "due and late or open", len(late), better=-1)
    yield Figure("open_at_end", "orders open at the end", open_ones, better=-1)


def _open(order: Any, at_ns: int) -> bool:
    ends = [t for t in (order.right_ns, order.closed_ns) if t >= 0]
    return order.received_ns <= at_ns and (not ends or min(ends) > at_ns)


def _percentile(seconds: list[float], share: int) -> float | None:
    return round(float(np.percentile(seconds, share)), 1) if seconds else None


def _robots(run: Measured, from_ns: int, to_ns: int) -> Iterator[Figure]:
    spans = run.spans
    mine = (spans.t0_ns >= from_ns) & (spans.t1_ns <= to_ns)
    seconds, state = spans.seconds[mine], spans.state[mine]
    total = float(seconds.sum())
    done = sum(
        from_ns < order.right_ns <= to_ns
        for order in run.verdict.ledger.orders.values()
        if not order.inbound
    )
    way = float(spans.way_m[mine].sum())
    empty = float(spans.way_m[mine & ~spans.loaded].sum())
    waiting = float(seconds[state == WAITING].sum())
    underway = float(seconds[np.isin(state, (LOADED, EMPTY, TURNING, WAITING))].sum())
    charging = float(seconds[state == CHARGING].sum())
    charges = float(used(run, spans, run.loaded.spec)[mine].sum())
    present = round(total * 1e9 / (to_ns - from_ns), 2)
    yield Figure("robots", "robots in service, mean", present)
    names = [robot.fleet for robot in run.robots]
    for name in dict.fromkeys(names):
        fleet = np.array([other == name for other in names])[spans.row[mine]]
        rests = np.isin(state, (IDLE, CHARGING, DOWN))
        busy, there = float(seconds[fleet & ~rests].sum()), float(seconds[fleet].sum())
        share = round(100 * busy / there, 2) if there else None
        yield Figure(f"utilisation.{name}", f"{name} at work", share, "%")
    each = round(way / done, 1) if done else None
    yield Figure("metres_per_order", "metres per order", each, "m", -1)
    yield Figure("empty_percent", "empty travel", _share(empty, way), "%", -1)
    yield Figure("waiting_percent", "waiting, of the time under way", _share(waiting, underway),
                 "%", -1)  # fmt: skip
    yield Figure("charging_percent", "on a charger", _share(charging, total), "%")
    yield Figure("charges", "full charges used", round(charges, 3), better=-1)
    per = round(100 * charges / done, 3) if done else None
    yield Figure("charges_per_100_orders", "full charges per 100 orders", per, better=-1)


def _share(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 2) if whole > 0 else None


def _machines(run: Measured, from_ns: int, to_ns: int) -> Iterator[Figure]:
    """Trucks, and how busy the machines of each capability were on average."""
    trucks = departures.figures(run.facts, run.verdict.ledger, to_ns)["trucks"]
    left = [t for t in trucks if t["left_s"] and from_ns < t["left_s"] * 1e9 <= to_ns]
    if trucks:
        punctual = sum(row["delay_s"] <= departures.PUNCTUAL_S for row in left)
        share = _share(punctual, len(left))
        yield Figure("trucks", "trucks departed", len(left))
        yield Figure("trucks_percent", "trucks that left in time", share, "%", 1)
    busy: dict[str, float] = {}
    for time_ns, kind, fact in run.facts:
        if kind == "worked":
            begin = max(from_ns, time_ns - round(fact["seconds"] * 1e9))
            seconds = max(0, min(time_ns, to_ns) - begin) / 1e9
            busy[fact["capability"]] = busy.get(fact["capability"], 0.0) + seconds
    for name in sorted(busy):
        count = sum(name in station.capabilities for station in run.loaded.site.stations)
        share = _share(busy[name] * 1e9, max(count, 1) * (to_ns - from_ns))
        yield Figure(f"machines.{name}", f"machines at work: {_words(name)}", share, "%")


def _troubles(run: Measured, from_ns: int, to_ns: int) -> Iterator[Figure]:
    touches = sum(from_ns < time_ns <= to_ns for time_ns, _ in run.verdict.ledger.touches)
    yield Figure("human_touches", "human touches", touches, better=-1)
    opened = within(run.problems, from_ns, to_ns)
    yield Figure("exceptions", "exceptions opened", len(opened), better=-1)
    for kind, count in sorted(Counter(row.kind for row in opened).items()):
        yield Figure(f"exceptions.{kind}", f"exceptions: {_words(kind)}", count, better=-1)
    faults = Counter(
        str(fact.get("kind", ""))
        for time_ns, kind, fact in run.facts
        if kind == "fault" and from_ns < time_ns <= to_ns
    )
    for kind, count in sorted(faults.items()):
        yield Figure(f"faults.{kind}", f"faults: {_words(kind)}", count)


def _words(name: str) -> str:
    return name.replace("_", " ")
