"""`lightsout bench`: measure, with the rules of others where there are any."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from orchestrator.commands import (
    bench_lorr,
    bench_mapf,
    bench_vision,
    bench_wire,
    command,
    positive,
)

SIM = "  lightsout bench sim sites/jd_small --hours 1"
PDPTW = """\
  lightsout bench pdptw lc101.txt --seconds 30
  lightsout bench pdptw lr101.txt --solutions 200      the same answer each time"""
ABLATION = """\
  lightsout bench ablation sites/jd_small --hours 1 --variant "as it is" --variant "parking stay"
  lightsout bench ablation sites/jd_medium --hours 2 --seeds 3 --out ablation.jsonl"""
OTHERS = (bench_mapf.EXAMPLES, bench_vision.EXAMPLES, bench_wire.EXAMPLES)
EXAMPLES = "\n".join((bench_lorr.EXAMPLES, SIM, PDPTW, ABLATION, *OTHERS))


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "bench", "measure planning and simulation", EXAMPLES)
    kinds = parser.add_subparsers(
        dest="kind", required=True, metavar="lorr|mapf|sim|pdptw|ablation|vision|wire"
    )
    bench_lorr.add(kinds)
    sim = command(kinds, "sim", "simulated seconds per second, planning included", SIM)
    sim.add_argument("site", type=Path, metavar="SITE")
    sim.add_argument("--hours", type=positive, default=1.0)
    sim.add_argument("--seed", type=int, default=0)
    sim.add_argument("--repeat", type=int, default=3)
    sim.add_argument("--json", action="store_true")
    parts = command(kinds, "ablation", "one part replaced or off at a time, same seeds", ABLATION)
    parts.add_argument("site", type=Path, metavar="SITE")
    parts.add_argument("--hours", type=positive, default=2.0)
    parts.add_argument("--seeds", type=int, default=3)
    parts.add_argument("--faults", default="none", metavar="FILE|default|none")
    parts.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parts.add_argument(
        "--variant",
        action="append",
        default=[],
        help='only this one, as "parking stay" (may be repeated; all)',
    )
    parts.add_argument("--out", type=Path, metavar="FILE", help="results so far: resumable")
    parts.add_argument("--json", action="store_true")
    tours = command(kinds, "pdptw", "tours: pickup and delivery, Li & Lim instances", PDPTW)
    tours.add_argument(
        "instance", type=Path, metavar="INSTANCE", help=".txt, or a name in the data"
    )
    tours.add_argument("--seconds", type=positive, help="wall time (30 where no limit is given)")
    tours.add_argument("--solutions", type=int, help="solutions visited: reproducible")
    tours.add_argument("--json", action="store_true")
    tours.add_argument("--out", type=Path, metavar="FILE", help="the routes, one a line")
    bench_mapf.add(kinds)
    bench_vision.add(kinds)
    bench_wire.add(kinds)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    kinds = {
        "lorr": bench_lorr.run,
        "sim": _sim,
        "pdptw": _pdptw,
        "ablation": _ablation,
        "mapf": bench_mapf.run,
        "vision": bench_vision.run,
        "wire": bench_wire.run,
    }
    figures = kinds[arguments.kind](arguments)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:>18}  {value}")
    return 1 if figures.get("faults") else 0


def _ablation(arguments: argparse.Namespace) -> dict[str, Any]:
    from sim import ablation, recipe  # noqa: PLC0415
    from sim.fork import setting  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415
    from sim.settings import blaming  # noqa: PLC0415

    names = arguments.variant or list(ablation.VARIANTS)
    for name in names:
        if name not in ablation.VARIANTS:
            known = ", ".join(ablation.VARIANTS)
            raise ScenarioError(f"--variant {name}: is unknown -> use one of {known}")
    made = recipe.of_site(arguments.site, hours=arguments.hours)
    made = recipe.with_faults(made, arguments.faults)
    settings = dict(setting(text) for text in arguments.settings)
    made = recipe.with_settings(made, settings)

    def show(row: dict[str, Any]) -> None:
        if not arguments.json:
            figures = "  ".join(f"{key} {row[key]}" for key in ablation.COLUMNS)
            print(f"seed {row['seed']}  {row['variant']:<20} {figures}", flush=True)

    with blaming(settings):
        found = ablation.run(made, range(arguments.seeds), names, arguments.out, show)
    if arguments.json:
        return found
    return {
        name: "  ".join(f"{key} {row[key]}" for key in ablation.COLUMNS)
        for name, row in found.items()
    }


def _sim(arguments: argparse.Namespace) -> dict[str, Any]:
    import tempfile  # noqa: PLC0415
    import time  # noqa: PLC0415
    from statistics import median  # noqa: PLC0415

    from sim import recipe  # noqa: PLC0415
    from sim.recorded import record  # noqa: PLC0415

    made = recipe.of_site(arguments.site, seed=arguments.seed, hours=arguments.hours)
    speeds = []
    figures: dict[str, Any] = {}
    for _ in range(max(1, arguments.repeat)):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            figures = record(made, Path(folder) / "bench.run")
            speeds.append(figures["simulated_s"] / (time.perf_counter() - started))
    return {
        "site": arguments.site.name,
        "robots": figures["robots"],
        "events": figures["events"],
        "speed_median": round(median(speeds), 1),
        "speeds": [round(speed, 1) for speed in speeds],
    }


def _pdptw(arguments: argparse.Namespace) -> dict[str, Any]:
    import time  # noqa: PLC0415

    from planners.tours import RoutingTours, TourParameters  # noqa: PLC0415
    from sim import li_lim  # noqa: PLC0415

    if arguments.solutions is not None and arguments.solutions < 1:
        raise li_lim.LiLimError(f"--solutions {arguments.solutions} -> at least 1")
    path = li_lim.find(arguments.instance)
    instance, known = li_lim.load(path), li_lim.best_known(path)
    seconds = arguments.seconds or (0.0 if arguments.solutions else 30.0)
    parameters = TourParameters(arguments.solutions or 2**40, seconds)
    started = time.perf_counter()
    plan = RoutingTours(parameters).plan(li_lim.problem(instance))
    took = time.perf_counter() - started
    routes = li_lim.routes(instance, plan.stops)
    verdict = li_lim.judge(instance, routes)
    if arguments.out is not None:
        li_lim.write(instance, routes, arguments.out)
    return {
        "instance": instance.name,
        "requests": len(instance.tasks) // 2,
        "vehicles": verdict.vehicles,
        "distance": round(verdict.distance, 2),
        "best_vehicles": None if known is None else known[0],
        "best_distance": None if known is None else known[1],
        "gap_vehicles": None if known is None else verdict.vehicles - known[0],
        "gap_percent": None
        if known is None
        else round(100 * (verdict.distance / known[1] - 1), 2) + 0.0,
        "seconds": round(took, 1),
        "feasible": not verdict.faults,
        "faults": list(verdict.faults),
    }
