"""Ground truth: where every load and every unit really is, and who was touched by a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LOOKALIKE = "~"


def variant(sku: str) -> str:
    """Another item that is easily taken for this one."""
    return sku + LOOKALIKE


def _less(box: dict[str, int], sku: str, count: int) -> None:
    box[sku] -= count
    if not box[sku]:
        del box[sku]


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
        self.pallets: dict[str, tuple[str, dict[str, tuple[str, int]]]] = {}  # order -> dock, totes
        self.trucks: dict[str, list[str]] = {}  # at a door -> parcels
        self.damaged: dict[str, dict[str, int]] = {}  # order, tote -> broken units in it
        self.foreign: dict[str, dict[str, int]] = {}  # order -> units in its box of other items
        self.labels: dict[str, str] = {}  # load -> what its label says if not itself; "": torn
        self.timetable: dict[str, int] = {}  # truck -> departure by its timetable

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

    def pallet(self, order: str, station: str, totes: dict[str, tuple[str, int]]) -> None:
        """A pallet stands at a dock: totes are to be set down from it."""
        self.pallets[order] = (station, dict(totes))
        self.tell("pallet_arrived", {"order_id": order, "station": station, "totes": len(totes)})

    def pallets_at(self, station: str) -> int:
        """How many stand there."""
        return sum(at == station for at, _ in self.pallets.values())

    def totes_at(self, station: str) -> int:
        """How many loads stand there."""
        return len(self.at.get(f"station:{station}", ()))

    def set_down(self, order: str, tote: str) -> bool:
        """An arm sets a tote down from its pallet; False: it is not on there."""
        station, totes = self.pallets.get(order, ("", {}))
        if tote not in totes:
            return False
        sku, quantity = totes.pop(tote)
        self.tote_arrived(tote, sku, quantity, station)
        if not totes:
            del self.pallets[order]
            self.tell("pallet_emptied", {"order_id": order, "station": station})
        return True

    def pallet_leaves(self, order: str) -> None:
        """What is left of a pallet goes back with its truck."""
        if self.pallets.pop(order, None) is not None:
            self.tell("pallet_left", {"order_id": order})

    def unpack(self, parcel: str, tote: str, sku: str, station: str) -> tuple[int, int]:
        """All units of a SKU go from a parcel into a new tote, broken ones are scrapped; return how
        many of either."""
        order, contents = self.parcels[parcel]
        lost = 0
        broken = min(self.damaged.get(order, {}).pop(sku, 0), contents.get(sku, 0))
        other = variant(sku)
        for name, count, why in (
            (sku, broken, "damaged"),
            (other, contents.get(other, 0), "foreign"),
        ):
            if count:
                _less(contents, name, count)
                fact = {"sku": name, "quantity": count, "parcel": parcel, "why": why}
                self.tell("units_scrapped", fact)
                lost += count
        self._no_foreign(order, other)
        quantity = contents.pop(sku, 0)
        self.units[tote] = [sku, quantity]
        self._put(tote, f"station:{station}")
        fact = {
            "parcel": parcel, "order_id": order, "tote": tote, "sku": sku, "quantity": quantity,
            "station": station,
        }  # fmt: skip
        self.tell("units_unpacked", fact)
        if not contents:
            self.tell("parcel_emptied", {"parcel": parcel, "order_id": order, "station": station})
            del self.parcels[parcel]
            del self.at[self.place.pop(parcel)][parcel]
        return quantity, lost

    def truck_docked(self, truck: str, station: str, route: str, departs_ns: int) -> None:
        """A truck stands at a door."""
        self.trucks[truck] = []
        fact = {
            "truck": truck, "station": station, "route": route, "departs_ns": departs_ns,
            "scheduled_ns": self.timetable[truck],
        }  # fmt: skip
        self.tell("truck_docked", fact)

    def load_truck(self, parcel: str, truck: str, station: str) -> None:
        """A parcel goes from the door's staging places onto the truck."""
        self.trucks[truck].append(parcel)
        order = self.parcels[parcel][0]
        self._put(parcel, f"truck:{truck}")
        fact = {"parcel": parcel, "order_id": order, "truck": truck, "station": station}
        self.tell("parcel_loaded", fact)

    def truck_departed(self, truck: str) -> None:
        """It takes its parcels along."""
        parcels = self.trucks.pop(truck)
        self.tell("truck_departed", {"truck": truck, "loads": parcels})
        for parcel in parcels:
            order, contents = self.parcels.pop(parcel)
            fact = {"parcel": parcel, "order_id": order, "truck": truck, "contents": contents}
            self.tell("parcel_departed", fact)
            del self.at[self.place.pop(parcel)][parcel]

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
        self.damaged.pop(load, None)

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
        if taken and tote in self.damaged:  # what is broken lies on top
            broken = self.damaged[tote]
            for _ in range(min(taken, broken[sku])):
                _less(broken, sku, 1)
                self.damage(order, sku)
            if not broken:
                del self.damaged[tote]
        return taken

    def scrap(self, tote: str, quantity: int, why: str) -> None:
        """Units of a tote are no goods any more."""
        self.units[tote][1] -= quantity
        fact = {"sku": self.units[tote][0], "quantity": quantity, "tote": tote, "why": why}
        self.tell("units_scrapped", fact)

    def damage(self, order: str, sku: str) -> None:
        """A unit in the box breaks, or was broken when it came in."""
        broken = self.damaged.setdefault(order, {})
        broken[sku] = broken.get(sku, 0) + 1
        self.tell("units_damaged", {"sku": sku, "quantity": 1, "order_id": order})

    def came_damaged(self, tote: str, sku: str) -> None:
        """A unit of a tote that comes in is broken."""
        self.damaged[tote] = {sku: 1}

    def swap(self, tote: str, order: str, sku: str) -> None:
        """One of the units that were just picked is of another item, which looks much like it."""
        other, box = variant(sku), self.boxes[order]
        _less(box, sku, 1)
        box[other] = box.get(other, 0) + 1
        foreign = self.foreign.setdefault(order, {})
        foreign[other] = foreign.get(other, 0) + 1
        fact = {"sku": sku, "as": other, "quantity": 1, "tote": tote, "order_id": order}
        self.tell("units_swapped", fact)

    def label(self, load: str, says: str, why: str = "") -> None:
        """A load has a new label; "": a torn one."""
        if says == load:
            self.labels.pop(load, None)
        else:
            self.labels[load] = says
        self.tell("labelled", {"load": load, "says": says, "why": why})

    def discard(self, order: str, sku: str, kept: int) -> int:
        """Take units of a SKU out of the box until `kept` are left, broken ones first, and what looks
        like it but is none; return how many were taken out."""
        box = self.boxes.get(order, {})
        other = variant(sku)
        taken = {sku: max(0, box.get(sku, 0) - kept), other: box.get(other, 0)}
        for name, count in taken.items():
            if count:
                _less(box, name, count)
                fact = {"sku": name, "quantity": count, "order_id": order, "why": "discarded"}
                self.tell("units_scrapped", fact)
        if not box:
            self.boxes.pop(order, None)
        broken = self.damaged.get(order, {})
        broken[sku] = max(0, broken.get(sku, 0) - taken[sku])
        self._no_foreign(order, other)
        return sum(taken.values())

    def _no_foreign(self, order: str, other: str) -> None:
        foreign = self.foreign.get(order, {})
        foreign.pop(other, None)
        if not foreign:
            self.foreign.pop(order, None)

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
