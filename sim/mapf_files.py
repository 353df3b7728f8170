"""One-shot problems in the movingai format, and a judge that shares no code with planners.

A `.scen` is a line `version 1`, then a row per agent: bucket, map, width, height, start x, start y,
goal x, goal y, optimal length (N. Sturtevant, "Benchmarks for grid-based pathfinding", 2012; R. Stern
et al., "Multi-agent pathfinding: definitions, variants, and benchmarks", SoCS 2019). x counts columns,
y rows, both from 0 at the top left. Agents move to one of four neighbours or stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.layout.grid import UnreadableError, read_map, read_text, whole
from sim.lorr_files import InstanceError

COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Mapf:
    """`starts` and `goals` (A,) are cells, row-major over the whole map; `lines` say where they are
    written."""

    scen: Path
    free: NDArray[np.bool_]  # (rows, columns)
    starts: NDArray[np.int32]
    goals: NDArray[np.int32]
    lines: tuple[int, ...]


def load(map_path: Path, scen: Path, agents: int | None = None) -> Mapf:
    """The first `agents` rows of a scenario (None: all) on its map."""
    free = read_map(map_path)
    lines = _lines(scen)
    count = len(lines) if agents is None else agents
    if count < 1:
        raise InstanceError(f"{scen}: {count} agents -> at least 1")
    if count > len(lines):
        raise InstanceError(
            f"{scen}: {count} agents asked, {len(lines)} there -> ask for fewer (--agents)"
        )
    rows = [
        (number, *_row(f"{scen}:{number}", line, map_path, free)) for number, line in lines[:count]
    ]
    for which, what in ((1, "start"), (2, "goal")):
        seen: dict[int, int] = {}
        for row in rows:
            if row[which] in seen:
                raise InstanceError(
                    f"{scen}:{row[0]}: the same {what} as in line {seen[row[which]]} -> move one, "
                    f"or ask for fewer agents (--agents)"
                )
            seen[row[which]] = row[0]
    starts, goals = (np.array([row[which] for row in rows], np.int32) for which in (1, 2))
    return Mapf(scen, free, starts, goals, tuple(row[0] for row in rows))


def _lines(scen: Path) -> list[tuple[int, str]]:
    """The rows with their line numbers."""
    try:
        lines = read_text(scen).split("\n")
    except UnreadableError as error:
        raise InstanceError(f"{scen}: {error} -> name a .scen file") from error
    if not lines[0].startswith("version"):
        raise InstanceError(f"{scen}:1: no 'version 1' -> is it a movingai .scen file?")
    return [(number, line) for number, line in enumerate(lines[1:], 2) if line.strip()]


def _row(place: str, line: str, map_path: Path, free: NDArray[np.bool_]) -> tuple[int, int]:
    fields = [field.strip() for field in (line.split("\t") if "\t" in line else line.split())]
    if len(fields) != COLUMNS:
        raise InstanceError(
            f"{place}: {len(fields)} fields -> {COLUMNS}: bucket, map, width, height, start x and y, "
            "goal x and y, optimal length"
        )
    try:
        width, height, start_x, start_y, goal_x, goal_y = (whole(field) for field in fields[2:8])
    except ValueError as error:
        raise InstanceError(f"{place}: {error} -> fields 3 to 8 are whole numbers") from error
    named = fields[1].replace("\\", "/").rsplit("/", 1)[-1]
    if named != map_path.name or (height, width) != free.shape:
        raise InstanceError(
            f"{place}: for {named}, {width} x {height}; this map is {map_path.name}, "
            f"{free.shape[1]} x {free.shape[0]} -> give the scenario of this map"
        )
    cells = []
    for what, x, y in (("start", start_x, start_y), ("goal", goal_x, goal_y)):
        if not (0 <= x < width and 0 <= y < height):
            raise InstanceError(f"{place}: {what} ({x}, {y}) is off the map -> mend the row")
        if not free[y, x]:
            raise InstanceError(f"{place}: {what} ({x}, {y}) is an obstacle -> mend the row")
        cells.append(y * width + x)
    return cells[0], cells[1]


def judge(instance: Mapf, plan: NDArray[np.int32]) -> list[str]:
    """What is wrong with a plan (T, A) of cells; at most ten faults."""
    rows, columns = instance.free.shape
    faults = []
    if (plan[0] != instance.starts).any() or (plan[-1] != instance.goals).any():
        faults.append("it does not lead from the starts to the goals")
    free = instance.free.ravel()
    for t, now in enumerate(plan):
        if not free[now].all():
            faults.append(f"time {t}: an agent is in an obstacle")
        if len(np.unique(now)) != len(now):
            faults.append(f"time {t}: two agents are in one cell")
        if t == 0:
            continue
        last = plan[t - 1]
        far = np.abs(now // columns - last // columns) + np.abs(now % columns - last % columns)
        if (far > 1).any():
            faults.append(f"time {t}: an agent jumps")
        was = np.full(rows * columns, -1)
        was[last] = np.arange(len(last))
        other = was[now]  # who was where each one is
        swap = (other >= 0) & (now[other] == last) & (now != last)
        if swap.any():
            faults.append(f"time {t}: two agents change places")
    return faults[:10]
