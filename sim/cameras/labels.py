"""Labels on parcels, totes and racks: flat, as printed, before a camera sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import zxingcpp

from orchestrator.vision.codes import CODE_AT, CODE_SIDE, human, printed, tag_of
from sim.cameras import people
from sim.cameras.dice import Dice, happens
from sim.cameras.lens import Canvas
from sim.cameras.surfaces import surface

PARCEL = (1300, 1000)  # canvas, pixels; the label is 900 x 620 of them
TOTE = (1300, 900)
BLACK, INK = (18, 18, 18), (35, 32, 30)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flat scene, and the part of it that the camera is to see: x, y, width, height."""

    scene: Canvas
    part: tuple[int, int, int, int]

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of that part."""
        x, y, width, height = self.part
        return x + width / 2, y + height / 2


def parcel(identity: str, chance: Dice) -> Sheet:
    """A parcel with its label: sender, addressee in two scripts, codes, route."""
    scene = surface("cardboard" if happens(chance, 0.8) else "white_box", *PARCEL, chance)
    x, y, width, height = 200, 190, 900, 620
    if happens(chance, 0.6):  # the flaps' joint under its tape
        at = int(chance.integers(80, 180))
        scene[at : at + 60] = cv2.addWeighted(scene[at : at + 60], 0.7, scene[at : at + 60], 0, 70)
        cv2.line(scene, (0, at + 30), (PARCEL[0], at + 30), (70, 95, 120), 2)
    label = np.full((height, width, 3), 246, np.uint8)
    _address(label, identity, chance)
    _stripes(label, identity, (30, 380, 620, 150))
    _line(label, human(identity), (60, 585), 44, 560)
    kind = (
        zxingcpp.BarcodeFormat.QRCode if happens(chance, 0.5) else zxingcpp.BarcodeFormat.DataMatrix
    )
    _square(label, identity, kind, (680, 370, 190))
    cv2.rectangle(label, (6, 6), (width - 7, height - 7), INK, 3)
    scene[y : y + height, x : x + width] = label
    cv2.rectangle(scene, (x - 1, y - 1), (x + width, y + height), (90, 110, 130), 1)
    return Sheet(scene, (x, y, width, height))


def tote(identity: str, chance: Dice) -> Sheet:
    """The front of a tote: an AprilTag, beside it the code, below it the id in letters."""
    scene = surface("plastic", *TOTE, chance)
    for at in range(60, TOTE[0], 210):  # ribs
        cv2.line(scene, (at, 0), (at, TOTE[1]), (120, 72, 25), 8)
        cv2.line(scene, (at + 9, 0), (at + 9, TOTE[1]), (175, 120, 65), 3)
    cv2.rectangle(scene, (430, 60), (870, 170), (70, 40, 15), -1)  # where it is gripped
    side = 260
    x, y = 290, 270
    label = np.full((420, 720, 3), 246, np.uint8)
    left, top = 40, 45
    label[top : top + side, left : left + side] = _tag(tag_of(identity), side)
    code = (left + round(CODE_AT[0] * side), top + round(CODE_AT[1] * side))
    kind = (
        zxingcpp.BarcodeFormat.QRCode if happens(chance, 0.5) else zxingcpp.BarcodeFormat.DataMatrix
    )
    _square(label, identity, kind, (*code, round(CODE_SIDE * side)))
    _line(label, human(identity), (40, 390), 56, 640)
    scene[y : y + 420, x : x + 720] = label
    cv2.rectangle(scene, (x - 1, y - 1), (x + 720, y + 420), (80, 50, 20), 1)
    return Sheet(scene, (x, y, 720, 420))


def foreign(chance: Dice) -> Sheet:
    """A box with somebody else's codes: an article number, a carrier's way bill; none of ours."""
    scene = surface("cardboard", *PARCEL, chance)
    label = np.full((520, 760, 3), 240, np.uint8)
    number = "".join(str(digit) for digit in chance.integers(0, 10, 12))
    made = zxingcpp.create_barcode(number, zxingcpp.BarcodeFormat.EAN13)
    _put(label, _modules(made, 70), (60, 60, 420, 190))
    bill = "WB" + "".join(str(digit) for digit in chance.integers(0, 10, 11))
    _put(
        label,
        _modules(zxingcpp.create_barcode(bill, zxingcpp.BarcodeFormat.Code128), 70),
        (60, 300, 620, 120),
    )
    _line(label, bill, (90, 470), 40, 500)
    scene[240:760, 270:1030] = label
    return Sheet(scene, (270, 240, 760, 520))


def bare(chance: Dice) -> Sheet:
    """A parcel that lost its label: torn paper and glue."""
    scene = surface("cardboard", *PARCEL, chance)
    cv2.line(scene, (0, 130), (PARCEL[0], 130), (70, 95, 120), 2)
    for _ in range(3):
        x, y = int(chance.integers(250, 1000)), int(chance.integers(250, 750))
        points = (chance.normal(0, 45, (9, 2)) + np.array((x, y))).astype(np.int32)
        cv2.fillConvexPoly(scene, cv2.convexHull(points), (225, 230, 232), cv2.LINE_AA)
    return Sheet(scene, (200, 190, 900, 620))


def _address(label: Canvas, identity: str, chance: Dice) -> None:
    person = people.person(identity)
    text = people.SENDER
    _line(label, text, (30, 50), 22, 560, face="sans")
    cv2.line(label, (6, 66), (894, 66), INK, 2)
    for row, line in enumerate(person.latin):
        _line(label, line, (40, 115 + 44 * row), 34, 600, face="sans")
    for row, line in enumerate(person.chinese):
        _line(label, line, (40, 255 + 48 * row), 36, 500, face="uni")
    cv2.line(label, (6, 350), (894, 350), INK, 2)
    _line(label, person.route, (660, 190), 78, 800, face="sans")
    _line(label, f"{int(chance.integers(5, 300)) / 10:.1f} kg", (660, 300), 40, 500, face="sans")


def _stripes(label: Canvas, identity: str, box: tuple[int, int, int, int]) -> None:
    made = zxingcpp.create_barcode(printed(identity), zxingcpp.BarcodeFormat.Code128)
    _put(label, _modules(made, 60), box)


def _square(
    label: Canvas, identity: str, kind: zxingcpp.BarcodeFormat, box: tuple[int, int, int]
) -> None:
    made = zxingcpp.create_barcode(printed(identity), kind)
    code = np.array(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=False))
    x, y, side = box
    _put(label, code, (x, y, side, side))


def _modules(made: zxingcpp.Barcode, rows: int) -> Canvas:
    bars = np.array(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=False))
    return np.repeat(bars[:1], rows, axis=0)


def _put(label: Canvas, code: Canvas, box: tuple[int, int, int, int]) -> None:
    """Whole pixels per module, so that bars are even; in the middle of the box."""
    x, y, width, height = box
    wide = max(1, width // code.shape[1])
    high = max(1, height // code.shape[0])
    if code.shape[0] == code.shape[1]:
        high = wide
    large = np.repeat(np.repeat(code, high, axis=0), wide, axis=1)
    left, top = x + (width - large.shape[1]) // 2, y + (height - large.shape[0]) // 2
    area = label[top : top + large.shape[0], left : left + large.shape[1]]
    area[large < 128] = BLACK


@cache
def _dictionary() -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)


def _tag(number: int, side: int) -> Canvas:
    tag = cv2.aruco.generateImageMarker(_dictionary(), number, side)
    return cv2.cvtColor(np.maximum(tag, 18), cv2.COLOR_GRAY2BGR)


@cache
def _face(name: str) -> cv2.FontFace:
    return cv2.FontFace(name)


def _line(
    label: Canvas, text: str, at: tuple[int, int], size: int, weight: int, face: str = "sans"
) -> None:
    cv2.putText(label, text, at, BLACK, _face(face), size, weight)
