"""A real Mosquitto for the tests, where there is one, and tools to wait with.

Other folders' tests may use it: put this folder on their path and import the fixtures.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.mqtt import MqttLink

MOSQUITTO = os.environ.get("LIGHTSOUT_MOSQUITTO", "/usr/sbin/mosquitto")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Mosquitto:
    """A broker process on a port of its own; may be killed and started again."""

    def __init__(self, folder: Path, settings: str | None = None, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = folder
        self.config = folder / "mosquitto.conf"
        if settings is None:
            settings = f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
        self.config.write_text(settings)
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self.config)], stdout=log, stderr=log, cwd=self.folder
            )
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError(f"Mosquitto doesn't listen: {self.log()}")

    def kill(self) -> None:
        """As by `kill -9`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")


@pytest.fixture(scope="session")
def mosquitto_program() -> str:
    """The broker's executable; skips with the reason where it is missing."""
    if shutil.which(MOSQUITTO) is None:
        pytest.skip(f"no Mosquitto at {MOSQUITTO} ('make broker', or LIGHTSOUT_MOSQUITTO names it)")
    return MOSQUITTO


@pytest.fixture
def mosquitto(mosquitto_program: str, tmp_path: Path) -> Iterator[Mosquitto]:
    """An open broker on the loopback."""
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


async def take(link: MqttLink, count: int, timeout_s: float = 5) -> list[tuple[str, bytes, bool]]:
    """The next messages; fails when they don't come."""
    got: list[tuple[str, bytes, bool]] = []
    async with asyncio.timeout(timeout_s):
        async for message in link.messages():
            got.append(message)
            if len(got) == count:
                break
    return got


async def until(condition: Callable[[], bool], timeout_s: float = 8) -> None:
    """Wait for something that has no event of its own."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
