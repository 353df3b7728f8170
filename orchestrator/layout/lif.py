"""VDMA Layout Interchange Format 1.0.0: reading, checking, and mending angles.

https://github.com/continua-systems/vdma-lif. Angles in radians, lengths in metres.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.layout.findings import Finding

VERSIONS = ("1.0.0", "1.0", "0.11.0")
ANGLE_KEYS = ("theta", "vehicleOrientation")
COORDINATE_M_MAX = 10_000.0
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    """Keys we don't read are tolerated, as the standard asks."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=False)


class Position(_Part):
    """Metres; `theta` in radians."""

    x: Number
    y: Number
    theta: Number | None = None


class Action(_Part):
    """Something a vehicle does at a node or along an edge."""

    actionType: str
    blockingType: str


class NodeProperties(_Part):
    """What a vehicle type does at a node."""

    vehicleTypeId: str
    theta: Number | None = None
    actions: tuple[Action, ...] = ()


class Node(_Part):
    """A place on the floor."""

    nodeId: str = Field(min_length=1)
    nodePosition: Position
    mapId: str = ""
    vehicleTypeNodeProperties: tuple[NodeProperties, ...]


class ControlPoint(_Part):
    """Of a trajectory."""

    x: Number
    y: Number
    weight: Number = 1.0


class Trajectory(_Part):
    """A NURBS curve."""

    knotVector: tuple[Number, ...]
    controlPoints: tuple[ControlPoint, ...]
    degree: int = 1


class EdgeProperties(_Part):
    """How a vehicle type drives an edge."""

    vehicleTypeId: str
    vehicleOrientation: Number | None = None
    orientationType: str = "TANGENTIAL"
    rotationAllowed: bool | None = None
    maxSpeed: Number | None = None
    trajectory: Trajectory | None = None


class Edge(_Part):
    """A directed way between two nodes."""

    edgeId: str = Field(min_length=1)
    startNodeId: str
    endNodeId: str
    vehicleTypeEdgeProperties: tuple[EdgeProperties, ...]


class Station(_Part):
    """A place of interaction; its nodes in the sequence in which they are driven."""

    stationId: str = Field(min_length=1)
    interactionNodeIds: tuple[str, ...]
    stationName: str = ""


class Layout(_Part):
    """One level of a building."""

    layoutId: str
    layoutVersion: str
    layoutLevelId: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    stations: tuple[Station, ...]


class MetaInformation(_Part):
    """Who wrote the file."""

    projectIdentification: str
    creator: str
    exportTimestamp: str
    lifVersion: str


class Lif(_Part):
    """A LIF file."""

    metaInformation: MetaInformation
    layouts: tuple[Layout, ...] = Field(min_length=1)


def json_path(parts: tuple[int | str, ...]) -> str:
    """("layouts", 0, "nodes", 3) -> $.layouts[0].nodes[3]"""
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)


