"""Cameras whose picture hangs: the same bytes for something else.

A sensor has noise: two pictures of two things are never the same to the bit. Where they are, the camera
sent what it had, and what is read from it says nothing about what stands before it now.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

REMEMBERED = 16_384  # pictures of all cameras together
HANGS = "its camera sends the same picture of different things"

Of = tuple[str, str, str]  # task, subject, what was expected


class Frozen:
    """What each camera's pictures were of. The same thing with the same question may look the same: an
    empty lane, or a picture that is sent twice."""

    def __init__(self, in_a_row: int, remembered: int = REMEMBERED) -> None:
        """`in_a_row`: so many such pictures, one after the other, and the camera hangs."""
        assert in_a_row > 0 and remembered > 0
        self._most, self._bound = in_a_row, remembered
        self._first: OrderedDict[tuple[str, str], Of] = OrderedDict()  # camera, picture
        self._in_a_row: Counter[str] = Counter()  # by camera
        self.repeats = 0

    def __len__(self) -> int:
        return len(self._first)

    def before(self, camera: str, picture: str, of: Of) -> str:
        """What a camera's picture (its SHA-256) was of when it came first; "": of this, as it should.
        Of a camera without a name nothing is known."""
        if not camera:
            return ""
        first = self._first.setdefault((camera, picture), of)
        self._first.move_to_end((camera, picture))
        if len(self._first) > self._bound:
            self._first.popitem(last=False)
        if first == of:
            self._in_a_row.pop(camera, None)
            return ""
        self._in_a_row[camera] += 1
        self.repeats += 1
        return " ".join(part for part in first if part)

    def hangs(self, camera: str) -> bool:
        """So many in a row that somebody has to see to it; then they are counted anew."""
        if self._in_a_row[camera] < self._most:
            return False
        del self._in_a_row[camera]
        return True
