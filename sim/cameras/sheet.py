"""A contact sheet: some pictures of each level side by side, to look at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from orchestrator.vision.model import Picture
from sim.cameras.lens import Canvas
from sim.cameras.measure import Result

CELL = (320, 240)
COLUMNS = 12
FOOT = 22
COLOURS = {"ok": (60, 130, 40), "unreadable": (120, 120, 120), "doubtful": (30, 140, 190)}
OTHER = (50, 50, 190)


def png(shots: Sequence[tuple[Result, Picture]]) -> bytes:
    """The sheet as a file."""
    done, data = cv2.imencode(".png", sheet(shots))
    assert done
    return bytes(data.tobytes())


def sheet(shots: Sequence[tuple[Result, Picture]]) -> Canvas:
    """A row for each task and level: what was the matter, what the chain said."""
    rows: dict[tuple[str, str], list[Canvas]] = {}
    for result, picture in shots:
        key = (result.case.task, result.case.level)
        rows.setdefault(key, []).append(_cell(result, picture))
    blank = np.zeros((CELL[1] + FOOT, CELL[0], 3), np.uint8)
    lines = [
        np.concatenate((cells + [blank] * COLUMNS)[:COLUMNS], axis=1) for cells in rows.values()
    ]
    return np.concatenate(lines)


def _cell(result: Result, picture: Picture) -> Canvas:
    small = cv2.resize(picture.image(), CELL, interpolation=cv2.INTER_AREA)
    foot = np.full((FOOT, CELL[0], 3), 255, np.uint8)
    foot[:] = COLOURS.get(result.outcome, OTHER)
    text = f"{result.case.level} / {result.case.kind}: {result.outcome} {result.value}"
    face = cv2.FontFace("sans")
    cv2.putText(foot, text[:46], (5, 16), (255, 255, 255), face, 13, 600)
    return np.concatenate([small, foot])
