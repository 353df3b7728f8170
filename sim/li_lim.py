"""Pickup and delivery instances of Li and Lim, and a judge that shares no code with planners.

Source: H. Li, A. Lim, "A metaheuristic for the pickup and delivery problem with time windows",
ICTAI 2001; format and best known values as kept by SINTEF (sintef.no/projectweb/top/pdptw). First
line: vehicles, capacity, speed (unused: 1); then one row per task: number, x, y, demand, earliest,
latest, service, pickup, delivery. Row 0 is the depot. Distance and travel time are Euclidean in
double precision. Objective: vehicles, then distance.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planners.protocols import TourProblem

COLUMNS = 9
TASKS_MAX = 5000
SCALE = 10_000  # integers of the planner per unit of the instance
PRICE_VEHICLE = 10**12  # above any distance, below any drop
PRICE_DROP = 10**14
EPSILON = 1e-6  # rounding in sums of doubles


class LiLimError(ValueError):
    """An instance or answer that can't be used: file, line, what, and the mend."""


@dataclass(frozen=True, slots=True)
class Task:
    """One row. `sibling` is the other task of the pair, 0 at the depot; demand > 0 picks up."""

    x: float
    y: float
    demand: int
    earliest: float
    latest: float
    service: float
    sibling: int


@dataclass(frozen=True, slots=True)
class LiLim:
    """`tasks[0]` is the depot, and begins and ends every route."""

    name: str
    vehicles: int
    capacity: int
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge found; `faults` empty: the answer is feasible."""

    vehicles: int
    distance: float
    faults: tuple[str, ...]


def find(path: Path) -> Path:
    """The file itself, or the instance of this name in the data folder (LIGHTSOUT_DATA, default
    ../shared beside the project)."""
    if path.exists() or len(path.parts) > 1:
        return path
    root = Path(__file__).parents[1]
    data = Path(os.environ.get("LIGHTSOUT_DATA", root.parent / "shared"))
    there = (data if data.is_absolute() else root / data) / "data" / "li_lim" / path.name
    named = there if there.suffix else there.with_name(there.name + ".txt")
    if not named.exists():
        raise LiLimError(f"{path}: neither here nor {named} -> name a file or set LIGHTSOUT_DATA")
    return named


def load(path: Path) -> LiLim:
    """Read an instance; LiLimError names the line and the mend."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LiLimError(f"{path}: can't be read: {error} -> name a Li & Lim .txt") from error
    rows = list(_rows(path, lines))
    if not rows:
        raise LiLimError(f"{path}:1: empty -> begin with: vehicles capacity speed")
    number, head = rows[0]
    if len(head) != 3 or not all(_whole(v) and v > 0 for v in head[:2]):
        raise LiLimError(
            f"{path}:{number}: {len(head)} values -> begin with: vehicles capacity speed"
        )
    if not 2 < len(rows) <= TASKS_MAX:
        raise LiLimError(
            f"{path}:{number}: {len(rows) - 1} tasks -> give the depot and 2 to {TASKS_MAX} tasks"
        )
    tasks = tuple(_task(path, at, row, len(rows) - 1, i) for i, (at, row) in enumerate(rows[1:]))
    _pairs(path, [at for at, _ in rows[1:]], tasks)
    return LiLim(path.stem, int(head[0]), int(head[1]), tasks)


def _whole(value: float) -> bool:
    return value == int(value)


