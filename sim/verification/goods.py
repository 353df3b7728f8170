"""Totes, units and parcels: the ground truth folded fact by fact, and the books held against it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sim.verification.findings import Findings

Contents = dict[str, int]


@dataclass(slots=True)
class Tote:
    """A tote as it is."""

    sku: str
    quantity: int
    place: str
    states: list[tuple[int, str, int]] = field(default_factory=list)  # since: place, quantity


@dataclass(slots=True)
class Truck:
    """A truck at a door."""

    station: str
    route: str
    fact: dict[str, Any]
    parcels: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """A parcel that was handed out, or left on a truck."""

    time_ns: int
    parcel: str
    station: str
    contents: Contents
    label: str = ""  # what it says; "": torn
    route: str = ""
    scheduled_ns: int = -1  # of a truck: its departure by the timetable


@dataclass(slots=True)
class Goods:
    """What the ground truth says about every load, at the end and on the way there."""

    found: Findings
    totes: dict[str, Tote] = field(default_factory=dict)
    boxes: dict[str, Contents] = field(default_factory=dict)  # order -> units not yet packed
    parcels: dict[str, tuple[str, Contents]] = field(default_factory=dict)  # in the building
    parcel_order: dict[str, str] = field(default_factory=dict)  # every parcel there ever was
    place: dict[str, str] = field(default_factory=dict)  # load -> place
    at: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    deliveries: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    picks: dict[str, list[tuple[int, str, int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )  # order -> (time, sku, quantity, tote)
    levels: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    brought: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # sku -> units
    left: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # in totes that went
    room: dict[str, int] = field(default_factory=dict)  # places of robots
    scrapped: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # sku -> units
    broken: dict[str, Contents] = field(default_factory=dict)  # order -> damaged units in its box
    labels: dict[str, str] = field(default_factory=dict)  # load -> what its label says
    printed: dict[str, int] = field(default_factory=dict)  # load -> when it got that label
    miscounted: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    wrong_goods: dict[str, str] = field(default_factory=dict)  # tote -> the SKU that was announced
    unreported: dict[int, tuple[int, tuple[str, ...]]] = field(default_factory=dict)  # by work
    trucks: dict[str, Truck] = field(default_factory=dict)  # at the doors
    docked: dict[tuple[str, int], int] = field(default_factory=dict)  # route, timetable -> when
    stored: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # tote -> times

    def feed(self, time_ns: int, kind: str, fact: dict[str, Any]) -> None:
        """Fold one fact; facts of other kinds are none of its business."""
        match kind:
            case "robot":
                self.room[f"robot:{fact['name']}"] = int(fact.get("places", 1))
            case "tote":
                self._tote(time_ns, fact, fact["place"])
            case "tote_arrived":
                self._tote(time_ns, fact, f"station:{fact['station']}")
            case "load_moved":
                self._moved(time_ns, fact)
            case "units_moved":
                self._picked(time_ns, fact)
            case "parcel_packed":
                self._packed(time_ns, fact)
            case "parcel_delivered":
                self._delivered(time_ns, fact)
            case "units_scrapped":
                self._scrapped(time_ns, fact)
            case "units_damaged":
                broken = self.broken.setdefault(fact["order_id"], {})
                broken[fact["sku"]] = broken.get(fact["sku"], 0) + int(fact["quantity"])
            case "units_swapped":
                self._swapped(time_ns, fact)
            case "labelled":
                self.labels[fact["load"]] = fact["says"]
                self.printed[fact["load"]] = time_ns
            case "answer_lost":
                self.unreported.setdefault(fact["work"], (time_ns, tuple(fact["loads"])))
            case "answer_given":
                self.unreported.pop(fact["work"], None)
            case "miscounted":
                self.miscounted[fact["tote"]].append(fact)
            case "goods_wrong":
                self.wrong_goods[fact["tote"]] = fact["sku"]
            case "units_unpacked":
                self._unpacked(time_ns, fact)
            case "truck_docked":
                self.trucks[fact["truck"]] = Truck(fact["station"], fact["route"], fact)
                self.docked[fact["route"], int(fact["scheduled_ns"])] = time_ns
            case "parcel_loaded":
                self._loaded(time_ns, fact)
            case "truck_departed":
                self._departed(time_ns, fact)
            case "stock":
                self._stock(time_ns, fact)

    def _level(self, time_ns: int, sku: str, change: int) -> None:
        levels = self.levels[sku]
        levels.append((time_ns, (levels[-1][1] if levels else 0) + change))

    def _put(self, time_ns: int, load: str, place: str) -> None:
        """A load comes to a place; slots and robots have room for one."""
        if place.startswith(("slot:", "robot:")):
            others = sorted(self.at[place] - {load})
            if len(others) >= self.room.get(place, 1):
                text = f"comes to {place}, where {others[0]} already is"
                self.found.add("goods", time_ns, load, text)
        self.at[self.place.get(load, "")].discard(load)
        self.place[load] = place
        self.at[place].add(load)

    def _tote(self, time_ns: int, fact: dict[str, Any], place: str) -> None:
        tote, sku, quantity = fact["tote"], fact["sku"], int(fact["quantity"])
        if tote in self.totes:
            self.found.add("goods", time_ns, tote, "comes into the building a second time")
            return
        self._put(time_ns, tote, place)
        self.totes[tote] = Tote(sku, quantity, place, [(time_ns, place, quantity)])
        self.brought[sku] += quantity
        self._level(time_ns, sku, quantity)

    def _moved(self, time_ns: int, fact: dict[str, Any]) -> None:
        load, start, to = fact["load"], fact["from"], fact["to"]
        if load not in self.place:
            self.found.add("goods", time_ns, load, f"moves to {to}, but nobody knows it")
            return
        if self.place[load] != start:
            text = f"moves from {start}, but is at {self.place[load]}"
            self.found.add("goods", time_ns, load, text)
        tote = self.totes.get(load)
        if to == "gone":
            self.at[self.place.pop(load)].discard(load)
            if tote is not None:
                self.left[tote.sku] += tote.quantity
                self._level(time_ns, tote.sku, -tote.quantity)
                del self.totes[load]
            elif self.parcels.pop(load, None) is not None:
                self.found.add("goods", time_ns, load, "a parcel that was not handed out is gone")
            return
        self._put(time_ns, load, to)
        if tote is not None:
            tote.place = to
            tote.states.append((time_ns, to, tote.quantity))
            if to.startswith("slot:"):
                self.stored[load].append(time_ns)

    def _picked(self, time_ns: int, fact: dict[str, Any]) -> None:
        name, sku, quantity, order = fact["tote"], fact["sku"], fact["quantity"], fact["order_id"]
        tote = self.totes.get(name)
        if tote is None or tote.sku != sku or tote.quantity < quantity or quantity < 0:
            there = f"{tote.quantity} of {tote.sku}" if tote else "no such tote"
            self.found.add("goods", time_ns, name, f"{quantity} of {sku} are taken from {there}")
            return
        tote.quantity -= quantity
        tote.states.append((time_ns, tote.place, tote.quantity))
        box = self.boxes.setdefault(order, {})
        box[sku] = box.get(sku, 0) + quantity
        self.picks[order].append((time_ns, sku, quantity, name))
        self._level(time_ns, sku, -quantity)

    def _swapped(self, time_ns: int, fact: dict[str, Any]) -> None:
        """A unit that was picked never was of that SKU."""
        order, sku, other, quantity = fact["order_id"], fact["sku"], fact["as"], fact["quantity"]
        box = self.boxes.get(order, {})
        if box.get(sku, 0) < quantity:
            text = f"{quantity} of {sku} turn out to be {other}, its box holds {box}"
            self.found.add("goods", time_ns, order, text)
            return
        box[sku] -= quantity
        box[other] = box.get(other, 0) + quantity
        self.boxes[order] = {name: count for name, count in box.items() if count}
        self.brought[sku] -= quantity
        self.brought[other] += quantity
        self.picks[order].append((time_ns, sku, -quantity, ""))

    def _scrapped(self, time_ns: int, fact: dict[str, Any]) -> None:
        """Units of a tote or box are no goods any more."""
        sku, quantity = fact["sku"], int(fact["quantity"])
        tote = self.totes.get(fact.get("tote", ""))
        order = fact.get("order_id", "")
        parcel = fact.get("parcel", "")
        box = self.parcels[parcel][1] if parcel in self.parcels else self.boxes.get(order, {})
        there = tote.quantity if tote is not None and tote.sku == sku else box.get(sku, 0)
        if quantity < 0 or there < quantity:
            name = fact.get("tote", order or parcel)
            self.found.add("goods", time_ns, name, f"{quantity} of {sku} are scrapped of {there}")
            return
        self.scrapped[sku] += quantity
        if tote is not None:
            tote.quantity -= quantity
            tote.states.append((time_ns, tote.place, tote.quantity))
            self._level(time_ns, sku, -quantity)
            return
        box[sku] -= quantity
        if parcel:
            if not box[sku]:
                del box[sku]
            return
        self.boxes[order] = {name: count for name, count in box.items() if count}
        if not self.boxes[order]:
            del self.boxes[order]
        broken = self.broken.get(order, {})
        broken[sku] = max(0, broken.get(sku, 0) - quantity)
        self.picks[order].append((time_ns, sku, -quantity, ""))

    def _packed(self, time_ns: int, fact: dict[str, Any]) -> None:
        parcel, order, contents = fact["parcel"], fact["order_id"], dict(fact["contents"])
        box = self.boxes.pop(order, {})
        if box != contents:
            self.found.add("goods", time_ns, parcel, f"holds {contents}, the box held {box}")
        if parcel in self.parcel_order:
            self.found.add("goods", time_ns, parcel, "is packed a second time")
        self.parcels[parcel] = (order, contents)
        self.parcel_order[parcel] = order
        self._put(time_ns, parcel, f"station:{fact.get('station', '')}")

    def _delivered(self, time_ns: int, fact: dict[str, Any]) -> None:
        parcel, order, contents = fact["parcel"], fact["order_id"], dict(fact["contents"])
        packed = self.parcels.pop(parcel, None)
        if packed is None:
            self.found.add("goods", time_ns, parcel, "is handed out, but is not in the building")
        elif packed != (order, contents):
            text = f"is handed out as {order} {contents}, packed as {packed[0]} {packed[1]}"
            self.found.add("goods", time_ns, parcel, text)
        place = f"station:{fact['station']}"
        if packed is not None and self.place.get(parcel) != place:
            text = f"is handed out at {place}, but is at {self.place.get(parcel)}"
            self.found.add("goods", time_ns, parcel, text)
        self.deliveries[order].append(
            Delivery(time_ns, parcel, fact["station"], contents, self.labels.get(parcel, parcel))
        )

    def _unpacked(self, time_ns: int, fact: dict[str, Any]) -> None:
        """Units of one SKU go from a parcel into a tote that is new."""
        parcel, sku, quantity = fact["parcel"], fact["sku"], int(fact["quantity"])
        order, contents = self.parcels.get(parcel, ("", {}))
        if contents.get(sku, 0) != quantity or order != fact["order_id"]:
            text = f"{quantity} of {sku} are unpacked, it held {contents}"
            self.found.add("goods", time_ns, parcel, text)
        contents.pop(sku, None)
        if not contents and self.parcels.pop(parcel, None) is not None:
            self.at[self.place.pop(parcel)].discard(parcel)
        self.brought[sku] -= quantity  # they come in again with the tote
        self._tote(time_ns, fact, f"station:{fact['station']}")

    def _loaded(self, time_ns: int, fact: dict[str, Any]) -> None:
        parcel, truck = fact["parcel"], self.trucks.get(fact["truck"])
        if parcel not in self.parcels or truck is None:
            text = f"is loaded onto {fact['truck']}: one of them is not there"
            self.found.add("goods", time_ns, parcel, text)
            return
        if self.place.get(parcel) != f"station:{truck.station}":
            text = f"is loaded at {truck.station}, but is at {self.place.get(parcel)}"
            self.found.add("goods", time_ns, parcel, text)
        truck.parcels.append(parcel)
        self._put(time_ns, parcel, f"truck:{fact['truck']}")

    def _departed(self, time_ns: int, fact: dict[str, Any]) -> None:
        """What was loaded is delivered when its truck leaves."""
        truck = self.trucks.pop(fact["truck"], None)
        if truck is None or sorted(truck.parcels) != sorted(fact["loads"]):
            text = f"leaves with {fact['loads']}, loaded was {truck and truck.parcels}"
            self.found.add("goods", time_ns, fact["truck"], text)
        if truck is None:
            return
        for parcel in truck.parcels:
            order, contents = self.parcels.pop(parcel)
            self.at[self.place.pop(parcel)].discard(parcel)
            label = self.labels.get(parcel, parcel)
            delivery = Delivery(time_ns, parcel, fact["truck"], contents, label)
            delivery.route, delivery.scheduled_ns = truck.route, truck.fact["scheduled_ns"]
            self.deliveries[order].append(delivery)

    def _stock(self, time_ns: int, fact: dict[str, Any]) -> None:
        """The simulation's own list at the end must be what its facts add up to."""
        for name in sorted(set(fact) | set(self.totes)):
            tote, said = self.totes.get(name), fact.get(name)
            mine = tote and {"sku": tote.sku, "quantity": tote.quantity, "place": tote.place}
            if mine != said:
                self.found.add(
                    "goods", time_ns, name, f"is {said} at the end, its facts say {mine}"
                )

    def level(self, sku: str, time_ns: int) -> int:
        """Units of an SKU in totes in the building at a time."""
        levels = self.levels.get(sku, [])
        index = bisect_right(levels, time_ns, key=lambda level: level[0])
        return levels[index - 1][1] if index else 0


