"""`lightsout fork`: what if, from any moment of a simulated run."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, moment

if TYPE_CHECKING:
    from sim.fork import Fork

EXAMPLES = """\
  lightsout fork a.run --at 30m --fleet tote_amr=+5 --record more.run
  lightsout fork a.run --at 1:00:00 --fleet sorter=-3 --record fewer.run
  lightsout fork a.run --at 1800 --demand x1.5 --faults none --record peak.run
  lightsout fork a.run --at 30m --set lookahead=6 --set simulation.success.pick=0.9 --record b.run
  lightsout compare a.run more.run

Up to T the run is made again and compared with the recorded one, event by event; what changes, changes
behind everything that happens at T. Without changes the new run is the old one, byte by byte.
--set takes each key of `policy` (also without that word) and of `simulation` in site.yaml."""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "what if: a simulated run again, and from one moment on another way"
    parser = command(subparsers, "fork", summary, EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument(
        "--at", type=moment, required=True, metavar="T", help="seconds, [HH:]MM:SS, 30m or 1.5h"
    )
    parser.add_argument(
        "--fleet", action="append", default=[], metavar="NAME=+N|NAME=-N",
        help="robots that join (in free parking places and chargers) or retire",
    )  # fmt: skip
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
        help="a number of the policy or of the simulation",
    )  # fmt: skip
    parser.add_argument("--demand", default="x1", metavar="xF", help="orders, times F (x1)")
    parser.add_argument("--faults", metavar="FILE|none", help="what goes wrong from then on")
    parser.add_argument("--record", type=Path, required=True, metavar="NEW.run")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--quiet", action="store_true", help="no live figures")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.commands.screen import Quiet, Screen  # noqa: PLC0415
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim.forking import fork, recipe_of  # noqa: PLC0415

    change = _change(arguments)
    with RunReader(arguments.run) as reader:
        recipe = recipe_of(reader, arguments.run)
    quiet = arguments.quiet or arguments.json or not sys.stderr.isatty()
    started = time.monotonic()
    try:
        with Quiet() if quiet else Screen(recipe.name, recipe.hours) as progress:
            figures = fork(arguments.run, change, arguments.record, progress=progress)
    except KeyboardInterrupt:
        print(f"go on with: lightsout run --resume {arguments.record}", file=sys.stderr)
        raise
    figures["wall_s"] = round(time.monotonic() - started, 3)
    figures |= {"forked_at_s": change.at_s, "changes": str(change), "run": str(arguments.record)}
    if arguments.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:>18}  {value}")
    return 0


def _change(arguments: argparse.Namespace) -> Fork:
    from sim.fork import Fork, setting  # noqa: PLC0415
    from sim.recipe import faults_text  # noqa: PLC0415

    faults = None
    if arguments.faults is not None:
        faults = "" if arguments.faults == "none" else faults_text(arguments.faults)
    return Fork(
        at_s=arguments.at,
        fleets=dict(_fleet(text) for text in arguments.fleet),
        settings=dict(setting(text) for text in arguments.settings),
        demand=_factor(arguments.demand),
        faults=faults,
    )


def _fleet(text: str) -> tuple[str, int]:
    from sim.scenario import ScenarioError  # noqa: PLC0415

    name, _, number = text.partition("=")
    if number[:1] not in ("+", "-") or not number[1:].isdigit() or not int(number[1:]):
        raise ScenarioError(f"--fleet {text} -> write NAME=+N or NAME=-N, as tote_amr=+5")
    return name, int(number)


def _factor(text: str) -> float:
    from sim.scenario import ScenarioError  # noqa: PLC0415

    try:
        factor = float(text.removeprefix("x"))
    except ValueError as error:
        raise ScenarioError(
            f"--demand {text} -> write x1.5 for half as many orders again"
        ) from error
    if not 0 <= factor < float("inf"):
        raise ScenarioError(f"--demand {text}: must not be negative -> write x0.5 or x1.5")
    return factor
