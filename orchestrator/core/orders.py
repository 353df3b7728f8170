"""Orders and their life cycle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.core.host_messages import LineResult
from orchestrator.core.messages import OrderReceived
from orchestrator.core.robots import Token

if TYPE_CHECKING:
    from orchestrator.core.world import World

# state -> states that may follow
LIFE_CYCLE: dict[str, tuple[str, ...]] = {
    "received": ("open", "refused"),
    "open": ("done", "quarantined", "cancelled"),
    "done": (),
    "quarantined": (),
    "cancelled": (),
    "refused": (),
}


class Filed(NamedTuple):
    """What is remembered of an order that is over."""

    kind: str
    state: str
    reason: str
    internal: bool


@dataclass(slots=True)
class OrderLine:
    """So many units of one SKU, and the tote they are to come from (or, inbound, come in)."""

    sku: str
    quantity: int
    open: int  # units not yet in the box
    tote: str = ""
    station: int = -1  # where this line alone is worked on; -1: where the order is
    rejected: str = ""  # why this line alone did not succeed
    counted: int = -1  # units that came in, by weight; -1: nobody counted


@dataclass(slots=True)
class Order:
    """An order on its way through the graph of its type."""

    id: str
    kind: str
    lines: list[OrderLine]
    due_ns: int
    load: str
    stops: tuple[int, ...]
    route: str = ""
    priority: int = 0
    box: str = ""  # whose units it handles: its own id, or the order that it was opened for
    internal: bool = False  # opened by the core
    station: int = -1  # where it is worked on: dock or pick station
    chute: int = -1
    named: bool = False  # by the host: its parcel goes to no other chute
    position: int = -1  # station at which it takes up a place
    parcel: tuple[str, int] = ("", -1)  # where its parcel is: ("out" | "chute" | "door" …, station)
    state: str = "received"
    reason: str = ""
    arrived: dict[tuple[str, int], int] = field(default_factory=dict)  # joins
    tries: dict[tuple[str, str, int], int] = field(default_factory=dict)
    views: dict[tuple[str, int], str] = field(default_factory=dict)  # how a camera is to look next
    active: dict[Token, None] = field(default_factory=dict)
    asked: dict[tuple[str, int], int] = field(default_factory=dict)  # unanswered work, to be asked
    problems: dict[tuple[str, str], None] = field(default_factory=dict)  # open: kind, subject

    def enter(self, state: str, reason: str = "") -> None:
        """Change state as the life cycle allows."""
        assert state in LIFE_CYCLE[self.state], f"order {self.id}: {self.state} -> {state}"
        self.state = state
        self.reason = reason

    def load_of(self, line: int) -> str:
        """What a step of this line handles: the line's tote, or what the order is about."""
        return self.lines[line].tote if line >= 0 else self.load


def results(world: World, order: Order) -> tuple[LineResult, ...]:
    """What became of each line, when the order closes. Of what was to come in, a line without a place
    of its own in stock goes back."""
    if not world.site.order_types[order.kind].brings:
        return tuple(
            LineResult(line.sku, line.quantity, line.quantity - line.open, line.tote)
            for line in order.lines
        )
    found = []
    for line in order.lines:
        tote = world.stock.totes.get(line.tote)
        rejected = line.rejected
        if order.state != "done" and (tote is None or tote.home < 0):
            rejected = rejected or order.reason
        found.append(LineResult(line.sku, line.quantity, line.counted, line.tote, rejected))
    return tuple(found)


def order_of(event: OrderReceived, *, brings: bool) -> Order:
    """The order of an event. Lines of one SKU are merged, so that a tote comes once; what comes in
    stays tote by tote."""
    if brings:
        several = len(event.lines) > 1
        lines = [
            OrderLine(
                line.sku, line.quantity, 0, f"{event.load}/{number}" if several else event.load
            )
            for number, line in enumerate(event.lines, 1)
        ]
    else:
        merged: dict[str, int] = {}
        for line in event.lines:
            merged[line.sku] = merged.get(line.sku, 0) + line.quantity
        lines = [OrderLine(sku, quantity, quantity) for sku, quantity in merged.items()]
    return Order(
        id=event.order_id,
        kind=event.kind,
        lines=lines,
        due_ns=event.due_ns,
        load=event.load,
        stops=event.stops,
        route=event.route,
        priority=event.priority,
        box=event.order_id,
        station=event.station if brings else -1,
        chute=-1 if brings else event.station,
        named=not brings and event.station >= 0,
    )
