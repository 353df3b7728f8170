"""From the truth to a picture: which scene, and how the camera stands to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sim.cameras import boxes, labels, lanes
from sim.cameras.dice import Dice, happens
from sim.cameras.faces import Catalogue
from sim.cameras.labels import Sheet
from sim.cameras.lens import HEIGHT, WIDTH, Canvas, cover, develop, shoot
from sim.cameras.levels import Level
from sim.cameras.surfaces import surface
from sim.cameras.wear import wear

if TYPE_CHECKING:
    from sim.cameras import Truth

LABEL_FILL, TWO_FILL, BOX_FILL = 0.8, 0.5, 0.9
NOISE_FULL = 9.0  # a level with so much is as restless as a lane gets


def label(subject: str, printed: str, beside: str, level: Level, chance: Dice) -> Canvas:
    """A parcel from any side, or a tote that stands upright; perhaps with a neighbour."""
    parcel = subject.startswith("parcel")
    sheet = _sheet(parcel, printed, chance)
    if happens(chance, level.torn):
        wear(sheet.scene, sheet.part, chance)
    fill = LABEL_FILL
    if beside:
        sheet, fill = _two(sheet, _sheet(parcel, beside, chance)), TWO_FILL
    behind = surface("belt", WIDTH, HEIGHT, chance)
    turns = 4 if parcel else 1
    return shoot(
        sheet.scene, level, chance, fill=fill, turns=turns, middle=sheet.middle, behind=behind
    )


def box(truth: Truth, faces: Catalogue, level: Level, chance: Dice) -> Canvas:
    """An order box below the station's camera."""
    scene = boxes.box(
        truth.contents, faces, chance, broken=truth.broken, broken_sku=truth.broken_sku
    )
    return _above(scene, level, chance)


def item(
    contents: Mapping[str, int], broken: int, faces: Catalogue, level: Level, chance: Dice
) -> Canvas:
    """One pack on the mat, or the bare mat."""
    sku = next((sku for sku, count in sorted(contents.items()) if count), "")
    scene = boxes.single(sku, faces, chance, broken=broken > 0)
    return _above(scene, level, chance)


def lane(empty: Canvas, fallen: bool, level: Level, chance: Dice) -> Canvas:
    """A lane from its camera."""
    unrest = 0.2 + 1.3 * level.noise / NOISE_FULL
    picture = lanes.look(empty, chance, fallen=fallen, unrest=min(1.6, unrest))
    if happens(chance, level.cover):
        cover(picture, chance)
    return develop(picture, level, chance)


def _sheet(parcel: bool, printed: str, chance: Dice) -> Sheet:
    if printed:
        return labels.parcel(printed, chance) if parcel else labels.tote(printed, chance)
    return labels.foreign(chance) if happens(chance, 0.5) else labels.bare(chance)


def _two(one: Sheet, other: Sheet) -> Sheet:
    height = min(one.scene.shape[0], other.scene.shape[0])
    scene = np.concatenate([one.scene[:height, 100:], other.scene[:height, :-100]], axis=1)
    return Sheet(scene, (0, 0, scene.shape[1], height))


def _above(scene: Canvas, level: Level, chance: Dice) -> Canvas:
    """A camera that is fixed above: it tilts and turns less than one that looks at a belt."""
    steady = replace(
        level, tilt_deg=level.tilt_deg * 0.4, roll_deg=level.roll_deg * 0.5, near=max(0.9, level.near),
        far=max(0.85, level.far),
    )  # fmt: skip
    behind = surface("belt", WIDTH, HEIGHT, chance)
    if level.far < level.near:  # far pictures of small things: no dots between the pixels
        scene = cv2.GaussianBlur(scene, (0, 0), 0.5)
    return shoot(scene, steady, chance, fill=BOX_FILL, turns=1, behind=behind)
