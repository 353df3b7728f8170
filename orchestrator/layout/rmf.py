"""Open-RMF: `building.yaml` of the traffic editor, and the navigation graphs made from it.

A building's y points down the drawing (`reference_image`), pixels become metres by measurements;
parameters are [type, value]. A graph is in metres, each lane one way, parameters bare.
"""

from __future__ import annotations

import math
from typing import Any

from orchestrator.layout.findings import Finding, LayoutError
from orchestrator.layout.outline import Lane, Outline, Place
from orchestrator.layout.reading import line_of

NOTES = ("pickup_dispenser", "dropoff_ingestor", "is_holding_point", "dock_name")


class Source:
    """A parsed file with its text, for errors that name lines."""

    def __init__(self, raw: dict[str, Any], text: str, file: str) -> None:
        self.raw, self.text, self.file = raw, text, file

    def refuse(self, path: tuple[str | int, ...], text: str, mend: str) -> LayoutError:
        """An error at a key path."""
        line, where = line_of(self.text, path), ".".join(map(str, path))
        place = f"{where} (line {line})" if line else where
        return LayoutError([Finding("error", self.file, place, text, mend)])

    def rows(self, path: tuple[str | int, ...], value: Any, least: int) -> list[list[Any]]:
        """A list of lists of at least so many items."""
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.refuse(path, "is no list", "see the traffic editor's format")
        for number, row in enumerate(value):
            if not isinstance(row, list) or len(row) < least:
                text = f"is no list of {least} items or more"
                raise self.refuse((*path, number), text, "mend the row")
        return value


def is_graph(raw: dict[str, Any]) -> bool:
    """A navigation graph's vertices are [x, y, {parameters}]."""
    levels = raw.get("levels")
    for level in levels.values() if isinstance(levels, dict) else ():
        rows = level.get("vertices") if isinstance(level, dict) else None
        if isinstance(rows, list) and rows and isinstance(rows[0], list):
            return len(rows[0]) == 3 and isinstance(rows[0][2], dict)
    return False


def read(source: Source, name: str, level: str | None, graph: int) -> Outline:
    """One level of a building or graph. Raises `LayoutError`."""
    levels = source.raw.get("levels")
    if not isinstance(levels, dict) or not levels:
        raise source.refuse(("levels",), "holds no levels", "see the traffic editor's format")
    found = []
    if level is None:
        level = next((n for n, v in levels.items() if isinstance(v, dict) and v.get("lanes")),
                     next(iter(levels)))  # fmt: skip
        if len(levels) > 1:
            text, names = f"only level {level} is read", ", ".join(map(str, levels))
            found.append(Finding("warning", source.file, "levels", text, f"--level: {names}"))
    body, path = levels.get(level), ("levels", level)
    if not isinstance(body, dict):
        known = ", ".join(map(str, levels))
        raise source.refuse(path, f"there is no level {level!r}", f"--level: one of {known}")
    bare = is_graph(source.raw)
    vertices = source.rows((*path, "vertices"), body.get("vertices"), 2)
    points = [_point(source, (*path, "vertices", n), row) for n, row in enumerate(vertices)]
    scale = 1.0 if bare else _scale(source, path, body, points)
    up = 1 if bare or source.raw.get("coordinate_system") == "cartesian_meters" else -1
    lanes, used = _lanes(source, path, body, len(points), None if bare else graph)
    places: list[Place] = []
    number: dict[int, int] = {}
    taken: set[str] = set()
    for index in sorted(used):
        number[index] = len(places)
        place = _place(vertices[index], points[index], index, scale, up, bare, taken)
        places.append(place)
        taken.add(place.id)
    made = [Lane(number[a], number[b], speed, rear) for a, b, speed, rear in lanes]
    return Outline(name, str(level), places, made, found)


