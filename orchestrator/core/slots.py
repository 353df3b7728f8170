"""Free slots, by zone and row: the nearest one without looking at all of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator


class FreeSlots:
    """Slots that are nobody's home. A *row* holds those of a zone with the same y, by x."""

    def __init__(self, slots: Iterable[tuple[int, str]], x_mm: list[int], y_mm: list[int]) -> None:
        """`slots`: bay and zone of each; `x_mm`, `y_mm` by bay."""
        self._zone_of = dict(slots)
        self._x_mm, self._y_mm = x_mm, y_mm
        self._free: dict[int, None] = {}
        self._rows: dict[str, dict[int, list[tuple[int, int]]]] = {}
        for slot in self._zone_of:
            self.give(slot)

    def __iter__(self) -> Iterator[int]:
        return iter(self._free)

    def give(self, slot: int) -> None:
        """It is free from now on."""
        self._free[slot] = None
        insort(self._row(slot), (self._x_mm[slot], slot))

    def take(self, slot: int) -> None:
        """It is somebody's; no harm if it was before."""
        if slot in self._free:
            del self._free[slot]
            self._row(slot).remove((self._x_mm[slot], slot))

    def _row(self, slot: int) -> list[tuple[int, int]]:
        rows = self._rows.setdefault(self._zone_of[slot], {})
        return rows.setdefault(self._y_mm[slot], [])

    def nearest(self, x_mm: int, y_mm: int, zone: str, suits: Callable[[int], bool]) -> int:
        """The slot of the zone ("": any) with the least Manhattan distance, of these the first; -1:
        none suits."""
        best, best_mm = -1, 0
        for name, rows in self._rows.items():
            if zone not in ("", name):
                continue
            for y, row in rows.items():
                off_mm = abs(y - y_mm)
                if best >= 0 and off_mm > best_mm:
                    continue
                middle = bisect_left(row, (x_mm, -1))
                for side in (range(middle, len(row)), range(middle - 1, -1, -1)):
                    for at in side:
                        x, slot = row[at]
                        length = off_mm + abs(x - x_mm)
                        if best >= 0 and length > best_mm:
                            break
                        if (best < 0 or (length, slot) < (best_mm, best)) and suits(slot):
                            best, best_mm = slot, length
        return best
