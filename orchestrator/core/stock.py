"""Totes, units and slots: every tote in exactly one place, every unit in exactly one tote or box."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from orchestrator.core.robots import Token


@dataclass(slots=True)
class Tote:
    """A container with units of one stock keeping unit. `place`: (kind, index), see `Stock`."""

    id: str
    sku: str
    quantity: int
    place: tuple[str, int]  # ("slot", bay) | ("robot", robot) | ("station", station) | ("gone", -1)
    home: int = -1  # its slot's bay
    reserved: int = 0
    user: Token | None = None  # the line it is out for
    waiters: deque[Token] = field(default_factory=deque)

    @property
    def available(self) -> int:
        """Units nobody has spoken for."""
        return self.quantity - self.reserved


class Stock:
    """The books. `slot_owner` names the tote that stands in a slot or is to come (back) to it."""

    def __init__(self, slots: list[int]) -> None:
        self.totes: dict[str, Tote] = {}
        self.by_sku: dict[str, list[str]] = {}
        self.slot_owner: dict[int, str] = dict.fromkeys(slots, "")
        self.slot_waiters: deque[Token] = deque()
        self.boxes: dict[str, dict[str, int]] = {}  # order -> units picked for it
        self.units_in = 0
        self.units_out = 0

    def add(self, tote: Tote) -> None:
        """A tote comes into the building."""
        assert tote.id not in self.totes, tote.id
        self.totes[tote.id] = tote
        self.by_sku.setdefault(tote.sku, []).append(tote.id)
        self.units_in += tote.quantity
        if tote.home >= 0:
            self.slot_owner[tote.home] = tote.id

    def remove(self, tote: Tote) -> None:
        """An empty tote leaves."""
        tote.place = ("gone", -1)
        self.by_sku[tote.sku].remove(tote.id)
        self.units_out += tote.quantity
        del self.totes[tote.id]

    def choose(self, sku: str, quantity: int) -> Tote | None:
        """The best tote for so many units: standing ready rather than out, the fewest units that
        suffice (so that slots become free)."""
        best: Tote | None = None
        best_key = (0, 0, 0)
        for tote in self.reservable(sku):
            if tote.available < quantity:
                continue
            key = (0 if tote.user is None else 1, len(tote.waiters), tote.available)
            if best is None or key < best_key:
                best, best_key = tote, key
        return best

    def reservable(self, sku: str) -> list[Tote]:
        """Totes with a slot of their own and units nobody has spoken for."""
        totes = [self.totes[name] for name in self.by_sku.get(sku, ())]
        return [tote for tote in totes if tote.home >= 0 and tote.available > 0]

    def shares(self, sku: str, quantity: int) -> list[tuple[Tote, int]]:
        """Totes and counts that together make up `quantity`; empty where stock is short."""
        single = self.choose(sku, quantity)
        if single is not None:
            return [(single, quantity)]
        shares: list[tuple[Tote, int]] = []
        for tote in sorted(self.reservable(sku), key=lambda tote: (-tote.available, tote.id)):
            count = min(tote.available, quantity)
            shares.append((tote, count))
            quantity -= count
            if quantity == 0:
                return shares
        return []

    def pick(self, tote: Tote, order: str, quantity: int) -> None:
        """Units went from the tote into the order's box. What was seen to go was there, whatever
        the books said."""
        found = max(0, quantity - tote.quantity)
        self.units_in += found
        tote.quantity += found - quantity
        tote.reserved = min(max(0, tote.reserved - quantity), tote.quantity)
        box = self.boxes.setdefault(order, {})
        box[tote.sku] = box.get(tote.sku, 0) + quantity

    def ship(self, order: str) -> None:
        """The order's box left the building."""
        self.units_out += sum(self.boxes.pop(order, {}).values())

    def balance(self) -> int:
        """Zero as long as no unit appeared or vanished."""
        inside = sum(tote.quantity for tote in self.totes.values())
        boxed = sum(sum(box.values()) for box in self.boxes.values())
        return self.units_in - self.units_out - inside - boxed
