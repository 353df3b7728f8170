"""`lightsout serve`: run a site for real, by VDA 5050 over MQTT."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, mqtt_options, positive

if TYPE_CHECKING:
    from orchestrator.journal import RunWriter
    from orchestrator.mqtt.client import MqttLink
    from orchestrator.mqtt.trouble import Trouble
    from orchestrator.serving import Serving
    from orchestrator.vision.sight import Sight
    from sim.recipe import Recipe
    from sim.scenario import Scenario

EXAMPLES = """\
  lightsout serve sites/jd_small --broker embedded --record live.run
  lightsout serve sites/jd_small --mqtt mqtt://localhost:1883 --record live.run
  lightsout serve sites/jd_small --resume live.run --mqtt mqtts://broker:8883 --ca ca.crt --user master
  lightsout fleet simulate sites/jd_small --mqtt mqtt://127.0.0.1:1883    (in another window)"""
PORT = 1883
HORIZON_MAX = 50


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "run a site: vehicles by VDA 5050, equipment and hosts over MQTT"
    parser = command(subparsers, "serve", summary, EXAMPLES)
    parser.add_argument("site", type=Path, metavar="SITE", help="a site's folder")
    mqtt_options.add(parser)
    parser.add_argument(
        "--broker", choices=["embedded"], help="start a broker of its own, on this machine alone"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"of the embedded broker ({PORT})")
    parser.add_argument("--record", type=Path, metavar="RUN", help="the journal (SITE.run)")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on after a stop or a crash")
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE",
        help="of the rehearsal of exactly this site (SITE/certificate.json)",
    )  # fmt: skip
    parser.add_argument(
        "--override", metavar="REASON", help="run without a valid certificate; kept in the journal"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the opening stock and orders (0)")
    parser.add_argument(
        "--orders", choices=["site", "none"], default="none", dest="demand",
        help="site: its customers' orders as the simulation has them, at their time (none)",
    )  # fmt: skip
    parser.add_argument(
        "--speed", type=positive, default=1.0, metavar="X",
        help="seconds per second: to try a site with vehicles that are simulated so fast (1)",
    )  # fmt: skip
    parser.add_argument(
        "--eyes", nargs="?", const="", metavar="FILE",
        help="judge the cameras' pictures here: by SITE/vision.yaml, or this one (they judge by "
        "themselves)",
    )  # fmt: skip
    parser.add_argument(
        "--snapshot-minutes", type=positive, metavar="N", help="tell the host the stock so often"
    )
    parser.add_argument(
        "--horizon", type=int, choices=range(HORIZON_MAX + 1), metavar="EDGES",
        help="of the plan, told to a vehicle behind what it may drive "
        f"(0-{HORIZON_MAX}; 8). Fewer: shorter messages, for many vehicles",
    )  # fmt: skip
    parser.add_argument("--hours", type=positive, help="end after so long (until interrupted)")
    parser.add_argument("--quiet", action="store_true", help="say nothing on the way")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    from orchestrator.journal import RunReader, RunWriter  # noqa: PLC0415
    from sim.recipe import Recipe, of_site  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415

    resume = arguments.resume
    if (arguments.mqtt is None) == (arguments.broker is None):
        raise ScenarioError("which broker? -> --mqtt URL, or --broker embedded")
    recipe = of_site(arguments.site, seed=arguments.seed, hours=arguments.hours or 24.0)
    if resume is not None:
        with RunReader(resume) as reader:
            meta = reader.meta
        if Recipe.of(meta).files != recipe.files:
            raise ScenarioError(f"{resume}: is of another state of {arguments.site} -> a new run")
        recipe = Recipe.of(meta)
    else:
        meta = recipe.meta() | {"run_id": secrets.token_hex(4), "live": True}
        meta["snapshot_minutes"] = arguments.snapshot_minutes or 0.0
    notes = _certified(arguments, recipe)
    arguments.snapshot_minutes = meta.get("snapshot_minutes") or 0.0  # as the run was begun
    path = resume or arguments.record or Path(f"{recipe.name}.run")
    if resume is None:
        _unused(path)
    sight = _sight(arguments, path)
    scenario, _ = recipe.scenario()
    writer = RunWriter(path, meta, resume=resume is not None, durable="full")
    try:
        asyncio.run(_serve(arguments, recipe, scenario, writer, meta["run_id"], notes, sight))
    except BaseException:
        writer.abandon()
        raise
    print(f"recorded in {path}; to go on, add: --resume {path}", file=sys.stderr)
    return 0


def _unused(path: Path) -> None:
    """What a building did can't be recorded twice. Raises `RunFileError`."""
    from orchestrator.journal import RunFileError, RunReader  # noqa: PLC0415

    if not path.is_file() or not path.stat().st_size:
        return
    with RunReader(path) as reader:
        if next(iter(reader.entries()), None) is not None:
            mend = f"--resume {path} goes on with it; or --record into another file"
            raise RunFileError(path, "holds a run already", mend)


def _sight(arguments: argparse.Namespace, run: Path) -> Sight | None:
    """Checked before anything starts. Raises `LayoutError`, `PicturesError`."""
    if arguments.eyes is None:
        return None
    from orchestrator.vision.pictures import Pictures, folder_of  # noqa: PLC0415
    from orchestrator.vision.settings import load  # noqa: PLC0415
    from orchestrator.vision.sight import Sight  # noqa: PLC0415

    file = Path(arguments.eyes) if arguments.eyes else None
    return Sight(load(arguments.site, file), Pictures(folder_of(run)))


def _certified(arguments: argparse.Namespace, recipe: Recipe) -> list[str]:
    """What was overridden, to be kept in the journal. Raises `CertificateError` where the site was not
    rehearsed as it is."""
    from orchestrator import certificate  # noqa: PLC0415

    path = arguments.certificate or certificate.default_path(arguments.site)
    try:
        known = certificate.read(path)
        found = certificate.check(arguments.site, known, recipe.load().site)
    except certificate.CertificateError as error:
        found = [str(error)]
    if found and not arguments.override:
        reasons = "\n  ".join(found)
        raise certificate.CertificateError(
            f"{arguments.site} is not rehearsed as it is:\n  {reasons}\n"
            "-> lightsout rehearse SITE, or --override REASON, which is kept in the journal"
        )
    return [f"certificate overridden, because: {arguments.override}", *found] if found else []


async def _serve(
    arguments: argparse.Namespace,
    recipe: Recipe,
    scenario: Scenario,
    writer: RunWriter,
    run_id: str,
    notes: list[str],
    sight: Sight | None,
) -> None:
    from orchestrator.api.presence import about  # noqa: PLC0415
    from orchestrator.cli import version  # noqa: PLC0415
    from orchestrator.core.messages import NoteTaken  # noqa: PLC0415
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from orchestrator.mqtt import Backoff, Will  # noqa: PLC0415
    from orchestrator.serving import Serving  # noqa: PLC0415
    from orchestrator.vda5050.control.sending import Limits  # noqa: PLC0415

    async with contextlib.AsyncExitStack() as stack:
        url = arguments.mqtt
        if arguments.broker:
            from orchestrator.mqtt.broker import EmbeddedBroker  # noqa: PLC0415

            broker = await stack.enter_async_context(EmbeddedBroker(arguments.port))
            url = broker.url
        will = Will(*about(scenario.loaded.spec.id, run_id, version(), online=False))
        client_id = f"lightsout-{recipe.name}-{run_id}"
        backoff = Backoff.at_speed(arguments.speed)
        link = mqtt_options.link(arguments, url, client_id=client_id, will=will, backoff=backoff)
        say = _quiet if arguments.quiet else _say
        limits = Limits.at_speed(arguments.speed)
        if arguments.horizon is not None:
            limits = replace(limits, horizon=arguments.horizon)
        serving = Serving(
            scenario.loaded, writer, link, run=run_id, version=version(), speed=arguments.speed,
            snapshot_minutes=arguments.snapshot_minutes, sight=sight, say=say,
            limits=limits,
        )  # fmt: skip
        _tell(link, url, serving)
        if arguments.resume is not None:
            with RunReader(arguments.resume) as reader:
                serving.restore(reader)
        for note in notes:
            serving.live.post_soon(NoteTaken(subject="certificate", text=note))
        await stack.enter_async_context(link)
        await _until_stopped(arguments, serving, scenario)
        serving.goodbye()
        with contextlib.suppress(TimeoutError):
            await link.flush(2.0)
        figures = serving.finish()
    writer.close("closed", books=serving.books(), figures=figures)
    for key, value in figures.items():  # the readers' counters are in the run
        shown = value["outcomes"] if key == "eyes" else value
        print(f"{key:>20}  {shown}")


async def _until_stopped(
    arguments: argparse.Namespace, serving: Serving, scenario: Scenario
) -> None:
    """A first interrupt ends the run in order: what is released is still driven."""
    from sim.vehicle.building import asked  # noqa: PLC0415

    opening = () if arguments.resume is not None else scenario.totes
    demand = asked(scenario) if arguments.demand == "site" else None
    seconds = arguments.hours * 3600 if arguments.hours else None
    task = asyncio.ensure_future(serving.run(opening, demand, seconds))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _tell(link: MqttLink, url: str, serving: Serving) -> None:
    def trouble(reason: Trouble) -> None:
        print(f"broker: {reason}", file=sys.stderr)

    def up() -> None:
        print(f"connected to {url}", file=sys.stderr)
        serving.came_up()

    link.on_trouble, link.on_up, link.on_down = trouble, up, trouble


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _quiet(_: str) -> None:
    """Nothing."""
