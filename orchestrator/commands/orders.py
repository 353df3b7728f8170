"""`lightsout orders`: submit, change, cancel, list and watch orders of a site that is served."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.commands import command, orders_ask, orders_show

MODULES = (orders_ask, orders_show)
EXAMPLES = """\
  lightsout orders submit --sku SKU-01 --quantity 2 --due-in 30m --wait --mqtt mqtt://broker
  lightsout orders submit orders.csv --mqtt mqtt://broker
  lightsout orders change o-17 --priority 9 --due-in 10m --mqtt mqtt://broker
  lightsout orders cancel o-17 o-18 --mqtt mqtt://broker
  lightsout orders list --status open --mqtt mqtt://broker

Exit codes: 0 accepted (--wait: done), 1 rejected (or not done), 2 no answer or bad usage."""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "orders", "orders of a site that is served, over MQTT", EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in MODULES:
        module.add(verbs)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    done: int = arguments.carry_out(arguments)
    return done
