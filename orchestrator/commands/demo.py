"""`lightsout demo`: the small centre at work, on a page, and then the very same run again."""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from orchestrator.commands import command, positive
from orchestrator.commands.view import free_port, page_options

EXAMPLES = """\
  lightsout demo
  lightsout demo --hours 0.5 --speed 60 --seed 3"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    summary = "simulate sites/jd_small with faults, show it live, then check and replay it"
    parser = command(subparsers, "demo", summary, EXAMPLES)
    parser.add_argument("--hours", type=positive, default=2.0, help="simulated hours (2)")
    parser.add_argument("--seed", type=int, default=7, help="of everything that is chance (7)")
    parser.add_argument(
        "--speed", type=positive, default=20.0, help="simulated seconds per second (20)"
    )
    parser.add_argument("--record", type=Path, default=Path("out/demo.run"), metavar="RUN")
    parser.add_argument("--once", action="store_true", help="end when the run is checked")
    page_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start the simulation beside the page."""
    from orchestrator.web.app import serve  # noqa: PLC0415

    port, site = free_port(arguments), find_site("jd_small")
    arguments.record.parent.mkdir(parents=True, exist_ok=True)
    arguments.record = _free_name(arguments.record)
    simulation = subprocess.Popen(
        _lightsout("run", site, "--hours", arguments.hours, "--seed", arguments.seed,
                   "--speed", arguments.speed, "--faults", "default", "--quiet",
                   "--record", arguments.record)
    )  # fmt: skip
    try:
        while not arguments.record.exists() and simulation.poll() is None:
            time.sleep(0.1)
        if simulation.poll():
            return simulation.returncode
        print(
            f"\n  {site.name}: {arguments.hours:g} h at {arguments.speed:g} times real time, into "
            f"{arguments.record}\n\n  Watch it on  http://{arguments.host}:{port}/   "
            "(stop with Ctrl-C)\n",
            flush=True,
        )
        page = threading.Thread(
            target=serve, args=(arguments.record, arguments.host, port, arguments.open), daemon=True
        )
        page.start()
        failed = simulation.wait() or _check(arguments.record)
        if failed or arguments.once:
            return failed
        print("  The page stays open (stop with Ctrl-C).", flush=True)
        page.join()
    except KeyboardInterrupt:
        kept = arguments.record
        print(f"\n  stopped; `lightsout view {kept}` shows it, `run --resume {kept}` goes on")
    finally:
        simulation.kill()
    return 0


def _free_name(path: Path) -> Path:
    """Another demo may be running: it keeps its file."""
    from orchestrator.journal import being_written  # noqa: PLC0415

    number, free = 1, path
    while being_written(free):
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _check(path: Path) -> int:
    """What a newcomer would do next."""
    for words in (("replay", path, "--check"), ("verify", path)):
        print(f"\n  $ lightsout {' '.join(map(str, words))}", flush=True)
        failed = subprocess.run(_lightsout(*words), check=False).returncode
        if failed:
            return failed
    return 0


def _lightsout(*words: object) -> list[str]:
    return [sys.executable, "-m", "orchestrator.cli", *map(str, words)]


def find_site(name: str) -> Path:
    """A site that comes with the package: in the checkout, or below share/ where it was installed.
    Raises ScenarioError."""
    from sim.scenario import ScenarioError  # noqa: PLC0415

    known: dict[str, None] = {}
    for folder in Path(__file__).resolve().parents:
        for sites in (folder / "sites", folder / "share" / "lightsout" / "sites"):
            if (sites / name / "site.yaml").is_file():
                return sites / name
            known |= {file.parent.name: None for file in sorted(sites.glob("*/site.yaml"))}
    mend = f"one of {', '.join(known)}, or a folder" if known else "run it from a checkout"
    raise ScenarioError(
        f"there is no folder {name}, and no such site came with the package -> {mend}"
    )
