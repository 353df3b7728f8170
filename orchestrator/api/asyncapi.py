"""The AsyncAPI 3.0 document of a site's topics, from the master's point of view."""

from __future__ import annotations

import re
from typing import Any

import yaml

from orchestrator.api import channels
from orchestrator.api.channels import CHANNELS, PARAMETERS, STANDARD, VEHICLES, Channel
from orchestrator.api.examples import example_of
from orchestrator.api.schemas import REF, Schema, components, message_names
from orchestrator.vda5050 import topics

VERSION = "1.0.0"  # of the topics: lightsout/v1
MQTT = "0.2.0"
Node = dict[str, Any]
ABOUT = """\
What `lightsout serve` says and hears over MQTT. Operations are the master's: it receives what others
send. Requests carry an id and are answered on `replies`; what is retained is there for late joiners.
VDA 5050's topics are the standard's own: only their addresses stand here."""


def document() -> Node:
    """All of it."""
    schemas = components()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lightsout",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {
            **{channel.name: _channel(channel) for channel in CHANNELS},
            **{_vehicle(name): _vehicle_channel(name) for name in _vehicle_topics()},
        },
        "operations": {
            **{channel.name: _operation(channel) for channel in CHANNELS},
            **{_vehicle(name): _vehicle_operation(name) for name in _vehicle_topics()},
        },
        "components": {
            "messages": _messages(schemas),
            "schemas": schemas,
            "securitySchemes": {
                "password": {"type": "userPassword", "description": "docs/mqtt.md"},
                "certificate": {"type": "X509", "description": "its common name is the user"},
            },
        },
    }


def text() -> str:
    """As YAML."""
    head = "# Made by `lightsout api asyncapi`: change the types, not this file (generated).\n"
    return head + yaml.dump(
        document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


class _Dumper(yaml.SafeDumper):
    """Without references within the file."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _servers() -> Node:
    will = {"topic": "lightsout/v1/{site}/about", "qos": 1, "retain": True, "message": "OFFLINE"}
    return {
        "hall": {
            "host": "broker.hall.example:8883",
            "protocol": "mqtts",
            "protocolVersion": "3.1.1",
            "description": "TLS, user and password. 8884: TLS and client certificate.",
            "security": [
                {"$ref": "#/components/securitySchemes/password"},
                {"$ref": "#/components/securitySchemes/certificate"},
            ],
            "bindings": {
                "mqtt": {
                    "cleanSession": True,
                    "keepAlive": 15,
                    "lastWill": will,
                    "bindingVersion": MQTT,
                }
            },
        }
    }


def _parameters(address: str) -> Node:
    return {name: {"description": PARAMETERS[name]} for name in re.findall(r"{(\w+)}", address)}


def _message_keys(channel: Channel) -> list[str]:
    return message_names(channel) or ["Picture"]


def _channel(channel: Channel) -> Node:
    return {
        "address": channel.address,
        "description": channel.says,
        "parameters": _parameters(channel.address),
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _message_keys(channel)
        },
    }


def _operation(channel: Channel) -> Node:
    found: Node = {
        "action": "receive" if channel.way == "in" else "send",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.says,
        "bindings": {
            "mqtt": {"qos": channel.qos, "retain": channel.retained, "bindingVersion": MQTT}
        },
    }
    answered = {"orders": "replies", "commands": "replies", "safetyEvents": "replies"}
    answered |= {f"hostIn{name}": "hostOutReplies" for name in ("Items", "Notices", "Stock")}
    if channel.name in answered:
        replies = next(each for each in CHANNELS if each.name == answered[channel.name])
        found["reply"] = {
            "channel": {"$ref": f"#/channels/{replies.name}"},
            "messages": [
                {"$ref": f"#/channels/{replies.name}/messages/{name}"}
                for name in _message_keys(replies)
            ],
        }
    return found


def _messages(schemas: dict[str, Schema]) -> Node:
    found: Node = {}
    for channel in CHANNELS:
        for name in message_names(channel):
            found[name] = _message(name, channel, schemas)
    found["Picture"] = {
        "title": "Picture",
        "summary": "JPEG or PNG",
        "contentType": "image/jpeg",
        "payload": {"type": "string", "format": "binary"},
    }
    for name in _vehicle_topics():
        found[_vehicle(name)] = {
            "title": f"VDA 5050 {name}",
            "summary": "as the standard has it, of the version that the site's `vehicles` say",
            "payload": {"type": "object"},
            "externalDocs": {"url": STANDARD},
        }
    return dict(sorted(found.items()))


def _message(name: str, channel: Channel, schemas: dict[str, Schema]) -> Node:
    schema = schemas[name]
    found: Node = {
        "name": name,
        "title": schema.get("title", name),
        "summary": schema.get("description", channel.says),
        "payload": {"$ref": REF + name},
        "examples": [{"payload": example_of(name, schemas)}],
    }
    properties = schema.get("properties", {})
    if properties.get("request", {}).get("type") == "string":
        found["correlationId"] = {"location": "$message.payload#/request"}
    return found


# --- VDA 5050 ------------------------------------------------------------------------------------


def _vehicle_topics() -> tuple[str, ...]:
    return (*topics.TO_VEHICLE, *topics.FROM_VEHICLE[:3])


def _vehicle(name: str) -> str:
    return f"vda5050{name[0].upper()}{name[1:]}"


def _vehicle_channel(name: str) -> Node:
    address = f"{channels.VEHICLES}/{name}"
    return {
        "address": address,
        "description": "A topic of VDA 5050.",
        "parameters": _parameters(VEHICLES),
        "messages": {_vehicle(name): {"$ref": f"#/components/messages/{_vehicle(name)}"}},
        "externalDocs": {"url": STANDARD},
    }


def _vehicle_operation(name: str) -> Node:
    kept = name in ("connection", "factsheet")
    qos = int(name == "connection")
    return {
        "action": "send" if name in topics.TO_VEHICLE else "receive",
        "channel": {"$ref": f"#/channels/{_vehicle(name)}"},
        "bindings": {"mqtt": {"qos": qos, "retain": kept, "bindingVersion": MQTT}},
    }
