"""How vehicles in the field differ from the standard: data, not code.

A profile names what is different about a vehicle type; a site's `vehicles` entries name a profile, or
give these keys themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

Parameters = Mapping[str, str | float | bool]
CHOICES = {"edge_orientation": ("edge", "map")}


@dataclass(frozen=True, slots=True)
class Quirks:
    """The defaults are what the standard says."""

    instant_actions_key: str = "actions"  # the array's name in an instantActions message
    action_name: bool = True  # 2.0: `actionName` beside `actionType`, as the official schema wants
    deviation_key: str = ""  # 2.0: allowedDeviationXy as the schema spells it, unless named here
    edge_ends: bool = True  # startNodeId and endNodeId of edges (2.x)
    node_theta: bool = False  # nodes always with a theta, for who insists on one
    lenient: bool = False  # numbers as text, text as numbers, nulls, missing arrays: read kindly
    keeps_last_node_in_states: bool = False
    driving_unreliable: bool = False
    blocked_errors: tuple[str, ...] = ()  # errorTypes that mean: something lies ahead
    action_kinds: Mapping[str, str] = field(default_factory=dict)  # ours -> the vehicle's
    action_parameters: Mapping[str, Parameters] = field(default_factory=dict)  # kind -> also say
    instant_actions: tuple[str, ...] = ()  # kinds that it takes as instant actions alone
    edge_orientation: str = "edge"  # of the body, seen from the edge; `map`: from the map


EPAL: Parameters = {"stationType": "floor", "loadType": "EPAL"}
PROFILES: dict[str, Quirks] = {
    "": Quirks(),
    "lenient": Quirks(lenient=True),
    # npm vda-5050-lib 1.4.0, protocol 2.0.0
    "coaty": Quirks(
        instant_actions_key="instantActions",
        lenient=True,
        action_parameters={"pick": EPAL, "drop": EPAL},
        instant_actions=("stopCharging",),  # it refuses every order while it charges
        edge_orientation="map",
    ),
}


def quirks_of(value: str | Mapping[str, Any]) -> Quirks:
    """A profile by name, or one given by its keys (`profile` names the one that it departs from).
    Raises ValueError with what is wrong."""
    if isinstance(value, str):
        value = {"profile": value}
    name = value.get("profile", "")
    if name not in PROFILES:
        known = ", ".join(sorted(filter(None, PROFILES)))
        raise ValueError(f"there is no quirk profile {name!r} -> one of: {known}")
    known_keys = {each.name: each for each in fields(Quirks)}
    changes: dict[str, Any] = {}
    for key, given in value.items():
        if key == "profile":
            continue
        if key not in known_keys:
            raise ValueError(f"quirk {key!r} is unknown -> one of: {', '.join(sorted(known_keys))}")
        default = getattr(PROFILES[name], key)
        wanted = tuple(given) if isinstance(default, tuple) and isinstance(given, list) else given
        if not isinstance(wanted, type(default)):
            raise ValueError(f"quirk {key}: {given!r} is no {type(default).__name__}")
        _inside(key, wanted)
        changes[key] = wanted
    return replace(PROFILES[name], **changes)


def _inside(key: str, value: Any) -> None:
    """What a type alone does not say."""
    if key in CHOICES and value not in CHOICES[key]:
        raise ValueError(f"quirk {key}: {value!r} -> one of: {', '.join(CHOICES[key])}")
    if isinstance(value, tuple) and not all(isinstance(each, str) for each in value):
        raise ValueError(f"quirk {key}: {value!r} -> a list of words")
    if key == "action_kinds" and not all(isinstance(each, str) for each in value.values()):
        raise ValueError(f"quirk {key}: {dict(value)!r} -> kind: kind")
    if key != "action_parameters":
        return
    for kind, parameters in value.items():
        rows = parameters.values() if isinstance(parameters, Mapping) else [None]
        if not all(isinstance(each, str | float | int) for each in rows):
            raise ValueError(f"quirk {key}: {kind}: {parameters!r} -> parameter: value")
