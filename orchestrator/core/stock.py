"""Totes, units and slots: every tote in exactly one place, every unit in exactly one tote or box."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.core.robots import Token
from orchestrator.core.slots import FreeSlots


@dataclass(slots=True)
class Tote:
    """A container with units of one stock keeping unit. `place`: (kind, index), see `Stock`."""

    id: str
    sku: str
    quantity: int
    place: tuple[str, int]  # ("slot", bay) | ("robot", robot) | ("station", station) | ("gone", -1)
    home: int = -1  # the bay of its slot, or of the one that it is to come to
    zone: str = ""  # of its home
    reserved: int = 0
    spot: str = ""  # what it takes up at a station: "position" | "out"
    user: Token | None = None  # the line it is out for
    waiters: deque[Token] = field(default_factory=deque)

    @property
    def available(self) -> int:
        """Units nobody has spoken for."""
        return self.quantity - self.reserved

    def unreserve(self, units: int) -> int:
        """A line wants so many of its units no more; return how many became free: fewer, where less
        was found in the tote than the books said."""
        freed = min(units, self.reserved)
        self.reserved -= freed
        return freed


class Stock:
    """The books. `slot_owner` names the tote that stands in a slot or is to come (back) to it."""

    def __init__(self, slots: Iterable[tuple[int, str]], x_mm: list[int], y_mm: list[int]) -> None:
        """`slots`: bay and zone of each; where bays are."""
        self.totes: dict[str, Tote] = {}
        self.by_sku: dict[str, dict[str, None]] = {}
        self.zone_of = dict(slots)
        self.slot_owner: dict[int, str] = dict.fromkeys(self.zone_of, "")
        self.free_slots = FreeSlots(self.zone_of.items(), x_mm, y_mm)
        self.slot_waiters: dict[str, deque[Token]] = {}  # by the zone they ask for
        self.boxes: dict[str, dict[str, int]] = {}  # order -> units picked for it
        self.far: dict[int, None] = {}  # slots that are out of reach just now: taken last
        self.units_in = 0
        self.units_out = 0
        self.corrections: list[tuple[str, str, int, bool]] = []  # for `AdjustStock`, by the step

    def add(self, tote: Tote) -> None:
        """A tote comes into the building."""
        assert tote.id not in self.totes, tote.id
        self.totes[tote.id] = tote
        self.by_sku.setdefault(tote.sku, {})[tote.id] = None
        self.units_in += tote.quantity
        if tote.home >= 0:
            self.take_slot(tote, tote.home)

    def remove(self, tote: Tote) -> None:
        """A tote leaves."""
        tote.place = ("gone", -1)
        self._correct(tote.id, tote.sku, -tote.quantity, gone=True)
        del self.by_sku[tote.sku][tote.id]
        self.units_out += tote.quantity
        del self.totes[tote.id]

    def take_slot(self, tote: Tote, slot: int) -> None:
        """The slot is the tote's home from now on."""
        self.slot_owner[slot] = tote.id
        self.free_slots.take(slot)
        tote.home, tote.zone = slot, self.zone_of[slot]

    def free_slot(self, slot: int) -> None:
        """Nobody's any more."""
        self.slot_owner[slot] = ""
        self.free_slots.give(slot)

    def count(self, tote: Tote, quantity: int) -> int:
        """So many units are really in the tote: the books follow; return by how much they change."""
        change = quantity - tote.quantity
        self._correct(tote.id, tote.sku, change)
        if change > 0:
            self.units_in += change
        else:
            self.units_out -= change
        tote.quantity = quantity
        tote.reserved = min(tote.reserved, quantity)
        return change

    def _correct(self, tote: str, sku: str, change: int, *, gone: bool = False) -> None:
        if change:
            self.corrections.append((tote, sku, change, gone))

    def choose(self, sku: str, quantity: int, zone: str = "", avoid: str = "") -> Tote | None:
        """The best tote for so many units: standing ready rather than out, the fewest units that
        suffice (so that slots become free); the one to avoid only if there is no other."""
        best: Tote | None = None
        best_key = (False, False, 0, 0, 0)
        for tote in self.reservable(sku, zone):
            if tote.available < quantity:
                continue
            key = (
                tote.id == avoid,
                tote.home in self.far,
                0 if tote.user is None else 1,
                len(tote.waiters),
                tote.available,
            )
            if best is None or key < best_key:
                best, best_key = tote, key
        return best

    def reservable(self, sku: str, zone: str = "") -> list[Tote]:
        """Totes with a slot of their own in the zone and units nobody has spoken for."""
        totes = [self.totes[name] for name in self.by_sku.get(sku, ())]
        return [
            tote
            for tote in totes
            if tote.home >= 0 and tote.available > 0 and zone in ("", tote.zone)
        ]

    def out_of_reach(self, tote: Tote) -> bool:
        """It stands where nobody gets just now."""
        return tote.place[0] == "slot" and tote.place[1] in self.far

    def _most(self, tote: Tote) -> tuple[bool, int, str]:
        return tote.home in self.far, -tote.available, tote.id

    def shares(self, sku: str, quantity: int, zone: str = "") -> list[tuple[Tote, int]]:
        """Totes in reach and counts that together make up `quantity`; empty where stock is short."""
        single = self.choose(sku, quantity, zone)
        if single is not None and not self.out_of_reach(single):
            return [(single, quantity)]
        shares: list[tuple[Tote, int]] = []
        for tote in sorted(self.reservable(sku, zone), key=self._most):
            if self.out_of_reach(tote):
                continue
            count = min(tote.available, quantity)
            shares.append((tote, count))
            quantity -= count
            if quantity == 0:
                return shares
        return []

    def pick(self, tote: Tote, box: str, quantity: int) -> None:
        """Units went from the tote into an order's box. What was seen to go was there, whatever
        the books said."""
        found = max(0, quantity - tote.quantity)
        self._correct(tote.id, tote.sku, found)
        self.units_in += found
        tote.quantity += found - quantity
        tote.reserved = min(max(0, tote.reserved - quantity), tote.quantity)
        units = self.boxes.setdefault(box, {})
        units[tote.sku] = units.get(tote.sku, 0) + quantity

    def scrap(self, tote: Tote, quantity: int) -> None:
        """Units went out of the tote and are nowhere any more."""
        self.count(tote, max(0, tote.quantity - quantity))

    def scrap_box(self, box: str, sku: str, quantity: int) -> None:
        """Units of an order's box are no stock any more."""
        units = self.boxes[box]
        self._correct("", sku, -quantity)
        units[sku] -= quantity
        self.units_out += quantity
        if not units[sku]:
            del units[sku]
        if not units:
            del self.boxes[box]

    def unpack(self, box: str, sku: str) -> int:
        """All units of a SKU go out of a box, into a tote that is added with them; return how many."""
        units = self.boxes.get(box, {})
        quantity = units.pop(sku, 0)
        if not units:
            self.boxes.pop(box, None)
        self.units_in -= quantity  # they come in again with the tote
        return quantity

    def ship(self, box: str) -> None:
        """The box left the building."""
        self.units_out += sum(self.boxes.pop(box, {}).values())

    def balance(self) -> int:
        """Zero as long as no unit appeared or vanished."""
        inside = sum(tote.quantity for tote in self.totes.values())
        boxed = sum(sum(box.values()) for box in self.boxes.values())
        return self.units_in - self.units_out - inside - boxed
