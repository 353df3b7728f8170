"""Inbound notices (ASN): what a supplier announces, pallet by pallet."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from orchestrator.core.messages import Line, Notice, OrderReceived
from orchestrator.core.site import OrderType, Site
from orchestrator.host.orders import LINES_MAX, QUANTITY_MAX, TIME_S_MAX, Timed
from orchestrator.host.records import (
    BadRow,
    HostFileError,
    Record,
    Table,
    Wrong,
    name_of,
    number_of,
    read,
    take,
    whole_of,
)

COLUMNS = ("notice_id", "time_s", "sku", "quantity")
Head = tuple[float, str, str]  # time_s, dock, load


@dataclass(frozen=True, slots=True)
class Reading:
    """For which site notices are read. `skus`: those that are known; None: not asked here."""

    site: Site
    kind: str
    skus: Container[str] | None


def read_notices(text: str, name: str, site: Site, kind: str) -> tuple[list[Timed], list[BadRow]]:
    """Orders of the inbound type `kind` by time, and what was left out.

    `notice_id,time_s,sku,quantity[,dock,load]` as CSV, or JSON with `lines: [{sku, quantity}]`: the
    rows of one notice_id are one pallet, each a tote. `load` is the pallet's name (left out: the
    notice's), `dock` a station (left out: any, in turn). Raises `HostFileError`."""
    table = read(text, name, COLUMNS, "notices")
    docks = list(docks_of(site, kind).values())
    notices, bad = notices_of(table, name, Reading(site, kind, site.skus))
    events = []
    for number, notice in enumerate(notices):
        event = OrderReceived(
            order_id=notice.notice_id,
            kind=kind,
            lines=notice.lines,
            station=notice.station if notice.station >= 0 else docks[number % len(docks)],
            load=notice.load,
        )
        events.append((notice.expected_ns, event))
    return sorted(events, key=lambda pair: pair[0]), bad


def notices_of(table: Table, name: str, reading: Reading) -> tuple[list[Notice], list[BadRow]]:
    """The same of a table that was read, in its sequence, to whatever dock. Raises `HostFileError`."""
    site, kind = reading.site, reading.kind
    docks = docks_of(site, kind)
    if not docks:
        raise HostFileError(f"{name}: the site takes in no orders of type {kind!r} -> add a dock")
    one_by_one = _takes_one(site.order_types[kind])
    notices: dict[str, tuple[Head, list[Line]]] = {}
    loads: dict[str, str] = {}

    def use(record: Record) -> None:
        notice = name_of(record.values, "notice_id")
        lines = _lines(record, reading.skus)
        head = _head(record, notice, docks)
        known = notices.get(notice)
        if known is None:
            owner = loads.setdefault(head[2], notice)
            if owner != notice:
                raise Wrong(f"load {head[2]!r} is that of {owner!r} already", "name it otherwise")
            known = notices[notice] = (head, [])
        elif not record.rows:
            raise Wrong(f"notice {notice!r} is there already", "give each notice once")
        elif known[0] != head:
            text = f"time, dock or load differ from the first row of {notice!r}"
            raise Wrong(text, "write the same on each row of a notice")
        if one_by_one and len(known[1]) + len(lines) > 1:
            if not known[1]:
                del notices[notice], loads[head[2]]
            raise Wrong("this site takes in totes one by one", "one line a notice")
        if len(known[1]) + len(lines) > LINES_MAX:
            raise Wrong(f"more than {LINES_MAX} lines", "split the notice")
        known[1].extend(lines)

    bad = take(table, name, use)
    found = [
        Notice(notice, tuple(rows), load, docks.get(dock, -1), round(time_s * 1e9))
        for notice, ((time_s, dock, load), rows) in notices.items()
    ]
    return found, bad


def docks_of(site: Site, kind: str) -> dict[str, int]:
    """Stations at which orders of this type can begin."""
    known = site.order_types.get(kind)
    if known is None or not known.brings:
        return {}
    needs = known.steps[known.first].needs
    return {s.id: n for n, s in enumerate(site.stations) if needs in s.capabilities}


def _takes_one(kind: OrderType) -> bool:
    return not any(step.start == "dock" and step.per_line for step in kind.steps.values())


def _head(record: Record, notice: str, docks: dict[str, int]) -> Head:
    time_s = number_of(record.values, "time_s")
    if not 0 <= time_s < TIME_S_MAX:
        raise Wrong(f"time_s is {time_s:g}: must be positive, in seconds", "mend the number")
    dock = name_of(record.values, "dock", required=False)
    if dock and dock not in docks:
        raise Wrong(f"unknown dock {dock!r}", f"this site has: {', '.join(docks)}")
    return time_s, dock, name_of(record.values, "load", required=False) or notice


def _lines(record: Record, skus: Container[str] | None) -> list[Line]:
    rows = record.values.get("lines")
    if record.rows or rows is None:
        rows = [record.values]
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Wrong("lines must be a list", '[{"sku": "A", "quantity": 24}]')
    lines = [Line(name_of(r, "sku"), whole_of(r, "quantity", 1, QUANTITY_MAX)) for r in rows]
    for line in lines:
        if skus is not None and line.sku not in skus:
            raise Wrong(f"unknown SKU {line.sku!r}", "add it to the item master")
    return lines
