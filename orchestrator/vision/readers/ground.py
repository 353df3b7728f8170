"""The neutral grey floor under the things: it tells the light's colour and fall, and what is not
floor. A box that is partly hidden is no ground to count on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from orchestrator.vision.model import Image

Numbers = npt.NDArray[np.float32]
WIDTH = 480  # of the picture that is worked on
CHROMA, DARK, BRIGHT = 0.17, 0.52, 1.35  # of the floor's own brightness: beyond that it is none
FLOOR_MIN = 0.12  # share of the picture
PIECE_MIN = 0.003
DIM = 14  # of 255: too dark to tell


@dataclass(frozen=True, slots=True)
class Ground:
    """`plain`: the picture by the floor's light, 1 where it is as bright as the floor; `whole`: of
    the same size; `shrink`: pixels of the picture per pixel of these."""

    plain: Numbers
    whole: Image
    things: tuple[npt.NDArray[np.int32], ...]  # outlines of what lies there
    hull: npt.NDArray[np.int32]
    light: Numbers
    shrink: float


def ground(image: Image) -> Ground | None:
    """What lies on the floor; None where no floor is found."""
    shrink = max(1.0, image.shape[1] / WIDTH)
    size = (round(image.shape[1] / shrink), round(image.shape[0] / shrink))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), 1.2).astype(np.float32)
    light = _light(soft)
    if light is None:
        return None
    floor = _floor(soft / light)
    hull = _hull(floor)
    if hull is None:
        return None
    return Ground(
        small.astype(np.float32) / light, small, tuple(_things(floor, hull)), hull, light, shrink
    )


def hidden(seen: Ground) -> str:
    """Why a box can't be counted on: something lies over its edge. "" where its floor has four
    corners, with the same wall along all sides."""
    corners = cv2.approxPolyDP(seen.hull, 0.02 * cv2.arcLength(seen.hull, True), True)[:, 0]
    if len(corners) != 4:
        return f"the floor has {len(corners)} corners"
    middle = corners.mean(axis=0)
    walls = []
    for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        side = np.linspace(one, other, 40)[4:-4]
        outwards = side - middle
        outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
        wall = _sample(seen.plain, side + outwards * 11)
        if len(wall) < 12:
            return "a side of the box is out of the picture"
        walls.append(np.median(wall, axis=0))
    spread = np.ptp(np.array(walls), axis=0).max() / max(0.1, float(np.mean(walls)))
    return "something lies over a side of the box" if spread > 0.45 else ""


def _sample(plain: Numbers, points: npt.NDArray[Any]) -> Numbers:
    at = np.rint(points).astype(int)
    inside = (at >= 0).all(axis=1) & (at[:, 0] < plain.shape[1]) & (at[:, 1] < plain.shape[0])
    return plain[at[inside, 1], at[inside, 0]]


def _light(soft: Numbers) -> Numbers | None:
    """The floor's light over the picture, by channel: a plane through what is likely floor."""
    rows, columns = soft.shape[:2]
    y, x = np.mgrid[0:rows:4, 0:columns:4].astype(np.float32)
    thin = soft[::4, ::4]
    grey = thin.mean(axis=2)
    near = np.ptp(thin, axis=2) < 0.24 * grey + 4  # grey, but for the lamps' colour
    middle = np.zeros_like(near)
    middle[rows // 32 : -(rows // 32), columns // 32 : -(columns // 32)] = True
    near &= middle & (grey > DIM) & (grey < 250)
    if near.mean() < FLOOR_MIN:
        return None
    level = _mode(grey[near])
    near &= np.abs(grey - level) < 0.3 * level
    base = np.column_stack([np.ones(x.size), x.ravel() / columns, y.ravel() / rows])
    planes = np.zeros((3, 3))
    for _ in range(3):
        if near.mean() < FLOOR_MIN:
            return None
        chosen = near.ravel()
        planes, *_rest = np.linalg.lstsq(base[chosen], thin.reshape(-1, 3)[chosen], rcond=None)
        light = np.maximum((base @ planes).reshape(thin.shape), 1.0)
        near = (np.abs(thin / light - 1) < 0.12).all(axis=2)
    whole = planes[0] + np.linspace(0, 1, columns)[None, :, None] * planes[1]
    whole = whole + np.linspace(0, 1, rows)[:, None, None] * planes[2]
    return np.maximum(whole, 1.0).astype(np.float32)


def _mode(values: Numbers) -> float:
    """The brightness that most pixels have; of the belt below and the floor the floor wins."""
    counts = np.convolve(np.bincount(values.astype(int), minlength=256), np.ones(9), "same")
    counts *= np.sqrt(np.arange(len(counts)) + 1)
    return float(counts.argmax())


def _floor(plain: Numbers) -> npt.NDArray[np.uint8]:
    low, high = plain.min(axis=2), plain.max(axis=2)
    floor = (high - low < CHROMA) & (low > DARK) & (high < BRIGHT)
    return cv2.morphologyEx(floor.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))


def _hull(floor: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32] | None:
    """Around all pieces of the floor."""
    _, _, figures, _ = cv2.connectedComponentsWithStats(floor, connectivity=4)
    labels = cv2.connectedComponents(floor, connectivity=4)[1]
    large = np.flatnonzero(figures[:, cv2.CC_STAT_AREA] > PIECE_MIN * floor.size)
    kept = np.isin(labels, large[large > 0])
    if kept.mean() < FLOOR_MIN:
        return None
    rows, columns = np.nonzero(kept)
    return cv2.convexHull(np.column_stack([columns, rows]).astype(np.int32))


def _things(
    floor: npt.NDArray[np.uint8], hull: npt.NDArray[np.int32]
) -> list[npt.NDArray[np.int32]]:
    inside = np.zeros_like(floor)
    cv2.fillConvexPoly(inside, hull, 1)
    inside = cv2.erode(inside, np.ones((9, 9), np.uint8))
    things = cv2.morphologyEx(inside & (1 - floor), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(things, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [outline for outline in outlines if cv2.contourArea(outline) > 60]
