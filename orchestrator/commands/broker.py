"""`lightsout broker`: the files of a Mosquitto with TLS, users and access rights for a site."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from orchestrator.commands import command

EXAMPLES = """\
  lightsout broker init broker/ --site sites/jd_small --host broker.hall.example
  lightsout broker add broker/ vehicle lightsout/tote_amr-001
  lightsout broker add broker/ operator anna
  mosquitto -c broker/mosquitto.conf              (SIGHUP: it reads users and rights again)"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "make a Mosquitto broker's certificates, users and access rights for a site"
    parser = command(subparsers, "broker", summary, EXAMPLES)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    init = actions.add_parser("init", help="a new folder with everything, a user for each role")
    init.add_argument("folder", type=Path, metavar="DIR")
    init.add_argument("--site", type=Path, required=True)
    init.add_argument(
        "--host", action="append", default=[], help="name or address that clients use (repeatable)"
    )
    init.add_argument("--port", type=int, default=8883, help="with user and password (8883)")
    init.add_argument("--certificate-port", type=int, default=8884, help="with certificate (8884)")
    more = actions.add_parser("add", help="one more user: vehicle, operator, host, …")
    more.add_argument("folder", type=Path, metavar="DIR")
    more.add_argument("role", metavar="ROLE")
    more.add_argument("name", metavar="NAME", help="of a vehicle: manufacturer/serial")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.mqtt.credentials import BrokerFolder  # noqa: PLC0415

    folder = BrokerFolder(arguments.folder)
    if arguments.action == "add":
        _show(folder.path, [folder.add(arguments.role, arguments.name)])
        print("Mosquitto reads it on SIGHUP.")
        return 0
    from orchestrator.layout import load_site  # noqa: PLC0415
    from orchestrator.vda5050.topics import INTERFACE  # noqa: PLC0415

    spec = load_site(arguments.site).spec
    interfaces = sorted({row.interface for row in spec.vehicles} or {INTERFACE})
    hosts = list(dict.fromkeys([*arguments.host, "localhost", "127.0.0.1"]))
    ports = (arguments.port, arguments.certificate_port)
    _show(folder.path, folder.create(spec.id, interfaces, hosts, ports))
    print(f"Start it: mosquitto -c {folder.path}/mosquitto.conf")
    print("Keep ca.key apart from the broker: who has it can be anybody.")
    return 0


def _show(path: Path, users: list[str]) -> None:
    for user in users:
        print(f"{user}: {path}/users/{user}.password, .crt and .key")
