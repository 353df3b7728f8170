"""Factsheets: long, rare, and different in each version; so they are read member by member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.vda5050 import wire
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import Factsheet, Header, SupportedAction

Json = dict[str, Any]
NAMES2 = {
    "kinematics": "agvKinematic",
    "class": "agvClass",
    "load": "maxLoadMass",
    "speed_min": "speedMin",
    "speed_max": "speedMax",
    "acceleration": "accelerationMax",
    "deceleration": "decelerationMax",
    "height": "heightMax",
    "actions": "agvActions",
    "strings": "maxStringLens",
    "arrays": "maxArrayLens",
    "order_interval": "minOrderInterval",
    "state_interval": "minStateInterval",
    "geometry": "agvGeometry",
}
NAMES3 = {
    "kinematics": "mobileRobotKinematics",
    "class": "mobileRobotClass",
    "load": "maximumLoadMass",
    "speed_min": "minimumSpeed",
    "speed_max": "maximumSpeed",
    "acceleration": "maximumAcceleration",
    "deceleration": "maximumDeceleration",
    "height": "maximumHeight",
    "actions": "mobileRobotActions",
    "strings": "maximumStringLengths",
    "arrays": "maximumArrayLengths",
    "order_interval": "minimumOrderInterval",
    "state_interval": "minimumStateInterval",
    "geometry": "mobileRobotGeometry",
}
KINEMATICS = {"DIFF": "DIFFERENTIAL", "OMNI": "OMNIDIRECTIONAL", "THREEWHEEL": "THREE_WHEEL"}
OURS = {new: ours for ours, new in wire.NAMES3.items()}  # names of actions
SHORT = {long: short for short, long in KINEMATICS.items()}


def read(raw: Json, header: Header, version: str) -> Factsheet:
    """RemoteError names what is missing or can't be true."""
    names = NAMES3 if version.startswith("3") else NAMES2
    kind = _part(raw, "typeSpecification")
    body = _part(raw, "physicalParameters")
    features = _part(raw, "protocolFeatures", wanted=False)
    loads = _part(raw, "loadSpecification", wanted=False)
    limits = _part(raw, "protocolLimits", wanted=False)
    kinematics = _text(kind, names["kinematics"])
    sets = loads.get("loadSets") or []
    return Factsheet(
        header=header,
        series=_text(kind, "seriesName"),
        kind=_text(kind, names["class"]),
        kinematics=KINEMATICS.get(kinematics, kinematics),
        load_kg_max=_number(kind, names["load"]),
        localization=_texts(kind, "localizationTypes"),
        navigation=_texts(kind, "navigationTypes"),
        speed_mps_min=_number(body, names["speed_min"]),
        speed_mps_max=_number(body, names["speed_max"]),
        acceleration_mps2_max=_number(body, names["acceleration"]),
        deceleration_mps2_max=abs(_number(body, names["deceleration"])),
        height_m_max=_number(body, names["height"]),
        width_m=_number(body, "width"),
        length_m=_number(body, "length"),
        actions=_actions(features, names["actions"]),
        devices=_texts(loads, "loadPositions"),
        load_types=tuple(dict.fromkeys(_text(row, "loadType") for row in _rows(sets, "loadSets"))),
        limits=_limits(limits, names["arrays"]),
    )


def write(sheet: Factsheet, version: str) -> Json:
    """The members that the schemas require, and what is known of the rest."""
    new = version.startswith("3")
    names = NAMES3 if new else NAMES2
    kinematics = sheet.kinematics or "DIFFERENTIAL"
    body: Json = {
        names["speed_min"]: sheet.speed_mps_min,
        names["speed_max"]: sheet.speed_mps_max,
        names["acceleration"]: sheet.acceleration_mps2_max,
        names["deceleration"]: sheet.deceleration_mps2_max,
        names["height"]: sheet.height_m_max,
        "width": sheet.width_m,
        "length": sheet.length_m,
    }
    if new:
        body["minimumHeight"] = 0.0
    return {
        "typeSpecification": {
            "seriesName": sheet.series,
            names["kinematics"]: kinematics if new else SHORT.get(kinematics, "DIFF"),
            names["class"]: sheet.kind or "CARRIER",
            names["load"]: sheet.load_kg_max,
            "localizationTypes": list(sheet.localization or ("NATURAL",)),
            "navigationTypes": list(sheet.navigation or ("VIRTUAL_LINE_GUIDED",)),
        },
        "physicalParameters": body,
        "protocolLimits": {
            names["strings"]: {},
            names["arrays"]: dict(sheet.limits),
            "timing": {names["order_interval"]: 0.0, names["state_interval"]: 0.0},
        },
        "protocolFeatures": {
            "optionalParameters": [],
            names["actions"]: [_written(each, new=new) for each in sheet.actions or ()],
        },
        names["geometry"]: {},
        "loadSpecification": {
            "loadPositions": list(sheet.devices),
            "loadSets": [{"setName": kind, "loadType": kind} for kind in sheet.load_types],
        },
    }


def _written(action: SupportedAction, *, new: bool) -> Json:
    scopes = [scope for scope in action.scopes if new or scope != "ZONE"]
    kind = wire.NAMES3.get(action.kind, action.kind) if new else action.kind
    found: Json = {"actionType": kind, "actionScopes": scopes}
    if new:
        found |= {"pauseAllowed": True, "cancelAllowed": True}
        if action.blocking:  # 2.1's schema allows no array there at all
            found["blockingTypes"] = list(action.blocking)
    return found


def _part(raw: Mapping[str, Any], key: str, *, wanted: bool = True) -> Json:
    found = raw.get(key)
    if found is None and not wanted:
        return {}
    if not isinstance(found, dict):
        raise RemoteError(key, "is missing" if found is None else "is no object")
    return found


def _text(raw: Mapping[str, Any], key: str) -> str:
    found = raw.get(key, "")
    if not isinstance(found, str):
        raise RemoteError(key, "is no text")
    return found[:256]


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = raw.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise RemoteError(key, "is no list of texts")
    return tuple(found)


def _rows(found: Any, key: str) -> list[Json]:
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise RemoteError(key, "is no list of objects")
    return found


def _number(raw: Mapping[str, Any], key: str) -> float:
    found = raw.get(key, 0.0)
    if isinstance(found, bool) or not isinstance(found, int | float) or not -1e6 < found < 1e6:
        raise RemoteError(key, f"{found!r} can't be true")
    return float(found)


def _actions(raw: Mapping[str, Any], key: str) -> tuple[SupportedAction, ...] | None:
    rows = raw.get(key)
    if rows is None:
        return None
    return tuple(
        SupportedAction(
            kind=OURS.get(kind := _text(row, "actionType"), kind),
            scopes=_texts(row, "actionScopes"),
            blocking=_texts(row, "blockingTypes"),
        )
        for row in _rows(rows, key)
    )


def _limits(raw: Mapping[str, Any], key: str) -> dict[str, int]:
    found = raw.get(key) or {}
    if not isinstance(found, dict):
        raise RemoteError(key, "is no object")
    return {k: n for k, n in found.items() if isinstance(n, int) and not isinstance(n, bool)}
