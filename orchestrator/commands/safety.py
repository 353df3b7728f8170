"""`lightsout safety`: what the safety controllers say, on the topic that the building obeys."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, mqtt_options

if TYPE_CHECKING:
    from orchestrator.safety.mapping import SafetyFile

EXAMPLES = """\
  lightsout safety check --config safety.yaml
  lightsout safety bridge --config safety.yaml --mqtt mqtts://broker:8883 --ca ca.crt --user safety"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = (
        "bring the safety controllers' stops, resets and clears to the building (docs/safety.md)"
    )
    parser = command(subparsers, "safety", summary, EXAMPLES)
    actions = parser.add_subparsers(dest="action", required=True, metavar="bridge|check")
    bridge = actions.add_parser("bridge", help="read the controllers, tell the building; for ever")
    mqtt_options.add(bridge)
    check = actions.add_parser("check", help="read the file and say what it means")
    for each in (bridge, check):
        each.add_argument("--config", type=Path, required=True, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.safety.mapping import MappingError, read_mapping  # noqa: PLC0415

    mapping = read_mapping(arguments.config)
    if arguments.action == "check":
        print("\n".join(_words(mapping)))
        return 0
    if arguments.mqtt is None:
        raise MappingError("which broker? -> --mqtt URL")
    asyncio.run(_bridge(arguments, mapping))
    return 0


def _words(mapping: SafetyFile) -> list[str]:
    rows = []
    for zone in mapping.zones:
        rows.append(f"{zone.zone or 'everything'}:")
        rows += [
            f"  stop: {s.name} ({s.source}, {s.at}) is {str(s.stops_when).lower()}, or has no value"
            for s in zone.stop
        ]
        for word, s in (("reset", zone.reset), ("clear", zone.clear)):
            rows.append(f"  {word}: {s.name} ({s.source}, {s.at}) is {str(s.when).lower()}")
    return rows


async def _bridge(arguments: argparse.Namespace, mapping: SafetyFile) -> None:
    from orchestrator.api.published import root  # noqa: PLC0415
    from orchestrator.mqtt.address import Will  # noqa: PLC0415
    from orchestrator.safety import bridge, running  # noqa: PLC0415

    topic = f"{root(mapping.site)}/safety/status"
    will = Will(topic, bridge.will())
    link = mqtt_options.link(
        arguments, arguments.mqtt, client_id=f"lightsout-safety-{mapping.site}", will=will,
        keepalive_s=3,
    )  # fmt: skip
    task = asyncio.ensure_future(running.run(mapping, link, _say))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    async with link:
        with contextlib.suppress(asyncio.CancelledError):
            await task
        link.publish(topic, bridge.will(), 1, True)
        with contextlib.suppress(TimeoutError):
            await link.flush(2.0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
