"""VDMA Layout Interchange Format 1.0.0: reading, and mending angles.

https://github.com/continua-systems/vdma-lif. Angles in radians, lengths in metres. The models hold
what its JSON schema asks (required keys, types, enumerations), keys we don't read included.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from orchestrator.layout.findings import Finding, json_path
from orchestrator.layout.reading import at_least

ANGLE_KEYS = ("theta", "vehicleOrientation")


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("null is no value: leave the key out")
    return value


GIVEN = BeforeValidator(_given)
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
MaybeNumber = Annotated[Number | None, GIVEN]
MaybeBool = Annotated[StrictBool | None, GIVEN]
Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    """Keys the schema does not name are tolerated, as the standard asks."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Position(_Part):
    """Metres."""

    x: Number
    y: Number


class StationPosition(Position):
    """Metres and radians."""

    theta: MaybeNumber = None


class ActionParameter(_Part):
    """Passed on to the vehicle."""

    key: str
    value: str


class Action(_Part):
    """Something a vehicle does at a node or along an edge."""

    actionType: str
    blockingType: Literal["NONE", "SOFT", "HARD"]
    requirementType: Literal["REQUIRED", "CONDITIONAL", "OPTIONAL"] = "OPTIONAL"
    actionDescription: str = ""
    actionParameters: tuple[ActionParameter, ...] = ()


class NodeProperties(_Part):
    """What a vehicle type does at a node; `theta` in radians."""

    vehicleTypeId: str
    theta: MaybeNumber = None
    actions: tuple[Action, ...] = ()


class Node(_Part):
    """A place on the floor."""

    nodeId: Name
    nodePosition: Position
    vehicleTypeNodeProperties: tuple[NodeProperties, ...]
    nodeName: str = ""
    nodeDescription: str = ""
    mapId: str = ""


class ControlPoint(_Part):
    """Of a trajectory."""

    x: Number
    y: Number
    weight: Number = 1.0


class Trajectory(_Part):
    """A NURBS curve."""

    knotVector: tuple[Number, ...]
    controlPoints: tuple[ControlPoint, ...]
    degree: Annotated[int, Field(strict=True)] = 3


class LoadRestriction(_Part):
    """With which loads an edge may be driven."""

    unloaded: StrictBool
    loaded: StrictBool
    loadSetNames: tuple[str, ...] = ()


class EdgeProperties(_Part):
    """How a vehicle type drives an edge; radians, m/s, rad/s, m."""

    vehicleTypeId: str
    vehicleOrientation: MaybeNumber = None
    orientationType: Literal["TANGENTIAL", "GLOBAL"] = "TANGENTIAL"
    rotationAllowed: MaybeBool = None
    rotationAtStartNodeAllowed: str = ""
    rotationAtEndNodeAllowed: str = ""
    maxSpeed: MaybeNumber = None
    maxRotationSpeed: MaybeNumber = None
    minHeight: MaybeNumber = None
    maxHeight: MaybeNumber = None
    loadRestriction: Annotated[LoadRestriction | None, GIVEN] = None
    trajectory: Annotated[Trajectory | None, GIVEN] = None
    actions: tuple[Action, ...] = ()
    reentryAllowed: MaybeBool = None


class Edge(_Part):
    """A directed way between two nodes."""

    edgeId: Name
    startNodeId: str
    endNodeId: str
    vehicleTypeEdgeProperties: tuple[EdgeProperties, ...]


class Station(_Part):
    """A place of interaction; its nodes in the sequence in which they are driven."""

    stationId: Name
    interactionNodeIds: tuple[str, ...]
    stationName: str = ""
    stationDescription: str = ""
    stationHeight: MaybeNumber = None
    stationPosition: Annotated[StationPosition | None, GIVEN] = None


class Layout(_Part):
    """One level of a building."""

    layoutId: str
    layoutVersion: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    stations: tuple[Station, ...]
    layoutName: str = ""
    layoutLevelId: str = ""
    layoutDescription: str = ""


class MetaInformation(_Part):
    """Who wrote the file."""

    projectIdentification: str
    creator: str
    exportTimestamp: str
    lifVersion: str


class Lif(_Part):
    """A LIF file."""

    metaInformation: MetaInformation
    layouts: Annotated[tuple[Layout, ...], at_least(1)]


def read(text: str, file: str) -> tuple[Lif | None, list[Finding]]:
    """Parse a LIF file, check structure and angles. None where the structure does not hold."""
    try:
        raw = json.loads(text)
        wrong = angles(raw, file)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        mend = "mend the JSON there; many editors mark the place"
        return None, [Finding("error", file, place, f"broken JSON: {error.msg}", mend)]
    except RecursionError:
        return None, [Finding("error", file, "$", "nested too deeply", "this is no LIF file")]
    except ValueError as error:  # a number of thousands of digits
        return None, [Finding("error", file, "$", f"broken JSON: {error}", "mend the number")]
    try:
        return Lif.model_validate(raw), wrong
    except ValidationError as error:
        return None, [*(_structural(problem, file) for problem in error.errors()), *wrong]


def _structural(problem: Any, file: str) -> Finding:
    what = "missing" if problem["type"] == "missing" else problem["msg"]
    mend = "see the LIF 1.0.0 schema for what belongs there"
    return Finding("error", file, json_path(problem["loc"]), what, mend)


def angles(raw: Any, file: str) -> list[Finding]:
    """Angles beyond a full turn are degrees."""
    found: list[Finding] = []
    for path, value in _angles(raw, ()):
        if abs(value) > 2 * math.pi + 1e-6:
            text = f"{str(value)[:20]} is no angle in radians: it looks like degrees"
            mend = f"lightsout layout convert {file} --angles degrees --out MENDED.json"
            found.append(Finding("error", file, json_path(path), text, mend))
    return found


def _angles(value: Any, path: tuple[int | str, ...]) -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ANGLE_KEYS and _is_number(item):
                yield (*path, key), item
            else:
                yield from _angles(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _angles(item, (*path, index))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def convert_angles(text: str) -> str:
    """Degrees to radians, everything else untouched. ValueError where it is no JSON, or where the
    angles look like radians already."""

    def mend(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: math.radians(item) if key in ANGLE_KEYS and _is_number(item) else mend(item)
                for key, item in value.items()
            }
        return [mend(item) for item in value] if isinstance(value, list) else value

    raw = json.loads(text)
    if not any(abs(value) > 2 * math.pi for _, value in _angles(raw, ())):
        raise ValueError("no angle exceeds a full turn of 6.28: they are in radians already")
    return json.dumps(mend(raw), indent=2, ensure_ascii=False) + "\n"


def file_of(name: str, layout: Layout) -> Lif:
    """A LIF file of one layout."""
    meta = MetaInformation(
        projectIdentification=name, creator="Lightsout",
        exportTimestamp="2026-01-01T00:00:00Z", lifVersion="1.0.0",
    )  # fmt: skip
    return Lif(metaInformation=meta, layouts=(layout,))


def write(parsed: Lif) -> str:
    """As text that `read` gives back equal."""
    raw = parsed.model_dump(mode="json", exclude_unset=True)
    return json.dumps(raw, indent=1, ensure_ascii=False) + "\n"
