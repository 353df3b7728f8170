"""A file of orders for a master: the host's formats, as requests. What is wrong is named by line, and
then nothing is handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.host.records import (
    HostFileError,
    Record,
    Wrong,
    name_of,
    number_of,
    read_text,
    take,
    whole_of,
)
from orchestrator.host.records import read as read_table

QUANTITY_MAX = 1_000_000
TEXTS = {"chute": "station", "route": "route", "carrier": "carrier"}


def read(path: Path) -> list[dict[str, Any]]:
    """Requests without their type. Raises `HostFileError`."""
    orders: dict[str, dict[str, Any]] = {}

    def use(record: Record) -> None:
        values = record.values
        order_id = name_of(values, "order_id")
        order = _order(order_id, values)
        known = orders.get(order_id)
        if known is None:
            orders[order_id] = order
        elif not record.rows:
            raise Wrong(f"order {order_id!r} is there already", "give each order one object")
        elif {k: v for k, v in known.items() if k != "lines"} != {
            k: v for k, v in order.items() if k != "lines"
        }:
            raise Wrong(
                f"order {order_id!r} is another one above", "all its rows must agree but for lines"
            )
        else:
            known["lines"] += order.get("lines", [])

    table = read_table(read_text(path), str(path), ("order_id",), "orders")
    bad = take(table, str(path), use)
    if bad:
        raise HostFileError("\n  ".join(["nothing was handed in:", *map(str, bad[:20])]))
    if not orders:
        raise HostFileError(f"{path}: no order in it -> begin with order_id,sku,quantity")
    return list(orders.values())


def _order(order_id: str, values: dict[str, Any]) -> dict[str, Any]:
    stops = values.get("stops")
    order: dict[str, Any] = {"order_id": order_id}
    order["kind"] = name_of(values, "kind", required=False) or (
        "transport" if stops else "outbound"
    )
    if stops:
        order["stops"] = [p.strip() for p in stops.split(";")] if isinstance(stops, str) else stops
    else:
        rows = values.get("lines") if values.get("lines") is not None else [values]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Wrong("lines is no list of objects", '[{"sku": "A", "quantity": 1}]')
        order["lines"] = [
            [name_of(row, "sku"), whole_of(row, "quantity", 1, QUANTITY_MAX)] for row in rows
        ]
    for key, field in TEXTS.items():
        if text := name_of(values, key, required=False):
            order[field] = text
    if values.get("priority") not in (None, ""):
        order["priority"] = whole_of(values, "priority", 0, 9)
    if values.get("due_in_s") not in (None, ""):
        order["due_in_s"] = number_of(values, "due_in_s")
    elif values.get("due_s") not in (None, ""):
        order["due_ns"] = round(number_of(values, "due_s") * 1e9)
    return order
