"""`lightsout verify`: is the recorded run what it claims to be?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.commands import command

EXAMPLES = """\
  lightsout verify a.run
  lightsout verify a.run --json | python -m json.tool
  lightsout verify a.run --no-motion       goods and orders only

exit code: 0 nothing found, 1 something found, 2 the file can't be used"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "check a run from its trajectories and ground truth, independent of the core"
    parser = command(subparsers, "verify", summary, EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--no-motion", action="store_true", help="leave the trajectories out")
    parser.add_argument("--json", action="store_true", help="print figures and findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim.verification import UnusableRun, verify  # noqa: PLC0415

    with RunReader(arguments.run) as reader:
        try:
            verdict = verify(reader, motion=not arguments.no_motion)
        except UnusableRun as error:
            print(f"lightsout: {arguments.run}: {error}", file=sys.stderr)
            return 2
    if arguments.json:
        print(json.dumps(verdict.as_json()))
    else:
        from rich.console import Console  # noqa: PLC0415

        from sim.verification.table import show  # noqa: PLC0415

        show(verdict, Console(), str(arguments.run))
    return 0 if verdict.clean else 1
