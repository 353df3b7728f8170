"""The core's messages with names for numbers, as tagged JSON: {"type": "LaneCleared", "edge": "e7"}.

Fields called robot, edge, edges, node, stops, bay, station and fleet are numbers in the core and names
outside; everything else is what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from orchestrator.core.message import Message
from orchestrator.core.messages import Command, Event
from orchestrator.core.site import Site

LISTS = {"edges": "edge", "stops": "node", "nodes": "node"}
BYTES_MAX = 1_000_000


class Unnamed(ValueError):
    """A message that can't be understood: which field of it, and what is wrong."""


class Naming:
    """For one site. `robots` grows as they join."""

    def __init__(self, site: Site) -> None:
        roadmap = site.roadmap
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
            raise Unnamed(f"{place}: there is no {kind} {str(name)[:60]!r}")
        return known[name]

    def encode(self, message: Event | Command) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self.named(message))


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
