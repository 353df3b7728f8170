"""`lightsout orders list | watch`: open orders, and how those of the last hour ended."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from orchestrator.commands import command, operator, positive

EXAMPLES = """\
  lightsout orders list --status open --mqtt mqtt://broker
  lightsout orders watch --mqtt mqtt://broker
  lightsout orders watch o-17 o-18 --mqtt mqtt://broker     (ends when both are closed)"""
ROW = "{:<20} {:<11} {:<12} {:>3} {:<24} {}"


def add(verbs: Any) -> None:
    """Declare the commands."""
    summaries = (("list", "all that are open or closed lately"), ("watch", "as they change"))
    for verb, summary in summaries:
        parser = command(verbs, verb, summary, EXAMPLES)
        parser.add_argument("ids", nargs="*", metavar="ID", help="these alone (all)")
        parser.add_argument("--status", metavar="WORD", help="open, done, quarantined …")
        if verb == "watch":
            parser.add_argument("--seconds", type=positive, help="(until interrupted)")
        operator.add(parser)
        parser.set_defaults(carry_out=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out: 1: an order that was named did not end well."""

    async def work(known: operator.Operator) -> int:
        found = await known.retained(f"{known.root}/orders/+/status")
        states = {row["order_id"]: row for _, row in found if row is not None}
        if arguments.verb == "list":
            missing = [name for name in arguments.ids if name not in states]
            if missing:
                raise operator.NoAnswer(
                    f"no order {missing[0]!r} is open, or was closed within the hour -> list all"
                )
        if not arguments.json:
            print(ROW.format("order", "status", "kind", "pr", "due", ""))
        for row in states.values():
            if _wanted(arguments, row):
                show(row, as_json=arguments.json)
        if arguments.verb == "watch":
            return await _watch(arguments, known, states)
        return 0

    return operator.carry_out(arguments, work, asks=False)


async def _watch(
    arguments: argparse.Namespace, known: operator.Operator, states: dict[str, Any]
) -> int:
    ids = set(arguments.ids)
    ended = {name: states[name]["status"] for name in ids if name in states}
    ended = {name: status for name, status in ended.items() if status != "open"}
    sys.stdout.flush()
    if ids and len(ended) == len(ids):
        return 0 if set(ended.values()) == {"done"} else 1
    async for _, row in known.news(arguments.seconds):
        if row is None or not _wanted(arguments, row):
            continue
        show(row, as_json=arguments.json)
        sys.stdout.flush()
        if row["order_id"] in ids and row["status"] != "open":
            ended[row["order_id"]] = row["status"]
            if len(ended) == len(ids):
                break
    return 0 if not ids or (len(ended) == len(ids) and set(ended.values()) == {"done"}) else 1


def _wanted(arguments: argparse.Namespace, row: dict[str, Any]) -> bool:
    ids, status = arguments.ids, arguments.status
    return (not ids or row["order_id"] in ids) and status in (None, row["status"])


def show(row: dict[str, Any], *, as_json: bool) -> None:
    """One order's status."""
    if as_json:
        print(json.dumps(row))
        return
    count = "{quantity} {sku}" if row["status"] == "open" else "{done}/{quantity} {sku}"
    lines = ", ".join(count.format(**line) for line in row["lines"])
    text = "; ".join(part for part in (lines, row["reason"]) if part)
    due = row["due_at"] or "-"
    print(
        ROW.format(row["order_id"], row["status"], row["kind"], row["priority"], due, text).rstrip()
    )
