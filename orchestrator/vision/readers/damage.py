"""How a pack's face differs from the catalogue's: what no blur, shift or light explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from orchestrator.vision.model import Image
from orchestrator.vision.readers.ground import Ground

LONG = 128  # of the straightened face
SLACK = 5  # pixels around, within which a colour may lie
TOLERANCE = 0.2  # of the floor's brightness
MUCH, LITTLE = 0.012, 0.0025  # share of the face, in one piece
ALIKE = 0.6  # correlation, at least: else it is not that face
WHOLE = 0.93  # of its corners, filled
RIM = 6
BLURS = (0.6, 1.5, 2.8)
BURNT = 248


@dataclass(frozen=True, slots=True)
class Difference:
    """`share` of the face that differs in one piece; `burnt`: share that no camera could read."""

    share: float
    like: float
    burnt: float

    def says(self, filled: float) -> tuple[int, float]:
        """1 damaged, -1 intact, 0 neither; and how sure."""
        if self.like < ALIKE or self.burnt > LITTLE:
            return 0, 0.0
        if self.share >= MUCH:
            return 1, min(0.99, 0.8 + 0.19 * (self.share - MUCH) / (3 * MUCH))
        if self.share <= LITTLE and filled >= WHOLE:
            return -1, 0.8 + 0.19 * (1 - self.share / LITTLE)
        return 0, 0.0


def differs(image: Image, seen: Ground, corners: Any, face: Image) -> Difference:
    """Compare what lies within `corners` (of the small picture) with the face."""
    rows, columns = face.shape[:2]
    scale = LONG / max(rows, columns)
    size = (round(columns * scale), round(rows * scale))
    wanted = cv2.resize(face, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 128
    middle = np.rint(corners.mean(axis=0)).astype(int)
    light = seen.light[middle[1], middle[0]]
    there, burnt = _best(image, seen, corners, wanted, light)
    there = _settled(there, wanted)  # before it is compared: of fine stripes a pixel decides
    like = _like(there, wanted)
    return Difference(_share(there, wanted) if like >= ALIKE else 1.0, like, burnt)


def _best(image: Image, seen: Ground, corners: Any, wanted: Any, light: Any) -> tuple[Any, float]:
    """The one of four quarter turns that fits, and its share of burnt pixels."""
    height, width = wanted.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    whole = (corners + 0.5) * seen.shrink - 0.5
    best, most, burnt = None, -2.0, 0.0
    for turn in range(4):
        matrix = cv2.getPerspectiveTransform(np.roll(whole, turn, axis=0).astype(np.float32), flat)
        raw = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_AREA)
        there = raw.astype(np.float32) / light
        like = _like(there, wanted)
        if like > most:
            best, most = there, like
            burnt = float((raw.min(axis=2) >= BURNT).mean())
    return best, burnt


def _like(there: Any, wanted: Any) -> float:
    one, other = there - there.mean(), wanted - wanted.mean()
    return float((one * other).sum() / max(1e-6, np.linalg.norm(one) * np.linalg.norm(other)))


def _settled(there: Any, wanted: Any) -> Any:
    """Moved to where it fits best, and in the reference's light."""
    grey, goal = there.mean(axis=2), wanted.mean(axis=2)
    matrix = np.eye(2, 3, dtype=np.float32)
    ends = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 25, 1e-3)
    try:
        _, matrix = cv2.findTransformECC(goal, grey, matrix, cv2.MOTION_AFFINE, ends, None, 5)
    except cv2.error:  # it doesn't converge: taken as it lies
        return there
    size = there.shape[1::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(there, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    bright = wanted > 0.25
    gains = [
        np.median((moved / np.maximum(wanted, 0.05))[..., c][bright[..., c]]) for c in range(3)
    ]
    return moved / np.clip(np.array(gains, np.float32), 0.5, 2.0)


def _share(there: Any, wanted: Any) -> float:
    """The largest piece that no blur of the reference explains, by share of the face."""
    kernel = np.ones((SLACK, SLACK), np.uint8)
    low, high = cv2.erode(wanted, kernel), cv2.dilate(wanted, kernel)
    for sigma in BLURS:
        soft = cv2.GaussianBlur(wanted, (0, 0), sigma)
        low, high = np.minimum(low, soft), np.maximum(high, soft)
    there = cv2.GaussianBlur(there, (0, 0), 0.8)
    over = np.maximum(low - there, there - high).max(axis=2)
    wrong = (over > TOLERANCE).astype(np.uint8)
    wrong[:RIM], wrong[-RIM:], wrong[:, :RIM], wrong[:, -RIM:] = 0, 0, 0, 0
    _, _, figures, _ = cv2.connectedComponentsWithStats(wrong, connectivity=8)
    return float(figures[1:, cv2.CC_STAT_AREA].max(initial=0)) / wrong.size
