"""`lightsout replay`: the very same run again, from its journal."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, host_files, positive, seconds

if TYPE_CHECKING:
    from orchestrator.journal import RunReader
    from orchestrator.ros.bag import BagRun

EXAMPLES = """\
  lightsout replay a.run --check             every command must be the recorded one
  lightsout replay a.run --from 0:30:00 --speed 10
  lightsout replay a.mcap --check            the same, of a bag (`lightsout export RUN --mcap FILE`)
  lightsout replay a.run --outbox out        what the run told the host, or has yet to tell"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "replay", "fold a run's journal through the core again", EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--check", action="store_true", help="exit 1 at the first difference")
    parser.add_argument(
        "--from", dest="from_s", type=seconds, default=0.0, metavar="T", help="show from here on"
    )
    parser.add_argument("--speed", type=positive, help="show at so many seconds per second")
    parser.add_argument(
        "--outbox", type=Path, metavar="DIR", help="put the messages that are not there yet"
    )
    parser.add_argument("--snapshot-minutes", type=positive, metavar="N", help="as of `run`")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from sim.delivery import follower_of, outbox_of  # noqa: PLC0415
    from sim.recipe import Recipe  # noqa: PLC0415
    from sim.replay import replay  # noqa: PLC0415

    with opened(arguments.run) as reader:
        recipe = Recipe.of(reader.meta)
        loaded, follower, outbox = recipe.load(), None, None
        if arguments.outbox is not None:
            meta = reader.meta | {"outbox": _outbox(arguments, reader.meta.get("outbox", {}))}
            follower, outbox = follower_of(meta, recipe.scenario()[0]), outbox_of(meta)
        show = arguments.speed is not None or arguments.from_s > 0
        outcome = replay(
            reader,
            loaded,
            from_ns=round(arguments.from_s * 1e9),
            speed=arguments.speed,
            watch=_watch if show and not arguments.json else None,
            follower=follower,
            outbox=outbox,
        )
    if arguments.json:
        print(json.dumps(asdict(outcome)))
    else:
        print(
            f"{outcome.events} events, {outcome.commands} commands in {outcome.wall_s} s; "
            f"journal {outcome.journal_hash[:16]}"
        )
        print(f"different: {outcome.difference}" if outcome.difference else "every command is the "
              "recorded one")  # fmt: skip
    return 1 if outcome.difference and arguments.check else 0


def opened(path: Path) -> RunReader | BagRun:
    """A run file, or a bag that holds a run."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from orchestrator.ros.bag import BagRun, is_mcap  # noqa: PLC0415

    return BagRun(path) if is_mcap(path) else RunReader(path)


def _outbox(arguments: argparse.Namespace, recorded: dict[str, Any]) -> dict[str, Any]:
    minutes = arguments.snapshot_minutes or recorded.get("snapshot_minutes")
    return host_files.outbox(arguments.outbox, minutes)


def _watch(time_ns: int, event: Any, _: Any) -> None:
    name = type(event).__name__
    if name not in ("Ticked", "NodeReached", "PathsPlanned", "AssignmentMade"):
        text = " ".join(f"{k}={getattr(event, k)}" for k in event.__struct_fields__)
        print(f"{time_ns / 1e9:12.3f}  {name:16} {text}", file=sys.stdout)