def read(text: str, file: str) -> tuple[Lif | None, list[Finding]]:
    """Parse and check a LIF file by itself. None where its structure does not hold."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        mend = "mend the JSON there; many editors mark the place"
        return None, [Finding("error", file, place, f"broken JSON: {error.msg}", mend)]
    except RecursionError:
        return None, [Finding("error", file, "$", "nested too deeply", "this is no LIF file")]
    try:
        lif = Lif.model_validate(raw)
    except ValidationError as error:
        return None, [_structural(problem, file) for problem in error.errors()]
    return lif, [*_version(lif, file), *angles(raw, file), *_semantics(lif, file)]


def _structural(problem: Any, file: str) -> Finding:
    what = "missing" if problem["type"] == "missing" else problem["msg"]
    mend = "see the LIF 1.0.0 schema for what belongs there"
    return Finding("error", file, json_path(problem["loc"]), what, mend)


def _version(lif: Lif, file: str) -> list[Finding]:
    version = lif.metaInformation.lifVersion
    if version in VERSIONS:
        return []
    text = f"LIF version {version!r} is not known here"
    mend = f"export it as one of {', '.join(VERSIONS)}, or update Lightsout"
    return [Finding("error", file, "$.metaInformation.lifVersion", text, mend)]


def angles(raw: Any, file: str) -> list[Finding]:
    """Angles beyond a full turn are degrees."""
    found: list[Finding] = []
    for path, value in _angles(raw, ()):
        if abs(value) > 2 * math.pi + 1e-6:
            text = f"{value:g} is no angle in radians: it looks like degrees"
            mend = f"lightsout layout convert {file} --angles degrees --out MENDED.json"
            found.append(Finding("error", file, json_path(path), text, mend))
    return found


def _angles(value: Any, path: tuple[int | str, ...]) -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ANGLE_KEYS and isinstance(item, int | float):
                yield (*path, key), item
            else:
                yield from _angles(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _angles(item, (*path, index))


def _semantics(lif: Lif, file: str) -> list[Finding]:
    found: list[Finding] = []
    for number, layout in enumerate(lif.layouts):
        base = f"$.layouts[{number}]"
        positions = {node.nodeId: node.nodePosition for node in layout.nodes}
        found += _duplicates(file, f"{base}.nodes", [node.nodeId for node in layout.nodes])
        found += _duplicates(file, f"{base}.edges", [edge.edgeId for edge in layout.edges])
        found += _duplicates(file, f"{base}.stations", [s.stationId for s in layout.stations])
        for index, node in enumerate(layout.nodes):
            position = node.nodePosition
            if max(abs(position.x), abs(position.y)) > COORDINATE_M_MAX:
                path = f"{base}.nodes[{index}].nodePosition"
                text = f"({position.x:g}, {position.y:g}) m lies outside any building"
                found.append(Finding("error", file, path, text, "positions are in metres"))
        for index, edge in enumerate(layout.edges):
            found += _edge(file, f"{base}.edges[{index}]", edge, positions)
        for index, station in enumerate(layout.stations):
            for place, name in enumerate(station.interactionNodeIds):
                if name not in positions:
                    path = f"{base}.stations[{index}].interactionNodeIds[{place}]"
                    found.append(_unresolved(file, path, name))
    return found


def _duplicates(file: str, path: str, ids: list[str]) -> list[Finding]:
    twice = [name for name, count in Counter(ids).items() if count > 1]
    return [
        Finding("error", file, f"{path}[{ids.index(name)}]", f"id {name!r} is used twice", "rename one")
        for name in twice
    ]


def _unresolved(file: str, path: str, name: str) -> Finding:
    return Finding("error", file, path, f"no node has the id {name!r}", "add the node or mend the id")


def _edge(file: str, path: str, edge: Edge, positions: dict[str, Position]) -> list[Finding]:
    found = []
    for key in ("startNodeId", "endNodeId"):
        if getattr(edge, key) not in positions:
            found.append(_unresolved(file, f"{path}.{key}", getattr(edge, key)))
    if found:
        return found
    start, end = positions[edge.startNodeId], positions[edge.endNodeId]
    if math.hypot(end.x - start.x, end.y - start.y) < 0.01:
        text = f"edge {edge.edgeId!r} has no length"
        found.append(Finding("error", file, path, text, "move one of its nodes, or remove the edge"))
    for index, properties in enumerate(edge.vehicleTypeEdgeProperties):
        if properties.maxSpeed is not None and properties.maxSpeed <= 0:
            where = f"{path}.vehicleTypeEdgeProperties[{index}].maxSpeed"
            found.append(Finding("error", file, where, "must be above zero", "give a speed in m/s"))
    return found


def convert_angles(text: str) -> str:
    """Degrees to radians, everything else untouched."""

    def mend(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: math.radians(item)
                if key in ANGLE_KEYS and isinstance(item, int | float)
                else mend(item)
                for key, item in value.items()
            }
        return [mend(item) for item in value] if isinstance(value, list) else value

    return json.dumps(mend(json.loads(text)), indent=2, ensure_ascii=False) + "\n"
