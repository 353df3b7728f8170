"""Order files: what customers ask for, and transports from node to node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.core.messages import Line, OrderReceived
from orchestrator.core.site import OrderType, Site
from orchestrator.host.records import (
    BadRow,
    HostFileError,
    Record,
    Wrong,
    name_of,
    number_of,
    read,
    short,
    take,
    whole_of,
)

COLUMNS = ("order_id", "time_s")
GOODS = ("order_id", "time_s", "sku", "quantity", "due_s")
ORDERS_MAX = 1_000_000
LINES_MAX = 1000  # of one order; stops likewise
TIME_S_MAX = 1e7
QUANTITY_MAX = 999_999
Timed = tuple[int, OrderReceived]


@dataclass(frozen=True, slots=True)
class Head:
    """What all rows of an order must say alike."""

    kind: str
    time_s: float
    due_s: float
    chute: str
    route: str
    carrier: str
    stops: tuple[str, ...]


def read_orders(text: str, name: str, site: Site) -> tuple[list[Timed], list[BadRow]]:
    """Orders by time, and what was left out.

    CSV `order_id,time_s,sku,quantity,due_s[,chute,route,carrier,kind]`: rows with one order_id are its
    lines; transports: `order_id,time_s,stops[,due_s,kind]`, stops as node ids separated by `;`. JSON: a
    list, or an object per line, with `lines: [{sku, quantity}]` or `stops: [...]`; an order is taken
    whole or not at all. Raises `HostFileError`."""
    orders: dict[str, tuple[Head, list[Line]]] = {}
    places = _Places(site)
    unknown: list[BadRow] = []

    def use(record: Record) -> None:
        order_id = name_of(record.values, "order_id")
        head = places.head(record.values)
        lines = [] if head.stops else _lines(record)
        known = orders.get(order_id)
        if known is None:
            if len(orders) >= ORDERS_MAX:
                raise Wrong("too many orders", f"split the file: {ORDERS_MAX} at most")
            orders[order_id] = (head, lines)
        elif not record.rows or not lines:
            raise Wrong(f"order {order_id!r} is there already", "give each order once")
        elif known[0] != head:
            text = f"time, due, chute, route or carrier differ from the first row of {order_id!r}"
            raise Wrong(text, "write the same on each row of an order")
        elif len(known[1]) >= LINES_MAX:
            raise Wrong(f"more than {LINES_MAX} lines", "split the order")
        else:
            known[1].extend(lines)
        for sku in dict.fromkeys(line.sku for line in lines if line.sku not in site.skus):
            text = f"order {order_id!r} is refused: unknown SKU {sku!r}"
            unknown.append(BadRow(name, record.line, text, "add it to the item master"))

    table = read(text, name, COLUMNS, "orders")
    _columns(table[0], name)
    bad = sorted(take(table, name, use) + unknown, key=lambda row: row.line)
    events = [places.event(order_id, *parts) for order_id, parts in orders.items()]
    return sorted(events, key=lambda pair: pair[0]), bad


def _columns(records: list[Record], name: str) -> None:
    """A CSV must be of goods or of transports."""
    if records and records[0].rows and "stops" not in records[0].values:
        missing = [column for column in GOODS if column not in records[0].values]
        if len(missing) == len(GOODS) - len(COLUMNS):
            begin = f"begin with the line {','.join(GOODS)}, or with {','.join(COLUMNS)},stops"
            raise HostFileError(f"{name}:1: column {', '.join(missing)} is missing -> {begin}")


def _lines(record: Record) -> list[Line]:
    values = record.values
    rows = values.get("lines")
    if record.rows or rows is None:
        rows = [values]
    if not isinstance(rows, list) or not rows or len(rows) > LINES_MAX:
        raise Wrong(f"lines must be a list of 1 to {LINES_MAX}", '[{"sku": "A", "quantity": 1}]')
    if not all(isinstance(row, dict) for row in rows):
        raise Wrong("a line is no object", 'write {"sku": "A", "quantity": 1}')
    return [Line(name_of(row, "sku"), whole_of(row, "quantity", 1, QUANTITY_MAX)) for row in rows]


def givable(kind: OrderType) -> bool:
    """A host may give orders of this type: goods from stock, or transports."""
    steps = kind.steps.values()
    return not kind.brings and any(step.do == "reserve" or step.to == "stop" for step in steps)


class _Places:
    """Names of the site as orders use them."""

    def __init__(self, site: Site) -> None:
        self._stations = {station.id: number for number, station in enumerate(site.stations)}
        self._chutes = {s.id for s in site.stations if "handout" in s.capabilities}
        self._routes = site.routes
        self._kinds = {name: kind for name, kind in site.order_types.items() if givable(kind)}
        self._site = site
        self._nodes: dict[str, int] | None = None  # made when a transport asks for it

    def _kind(self, values: dict[str, Any]) -> str:
        given = name_of(values, "kind", required=False)
        return given or ("transport" if values.get("stops") else "outbound")

    def head(self, values: dict[str, Any]) -> Head:
        """Raises `Wrong`."""
        kind = self._kind(values)
        if kind not in self._kinds:
            known = ", ".join(self._kinds) or "none"
            raise Wrong(f"orders of type {kind!r} can't be given", f"this site takes: {known}")
        transport = any(step.to == "stop" for step in self._kinds[kind].steps.values())
        time_s = number_of(values, "time_s")
        left_out = transport and values.get("due_s") in (None, "")
        due_s = 0.0 if left_out else number_of(values, "due_s")
        for key, value in (("time_s", time_s), ("due_s", due_s)):
            if not 0 <= value < TIME_S_MAX:
                raise Wrong(f"{key} is {value:g}: must be positive, in seconds", "mend the number")
        if due_s < time_s and not left_out:
            text = f"due {due_s:g} lies before {time_s:g}"
            raise Wrong(text, "both count from the run's beginning")
        chute = name_of(values, "chute", required=False)
        if chute and chute not in self._chutes:
            text = f"unknown chute {chute!r}"
            raise Wrong(text, "name a chute of the site, or leave it empty")
        route = name_of(values, "route", required=False)
        if route and route not in self._routes:
            known = ", ".join(self._routes) or "none"
            raise Wrong(f"unknown route {route!r}", f"this site has: {known}")
        carrier = name_of(values, "carrier", required=False)
        stops = self._stops(values) if transport else ()
        return Head(kind, time_s, due_s, chute, route, carrier, stops)

    def _stops(self, values: dict[str, Any]) -> tuple[str, ...]:
        rows = values.get("stops")
        names = [part.strip() for part in rows.split(";")] if isinstance(rows, str) else rows
        if not isinstance(names, list) or not 1 <= len(names) <= LINES_MAX:
            raise Wrong(f"stops must be 1 to {LINES_MAX} nodes", "write a;b or a list of node ids")
        if self._nodes is None:
            self._nodes = {name: n for n, name in enumerate(self._site.roadmap.node_ids)}
        for name in names:
            if not isinstance(name, str) or name not in self._nodes:
                raise Wrong(f"unknown node {short(name)}", "name nodes of the layout")
            if not self._site.roadmap.is_stop(self._nodes[name]):
                text = f"node {name!r} is only passed on the way into a bay"
                raise Wrong(text, "name the bay's last node")
        return tuple(names)

    def event(self, order_id: str, head: Head, lines: list[Line]) -> Timed:
        """The fact, and when it comes."""
        nodes = self._nodes or {}
        event = OrderReceived(
            order_id=order_id,
            kind=head.kind,
            lines=tuple(lines),
            due_ns=round(head.due_s * 1e9),
            station=self._stations.get(head.chute, -1),
            stops=tuple(nodes[name] for name in head.stops),
            route=head.route,
            carrier=head.carrier,
        )
        return round(head.time_s * 1e9), event
