"""Orders that are over are put on file: of each, only its name and how it ended are remembered (the
same order may come again), shared by all that ended alike."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.orders import Filed, Order
from orchestrator.core.robots import Token
from orchestrator.core.world import World

EVERY_NS = 600_000_000_000


def tick(world: World) -> None:
    """Now and then: file what is closed and what nothing refers to any more."""
    if world.time_ns < world.file_ns:
        return
    world.file_ns = world.time_ns + EVERY_NS
    named = set(_named(world))
    for order in list(world.orders.values()):
        if order.state != "open" and not order.active and order.id not in named:
            entry = filed(order)
            world.filed[order.id] = world.entries.setdefault(entry, entry)
            del world.orders[order.id]


def filed(order: Order) -> Filed:
    """What is remembered of an order."""
    return Filed(order.kind, order.state, order.reason, order.internal)


def known(world: World, order_id: str) -> bool:
    """Whether there ever was an order of this id."""
    return order_id in world.orders or order_id in world.filed


def entries(world: World) -> Iterator[tuple[str, Filed]]:
    """All orders that there ever were."""
    yield from world.filed.items()
    for order in world.orders.values():
        yield order.id, filed(order)


def tally(world: World) -> dict[str, int]:
    """How many orders are in each state, of those that somebody outside waits for: not what is
    brought, nor what the core opened."""
    kinds = world.site.order_types
    found: dict[str, int] = {}
    for _, entry in entries(world):
        if not entry.internal and not (entry.kind in kinds and kinds[entry.kind].brings):
            found[entry.state] = found.get(entry.state, 0) + 1
    return found


def _named(world: World) -> Iterator[str]:
    """The orders that something in the building belongs to, or whose box is being worked on."""
    for token in _tokens(world):
        yield token[0]
    for truck in world.trucks.values():
        yield from truck.loaded
    for order in world.orders.values():
        if order.state == "open" or order.active:
            yield order.box


def _tokens(world: World) -> Iterator[Token]:
    for task in (*world.tasks.values(), *world.underway.values()):
        yield task.token
    yield from world.works.values()
    yield from world.looks.values()
    for _, token in world.resting:
        yield token
    for robot in world.robots:
        for leg in robot.legs:
            if leg.token is not None:
                yield leg.token
    for tote in world.stock.totes.values():
        if tote.user is not None:
            yield tote.user
        yield from tote.waiters
    for waiters in world.stock.slot_waiters.values():
        yield from waiters
    for station in world.stations:
        for queue in station.queues.values():
            yield from queue
        yield from station.waiters
        yield from station.held
    for truck in world.trucks.values():
        yield from truck.waiting
