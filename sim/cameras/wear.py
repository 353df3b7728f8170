"""What befalls a label: torn, scratched, stained, creased, faded."""

from __future__ import annotations

from math import cos, pi, sin

import cv2
import numpy as np

from sim.cameras.dice import Dice, between
from sim.cameras.lens import Canvas

KINDS = 5


def wear(scene: Canvas, part: tuple[int, int, int, int], chance: Dice) -> None:
    """One to three things happen to this part of the scene."""
    x, y, width, height = part
    label = scene[y : y + height, x : x + width]
    under = scene[max(0, y - 12), x + width // 2].copy()
    kinds = chance.permutation(KINDS)[: int(chance.integers(1, 4))]
    for kind in kinds:
        (_tear, _scratch, _stain, _crease, _fade)[int(kind)](label, under, chance)


def _tear(label: Canvas, under: Canvas, chance: Dice) -> None:
    """A piece is gone from one side, with a ragged edge of bare paper."""
    height, width = label.shape[:2]
    side, reach = int(chance.integers(4)), between(chance, 0.1, 0.5)
    along = np.linspace(0, 1, 24)
    edge = reach * (0.6 + 0.4 * np.sin(along * between(chance, 2, 9) + between(chance, 0, 6)))
    edge += chance.normal(0, 0.012, 24)
    begin = between(chance, -0.5, 0.4)
    edge *= np.clip((along - begin) * 4, 0, 1)
    outline = np.array([*zip(along, edge, strict=True), (1.0, -0.1), (0.0, -0.1)])
    for paper, colour in ((0.022, (228, 232, 234)), (0.0, tuple(int(v) for v in under))):
        shape = outline.copy()
        shape[:24, 1] += paper * (edge > 0.01)
        if side >= 2:
            shape[:, 1] = 1 - shape[:, 1]
        if side % 2:
            shape = shape[:, ::-1]
        points = np.rint(shape * (width, height)).astype(np.int32)
        cv2.fillPoly(label, [points], colour, cv2.LINE_AA)


def _scratch(label: Canvas, under: Canvas, chance: Dice) -> None:
    height, width = label.shape[:2]
    for _ in range(int(chance.integers(2, 9))):
        x, y = between(chance, 0, width), between(chance, 0, height)
        angle, length = between(chance, 0, pi), between(chance, 60, 500)
        end = (round(x + length * cos(angle)), round(y + length * sin(angle)))
        thick = int(chance.integers(1, 8))
        cv2.line(label, (round(x), round(y)), end, (225, 228, 230), thick, cv2.LINE_AA)


def _stain(label: Canvas, under: Canvas, chance: Dice) -> None:
    height, width = label.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(int(chance.integers(1, 4))):
        x, y = between(chance, 0, width), between(chance, 0, height)
        points = (chance.normal(0, between(chance, 30, 90), (10, 2)) + np.array((x, y))).astype(
            np.int32
        )
        cv2.fillConvexPoly(mask, cv2.convexHull(points), 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 9)[..., None] * between(chance, 0.4, 0.95)
    colour = np.array([40, 60, 80]) + chance.integers(-30, 30, 3)
    label[:] = (label * (1 - mask) + colour * mask * 0.9 + label * mask * 0.1).clip(0, 255)


def _crease(label: Canvas, under: Canvas, chance: Dice) -> None:
    """A fold: what lies beyond it is pushed along, and the fold itself shines."""
    height, width = label.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    folds = int(chance.integers(1, 4))
    light = np.zeros((height, width), np.float32)
    for _ in range(folds):
        angle = between(chance, 0, pi)
        ahead = (x - between(chance, 0.2, 0.8) * width) * cos(angle)
        ahead += (y - between(chance, 0.2, 0.8) * height) * sin(angle)
        push = between(chance, 4, 16) / (1 + np.exp((-ahead / 6).clip(-30, 30)))
        x, y = x + push * cos(angle), y + push * sin(angle)
        light += between(chance, 30, 80) * np.exp(-((ahead / 5) ** 2))
        light -= between(chance, 20, 60) * np.exp(-(((ahead - 9) / 6) ** 2))
    moved = cv2.remap(
        label, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    label[:] = (moved + light[..., None]).clip(0, 255)


def _fade(label: Canvas, under: Canvas, chance: Dice) -> None:
    """A tired print head: ink that is pale, with lines that it left out."""
    pale = between(chance, 0.25, 0.75)
    label[:] = (246 - (246 - label.astype(np.float32)) * (1 - pale)).clip(0, 255)
    for _ in range(int(chance.integers(0, 7))):
        at = int(chance.integers(0, label.shape[0] - 4))
        label[at : at + int(chance.integers(1, 4))] = 246
