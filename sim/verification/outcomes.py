"""What became of each order, and the lights-out ratio."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sim.verification.booked import LAG_NS
from sim.verification.findings import Findings
from sim.verification.goods import Delivery, Goods

STATUSES = ("received", "open", "done", "quarantined", "cancelled", "refused")


@dataclass(slots=True)
class OrderTruth:
    """An order as the ground truth and the host's side of the journal know it."""

    order_id: str
    kind: str
    lines: dict[str, int]
    received_ns: int
    due_ns: int = 0  # 0: none
    route: str = ""
    inbound: bool = False  # it brings something
    load: str = ""  # inbound: the tote, or the pallet
    totes: tuple[str, ...] = ()  # inbound: those of its lines
    stops: tuple[int, ...] = ()  # transport: nodes
    closed_ns: int = -1
    closed_as: str = ""
    reason: str = ""
    right_ns: int = -1  # when it was finished right; -1: not
    wrong: bool = False
    departure_ns: int = -1  # of its truck, by the timetable
    touched: bool = False
    fillable: bool = True

    @property
    def late(self) -> bool:
        """Finished after its due time; where a truck took it, that truck's timetable counts."""
        ended_ns = self.departure_ns if self.departure_ns >= 0 else self.right_ns
        return self.right_ns >= 0 and ended_ns > self.due_ns > 0

    def due_within(self, end_ns: int) -> bool:
        """Does its due time lie within the run?"""
        return 0 < self.due_ns <= end_ns


@dataclass(slots=True)
class Ledger:
    """All orders and all touches of a run."""

    orders: dict[str, OrderTruth] = field(default_factory=dict)
    touches: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    looks: dict[int, tuple[int, str]] = field(default_factory=dict)  # label: when, of which load
    reads: dict[int, tuple[int, str, str]] = field(default_factory=dict)  # when, outcome, value
    impossible: int = 0
    ended: bool = True


def ledger_of(facts: Iterable[tuple[int, str, dict[str, Any]]], found: Findings) -> Ledger:
    """Collect orders, closings and touches from (time_ns, kind, fact)."""
    ledger = Ledger()
    for time_ns, kind, fact in facts:
        match kind:
            case "order":
                _received(ledger, time_ns, fact, found)
            case "order_closed":
                _closed(ledger, time_ns, fact, found)
            case "human_touched":
                ledger.touches.append((time_ns, fact))
            case "looked":
                ledger.looks[fact["request"]] = (time_ns, fact["subject"])
            case "impossible_action":
                ledger.impossible += 1
                subject = str(fact.get("robot", fact.get("load", "")))
                found.add("impossible action", time_ns, subject, str(fact))
    return ledger


def _received(ledger: Ledger, time_ns: int, fact: dict[str, Any], found: Findings) -> None:
    name = fact["order_id"]
    if name in ledger.orders:
        found.add("orders", time_ns, name, "is received a second time")
        return
    lines: dict[str, int] = defaultdict(int)
    for sku, quantity in fact.get("lines", ()):
        lines[sku] += quantity
    ledger.orders[name] = OrderTruth(
        name, fact["kind"], dict(lines), time_ns, int(fact.get("due_ns") or 0),
        fact.get("route", ""), bool(fact.get("inbound", fact["kind"] == "inbound")),
    )  # fmt: skip


def _closed(ledger: Ledger, time_ns: int, fact: dict[str, Any], found: Findings) -> None:
    order = ledger.orders.get(fact["order_id"])
    if order is None:
        found.add("orders", time_ns, fact["order_id"], "is closed, but was never received")
    elif order.closed_ns >= 0:
        found.add("orders", time_ns, order.order_id, "is closed a second time")
    else:
        order.closed_ns, order.closed_as = time_ns, fact["status"]
        order.reason = fact.get("reason", "")


def add_host_side(ledger: Ledger, entries: Iterable[Any]) -> None:
    """What only the journal says: of orders their load and their stops, and what cameras answered."""
    for entry in entries:
        name = type(entry.event).__name__
        if name == "ImageRead":
            read = entry.event
            ledger.reads[read.request] = (entry.time_ns, read.outcome, read.value)
        if name == "OrderReceived":
            order = ledger.orders.get(entry.event.order_id)
            if order is not None:
                event = entry.event
                order.load, order.stops = event.load, tuple(event.stops)
                count = len(event.lines)
                if count > 1 and order.load:
                    order.totes = tuple(f"{order.load}/{n}" for n in range(1, count + 1))
                elif order.load:
                    order.totes = (order.load,)


