"""`lightsout bench wire`: the MQTT master under load, from state received to base extension sent.

Mosquitto, the ordinary server and cheap vehicles, each in a process of its own, on this machine."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from orchestrator.commands import command, positive

EXAMPLES = """\
  lightsout bench wire --vehicles 2000 --seconds 60
  lightsout bench wire --vehicles 5000 --driving 0.5 --json"""
JOIN_S = 120.0  # to join, and so much more for each vehicle:
JOIN_EACH_S = 0.05
WARM_UP_S = (
    20.0  # until everybody drives and the planner knows the ways, and so much more for each:
)
WARM_UP_EACH_S = 0.02
BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
max_connections -1
set_tcp_nodelay true
max_queued_messages 100000
log_type error
log_type warning
"""


class BenchError(ValueError):
    """The benchmark can't run, or a process of it ended."""


def add(kinds: Any) -> None:
    """Declare the command."""
    parser = command(kinds, "wire", "the MQTT master with so many vehicles", EXAMPLES)
    parser.add_argument("--vehicles", type=int, default=500, metavar="N", help="(500)")
    parser.add_argument("--seconds", type=positive, default=60.0, help="measured (60)")
    parser.add_argument(
        "--warm-up", type=positive, metavar="S", help="(20, and 1 for each 50 vehicles)"
    )
    parser.add_argument(
        "--rate", type=positive, default=1.0, metavar="HZ", help="of states, beside events (1)"
    )
    parser.add_argument(
        "--driving", type=positive, default=1.0, metavar="SHARE",
        help="of vehicles that have an order at a time (1)",
    )  # fmt: skip
    parser.add_argument(
        "--horizon", type=int, default=8, metavar="EDGES", help="told behind the base (8)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Carry it out."""
    from sim.load.hall import hall  # noqa: PLC0415

    count = arguments.vehicles
    if not 1 <= count <= 20_000:
        raise BenchError(f"--vehicles {count}: must be 1 to 20000")
    if arguments.driving > 1:
        raise BenchError(f"--driving {arguments.driving:g}: is a share -> at most 1")
    if arguments.horizon < 0:
        raise BenchError(f"--horizon {arguments.horizon}: must not be negative")
    _open_files(2 * count + 100)
    place = hall(count, arguments.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker, port = stack.enter_context(_broker(folder))
        from orchestrator.commands import wire_server  # noqa: PLC0415
        from sim.load import playing  # noqa: PLC0415

        served = wire_server.Task(
            place.files, str(folder), f"mqtt://127.0.0.1:{port}", count,
            max(1, round(arguments.driving * count)), place.stops, arguments.seed,
            arguments.horizon,
        )  # fmt: skip
        server = stack.enter_context(_process(wire_server.play, served))
        server.expect("up", 600)
        driven = playing.Task(port, str(folder), place.starts, arguments.rate)
        fleet = stack.enter_context(_process(playing.play, driven))
        fleet.expect("up", 120)
        _join(server, count, quiet=arguments.json)
        pids = {"broker": broker.pid, "server": server.pid, "fleet": fleet.pid}
        return _measure(arguments, folder, server, fleet, pids)


class _Process:
    """A process and the pipe to it."""

    def __init__(self, process: Any, pipe: Connection) -> None:
        self._process, self.pipe = process, pipe
        self.pid: int = process.pid

    def hear(self, wait_s: float) -> Any:
        """What it says next."""
        end = time.monotonic() + wait_s
        while not self.pipe.poll(0.2):
            if not self._process.is_alive():
                raise BenchError(f"process {self._process.name} ended: see above")
            if time.monotonic() > end:
                raise BenchError(f"process {self._process.name} said nothing for {wait_s:.0f} s")
        try:
            return self.pipe.recv()
        except EOFError as error:
            raise BenchError(f"process {self._process.name} ended: see above") from error

    def expect(self, word: str, wait_s: float) -> None:
        """It says this, and nothing else."""
        said = self.hear(wait_s)
        assert said == word, said


@contextmanager
def _process(target: Any, task: Any) -> Iterator[_Process]:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    name = target.__module__.rpartition(".")[2]
    process = context.Process(target=target, args=(task, theirs), name=name, daemon=False)
    process.start()
    theirs.close()
    try:
        yield _Process(process, ours)
        process.join(30)
    finally:
        process.terminate()
        process.join(10)
        process.kill()


@contextmanager
def _broker(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    named = os.environ.get("LIGHTSOUT_MOSQUITTO", "mosquitto")
    program = shutil.which(named) or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BenchError(
            f"there is no {named} -> install Mosquitto, or name it by LIGHTSOUT_MOSQUITTO"
        )
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(BROKER.format(port=port))
    with subprocess.Popen([program, "-c", str(config)], cwd=folder) as process:
        try:
            _listens(process, port)
            yield process, port
        finally:
            process.terminate()


def _listens(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(500):
        if process.poll() is not None:
            raise BenchError("Mosquitto ended at once: see above")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise BenchError("Mosquitto does not listen")


def _open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BenchError(f"{wanted} open files are needed, {hard} allowed -> raise ulimit -Hn")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _join(server: _Process, count: int, *, quiet: bool) -> None:
    end = time.monotonic() + JOIN_S + JOIN_EACH_S * count
    while (said := server.hear(end - time.monotonic())) != "driving":
        if not quiet and sys.stderr.isatty():
            print(f"\r{said} of {count} have joined ", end="", file=sys.stderr, flush=True)


def _measure(
    arguments: argparse.Namespace,
    folder: Path,
    server: _Process,
    fleet: _Process,
    pids: dict[str, int],
) -> dict[str, Any]:
    from sim.load import meter  # noqa: PLC0415

    warm_up_s = arguments.warm_up or WARM_UP_S + WARM_UP_EACH_S * arguments.vehicles
    begin = time.monotonic() + warm_up_s
    end = begin + arguments.seconds
    server.pipe.send(begin)
    fleet.pipe.send((begin, end))
    time.sleep(begin - time.monotonic())
    before, machine = {name: meter.cpu_s(pid) for name, pid in pids.items()}, meter.machine_s()
    time.sleep(max(0.0, end - time.monotonic()))
    after, machine2 = {name: meter.cpu_s(pid) for name, pid in pids.items()}, meter.machine_s()
    memory = {name: meter.rss_peak_mb(pid) for name, pid in pids.items()}
    load = os.getloadavg()[0]
    server.pipe.send("stop")
    said, heard = fleet.hear(60), server.hear(120)
    took = arguments.seconds
    cpu = {f"cpu_{name}": round((after[name] - before[name]) / took, 2) for name in pids}
    ours = sum(after[name] - before[name] for name in pids)
    others = max(0.0, machine2[0] - machine[0] - ours) / took
    return _figures(arguments, folder, said, heard, (begin, end)) | {
        **cpu,
        "cpu_others": round(others, 2),
        "load_average": round(load, 1),
        **{f"rss_{name}_mb": memory[name] for name in pids},
    }


def _figures(
    arguments: argparse.Namespace,
    folder: Path,
    said: dict[str, Any],
    heard: dict[str, Any],
    window: tuple[float, float],
) -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415

    from sim.load.figures import latencies  # noqa: PLC0415

    with np.load(folder / "server.npz") as caused, np.load(folder / "fleet.npz") as fleet:
        found = latencies(dict(caused), dict(fleet), *window)
    took = arguments.seconds
    return {
        "vehicles": arguments.vehicles,
        "horizon": arguments.horizon,
        **found,
        "states_per_s": round(said["states_out"] / took, 1),
        "read_per_s": round(heard["messages_in"] / took, 1),
        "nodes_per_s": round(said["nodes"] / took, 1),
        "orders_per_s": round(said["orders_in"] / took, 1),
        "transports_done": heard["orders_done"],
        "driving_percent": round(100 * said["beats_driving"] / max(1, said["beats"]), 1),
        "stops_percent": round(100 * said["stops"] / max(1, said["nodes"]), 1),
        "states_lost": said["states_said_in_all"] - heard["states_read_in_all"],
        "orders_lost": heard["orders_sent_in_all"] - said["orders_read_in_all"],
        "orders_misfit": said["orders_misfit"],
        **{
            name: heard[name]
            for name in ("dropped", "resent", "refused", "alarms", "plans", "plan_p50_ms",
                         "plan_max_ms", "lag_p99_ms", "lag_max_ms")
        },
    }  # fmt: skip
