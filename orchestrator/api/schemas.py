"""JSON schemas (draft 7) of everything that is said over topics, made from the types: with names where
the core has numbers, and with what requests may say besides."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from orchestrator.api.channels import CHANNELS, Channel
from orchestrator.api.naming import LISTS, NAME_MAX
from orchestrator.api.requests import ID_MAX
from orchestrator.core.message import Message

REF = "#/components/schemas/"
KINDS = ("robot", "edge", "node", "bay", "station", "fleet")
ASK = "Request"  # ends the name of a request's schema
Schema = dict[str, Any]
SECONDS = {"type": "number", "minimum": 0, "description": "from now; instead of {}_ns"}
MOMENT = {"type": "string", "description": "UTC, as 2030-01-31T12:00:00Z; instead of {}_ns"}
BOX = {
    "type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4,
    "description": "instead of nodes: all within this rectangle, x, y, x, y of two corners, in m",
}  # fmt: skip
LINE = {
    "type": "object", "required": ["sku", "quantity"], "additionalProperties": False,
    "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer"}},
}  # fmt: skip


def components() -> dict[str, Schema]:
    """All schemas, by name."""
    kinds = [kind for channel in CHANNELS for kind in channel.kinds]
    kinds = list(dict.fromkeys(kinds))
    _, found = msgspec.json.schema_components(kinds, ref_template=REF + "{name}")
    named = {kind.__name__ for kind in kinds if issubclass(kind, Message)}
    schemas = {name: _plain(schema) for name, schema in found.items()}
    for name in named:
        _with_names(schemas[name]["properties"])
    for channel in CHANNELS:
        for kind in channel.kinds if channel.asked else ():
            schemas[kind.__name__ + ASK] = _asked(schemas[kind.__name__], channel)
    schemas["SiteEvent"] = _event(schemas)
    return dict(sorted(schemas.items()))


def message_names(channel: Channel) -> list[str]:
    """Names of the schemas of a channel's messages."""
    if channel.name == "events":
        return ["SiteEvent"]
    return [kind.__name__ + (ASK if channel.asked else "") for kind in channel.kinds]


def standalone(name: str) -> Schema:
    """One schema with all that it needs."""
    everything = components()
    needed: dict[str, Schema] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in needed:
            needed[one] = everything[one]
            waiting += _refs(everything[one])
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": f"{REF}{name}"}
    return head | {"components": {"schemas": needed}}


def _refs(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for each in schema for name in _refs(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(REF)] if "$ref" in schema else []
    return own + [name for each in schema.values() for name in _refs(each)]


def _plain(schema: Any) -> Any:
    """Draft 7, and texts without the indentation of code."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _plain(value) for key, value in schema.items() if key != "discriminator"}
    if isinstance(found.get("description"), str):
        found["description"] = " ".join(inspect.cleandoc(found["description"]).split("\n"))
    if isinstance(found.get("prefixItems"), list):
        found["items"] = found.pop("prefixItems")
        found["additionalItems"] = False
    return found


def _with_names(properties: dict[str, Schema]) -> None:
    for key in properties:
        if key in KINDS:
            properties[key] = {"type": "string", "description": f"name of a {key}"}
        elif key in LISTS:
            names = {"type": "string", "description": f"name of a {LISTS[key]}"}
            properties[key] = {"type": "array", "items": names}


def _asked(schema: Schema, channel: Channel) -> Schema:
    """A request: nothing else may be in it, and it has an id."""
    properties: dict[str, Schema] = dict(schema["properties"])
    properties["request"] = {
        "type": "string", "minLength": 1, "maxLength": ID_MAX,
        "description": "an id of its own; one that comes twice is done once, and answered alike",
    }  # fmt: skip
    if "order_id" in properties:
        properties["order_id"] = {"type": "string", "minLength": 1, "maxLength": NAME_MAX}
    if "due_ns" in properties:
        for name in ("due", "cutoff"):
            for key, form in ((f"{name}_in_s", SECONDS), (f"{name}_at", MOMENT)):
                properties[key] = form | {"description": str(form["description"]).format(name)}
    if "nodes" in properties:
        properties["box_m"] = BOX
    if "lines" in properties:
        properties["lines"] = {
            "type": "array",
            "items": {"anyOf": [properties["lines"]["items"], LINE]},
        }
    required = [key for key in schema["required"] if key != "nodes"]
    if channel.name != "safetyEvents":
        required.append("request")
    changed = {"properties": properties, "required": required, "additionalProperties": False}
    return schema | {"title": schema["title"] + ASK} | changed


def _event(schemas: dict[str, Schema]) -> Schema:
    channel = next(channel for channel in CHANNELS if channel.name == "events")
    head: Schema = {
        "type": "object",
        "properties": {
            "at": {"type": "string", "description": "UTC"},
            "seq": {"type": "integer", "description": "its number in the journal"},
        },
        "required": ["at", "type"],
    }
    names = [kind.__name__ for kind in channel.kinds]
    assert all(name in schemas for name in names)
    either = {"oneOf": [{"$ref": REF + name} for name in names]}
    return {"title": "SiteEvent", "description": "An event of the core.", "allOf": [head, either]}
