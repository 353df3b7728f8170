"""Instances of the League of Robot Runners 2024: map, robot starts, tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from orchestrator.layout.grid import read_map


class InstanceError(ValueError):
    """An instance that can't be used: file, line, what, and the mend."""


@dataclass(frozen=True, slots=True)
class Instance:
    """`starts` (R,) and each task's errands are cells, row-major over the whole map."""

    name: str
    free: NDArray[np.bool_]  # (rows, columns)
    starts: list[int]
    tasks: list[list[int]]
    reveal: float  # tasks visible per robot
    version: str
    errand: NDArray[np.bool_] | None = None  # (rows, columns) where errands may be; None: anywhere


def load(path: Path) -> Instance:
    """Read an instance and everything it names."""
    try:
        head: Any = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError(f"{path}: can't be read: {error} -> name an instance .json") from error
    except json.JSONDecodeError as error:
        raise InstanceError(f"{path}:{error.lineno}: {error.msg} -> mend the JSON") from error
    try:
        names = [str(head[key]) for key in ("mapFile", "agentFile", "taskFile")]
        team, reveal = int(head["teamSize"]), float(head["numTasksReveal"])
    except (KeyError, TypeError, ValueError) as error:
        raise InstanceError(
            f"{path}: {error!r} is missing or of the wrong kind -> give mapFile, agentFile, "
            "taskFile, teamSize, numTasksReveal"
        ) from error
    files = [path.parent / name for name in names]
    free = read_map(files[0])
    starts = [row[0] for row in _numbers(files[1], free)]
    if not 0 < team <= len(starts):
        raise InstanceError(f"{path}: teamSize {team}, but {len(starts)} starts -> lower it")
    if len(set(starts[:team])) != team:
        raise InstanceError(f"{files[1]}: two robots start in one cell -> move one")
    tasks = _numbers(files[2], free)
    if not tasks or reveal <= 0:
        raise InstanceError(f"{files[2]}: no tasks are revealed -> give at least one")
    _connected(files[2], free, starts[:team], tasks)
    version = str(head.get("version", ""))
    errand = _errand(files[0], free, tasks)
    return Instance(path.stem, free, starts[:team], tasks, reveal, version, errand)


def _connected(
    path: Path, free: NDArray[np.bool_], starts: list[int], tasks: list[list[int]]
) -> None:
    """Each task's errands lie on one part of the floor, and a robot is there."""
    parts = ndimage.label(free)[0].ravel().tolist()
    robots = {parts[cell] for cell in starts}
    for number, errands in enumerate(tasks):
        found = {parts[cell] for cell in errands}
        if len(found) > 1 or not found <= robots:
            raise InstanceError(
                f"{path}: task {number} {errands}: no robot can get to all its cells -> mend the map, "
                "the task, or where robots start"
            )


def _errand(
    path: Path, free: NDArray[np.bool_], tasks: list[list[int]]
) -> NDArray[np.bool_] | None:
    """Cells that the map marks as service points (S) or emitters (E), where it marks any and all tasks
    keep to them."""
    rows = path.read_text().split("map\n", 1)[-1].splitlines()[: len(free)]
    marked = np.array([[cell in "SE" for cell in row[: free.shape[1]]] for row in rows], bool)
    if marked.shape != free.shape:
        return None
    kept = marked.ravel()[[cell for errands in tasks for cell in errands]].all()
    return marked & free if kept else None


def _numbers(path: Path, free: NDArray[np.bool_]) -> list[list[int]]:
    """Rows of cells behind a count; comments begin with #."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError(f"{path}: can't be read: {error} -> mend the instance") from error
    rows: list[list[int]] = []
    count = -1
    flat = free.ravel()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            values = [int(part) for part in text.replace(",", " ").split()]
        except ValueError as error:
            raise InstanceError(f"{path}:{number}: {error} -> write whole numbers") from error
        if not values:
            raise InstanceError(f"{path}:{number}: {text!r} holds no number -> remove the row")
        if count < 0:
            count = values[0]
            continue
        for cell in values:
            if not 0 <= cell < len(flat) or not flat[cell]:
                raise InstanceError(f"{path}:{number}: cell {cell} is not free -> mend the row")
        rows.append(values)
        if len(rows) == count:
            break
    if len(rows) != count:
        raise InstanceError(f"{path}: {count} rows announced, {len(rows)} found -> mend the count")
    return rows
