"""`lightsout serve` and `lightsout fleet simulate` as processes on one broker, much faster than real
time, and somebody who listens to everything that is said."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from listener import SCHEMAS, Listener
from mosquitto_process import Mosquitto
from served import SITE, start

from orchestrator.core.messages import Event, RobotFaulted, RobotRecovered
from orchestrator.journal import RunReader
from orchestrator.mqtt import MqttLink
from sim.verification import verify

BROKEN = {"contact", "kinematics", "units", "wrong order", "books"}


class Ear(threading.Thread):
    """Hears vehicles and orders; what it thinks of them it says at the end: it must not slow down
    anybody meanwhile."""

    def __init__(self, url: str, site: str) -> None:
        super().__init__(daemon=True)
        self._url, self._site = url, site
        self._over = threading.Event()
        self.heard: list[tuple[str, bytes]] = []
        self.last: dict[str, bytes] = {}  # by topic
        self.says: list[tuple[str, bytes]] = []  # again and again
        self.updates = 0  # messages that add to an order
        self.closed: dict[str, str] = {}
        self.alarms: list[tuple[str, str]] = []

    def run(self) -> None:
        """threading.Thread"""
        asyncio.run(self._listen())

    def end(self) -> None:
        """Enough."""
        self._over.set()
        self.join()

    async def _listen(self) -> None:
        root = f"lightsout/v1/{self._site}"
        async with MqttLink(self._url) as link:
            for pattern in ("uagv/#", f"{root}/orders/+/status", f"{root}/alarms"):
                link.subscribe(pattern, 1)
            reader = asyncio.create_task(self._read(link))
            while not self._over.is_set():
                for topic, payload in self.says:
                    link.publish(topic, payload)
                await asyncio.sleep(0.2)
            reader.cancel()

    async def _read(self, link: MqttLink) -> None:
        async for topic, payload, _ in link.messages():
            if topic.startswith("uagv/"):
                self.heard.append((topic, payload))
                self.last[topic] = payload
                if topic.endswith("/order"):
                    self.updates += json.loads(payload)["orderUpdateId"] > 0
            elif topic.endswith("/status"):
                raw = json.loads(payload)
                self.closed[raw["order_id"]] = raw["status"]
            else:
                raw = json.loads(payload)
                self.alarms.append((raw["subject"], raw["text"]))

    def driving(self) -> list[str]:
        """Vehicles that drive, or have base left to drive, by their last word."""
        states = [
            json.loads(payload)
            for topic, payload in list(self.last.items())
            if topic.endswith("/state")
        ]
        return [
            state["serialNumber"]
            for state in states
            if state["driving"] or any(node["released"] for node in state["nodeStates"])
        ]

    def listener(self, **options: Any) -> Listener:
        """What a third party has to say of it."""
        listener = Listener("2.1.0", **options)
        for topic, payload in self.heard:
            listener.message(topic, payload)
        return listener


class Wire:
    """All of it, in a folder."""

    def __init__(self, folder: Path, broker: Mosquitto, speed: float, site: Path = SITE) -> None:
        self.folder, self.broker, self.site, self.speed = folder, broker, site, speed
        self.live, self.floor = folder / "live.run", folder / "floor.run"
        self._common = ("--mqtt", broker.url, "--seed", "7", "--speed", str(speed))
        self.ear = Ear(broker.url, site.name)
        self.ear.start()
        self._journal: list[Event] = []
        self.server: subprocess.Popen[bytes] | None = None
        self.fleet: subprocess.Popen[bytes] | None = None

    def serve(self, *, again: bool = False) -> None:
        """A server; `again`: it goes on with the run of one that is gone."""
        run = ("--resume" if again else "--record", str(self.live))
        served = (str(self.site), *self._common, "--orders", "site", "--override", "a test", *run)
        before = self._connected()
        self.server = start(self.folder, "serve", "serve", *served)
        self.wait(lambda: self._connected() > before)

    def _connected(self) -> int:
        said = self.folder / "serve.log"
        return said.read_text().count("connected to") if said.exists() else 0

    def vehicles(self, faults: str = "", robots: int | None = None) -> None:
        """The site's vehicles and its building."""
        more = ["--record", str(self.floor), "--hours", "0.1"]
        if faults:
            (self.folder / "wire.yaml").write_text(f"format: 1\n{faults}")
            more += ["--faults", "wire.yaml"]
        if robots is not None:
            more += ["--robots", str(robots)]
        self.fleet = start(
            self.folder, "fleet", "fleet", "simulate", str(self.site), *self._common, *more
        )

    def kill_server(self) -> None:
        """As by `kill -9`."""
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server = None

    def events(self, *kinds: type) -> list[Any]:
        """Those in the journal."""
        found = self._journal
        if self.live.exists():
            with RunReader(self.live) as reader:  # only what is new: it is asked for all the time
                found += [entry.event for entry in reader.entries(len(found))]
        return [event for event in found if isinstance(event, kinds)] if kinds else list(found)

    def out(self) -> set[int]:
        """Robots that were faulted and have not come back."""
        found: dict[int, None] = {}
        for event in self.events(RobotFaulted, RobotRecovered):
            if isinstance(event, RobotFaulted):
                found[event.robot] = None
            else:
                found.pop(event.robot, None)
        return set(found)

    def wait(self, what: Callable[[], bool], limit_s: float = 300.0) -> None:
        """Until it is so; fails with the servers' last words."""
        deadline = time.monotonic() + limit_s
        while not what():
            for process in (self.server, self.fleet):
                assert process is None or process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.5)

    def log(self) -> str:
        """The end of what was said."""
        texts = [path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log"))]
        return "\n---\n".join(texts)

    def end(self) -> None:
        """In order."""
        processes = [each for each in (self.server, self.fleet) if each is not None]
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(120)
        self.ear.end()

    def broken(self) -> set[str]:
        """What the building's own record has to say against what happened in it."""
        with RunReader(self.floor) as reader:
            verdict = verify(reader)
        assert verdict.figures["contact"]["contacts"] == 0
        return {row.kind for row in verdict.findings.rows} & BROKEN


def schemas() -> str:
    """Why nothing can be checked against the standard; "": it can."""
    return "" if SCHEMAS.is_dir() else f"no VDA 5050 schemas at {SCHEMAS}"
