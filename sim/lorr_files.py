"""Instances of the League of Robot Runners 2024: map, robot starts, tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from orchestrator.layout.grid import UnreadableError, cells, map_rows, read_text, whole

FILES = ("mapFile", "agentFile", "taskFile")
KINDS: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(FILES, (str, "a file name")),
    "teamSize": (int, "a whole number"),
    "numTasksReveal": (int | float, "a number"),
}
KEYS = ", ".join(KINDS)
VISIBLE_MAX = 100_000  # tasks that may be open at a time


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
    head = _head(path)
    team, reveal = head["teamSize"], head["numTasksReveal"]
    map_file, agent_file, task_file = files(path, head)
    rows = map_rows(map_file)
    free = cells(rows, ".GSE")
    starts = _starts(path, agent_file, free, team)
    tasks = _numbers(task_file, free)
    if not 1 <= reveal * team <= VISIBLE_MAX:
        raise InstanceError(
            f"{path}: numTasksReveal {str(reveal)[:20]}, times {team} robots, is how many tasks are "
            f"visible at a time -> make it 1 to {VISIBLE_MAX}"
        )
    _connected(task_file, free, starts, tasks)
    errand = _errand(rows, free, [task for _, task in tasks])
    version = str(head.get("version", ""))
    return Instance(
        path.stem, free, starts, [task for _, task in tasks], float(reveal), version, errand
    )


def files(path: Path, head: dict[str, Any] | None = None) -> list[Path]:
    """Map, agents and tasks of an instance, by its own text (`head`) or read from there."""
    named = _head(path) if head is None else head
    return [path.parent / named[key] for key in FILES]


def _head(path: Path) -> dict[str, Any]:
    """The instance's own text: all of `KINDS` are there and of their kind."""
    try:
        head: Any = json.loads(read_text(path))
    except UnreadableError as error:
        raise InstanceError(f"{path}: {error} -> name an instance .json") from error
    except json.JSONDecodeError as error:
        raise InstanceError(f"{path}:{error.lineno}: {error.msg} -> mend the JSON") from error
    except (RecursionError, ValueError) as error:
        what = "nested too deep" if isinstance(error, RecursionError) else str(error).split(";")[0]
        raise InstanceError(f"{path}: {what} -> mend the JSON") from error
    if not isinstance(head, dict):
        raise InstanceError(f"{path}: is no JSON object -> give one with {KEYS}")
    for key, (kind, what) in KINDS.items():
        if key not in head:
            raise InstanceError(f"{path}: {key} is missing -> give {KEYS}")
        value = head[key]
        if not isinstance(value, kind) or isinstance(value, bool) or value == "":
            raise InstanceError(f"{path}: {key} is {json.dumps(value)[:40]} -> write {what}")
    return head


def _starts(path: Path, agents: Path, free: NDArray[np.bool_], team: int) -> list[int]:
    """Where the team starts, each in a cell of its own."""
    rows = _numbers(agents, free)
    if team < 1:
        raise InstanceError(f"{path}: teamSize {team} -> make it 1 at least")
    if team > len(rows):
        raise InstanceError(
            f"{path}: teamSize {str(team)[:20]}, but {len(rows)} starts -> lower it, or give more"
        )
    seen: dict[int, int] = {}
    for number, (cell, *more) in rows[:team]:
        if more:
            raise InstanceError(
                f"{agents}:{number}: a start is one cell -> remove {str(more)[:40]}"
            )
        if cell in seen:
            raise InstanceError(
                f"{agents}:{number}: robot starts in cell {cell}, as that of line {seen[cell]} does "
                "-> move one"
            )
        seen[cell] = number
    return list(seen)


def _connected(
    path: Path, free: NDArray[np.bool_], starts: list[int], tasks: list[tuple[int, list[int]]]
) -> None:
    """Each task's errands lie on one part of the floor, and a robot is there."""
    parts = ndimage.label(free)[0].ravel().tolist()
    robots = {parts[cell] for cell in starts}
    for number, errands in tasks:
        found = {parts[cell] for cell in errands}
        if len(found) > 1 or not found <= robots:
            raise InstanceError(
                f"{path}:{number}: no robot can get to all cells of the task {str(errands)[:40]} "
                "-> mend the map, the task, or where robots start"
            )


def _errand(
    rows: list[str], free: NDArray[np.bool_], tasks: list[list[int]]
) -> NDArray[np.bool_] | None:
    """Cells that the map marks as service points (S) or emitters (E), where it marks any and all tasks
    keep to them."""
    marked = cells(rows, "SE")
    kept = marked.ravel()[[cell for errands in tasks for cell in errands]].all()
    return marked & free if kept else None


def _numbers(path: Path, free: NDArray[np.bool_]) -> list[tuple[int, list[int]]]:
    """Rows of cells behind a count, each with its line's number; comments begin with #."""
    try:
        lines = read_text(path).split("\n")
    except UnreadableError as error:
        raise InstanceError(f"{path}: {error} -> mend the instance") from error
    rows: list[tuple[int, list[int]]] = []
    count = -1
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        place = f"{path}:{number}"
        try:
            values = [whole(part) for part in text.replace(",", " ").split()]
        except ValueError as error:
            raise InstanceError(f"{place}: {error} -> write whole numbers") from error
        if not values:
            raise InstanceError(f"{place}: {text[:40]!r} holds no number -> remove the row")
        if count < 0:
            count = values[0]
            if count < 1 or len(values) > 1:
                raise InstanceError(f"{place}: {text[:40]!r} -> write how many rows follow")
            continue
        for cell in values:
            _is_free(place, free, cell)
        rows.append((number, values))
        if len(rows) == count:
            break
    if count < 0:
        raise InstanceError(f"{path}: is empty -> write how many rows follow, and these")
    if len(rows) != count:
        raise InstanceError(f"{path}: {count} rows announced, {len(rows)} found -> mend the count")
    return rows


def _is_free(place: str, free: NDArray[np.bool_], cell: int) -> None:
    if not 0 <= cell < free.size:
        raise InstanceError(
            f"{place}: cell {cell} is off the map, which has 0 to {free.size - 1} -> mend the row"
        )
    row, column = divmod(cell, free.shape[1])
    if not free[row, column]:
        raise InstanceError(
            f"{place}: cell {cell} (row {row}, column {column}) is an obstacle -> mend the row"
        )
