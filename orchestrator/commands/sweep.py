"""`lightsout sweep`: many seeds, each simulated and verified."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.commands import command, positive

EXAMPLES = """\
  lightsout sweep sites/jd_small --seeds 20 --faults default
  lightsout sweep sites/jd_small --seeds 50 --faults random
  lightsout sweep sites/jd_small --seeds 100:200 --results sweep.jsonl    (resumable)
  lightsout sweep sites/jd_small --death-at-every-node --window 120"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "sweep", "simulate and verify many seeds", EXAMPLES)
    parser.add_argument("site", type=Path, metavar="SITE")
    parser.add_argument("--seeds", default="20", metavar="N|A:B", help="how many, or a range (20)")
    parser.add_argument("--hours", type=positive, default=1.0)
    parser.add_argument("--faults", default="default", metavar="FILE|default|random|none")
    parser.add_argument("--jobs", type=int, default=2, help="at a time (2)")
    parser.add_argument("--results", type=Path, metavar="FILE.jsonl", help="keep, and go on from")
    parser.add_argument(
        "--death-at-every-node",
        action="store_true",
        help="one run per node of the core: a robot dies there, no restart helps",
    )
    parser.add_argument(
        "--window", type=int, default=120, help="minutes until a person enters (120)"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out: exit 1 if any seed has findings."""
    from sim import recipe  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415
    from sim.sweep import RANDOM, broken, sweep  # noqa: PLC0415

    low, colon, high = arguments.seeds.partition(":")
    try:
        seeds = range(int(low), int(high)) if colon else range(int(low))
    except ValueError as error:
        raise ScenarioError(f"--seeds {arguments.seeds} -> write 20 or 100:200") from error
    if not seeds:
        raise ScenarioError(f"--seeds {arguments.seeds} names no seed -> write 20 or 100:200")
    made = recipe.of_site(arguments.site, hours=arguments.hours)
    if arguments.death_at_every_node:
        return _deaths(replace(made, seed=seeds[0]), arguments)
    if arguments.faults == "random":
        made = replace(made, faults=RANDOM)
    else:
        made = recipe.with_faults(made, arguments.faults)
    report = (lambda _: None) if arguments.json else _report
    rows = sweep(made, seeds, arguments.results, max(1, arguments.jobs), report)
    bad = [row for row in rows if row["findings"]]
    if arguments.json:
        print(json.dumps({"seeds": len(rows), "bad": bad}))
    else:
        worse = sum(map(broken, rows))
        print(f"{len(rows)} seeds, {len(bad)} with findings, {worse} with something broken")
    if arguments.faults == "random":  # at such rates an order may be late
        return 1 if any(map(broken, rows)) else 0
    return 1 if bad else 0


def _deaths(made: Any, arguments: argparse.Namespace) -> int:
    from sim.deaths_everywhere import everywhere  # noqa: PLC0415

    report = (lambda _: None) if arguments.json else _report_death
    rows = everywhere(made, arguments.window, max(1, arguments.jobs), report)
    bad = [row for row in rows if row["findings"]]
    died = sum(row.get("died", False) for row in rows)
    if arguments.json:
        print(json.dumps({"nodes": len(rows), "deaths": died, "bad": bad}))
    else:
        print(f"{len(rows)} nodes, {died} deaths, {len(bad)} with findings")
    return 1 if bad else 0


def _report_death(row: dict[str, Any]) -> None:
    what = "nobody came by"
    if row.get("died"):
        what = (
            f"dead for {row.get('minutes', '?')} min  done meanwhile {row.get('done_meanwhile', '?')}"
            f"  after {row.get('done_after', '?')}  overdue {row.get('overdue', '?')}"
        )
    print(
        f"{row['node']:>10}  {what}  {'; '.join(row['findings'][:3]) or 'nothing found'}",
        flush=True,
    )


def _report(row: dict[str, Any]) -> None:
    figures = row.get("figures", {})
    print(
        f"seed {row['seed']:5}  {figures.get('orders_done', 0):5} done  "
        f"lights-out {figures.get('lights_out_fillable_percent', '-')} %  "
        f"{'; '.join(row['findings'][:3]) or 'nothing found'}",
        flush=True,
    )
