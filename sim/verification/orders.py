"""Orders by ground truth: what left the building, right, in time, untouched; what could be filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Fact = tuple[int, int, str, dict[str, Any]]


@dataclass(slots=True)
class Truth:
    """Ground truth of one order."""

    order_id: str
    kind: str
    lines: dict[str, int]
    received_ns: int
    due_ns: int
    delivered_ns: int = -1
    contents: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    closed: str = ""
    reason: str = ""
    touched: bool = False
    fillable: bool = True

    @property
    def right(self) -> bool:
        """Delivered once, and just what was ordered."""
        return self.deliveries == 1 and self.contents == self.lines


@dataclass(frozen=True, slots=True)
class Ledger:
    """All orders, and what does not add up."""

    orders: dict[str, Truth]
    findings: list[str]
    human_touches: int


def ledger(facts: Iterator[Fact], end_ns: int) -> Ledger:
    """Fold the ground truth. Units: opening + arrived = in totes + picked."""
    orders: dict[str, Truth] = {}
    findings: list[str] = []
    stock = _Stock()
    touches = 0
    parcel_of: dict[str, str] = {}
    for _, time_ns, kind, fact in facts:
        match kind:
            case "order" if fact["kind"] != "inbound":
                lines: dict[str, int] = {}
                for sku, quantity in fact["lines"]:
                    lines[sku] = lines.get(sku, 0) + quantity
                orders[fact["order_id"]] = Truth(
                    fact["order_id"], fact["kind"], lines, time_ns, fact["due_ns"]
                )
            case "parcel_packed":
                parcel_of[fact["parcel"]] = fact["order_id"]
            case "parcel_delivered":
                _delivered(orders, fact, time_ns, findings)
            case "order_closed" if fact["order_id"] in orders:
                order = orders[fact["order_id"]]
                order.closed, order.reason = fact["status"], fact["reason"]
            case "human_touched":
                touches += 1
                named = [parcel_of.get(load, load) for load in fact.get("loads", [])]
                for name in [*fact.get("orders", []), *named]:
                    if name in orders:
                        orders[name].touched = True
                stock.touched.update(dict.fromkeys(fact.get("loads", [])))
            case "impossible_action":
                text = f"{fact['robot']} was told to {fact['action']} {fact['load']}, which it could not"
                findings.append(f"{text}, at {time_ns / 1e9:.1f} s")
        stock.take(kind, fact, orders)
    findings += stock.findings()
    _fillable(orders, stock, end_ns)
    return Ledger(orders, findings, touches)


def _delivered(
    orders: dict[str, Truth], fact: dict[str, Any], time_ns: int, findings: list[str]
) -> None:
    order = orders.get(fact["order_id"])
    if order is None:
        findings.append(f"a parcel left for {fact['order_id']}, which nobody ordered")
        return
    order.deliveries += 1
    order.delivered_ns = time_ns
    order.contents = {sku: n for sku, n in fact["contents"].items() if n}
    if not order.right:
        findings.append(f"wrong order {order.order_id}: {order.contents} instead of {order.lines}")


class _Stock:
    """Units by tote and by SKU."""

    def __init__(self) -> None:
        self.totes: dict[str, list[Any]] = {}
        self.place: dict[str, str] = {}
        self.came: dict[str, int] = {}  # SKU -> units that ever were in totes
        self.boxed: dict[str, dict[str, int]] = {}
        self.touched: dict[str, None] = {}
        self.problems: list[str] = []
        self.end: dict[str, Any] = {}

    def take(self, kind: str, fact: dict[str, Any], orders: dict[str, Truth]) -> None:
        """One fact."""
        if kind in ("tote", "tote_arrived"):
            self.totes[fact["tote"]] = [fact["sku"], fact["quantity"]]
            self.place[fact["tote"]] = fact.get("place") or f"station:{fact['station']}"
            self.came[fact["sku"]] = self.came.get(fact["sku"], 0) + fact["quantity"]
        elif kind == "load_moved":
            load = fact["load"]
            if load in self.place and self.place[load] != fact["from"]:
                self.problems.append(f"{load} left {fact['from']}, but was at {self.place[load]}")
            self.place[load] = fact["to"]
        elif kind == "units_moved":
            tote = self.totes[fact["tote"]]
            tote[1] -= fact["quantity"]
            if tote[1] < 0 or tote[0] != fact["sku"]:
                self.problems.append(f"{fact['tote']} gave what it did not hold")
            box = self.boxed.setdefault(fact["order_id"], {})
            box[fact["sku"]] = box.get(fact["sku"], 0) + fact["quantity"]
            if fact["tote"] in self.touched and fact["order_id"] in orders:
                orders[fact["order_id"]].touched = True
        elif kind == "parcel_packed":
            contents = {sku: n for sku, n in fact["contents"].items() if n}
            if self.boxed.pop(fact["order_id"], {}) != contents:
                self.problems.append(f"{fact['parcel']} does not hold what was picked for it")
            self.place[fact["parcel"]] = f"station:{fact['station']}"
        elif kind == "stock":
            self.end = fact

    def findings(self) -> list[str]:
        """Totes at the end against what the facts add up to."""
        for tote, row in self.end.items():
            known = self.totes.get(tote)
            if known is None or known != [row["sku"], row["quantity"]]:
                self.problems.append(f"{tote} holds {row}, the facts add up to {known}")
            if self.place.get(tote) != row["place"]:
                self.problems.append(f"{tote} is at {row['place']}, the facts say otherwise")
        for tote, (_, quantity) in self.totes.items():
            if self.end and tote not in self.end and quantity:
                self.problems.append(f"{tote} left the building with {quantity} units")
        return self.problems


def _fillable(orders: dict[str, Truth], stock: _Stock, end_ns: int) -> None:
    """An open order could not be filled if the units that were ever in the building, less those
    delivered to others, don't suffice for one of its lines."""
    used: dict[str, int] = {}
    for order in orders.values():
        if order.deliveries:
            for sku, quantity in order.contents.items():
                used[sku] = used.get(sku, 0) + quantity
    for order in sorted(orders.values(), key=lambda order: order.due_ns):
        if order.deliveries or order.kind == "transport":
            continue
        left = {sku: stock.came.get(sku, 0) - used.get(sku, 0) for sku in order.lines}
        order.fillable = all(left[sku] >= n for sku, n in order.lines.items())
        order.fillable = order.fillable and order.closed != "refused"
        if order.fillable:
            for sku, quantity in order.lines.items():
                used[sku] = used.get(sku, 0) + quantity
