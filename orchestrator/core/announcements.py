"""What a host tells before it is there: items, and loads that are to come."""

from __future__ import annotations

import msgspec

from orchestrator.core import admission, filing
from orchestrator.core.messages import (
    ExpectLoad,
    ItemsReceived,
    Notice,
    NoticesReceived,
    OrderReceived,
)
from orchestrator.core.world import World

ITEMS_MAX = 1_000_000
EXPECTED_MAX = 10_000
NAMED_MAX = 50  # rows that were left out; of more, only how many
Answer = tuple[bool, str]


def items(world: World, event: ItemsReceived) -> Answer:
    """The item master grows; what is known of an item changes."""
    taken, left_out = 0, list(event.left_out)
    for item in event.items:
        if item.sku not in world.skus and len(world.skus) >= ITEMS_MAX:
            left_out.append(f"{item.sku}: {ITEMS_MAX} SKUs are known already -> a new run")
            continue
        taken += 1
        world.skus.add(item.sku)
        world.asked.setdefault(item.sku)
        if item.min_units:
            world.min_units[item.sku] = item.min_units
        else:
            world.min_units.pop(item.sku, None)
    return _answer(taken, left_out)


def notices(world: World, event: NoticesReceived) -> Answer:
    """Loads are to come: equipment is told to expect them. One that is announced again is another one
    now; one that has come stays as it came."""
    taken, left_out = 0, list(event.left_out)
    for notice in event.notices:
        if filing.known(world, notice.notice_id):
            taken += 1
            continue
        order = _order_of(notice, event.kind)
        reason = _why_not(world, order)
        if reason:
            left_out.append(f"{notice.notice_id}: {reason}")
            continue
        taken += 1
        world.expected[notice.notice_id] = order
        world.out.append(
            ExpectLoad(
                order_id=notice.notice_id,
                kind=event.kind,
                lines=notice.lines,
                load=notice.load,
                station=notice.station,
                expected_ns=notice.expected_ns,
            )
        )
    return _answer(taken, left_out)


def arrived(world: World, event: OrderReceived) -> OrderReceived:
    """What came in, with what was announced of it where whoever saw it come says no more."""
    order = world.expected.pop(event.order_id, None)
    if order is None or event.lines:
        return event
    station = event.station if event.station >= 0 else order.station
    return msgspec.structs.replace(order, station=station)


def withdrawn(world: World, order_id: str) -> bool:
    """A notice is no longer true; False: there is none."""
    return world.expected.pop(order_id, None) is not None


def _order_of(notice: Notice, kind: str) -> OrderReceived:
    return OrderReceived(
        order_id=notice.notice_id,
        kind=kind,
        lines=notice.lines,
        station=notice.station,
        load=notice.load,
    )


def _why_not(world: World, order: OrderReceived) -> str:
    if len(world.expected) >= EXPECTED_MAX and order.order_id not in world.expected:
        return f"{EXPECTED_MAX} loads are expected already -> announce it later"
    if order.station >= 0:
        return admission.why_not(world, order)
    reason = "no station takes in anything"
    for station in range(len(world.site.stations)):
        reason = admission.why_not(world, msgspec.structs.replace(order, station=station))
        if not reason:
            break
    return reason


def _answer(taken: int, left_out: list[str]) -> Answer:
    """Accepted, unless nothing of it was; what was left out, a line each."""
    lines = left_out[:NAMED_MAX]
    if len(left_out) > NAMED_MAX:
        lines.append(f"and {len(left_out) - NAMED_MAX} more -> mend these first")
    return taken > 0, "\n".join(lines)
