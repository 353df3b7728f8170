"""The camera: from a flat scene to a picture, with all that comes between."""

from __future__ import annotations

from functools import cache
from math import cos, pi, radians, sin

import cv2
import numpy as np
import numpy.typing as npt

from sim.cameras.dice import Dice, between, dice, happens
from sim.cameras.levels import Level

Canvas = npt.NDArray[np.uint8]  # rows, columns, BGR
Matrix = npt.NDArray[np.float64]  # 3 x 3
WIDTH, HEIGHT = 960, 720
FOCAL = 1.35  # in widths of the picture
SPARE = 160  # noise is kept once, and begins elsewhere in each picture


def shoot(
    scene: Canvas,
    level: Level,
    chance: Dice,
    *,
    fill: float,
    turns: int = 4,
    middle: tuple[float, float] | None = None,
    behind: Canvas,
) -> Canvas:
    """Take a picture of `scene`, of which one pixel is `fill` pixels wide in the picture at size
    1; it lies in one of `turns` directions, a quarter turn apart, and in front of `behind`."""
    matrix = pose(scene.shape[1::-1], level, chance, fill, turns, middle)
    picture = cv2.warpPerspective(
        scene,
        matrix,
        (WIDTH, HEIGHT),
        dst=behind.copy(),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    if happens(chance, level.cover):
        cover(picture, chance)
    return develop(picture, level, chance)


def pose(
    size: tuple[int, ...],
    level: Level,
    chance: Dice,
    fill: float,
    turns: int,
    middle: tuple[float, float] | None = None,
) -> Matrix:
    """The homography from scene to picture of a camera that looks from somewhere."""
    tilt, pan = (radians(between(chance, -1, 1) * level.tilt_deg) for _ in range(2))
    roll = radians(between(chance, -1, 1) * level.roll_deg) + pi / 2 * int(chance.integers(turns))
    scale = fill * between(chance, level.far, level.near)
    focal = FOCAL * WIDTH
    shift = (between(chance, -1, 1), between(chance, -1, 1))
    x, y = middle or (size[0] / 2, size[1] / 2)
    centre = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], float)
    turn = _about_x(tilt) @ _about_y(pan) @ _about_z(roll)
    plane = np.column_stack([turn[:, 0], turn[:, 1], np.array([0, 0, focal / scale])])
    slack = 0.04 * level.tilt_deg / 10
    eye = np.array(
        [
            [focal, 0, WIDTH / 2 + shift[0] * slack * WIDTH / 2],
            [0, focal, HEIGHT / 2 + shift[1] * slack * HEIGHT / 2],
            [0, 0, 1],
        ]
    )
    return np.asarray(eye @ plane @ centre)


def develop(picture: Canvas, level: Level, chance: Dice) -> Canvas:
    """Focus, motion, light, reflections and the sensor's noise."""
    sigma = between(chance, 0.2, max(0.21, level.blur))
    if sigma > 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    length = between(chance, 0, level.motion)
    if length >= 1.5:
        picture = cv2.filter2D(picture, -1, _streak(length, between(chance, 0, pi)))
    picture = _lit(picture, level, chance)
    if happens(chance, level.glare):
        _glare(picture, chance)
    return _grainy(picture, between(chance, level.noise / 2, level.noise), chance)


