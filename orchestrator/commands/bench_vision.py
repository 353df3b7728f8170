"""`lightsout bench vision`: what the embedded readers read, what they let pass, what they cost."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import OutputError, command, output, positive

if TYPE_CHECKING:
    from sim.cameras.measure import Result

EXAMPLES = """\
  lightsout bench vision                        2,000 labels, 300 pictures of each other task
  lightsout bench vision --labels 120 --sheet sheet.png
  lightsout bench vision --stations 2400 --calibrate sim/cameras/calibration.json"""
SHOWN = 12  # pictures of each task and level on the sheet
SEEDS_ON = 7  # pictures of stations are others
RATE_S, RATE_PICTURES, RATE_PROCESSES = 10.0, 60, 2


def add(kinds: Any) -> None:
    """Declare it."""
    parser = command(kinds, "vision", "cameras: readers and the chain of them", EXAMPLES)
    parser.add_argument("--labels", type=int, default=2000, help="pictures of labels")
    parser.add_argument("--others", type=int, help="pictures of each other task (0.15 of labels)")
    parser.add_argument(
        "--stations", type=int, default=0, help="pictures of each task, as stations see them (0)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=positive, default=RATE_S, help="of the first stage alone")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="pictures, to look at")
    parser.add_argument("--calibrate", type=Path, metavar="FILE", help="counts, for simulations")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; return the figures."""
    from sim.cameras import cases, tally  # noqa: PLC0415
    from sim.cameras.measure import measured  # noqa: PLC0415

    others = arguments.others
    others = round(0.15 * arguments.labels) if others is None else others
    if arguments.labels < 1 or others < 0 or arguments.processes < 1:
        raise OutputError("--labels, --others, --processes: too few -> at least 1")
    _check(arguments.sheet, arguments.calibrate)
    asked = cases.labels(arguments.seed, arguments.labels) + cases.others(arguments.seed, others)
    results: list[Result] = []
    for result in measured(arguments.seed, asked, arguments.processes):
        results.append(result)
        if not arguments.json and sys.stderr.isatty():
            print(f"\r{len(results)}/{len(asked)} ", end="", file=sys.stderr)
    tasks: dict[str, list[Result]] = {}
    for result in results:
        tasks.setdefault(result.case.task, []).append(result)
    figures: dict[str, Any] = {"seed": arguments.seed}
    figures |= {task: tally.figures(some) for task, some in tasks.items()}
    figures["first_stage"] = _rate(arguments, results)
    figures["faults"] = [
        f"{r.case.task} {r.case.number} ({r.case.level}, {r.case.kind}): accepted {r.value}"
        for r in results
        if r.case.bad and r.outcome == "ok"
    ]
    at_stations = cases.stations(arguments.seed + SEEDS_ON, arguments.stations)
    more = measured(
        arguments.seed + SEEDS_ON, at_stations, arguments.processes, chain_alone=True
    )  # fmt: skip
    _files(arguments, results, more)
    return figures if arguments.json else _text(figures)


def _check(*files: Path | None) -> None:
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise OutputError(f"{file}: there is no such folder -> make it first")


def _rate(arguments: argparse.Namespace, results: list[Result]) -> dict[str, Any]:
    """The first stage on pictures of all levels but the worst two."""
    from sim.cameras.measure import Bench, first_stage  # noqa: PLC0415

    bench = Bench(arguments.seed)
    usual = [r.case for r in results if r.case.level in ("clean", "easy", "normal", "hard")]
    labels = [case for case in usual if case.task == "read_label"][:RATE_PICTURES]
    pictures = [bench.picture(case).data for case in labels or [results[0].case]]
    rate = first_stage(pictures, arguments.seconds, RATE_PROCESSES)
    return {
        "processes": RATE_PROCESSES,
        "per_second": round(rate.per_second, 1),
        "cpu_ms": round(rate.cpu_ms, 2),
        "memory_mb": round(rate.memory_mb),
    }


def _files(
    arguments: argparse.Namespace, results: list[Result], at_stations: Iterable[Result]
) -> None:
    if arguments.calibrate is not None:
        from sim.cameras.tally import calibration  # noqa: PLC0415

        made = {"seed": arguments.seed, **calibration([*results, *at_stations])}
        with output(arguments.calibrate) as file:
            file.write(json.dumps(made, indent=1) + "\n")
    if arguments.sheet is not None:
        from sim.cameras.measure import Bench  # noqa: PLC0415
        from sim.cameras.sheet import png  # noqa: PLC0415

        bench = Bench(arguments.seed)
        seen: dict[tuple[str, str], int] = {}
        shots = []
        for result in results:
            key = (result.case.task, result.case.level)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= SHOWN:
                shots.append((result, bench.picture(result.case)))
        arguments.sheet.write_bytes(png(shots))


def _text(figures: dict[str, Any]) -> dict[str, Any]:
    lines: dict[str, Any] = {}
    for task, found in figures.items():
        if not isinstance(found, dict) or "backends" not in found:
            lines[task] = found
            continue
        lines[task] = f"{found['pictures']} pictures"
        for name, row in found["backends"].items():
            lines[f"{task} {name}"] = "  ".join(f"{key} {value}" for key, value in row.items())
        lines[f"{task} added"] = "  ".join(
            f"{key} {value}" for key, value in found["added"].items()
        )
        for level, row in found["levels"].items():
            lines[f"{task} {level}"] = "  ".join(f"{key} {value}" for key, value in row.items())
    return lines
