"""`lightsout salvage`: what can still be read of a damaged run."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestrator.commands import command


def add(subparsers: Any) -> None:
    """Declare the command."""
    examples = "  lightsout salvage broken.run --out saved.run"
    parser = command(subparsers, "salvage", "bring out what a damaged run still holds", examples)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path, required=True, metavar="NEW.run")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out: exit 1 where nothing could be saved."""
    from orchestrator.journal import salvage  # noqa: PLC0415

    report = salvage(arguments.run, arguments.out)
    print(json.dumps(asdict(report)) if arguments.json else f"{arguments.out}: {report}")
    return 0 if report.events else 1
