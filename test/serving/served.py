"""A site that is served over a broker, with its vehicles, for the tests of what operators do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mosquitto_process import Mosquitto

from orchestrator.mqtt import MqttLink

ROOT = Path(__file__).parents[2]
SITE = ROOT / "sites" / "jd_small"
TOPICS = "lightsout/v1/jd_small"
SPEED = "12"


def start(folder: Path, name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """A `lightsout` of its own; what it says goes to `<name>.log`."""
    settings = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestrator.cli", *arguments],
            stdout=log, stderr=log, cwd=folder, env=settings,
        )  # fmt: skip


def wait_for(condition: Callable[[], Any], what: str, limit_s: float = 60.0) -> Any:
    """Poll until it is true; fails with `what`."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {limit_s} s: {what}")


class Ear:
    """Hears everything of the site, in a thread of its own."""

    def __init__(self, make_link: Callable[[], MqttLink]) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.kept: dict[str, Any] = {}
        self._make_link, self._stop = make_link, False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))
        self._thread.start()

    async def _listen(self) -> None:
        link = self._make_link()
        link.subscribe(f"{TOPICS}/#", 1)
        async with link:
            reader = asyncio.create_task(self._read(link))
            while not self._stop:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            reader.cancel()

    async def _read(self, link: MqttLink) -> None:
        async for topic, payload, retained in link.messages():
            self.heard.append((topic, payload, retained))
            self.kept[topic] = json.loads(payload) if payload else None

    def last(self, name: str) -> Any:
        """The last content of a topic of the site; None: nothing, or it was cleared."""
        return self.kept.get(f"{TOPICS}/{name}")

    def robots(self) -> dict[str, Any]:
        """States by name."""
        found = list(self.kept.items())
        return {state["robot"]: state for topic, state in found if "/fleet/" in topic and state}

    def close(self) -> None:
        self._stop = True
        self._thread.join()


class Served:
    """The broker, `serve`, `fleet simulate`, and an ear."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "live.run"
        self.broker = Mosquitto(folder)
        self.broker.start()
        self.url = self.broker.url
        self.common = ("--mqtt", self.url, "--seed", "7", "--speed", SPEED)
        self.ear = Ear(lambda: MqttLink(self.url))
        self.fleet = start(folder, "fleet", "fleet", "simulate", str(SITE), *self.common)
        self.serve("--record", str(self.run))

    def serve(self, *how: str) -> None:
        self.server = start(
            self.folder, "serve", "serve", str(SITE), *self.common, "--override", "a test", *how
        )

    def close(self) -> None:
        for process in (self.server, self.fleet):
            process.send_signal(signal.SIGINT)
        for process in (self.server, self.fleet):
            process.wait(30)
        self.ear.close()
        self.broker.kill()
