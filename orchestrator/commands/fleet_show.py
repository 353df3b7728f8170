"""`lightsout fleet list | watch`: what the robots are at."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from typing import Any

from orchestrator.commands import command, operator, positive

EXAMPLES = """\
  lightsout fleet list --mqtt mqtt://broker
  lightsout fleet list --activity faulted --json --mqtt mqtt://broker
  lightsout fleet watch tote_amr-03 --mqtt mqtt://broker"""
ROW = "{:<16} {:<12} {:<9} {:>4} {:<14} {:<18} {}"


def add(verbs: Any) -> None:
    """Declare the commands."""
    for verb, summary in (("list", "all robots, as they are now"), ("watch", "as they change")):
        parser = command(verbs, verb, summary, EXAMPLES)
        parser.add_argument("robots", nargs="*", metavar="ROBOT", help="these alone (all)")
        parser.add_argument("--fleet", help="of this fleet alone")
        parser.add_argument("--activity", metavar="WORD", help="idle, driving, charging, faulted …")
        if verb == "watch":
            parser.add_argument("--seconds", type=positive, help="(until interrupted)")
        operator.add(parser)
        parser.set_defaults(carry_out=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""

    async def work(known: operator.Operator) -> int:
        found = await known.retained(f"{known.root}/fleet/+/state")
        states = {state["robot"]: state for _, state in found if state is not None}
        missing = [name for name in arguments.robots if name not in states]
        if missing:
            near = " or ".join(difflib.get_close_matches(missing[0], states))
            mend = f"did you mean {near}?" if near else "lightsout fleet list"
            raise operator.NoAnswer(f"there is no robot {missing[0]!r} -> {mend}")
        rows = sorted((s for s in states.values() if _wanted(arguments, s)), key=_place)
        if not arguments.json:
            print(ROW.format("robot", "fleet", "activity", "%", "node", "order", ""))
        for state in rows:
            _show(state, as_json=arguments.json)
        if arguments.verb == "watch":
            async for _, state in known.news(arguments.seconds):
                if state is not None and _wanted(arguments, state):
                    _show(state, as_json=arguments.json)
                    sys.stdout.flush()
        return 0

    return operator.carry_out(arguments, work, asks=False)


def _place(state: dict[str, Any]) -> tuple[str, str]:
    return state["fleet"], state["robot"]


def _wanted(arguments: argparse.Namespace, state: dict[str, Any]) -> bool:
    return (
        (not arguments.robots or state["robot"] in arguments.robots)
        and arguments.fleet in (None, state["fleet"])
        and arguments.activity in (None, state["activity"])
    )


def _show(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(state))
        return
    remarks = [*state["paused"], *(["retired"] if state["retired"] else [])]
    if state["fault"]:
        remarks.append(state["fault"])
    print(
        ROW.format(
            state["robot"], state["fleet"], state["activity"], round(state["battery_percent"]),
            state["node"], state["order"] or "-", ", ".join(remarks),
        ).rstrip()
    )  # fmt: skip
