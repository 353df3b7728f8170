"""`lightsout report`: a run as one HTML page."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.commands import command, output

EXAMPLES = """\
  lightsout report a.run                   writes a.html beside it
  lightsout report a.run --out reports/a.html
  lightsout report a.run --json            figures only, no page"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "throughput, cycle times, utilisation, heat map: one self-contained HTML file"
    parser = command(subparsers, "report", summary, EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="the page (RUN's name.html)")
    parser.add_argument(
        "--json", action="store_true", help="print figures as JSON; write a page only with --out"
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim.report import build  # noqa: PLC0415
    from sim.report.page import page  # noqa: PLC0415
    from sim.verification import UnusableRun  # noqa: PLC0415

    try:
        with RunReader(arguments.run) as reader:
            report = build(reader)
        out = arguments.out or (None if arguments.json else arguments.run.with_suffix(".html"))
        if out is not None:
            with output(out, arguments.run) as file:
                file.write(page(report))
    except (UnusableRun, OSError) as error:
        print(f"lightsout: {arguments.run}: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(report.figures))
    else:
        print(f"wrote {out}")
    return 0
