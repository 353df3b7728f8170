"""Checks a site's messages against the schemas of its AsyncAPI document."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft7Validator

from orchestrator.api.channels import Channel, channel_of
from orchestrator.api.schemas import components, message_names


@cache
def schemas() -> dict[str, Any]:
    return components()


@cache
def validator(name: str) -> Draft7Validator:
    head = {"$ref": f"#/components/schemas/{name}"}
    return Draft7Validator(head | {"components": {"schemas": schemas()}})


def complaint(name: str, content: Any) -> str:
    """Of a message against its schema; "": none."""
    errors = list(validator(name).iter_errors(content))
    return f"{name}: {errors[0].message[:300]}" if errors else ""


def wrong(site: str, topic: str, payload: bytes) -> str:
    """What is wrong with a message on a site's topic; "": nothing."""
    channel = channel_of(topic, site)
    if channel is None:
        return f"{topic}: no channel of the document"
    if not payload:
        return "" if channel.retained else f"{topic}: nothing is said"
    if channel.media != "application/json":
        return ""
    content = json.loads(payload)
    names = _names(channel, content)
    if not names:
        return f"{topic}: {str(content)[:200]} is of no type of this channel"
    return "; ".join(filter(None, (complaint(name, content) for name in names)))


def _names(channel: Channel, content: Any) -> list[str]:
    names = message_names(channel)
    if len(names) == 1:
        return names
    return [name for name in names if content.get("type") == name.removesuffix("Request")]
