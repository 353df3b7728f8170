"""Ground truth: where every load and every unit really is, and who was touched by a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tell = Callable[[str, dict[str, Any]], None]  # kind, payload


class Floor:
    """Loads in places ("slot:<bay>", "robot:<name>", "station:<id>", "gone"), units in totes and
    boxes. Every change is told to the record."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.place: dict[str, str] = {}  # load -> place
        self.at: dict[str, dict[str, None]] = {}  # place -> loads
        self.units: dict[str, list[Any]] = {}  # tote -> [sku, quantity]
        self.boxes: dict[str, dict[str, int]] = {}  # order -> sku -> units
        self.parcels: dict[str, tuple[str, dict[str, int]]] = {}  # parcel -> order, contents

    def tote(self, tote: str, sku: str, quantity: int, place: str) -> None:
        """Opening stock."""
        self.units[tote] = [sku, quantity]
        self._put(tote, place)
        self.tell("tote", {"tote": tote, "sku": sku, "quantity": quantity, "place": place})

    def tote_arrived(self, tote: str, sku: str, quantity: int, station: str) -> None:
        """A supplier's tote stands at a dock."""
        self.units[tote] = [sku, quantity]
        self._put(tote, f"station:{station}")
        fact = {"tote": tote, "sku": sku, "quantity": quantity, "station": station}
        self.tell("tote_arrived", fact)

    def _put(self, load: str, place: str) -> None:
        before = self.place.get(load)
        if before is not None:
            del self.at[before][load]
        self.place[load] = place
        self.at.setdefault(place, {})[load] = None

    def move(self, load: str, place: str) -> None:
        """A load changes its place."""
        before = self.place[load]
        self._put(load, place)
        self.tell("load_moved", {"load": load, "from": before, "to": place})

    def has(self, load: str, place: str) -> bool:
        """The load is at this place."""
        return self.place.get(load) == place

    def leave(self, load: str) -> None:
        """A load leaves the building."""
        self.move(load, "gone")
        del self.at["gone"][load]
        del self.place[load]
        self.units.pop(load, None)

    def pick(self, tote: str, order: str, quantity: int) -> int:
        """An arm takes up to `quantity` units; return how many there were."""
        sku, there = self.units[tote]
        taken: int = min(there, quantity)
        if taken:
            self.units[tote][1] = there - taken
            box = self.boxes.setdefault(order, {})
            box[sku] = box.get(sku, 0) + taken
            fact = {"sku": sku, "quantity": taken, "tote": tote, "order_id": order}
            self.tell("units_moved", fact)
        return taken

    def pack(self, order: str, parcel: str, station: str) -> None:
        """The box becomes a parcel on the station's out buffer."""
        contents = self.boxes.pop(order, {})
        self.parcels[parcel] = (order, contents)
        self._put(parcel, f"station:{station}")
        fact = {"parcel": parcel, "order_id": order, "contents": contents, "station": station}
        self.tell("parcel_packed", fact)

    def deliver(self, parcel: str, station: str) -> None:
        """The parcel is handed out."""
        order, contents = self.parcels.pop(parcel)
        fact = {"parcel": parcel, "order_id": order, "station": station, "contents": contents}
        self.tell("parcel_delivered", fact)
        self.leave(parcel)

    def stock(self) -> dict[str, Any]:
        """Every tote's content and place."""
        return {
            tote: {"sku": sku, "quantity": quantity, "place": self.place[tote]}
            for tote, (sku, quantity) in self.units.items()
        }
