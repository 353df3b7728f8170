"""`lightsout bench lorr`: scheduler and planner under the League of Robot Runners' step rules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import OutputError, check_output, command, output, positive

if TYPE_CHECKING:
    from sim.lorr import Match
    from sim.lorr_files import Instance

EXAMPLES = """\
  lightsout bench lorr INSTANCE.json --steps 600 --budget-ms 1000 --out result.json
  lightsout bench lorr INSTANCE.json --steps 5000 --out result.json --resume    goes on where it was
  lightsout bench lorr INSTANCE.json --iterations 2000    the same result each time"""
PLANNERS = ("epibt", "pibt")
BUDGET_MS = 1000.0
CHECKPOINT_STEPS = 100
STANDSTILL_STEPS = 500  # in which a robot with a task has not left its cell
STEP_MS_MAX = 100_000.0  # real time of a step when iterations count: nobody is late


def add(kinds: Any) -> None:
    """Declare it."""
    parser = command(kinds, "lorr", "scheduler and planner under the League's step rules", EXAMPLES)
    parser.add_argument("instance", type=Path, metavar="INSTANCE.json")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument(
        "--budget-ms", type=positive, help=f"real time per step ({BUDGET_MS:.0f}); later: all wait"
    )
    parser.add_argument(
        "--iterations", type=int, help="chains tried per step instead of the clock: reproducible"
    )
    parser.add_argument(
        "--planner",
        choices=PLANNERS,
        default=PLANNERS[0],
        help="pibt: plain, to compare with; a few ms for 10,000 robots",
    )
    parser.add_argument("--out", type=Path, metavar="OUT.json", help="the League's result format")
    parser.add_argument(
        "--checkpoint-steps",
        type=int,
        default=CHECKPOINT_STEPS,
        metavar="N",
        help=f"every so many steps ({CHECKPOINT_STEPS}) what is needed to go on is written beside "
        "--out, as OUT.json.checkpoint; 0: never",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from there; begin where there is none"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Play; return the figures."""
    from statistics import median  # noqa: PLC0415

    from sim.lorr import result_text  # noqa: PLC0415
    from sim.lorr_files import load  # noqa: PLC0415

    _check(arguments)
    instance = load(arguments.instance)
    budget_ms = arguments.budget_ms or (BUDGET_MS if arguments.iterations is None else STEP_MS_MAX)
    match, kept = _begin(arguments, instance, budget_ms)
    match.run(arguments.steps, budget_ms / 1000, _both(_progress(arguments), kept))
    if arguments.out is not None:
        with output(arguments.out, arguments.instance) as file:
            file.write(result_text(match.result()))
        _checkpoint(arguments).unlink(missing_ok=True)
    return {
        "instance": arguments.instance.stem,
        "robots": len(match.node),
        "steps": arguments.steps,
        "tasks_finished": match.tasks.finished,
        "timeouts": match.timeouts,
        "jams_undone": match.watchdog.undone if match.watchdog else 0,
        "robots_without_a_way": len(match.watchdog.hopeless) if match.watchdog else 0,
        "robots_at_a_standstill": int(match.tasks.standing(STANDSTILL_STEPS).sum()),
        "step_ms_median": round(1000 * median(match.times), 2),
        "step_ms_max": round(1000 * max(match.times), 2),
    }


def _check(arguments: argparse.Namespace) -> None:
    from sim.lorr_files import InstanceError, files  # noqa: PLC0415

    for name, least in (("steps", 1), ("iterations", 0), ("checkpoint_steps", 0)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise InstanceError(f"--{name.replace('_', '-')} {value} -> at least {least}")
    if arguments.resume and arguments.out is None:
        raise OutputError("--resume: checkpoints lie beside the result -> name it with --out")
    if arguments.out is None:
        return
    inputs = [arguments.instance, *files(arguments.instance)]
    for path in (arguments.out, _checkpoint(arguments)):
        check_output(path, *inputs)


def _begin(
    arguments: argparse.Namespace, instance: Instance, budget_ms: float
) -> tuple[Match, Callable[[], None] | None]:
    """(the match, from its start or from a checkpoint; what writes the next checkpoint)."""
    from sim import lorr_checkpoint as checkpoint  # noqa: PLC0415
    from sim.lorr import Match  # noqa: PLC0415

    alone = arguments.planner == "pibt"
    if arguments.out is None:
        return Match(instance, None, arguments.iterations, alone=alone), None
    path = _checkpoint(arguments)
    terms = checkpoint.Terms.of(instance, budget_ms, arguments.iterations, arguments.planner)
    if arguments.resume and path.exists():
        found = checkpoint.read(path, terms)
        if found.step >= arguments.steps:
            raise checkpoint.CheckpointError(
                f"{path}: is of step {found.step} already -> give more --steps than that"
            )
        _say(f"goes on from step {found.step}, {found.finished} tasks")
        match = Match.thaw(instance, found, arguments.iterations)
    else:
        if path.exists():
            _say(f"begins anew; {path.name} will be overwritten (--resume goes on from it)")
        match = Match(instance, None, arguments.iterations, alone=alone)
    every, last = arguments.checkpoint_steps, match.tasks.time

    def keep() -> None:
        nonlocal last
        now = match.tasks.time
        if not every or now < last + every or now >= arguments.steps:
            return
        last = now
        try:
            checkpoint.write(path, terms, match.freeze())
        except OSError as error:
            _say(f"{path}: can't be written: {error.strerror}; the match goes on without")

    return match, keep


def _checkpoint(arguments: argparse.Namespace) -> Path:
    out: Path = arguments.out
    return out.with_name(f"{out.name}.checkpoint")


def _both(
    show: Callable[[int, int], None] | None, keep: Callable[[], None] | None
) -> Callable[[int, int], None]:
    def each(step: int, finished: int) -> None:
        if show is not None:
            show(step, finished)
        if keep is not None:
            keep()

    return each


def _progress(arguments: argparse.Namespace) -> Callable[[int, int], None] | None:
    if arguments.json or not sys.stderr.isatty():
        return None

    def show(step: int, finished: int) -> None:
        print(f"\rstep {step}/{arguments.steps}  {finished} tasks ", end="", file=sys.stderr)

    return show


def _say(text: str) -> None:
    print(f"bench lorr: {text}", file=sys.stderr, flush=True)
