"""Checkweighers: what a parcel weighs, against what it should."""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterable

from sim.floor import LOOKALIKE

NOISE_G = 2.0  # of the scale (sigma)
SPREAD = 0.004  # of an item's own weight (sigma)
ALIKE = 0.08  # an item that looks like another one weighs up to this share more or less
TOLERANCE_G, TOLERANCE = 8.0, 0.02  # a difference within either is none


def weight_g(sku: str) -> float:
    """An item's mean weight: 40 g to 2.5 kg, by its name. What is easily taken for it weighs
    nearly the same."""
    share = zlib.crc32(sku.encode()) / 2**32
    if sku.endswith(LOOKALIKE):
        return weight_g(sku.removesuffix(LOOKALIKE)) * (1 + ALIKE * (2 * share - 1))
    return 40.0 * math.exp(share * math.log(2500 / 40))


def fits(
    really: Iterable[tuple[str, int]], expected: Iterable[tuple[str, int]], chance: random.Random
) -> bool:
    """Does the scale find what it should?"""
    should_g = sum(count * weight_g(sku) for sku, count in expected)
    shown_g = chance.gauss(0.0, NOISE_G)
    for sku, count in really:
        mean_g = weight_g(sku)
        shown_g += count * mean_g + chance.gauss(0.0, SPREAD * mean_g * math.sqrt(count))
    return abs(shown_g - should_g) <= max(TOLERANCE_G, TOLERANCE * should_g)
