"""Order boxes from above with what lies in them; single items, whole and broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, hypot, pi, sin

import cv2
import numpy as np
import numpy.typing as npt

from sim.cameras.dice import Dice, between
from sim.cameras.faces import Catalogue
from sim.cameras.lens import Canvas
from sim.cameras.surfaces import surface

BOX = (1000, 760)  # canvas
WALL = 50
GAP = 10
TRIES = 25
LAYOUTS = 6
HARMS = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """An item's middle, half its sizes, and how it lies."""

    x: float
    y: float
    wide: float
    high: float
    angle: float

    def corners(self, grow: float = 0.0) -> npt.NDArray[np.float64]:
        """Clockwise from the upper left."""
        w, h = self.wide + grow, self.high + grow
        turn = np.array([[cos(self.angle), sin(self.angle)], [-sin(self.angle), cos(self.angle)]])
        corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) @ turn
        return np.asarray(corners + np.array((self.x, self.y)))


def box(
    contents: Mapping[str, int],
    catalogue: Catalogue,
    chance: Dice,
    *,
    broken: int = 0,
    broken_sku: str = "",
) -> Canvas:
    """An open box with these units, side by side while there is room; `broken` (of that SKU, if one
    is named) are broken."""
    scene = surface("cardboard", *BOX, chance)
    floor = surface("mat", BOX[0] - 2 * WALL, BOX[1] - 2 * WALL, chance)
    scene[WALL:-WALL, WALL:-WALL] = floor
    cv2.rectangle(scene, (WALL, WALL), (BOX[0] - WALL, BOX[1] - WALL), (60, 85, 105), 6)
    units = [sku for sku, count in sorted(contents.items()) for _ in range(count)]
    units = [units[int(at)] for at in chance.permutation(len(units))]
    size = min(1.0, (5 / max(1, len(units))) ** 0.5) * between(chance, 0.7, 0.95)
    faces = [catalogue.face(sku) for sku in units]
    for sku, face, spot in zip(units, faces, _layout(faces, size, chance), strict=True):
        harm = broken > 0 and broken_sku in ("", sku)
        broken -= harm
        _lay(scene, harmed(face, chance) if harm else face, spot)
    return scene


def single(sku: str, catalogue: Catalogue, chance: Dice, *, broken: bool = False) -> Canvas:
    """One item on the mat before the camera; "" is none."""
    scene = surface("mat", *BOX, chance)
    if not sku:
        return scene
    face = catalogue.face(sku)
    if broken:
        face = harmed(face, chance)
    size = 1.75
    spot = Placed(
        BOX[0] / 2, BOX[1] / 2, face.shape[1] * size / 2, face.shape[0] * size / 2,
        between(chance, -0.2, 0.2),
    )  # fmt: skip
    _lay(scene, face, spot)
    return scene


def harmed(face: Canvas, chance: Dice) -> Canvas:
    """A copy of the pack: torn open, crushed at a corner, soaked, or with a hole."""
    face = face.copy()
    height, width = face.shape[:2]
    x, y = between(chance, 0.15, 0.85) * width, between(chance, 0.15, 0.85) * height
    reach = between(chance, 0.1, 0.3) * min(width, height)
    match int(chance.integers(HARMS)):
        case 0:
            _gash(face, (x, y), reach, chance)
        case 1:
            _crush(face, chance)
        case 2:
            blot = np.zeros(face.shape[:2], np.float32)
            points = (chance.normal(0, reach * 0.8, (12, 2)) + np.array((x, y))).astype(np.int32)
            cv2.fillConvexPoly(blot, cv2.convexHull(points), 1.0)
            blot = cv2.GaussianBlur(blot, (0, 0), 3)[..., None] * between(chance, 0.45, 0.8)
            face[:] = face * (1 - blot) + np.array([25.0, 45.0, 60.0]) * blot
        case _:
            spread = chance.normal(0, reach * 0.6, (9, 2)) + np.array((x, y))
            hull = cv2.convexHull(spread.astype(np.int32))
            cv2.fillConvexPoly(face, hull, (15, 18, 22), cv2.LINE_AA)
            cv2.polylines(face, [hull], True, (190, 205, 215), 3, cv2.LINE_AA)
    return face


