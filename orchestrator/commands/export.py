"""`lightsout export`: a run for other people's tools."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.commands import command, output, seconds

EXAMPLES = """\
  lightsout export a.run --trajectories poses.csv --from 0:30:00 --to 0:31:00
  lightsout export a.run --footprints shapes.json --events events.jsonl
  lightsout export a.run --events -         to the standard output

times: seconds, MM:SS or H:MM:SS; both ends belong to the span"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "write a run's trajectories, footprints and events to files"
    parser = command(subparsers, "export", summary, EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--from", dest="from_s", type=seconds, default=0.0, metavar="T")
    parser.add_argument("--to", dest="to_s", type=seconds, metavar="T")
    parser.add_argument(
        "--trajectories", metavar="FILE.csv",
        help="time_s,robot,x_m,y_m,theta_rad: a row per robot each 0.1 s",
    )  # fmt: skip
    parser.add_argument(
        "--footprints", metavar="FILE.json", help="robot -> polygon in its own frame, m"
    )
    parser.add_argument(
        "--events", metavar="FILE.jsonl", help="journal: time_ns, seq, type, fields (bytes: base64)"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim import export  # noqa: PLC0415
    from sim.verification import UnusableRun  # noqa: PLC0415

    span = (arguments.from_s, arguments.to_s)
    if not (arguments.trajectories or arguments.footprints or arguments.events):
        return _refuse("name what to write: --trajectories, --footprints or --events")
    if arguments.to_s is not None and arguments.to_s < arguments.from_s:
        return _refuse("--to lies before --from")
    written: dict[str, Any] = {}
    with RunReader(arguments.run) as reader:
        wanted: list[tuple[str | None, str, Callable[[Any], int]]] = [
            (arguments.trajectories, "rows", lambda out: export.trajectories(reader, out, *span)),
            (arguments.footprints, "robots", lambda out: export.footprints(reader, out)),
            (arguments.events, "events", lambda out: export.events(reader, out, *span)),
        ]
        try:
            for name, unit, write in wanted:
                if name:
                    written[name] = {unit: _write(name, write, arguments.run)}
        except (UnusableRun, OSError) as error:
            return _refuse(str(error))
    if arguments.json:
        print(json.dumps(written), file=_said(written))
    else:
        for name, counts in written.items():
            for unit, count in counts.items():
                print(f"{name}: {count} {unit}", file=_said(written))
    return 0


def _write(name: str, write: Callable[[Any], int], run: Path) -> int:
    if name == "-":
        return write(sys.stdout)
    with output(Path(name), run) as out:
        return write(out)


def _said(written: dict[str, Any]) -> Any:
    return sys.stderr if "-" in written else sys.stdout


def _refuse(text: str) -> int:
    print(f"lightsout: {text}", file=sys.stderr)
    return 2
