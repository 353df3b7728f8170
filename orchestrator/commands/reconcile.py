"""`lightsout reconcile`: a run's books at its end against what the host believes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from orchestrator.commands import command

EXAMPLES = """\
  lightsout reconcile a.run --stock host.csv          tote,sku,quantity,slot
  lightsout reconcile a.run --stock out/0000123456-stock-snapshot-end.json --json

exit code: 0 they agree, 1 differences (or rows that can't be used), 2 a file can't be used"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "compare a run's stock at its end with the host's list"
    parser = command(subparsers, "reconcile", summary, EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--stock", type=Path, required=True, metavar="FILE")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.host import stock_list  # noqa: PLC0415
    from orchestrator.host.records import read_text  # noqa: PLC0415
    from orchestrator.journal import RunReader  # noqa: PLC0415

    host, bad = stock_list.read_stock(read_text(arguments.stock), str(arguments.stock))
    with RunReader(arguments.run) as reader:
        reader.require_finished()
        books = reader.meta.get("books")
    if books is None:
        print(f"lightsout: {arguments.run}: has no books -> record it anew", file=sys.stderr)
        return 2
    found = stock_list.compare(host, stock_list.of_books(books))
    for row in bad:
        print(f"left out: {row}", file=sys.stderr)
    if arguments.json:
        rows = [
            {"kind": each.kind, "tote": each.tote, "changes": each.changes, "text": str(each)}
            for each in found
        ]
        print(json.dumps({"totes": len(books["totes"]), "differences": rows, "bad": len(bad)}))
    else:
        for each in found:
            print(each)
        count = len(books["totes"])
        print(f"{count} totes in the building, {len(host)} of the host: {len(found)} differences")
    return 1 if found or bad else 0