def _gash(face: Canvas, at: tuple[float, float], reach: float, chance: Dice) -> None:
    """Torn open: bare board, ragged, with a dark slit."""
    angle = between(chance, 0, pi)
    along = np.linspace(-1, 1, 14)
    half = (1 - np.abs(along)) * reach * 0.45 + chance.normal(0, 2, 14)
    back = (1 - np.abs(along)) * -reach * 0.3 + chance.normal(0, 2, 14)
    points = np.concatenate(
        [np.column_stack([along * reach, half]), np.column_stack([along, back])[::-1] * (reach, 1)]
    )
    turn = np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
    shape = np.rint(points @ turn + np.array(at)).astype(np.int32)
    cv2.fillPoly(face, [shape], (150, 185, 205), cv2.LINE_AA)
    slit = np.rint(np.array([[-reach * 0.7, 0], [reach * 0.7, 0]]) @ turn + np.array(at))
    cv2.polylines(face, [slit.astype(np.int32)], False, (20, 25, 30), 4, cv2.LINE_AA)


def _crush(face: Canvas, chance: Dice) -> None:
    """A corner pushed in: folds of light and shade, what is printed pushed together."""
    height, width = face.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    corner = (width * int(chance.integers(2)), height * int(chance.integers(2)))
    radius = between(chance, 0.35, 0.6) * min(width, height)
    far = np.sqrt((x - corner[0]) ** 2 + (y - corner[1]) ** 2) / radius
    dent = np.clip(1 - far, 0, 1)
    push = 26 * dent
    x2 = x + push * np.sign(width / 2 - corner[0])
    y2 = y + push * np.sign(height / 2 - corner[1])
    moved = cv2.remap(face, x2.astype(np.float32), y2.astype(np.float32), cv2.INTER_LINEAR)
    folds = np.sin(far * between(chance, 9, 16) + (x - y) / between(chance, 9, 20))
    face[:] = (moved * (1 - 0.35 * dent[..., None]) + (70 * dent * folds)[..., None]).clip(0, 255)


def _layout(faces: list[Canvas], size: float, chance: Dice) -> list[Placed]:
    """Side by side; where the arm finds no room after some tries, upon what lies there."""
    placed: list[Placed] = []
    for _ in range(LAYOUTS):
        placed, crowded = [], False
        for face in faces:
            spot, free = _free(face, size, placed, chance)
            placed.append(spot)
            crowded = crowded or not free
        if not crowded:
            break
    return placed


def _free(face: Canvas, size: float, placed: list[Placed], chance: Dice) -> tuple[Placed, bool]:
    wide, high = face.shape[1] * size / 2, face.shape[0] * size / 2
    room = WALL + hypot(wide, high) * 0.95 + 12
    for _ in range(TRIES):
        x, y = between(chance, room, BOX[0] - room), between(chance, room, BOX[1] - room)
        spot = Placed(x, y, wide, high, between(chance, -pi, pi))
        if not any(_touch(spot, other) for other in placed):
            return spot, True
    return spot, False


def _touch(one: Placed, other: Placed) -> bool:
    area, _ = cv2.intersectConvexConvex(
        one.corners(GAP).astype(np.float32), other.corners().astype(np.float32)
    )
    return bool(area > 0)


def _lay(scene: Canvas, face: Canvas, spot: Placed) -> None:
    """With a shadow beside it; only the part of the scene around it is worked on."""
    corners = spot.corners()
    low = np.maximum(corners.min(axis=0).astype(int) - 30, 0)
    high = np.minimum(corners.max(axis=0).astype(int) + 30, (scene.shape[1], scene.shape[0]))
    part = scene[low[1] : high[1], low[0] : high[0]]
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    shade = np.zeros(size[::-1], np.uint8)
    inside = corners - low
    cv2.fillPoly(shade, [np.rint(inside + np.array((7, 9))).astype(np.int32)], 90)
    dark = 255 - cv2.GaussianBlur(shade, (0, 0), 6)
    part[:] = cv2.multiply(part, cv2.merge([dark, dark, dark]), scale=1 / 255)
    rows, columns = face.shape[:2]
    flat = np.array([[0, 0], [columns, 0], [columns, rows]], np.float32)
    matrix = cv2.getAffineTransform(flat, inside[:3].astype(np.float32))
    shrunk = face
    if spot.wide * 2 < columns * 0.6:
        shrunk = cv2.GaussianBlur(face, (0, 0), columns / (spot.wide * 4))
    cv2.warpAffine(
        shrunk, matrix, size, dst=part, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
