"""`lightsout verify`: what really happened, independent of the core."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from orchestrator.commands import command

EXAMPLES = """\
  lightsout verify a.run
  lightsout verify a.run --json"""
LISTED_MAX = 50


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "verify", "check a run by trajectories and ground truth alone; exit 1 if "
        "anything is wrong", EXAMPLES,
    )  # fmt: skip
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim.verification import verify  # noqa: PLC0415

    with RunReader(arguments.run) as reader:
        verdict = verify(reader, transport_stops(reader.meta))
    if arguments.json:
        print(json.dumps({"findings": verdict.findings, **verdict.figures}))
    else:
        for key, value in verdict.figures.items():
            print(f"{key:>28}  {value}")
        for finding in verdict.findings[:LISTED_MAX]:
            print(f"found: {finding}")
        more = len(verdict.findings) - LISTED_MAX
        print(f"{len(verdict.findings)} findings" + (f" ({more} not listed)" if more > 0 else ""))
    return 1 if verdict.findings else 0


def transport_stops(meta: dict[str, Any]) -> dict[str, list[tuple[float, float]]] | None:
    """Places (m) of the stops of competition tasks."""
    recipe = meta.get("recipe", {})
    if not recipe.get("lorr"):
        return None
    layout = json.loads(recipe["files"]["layout.lif.json"])["layouts"][0]
    places = [(n["nodePosition"]["x"], n["nodePosition"]["y"]) for n in layout["nodes"]]
    tasks = recipe["lorr"]["tasks"]
    return _Stops(places, tasks)


class _Stops(dict[str, list[tuple[float, float]]]):
    """task-<n> -> places, made when asked."""

    def __init__(self, places: list[tuple[float, float]], tasks: list[list[int]]) -> None:
        super().__init__()
        self._places, self._tasks = places, tasks

    def __bool__(self) -> bool:
        return True

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.startswith("task-")

    def __getitem__(self, name: str) -> list[tuple[float, float]]:
        task = self._tasks[int(name[5:]) % len(self._tasks)]
        return [self._places[node] for node in task]
