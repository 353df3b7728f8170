"""The catalogue: what each stock keeping unit's pack looks like, made from its name.

SKUs that differ in their last character are varieties of one product: same brand, pattern and
size; another accent colour, motif and name. So a picking arm's likeliest mistake looks alike.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from math import cos, pi, sin
from pathlib import Path

import cv2
import numpy as np

from sim.cameras.dice import Dice, between, dice
from sim.cameras.lens import Canvas

LONG = 240  # pixels of a face's long side
KEPT = 600  # faces in memory
BRANDS = ("Norva", "Kestrel", "MIRU", "Tallow", "OKTO", "Brisk", "Luma", "Penta", "YUN", "Ardea")
GOODS = ("TEA", "SOAP", "BULBS", "PASTA", "CABLE", "TONER", "RICE", "PAINT", "GLUE", "SEEDS")
KINDS = ("Classic", "Mild", "Forte", "Citrus", "Herbal", "Pro", "Mini", "Max", "Eco", "Ultra")


class Catalogue:
    """Faces by SKU. Where two sites shall not have the same packs, they have other seeds."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: OrderedDict[str, Canvas] = OrderedDict()

    def find(self, name: str) -> Canvas:
        """As what a reader compares with."""
        return self.face(name)

    def face(self, sku: str) -> Canvas:
        """The pack from the front; not to be written to."""
        if sku in self._kept:
            self._kept.move_to_end(sku)
            return self._kept[sku]
        picture = _face(self._seed, sku)
        picture.flags.writeable = False
        self._kept[sku] = picture
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return picture

    def save(self, folder: Path, skus: Iterable[str]) -> None:
        """One PNG each, by its SKU."""
        folder.mkdir(parents=True, exist_ok=True)
        for sku in skus:
            cv2.imwrite(str(folder / f"{sku}.png"), self.face(sku))

    def __reduce__(self) -> tuple[type[Catalogue], tuple[int]]:
        return Catalogue, (self._seed,)


def _face(seed: int, sku: str) -> Canvas:
    family, variety = dice("family", seed, sku[:-1]), dice("variety", seed, sku)
    aspect = between(family, 0.55, 1.0)
    size = (LONG, round(LONG * aspect)) if family.random() < 0.6 else (round(LONG * aspect), LONG)
    width, height = size
    base, second = _colour(family), _colour(family)
    accent = _colour(variety)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = base
    _pattern(picture, second, family)
    _motif(picture, accent, variety)
    band = round(height * between(family, 0.1, 0.62))
    deep = round(height * 0.26)
    picture[band : band + deep] = accent
    ink = (250, 250, 250) if sum(accent) < 380 else (20, 20, 20)
    brand = f"{BRANDS[int(family.integers(len(BRANDS)))]} {GOODS[int(family.integers(len(GOODS)))]}"
    kind = KINDS[int(variety.integers(len(KINDS)))]
    face = cv2.FontFace("sans")
    cv2.putText(picture, brand, (10, band + round(deep * 0.48)), ink, face, round(deep * 0.4), 800)
    cv2.putText(picture, kind, (10, band + round(deep * 0.9)), ink, face, round(deep * 0.36), 500)
    cv2.putText(picture, sku, (10, height - 9), (25, 25, 25), face, 13, 500)
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), tuple(v // 2 for v in base), 3)
    return picture


def _colour(chance: Dice) -> tuple[int, int, int]:
    """A printer's colour: bright or dark, seldom grey."""
    hue, strong = int(chance.integers(180)), int(chance.integers(110, 240))
    bright = int(chance.integers(90, 245))
    pixel = np.array([[[hue, strong, bright]]], np.uint8)
    blue, green, red = cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0]
    return int(blue), int(green), int(red)


def _pattern(picture: Canvas, colour: tuple[int, int, int], chance: Dice) -> None:
    height, width = picture.shape[:2]
    step = int(chance.integers(18, 48))
    match int(chance.integers(4)):
        case 0:
            lean = int(chance.integers(-60, 60))
            for at in range(-height, width + height, step):
                ends = ((at, 0), (at + lean, height))
                cv2.line(picture, *ends, colour, step // 3, cv2.LINE_AA)
        case 1:
            for x in range(step // 2, width, step):
                for y in range(step // 2, height, step):
                    cv2.circle(picture, (x, y), step // 4, colour, -1, cv2.LINE_AA)
        case 2:
            for radius in range(step, 2 * LONG, step):
                cv2.circle(picture, (width, height), radius, colour, step // 4, cv2.LINE_AA)
        case _:
            for x in range(0, width, step):
                for y in range(0, height, step):
                    if (x // step + y // step) % 2:
                        picture[y : y + step, x : x + step] = colour


def _motif(picture: Canvas, colour: tuple[int, int, int], chance: Dice) -> None:
    """A star, leaf or disc of the variety, with a rim."""
    height, width = picture.shape[:2]
    x, y = between(chance, 0.3, 0.7) * width, between(chance, 0.3, 0.7) * height
    corners = int(chance.integers(3, 9))
    radius = between(chance, 0.22, 0.36) * min(width, height)
    inner = radius * between(chance, 0.45, 1.0)
    turn = between(chance, 0, pi)
    points = [
        (
            x + (radius if k % 2 else inner) * cos(turn + pi * k / corners),
            y + (radius if k % 2 else inner) * sin(turn + pi * k / corners),
        )
        for k in range(2 * corners)
    ]
    shape = np.rint(np.array(points)).astype(np.int32)
    cv2.fillPoly(picture, [shape], colour, cv2.LINE_AA)
    cv2.polylines(picture, [shape], True, (245, 245, 245), 3, cv2.LINE_AA)