def judge(ledger: Ledger, goods: Goods, found: Findings) -> None:
    """Was each order finished right? (Transports: see `transports`.)"""
    for order in ledger.orders.values():
        if order.inbound:
            _judge_inbound(order, goods, found)
        elif order.kind != "transport":
            _judge_outbound(order, goods, found)
    for name in sorted(set(goods.deliveries) - set(ledger.orders)):
        found.add("wrong order", None, name, "is handed out, but was never received")


def _judge_outbound(order: OrderTruth, goods: Goods, found: Findings) -> None:
    rows = goods.deliveries.get(order.order_id, [])
    if len(rows) > 1:
        order.wrong = True
        found.add(
            "wrong order", rows[1].time_ns, order.order_id, f"is handed out {len(rows)} times"
        )
    if rows:
        first = rows[0]
        for text in _wrong_with(order, first, goods):
            order.wrong = True
            found.add("wrong order", first.time_ns, order.order_id, text)
        if not order.wrong:
            order.right_ns = first.time_ns
            order.departure_ns = first.scheduled_ns
    elif order.closed_as == "done":
        text = "is closed as done, but nothing was handed out"
        found.add("orders", order.closed_ns, order.order_id, text)


def _wrong_with(order: OrderTruth, first: Delivery, goods: Goods) -> list[str]:
    """A torn label is none: it says the right thing, and the flow lets it go where it can be read."""
    wrong = []
    if first.contents != order.lines:
        wrong.append(f"wants {order.lines}, {first.parcel} holds {first.contents}")
    if first.label not in (first.parcel, ""):
        wrong.append(f"the label of {first.parcel} says {first.label}")
    broken = sum(goods.broken.get(order.order_id, {}).values())
    if broken:
        wrong.append(f"{broken} of its units are damaged")
    if first.route != order.route and order.route:
        wrong.append(f"goes by route {order.route}, left by {first.route or first.station}")
    if order.closed_as in ("quarantined", "cancelled") and order.closed_ns < first.time_ns:
        wrong.append(f"was closed as {order.closed_as}, and handed out after that")
    return wrong


def _judge_inbound(order: OrderTruth, goods: Goods, found: Findings) -> None:
    if order.closed_as != "done":
        return
    ends = []
    for tote in order.totes:
        times = goods.stored.get(tote, [])
        ends.append(next((t for t in times if order.received_ns <= t <= order.closed_ns), -1))
    missing = [tote for tote, at in zip(order.totes, ends, strict=True) if at < 0]
    if missing:
        text = f"is closed as done, but {missing[0] or 'its tote'} was not in a slot by then"
        found.add("orders", order.closed_ns, order.order_id, text)
    elif ends:  # a building's own record does not hold what was announced
        order.right_ns = max(ends)


def account(
    ledger: Ledger, goods: Goods, books: dict[str, Any], end_ns: int, found: Findings
) -> Counter[str]:
    """Every order that was received is in the books with a state, and with a reason where it was
    set aside; nothing is lost. Returns how many are in which state."""
    states: Counter[str] = Counter()
    said = books.get("orders", {})
    for order in ledger.orders.values():
        row = said.get(order.order_id)
        if row is None:
            if order.received_ns < end_ns - LAG_NS or order.closed_as:
                found.add("lost order", order.received_ns, order.order_id, "is not in the books")
            continue
        status, reason = row.get("status", ""), row.get("reason", "")
        states[status] += 1
        for text in _contradictions(order, goods, status, reason):
            found.add("orders", None, order.order_id, text)
    internal = {name for name, row in said.items() if row.get("internal")}
    for name in sorted(set(said) - set(ledger.orders) - internal):
        found.add("orders", None, name, "is in the books, but was never received")
    return states


