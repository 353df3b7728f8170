"""Orders and faults of a run with the times of everything that happened to them.

Because each row knows its times, the state at any moment is a comparison, and no seek has to fold
anything: `row.state(t)` is right for every t that was read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import Any

from orchestrator.web.shapes import FaultSpan, Order

NEVER = 2**62


@dataclass(slots=True)
class OrderRow:
    """One order; times are `NEVER` until they come."""

    id: str
    kind: str
    lines: list[Any]
    received_ns: int
    due_ns: int  # 0: none
    inbound: bool = False  # it brings something
    picks: list[tuple[int, int]] = field(default_factory=list)  # time, units
    packed_ns: int = NEVER
    delivered_ns: int = NEVER
    closed_ns: int = NEVER
    touched_ns: int = NEVER
    status: str = ""
    reason: str = ""
    station: str = ""
    right: bool = True

    @property
    def finished_ns(self) -> int:
        """When it was finished right; `NEVER` if it was not."""
        if not self.right or self.status in ("quarantined", "cancelled", "refused"):
            return NEVER
        return (
            self.delivered_ns
            if self.delivered_ns < NEVER
            else (self.closed_ns if self.status == "done" else NEVER)
        )

    def state(self, t_ns: int) -> str:
        """waiting | picking | packed | handed_out, and once closed: done | quarantined | refused."""
        if self.closed_ns <= t_ns:
            return self.status
        if self.delivered_ns <= t_ns:
            return "handed_out"
        if self.packed_ns <= t_ns:
            return "packed"
        return "picking" if self.picks and self.picks[0][0] <= t_ns else "waiting"

    def shown(self, t_ns: int) -> Order:
        """As it stood at a time."""
        closed = self.closed_ns <= t_ns
        end_ns = min(t_ns, self.finished_ns)
        return Order(
            id=self.id,
            kind=self.kind,
            lines=[(str(sku), int(quantity)) for sku, quantity in self.lines],
            state=self.state(t_ns),
            reason=self.reason if closed else "",
            received_s=self.received_ns / 1e9,
            due_s=self.due_ns / 1e9 if self.due_ns else None,
            closed_s=self.closed_ns / 1e9 if closed else None,
            late=bool(self.due_ns) and end_ns > self.due_ns,
            touched=self.touched_ns <= t_ns,
            picked=sum(units for time_ns, units in self.picks if time_ns <= t_ns),
            units=sum(int(quantity) for _, quantity in self.lines),
            station=self.station if self.delivered_ns <= t_ns else "",
        )


@dataclass(slots=True)
class Ledger:
    """Everything the truth says about orders, faults and people."""

    orders: dict[str, OrderRow] = field(default_factory=dict)
    faults: list[FaultSpan] = field(default_factory=list)
    touches: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    closings_ns: list[int] = field(default_factory=list)
    closed: list[OrderRow] = field(default_factory=list)  # in the sequence of their closing
    changes_ns: list[int] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)  # order ids, beside `changes_ns`
    dues: list[tuple[int, str]] = field(default_factory=list)
    tote_order: dict[str, str] = field(default_factory=dict)  # the last that picked from it
    parcel_order: dict[str, str] = field(default_factory=dict)
    _open: dict[tuple[str, str], FaultSpan] = field(default_factory=dict)

    def take(self, time_ns: int, kind: str, fact: dict[str, Any]) -> None:
        """One fact, in the sequence of the record."""
        match kind:
            case "order":
                due_ns = int(fact.get("due_ns") or 0)
                row = OrderRow(
                    fact["order_id"], fact["kind"], fact.get("lines", []), time_ns, due_ns
                )
                row.inbound = bool(fact.get("inbound", row.kind == "inbound"))
                self.orders[row.id] = row
                if row.due_ns and not row.inbound:
                    insort(self.dues, (row.due_ns, row.id))
                self._change(time_ns, row.id)
            case (
                "units_moved" | "parcel_packed" | "parcel_delivered" | "parcel_departed"
                | "order_closed"
            ):  # fmt: skip
                row_or_none = self.orders.get(fact.get("order_id", ""))
                if row_or_none is not None:
                    self._advance(row_or_none, time_ns, kind, fact)
                    self._change(time_ns, row_or_none.id)
            case "human_touched":
                self._touch(time_ns, fact)
            case "fault":
                self._fault(time_ns, fact)
            case "fault_ended":
                span = self._open.pop(_fault_key(fact), None)
                if span is not None:
                    span.to_s = time_ns / 1e9

    def _advance(self, row: OrderRow, time_ns: int, kind: str, fact: dict[str, Any]) -> None:
        match kind:
            case "units_moved":
                row.picks.append((time_ns, int(fact["quantity"])))
                self.tote_order[fact["tote"]] = row.id
            case "parcel_packed":
                row.packed_ns = time_ns
                self.parcel_order[fact["parcel"]] = row.id
            case "parcel_delivered" | "parcel_departed":
                row.delivered_ns = time_ns
                row.station = fact.get("station") or fact["truck"]
                wanted: dict[str, int] = {}
                for sku, quantity in row.lines:
                    wanted[sku] = wanted.get(sku, 0) + quantity
                row.right = fact.get("contents", wanted) == wanted
            case "order_closed":
                row.closed_ns, row.status = time_ns, fact["status"]
                row.reason = fact.get("reason", "")
                self.closings_ns.append(time_ns)
                self.closed.append(row)

    def _touch(self, time_ns: int, fact: dict[str, Any]) -> None:
        self.touches.append((time_ns, fact))
        named = list(fact.get("orders", ()))
        for load in fact.get("loads", ()):
            named += [self.tote_order.get(load, ""), self.parcel_order.get(load, "")]
        for name in named:
            row = self.orders.get(name)
            if row is not None and row.finished_ns > time_ns:
                row.touched_ns = min(row.touched_ns, time_ns)
                self._change(time_ns, row.id)

    def _fault(self, time_ns: int, fact: dict[str, Any]) -> None:
        key = _fault_key(fact)
        span = FaultSpan(
            from_s=time_ns / 1e9, to_s=None, kind=key[0], subject=key[1],
            reason=str(fact.get("reason", "")),
        )  # fmt: skip
        self.faults.append(span)
        self._open[key] = span

    def _change(self, time_ns: int, order: str) -> None:
        self.changes_ns.append(time_ns)
        self.changed.append(order)

    def changed_between(self, from_ns: int, to_ns: int) -> list[OrderRow]:
        """Orders to which something happened in (from, to]."""
        first, last = bisect_right(self.changes_ns, from_ns), bisect_right(self.changes_ns, to_ns)
        return [self.orders[name] for name in dict.fromkeys(self.changed[first:last])]

    def at(self, t_ns: int, closed_max: int) -> list[OrderRow]:
        """Open orders at a time, and the last that were done and that were set aside by then."""
        last = bisect_right(self.closings_ns, t_ns)
        first = max(0, last - closed_max)
        aside = [row for row in self.closed[:first] if row.status != "done"][-closed_max:]
        open_rows = [r for r in self.orders.values() if r.received_ns <= t_ns < r.closed_ns]
        return open_rows + aside + self.closed[first:last]

    def due_by(self, t_ns: int) -> list[OrderRow]:
        """Orders, inbound left out, whose due time has come."""
        last = bisect_left(self.dues, (t_ns + 1, ""))
        rows = (self.orders[name] for _, name in self.dues[:last])
        return [row for row in rows if row.received_ns <= t_ns]

    def faults_at(self, t_ns: int) -> list[FaultSpan]:
        """Faults that are open at a time."""
        t_s = t_ns / 1e9
        return [f for f in self.faults if f.from_s <= t_s and (f.to_s is None or f.to_s > t_s)]


def _fault_key(fact: dict[str, Any]) -> tuple[str, str]:
    subject = fact.get("robot", fact.get("station", ""))
    return str(fact.get("kind", "fault")), str(subject)
