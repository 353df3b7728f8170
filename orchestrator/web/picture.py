"""Where every load is, at any time: checkpoints on the way, and a short fold from the nearest."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestrator.web.ledger import Ledger
from orchestrator.web.tail import Batches, Fact

CHECKPOINT_NS = 120 * 10**9
CHECKPOINTS_MAX = 256
Change = tuple[float, str, str, str, int | None]
"""t_s, load, place ("gone": it left), SKU, units (null: unknown)"""


@dataclass(slots=True)
class Picture:
    """Loads and simple counts; values are immutable, so a copy is shallow."""

    place: dict[str, str] = field(default_factory=dict)  # load -> place
    units: dict[str, tuple[str, int]] = field(default_factory=dict)  # tote -> SKU, units
    trips: Counter[str] = field(default_factory=Counter)  # robot -> loads picked up
    handled: Counter[str] = field(default_factory=Counter)  # station -> parcels, totes

    def copy(self) -> Picture:
        """Independent of the original."""
        return Picture(dict(self.place), dict(self.units), self.trips.copy(), self.handled.copy())

    def take(self, kind: str, fact: dict[str, Any]) -> str:
        """Apply a fact; return the load that it was about, or an empty text."""
        match kind:
            case "tote" | "tote_arrived":
                load = str(fact["tote"])
                place = fact.get("place") or f"station:{fact['station']}"
                self.units[load] = (fact["sku"], int(fact["quantity"]))
                self.place[load] = place
                if kind == "tote_arrived":
                    self.handled[fact["station"]] += 1
            case "load_moved":
                load = str(fact["load"])
                self._move(load, fact["to"])
            case "units_moved":
                load = str(fact["tote"])
                sku, before = self.units.get(load, (fact["sku"], 0))
                self.units[load] = (sku, before - int(fact["quantity"]))
            case "parcel_packed":
                load = str(fact["parcel"])
                self.place[load] = f"station:{fact.get('station', '')}"
                self.handled[fact.get("station", "")] += 1
            case "units_unpacked":
                load = str(fact["tote"])
                self.units[load] = (fact["sku"], int(fact["quantity"]))
                self.place[load] = f"station:{fact['station']}"
                self.handled[fact["station"]] += 1
            case "parcel_emptied" | "parcel_departed":
                load = str(fact["parcel"])
                self.place.pop(load, None)
            case "parcel_loaded":
                load = str(fact["parcel"])
                self.place[load] = f"truck:{fact['truck']}"
                self.handled[fact["station"]] += 1
            case "parcel_delivered":
                load = str(fact["parcel"])
                self.place.pop(load, None)
                self.handled[fact["station"]] += 1
            case _:
                return ""
        return load

    def _move(self, load: str, place: str) -> None:
        if place == "gone":
            self.place.pop(load, None)
            self.units.pop(load, None)
            return
        self.place[load] = place
        if place.startswith("robot:"):
            self.trips[place[6:]] += 1

    def row(self, t_ns: int, load: str) -> Change:
        """A load as the page wants it."""
        sku, units = self.units.get(load, ("", None))
        return t_ns / 1e9, load, self.place.get(load, "gone"), sku, units


@dataclass(slots=True)
class PictureIndex:
    """All truth facts of a run, read batch by batch; answers for any time that was read."""

    batches: Batches[list[Fact]]
    ledger: Ledger = field(default_factory=Ledger)
    robots: list[dict[str, Any]] = field(default_factory=list)  # facts by index, with `joined_ns`
    ended: bool = False
    _head: Picture = field(default_factory=Picture)
    _marks_ns: list[int] = field(default_factory=lambda: [-1])
    _marks: list[tuple[int, Picture]] = field(default_factory=lambda: [(0, Picture())])
    _every_ns: int = field(default_factory=lambda: CHECKPOINT_NS)

    def add(self, number: int, from_ns: int, to_ns: int, facts: list[Fact]) -> None:
        """Take the next batch in."""
        for time_ns, kind, fact in facts:
            if kind == "robot":
                self.robots.append({**fact, "joined_ns": time_ns})
            elif kind == "end":
                self.ended = True
            else:
                self._head.take(kind, fact)
                self.ledger.take(time_ns, kind, fact)
        self.batches.add(number, from_ns, to_ns, facts)
        if to_ns - self._marks_ns[-1] >= self._every_ns:
            self._marks_ns.append(to_ns)
            self._marks.append((len(self.batches), self._head.copy()))
            self._thin_out()

    def _thin_out(self) -> None:
        if len(self._marks) > CHECKPOINTS_MAX:
            self._marks, self._marks_ns = self._marks[::2], self._marks_ns[::2]
            self._every_ns *= 2

    def at(self, t_ns: int) -> Picture:
        """The picture after all facts up to and with `t_ns`."""
        # A batch may end with the very time another begins with: only earlier marks are complete.
        mark = max(0, bisect_right(self._marks_ns, t_ns - 1) - 1)
        first, picture = self._marks[mark]
        picture = picture.copy()
        for position in range(first, len(self.batches)):
            if self.batches.from_ns[position] > t_ns:
                break
            for time_ns, kind, fact in self.batches.read(position):
                if time_ns > t_ns:
                    break
                picture.take(kind, fact)
        return picture

    def facts(self, from_ns: int, to_ns: int) -> Iterator[Fact]:
        """Facts in (from, to]."""
        for facts in self.batches.between(from_ns + 1, to_ns):
            for fact in facts:
                if from_ns < fact[0] <= to_ns:
                    yield fact
