"""Stock where it is picked from: when a zone runs short of a SKU the core opens orders by itself.

What may need stock is noted when it happens (`note`) and looked at once a tick (`tick`).
"""

from __future__ import annotations

from itertools import islice

from orchestrator.core import flow, places
from orchestrator.core.site import Replenishment
from orchestrator.core.stock import Tote
from orchestrator.core.world import World

RELIEVE_LOOKS = 64  # SKUs looked at for a tote that may leave a full zone


def note(world: World, sku: str) -> None:
    """Something about this SKU changed: units reserved, a tote stored, an order short of it."""
    if world.site.replenish:
        world.to_replenish[sku] = None


def slot_freed(world: World, zone: str) -> None:
    """A slot became free: for what has waited for one."""
    world.to_replenish.update(world.starved.pop(zone, {}))


def tick(world: World) -> None:
    """Open orders for what was noted."""
    skus, world.to_replenish = world.to_replenish, {}
    for sku in skus:
        for rule in world.site.replenish:
            _check(world, rule, sku)


def _check(world: World, rule: Replenishment, sku: str) -> None:
    left = sum(tote.available for tote in world.stock.reservable(sku, rule.to))
    least = world.min_units.get(sku, rule.below_units)
    if left >= least and sku not in world.short:
        return
    totes = [tote for tote in _totes(world, sku) if _idle(tote, rule.start) and tote.quantity]
    if not totes:
        return
    tote = min(totes, key=lambda tote: (tote.quantity, tote.id))
    if _room(world, rule.order_type, tote):
        flow.open_internal(world, rule.order_type, tote.id)
        return
    world.starved.setdefault(rule.to, {})[sku] = None
    if rule.relieve:
        _relieve(world, rule)


def _totes(world: World, sku: str) -> list[Tote]:
    return [world.stock.totes[name] for name in world.stock.by_sku.get(sku, ())]


def _idle(tote: Tote, zone: str) -> bool:
    at_home = tote.place[0] == "slot" and tote.place[1] == tote.home
    return at_home and tote.zone == zone and tote.user is None and not tote.reserved


def _room(world: World, order_type: str, tote: Tote) -> bool:
    """A slot is free in the zone to which orders of this type bring a tote."""
    step = next(s for s in world.site.order_types[order_type].steps.values() if s.start == "home")
    bay = world.site.roadmap.bays[tote.home]
    fleets = places.carriers(world, step.needs) & bay.fleets
    return places.slot_for(world, bay.node, step.to_at, fleets) >= 0


def _relieve(world: World, rule: Replenishment) -> None:
    """Bring a tote that nobody asks for back out of the zone: of the SKU that was asked for the
    longest ago; one at a time."""
    running = world.orders.get(world.relieving)
    if running is not None and running.state == "open":
        return
    for sku in list(islice(world.asked, RELIEVE_LOOKS)):
        if sku in world.short or sku in world.starved.get(rule.to, ()):
            continue
        for tote in _totes(world, sku):
            if _idle(tote, rule.to) and _room(world, rule.relieve, tote):
                world.relieving = flow.open_internal(world, rule.relieve, tote.id)
                return
        del world.asked[sku]  # nothing of it to be found: to the end
        world.asked[sku] = None
