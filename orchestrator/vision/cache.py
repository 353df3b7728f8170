"""Answers that were given already: the same picture and question get the same answer at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """At most `entries`; what was asked for longest ago goes first. What is a failure, and so must
    not be kept, is the caller's to know."""

    def __init__(self, entries: int) -> None:
        assert entries >= 0
        self._entries = entries
        self._kept: OrderedDict[Hashable, V] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> V | None:
        """What was kept under the key."""
        if key not in self._kept:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return self._kept[key]

    def put(self, key: Hashable, value: V) -> None:
        """Keep it; the bound holds at once."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)
