"""`lightsout compare`: two runs side by side."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.commands import command, moment, output

EXAMPLES = """\
  lightsout compare a.run more.run
  lightsout compare a.run more.run --out compare.html
  lightsout compare a.run b.run --from 1h --to 2h --json

Forks are compared from where they part, other runs over all the time that both have. Figures are
those of `report` and `verify`; contacts are checked by `verify` alone."""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "two runs side by side: figures, differences, and curves as one HTML file"
    parser = command(subparsers, "compare", summary, EXAMPLES)
    parser.add_argument("first", type=Path, metavar="RUN")
    parser.add_argument("second", type=Path, metavar="RUN")
    parser.add_argument("--from", dest="from_s", type=moment, metavar="T", help="instead")
    parser.add_argument("--to", dest="to_s", type=moment, metavar="T", help="instead of the end")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="write a page")
    parser.add_argument("--json", action="store_true", help="print figures and curves as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim.compare import compare  # noqa: PLC0415
    from sim.compare.page import page  # noqa: PLC0415
    from sim.verification import UnusableRun  # noqa: PLC0415

    paths = (arguments.first, arguments.second)
    try:
        with RunReader(paths[0]) as first, RunReader(paths[1]) as second:
            found = compare((first, second), _names(paths), arguments.from_s, arguments.to_s)
        if arguments.out is not None:
            with output(arguments.out, *paths) as file:
                file.write(page(found))
    except UnusableRun as error:
        print(f"lightsout: {paths[0]} or {paths[1]}: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found.as_json()))
        return 0
    from rich.console import Console  # noqa: PLC0415

    from sim.compare.words import show  # noqa: PLC0415

    show(found, Console())
    if arguments.out is not None:
        print(f"wrote {arguments.out}")
    return 0


def _names(paths: tuple[Path, Path]) -> tuple[str, str]:
    """File names, with their folders where they are the same."""
    first, second = paths
    if first.stem != second.stem:
        return first.stem, second.stem
    return (str(first), str(second)) if first != second else (first.stem, f"{second.stem} again")
