"""What a host believes is in stock, and how that differs from the building's books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.books import place
from orchestrator.core.messages import ToteStored
from orchestrator.core.site import Site
from orchestrator.core.world import World
from orchestrator.host.records import BadRow, Record, Table, Wrong, name_of, read, take, whole_of

COLUMNS = ("tote", "sku", "quantity", "slot")
TRUST = ("building", "host")
QUANTITY_MAX = 999_999
PLACES = ("slot:", "robot:", "station:")


@dataclass(frozen=True, slots=True)
class Held:
    """A tote's content and place (`slot:ID`, `robot:NAME`, `station:ID`); `line` of the host's file."""

    sku: str
    quantity: int
    place: str
    line: int = 0


Stock = dict[str, Held]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which host and building differ about a tote; None: it isn't there at all."""

    kind: str  # missing | surplus | wrong_sku | wrong_count | wrong_slot
    tote: str
    host: Held | None
    building: Held | None

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.tote}: host {_words(self.host)}, building {_words(self.building)}"
        )

    @property
    def changes(self) -> list[tuple[str, int]]:
        """By how many units of which SKU the host's stock is to change."""
        if self.kind == "wrong_slot":
            return []
        if self.host and self.building and self.host.sku == self.building.sku:
            return [(self.host.sku, self.building.quantity - self.host.quantity)]
        found = [(self.host.sku, -self.host.quantity)] if self.host else []
        return found + ([(self.building.sku, self.building.quantity)] if self.building else [])


def _words(held: Held | None) -> str:
    return f"{held.quantity} {held.sku} at {held.place}" if held else "nothing"


def read_stock(text: str, name: str) -> tuple[Stock, list[BadRow]]:
    """`tote,sku,quantity,slot` as CSV or JSON, or a stock snapshot as the outbox writes it (`place` for
    `slot`). Raises `HostFileError`."""
    return stock_of(read(text, name, COLUMNS, "totes"), name)


def stock_of(table: Table, name: str) -> tuple[Stock, list[BadRow]]:
    """The same of a table that was read."""
    stock: Stock = {}

    def use(record: Record) -> None:
        tote = name_of(record.values, "tote")
        where = name_of(record.values, "slot" if "slot" in record.values else "place")
        if tote in stock:
            raise Wrong(f"tote {tote!r} is there already", "give each tote once")
        quantity = whole_of(record.values, "quantity", 0, QUANTITY_MAX)
        where = where if where.startswith(PLACES) else f"slot:{where}"
        stock[tote] = Held(name_of(record.values, "sku"), quantity, where, record.line)

    bad = take(table, name, use)
    return stock, bad


def compare(host: Stock, building: Stock) -> list[Difference]:
    """All differences: in the sequence of the host's list, then what only the building has."""
    found: list[Difference] = []
    for tote, believed in host.items():
        held = building.get(tote)
        if held is None:
            found.append(Difference("missing", tote, believed, None))
            continue
        if held.sku != believed.sku:
            found.append(Difference("wrong_sku", tote, believed, held))
        elif held.quantity != believed.quantity:
            found.append(Difference("wrong_count", tote, believed, held))
        if held.place != believed.place:
            found.append(Difference("wrong_slot", tote, believed, held))
    surplus = (tote for tote in building if tote not in host)
    return found + [Difference("surplus", tote, None, building[tote]) for tote in surplus]


def of_opening(totes: Iterable[ToteStored], site: Site) -> Stock:
    """Opening stock as the building has it."""
    bays = site.roadmap.bays
    return {t.tote: Held(t.sku, t.quantity, f"slot:{bays[t.bay].id}") for t in totes}


def of_books(books: Mapping[str, Any]) -> Stock:
    """A run's books at its end (`core.books`)."""
    return {
        tote: Held(row["sku"], row["quantity"], row["place"])
        for tote, row in books["totes"].items()
    }


def of_world(world: World) -> Stock:
    """What the building has just now. A tote that is out counts where it belongs."""
    found = {}
    for tote in world.stock.totes.values():
        where = ("slot", tote.home) if tote.home >= 0 else tote.place
        found[tote.id] = Held(tote.sku, tote.quantity, place(world, where))
    return found


def opening_of(host: Stock, site: Site, name: str) -> tuple[list[ToteStored], list[BadRow]]:
    """The host's list as opening stock; what can't be is named."""
    slots = {f"slot:{b.id}": n for n, b in enumerate(site.roadmap.bays) if b.kind == "slot"}
    taken: dict[int, str] = {}
    totes: list[ToteStored] = []
    bad: list[BadRow] = []
    for tote, held in host.items():
        bay = slots.get(held.place)
        if held.sku not in site.skus:
            bad.append(BadRow(name, held.line, f"unknown SKU {held.sku!r}", "add it to the items"))
        elif bay is None:
            text = f"{tote!r} is to be at {held.place!r}, which is no slot of the site"
            bad.append(BadRow(name, held.line, text, "name a slot"))
        elif bay in taken:
            text = f"{held.place!r} holds {taken[bay]!r} already"
            bad.append(BadRow(name, held.line, text, "one tote a slot"))
        else:
            taken[bay] = tote
            totes.append(ToteStored(tote=tote, sku=held.sku, quantity=held.quantity, bay=bay))
    return totes, bad
