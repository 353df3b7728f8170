"""Options of all commands that connect to a broker."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.mqtt.client import MqttLink

PASSWORD = "LIGHTSOUT_MQTT_PASSWORD"


def add(parser: argparse.ArgumentParser) -> None:
    """Where the broker is and who we are to it."""
    parser.add_argument("--mqtt", metavar="URL", help="mqtt://host:1883, or mqtts:// with TLS")
    parser.add_argument("--user", help="user name; the password is in LIGHTSOUT_MQTT_PASSWORD")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificate authority (mqtts)")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="client certificate (mqtts)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key")


def link(arguments: argparse.Namespace, url: str, **options: Any) -> MqttLink:
    """The connection. Raises `AddressError`."""
    from orchestrator.mqtt.address import Tls  # noqa: PLC0415
    from orchestrator.mqtt.client import MqttLink  # noqa: PLC0415

    tls = None
    if arguments.ca or arguments.cert or arguments.key:
        tls = Tls(ca=arguments.ca, certificate=arguments.cert, key=arguments.key)
    user, password = arguments.user, os.environ.get(PASSWORD)
    return MqttLink(url, user=user, password=password, tls=tls, **options)
