"""`lightsout serve` and `lightsout fleet simulate` over a real broker, at twelve times real time: the
server is killed and goes on, the broker is killed and comes back, and nothing is lost or done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from mosquitto_process import Mosquitto

from orchestrator.core.messages import CommandRefused, OrderReceived, RobotJoined
from orchestrator.journal import RunReader
from orchestrator.layout import load_site
from sim.replay import replay
from sim.verification import verify

ROOT = Path(__file__).parents[2]
SITE = ROOT / "sites" / "jd_small"
SPEED = "12"


def start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestrator.cli", *arguments],
            stdout=log, stderr=log, cwd=folder, env=environment,
        )  # fmt: skip


def events(path: Path) -> int:
    """So many are durable."""
    with RunReader(path) as reader:
        return sum(1 for _ in reader.entry_bytes())


def wait_for_events(path: Path, count: int, limit_s: float = 60.0) -> int:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if path.exists():
            found = events(path)
            if found >= count:
                return found
        time.sleep(0.5)
    raise AssertionError(f"{path}: not {count} events within {limit_s} s")


def test_a_server_that_is_killed_and_a_broker_that_is_killed(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    live, floor = tmp_path / "live.run", tmp_path / "floor.run"
    common = ("--mqtt", mosquitto.url, "--seed", "7", "--speed", SPEED)
    served = (str(SITE), *common, "--orders", "site", "--override", "a test")
    # given a site that is served, and its vehicles, all of them under way
    server = start(tmp_path, "serve", "serve", *served, "--record", str(live))
    fleet = start(
        tmp_path, "fleet", "fleet", "simulate", str(SITE), *common, "--record", str(floor)
    )
    try:
        before = wait_for_events(live, 2500)
        # when the server is killed, and another one goes on a moment later
        server.send_signal(signal.SIGKILL)
        server.wait()
        time.sleep(1.0)
        server = start(tmp_path, "serve2", "serve", *served, "--resume", str(live))
        between = wait_for_events(live, before + 1200)
        # and when the broker is killed for a while
        mosquitto.kill()
        time.sleep(2.0)
        mosquitto.start()
        wait_for_events(live, between + 1200)
    finally:
        for process in (server, fleet):
            process.send_signal(signal.SIGINT)
        for process in (server, fleet):
            process.wait(30)
    # then the journal is one run, that every command can be made again from
    with RunReader(live) as reader:
        assert replay(reader, load_site(SITE)).difference == ""
        heard = [entry.event for entry in reader.entries()]
    names = [event.name for event in heard if isinstance(event, RobotJoined)]
    assert len(set(names)) == len(names) == 40, "everybody joined once"
    assert not any(isinstance(event, CommandRefused) for event in heard)
    assert max(Counter(e.order_id for e in heard if isinstance(e, OrderReceived)).values()) <= 2
    # and what really happened is free of contacts, wrong deliveries and lost goods
    with RunReader(floor) as reader:
        verdict = verify(reader)
    assert verdict.figures["contact"]["contacts"] == 0
    kinds = {row.kind for row in verdict.findings.rows}
    assert not kinds & {"contact", "kinematics", "units", "wrong order", "books"}, kinds