def _rows(path: Path, lines: list[str]) -> Iterator[tuple[int, list[float]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = [float(part) for part in line.split()]
        except ValueError as error:
            raise LiLimError(f"{path}:{number}: {error} -> write numbers only") from error
        if not all(math.isfinite(v) and abs(v) < 1e9 for v in values):
            raise LiLimError(f"{path}:{number}: a number is out of range -> stay below 1e9")
        yield number, values


def _task(path: Path, number: int, row: list[float], count: int, expected: int) -> Task:
    if len(row) != COLUMNS:
        raise LiLimError(
            f"{path}:{number}: {len(row)} values -> give {COLUMNS}: task x y demand earliest latest "
            "service pickup delivery"
        )
    if row[0] != expected:
        raise LiLimError(f"{path}:{number}: task {row[0]:g} -> number the rows, here {expected}")
    if not all(_whole(row[column]) for column in (3, 7, 8)):
        raise LiLimError(f"{path}:{number}: a fraction -> demand, pickup, delivery are whole")
    if row[4] > row[5] or row[4] < 0 or row[6] < 0:
        raise LiLimError(
            f"{path}:{number}: window {row[4]:g}..{row[5]:g}, service {row[6]:g} -> "
            "earliest <= latest, nothing below zero"
        )
    pickup, delivery, demand = int(row[7]), int(row[8]), int(row[3])
    if expected == 0:
        if pickup or delivery or demand:
            raise LiLimError(f"{path}:{number}: the depot has a demand or partner -> write zeros")
    elif (pickup == 0) == (delivery == 0) or not 0 < pickup + delivery < count:
        raise LiLimError(
            f"{path}:{number}: pickup {pickup}, delivery {delivery} -> one is 0, the other a task"
        )
    elif (demand <= 0) == (pickup == 0):
        raise LiLimError(f"{path}:{number}: demand {demand} -> above zero picks up, below delivers")
    return Task(row[1], row[2], demand, row[4], row[5], row[6], pickup + delivery)


def _pairs(path: Path, numbers: list[int], tasks: tuple[Task, ...]) -> None:
    for i, task in enumerate(tasks[1:], 1):
        other = tasks[task.sibling]
        if other.sibling != i or other.demand != -task.demand:
            raise LiLimError(
                f"{path}:{numbers[i]}: task {i} and its partner {task.sibling} don't match -> each "
                "names the other, with demands d and -d"
            )


def best_known(path: Path) -> tuple[int, float] | None:
    """Vehicles and distance from `best_known.json` beside the instance; None: not listed."""
    table = path.parent / "best_known.json"
    if not table.exists():
        return None
    try:
        entry: Any = json.loads(table.read_text()).get(path.stem)
        return None if entry is None else (int(entry["vehicles"]), float(entry["distance"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LiLimError(
            f'{table}: {error!r} -> {{"NAME": {{"vehicles": 1, "distance": 1.0}}}}'
        ) from error


def judge(instance: LiLim, routes: Sequence[Sequence[int]]) -> Verdict:
    """Check routes (tasks without the depot) against every rule, in doubles."""
    faults: list[str] = []
    tasks = instance.tasks
    seen: dict[int, int] = {}
    distance = 0.0
    used = [route for route in routes if route]
    if len(used) > instance.vehicles:
        faults.append(f"{len(used)} routes, but {instance.vehicles} vehicles")
    for number, route in enumerate(used, 1):
        strangers = [task for task in route if not 0 < task < len(tasks)]
        if strangers:
            faults.append(f"route {number}: no such task {strangers[0]}")
            continue
        for task in route:
            if task in seen:
                faults.append(f"task {task} is served twice (routes {seen[task]} and {number})")
            seen[task] = number
        distance += _drive(instance, number, route, faults)
    faults += [f"task {task} is not served" for task in range(1, len(tasks)) if task not in seen]
    return Verdict(len(used), distance, tuple(faults))


def _drive(instance: LiLim, number: int, route: Sequence[int], faults: list[str]) -> float:
    """Drive one route and note its faults; return its length."""
    tasks = instance.tasks
    clock, load, length, here = tasks[0].earliest, 0, 0.0, tasks[0]
    aboard: set[int] = set()
    for name in route:
        task = tasks[name]
        leg = math.hypot(task.x - here.x, task.y - here.y)
        length += leg
        clock = max(clock + leg, task.earliest)
        if clock > task.latest + EPSILON:
            faults.append(f"route {number}: task {name} at {clock:.3f}, latest {task.latest:g}")
        clock += task.service
        load += task.demand
        if load > instance.capacity:
            faults.append(f"route {number}: {load} aboard after task {name}")
        if task.demand > 0:
            aboard.add(name)
        elif task.sibling not in aboard:
            faults.append(f"route {number}: task {name} without its pickup {task.sibling} before")
        else:
            aboard.discard(task.sibling)
        here = task
    faults += [f"route {number}: task {name} is never delivered" for name in sorted(aboard)]
    leg = math.hypot(tasks[0].x - here.x, tasks[0].y - here.y)
    if clock + leg > tasks[0].latest + EPSILON:
        faults.append(f"route {number}: back at {clock + leg:.3f}, latest {tasks[0].latest:g}")
    return length + leg


def pickups(instance: LiLim) -> list[int]:
    """The tasks that pick up, in rows' order: request q of `problem` is pickup q."""
    return [i for i, task in enumerate(instance.tasks) if task.demand > 0]


def problem(instance: LiLim) -> TourProblem:
    """The instance for a tour planner; unit: 1/SCALE of the instance's, distances rounded up, so
    that what is in time in whole numbers is in time in doubles."""
    tasks, count = instance.tasks, instance.vehicles
    spot = np.array([[task.x, task.y] for task in tasks])
    exact = np.hypot(*(spot[:, None] - spot[None]).transpose(2, 0, 1))
    matrix = np.ceil(np.round(exact * SCALE, 3)).astype(np.int64)
    pairs = np.array([[i, tasks[i].sibling] for i in pickups(instance)], np.int32)

    def column(name: str) -> Any:
        values = np.array([getattr(task, name) for task in tasks], np.float64)
        return np.round(values * SCALE).astype(np.int64)[pairs]

    def each(value: float) -> Any:
        return np.full(count, round(value), np.int64)

    return TourProblem(
        travel_ms=matrix,
        length_mm=matrix,
        start=np.zeros(count, np.int32),
        end=np.zeros(count, np.int32),
        free_ms=each(tasks[0].earliest * SCALE),
        until_ms=each(tasks[0].latest * SCALE),
        capacity=each(instance.capacity),
        reach_mm=each(2**60),
        fixed_ms=each(PRICE_VEHICLE),
        place=pairs,
        open_ms=column("earliest"),
        close_ms=column("latest"),
        service_ms=column("service"),
        units=np.array([tasks[i].demand for i in pairs[:, 0]], np.int64),
        drop_ms=np.full(len(pairs), PRICE_DROP, np.int64),
        aboard=np.full(len(pairs), -1, np.int32),
        prefix=((),) * count,
    )


def routes(instance: LiLim, stops: Sequence[Sequence[int]]) -> list[list[int]]:
    """A plan's stops as the instance's tasks, empty tours left out."""
    names = pickups(instance)
    pairs = [(i, instance.tasks[i].sibling) for i in names]
    return [[pairs[stop // 2][stop % 2] for stop in tour] for tour in stops if tour]


def write(instance: LiLim, routes: Sequence[Sequence[int]], path: Path) -> None:
    """Write the routes as SINTEF publishes them."""
    lines = [f"Instance name : {instance.name}", "Solution"]
    lines += [f"Route {i} : {' '.join(map(str, route))}" for i, route in enumerate(routes, 1)]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
    except OSError as error:
        raise LiLimError(f"{path}: can't be written: {error} -> name another --out") from error
