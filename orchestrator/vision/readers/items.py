"""Finds packs on the grey floor of a box, straightens each and compares it with the catalogue.

Every outline must be one whole pack that one SKU's face fits far better than any other's: what is
covered, stacked, unknown or hidden makes the whole picture unread, because a count that leaves it
out would be a guess. Expected counts are not looked at; of what is expected only the SKU that is to
be counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.vision.model import DAMAGED, INTACT, Image, Picture, Question, Reading, Task
from orchestrator.vision.readers.references import References

if TYPE_CHECKING:
    from orchestrator.vision.readers.ground import Ground

SIDE = 32  # of what is compared: sides of a square, whatever the pack's shape
FILLED = 0.9  # of its rectangle's area, at least: else it is two packs, or part of one
PIECE = 0.7  # the same of a broken one
LIKE = 0.8  # correlation, at least
LEAD = 0.08  # over the second best
LEAD_LEAST, LEAD_SHARE = 0.03, 3.0  # or so much, and so many times what the best lacks
APART_LEAST, APART_SHARE = 0.03, 0.7  # of two faces
KEPT = 20_000  # faces
ITEMS_MAX = 60


@dataclass(slots=True)
class Items:
    """Compares with one face per SKU."""

    faces: References
    name: str = "items"
    tasks: frozenset[Task] = frozenset({"identify_item", "verify_pick", "inspect_damage"})
    _kept: OrderedDict[str, Any] = field(default_factory=OrderedDict, repr=False, compare=False)

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `PictureError`."""
        from orchestrator.vision.readers.ground import ground, hidden  # noqa: PLC0415

        seen = ground(picture.image())
        if seen is None:
            return self._unread("no floor is seen")
        if question.task == "verify_pick":
            return self._counted(picture.image(), seen, question, hidden(seen))
        if len(seen.things) != 1:
            return self._unread(f"{len(seen.things)} things where one should be")
        if question.task == "identify_item":
            value, sure, note = self._which(seen, seen.things[0], _names(question))
            return Reading(value, sure, self.name, note)
        return self._inspected(picture.image(), seen, question.expected)

    def _unread(self, note: str) -> Reading:
        return Reading("", 0.0, self.name, note)

    def _counted(self, image: Image, seen: Ground, question: Question, doubt: str) -> Reading:
        sku = question.expected.rpartition(":")[0]
        if doubt or len(seen.things) > ITEMS_MAX:
            return self._unread(doubt or f"{len(seen.things)} things")
        names = _names(question)
        count, least, broken = 0, 1.0, False
        for outline in seen.things:
            found, sure, note = self._which(seen, outline, names)
            if not found:
                return self._unread(note)
            least = min(least, sure)
            if found != sku:
                continue
            count += 1
            value, _, note = self._whole(image, seen, outline, sku)
            if not value:
                return self._unread(f"perhaps damaged: {note}")
            broken |= value == DAMAGED
        note = f"{len(seen.things)} things"
        return Reading(f"{sku}:{count}", least, self.name, note, damaged=broken)

    def _which(self, seen: Ground, outline: Any, names: list[str]) -> tuple[str, float, str]:
        """The SKU of one pack, how sure, and why it is not known."""
        import numpy as np  # noqa: PLC0415

        corners, filled = rectangle(outline)
        if filled < FILLED:
            return "", 0.0, f"an outline that is no pack ({filled:.2f} filled)"
        square = straight(seen.plain, corners, (SIDE, SIDE))
        views = np.stack([_centred(np.rot90(square, turn)) for turn in range(4)])
        known = [name for name in names if self._face(name) is not None]
        if not known:
            return "", 0.0, "no face of these SKUs is on file"
        faces = np.stack([self._face(name) for name in known])
        likeness = (faces @ views.T).max(axis=1)
        first, *others = np.argsort(-likeness)[:2]
        best = float(likeness[first])
        lead = best - float(likeness[others[0]]) if others else best
        note = f"{known[first]} {best:.2f}, leads by {lead:.2f}"
        apart = 1.0 - float(faces[first] @ faces[others[0]]) if others else 1.0
        if best < LIKE or lead < needed(best, apart):
            return "", 0.0, note
        return known[first], sureness(best, lead, apart), note

    def _inspected(self, image: Image, seen: Ground, sku: str) -> Reading:
        value, sure, note = self._whole(image, seen, seen.things[0], sku)
        return Reading(value, sure, self.name, note)

    def _whole(self, image: Image, seen: Ground, outline: Any, sku: str) -> tuple[str, float, str]:
        """Intact, damaged or neither; how sure, and why."""
        from orchestrator.vision.readers.damage import differs  # noqa: PLC0415

        face = self.faces.find(sku)
        if face is None:
            return "", 0.0, f"no face of {sku} is on file"
        corners, around = rectangle(outline)
        if around < PIECE:
            return "", 0.0, f"an outline that is no pack ({around:.2f} filled)"
        filled = within(outline, corners)
        found = differs(image, seen, corners, face)
        note = f"{found.share:.4f} of the face differs, {found.like:.2f} alike, {filled:.2f} filled"
        value, sure = found.says(filled)
        return {1: DAMAGED, -1: INTACT, 0: ""}[value], sure, note

    def _face(self, sku: str) -> Any:
        if sku not in self._kept:
            face = self.faces.find(sku)
            self._kept[sku] = None if face is None else _described(face)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[sku]


