"""What things are made of: cardboard, plastic, concrete. Made once, used again at other offsets."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from sim.cameras.dice import Dice, dice
from sim.cameras.lens import Canvas

SIDE = 1500


@cache
def _grain(coarse: float, streak: float, strength: float) -> Canvas:
    """Grey around 128: blobs of `coarse` pixels, drawn out sideways by `streak`."""
    chance = dice("surface", coarse, streak)
    shrink = max(1, int(coarse / 4))
    small = chance.standard_normal((SIDE // shrink, SIDE // shrink), dtype=np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), coarse * streak / shrink, sigmaY=coarse / shrink)
    soft = cv2.resize(soft, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    soft = soft / soft.std() * strength + 128
    return np.rint(soft).clip(0, 255).astype(np.uint8)


MATERIALS = {
    "cardboard": ((110, 150, 185), (1.2, 4.0, 7.0), (40.0, 1.0, 5.0)),
    "white_box": ((215, 222, 225), (1.0, 1.0, 2.0), (60.0, 1.0, 4.0)),
    "belt": ((48, 50, 52), (1.5, 1.0, 5.0), (30.0, 6.0, 4.0)),
    "plastic": ((150, 95, 40), (1.0, 1.0, 1.6), (80.0, 1.0, 5.0)),
    "mat": ((128, 132, 134), (1.0, 1.0, 3.0), (50.0, 1.0, 3.0)),
    "concrete": ((150, 155, 156), (2.0, 1.0, 6.0), (35.0, 1.0, 8.0)),
}


def surface(material: str, width: int, height: int, chance: Dice) -> Canvas:
    """A piece of it, of this size."""
    colour, fine, coarse = MATERIALS[material]
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = colour
    for grain in (fine, coarse):
        top = int(chance.integers(SIDE - height + 1))
        left = int(chance.integers(SIDE - width + 1))
        piece = _grain(*grain)[top : top + height, left : left + width]
        shade = cv2.merge([piece, piece, piece])
        picture = cv2.addWeighted(picture, 1.0, shade, 1.0, -128)
    return picture
