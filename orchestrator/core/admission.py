"""May an order come in? If not, the reason, with the mend."""

from __future__ import annotations

from orchestrator.core.messages import OrderReceived
from orchestrator.core.site import OrderType
from orchestrator.core.world import World


def why_not(world: World, event: OrderReceived) -> str:
    """The reason why this order can't be taken in; "": it can."""
    kind = world.site.order_types.get(event.kind)
    if kind is None:
        known = ", ".join(world.site.order_types)
        return f"unknown order type {event.kind!r}: this site has {known}"
    if not 0 <= event.priority <= 9:
        return f"priority {event.priority}: must be 0 to 9"
    if any(step.to == "stop" for step in kind.steps.values()):
        return _stops(world, event)
    if not event.lines:
        return "no lines: name at least one SKU and quantity"
    for line in event.lines:
        if line.sku not in world.skus:
            return f"unknown SKU {line.sku!r}: add it to the site's item master"
        if line.quantity <= 0:
            return f"quantity {line.quantity} of {line.sku}: must be at least 1"
    if event.route and event.route not in world.site.routes:
        known = ", ".join(world.site.routes) or "none"
        return f"unknown route {event.route!r}: this site has {known}"
    return _inbound(world, event, kind) if kind.brings else _outbound(world, event, kind)


def _stops(world: World, event: OrderReceived) -> str:
    if not event.stops:
        return f"{event.kind}: needs at least one stop"
    bad = [node for node in event.stops if not 0 <= node < world.site.roadmap.nodes]
    return f"unknown node {bad[0]}" if bad else ""


def _inbound(world: World, event: OrderReceived, kind: OrderType) -> str:
    if not 0 <= event.station < len(world.site.stations):
        return f"unknown station {event.station}"
    station = world.site.stations[event.station]
    first = kind.steps[kind.first].needs
    if first and first not in station.capabilities:
        return f"station {station.id} can't {first}"
    names = [event.load]
    if len(event.lines) > 1:
        names += [f"{event.load}/{number}" for number in range(1, len(event.lines) + 1)]
    taken = [name for name in names if not name or name in world.stock.totes]
    if taken:
        return f"tote {taken[0]!r} is in the building already, or has no name"
    put_away = next(step for step in kind.steps.values() if step.start == "dock")
    if not put_away.per_line and len(event.lines) > 1:
        return f"tote {event.load!r} is to hold one SKU: name one line"
    return ""


def _outbound(world: World, event: OrderReceived, kind: OrderType) -> str:
    if event.station >= 0:
        if event.station >= len(world.site.stations):
            return f"unknown station {event.station}"
        station = world.site.stations[event.station]
        if station.kind != "chute":
            return f"station {station.id} can't handout: it is no chute"
        if event.route and event.station not in world.site.routes[event.route].chutes:
            return f"chute {station.id} does not collect for route {event.route!r}"
    if not event.route and any(step.to == "door" for step in kind.steps.values()):
        known = ", ".join(world.site.routes)
        return f"no route: orders of type {event.kind!r} go by truck; this site has {known}"
    return ""
