"""`lightsout bench mapf`: one-shot path finding on movingai maps and scenarios."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import check_output, command, output, positive

if TYPE_CHECKING:
    from planners.lacam import OneShotPlan
    from sim.mapf_files import Mapf

EXAMPLES = """\
  lightsout bench mapf warehouse.map warehouse-random-1.scen --agents 1000 --seconds 20
  lightsout bench mapf warehouse.map warehouse-random-1.scen --iterations 5000   the same each time"""
SECONDS = 20.0


def add(kinds: Any) -> None:
    """Declare it."""
    parser = command(kinds, "mapf", "one-shot path finding, movingai instances", EXAMPLES)
    parser.add_argument("map", type=Path, metavar="MAP", help=".map")
    parser.add_argument("scen", type=Path, metavar="SCEN", help=".scen of that map")
    parser.add_argument("--agents", type=int, help="the first so many rows of the scenario (all)")
    parser.add_argument(
        "--seconds", type=positive, help=f"CPU time ({SECONDS:.0f} where no limit is given)"
    )
    parser.add_argument(
        "--iterations", type=int, help="expansions and neighbourhoods: reproducible"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=("guide", "star", "refine"),
        help="leave a part out (may be repeated)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the plan: a line per time, x,y …")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Solve; return the figures. CPU times begin when all is read and the kernels are compiled."""
    from planners.lacam import Parameters, ProblemError, warm  # noqa: PLC0415
    from sim.lorr_files import InstanceError  # noqa: PLC0415
    from sim.mapf_files import load  # noqa: PLC0415

    if arguments.iterations is not None and arguments.iterations < 1:
        raise InstanceError(f"--iterations {arguments.iterations} -> at least 1")
    if arguments.out is not None:
        check_output(arguments.out, arguments.map, arguments.scen)
    instance = load(arguments.map, arguments.scen, arguments.agents)
    parameters = Parameters(
        seed=arguments.seed,
        guide_rounds=0 if "guide" in arguments.without else Parameters().guide_rounds,
        star="star" not in arguments.without,
        refine="refine" not in arguments.without,
    )
    warm()
    try:
        figures, plan = _measure(arguments, instance, parameters)
    except ProblemError as error:
        if error.agent < 0:
            raise InstanceError(f"{instance.scen}: {error} -> ask for fewer agents") from error
        place = f"{instance.scen}:{instance.lines[error.agent]}"
        raise InstanceError(f"{place}: {error} -> mend the row, or the map") from error
    if arguments.out is not None and plan is not None:
        _write(arguments.out, instance, plan, arguments.map, arguments.scen)
    return figures


def _measure(
    arguments: argparse.Namespace, instance: Mapf, parameters: Any
) -> tuple[dict[str, Any], Any]:
    """(figures, the plan (T, A) in cells of the map or None)."""
    from time import process_time  # noqa: PLC0415

    from planners.grid import Grid  # noqa: PLC0415
    from planners.lacam import OneShot, solve  # noqa: PLC0415
    from sim.mapf_files import judge  # noqa: PLC0415

    seconds = arguments.seconds or (float("inf") if arguments.iterations else SECONDS)
    most = arguments.iterations or float("inf")
    course: list[tuple[float, OneShotPlan]] = []
    made = 0
    started = process_time()

    def stop(iterations: int) -> bool:
        nonlocal made
        made = iterations
        return iterations >= most or process_time() - started >= seconds

    grid = Grid.of(instance.free)
    problem = OneShot.on(grid, grid.number[instance.starts], grid.number[instance.goals])
    found = solve(
        problem, stop, parameters, lambda plan: course.append((process_time() - started, plan))
    )
    took = process_time() - started
    figures: dict[str, Any] = {
        "instance": instance.scen.stem,
        "agents": len(instance.starts),
        "nodes": grid.nodes,
        "seed": arguments.seed,
        "cpu_s": round(took, 2),
        "iterations": made,
    }
    if found is None:
        more = "--seconds" if made < most else "--iterations"
        return {**figures, "faults": [f"no plan was found -> give it longer ({more})"]}, None
    plan = grid.cell[found.nodes]
    figures |= _found(course, found)
    figures["faults"] = judge(instance, plan)
    return figures, plan


def _found(course: list[tuple[float, OneShotPlan]], found: OneShotPlan) -> dict[str, Any]:
    bound = max(1, found.lower_bound)
    over_time, due = [], 0.0
    for at, plan in course:
        if at >= due or plan is course[-1][1]:
            over_time.append([round(at, 2), round(plan.cost / bound, 3)])
            due = at + max(0.5, 0.1 * at)
    return {
        "first_cpu_s": round(course[0][0], 2),
        "first_ratio": round(course[0][1].cost / bound, 3),
        "sum_of_costs": found.cost,
        "lower_bound": found.lower_bound,
        "ratio": round(found.cost / bound, 3),
        "ratio_over_time": over_time,
        "makespan": found.makespan,
        "optimal": found.cost == found.lower_bound,
        "loss_optimal": found.loss_optimal,
    }


def _write(path: Path, instance: Mapf, plan: Any, *inputs: Path) -> None:
    columns = instance.free.shape[1]
    with output(path, *inputs) as file:
        for now in plan.tolist():
            file.write(" ".join(f"{cell % columns},{cell // columns}" for cell in now) + "\n")