def cover(picture: Canvas, chance: Dice) -> None:
    """Something in front: a strap across, or an edge of a gripper or flap."""
    colour = tuple(int(value) for value in chance.integers(20, 90, 3))
    if happens(chance, 0.5):
        angle = between(chance, 0, pi)
        x, y = between(chance, 0.3, 0.7) * WIDTH, between(chance, 0.3, 0.7) * HEIGHT
        ends = [
            (round(x + s * 1400 * cos(angle)), round(y + s * 1400 * sin(angle))) for s in (-1, 1)
        ]
        width = int(chance.integers(14, 50))
        cv2.line(picture, ends[0], ends[1], colour, width, cv2.LINE_AA)
        bright = tuple(min(255, value + 35) for value in colour)
        cv2.line(picture, ends[0], ends[1], bright, max(1, width // 5), cv2.LINE_AA)
        return
    side = int(chance.integers(4))
    reach = between(chance, 0.15, 0.42)
    corners = np.array([[0, 0], [1, 0], [1, reach], [0.55, reach + 0.06], [0, reach * 0.8]])
    for _ in range(side):
        corners = np.column_stack([1 - corners[:, 1], corners[:, 0]])
    cv2.fillPoly(
        picture, [np.rint(corners * (WIDTH, HEIGHT)).astype(np.int32)], colour, cv2.LINE_AA
    )


def _lit(picture: Canvas, level: Level, chance: Dice) -> Canvas:
    """Brightness, its fall over the picture, and the colour of the lamps."""
    gain = between(chance, level.light, 1.0)
    fall = between(chance, 0, 0.5) * (1.15 - level.light)
    angle = between(chance, 0, 2 * pi)
    x = np.linspace(-0.5, 0.5, WIDTH, dtype=np.float32) * cos(angle)
    y = np.linspace(-0.5, 0.5, HEIGHT, dtype=np.float32) * sin(angle)
    plane = gain * (1 + fall * (x[None, :] + y[:, None]))
    warm = between(chance, -0.05, 0.05)
    factors = [
        np.rint(plane * tint * 128).clip(0, 255).astype(np.uint8)
        for tint in (1 - warm, 1, 1 + warm)
    ]
    return cv2.multiply(picture, cv2.merge(factors), scale=1 / 128)


def _glare(picture: Canvas, chance: Dice) -> None:
    """A lamp's reflection: burnt out in the middle, fading outwards."""
    size = (WIDTH // 8, HEIGHT // 8)
    spot = np.zeros(size[::-1], np.float32)
    x, y = between(chance, 0.2, 0.8) * size[0], between(chance, 0.2, 0.8) * size[1]
    axes = (round(between(chance, 4, 26)), round(between(chance, 3, 10)))
    cv2.ellipse(spot, (round(x), round(y)), axes, between(chance, 0, 180), 0, 360, 1.0, -1)
    spot = cv2.GaussianBlur(spot, (0, 0), between(chance, 2, 6)) * between(chance, 120, 330)
    whole = cv2.resize(spot.clip(0, 255).astype(np.uint8), (WIDTH, HEIGHT))
    cv2.add(picture, cv2.merge([whole, whole, whole]), dst=picture)


@cache
def _noise() -> npt.NDArray[np.int16]:
    chance = dice("noise of the sensor")
    grain = chance.standard_normal((HEIGHT + SPARE, WIDTH + SPARE, 3), dtype=np.float32)
    grey = chance.standard_normal((HEIGHT + SPARE, WIDTH + SPARE, 1), dtype=np.float32)
    return np.rint((0.6 * grain + 0.8 * grey) * 64).astype(np.int16)


def _grainy(picture: Canvas, deviation: float, chance: Dice) -> Canvas:
    top, left = (int(chance.integers(SPARE)) for _ in range(2))
    grain = _noise()[top : top + HEIGHT, left : left + WIDTH]
    return (
        cv2.scaleAdd(grain, deviation / 64, picture.astype(np.int16)).clip(0, 255).astype(np.uint8)
    )


def _streak(length: float, angle: float) -> Matrix:
    """A kernel: the camera or the thing moves so far along a line."""
    half = int(length / 2) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    reach = length / 2 * 16
    ends = [round((half + s * reach / 16 * cos(angle)) * 16) for s in (-1, 1)]
    rows = [round((half + s * reach / 16 * sin(angle)) * 16) for s in (-1, 1)]
    cv2.line(kernel, (ends[0], rows[0]), (ends[1], rows[1]), 1.0, 1, cv2.LINE_8, 4)
    return kernel / max(kernel.sum(), 1.0)


def _about_x(angle: float) -> Matrix:
    return np.array([[1, 0, 0], [0, cos(angle), -sin(angle)], [0, sin(angle), cos(angle)]])


def _about_y(angle: float) -> Matrix:
    return np.array([[cos(angle), 0, sin(angle)], [0, 1, 0], [-sin(angle), 0, cos(angle)]])


def _about_z(angle: float) -> Matrix:
    return np.array([[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0], [0, 0, 1]])
