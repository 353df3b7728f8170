"""`lightsout rehearse`: a site through many simulated futures, and the certificate of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import OutputError, command, positive

if TYPE_CHECKING:
    from sim.rehearsal import Plan

EXAMPLES = """\
  lightsout rehearse sites/jd_small
  lightsout rehearse sites/jd_small --hours 4 --seeds 20
  lightsout rehearse sites/jd_small --from yesterday.run      the orders of a recorded run
  lightsout rehearse sites/jd_small --out today.json

Hours, seeds and what must hold stand in site.yaml under `rehearsal` (docs/rehearsal.md). Finished seeds
are kept: called again, it goes on. exit code: 0 passed, 1 failed, 2 unusable input"""
SEEDS_MAX = 1000
REASONS_SHOWN = 6


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "run a site through simulated futures, and certify it for `serve`"
    parser = command(subparsers, "rehearse", summary, EXAMPLES)
    parser.add_argument("site", type=Path, metavar="SITE", help="a site's folder")
    parser.add_argument("--hours", type=positive, help="simulated hours of each (site.yaml)")
    parser.add_argument("--seeds", type=_seeds, metavar="N", help="how many futures (site.yaml)")
    parser.add_argument(
        "--from", dest="demand", type=Path, metavar="RUN", help="its recorded orders as the demand"
    )
    parser.add_argument("--jobs", type=int, default=2, help="at a time (2)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="(SITE/certificate.json)")
    parser.add_argument("--json", action="store_true", help="print the certificate")


def _seeds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= SEEDS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to {SEEDS_MAX}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out: exit 1 if any future falls short."""
    from sim.rehearsal import rehearse  # noqa: PLC0415

    plan = _plan(arguments)
    if not arguments.json:
        print(f"{plan.recipe.name}: {plan.seeds} futures of {plan.recipe.hours:g} h", flush=True)
    made = rehearse(plan, (lambda _: None) if arguments.json else _report)
    if arguments.json:
        print(json.dumps(made))
    else:
        _verdict(plan, made)
    return 0 if made["passed"] else 1


def _plan(arguments: argparse.Namespace) -> Plan:
    from orchestrator.certificate import default_path  # noqa: PLC0415
    from orchestrator.layout import site_files  # noqa: PLC0415
    from sim import recipe  # noqa: PLC0415
    from sim.rehearsal import Plan  # noqa: PLC0415

    folder: Path = arguments.site
    made = recipe.of_site(folder)
    loaded = made.load()
    wanted = loaded.spec.rehearsal
    out = arguments.out or default_path(folder)
    inside = {path.resolve() for path in site_files(folder)}
    if out.resolve() in inside or (
        out.name != default_path(folder).name
        and out.resolve().parent == default_path(folder).resolve().parent
    ):
        raise OutputError(f"{out}: would become a part of the site -> put it into another folder")
    if not out.resolve().parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent} -> make it first")
    values: dict[str, Any] = {"hours": arguments.hours or wanted.hours}
    demand = None
    if arguments.demand is not None:
        recorded, demand = _recorded(arguments.demand, arguments.hours)
        values |= recorded
    return Plan(
        folder=folder, recipe=recipe.of_site(folder, **values), wanted=wanted,
        seeds=arguments.seeds or wanted.seeds, out=out, demand=demand, jobs=max(1, arguments.jobs),
    )  # fmt: skip


def _recorded(path: Path, hours: float | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The demand of a run, over its length unless hours are given."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim.recorded_demand import text_of  # noqa: PLC0415

    with RunReader(path) as reader:
        text = text_of(reader)
        length = reader.time_range_ns[1] / 3.6e12
        demand = {"run": path.name, "journal_hash": reader.journal_hash}
    values = {"demand": text, "demand_name": path.name, "hours": hours or round(length, 6)}
    return values, demand


def _report(row: dict[str, Any]) -> None:
    figures = row.get("figures", {})
    said = "; ".join(missed["threshold"] for missed in row["shortfalls"]) or "passed"
    print(
        f"seed {row['seed']:4}  {figures.get('finished', 0):5} of {figures.get('orders', 0)} orders"
        f"  in time {_percent(figures.get('on_time_ratio'))}"
        f"  lights-out {_percent(figures.get('lights_out_ratio'))}"
        f"  clearance {figures.get('clearance_m', '-')} m  {said}",
        flush=True,
    )


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{100 * ratio:.1f} %"


def _verdict(plan: Plan, made: dict[str, Any]) -> None:
    from sim.verification.table import clock  # noqa: PLC0415

    short = [row for row in made["seeds"] if row["shortfalls"]]
    if not short:
        print(f"passed: {len(made['seeds'])} futures; wrote {plan.out}")
        return
    print(f"FAILED in {len(short)} of {len(made['seeds'])} futures")
    for reason in made["reasons"][:REASONS_SHOWN]:
        print(f"  {reason}")
    if len(made["reasons"]) > REASONS_SHOWN:
        print(f"  and {len(made['reasons']) - REASONS_SHOWN} more, in {plan.out}")
    first = next((row for row in short if row["causes"] and row["run"]), None)
    if first is not None:
        for number, cause in enumerate(first["causes"][:3]):
            print(f"{'why' if not number else 'and'}:   {cause['text']}")
        at = clock(first["causes"][0]["at_s"])[:-4]
        print(f"watch: lightsout view {plan.runs / first['run']} --at {at}")
    print(f"wrote {plan.out}")