def conserve(goods: Goods, found: Findings) -> dict[str, int]:
    """Opening stock and arrivals = totes + boxes + parcels + delivered + left + scrapped, for each
    SKU."""
    sums: dict[str, Contents] = {
        "totes": defaultdict(int), "boxes": defaultdict(int), "parcels": defaultdict(int),
        "delivered": defaultdict(int),
    }  # fmt: skip
    for tote in goods.totes.values():
        sums["totes"][tote.sku] += tote.quantity
    groups = {
        "boxes": list(goods.boxes.values()),
        "parcels": [contents for _, contents in goods.parcels.values()],
        "delivered": [row.contents for rows in goods.deliveries.values() for row in rows],
    }
    for name, many in groups.items():
        for contents in many:
            for sku, quantity in contents.items():
                sums[name][sku] += quantity
    skus = set(goods.brought).union(*sums.values())
    for sku in sorted(skus):
        there = sum(part.get(sku, 0) for part in sums.values()) + goods.left.get(sku, 0)
        there += goods.scrapped.get(sku, 0)
        if there != goods.brought.get(sku, 0):
            text = f"{goods.brought.get(sku, 0)} units came in, {there} are accounted for"
            found.add("units", None, sku, text)
    figures = {f"units_{name}": sum(part.values()) for name, part in sums.items()}
    return {
        "units_brought": sum(goods.brought.values()), **figures,
        "units_left": sum(goods.left.values()), "units_scrapped": sum(goods.scrapped.values()),
    }  # fmt: skip
