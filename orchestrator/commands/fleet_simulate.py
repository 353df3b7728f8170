"""`lightsout fleet simulate`: play a site's vehicles, and its equipment, for a master."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import secrets
import signal
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, mqtt_options, positive

if TYPE_CHECKING:
    from orchestrator.journal import RunWriter
    from orchestrator.mqtt.trouble import Trouble
    from sim.recipe import Recipe
    from sim.vehicle.mischief import WireFaults

EXAMPLES = """\
  lightsout fleet simulate sites/jd_small --mqtt mqtt://127.0.0.1:1883 --record floor.run
  lightsout fleet simulate sites/jd_small --mqtt mqtt://127.0.0.1:1883 --faults wire.yaml
  lightsout fleet simulate sites/jd_medium --mqtt mqtt://broker --no-equipment --processes 2

Start it together with the master's run: both begin with the same stock (--seed). What is in the FILE
of --faults: docs/vehicle-faults.md."""


def add(verbs: Any) -> None:
    """Declare the command."""
    summary = "simulated vehicles that speak VDA 5050, and the building around them"
    parser = command(verbs, "simulate", summary, EXAMPLES)
    parser.add_argument("site", type=Path, metavar="SITE", help="a site's folder")
    mqtt_options.add(parser)
    parser.add_argument(
        "--protocol", choices=["2.0", "2.1", "3.0"], help="(what the site's `vehicles` say)"
    )
    parser.add_argument("--robots", type=int, metavar="N", help="in all (as the site has)")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="what goes wrong (nothing)")
    parser.add_argument("--processes", type=int, default=1, metavar="P", help="(1)")
    parser.add_argument(
        "--no-equipment", action="store_true",
        help="vehicles alone: stations are somebody else's, and every pick and drop succeeds",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of everything that is chance (0)")
    parser.add_argument(
        "--speed", type=positive, default=1.0, help="simulated seconds per second (1)"
    )
    parser.add_argument("--record", type=Path, metavar="RUN", help="what really happened")
    parser.add_argument("--hours", type=positive, help="real time (until interrupted)")
    parser.add_argument("--state-idle-s", type=positive, default=30.0, help="between states (30)")
    parser.set_defaults(carry_out=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from sim.scenario import ScenarioError  # noqa: PLC0415

    if arguments.mqtt is None:
        raise ScenarioError("which broker? -> --mqtt URL")
    parts = arguments.processes
    if not 1 <= parts <= 64:
        raise ScenarioError(f"--processes {parts}: must be 1 to 64")
    if parts > 1 and not arguments.no_equipment:
        raise ScenarioError(
            "--processes: goods are in one process -> add --no-equipment, or leave it out"
        )
    if parts > 1 and arguments.record:
        raise ScenarioError("--record: takes one process -> leave --processes out")
    _recipe(arguments).scenario()  # what is wrong is said once, before anything starts
    if parts == 1:
        play(arguments, (0, 1))
        return 0
    return _in_processes(arguments, parts)


def _in_processes(arguments: argparse.Namespace, parts: int) -> int:
    context = multiprocessing.get_context("spawn")
    arguments.carry_out = None  # can't be handed on
    children = [
        context.Process(target=play, args=(arguments, (part, parts))) for part in range(parts)
    ]

    def stop(number: int, _: Any) -> None:
        for child in children:
            if child.pid is not None and child.is_alive():
                child.terminate()

    for child in children:
        child.start()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for child in children:
        child.join()
    return max(child.exitcode or 0 for child in children)


def _recipe(arguments: argparse.Namespace) -> Recipe:
    from sim.recipe import of_site  # noqa: PLC0415
    from sim.vehicle.accounts import fleets_of  # noqa: PLC0415

    hours = arguments.hours * arguments.speed if arguments.hours else 24.0  # as `serve` has it
    recipe = of_site(arguments.site, seed=arguments.seed, hours=hours)
    fleets = fleets_of(recipe.load(), arguments.robots)
    faults = _faults(arguments)
    text = ""
    if faults.building is not None:
        text = faults.building.model_dump_json(exclude_none=True)  # JSON is YAML
    return type(recipe)(
        name=recipe.name, files=recipe.files, seed=recipe.seed, hours=hours, fleets=fleets,
        faults=text,
    )  # fmt: skip


def _faults(arguments: argparse.Namespace) -> WireFaults:
    from orchestrator.layout import LayoutError  # noqa: PLC0415
    from sim.vehicle.mischief import WireFaults, read_wire_faults  # noqa: PLC0415

    if arguments.faults is None:
        return WireFaults(format=1)
    text = arguments.faults.read_text(encoding="utf-8")
    faults, found = read_wire_faults(text, str(arguments.faults))
    if faults is None:
        raise LayoutError(found)
    return faults


def play(arguments: argparse.Namespace, part: tuple[int, int]) -> None:
    """One process's share."""
    from orchestrator.journal import RunWriter  # noqa: PLC0415

    recipe = _recipe(arguments)
    writer = None
    if arguments.record:
        meta = recipe.meta() | {"run_id": secrets.token_hex(4), "building": True}
        writer = RunWriter(arguments.record, meta)
    try:
        asyncio.run(_play(arguments, recipe, part, writer))
    except BaseException:
        if writer is not None:
            writer.abandon()
        raise
    if writer is not None:
        writer.close("closed", figures={})


@cache
def _once(trouble: Trouble) -> None:
    """Forty vehicles have the same trouble: it is told once."""
    print(f"broker: {trouble}", file=sys.stderr)


async def _play(
    arguments: argparse.Namespace, recipe: Recipe, part: tuple[int, int], writer: RunWriter | None
) -> None:
    from orchestrator.commands.virtual_fleet import VirtualFleet  # noqa: PLC0415
    from orchestrator.mqtt import Backoff  # noqa: PLC0415
    from sim.vehicle.building import Building  # noqa: PLC0415
    from sim.vehicle.quiet import Unrecorded  # noqa: PLC0415
    from sim.vehicle.yard import Yard  # noqa: PLC0415

    def make_link(**options: Any) -> Any:
        backoff = Backoff.at_speed(arguments.speed)
        made = mqtt_options.link(arguments, arguments.mqtt, backoff=backoff, **options)
        made.on_trouble = _once
        return made

    scenario, _ = recipe.scenario()
    virtual = VirtualFleet(make_link, _faults(arguments), arguments.seed, arguments.speed)
    options: dict[str, Any] = {"protocol": arguments.protocol, "idle_s": arguments.state_idle_s}
    fleet: Building | Yard
    if arguments.no_equipment:
        fleet = Yard(scenario, virtual.publish, virtual.utc_ns, record=writer, part=part, **options)
    else:
        into = writer or Unrecorded()
        fleet = Building(scenario, into, virtual.publish, virtual.utc_ns, **options)
    print(f"{len(fleet.agents)} vehicles for {arguments.mqtt}", file=sys.stderr)
    seconds = arguments.hours * 3600 if arguments.hours else None
    task = asyncio.ensure_future(virtual.play(fleet, writer, seconds))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
