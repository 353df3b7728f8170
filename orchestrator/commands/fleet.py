"""`lightsout fleet`: vehicles of a site, over MQTT. Verbs are in the modules `fleet_*`."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.commands import command, fleet_ask, fleet_closures, fleet_show, fleet_simulate

MODULES = (fleet_show, fleet_closures, fleet_ask, fleet_simulate)
EXAMPLES = """\
  lightsout fleet list --mqtt mqtt://broker
  lightsout fleet pause --zone east --box 10 0 20 8 --mqtt mqtt://broker
  lightsout fleet retire tote_amr-03 --mqtt mqtt://broker
  lightsout fleet simulate sites/jd_small --mqtt mqtt://broker

Exit codes: 0 accepted, 1 rejected, 2 no answer or bad usage."""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "fleet", "vehicles of a site: look, ask, simulate", EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in MODULES:
        module.add(verbs)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    done: int = arguments.carry_out(arguments)
    return done