def needed(best: float, apart: float) -> float:
    """The lead that a likeness needs: near to 1, varieties of one product need less. `apart` is how
    far the two faces are from each other: a picture that lacks less than half of that is of one of
    the two, and no third one's, and most of the way leads to the right one."""
    plain = min(LEAD, max(LEAD_LEAST, LEAD_SHARE * (1 - best)))
    near = apart >= APART_LEAST and 1 - best <= apart / 2
    return min(plain, APART_SHARE * apart) if near else plain


def sureness(best: float, lead: float, apart: float) -> float:
    """From a likeness and its lead to a confidence: 0.8 where both just do, then towards 1."""
    spare = min((best - LIKE) / (1 - LIKE), (lead - needed(best, apart)) / (3 * LEAD))
    return 0.8 + 0.19 * min(1.0, max(0.0, spare))


def rectangle(outline: Any) -> tuple[Any, float]:
    """Four corners around an outline, clockwise, and the share of them that it fills."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    hull = cv2.convexHull(outline)
    area = cv2.contourArea(outline)
    corners = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)[:, 0]
    if len(corners) != 4:
        corners = cv2.boxPoints(cv2.minAreaRect(hull))
    corners = corners.astype(np.float32)
    if cv2.contourArea(corners, oriented=True) < 0:
        corners = corners[::-1].copy()
    around = cv2.contourArea(cv2.boxPoints(cv2.minAreaRect(hull)))
    return corners, area / max(1.0, around)


def within(outline: Any, corners: Any) -> float:
    """The share of its corners that an outline fills: also of a pack that is seen aslant."""
    import cv2  # noqa: PLC0415

    return float(cv2.contourArea(outline) / max(1.0, cv2.contourArea(corners)))


def straight(plain: Any, corners: Any, size: tuple[int, int]) -> Any:
    """What lies within the corners, seen from the front."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    width, height = size
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(corners, flat)
    return cv2.warpPerspective(plain, matrix, size, borderMode=cv2.BORDER_REPLICATE)


def _described(face: Image) -> Any:
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    small = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return _centred(small.astype(np.float32) / 128)


def _centred(square: Any) -> Any:
    """As a vector of length 1 around 0: brightness and contrast are left out, colours are not."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    soft = cv2.GaussianBlur(np.ascontiguousarray(square), (0, 0), 0.8)
    soft = np.minimum(soft, 2.2)
    flat = (soft - soft.mean()).ravel()
    return flat / max(float(np.linalg.norm(flat)), 1e-6)


def _names(question: Question) -> list[str]:
    names: Iterable[str] = question.known
    sku = question.expected
    if question.task == "verify_pick":
        sku = sku.rpartition(":")[0]
    return sorted({*names, sku})
