"""Lanes from a camera above them: empty, and with something that fell."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import cache
from math import cos, pi, radians, sin
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sim.cameras.dice import Dice, between, dice, happens
from sim.cameras.lens import FOCAL, HEIGHT, WIDTH, Canvas
from sim.cameras.surfaces import surface

Points = npt.NDArray[np.float64]
FLOOR = (900, 1400)  # canvas of the floor, 200 pixels a metre: 4.5 m across, 7 m along
METRE = 200
CAMERA_M = 3.4  # above the floor
DOWN_DEG = 38.0
KEPT = 64


class Lanes:
    """Empty lanes by name: each camera sees its own."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: OrderedDict[str, Canvas] = OrderedDict()

    def find(self, name: str) -> Canvas:
        """The empty lane, as its camera saw it when it was set up."""
        if name not in self._kept:
            picture = _empty(dice("lane", self._seed, name))
            picture.flags.writeable = False
            self._kept[name] = picture
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[name]

    def save(self, folder: Path, names: Iterable[str]) -> None:
        """One PNG each, by the lane's name."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            cv2.imwrite(str(folder / f"{name}.png"), self.find(name))

    def __reduce__(self) -> tuple[type[Lanes], tuple[int]]:
        return Lanes, (self._seed,)


def look(empty: Canvas, chance: Dice, *, fallen: bool, unrest: float) -> Canvas:
    """The lane some day later, before lens and light: a little shifted, dirtier, perhaps with a
    shadow across; `fallen`: with a carton (or what else falls) on it."""
    shift = chance.uniform(-1, 1, 2) * 3 * unrest
    matrix = cv2.getRotationMatrix2D(
        (WIDTH / 2, HEIGHT / 2), between(chance, -0.3, 0.3) * unrest, 1
    )
    matrix[:, 2] += shift
    picture = cv2.warpAffine(
        empty, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if happens(chance, 0.5 * unrest):
        _marks(picture, chance)
    if fallen:
        _fall(picture, chance)
    if happens(chance, 0.3 * unrest):
        _shadow(picture, chance)
    return picture


def project(points: Points) -> Points:
    """From metres (x across, y along, z up; the lane's middle below the camera's view) to pixels."""
    down = radians(DOWN_DEG)
    x, y, z = points[:, 0], points[:, 1], points[:, 2] - CAMERA_M
    depth = y * cos(down) - z * sin(down)
    high = y * sin(down) + z * cos(down)
    focal = FOCAL * WIDTH * 0.62
    pixels = np.column_stack([WIDTH / 2 + focal * x / depth, HEIGHT / 2 - focal * high / depth])
    return np.asarray(pixels)


@cache
def _to_picture() -> Points:
    """The floor's homography: its canvas begins 1.4 m before the camera."""
    width, height = FLOOR[0] / METRE, FLOOR[1] / METRE
    corners = np.array([(-0.5, 1), (0.5, 1), (0.5, 0), (-0.5, 0)]) * (width, height)
    spots = np.column_stack([corners[:, 0], corners[:, 1] + 1.4, np.zeros(4)])
    flat = np.array([[0, 0], [FLOOR[0], 0], [FLOOR[0], FLOOR[1]], [0, FLOOR[1]]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(flat, project(spots).astype(np.float32)))


def _empty(chance: Dice) -> Canvas:
    floor = surface("concrete", *FLOOR, chance)
    across = int(chance.integers(250, 330))
    for side in (-1, 1):
        at = FLOOR[0] // 2 + side * across
        cv2.line(floor, (at, 0), (at, FLOOR[1]), (40, 190, 225), 18, cv2.LINE_AA)
    for at in range(100, FLOOR[1], 300):  # marks by which robots find their way
        cells = (chance.random((8, 8)) < 0.5).astype(np.uint8) * 225 + 15
        mark = cv2.resize(cells.astype(np.uint8), (40, 40), interpolation=cv2.INTER_NEAREST)
        left = FLOOR[0] // 2 - 20
        cv2.rectangle(floor, (left - 8, at - 8), (left + 48, at + 48), (235, 235, 235), -1)
        floor[at : at + 40, left : left + 40] = mark[..., None]
    for _ in range(int(chance.integers(2, 6))):  # joints and old cracks
        at = int(chance.integers(FLOOR[1]))
        cv2.line(floor, (0, at), (FLOOR[0], at + int(chance.integers(-30, 30))), (120, 124, 125), 2)
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = (52, 50, 48)
    picture = cv2.warpPerspective(
        floor, _to_picture(), (WIDTH, HEIGHT), dst=picture, flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_TRANSPARENT,
    )  # fmt: skip
    for side in (-1, 1):
        _racks(picture, side, chance)
    return picture


def _racks(picture: Canvas, side: int, chance: Dice) -> None:
    """Posts and beams beside the lane, the near ones in front."""
    for at in np.arange(8.0, 1.6, -1.2):
        totes = np.array([(side * 1.95, at, h) for h in (0.35, 0.9)])
        for low in totes:
            base = np.array([low, low])
            base[1, 1] += 0.9
            box = np.concatenate([base, _raised(base[::-1], 0.4)])
            colour = [(150, 95, 40), (60, 60, 160), (90, 130, 60)][int(chance.integers(3))]
            _polygon(picture, project(box), colour)
        post = np.array([(side * 1.9, at, 0), (side * 1.9, at + 0.09, 0)])
        tall = np.concatenate([post, _raised(post[::-1], 2.2)])
        _polygon(picture, project(tall), (40, 80, 200))
    for high in (0.3, 0.85, 1.4):
        beam = np.array([(side * 1.9, 1.6, high), (side * 1.9, 8.5, high)])
        bar = np.concatenate([beam, _raised(beam[::-1], 0.07)])
        _polygon(picture, project(bar), (30, 120, 220))


def _fall(picture: Canvas, chance: Dice) -> None:
    x, y = between(chance, -1.0, 1.0), between(chance, 2.4, 5.5)
    if happens(chance, 0.75):
        colour = (110, 150, 185) if happens(chance, 0.7) else (150, 152, 150)
        size = chance.uniform(0.2, 0.55, 3) * (1, 1, 0.8)
        _cuboid(picture, (x, y), size, between(chance, 0, pi), colour)
        return
    shape = chance.normal(0, 0.16, (14, 2)) + np.array((x, y))  # a bag or a piece of foil
    hull = cv2.convexHull(shape.astype(np.float32))[:, 0]
    spots = np.column_stack([hull, np.zeros(len(hull))])
    tone = int(chance.choice([30, 45, 200]))
    _polygon(picture, project(spots), (tone, tone + 5, tone + 5))
    middle = spots.mean(axis=0)
    for grow in (0.7, 0.4):
        _polygon(picture, project(middle + (spots - middle) * grow), (tone + 22,) * 3)


def _cuboid(
    picture: Canvas, at: tuple[float, float], size: Points, angle: float, colour: tuple[int, ...]
) -> None:
    wide, deep, high = size
    turn = np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
    flat = np.array([[-wide, -deep], [wide, -deep], [wide, deep], [-wide, deep]]) / 2 @ turn
    flat = flat + np.array(at)
    low = np.column_stack([flat, np.zeros(4)])
    top = _raised(low, high)
    shade = picture.copy()
    _polygon(shade, project((low - (*at, 0)) * 1.25 + (*at, 0) + (0.08, -0.04, 0)), (0, 0, 0))
    soft = cv2.GaussianBlur(shade, (0, 0), 5)
    cv2.addWeighted(picture, 0.55, soft, 0.45, 0, dst=picture)
    sides = [np.array([low[k], low[(k + 1) % 4], top[(k + 1) % 4], top[k]]) for k in range(4)]
    sides.sort(key=lambda side: -float(np.hypot(*side.mean(axis=0)[:2])))
    for number, side in enumerate(sides):
        light = (0.5, 0.55, 0.72, 0.85)[number]
        _polygon(picture, project(side), tuple(round(v * light) for v in colour))
    _polygon(picture, project(top), colour)
    tape = np.array(
        [(top[0] * a + top[1] * (1 - a), top[3] * a + top[2] * (1 - a)) for a in (0.45, 0.55)]
    )
    strip = np.array([tape[0][0], tape[0][1], tape[1][1], tape[1][0]])
    _polygon(picture, project(strip), tuple(min(255, v + 45) for v in colour))


def _marks(picture: Canvas, chance: Dice) -> None:
    """Tyre marks and dust since then."""
    for _ in range(int(chance.integers(1, 4))):
        x = between(chance, -1.1, 1.1)
        ends = np.array([(x, 2.2, 0), (x + between(chance, -0.4, 0.4), 6.5, 0)])
        line = np.rint(project(ends)).astype(int)
        layer = picture.copy()
        cv2.line(
            layer, tuple(map(int, line[0])), tuple(map(int, line[1])), (95, 98, 100), 5, cv2.LINE_AA
        )
        cv2.addWeighted(picture, 0.65, layer, 0.35, 0, dst=picture)


def _shadow(picture: Canvas, chance: Dice) -> None:
    """Somebody drives by outside the picture, or a lamp is out."""
    layer = np.full((HEIGHT // 8, WIDTH // 8), 255, np.uint8)
    points = chance.uniform(-0.2, 1.2, (4, 2)) * (WIDTH // 8, HEIGHT // 8)
    hull = cv2.convexHull(points.astype(np.int32))
    cv2.fillConvexPoly(layer, hull, int(chance.integers(140, 215)))
    layer = cv2.GaussianBlur(layer, (0, 0), between(chance, 3, 9))
    whole = cv2.resize(layer, (WIDTH, HEIGHT))
    cv2.multiply(picture, cv2.merge([whole, whole, whole]), dst=picture, scale=1 / 255)


def _raised(points: Points, high: float) -> Points:
    return np.asarray(points + np.array((0, 0, high)))


def _polygon(picture: Canvas, points: Points, colour: tuple[int, ...]) -> None:
    cv2.fillPoly(picture, [np.rint(points).astype(np.int32)], colour, cv2.LINE_AA)
