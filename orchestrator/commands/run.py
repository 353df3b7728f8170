"""`lightsout run`: simulate a site, or tasks made by others."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, host_files, positive

if TYPE_CHECKING:
    from sim.recipe import Recipe

EXAMPLES = """\
  lightsout run sites/jd_small --hours 2 --seed 7 --record a.run
  lightsout run sites/jd_small --faults default --speed 10
  lightsout run sites/jd_small --orders orders.json --fleet tote_amr=20
  lightsout run sites/jd_small --inbound asn.csv --items items.csv --record a.run
  lightsout run sites/jd_small --outbox out --snapshot-minutes 15 --record a.run
  lightsout run sites/jd_small --stock host.csv --trust host --outbox out
  lightsout run --lorr INSTANCE.json --hours 1 --record b.run
  lightsout run --resume a.run"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "run", "simulate a site and record the run", EXAMPLES)
    parser.add_argument("site", nargs="?", type=Path, metavar="SITE", help="a site's folder")
    parser.add_argument("--hours", type=positive, help="simulated hours (1)")
    parser.add_argument("--seed", type=int, help="of everything that is chance (0)")
    parser.add_argument("--speed", default="max", help="simulated seconds per second, or max (max)")
    parser.add_argument(
        "--faults", default="none", metavar="FILE|default|none",
        help="what goes wrong; default: the site's faults.yaml (none)",
    )  # fmt: skip
    parser.add_argument(
        "--fleet", action="append", default=[], metavar="NAME=N", help="another number of robots"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="a key of site.yaml by its path, as policy.parking=stay (may be repeated)",
    )
    parser.add_argument(
        "--vision",
        metavar="HOW",
        help="what cameras see: perfect, statistical (by measured rates), rendered (pictures that are "
        "really read) or rendered:SHARE (statistical)",
    )
    parser.add_argument(
        "--readers", type=Path, metavar="FILE", help="another vision.yaml than the site's"
    )
    parser.add_argument("--record", type=Path, metavar="RUN", help="write the run to this file")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with a run that died")
    parser.add_argument("--lorr", type=Path, metavar="INSTANCE.json", help="a League instance")
    host_files.add(parser)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--quiet", action="store_true", help="no live figures")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from sim.fork import setting  # noqa: PLC0415
    from sim.recorded import record  # noqa: PLC0415
    from sim.settings import blaming  # noqa: PLC0415

    settings = dict(setting(text) for text in arguments.settings)
    pace = _pace(arguments.speed)
    resume, origin = arguments.resume is not None, None
    bad: list[str] = []
    if resume:
        _only_resume(arguments)
        from orchestrator.journal import RunReader  # noqa: PLC0415
        from sim.recipe import Recipe  # noqa: PLC0415

        with RunReader(arguments.resume) as reader:
            recipe = Recipe.of(reader.meta)
        path = arguments.resume
    else:
        recipe, bad = _recipe(arguments, settings)
        path = arguments.record
        origin = host_files.origin(arguments)
    with tempfile.TemporaryDirectory() as folder:
        target = path or Path(folder) / "unrecorded.run"
        started = time.monotonic()
        try:
            with _screen(arguments, recipe) as progress, blaming(settings):
                figures = record(
                    recipe, target, resume=resume, pace=pace, progress=progress, origin=origin
                )
        except KeyboardInterrupt:
            if path is not None:
                print(f"go on with: lightsout run --resume {path}", file=sys.stderr)
            raise
        figures["wall_s"] = round(time.monotonic() - started, 3)
        figures["speed"] = round(figures["simulated_s"] / max(1e-9, figures["wall_s"]), 1)
    if path is not None:
        figures["run"] = str(path)
    if bad:
        figures["bad_rows"] = bad + figures.get("bad_rows", [])
    _print(figures, arguments.json)
    return 0


def _only_resume(arguments: argparse.Namespace) -> None:
    """A run is resumed as it was begun."""
    from sim.scenario import ScenarioError  # noqa: PLC0415

    changed = [
        name
        for name in (
            "site",
            "hours",
            "seed",
            "fleet",
            "settings",
            "record",
            "lorr",
            "vision",
            "readers",
            *host_files.NAMES,
        )
        if getattr(arguments, name)
    ]
    if changed or arguments.faults != "none":
        raise ScenarioError(
            f"--resume goes on with the run as it was begun -> leave out {', '.join(changed)}"
        )


def _pace(text: str) -> float | None:
    if text == "max":
        return None
    try:
        return positive(text)
    except argparse.ArgumentTypeError as error:
        from sim.scenario import ScenarioError  # noqa: PLC0415

        raise ScenarioError(f"--speed {text}: {error} -> write max, 1 or 10") from error


def _recipe(arguments: argparse.Namespace, settings: dict[str, Any]) -> tuple[Recipe, list[str]]:
    """The recipe, and rows of the item master that are left out."""
    from sim import recipe  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415

    if (arguments.site is None) == (arguments.lorr is None):
        named = "nothing was named" if arguments.site is None else "a site and an instance"
        raise ScenarioError(
            f"what is to run? ({named}) -> name one site's folder, or --lorr INSTANCE.json"
        )
    values: dict[str, Any] = {"seed": arguments.seed or 0, "hours": arguments.hours or 1.0}
    values |= _vision(arguments)
    values["fleets"] = dict(_fleet(text) for text in arguments.fleet)
    values |= host_files.values(arguments)
    made = (
        recipe.of_lorr(arguments.lorr, **values)
        if arguments.lorr is not None
        else recipe.of_site(arguments.site, **values)
    )
    bad: list[str] = []
    if arguments.items is not None:
        files, bad = host_files.with_items(made.files, arguments.items)
        made = replace(made, files=files)
    made = recipe.with_settings(made, settings)
    return recipe.with_faults(made, arguments.faults), bad


def _vision(arguments: argparse.Namespace) -> dict[str, Any]:
    """Checked as far as it can be before the run."""
    found: dict[str, Any] = {}
    if arguments.vision:
        from sim.vision import parse  # noqa: PLC0415

        parse(arguments.vision)
        found["vision"] = arguments.vision
    if arguments.readers:
        from orchestrator.vision.settings import load  # noqa: PLC0415

        load(arguments.readers.parent, arguments.readers)
        found["readers"] = arguments.readers.read_text(encoding="utf-8")
    return found


def _fleet(text: str) -> tuple[str, int]:
    from sim.scenario import ScenarioError  # noqa: PLC0415

    name, _, number = text.partition("=")
    if not number.isdigit():
        raise ScenarioError(f"--fleet {text} -> write NAME=N, as tote_amr=20")
    return name, int(number)


def _screen(arguments: argparse.Namespace, recipe: Recipe) -> Any:
    from orchestrator.commands.screen import Quiet, Screen  # noqa: PLC0415

    if arguments.quiet or arguments.json or not sys.stderr.isatty():
        return Quiet()
    return Screen(recipe.name, recipe.hours)


def _print(figures: dict[str, Any], as_json: bool) -> None:
    for row in figures.get("bad_rows", []):
        print(f"left out: {row}", file=sys.stderr)
    if as_json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        if key != "bad_rows":
            print(f"{key:>18}  {value}")
