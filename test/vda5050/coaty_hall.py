"""Our server, vehicles of Coaty's vda-5050-lib, machines that always succeed, and the third listener,
each with a connection of its own to one broker."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from listener import Listener

from orchestrator.api.naming import reader
from orchestrator.core.filing import tally
from orchestrator.core.messages import (
    CommandRefused,
    Event,
    ImageRead,
    RequestInference,
    RobotFaulted,
    StartWork,
    WorkEnded,
)
from orchestrator.journal import RunWriter
from orchestrator.layout import LoadedSite
from orchestrator.mqtt import MqttLink
from orchestrator.serving import Demand, Serving
from sim.scenario import Options, heading_in, scenario

HERE = Path(__file__).parents[1] / "coaty"
LIBRARY = HERE / "node_modules" / "vda-5050-lib"
MAKER = "coaty"
# What Coaty's vehicles do against the official schemas; everything else of them is checked.
EXEMPT = (
    "state/nodeStates/*/nodePosition/theta",  # repeated from an order, where it is optional
)


def missing() -> str:
    """Why there are no vehicles; "" if there are."""
    if shutil.which("node") is None:
        return "no node on the path ('make vehicles' installs it where it can)"
    if not LIBRARY.is_dir():
        return "no vda-5050-lib in test/coaty/node_modules ('make vehicles')"
    return ""


class Fleet:
    """The node process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def say(self, line: str) -> None:
        """A command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    @property
    def runs(self) -> bool:
        """It has not ended."""
        return self._process.returncode is None

    async def end(self) -> None:
        """Kill it."""
        if self.runs:
            self._process.kill()
        await self._process.wait()


def vehicle_of(loaded: LoadedSite, serial: str, node: int, number: int) -> dict[str, Any]:
    """As the site declares the fleet that the serial number belongs to."""
    roadmap = loaded.site.roadmap
    name = next(row.fleet for row in loaded.spec.vehicles if fnmatchcase(serial, row.serial))
    spec = loaded.spec.fleets[name]
    xs, ys = zip(*spec.footprint_m, strict=True)
    return {
        "serial": serial,
        "x": roadmap.node_x_mm[node] / 1000,
        "y": roadmap.node_y_mm[node] / 1000,
        "heading": math.remainder(math.radians(heading_in(loaded, node)), math.tau),
        "node": roadmap.node_ids[node],
        "map": loaded.spec.id,
        "speed": spec.speed_mps,
        "length": max(xs) - min(xs),
        "width": max(ys) - min(ys),
        "reach": spec.battery.reach_m,
        "chargeHours": spec.battery.charge_minutes / 60,
        "charge": 90 - 10 * (number % 6),
    }


async def fleet_of(url: str, loaded: LoadedSite, places: dict[str, int], speed: float) -> Fleet:
    """One vehicle on each node, by serial number; returns when all are connected."""
    vehicles = [vehicle_of(loaded, *place, number) for number, place in enumerate(places.items())]
    given = {"url": url, "manufacturer": MAKER, "vehicles": vehicles, "timeLapse": speed}
    process = await asyncio.create_subprocess_exec(
        "node", "fleet.cjs", json.dumps(given), cwd=HERE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"ready\n", "the vehicles did not start"
    return Fleet(process)


class Machines:
    """All equipment: each work succeeds after `seconds`, whatever it is."""

    def __init__(self, serving: Serving, link: MqttLink, seconds: float) -> None:
        self._link, self._seconds, self._naming = link, seconds, serving.naming
        self._topic = serving.equipment.events_topic
        self._read = reader(serving.naming, StartWork | RequestInference)
        self._done: dict[int, Event] = {}
        self.topic = serving.equipment.commands_topic
        link.subscribe(self.topic, 1)

    async def run(self) -> None:
        """Until cancelled."""
        async for _, payload, _ in self._link.messages():
            command = self._read(payload)
            number = command.work if isinstance(command, StartWork) else command.request
            if number in self._done:
                self._answer(self._done[number])  # it was asked once more
                continue
            answer: Event = (
                WorkEnded(work=number, quantity=command.quantity)
                if isinstance(command, StartWork)
                else ImageRead(request=number, outcome="ok", value=command.expected)
            )
            self._done[number] = answer
            asyncio.get_running_loop().call_later(self._seconds, self._answer, answer)

    def _answer(self, event: Event) -> None:
        self._link.publish(self._topic, self._naming.encode(event), 1, False)


class Hall:
    """What is going on. `events`: counts by type; `bad`: faults and refusals that the core heard of."""

    def __init__(self, loaded: LoadedSite, url: str, run: Path, speed: float) -> None:
        self.loaded, self.speed, self.url = loaded, speed, url
        self.writer = RunWriter(run, {"kind": "live"})
        self.said: list[str] = []
        self.link = MqttLink(url, client_id="master")
        self.serving = Serving(
            loaded, self.writer, self.link, run="t", speed=speed, say=self.said.append,
        )  # fmt: skip
        self.serving.live.watchers.append(self)
        self.listener = Listener("2.0.0", actions_key="instantActions", exempt=EXEMPT)
        self._heard: list[tuple[str, bytes]] = []
        self.events: Counter[str] = Counter()
        self.bad: list[Event] = []
        self.fleet: Fleet

    def event(self, seq: int, event: Event) -> None:
        """orchestrator.live.Watcher"""
        self.events[type(event).__name__] += 1
        if isinstance(event, RobotFaulted | CommandRefused):
            self.bad.append(event)

    @property
    def closed(self) -> dict[str, int]:
        """Orders by how they ended."""
        found = tally(self.serving.live.core.world)
        return {state: count for state, count in found.items() if state != "open"}

    async def listen(self, link: MqttLink) -> None:
        """The third party. It looks at what it heard at the end: in this process it would slow down all
        others."""
        async for topic, payload, _ in link.messages():
            self._heard.append((topic, payload))

    def judge(self) -> None:
        """What was heard goes to the listener."""
        for topic, payload in self._heard:
            self.listener.message(topic, payload)
        self._heard.clear()


@asynccontextmanager
async def open_hall(
    loaded: LoadedSite,
    url: str,
    run: Path,
    places: dict[str, int],
    *,
    speed: float,
    demand: Demand | None = None,
    work_s: float = 2.0,
) -> AsyncIterator[Hall]:
    """Everything runs inside; at the end the run file is closed."""
    hall = Hall(loaded, url, run, speed)
    totes = scenario(loaded, Options()).totes
    ear, hands = MqttLink(url, client_id="ear"), MqttLink(url, client_id="machines")
    ear.subscribe("uagv/#", 0)
    machines = Machines(hall.serving, hands, work_s / speed)
    async with AsyncExitStack() as stack:
        for link in (ear, hands, hall.link):
            await stack.enter_async_context(link)
        tasks = [asyncio.create_task(hall.listen(ear)), asyncio.create_task(machines.run())]
        tasks.append(asyncio.create_task(hall.serving.run(totes, demand)))
        hall.fleet = await fleet_of(url, loaded, places, speed)
        try:
            yield hall
        finally:
            await hall.fleet.end()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            hall.writer.close("closed", books=hall.serving.books())
            hall.judge()
    failed = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
    assert not failed, failed
