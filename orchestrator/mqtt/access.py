"""Who may do what on the broker: user names and Mosquitto's access list.

Mosquitto's patterns put a user name where `%u` stands, as one level of a topic; a vehicle's topics have
two levels for it, manufacturer and serial number. So each vehicle has entries of its own, which also
means that a name which is not in the list may do nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

ROLES = ("master", "host", "operator", "equipment", "safety")
VEHICLE = "vehicle"
VEHICLE_WRITES = ("state", "connection", "factsheet", "visualization")
VEHICLE_READS = ("order", "instantActions")
MAJOR_VERSIONS = ("v2", "v3")
USER_LENGTH_MAX = 64  # of a certificate's common name


class AccessError(ValueError):
    """A name that no entry can be written for; the text says why."""


def level(text: str, what: str) -> str:
    """`text` as one level of a topic; raises `AccessError` where it can't be one."""
    if not text or text != text.strip() or re.search(r"[/+#$\x00-\x1f\x7f]", text):
        mend = "letters, digits and . - _ : will do; / + # $ and control characters won't"
        raise AccessError(f"{what} '{text}' can't be part of a topic: {mend}")
    return text


def vehicle_user(manufacturer: str, serial: str) -> str:
    """`manufacturer.serial`: no two share one (a dot in the manufacturer is written %2E)."""
    first = quote(level(manufacturer, "manufacturer"), safe="-_").replace(".", "%2E")
    user = f"{first}.{quote(level(serial, 'serial number'), safe='-_.')}"
    return _short(user)


def role_user(role: str, name: str) -> str:
    """`master`, or `operator-anna` for one of several; a vehicle's name always has a dot."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", name):
        raise AccessError(f"'{name}' is no user name: use letters, digits, - and _")
    return _short(f"{role}-{name}" if name else role)


def _short(user: str) -> str:
    if len(user) > USER_LENGTH_MAX:
        raise AccessError(f"'{user}' is longer than {USER_LENGTH_MAX} characters")
    return user


def vehicle_entry(
    manufacturer: str, serial: str, interfaces: Sequence[str] = ("uagv",)
) -> tuple[str, str]:
    """A vehicle's user name and its part of the access list: its own topics and nothing else."""
    user = vehicle_user(manufacturer, serial)
    lines = []
    for interface in interfaces:
        for major in MAJOR_VERSIONS:
            own = f"{level(interface, 'interface')}/{major}/{manufacturer}/{serial}"
            lines += [f"topic write {own}/{name}" for name in VEHICLE_WRITES]
            lines += [f"topic read {own}/{name}" for name in VEHICLE_READS]
    return user, _entry(user, lines)


def role_entry(
    role: str, name: str, site: str, interfaces: Sequence[str] = ("uagv",)
) -> tuple[str, str]:
    """The user name and the part of the access list of one that is not a vehicle."""
    root = f"lightsout/v1/{level(site, 'site')}"
    vehicles = [level(interface, "interface") for interface in interfaces]
    rights = {
        "master": [
            f"readwrite {root}/#",
            *(f"read {each}/#" for each in vehicles),
            *(f"write {each}/+/+/+/{name}" for each in vehicles for name in VEHICLE_READS),
        ],
        "host": [f"write {root}/orders", f"write {root}/host/in/#", f"read {root}/#"],
        "operator": [
            f"write {root}/orders",
            f"write {root}/commands",
            f"read {root}/#",
            *(f"read {each}/#" for each in vehicles),
        ],
        "equipment": [
            f"read {root}/about",
            f"read {root}/equipment/commands",
            f"write {root}/equipment/events",
            f"write {root}/equipment/pictures/+",
        ],
        "safety": [
            f"read {root}/about",
            f"read {root}/replies",
            f"read {root}/safety/#",
            f"write {root}/safety/events",
            f"write {root}/safety/status",
        ],
    }
    if role not in rights:
        raise AccessError(f"no role '{role}': there are {', '.join(ROLES)} and {VEHICLE}")
    user = role_user(role, name)
    return user, _entry(user, [f"topic {right}" for right in rights[role]])


def _entry(user: str, lines: list[str]) -> str:
    return "\n".join([f"user {user}", *lines]) + "\n"
