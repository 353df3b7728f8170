"""`lightsout api`: what is said over topics, as documents for programs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.commands import command, output

EXAMPLES = """\
  lightsout api asyncapi --out asyncapi.yaml
  lightsout api schema RobotState
  lightsout api schema                          (their names)"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "api", "AsyncAPI document and JSON schemas", EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    document = command(
        verbs, "asyncapi", "every topic, message and schema (AsyncAPI 3.0)", EXAMPLES
    )
    document.add_argument("--out", type=Path, metavar="FILE", help="(printed)")
    schema = command(verbs, "schema", "the JSON schema (draft 7) of a message", EXAMPLES)
    schema.add_argument("name", nargs="?", metavar="NAME", help="(all names)")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    if arguments.verb == "schema":
        return _schema(arguments.name)
    from orchestrator.api.asyncapi import text  # noqa: PLC0415

    if arguments.out is None:
        sys.stdout.write(text())
        return 0
    with output(arguments.out) as file:
        file.write(text())
    return 0


def _schema(name: str | None) -> int:
    from orchestrator.api.schemas import components, standalone  # noqa: PLC0415

    known = components()
    if name is None:
        print("\n".join(known))
    elif name in known:
        print(json.dumps(standalone(name), indent=2))
    else:
        print(f"lightsout: there is no message {name!r} -> lightsout api schema", file=sys.stderr)
        return 2
    return 0
