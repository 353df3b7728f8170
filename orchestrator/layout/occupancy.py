"""ROS `map_server` maps (YAML + PGM): free space, eroded by the robot's radius, as a grid of lanes.

Semantics after nav2_map_server: occupied = 1 - shade (`negate`: shade); free is what lies below
`free_thresh`, unknown is not free. `raw` takes 0..100 for percent as they are and ignores `negate`.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from orchestrator.layout.findings import Finding, LayoutError
from orchestrator.layout.outline import Lane, Outline, Place

PIXELS_MAX = 64_000_000
_HEAD = re.compile(rb"(P[25])" + rb"(?:\s|#[^\n]*\n)+(\d{1,9})" * 3)


def refuse(file: str, path: str, text: str, mend: str) -> LayoutError:
    """One finding as an error."""
    return LayoutError([Finding("error", file, path, text, mend)])


def read_pgm(data: bytes, file: str) -> NDArray[np.float64]:
    """Shades 0..1 (rows, columns), row 0 on top. Raises `LayoutError`."""
    head = _HEAD.match(data)
    if head is None:
        mend = "save the image as PGM (magick map.png map.pgm) and name that in the YAML"
        raise refuse(file, "byte 0", "is no PGM (P2 or P5)", mend)
    width, height, top = (int(head[n]) for n in (2, 3, 4))
    if not (0 < width * height <= PIXELS_MAX and 0 < top < 65536):
        text = f"{width} x {height} pixels up to {top} can't be"
        raise refuse(file, "header", text, f"at most {PIXELS_MAX} pixels, grey to 65535")
    body = data[head.end() :]
    if head[1] == b"P5":
        kind = np.dtype(">u2" if top > 255 else "u1")
        body = body[1 : 1 + width * height * kind.itemsize]
        values = np.frombuffer(body[: len(body) // kind.itemsize * kind.itemsize], kind)
    else:
        words = re.sub(rb"#[^\n]*", b"", body).split()[: width * height]
        if any(not word.isdigit() or len(word) > 5 for word in words):
            raise refuse(file, "pixels", "holds what is no number", "write the image anew")
        values = np.array([int(word) for word in words])
    if len(values) != width * height:
        text = f"{len(values)} pixels, {width * height} announced"
        raise refuse(file, "pixels", text, "the image is cut off: write it anew")
    return np.minimum(values.reshape(height, width) / top, 1.0)


def free_space(raw: dict[str, Any], shade: NDArray[np.float64], file: str) -> NDArray[np.bool_]:
    """Where nothing stands, by the map's own rules."""
    below = number(raw, "free_thresh", file, 0.25)
    number(raw, "occupied_thresh", file, 0.65)
    mode = str(raw.get("mode", "trinary")).lower()
    if mode not in ("trinary", "scale", "raw"):
        raise refuse(file, "mode", f"{mode!r} is unknown", "one of trinary, scale, raw")
    if mode == "raw":
        return np.asarray(np.rint(shade * 255) / 100 < below)
    negate = bool(number(raw, "negate", file, 0))
    return np.asarray((shade if negate else 1 - shade) < below)


def number(raw: dict[str, Any], key: str, file: str, default: float | None = None) -> float:
    """A finite number of the map's YAML."""
    value = raw.get(key, default)
    if isinstance(value, bool | int | float) and abs(value) < 1e9:
        return float(value)
    raise refuse(file, key, f"{str(value)[:40]!r} is no number", f"write `{key}: NUMBER`")


def read(raw: dict[str, Any], path: Path, pitch_m: float | None, radius_m: float) -> Outline:
    """The map as a grid of nodes `pitch_m` apart where a robot of `radius_m` may stand and drive.

    Without a pitch, a robot's diameter and a fifth more. The pitch is
    rounded to whole pixels, and the grid is laid where most nodes fit."""
    file = str(path)
    metres = number(raw, "resolution", file)
    origin = raw.get("origin")
    if not 1e-4 <= metres <= 100:
        raise refuse(file, "resolution", f"{metres:g} m per pixel can't be", "metres, as 0.05")
    if not isinstance(origin, list) or len(origin) < 2:
        raise refuse(file, "origin", "is no [x, y, yaw]", "metres and radians, as [0, 0, 0]")
    x, y, yaw = (number({"origin": v}, "origin", file) for v in [*origin, 0][:3])
    image = path.parent / str(raw["image"])
    try:
        data = image.read_bytes()
    except (OSError, ValueError) as error:
        text = f"{raw['image']!r} can't be read: {error}"
        raise refuse(file, "image", text, "name the PGM beside it") from error
    free = free_space(raw, read_pgm(data, str(image)), file)
    step = max(1, round((pitch_m or 2.4 * radius_m) / metres))
    found = []
    if abs(step * metres - (pitch_m or step * metres)) > 0.01 * step * metres:
        text = f"the pitch is {step * metres:g} m, whole pixels"
        found.append(Finding("warning", file, "resolution", text, "take a multiple"))
    # Half a pixel's diagonal to the obstacle's edge; half a pixel between two centres.
    clear = math.hypot(radius_m / metres + math.sqrt(0.5), 0.5)
    room = distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] >= clear
    places, lanes = _grid(np.asarray(room), step)
    rows, cos, sin = len(room), math.cos(yaw), math.sin(yaw)
    made = []
    for row, column in places:
        east, north = (column + 0.5) * metres, (rows - row - 0.5) * metres
        made.append(
            Place(f"{row // step},{column // step}", round(x + east * cos - north * sin, 6),
                  round(y + east * sin + north * cos, 6))
        )  # fmt: skip
    return Outline(path.stem, "ground", made, lanes, found)


def _grid(room: NDArray[np.bool_], step: int) -> tuple[list[tuple[int, int]], list[Lane]]:
    """Pixels (row, column) `step` apart, and two-way lanes where all pixels between are clear."""
    rows, columns = (-(-size // step) for size in room.shape)
    padded = np.zeros((rows * step, columns * step), bool)
    padded[: room.shape[0], : room.shape[1]] = room
    fits = padded.reshape(rows, step, columns, step).sum(axis=(0, 2))
    top, left = (int(v) for v in np.unravel_index(fits.argmax(), fits.shape))
    cells = [
        (top + r * step, left + c * step) for r, c in np.argwhere(padded[top::step, left::step])
    ]
    cells = [(int(row), int(column)) for row, column in cells]
    index = {cell: i for i, cell in enumerate(cells)}
    lanes = []
    for (row, column), here in index.items():
        for ahead, between in (
            ((row, column + step), padded[row, column : column + step]),
            ((row + step, column), padded[row : row + step, column]),
        ):
            if ahead in index and between.all():
                lanes += [Lane(here, index[ahead]), Lane(index[ahead], here)]
    return cells, lanes
