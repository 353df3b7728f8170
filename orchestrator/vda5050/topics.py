"""Topic names (VDA 5050, section 6.3: interfaceName/majorVersion/manufacturer/serialNumber/topic)."""

from __future__ import annotations

INTERFACE = "uagv"
FROM_VEHICLE = ("state", "connection", "factsheet", "visualization")
TO_VEHICLE = ("order", "instantActions")


def topic(
    version: str, manufacturer: str, serial: str, name: str, interface: str = INTERFACE
) -> str:
    """The topic `name` of a vehicle; `version`: of the protocol, as "2.1"."""
    return f"{interface}/v{version.split('.', maxsplit=1)[0]}/{manufacturer}/{serial}/{name}"


def parse(text: str) -> tuple[str, str, str, str, str] | None:
    """(interface, major version, manufacturer, serial, topic); None: not such a topic."""
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or not all(parts) or not parts[1].startswith("v"):
        return None
    interface, major, manufacturer, serial, name = parts
    return interface, major[1:], manufacturer, serial, name
