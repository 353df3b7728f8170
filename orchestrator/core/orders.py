"""Orders and their life cycle."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.core.messages import OrderReceived
from orchestrator.core.robots import Token

# state -> states that may follow
LIFE_CYCLE: dict[str, tuple[str, ...]] = {
    "received": ("open", "refused"),
    "open": ("done", "quarantined"),
    "done": (),
    "quarantined": (),
    "refused": (),
}


@dataclass(slots=True)
class OrderLine:
    """So many units of one SKU, and the tote they are to come from."""

    sku: str
    quantity: int
    open: int  # units not yet in the box
    tote: str = ""


@dataclass(slots=True)
class Order:
    """An order on its way through the graph of its type."""

    id: str
    kind: str
    lines: list[OrderLine]
    due_ns: int
    load: str
    stops: tuple[int, ...]
    station: int = -1  # where it is worked on: dock or pick station
    chute: int = -1
    position: int = -1  # station at which it takes up a place
    state: str = "received"
    reason: str = ""
    arrived: dict[tuple[str, int], int] = field(default_factory=dict)  # joins
    tries: dict[tuple[str, str, int], int] = field(default_factory=dict)
    active: dict[Token, None] = field(default_factory=dict)

    def enter(self, state: str, reason: str = "") -> None:
        """Change state as the life cycle allows."""
        assert state in LIFE_CYCLE[self.state], f"order {self.id}: {self.state} -> {state}"
        self.state = state
        self.reason = reason


def order_of(event: OrderReceived) -> Order:
    """Merge lines of one SKU, so that a tote comes once."""
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
        station=event.station if event.kind == "inbound" else -1,
        chute=event.station if event.kind != "inbound" else -1,
    )
