"""A bounded queue of messages that knows what may be lost.

At the bound the oldest QoS 0 message makes room: a newer one of its kind is worth more. QoS 1 and 2 are
never given up for another; when they alone fill the queue, what comes is refused and its sender told.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple


class Item(NamedTuple):
    """A message with its place in the line."""

    number: int
    topic: str
    payload: bytes
    qos: int
    retain: bool


class Backlog:
    """First in, first out over all qualities of service, within `bound` messages."""

    __slots__ = ("_kept", "_loose", "_next", "bound", "dropped", "refused")

    def __init__(self, bound: int) -> None:
        assert bound > 0
        self.bound = bound
        self.dropped = 0  # QoS 0 that made room, or found none
        self.refused = 0  # QoS 1 and 2 that found no room
        self._loose: deque[Item] = deque()  # QoS 0
        self._kept: deque[Item] = deque()  # QoS 1 and 2
        self._next = 0

    def __len__(self) -> int:
        return len(self._loose) + len(self._kept)

    def add(self, topic: str, payload: bytes, qos: int, retain: bool, held: int = 0) -> bool:
        """Take a message, or say that there is no room; `held` elsewhere counts to the bound."""
        if len(self._loose) + len(self._kept) + held >= self.bound and not self._make_room(qos):
            return False
        self._next += 1
        line = self._kept if qos else self._loose
        line.append(Item(self._next, topic, payload, qos, retain))
        return True

    def _make_room(self, qos: int) -> bool:
        if self._loose:
            self._loose.popleft()
            self.dropped += 1
            return True
        if qos:
            self.refused += 1
        else:
            self.dropped += 1
        return False

    def pop(self) -> Item | None:
        """The oldest message, taken out; None: empty."""
        loose, kept = self._loose, self._kept
        if not kept:
            return loose.popleft() if loose else None
        if loose and loose[0].number < kept[0].number:
            return loose.popleft()
        return kept.popleft()

    def loose(self, count: int) -> list[Item]:
        """The oldest messages, up to `count`, taken out, as far as they are QoS 0."""
        loose, kept = self._loose, self._kept
        found: list[Item] = []
        while loose and len(found) < count and not (kept and kept[0].number < loose[0].number):
            found.append(loose.popleft())
        return found

    def put_back(self, items: list[Item]) -> None:
        """Messages that were popped and not delivered stand in front again, in their order."""
        self._kept.extendleft(sorted((item for item in items if item.qos), reverse=True))

    def clear(self) -> None:
        """Forget what waits."""
        self._loose.clear()
        self._kept.clear()
