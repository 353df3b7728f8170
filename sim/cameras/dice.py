"""Chance by name: the same words give the same picture."""

from __future__ import annotations

import hashlib

import numpy as np

Dice = np.random.Generator


def dice(*words: object) -> Dice:
    """A generator of its own for these words, whatever was drawn elsewhere."""
    text = "\0".join(str(word) for word in words)
    return np.random.Generator(np.random.PCG64(int.from_bytes(_hash(text), "little")))


def between(chance: Dice, low: float, high: float) -> float:
    """A number from low to high."""
    return float(chance.uniform(low, high))


def happens(chance: Dice, share: float) -> bool:
    """True so often."""
    return float(chance.random()) < share


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
