"""`lightsout fleet pause | resume | evacuate | retire | …`: ask the master for something."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from orchestrator.commands import command, operator

SCOPES = {
    "pause": ("RobotsPaused", "robots, fleets or a zone stand still"),
    "resume": ("RobotsResumed", "end a pause or an evacuation of the same name"),
    "evacuate": ("RobotsEvacuated", "robots, fleets or whoever is in a zone park outside"),
}
ITEMS = {
    "retire": ("RobotRetired", "robot", "robots end their work, park, and are switched off"),
    "return": ("RobotReturned", "robot", "retired robots work again"),
    "charge": ("ChargeAsked", "robot", "robots charge before they take another task"),
    "close-lane": ("LaneClosed", "edge", "nobody enters these lanes any more"),
    "open-lane": ("LaneOpened", "edge", "lanes may be driven again"),
    "close-station": ("StationClosed", "station", "stations begin nothing new"),
    "open-station": ("StationOpened", "station", "stations work again"),
}
ZONES = {
    "close-zone": ("ZoneClosed", "nobody enters; who is inside goes on, and out"),
    "open-zone": ("ZoneOpened", "it may be entered again"),
}
EXAMPLES = {
    "pause": """\
  lightsout fleet pause tote_amr-03 --mqtt mqtt://broker
  lightsout fleet pause --fleet sorter --mqtt mqtt://broker
  lightsout fleet pause --zone east --box 10 0 20 8 --mqtt mqtt://broker""",
    "resume": "  lightsout fleet resume --zone east --mqtt mqtt://broker",
    "evacuate": "  lightsout fleet evacuate --zone east --box 10 0 20 8 --mqtt mqtt://broker",
    "close-zone": "  lightsout fleet close-zone east --nodes n1,n2 --mqtt mqtt://broker",
}


def add(verbs: Any) -> None:
    """Declare the commands."""
    for verb, (_, summary) in SCOPES.items():
        parser = _parser(verbs, verb, summary)
        parser.add_argument("robots", nargs="*", metavar="ROBOT")
        parser.add_argument("--fleet", action="append", default=[], metavar="FLEET")
        parser.add_argument("--zone", metavar="NAME", help="a name of your own for a part of it")
        if verb != "resume":
            _places(parser)
        parser.add_argument("--all", action="store_true", help="everybody")
    for verb, (_, field, summary) in ITEMS.items():
        parser = _parser(verbs, verb, summary)
        parser.add_argument("items", nargs="+", metavar={"edge": "LANE"}.get(field, field.upper()))
    for verb, (_, summary) in ZONES.items():
        parser = _parser(verbs, verb, summary)
        parser.add_argument("zone", metavar="NAME", help="a name of your own for a part of it")
        if verb == "close-zone":
            _places(parser)


def _parser(verbs: Any, verb: str, summary: str) -> argparse.ArgumentParser:
    example = EXAMPLES.get(verb, f"  lightsout fleet {verb} NAME --mqtt mqtt://broker")
    parser = command(verbs, verb, summary, example)
    operator.add(parser)
    parser.set_defaults(carry_out=run)
    return parser


def _places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", metavar="A,B,…", help="what belongs to the zone")
    parser.add_argument(
        "--box", nargs=4, type=float, metavar=("X", "Y", "X", "Y"),
        help="or all nodes between these two corners, in m",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Carry it out: 0: all accepted, 1: not all."""
    asked = requests_of(arguments)

    async def work(known: operator.Operator) -> int:
        answers = await ask_all(known, "commands", asked, as_json=arguments.json)
        return code_of(answers)

    return operator.carry_out(arguments, work, asks=True)


async def ask_all(
    known: operator.Operator, topic: str, asked: list[tuple[str, dict[str, Any]]], *, as_json: bool
) -> list[dict[str, Any]]:
    """Ask for everything, and say what became of it; `asked`: (what to call it, request)."""
    await known.hear_replies()
    answers = await asyncio.gather(*(known.ask(topic, request) for _, request in asked))
    for (name, _), answer in zip(asked, answers, strict=True):
        show(name, answer, as_json=as_json)
    return answers


def code_of(answers: list[dict[str, Any]]) -> int:
    """0: all accepted."""
    return 0 if all(answer["accepted"] for answer in answers) else 1


def show(name: str, answer: dict[str, Any], *, as_json: bool) -> None:
    """What became of one request."""
    if as_json:
        print(json.dumps({"asked": name} | answer))
    elif answer["accepted"]:
        print(f"accepted: {name}")
    else:
        print(f"rejected: {name}: {answer['reason']}", file=sys.stderr)


def requests_of(arguments: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    """What is to be asked for. Raises `NoAnswer` where the command line doesn't say."""
    verb = arguments.verb
    if verb in ITEMS:
        kind, field, _ = ITEMS[verb]
        return [(f"{verb} {name}", {"type": kind, field: name}) for name in arguments.items]
    if verb in ZONES:
        scope = {"zone": arguments.zone} | _nodes_of(arguments, verb == "close-zone")
        return [(f"{verb} {arguments.zone}", {"type": ZONES[verb][0]} | scope)]
    kind = SCOPES[verb][0]
    found = [(f"{verb} {name}", {"type": kind, "robot": name}) for name in arguments.robots]
    found += [(f"{verb} fleet {name}", {"type": kind, "fleet": name}) for name in arguments.fleet]
    if arguments.zone:
        scope = {"zone": arguments.zone} | _nodes_of(arguments, verb != "resume")
        found.append((f"{verb} zone {arguments.zone}", {"type": kind} | scope))
    if arguments.all:
        found.append((f"{verb} all", {"type": kind}))
    if not found:
        raise operator.NoAnswer(f"{verb} whom? -> ROBOT …, --fleet, --zone, or --all")
    return found


def _nodes_of(arguments: argparse.Namespace, needed: bool) -> dict[str, Any]:
    if not needed:
        return {}
    nodes: str | None = arguments.nodes
    box: list[float] | None = arguments.box
    if (nodes is None) == (box is None):
        raise operator.NoAnswer("what belongs to the zone? -> --nodes A,B,…, or --box X Y X Y")
    if box is None:
        assert nodes is not None
        return {"nodes": [name.strip() for name in nodes.split(",") if name.strip()]}
    return {"box_m": box}