def _contradictions(order: OrderTruth, goods: Goods, status: str, reason: str) -> list[str]:
    """A delivered order may be open: its totes are on their way home."""
    wrong = []
    if status not in STATUSES:
        wrong.append(f"has the state {status!r} in the books")
    if status in ("quarantined", "cancelled", "refused") and not reason:
        wrong.append(f"is {status} without a reason")
    if order.closed_as and status != order.closed_as:
        wrong.append(f"was closed as {order.closed_as}, the books say {status}")
    if status in ("done", "quarantined", "cancelled", "refused") and not order.closed_as:
        wrong.append(f"is {status} in the books, the host never heard of it")
    if status == "refused" and goods.deliveries.get(order.order_id):
        wrong.append("was refused, and yet handed out")
    return wrong


def mark_touched(ledger: Ledger, goods: Goods) -> None:
    """Orders that a person had a hand in: those named, and those of the loads that were at hand."""
    pickers: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for order, rows in goods.picks.items():
        for time_ns, _, _, tote in rows:
            pickers[tote].append((time_ns, order))
    inbound = {tote: o.order_id for o in ledger.orders.values() for tote in o.totes}
    for time_ns, fact in ledger.touches:
        touched = set(fact.get("orders", ()))
        for load in fact.get("loads", ()):
            touched.add(goods.parcel_order.get(load, ""))
            touched.add(inbound.get(load, ""))
            later = sorted(row for row in pickers.get(load, ()) if row[0] >= time_ns)
            earlier = sorted(row for row in pickers.get(load, ()) if row[0] < time_ns)
            touched.update(order for _, order in later[:1] + earlier[-1:])
        for name in touched & set(ledger.orders):
            order_truth = ledger.orders[name]
            # What was finished before the touch was finished without a hand.
            if order_truth.right_ns < 0 or order_truth.right_ns >= time_ns:
                order_truth.touched = True


def mark_fillable(ledger: Ledger, goods: Goods) -> None:
    """An order can't be filled if for some line the units in the building sufficed at no time
    between reception and due: those in totes, and those it already had itself; or if the truck that
    it was promised did not come by its departure, nor the next one within the run."""
    for order in ledger.orders.values():
        if not order.inbound and order.kind != "transport" and order.due_ns:
            order.fillable = all(
                _sufficed(goods, order, sku, quantity) for sku, quantity in order.lines.items()
            )
            if order.route and order.right_ns < 0:
                order.fillable &= _truck_came(goods, order)


def _truck_came(goods: Goods, order: OrderTruth) -> bool:
    came_ns = goods.docked.get((order.route, order.due_ns), -1)
    later = any(
        route == order.route and scheduled_ns > order.due_ns for route, scheduled_ns in goods.docked
    )
    return 0 <= came_ns <= order.due_ns or later


def _sufficed(goods: Goods, order: OrderTruth, sku: str, quantity: int) -> bool:
    changes = {order.received_ns}
    changes.update(
        t for t, _ in goods.levels.get(sku, ()) if order.received_ns <= t <= order.due_ns
    )
    mine = [(t, n) for t, name, n, _ in goods.picks.get(order.order_id, ()) if name == sku]
    return any(
        goods.level(sku, time_ns) + sum(n for t, n in mine if t <= time_ns) >= quantity
        for time_ns in changes
    )


def ratio(orders: Iterable[OrderTruth], end_ns: int) -> dict[str, Any]:
    """Finished right and without a human touch, of those due within the run."""
    due = [order for order in orders if order.due_within(end_ns)]
    good = [o for o in due if 0 <= o.right_ns <= end_ns and not o.touched]
    share = round(len(good) / len(due), 6) if due else None
    return {"due": len(due), "lights_out": len(good), "ratio": share}


def figures(ledger: Ledger, end_ns: int) -> dict[str, Any]:
    """Counts over all orders, and the ratio over all and over those that could be filled."""
    orders = list(ledger.orders.values())
    due = [order for order in orders if order.due_within(end_ns)]
    right = [order for order in orders if order.right_ns >= 0]
    late = [order for order in right if order.late]
    return {
        "orders": dict(sorted(Counter(order.kind for order in orders).items())),
        "finished_right": len(right),
        "wrong": sum(order.wrong for order in orders),
        "late": len(late),
        "overdue_at_end": sum(order.right_ns < 0 for order in due),
        "human_touches": len(ledger.touches),
        "orders_touched": sum(order.touched for order in orders),
        "unfillable": sum(not order.fillable for order in due),
        "impossible_actions": ledger.impossible,
        "lights_out": {
            "all": ratio(orders, end_ns),
            "fillable": ratio([order for order in orders if order.fillable], end_ns),
        },
    }
