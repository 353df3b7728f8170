"""What stood still without a reason: robots on the lanes, the work as a whole, single orders.

A reason is a fault that is open meanwhile (a robot died, a lane is blocked, a machine is down) and, for
orders, a machine at work. That a battery ran empty is no reason: that is what is judged. Robots that
wait in a bay wait for their turn there: where that takes long, orders are late, which is judged by
itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.rehearsal.bottlenecks import share, works
from sim.report.measured import Measured
from sim.report.timeline import WAITING, Fact
from sim.verification.outcomes import OrderTruth
from sim.verification.table import clock

NO_PROGRESS = (
    "robot", "tote", "order", "exception", "stock", "end", "fault", "fault_ended", "answer_lost",
    "forked", "miscounted", "robot_retired",
)  # fmt: skip
NO_REASON = ("battery_empty",)
PAUSE_NS = 30_000_000_000  # a shorter pause of all work is not looked at
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Standstill:
    """Something stood from `from_ns` to `to_ns`, and `seconds` of that without a reason."""

    kind: str  # robots | work | order
    subjects: tuple[str, ...]
    from_ns: int
    to_ns: int
    seconds: float

    def text(self) -> str:
        """In words."""
        who, since = ", ".join(self.subjects[:4]), clock(self.from_ns / 1e9)[:-4]
        rest = f" and {len(self.subjects) - 4} more" if len(self.subjects) > 4 else ""
        minutes = f"{self.seconds / 60:.1f} minutes from {since} on"
        if self.kind == "robots":
            return f"{who}{rest} stood on the lanes without a reason for {minutes}"
        if self.kind == "work":
            return f"nothing was moved or made for {minutes}, while {who}{rest} waited"
        return f"order {who} stood still for {minutes}, while later ones were finished"


def find(seen: Measured, limit_ns: int) -> list[Standstill]:
    """All that lasted as long as the limit, and of each kind the longest anyway; the longest first."""
    faults = open_faults(seen.facts, seen.tracks.end_ns)
    by_kind = [
        _robots(seen, faults, limit_ns), _work(seen, faults), _overtaken(seen, faults, limit_ns),
    ]  # fmt: skip
    found = []
    for rows in by_kind:
        rows.sort(key=lambda row: (-row.seconds, row.from_ns))
        found += [row for number, row in enumerate(rows) if not number or _long(row, limit_ns)]
    return sorted(found, key=lambda row: (-row.seconds, row.from_ns))


def _long(row: Standstill, limit_ns: int) -> bool:
    return row.seconds * 1e9 >= limit_ns


def open_faults(facts: list[Fact], end_ns: int) -> list[Span]:
    """Stretches in which some fault was open, apart from each other, by time."""
    since: dict[tuple[str, str], int] = {}
    spans = []
    for time_ns, kind, fact in facts:
        if kind not in ("fault", "fault_ended") or fact.get("kind") in NO_REASON:
            continue
        who = fact.get("robot") or fact.get("station") or fact.get("subject") or ""
        key = (str(fact.get("kind")), str(who))
        if kind == "fault":
            since.setdefault(key, time_ns)
        elif key in since:
            spans.append((since.pop(key), time_ns))
    return merged(spans + [(begin, end_ns) for begin in since.values()])


def merged(spans: list[Span]) -> list[Span]:
    """The union, apart from each other, by time."""
    found: list[Span] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def outside(low: int, high: int, spans: list[Span]) -> float:
    """Seconds of a stretch that lie in none of the spans."""
    covered = sum(max(0, min(high, end) - max(low, begin)) for begin, end in spans)
    return (high - low - covered) / 1e9


def waits(seen: Measured, *, lanes_only: bool) -> list[tuple[int, int, int]]:
    """(robot row, from, to): stretches in which a robot with an errand stood and waited."""
    spans = seen.spans
    wanted = spans.state == WAITING
    if lanes_only:
        wanted &= spans.bay < 0
    found: list[tuple[int, int, int]] = []
    for index in np.flatnonzero(wanted).tolist():
        row, low, high = int(spans.row[index]), int(spans.t0_ns[index]), int(spans.t1_ns[index])
        if found and found[-1][0] == row and found[-1][2] == low:
            found[-1] = (row, found[-1][1], high)
        else:
            found.append((row, low, high))
    return found


def _robots(seen: Measured, faults: list[Span], limit_ns: int) -> list[Standstill]:
    """Robots that stand on the lanes at the same time, for so long, are one standstill."""
    rows = [
        (low, high, outside(low, high, faults), row)
        for row, low, high in waits(seen, lanes_only=True)
    ]
    long = sorted(entry for entry in rows if entry[2] * 1e9 >= limit_ns)
    names = [robot.name for robot in seen.tracks.robots]
    found: list[Standstill] = []
    for low, high, seconds, row in long:
        last = found[-1] if found else None
        if last is not None and low < last.to_ns:
            found[-1] = Standstill(
                "robots", (*last.subjects, names[row]), last.from_ns, max(last.to_ns, high),
                max(last.seconds, seconds),
            )  # fmt: skip
        else:
            found.append(Standstill("robots", (names[row],), low, high, seconds))
    if not found and rows:
        low, high, seconds, row = max(rows, key=lambda entry: entry[2])
        found.append(Standstill("robots", (names[row],), low, high, seconds))
    return found


def _work(seen: Measured, faults: list[Span]) -> list[Standstill]:
    """Stretches in which nothing was moved, made or closed while orders waited for it."""
    end_ns, packed = seen.tracks.end_ns, _packed(seen.facts)
    working = [span for spans in works(seen.facts).values() for span in spans]
    reasons = merged(faults + working)
    waiting = sorted(_waiting(seen, order, packed) for order in _fillable(seen))
    times = [time_ns for time_ns, kind, _ in seen.facts if kind not in NO_PROGRESS]
    found = []
    for low, high in zip([0, *times], [*times, end_ns], strict=True):
        if high - low < PAUSE_NS:
            continue
        open_ones = [row for row in waiting if row[0] < high and row[1] > low]
        if open_ones:
            begin = max(low, open_ones[0][0])
            until = min(high, max(row[1] for row in open_ones))
            names = tuple(row[2] for row in open_ones)
            seconds = outside(begin, until, reasons)
            found.append(Standstill("work", names, begin, until, seconds))
    return found


def _fillable(seen: Measured) -> list[OrderTruth]:
    return [order for order in seen.verdict.ledger.orders.values() if order.fillable]


def _packed(facts: list[Fact]) -> dict[str, int]:
    return {fact["order_id"]: time_ns for time_ns, kind, fact in facts if kind == "parcel_packed"}


def _waiting(seen: Measured, order: OrderTruth, packed: dict[str, int]) -> tuple[int, int, str]:
    """(from, to, order): when work was to be done for it. Waves and a release ahead of the due time
    are reasons to wait; so is a truck, once its parcel is packed."""
    policy = seen.loaded.site.policy
    begin = order.received_ns + 60_000_000_000 * policy.wave_minutes
    if policy.release_ahead_minutes and order.due_ns:
        begin = max(begin, order.due_ns - 60_000_000_000 * policy.release_ahead_minutes)
    ends = [time_ns for time_ns in (order.right_ns, order.closed_ns) if time_ns >= 0]
    if order.route and order.order_id in packed:
        ends.append(packed[order.order_id])
    return begin, min(ends, default=seen.tracks.end_ns), order.order_id


def _overtaken(seen: Measured, faults: list[Span], limit_ns: int) -> list[Standstill]:
    """Orders that are due and open at the end, about which nothing was recorded for long, while
    others of their type that came later were finished. That a machine which they may need is at work
    is a reason: they wait for their turn."""
    end_ns, last, machines = seen.tracks.end_ns, _last_facts(seen), works(seen.facts)
    finished: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for order in seen.verdict.ledger.orders.values():
        if order.right_ns >= 0:
            finished[order.kind].append((order.received_ns, order.right_ns))
    found = []
    for order in _fillable(seen):
        if order.right_ns >= 0 or order.closed_ns >= 0 or order.route or order.due_ns > end_ns:
            continue
        since = max(last.get(order.order_id, 0), order.received_ns, order.due_ns)
        overtaken = any(a > order.received_ns and b > since for a, b in finished[order.kind])
        if overtaken and end_ns - since >= limit_ns:
            reasons = merged(faults + _queue(seen, order, machines, since))
            seconds = outside(since, end_ns, reasons)
            found.append(Standstill("order", (order.order_id,), since, end_ns, seconds))
    return found


def _queue(
    seen: Measured, order: OrderTruth, machines: dict[tuple[str, str], list[Span]], since: int
) -> list[Span]:
    """When the busiest of the machines that it may need was at work."""
    kind = seen.loaded.site.order_types.get(order.kind)
    needs = {step.needs for step in kind.steps.values()} if kind else set()
    rows = [spans for (_, capability), spans in sorted(machines.items()) if capability in needs]
    return max(rows, key=lambda spans: share(spans, since, seen.tracks.end_ns), default=[])


def _last_facts(seen: Measured) -> dict[str, int]:
    orders = seen.verdict.ledger.orders
    owner = {f"parcel-{name}": name for name in orders}
    owner |= {tote: order.order_id for order in orders.values() for tote in order.totes}
    last: dict[str, int] = {}
    for time_ns, _, fact in seen.facts:
        name = _named(fact, owner)
        if name:
            last[name] = time_ns
    return last


def _named(fact: dict[str, Any], owner: dict[str, str]) -> str:
    return str(fact.get("order_id") or owner.get(str(fact.get("load", "")), ""))
