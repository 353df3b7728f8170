"""The core's messages with names for numbers, as tagged JSON: {"type": "LaneCleared", "edge": "e7"}.

Fields called robot, edge, edges, node, stops, bay, station and fleet are numbers in the core and names
outside; everything else is what it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec

from orchestrator.core.message import Message
from orchestrator.core.site import Site

LISTS = {"edges": "edge", "stops": "node", "nodes": "node"}
BYTES_MAX = 1_000_000
NAME_MAX = 200
CANDIDATES_MAX = 2000  # of names that may have been meant


class Unnamed(ValueError):
    """A message that can't be understood: which field of it, and what is wrong."""


class Naming:
    """For one site. `robots` grows as they join."""

    def __init__(self, site: Site) -> None:
        self._roadmap = roadmap = site.roadmap
        self.robots: list[str] = []
        self._names: dict[str, Sequence[str]] = {
            "robot": self.robots,
            "edge": roadmap.edge_ids,
            "node": roadmap.node_ids,
            "bay": [bay.id for bay in roadmap.bays],
            "station": [station.id for station in site.stations],
            "fleet": [fleet.id for fleet in site.fleets],
        }
        self._numbers = {
            field: {name: number for number, name in enumerate(names)}
            for field, names in self._names.items()
        }

    def joined(self, name: str) -> None:
        """The next robot."""
        self._numbers["robot"][name] = len(self.robots)
        self.robots.append(name)

    def name(self, kind: str, number: int) -> str:
        """Of a robot, edge, node, bay, station or fleet."""
        return self._names[kind][number]

    def knows(self, kind: str, name: str) -> bool:
        """There is such a robot, edge, node, bay, station or fleet."""
        return name in self._numbers[kind]

    def named(self, message: Message) -> dict[str, Any]:
        """A message with names; nothing where there is no robot, node, … (-1)."""
        raw: dict[str, Any] = msgspec.to_builtins(message)
        return {key: self._name(key, value) for key, value in raw.items() if value != -1}

    def _name(self, key: str, value: Any) -> Any:
        if key in LISTS and isinstance(value, list | tuple):
            names = self._names[LISTS[key]]
            return [names[each] for each in value]
        names = self._names.get(key, ())
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
            return names[value]
        return value

    def numbered(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The names in a message replaced by the core's numbers. Raises `Unnamed`."""
        found: dict[str, Any] = {}
        for key, value in raw.items():
            if key == "order_id" and not (isinstance(value, str) and 0 < len(value) <= NAME_MAX):
                raise Unnamed(f"order_id: is no name -> a text of 1 to {NAME_MAX} letters")
            if key in LISTS:
                if not isinstance(value, list):
                    raise Unnamed(f"{key}: is no list of names")
                found[key] = [self._number(LISTS[key], each, key) for each in value]
            elif key in self._names:
                found[key] = self._number(key, value, key)
            else:
                found[key] = value
        return found

    def _number(self, kind: str, name: Any, place: str) -> int:
        known = self._numbers[kind]
        if not isinstance(name, str) or name not in known:
            raise Unnamed(f"{place}: there is no {kind} {str(name)[:60]!r}{_near(name, known)}")
        return known[name]

    def inside(self, box_m: tuple[float, float, float, float]) -> list[int]:
        """The nodes within a rectangle: x and y of a corner, x and y of the opposite one."""
        x0, x1 = sorted((box_m[0] * 1000, box_m[2] * 1000))
        y0, y1 = sorted((box_m[1] * 1000, box_m[3] * 1000))
        places = enumerate(zip(self._roadmap.node_x_mm, self._roadmap.node_y_mm, strict=True))
        return [node for node, (x, y) in places if x0 <= x <= x1 and y0 <= y <= y1]

    def encode(self, message: Message) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self.named(message))


def _near(name: Any, known: dict[str, int]) -> str:
    """Names that may have been meant."""
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX:
        return ""
    ends = (name[:2].lower(), name[-2:].lower())
    alike = (n for n in known if abs(len(n) - len(name)) <= 2 and _same(n, ends))
    found = difflib.get_close_matches(name, islice(alike, CANDIDATES_MAX), n=3)
    return f" -> did you mean {' or '.join(found)}?" if found else ""


def _same(name: str, ends: tuple[str, str]) -> bool:
    return name[:2].lower() == ends[0] or name[-2:].lower() == ends[1]


def reader(naming: Naming, kinds: Any) -> Callable[[bytes], Any]:
    """A function that reads one of `kinds` (a union of messages). Raises `Unnamed`."""

    def read(payload: bytes) -> Any:
        if len(payload) > BYTES_MAX:
            raise Unnamed(f"is {len(payload)} bytes long -> {BYTES_MAX} at most")
        try:
            raw = msgspec.json.decode(payload)
            if not isinstance(raw, dict):
                raise Unnamed("is no object")
            return msgspec.convert(naming.numbered(raw), kinds)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise Unnamed(str(error) or type(error).__name__) from error

    return read
