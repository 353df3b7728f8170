"""The item master: what the host knows of each stock keeping unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.core.messages import Item
from orchestrator.host.records import BadRow, Record, Table, Wrong, name_of, read, take, whole_of

COLUMNS = ("sku",)
FILES = ("items.csv", "items.json")  # in a site's folder
GRAMS_MAX = 10_000_000
MM_MAX = 100_000
UNITS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class ItemMaster:
    """All items, in the host's sequence: the most popular first, where demand is drawn."""

    items: dict[str, Item] = field(default_factory=dict)

    def expected_grams(self, sku: str, quantity: int) -> int | None:
        """What so many units weigh; None where nobody knows."""
        item = self.items.get(sku)
        return item.weight_g * quantity if item is not None and item.weight_g else None

    @property
    def min_units(self) -> dict[str, int]:
        """By SKU, where the host says so."""
        return {item.sku: item.min_units for item in self.items.values() if item.min_units}


def of_names(names: Iterable[str]) -> ItemMaster:
    """A site without an item master has generated names, and nothing is known of them."""
    return ItemMaster({name: Item(name) for name in names})


def read_items(text: str, name: str) -> tuple[ItemMaster, list[BadRow]]:
    """`sku[,name,weight_g,length_mm,width_mm,height_mm,barcode,min_units]` as CSV or JSON. Bad rows
    and what comes twice are returned beside the others. Raises `HostFileError`."""
    return items_of(read(text, name, COLUMNS, "items"), name)


def items_of(table: Table, name: str) -> tuple[ItemMaster, list[BadRow]]:
    """The same of a table that was read."""
    items: dict[str, Item] = {}
    barcodes: dict[str, str] = {}

    def use(record: Record) -> None:
        item = _item(record)
        if item.sku in items:
            raise Wrong(f"{item.sku!r} is there already", "give each SKU once")
        if item.barcode in barcodes:
            text = f"barcode {item.barcode!r} is that of {barcodes[item.barcode]!r} already"
            raise Wrong(text, "give each SKU its own")
        if item.barcode:
            barcodes[item.barcode] = item.sku
        items[item.sku] = item

    bad = take(table, name, use)
    return ItemMaster(items), bad


def _item(record: Record) -> Item:
    values = record.values

    def whole(key: str, most: int) -> int:
        return whole_of(values, key, 0, most) if values.get(key) not in (None, "") else 0

    return Item(
        sku=name_of(values, "sku"),
        name=name_of(values, "name", required=False),
        weight_g=whole("weight_g", GRAMS_MAX),
        length_mm=whole("length_mm", MM_MAX),
        width_mm=whole("width_mm", MM_MAX),
        height_mm=whole("height_mm", MM_MAX),
        barcode=name_of(values, "barcode", required=False),
        min_units=whole("min_units", UNITS_MAX),
    )
