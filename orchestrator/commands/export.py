"""`lightsout export`: a run for other people's tools."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import OutputError, command, output, seconds

if TYPE_CHECKING:
    from orchestrator.journal import RunReader

EXAMPLES = """\
  lightsout export a.run --trajectories poses.csv --from 0:30:00 --to 0:31:00
  lightsout export a.run --footprints shapes.json --events events.jsonl
  lightsout export a.run --events -         to the standard output
  lightsout export a.run --mcap a.mcap      for `ros2 bag play`, Foxglove, and `lightsout replay`

times: seconds, MM:SS or H:MM:SS; both ends belong to the span"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "write a run's trajectories, footprints and events to files"
    parser = command(subparsers, "export", summary, EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--from", dest="from_s", type=seconds, default=0.0, metavar="T")
    parser.add_argument("--to", dest="to_s", type=seconds, metavar="T")
    parser.add_argument(
        "--trajectories", metavar="FILE.csv",
        help="time_s,robot,x_m,y_m,theta_rad: a row per robot each 0.1 s",
    )  # fmt: skip
    parser.add_argument(
        "--footprints", metavar="FILE.json", help="robot -> polygon in its own frame, m"
    )
    parser.add_argument(
        "--events", metavar="FILE.jsonl", help="journal: time_ns, seq, type, fields (bytes: base64)"
    )
    parser.add_argument(
        "--mcap", type=Path, metavar="FILE.mcap",
        help="what a ROS 2 node would have published, and the whole journal (docs/ros2.md)",
    )  # fmt: skip
    parser.add_argument(
        "--path", action="append", default=[], metavar="ROBOT", dest="paths",
        help="with --mcap: this robot's way as nav_msgs/Path, too (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from sim import export  # noqa: PLC0415
    from sim.verification import UnusableRun  # noqa: PLC0415

    span = (arguments.from_s, arguments.to_s)
    texts = arguments.trajectories or arguments.footprints or arguments.events
    if not (texts or arguments.mcap):
        return _refuse("name what to write: --trajectories, --footprints, --events or --mcap")
    if arguments.to_s is not None and arguments.to_s < arguments.from_s:
        return _refuse("--to lies before --from")
    written: dict[str, Any] = {}
    with RunReader(arguments.run) as reader:
        wanted: list[tuple[str | None, str, Callable[[Any], int]]] = [
            (arguments.trajectories, "rows", lambda out: export.trajectories(reader, out, *span)),
            (arguments.footprints, "robots", lambda out: export.footprints(reader, out)),
            (arguments.events, "events", lambda out: export.events(reader, out, *span)),
        ]
        try:
            for name, unit, write in wanted:
                if name:
                    written[name] = {unit: _write(name, write, arguments.run)}
            if arguments.mcap is not None:
                written[str(arguments.mcap)] = {"messages": _bag(arguments, reader)}
        except (UnusableRun, OSError) as error:
            return _refuse(str(error))
    if arguments.json:
        print(json.dumps(written), file=_said(written))
    else:
        for name, counts in written.items():
            for unit, count in counts.items():
                print(f"{name}: {count} {unit}", file=_said(written))
    return 0


def _write(name: str, write: Callable[[Any], int], run: Path) -> int:
    if name == "-":
        return write(sys.stdout)
    with output(Path(name), run) as out:
        return write(out)


def _bag(arguments: argparse.Namespace, reader: RunReader) -> int:
    from orchestrator.cli import version  # noqa: PLC0415
    from orchestrator.ros.bag import BagError, BagWriter  # noqa: PLC0415
    from orchestrator.ros.recording import NoPoses, Recording  # noqa: PLC0415
    from sim.passing import Passing  # noqa: PLC0415
    from sim.recipe import Recipe  # noqa: PLC0415
    from sim.verification import UnusableRun  # noqa: PLC0415

    loaded = Recipe.of(reader.meta).load()
    from_ns = round(arguments.from_s * 1e9)
    to_ns = None if arguments.to_s is None else round(arguments.to_s * 1e9)
    try:
        poses: Passing | NoPoses = Passing(reader, from_ns)
    except UnusableRun:  # a live one: its vehicles' poses are nobody's record
        poses = NoPoses()
    recording = Recording(
        reader, loaded, poses, paths=arguments.paths, from_ns=from_ns, to_ns=to_ns
    )
    with output(arguments.mcap, arguments.run, binary=True) as out:
        try:
            bag = BagWriter(out, version=version())
        except BagError as error:
            raise OutputError(f"{arguments.mcap}: {error}") from error
        for said in recording.messages():
            bag.add(said)
        unknown = set(arguments.paths) - {robot.name for robot in recording.world.robots}
        if unknown:
            raise OutputError(f"--path {sorted(unknown)[0]}: there is no such robot in the run")
        bag.close()
    return bag.count


def _said(written: dict[str, Any]) -> Any:
    return sys.stderr if "-" in written else sys.stdout


def _refuse(text: str) -> int:
    print(f"lightsout: {text}", file=sys.stderr)
    return 2
