"""The demand of a recorded run: its orders, notices and transports, at their recorded times.

Kept as text, an order a line, with stations and nodes by name: so it fits a site whose layout has
changed since, and a run that is made from it can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from typing import Any

import msgspec

from orchestrator.core.messages import Line, Notice, NoticesReceived, OrderReceived
from orchestrator.core.site import Site
from orchestrator.journal import RunReader
from orchestrator.layout import load_files
from sim.scenario import ScenarioError

Timed = tuple[int, OrderReceived]


def text_of(reader: RunReader) -> str:
    """Everything that was asked for in a run. Raises `ScenarioError`."""
    recipe = reader.meta.get("recipe") or {}
    if not recipe.get("files"):
        raise ScenarioError(f"{reader.path}: holds no site files -> name a run of a site")
    site = load_files(recipe["files"], recipe.get("name", "site")).site
    rows = [json.dumps(_row(time_ns, order, site)) for time_ns, order in _orders(reader)]
    if not rows:
        raise ScenarioError(f"{reader.path}: holds no orders -> name a run in which some came in")
    return "\n".join(rows)


def _orders(reader: RunReader) -> Iterator[Timed]:
    """What came in; loads that were announced and of which nobody said more, as announced."""
    announced: dict[str, Notice] = {}
    for entry in reader.entries():
        event = entry.event
        if isinstance(event, NoticesReceived):
            announced |= {notice.notice_id: notice for notice in event.notices}
        elif isinstance(event, OrderReceived):
            notice = announced.pop(event.order_id, None)
            if notice is not None and not event.lines:
                event = msgspec.structs.replace(event, lines=notice.lines, load=notice.load)
            yield entry.time_ns, event


def _row(time_ns: int, order: OrderReceived, site: Site) -> dict[str, Any]:
    return {
        "time_ns": time_ns, "order_id": order.order_id, "kind": order.kind,
        "lines": [[line.sku, line.quantity] for line in order.lines], "due_ns": order.due_ns,
        "station": site.stations[order.station].id if order.station >= 0 else "",
        "load": order.load, "stops": [site.roadmap.node_ids[node] for node in order.stops],
        "route": order.route, "carrier": order.carrier,
    }  # fmt: skip


def read(text: str, name: str, site: Site) -> list[Timed]:
    """The orders, by time. Raises `ScenarioError` where the site can't take them."""
    stations = {station.id: number for number, station in enumerate(site.stations)} | {"": -1}
    nodes = {node: number for number, node in enumerate(site.roadmap.node_ids)}
    known: dict[str, Container[str]] = {
        "order type": site.order_types, "station": stations, "node": nodes
    }  # fmt: skip
    found = []
    for line in text.splitlines():
        row = json.loads(line)
        asked = [("order type", row["kind"]), ("station", row["station"])]
        for what, key in asked + [("node", stop) for stop in row["stops"]]:
            if key not in known[what]:
                raise ScenarioError(
                    f"{name}: {row['order_id']} asks for the {what} {key!r}, which this site lacks -> "
                    "name a run of this site"
                )
        event = OrderReceived(
            order_id=row["order_id"], kind=row["kind"], due_ns=row["due_ns"], load=row["load"],
            lines=tuple(Line(sku, quantity) for sku, quantity in row["lines"]),
            station=stations[row["station"]], stops=tuple(nodes[stop] for stop in row["stops"]),
            route=row["route"], carrier=row["carrier"],
        )  # fmt: skip
        found.append((int(row["time_ns"]), event))
    return sorted(found, key=lambda pair: pair[0])
