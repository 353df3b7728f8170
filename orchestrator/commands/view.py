"""`lightsout view`: runs in the browser, recorded or still being written."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

from orchestrator.commands import command, moment

EXAMPLES = """\
  lightsout view a.run
  lightsout view a.run --at 0:41:12          begin there
  lightsout view runs/ --port 9000           every run of a folder
  lightsout view a.run --host 0.0.0.0        others may look, too"""
PORT, PORTS_TRIED = 8750, 20


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "view", "show runs in the browser: play, pause, seek", EXAMPLES)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run file, or a folder of them")
    parser.add_argument("--at", type=moment, metavar="T", help="the time of the run to begin at")
    page_options(parser)


def page_options(parser: argparse.ArgumentParser) -> None:
    """Where the page is served."""
    parser.add_argument("--host", default="127.0.0.1", help="who may look (127.0.0.1: only you)")
    parser.add_argument("--port", type=int, help=f"(the first free one from {PORT})")
    parser.add_argument("--open", action="store_true", help="open a browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from orchestrator.web.app import serve  # noqa: PLC0415

    if not arguments.run.is_dir():
        RunReader(arguments.run).close()
    port = free_port(arguments)
    query = "" if arguments.at is None else f"?t={arguments.at:g}"
    print(f"http://{arguments.host}:{port}/{query}   (stop with Ctrl-C)", flush=True)
    serve(arguments.run, arguments.host, port, arguments.open, query)
    return 0


def free_port(arguments: argparse.Namespace) -> int:
    """The port asked for, or the first free one. Raises ScenarioError."""
    from sim.scenario import ScenarioError  # noqa: PLC0415

    wanted = arguments.port
    for port in [wanted] if wanted is not None else range(PORT, PORT + PORTS_TRIED):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((arguments.host, port))
            except (OSError, OverflowError):
                continue
            return int(port)
    taken = f"port {wanted}" if wanted is not None else f"ports from {PORT} on"
    raise ScenarioError(f"{taken} on {arguments.host} can't be had -> choose another by --port")
