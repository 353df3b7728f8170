"""`lightsout fleet closures`: what is closed, paused, evacuated or stopped just now."""

from __future__ import annotations

import argparse
import json
from typing import Any

from orchestrator.commands import command, operator

EXAMPLES = "  lightsout fleet closures --mqtt mqtt://broker"


def add(verbs: Any) -> None:
    """Declare the command."""
    summary = "what is closed, paused, evacuated or stopped, and what ends it"
    parser = command(verbs, "closures", summary, EXAMPLES)
    operator.add(parser)
    parser.set_defaults(carry_out=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""

    async def work(known: operator.Operator) -> int:
        found = await known.retained(f"{known.root}/closures")
        for _, closures in found[-1:]:
            if arguments.json:
                print(json.dumps(closures))
            else:
                print("\n".join(lines_of(closures)) or "nothing is closed")
        return 0

    return operator.carry_out(arguments, work, asks=False)


def lines_of(closures: dict[str, Any]) -> list[str]:
    """Each with the command that ends it."""
    found = [f"lane {name}: open-lane {name}" for name in closures["lanes"]]
    for name, reasons in closures["stations"].items():
        found += [
            f"station {name}: " + (f"open-station {name}" if reason == "asked" else reason)
            for reason in reasons
        ]
    return found + [f"{row['name']}: {_undo(row)}" for row in closures["restrictions"]]


def _undo(row: dict[str, Any]) -> str:
    if row["kind"] == "stop":
        return "the safety controller's reset, and its word that the zone is clear"
    if row["kind"] == "close":
        return f"open-zone {row['zone']}"
    if row["robot"]:
        return f"resume {row['robot']}"
    named = [f"--{key} {row[key]}" for key in ("fleet", "zone") if row[key]]
    return f"resume {(named or ['--all'])[0]}"