def _number(source: Source, path: tuple[str | int, ...], value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
        return float(value)
    raise source.refuse(path, f"{str(value)[:40]!r} is no number", "write a finite number")


def _point(source: Source, path: tuple[str | int, ...], row: list[Any]) -> tuple[float, float]:
    return _number(source, path, row[0]), _number(source, path, row[1])


def _parameters(row: list[Any], at: int) -> dict[str, Any]:
    """Bare values of [type, value] parameters; of bare ones too."""
    given = row[at] if len(row) > at and isinstance(row[at], dict) else {}
    return {
        key: value[1] if isinstance(value, list) and len(value) == 2 else value
        for key, value in given.items()
    }


def _scale(
    source: Source, path: tuple[str, Any], body: dict[str, Any], points: list[tuple[float, float]]
) -> float:
    """Metres per unit: the mean over all measurements."""
    system = source.raw.get("coordinate_system", "reference_image")
    if system == "cartesian_meters":
        return 1.0
    if system != "reference_image":
        mend = "convert the navigation graph made from it instead"
        raise source.refuse(("coordinate_system",), f"{system!r} is not read here", mend)
    ratios = []
    for n, row in enumerate(source.rows((*path, "measurements"), body.get("measurements"), 2)):
        where = (*path, "measurements", n)
        a, b = (_index(source, where, value, len(points)) for value in row[:2])
        length = math.dist(points[a], points[b])
        metres = _number(source, where, _parameters(row, 2).get("distance"))
        if not (length > 0 and metres > 0):
            raise source.refuse(where, "measures nothing", "draw it between two places apart")
        ratios.append(metres / length)
    if not ratios:
        text = "no measurement says how large a pixel is"
        raise source.refuse((*path, "measurements"), text, "add one in the traffic editor")
    return sum(ratios) / len(ratios)


def _index(source: Source, path: tuple[str | int, ...], value: Any, count: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count:
        return value
    mend = f"the level has {count} vertices, counted from 0"
    raise source.refuse(path, f"there is no vertex {str(value)[:20]}", mend)


def _lanes(
    source: Source, path: tuple[str, Any], body: dict[str, Any], count: int, graph: int | None
) -> tuple[list[tuple[int, int, float, bool]], set[int]]:
    made: list[tuple[int, int, float, bool]] = []
    graphs: set[Any] = set()
    for number, row in enumerate(source.rows((*path, "lanes"), body.get("lanes"), 2)):
        where, given = (*path, "lanes", number), _parameters(row, 2)
        graphs.add(str(given.get("graph_idx", 0)))
        if graph is not None and given.get("graph_idx", 0) != graph:
            continue
        a, b = (_index(source, where, value, count) for value in row[:2])
        speed = _number(source, where, given.get("speed_limit") or 0)
        rear = (given.get("orientation") or given.get("orientation_constraint")) == "backward"
        made.append((a, b, max(0.0, speed), rear))
        if given.get("bidirectional") or given.get("is_bidirectional"):
            constrained = given.get("orientation") or given.get("orientation_constraint")
            made.append((b, a, max(0.0, speed), bool(constrained) and not rear))
    if not made:
        known = f"; it has graphs {', '.join(sorted(graphs))}" if graphs else ""
        mend = f"choose with --level and --graph{known}"
        raise source.refuse((*path, "lanes"), "there are no lanes of this graph", mend)
    return made, {end for lane in made for end in lane[:2]}


def _place(
    row: list[Any], point: tuple[float, float], index: int, scale: float, up: int, bare: bool,
    names: set[str],
) -> Place:  # fmt: skip
    given = _parameters(row, 2 if bare else 4)
    name = given.get("name") if bare else row[3] if len(row) > 3 else ""
    name = str(name) if name else f"v{index}"
    while name in names:
        name = f"{name}#{index}"
    kind = "charger" if given.get("is_charger") else ""
    kind = kind or ("parking" if given.get("is_parking_spot") else "")
    note = "; ".join(
        key if given[key] is True else f"{key} {given[key]}" for key in NOTES if given.get(key)
    )
    x, y = round(point[0] * scale, 6), round(up * point[1] * scale, 6)
    return Place(name, x, y, kind, note)
