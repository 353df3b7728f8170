"""`lightsout fleet`: vehicles of a site. Each verb is a module `fleet_<verb>`."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.commands import command, fleet_simulate

VERBS = (fleet_simulate,)


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "fleet", "vehicles of a site", fleet_simulate.EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="simulate")
    for verb in VERBS:
        verb.add(verbs)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    done: int = arguments.carry_out(arguments)
    return done
