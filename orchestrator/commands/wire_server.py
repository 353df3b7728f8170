"""The server of `lightsout bench wire`: the ordinary one, in a process of its own, with a clock beside
each message and orders that never run out."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.core.messages import (
    CloseOrder,
    Command,
    Event,
    ExtendBase,
    NodeReached,
    OrderReceived,
    PathsPlanned,
    RequestPaths,
)
from orchestrator.journal import RunWriter
from orchestrator.layout import load_files
from orchestrator.mqtt.client import MqttLink
from orchestrator.serving import Serving
from orchestrator.vda5050.control.sending import Limits
from sim.load.figures import keep

ALARMS_SHOWN = 5
LAG_S = 0.01
QUIET_S = 1.0
ORDERS_AT_ONCE = 50  # in the beginning, each tenth of a second


@dataclass(frozen=True, slots=True)
class Task:
    """What the server's process is to do."""

    files: dict[str, str]
    folder: str
    url: str
    vehicles: int
    open_orders: int
    stops: tuple[int, ...]
    seed: int
    horizon: int


@dataclass(slots=True)
class Cause:
    """A state that told of a node."""

    vehicle: int
    header: int
    read_s: float


@dataclass(slots=True)
class Caused:
    """Orders that extend a base, each with its cause."""

    by_vehicle: array[int] = field(default_factory=lambda: array("q"))
    by_header: array[int] = field(default_factory=lambda: array("q"))
    read_s: array[float] = field(default_factory=lambda: array("d"))
    to_vehicle: array[int] = field(default_factory=lambda: array("q"))
    order_header: array[int] = field(default_factory=lambda: array("q"))
    sent_s: array[float] = field(default_factory=lambda: array("d"))


def number_of(serial: str) -> int:
    """A vehicle's number in the fleet."""
    return int(serial.rpartition("-")[2])


class Probe:
    """Follows each state from the socket to the order that it causes.

    A state's report of a node may release something at once; while a plan is being made nothing is
    released, and what the plan then releases to a vehicle counts from the state that came meanwhile."""

    def __init__(self, serving: Serving, link: MqttLink) -> None:
        self._serving, self._link = serving, link
        self.caused = Caused()
        self.plans_s = array("d")
        self.lags_s = array("d")
        self._asked_s = 0.0
        self._read_s: dict[int, float] = {}
        self._now_read_s = 0.0
        self._reports: dict[int, Cause] = {}  # by the event's identity, until it is handled
        self._frozen: dict[int, Cause] = {}  # by robot: reported while a plan was being made
        self._why: Cause | None = None
        self._planned = False
        self._open: dict[int, Cause] = {}  # by robot: released, the order has not left yet
        self._wrap()

    def _wrap(self) -> None:
        control, live, inbox = self._serving.control, self._serving.live, self._link._inbox
        add, message, post = inbox.add, control.message, control.desk.post
        handle, send, publish = live.core.handle, live.send, control.desk.publish

        def stamped(topic: str, payload: bytes, qos: int, retain: bool) -> None:
            self._read_s[id(payload)] = time.monotonic()
            add(topic, payload, qos, retain)

        def read(now_ns: int, topic: str, payload: bytes, *, retained: bool = False) -> None:
            self._now_read_s = self._read_s.pop(id(payload), 0.0)
            message(now_ns, topic, payload, retained=retained)

        def posted(event: Event) -> None:
            if isinstance(event, NodeReached):
                v = control.by_robot[event.robot]
                assert v.state is not None
                header = v.state.header.header_id
                self._reports[id(event)] = Cause(number_of(v.serial), header, self._now_read_s)
            post(event)

        def handled(time_ns: int, event: Event) -> None:
            self._begin(event)
            handle(time_ns, event)
            if self._planned:
                self._frozen.clear()

        def sent(command: Command) -> None:
            self._command(command)
            send(command)

        def published(topic: str, payload: bytes, qos: int, retain: bool) -> object:
            if topic.endswith("/order"):
                self._left(topic.split("/")[-2])
            return publish(topic, payload, qos, retain)

        for owner, name, new in (
            (inbox, "add", stamped), (control, "message", read),
            (control.desk, "post", posted), (live.core, "handle", handled), (live, "send", sent),
            (control.desk, "publish", published),
        ):  # fmt: skip
            setattr(owner, name, new)

    def _begin(self, event: Event) -> None:
        self._why = self._reports.pop(id(event), None)
        self._planned = isinstance(event, PathsPlanned)
        if self._planned:
            self.plans_s.append(time.monotonic() - self._asked_s)
        elif self._why is not None and self._serving.live.core.world.traffic.frozen:
            assert isinstance(event, NodeReached)
            self._frozen.setdefault(event.robot, self._why)

    def _command(self, command: Command) -> None:
        if isinstance(command, RequestPaths):
            self._asked_s = time.monotonic()
        if not isinstance(command, ExtendBase):
            return
        waited = self._frozen.pop(command.robot, None)
        why = waited if self._planned else self._why
        if why is not None:
            self._open.setdefault(command.robot, why)

    def _left(self, serial: str) -> None:
        v = self._serving.control.vehicles["bench", serial]
        why = self._open.pop(v.robot, None)
        if why is None:
            return
        row = self.caused
        row.by_vehicle.append(why.vehicle)
        row.by_header.append(why.header)
        row.read_s.append(why.read_s)
        row.to_vehicle.append(number_of(serial))
        row.order_header.append(v.headers["order"] - 1)
        row.sent_s.append(time.monotonic())

    async def lag(self) -> None:
        """How late the loop is, for ever."""
        while True:
            due = time.monotonic() + LAG_S
            await asyncio.sleep(LAG_S)
            self.lags_s.append(time.monotonic() - due)


class _Voice:
    """The first few alarms are for whoever looks; the rest are counted."""

    def __init__(self) -> None:
        self._left = ALARMS_SHOWN

    def __call__(self, text: str) -> None:
        if self._left and not text.endswith(" joined"):
            self._left -= 1
            print(text, file=sys.stderr)


class Orders:
    """Transports from stop to stop, so many open at a time."""

    def __init__(self, serving: Serving, task: Task) -> None:
        self._post, self._task = serving.live.post_soon, task
        self._chance = random.Random(task.seed)
        self.given = self.done = 0
        send = serving.send

        def sent(command: Command, post: Callable[[Event], None]) -> None:
            if isinstance(command, CloseOrder) and command.order_id.startswith("load-"):
                self.done += 1
                self._one()
            send(command, post)

        serving.send = sent  # type: ignore[method-assign]

    def _one(self) -> None:
        self.given += 1
        stops = tuple(self._chance.sample(self._task.stops, 2))
        self._post(OrderReceived(order_id=f"load-{self.given}", kind="transport", stops=stops))

    async def begin(self) -> None:
        """Not all in one moment."""
        while self.given < self._task.open_orders:
            for _ in range(min(ORDERS_AT_ONCE, self._task.open_orders - self.given)):
                self._one()
            await asyncio.sleep(0.1)


def play(task: Task, pipe: Connection) -> None:
    """The process. Says "up", how many joined, and, told to stop, its figures."""
    asyncio.run(_play(task, pipe))


async def _play(task: Task, pipe: Connection) -> None:
    loaded = load_files(task.files, "load")
    writer = RunWriter(Path(task.folder) / "load.run", {"run_id": "load"}, durable="full")
    link = MqttLink(task.url, client_id="load-server")
    limits = Limits(horizon=task.horizon)
    serving = Serving(loaded, writer, link, run="load", limits=limits, say=_Voice())
    probe, orders = Probe(serving, link), Orders(serving, task)
    async with link:
        await link.wait_up(30)
        tasks = [asyncio.create_task(serving.run()), asyncio.create_task(probe.lag())]
        try:
            pipe.send("up")
            figures = await _driven(task, serving, probe, orders, pipe)
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    writer.close("closed", figures={})
    pipe.send(figures)


async def _driven(
    task: Task, serving: Serving, probe: Probe, orders: Orders, pipe: Connection
) -> dict[str, Any]:
    robots, told = serving.live.core.world.robots, -1
    while len(robots) < task.vehicles:
        await asyncio.sleep(0.2)
        if len(robots) != told:
            told = len(robots)
            pipe.send(told)
    await orders.begin()
    pipe.send("driving")
    begin = await asyncio.to_thread(pipe.recv)
    await asyncio.sleep(begin - time.monotonic())
    before, done = serving.finish(), orders.done
    marks = len(probe.lags_s), len(probe.plans_s)
    assert await asyncio.to_thread(pipe.recv) == "stop"
    after, done = serving.finish(), orders.done - done
    lags, plans = probe.lags_s[marks[0] :], probe.plans_s[marks[1] :]
    await _quiet(serving)
    keep(Path(task.folder) / "server.npz", probe.caused)
    end, vehicles = serving.finish(), serving.control.vehicles.values()
    return {
        "events": after["events"] - before["events"],
        "orders_done": done,
        "messages_in": after["messages_in"] - before["messages_in"],
        "updates_out": after["updates_sent"] - before["updates_sent"],
        "resent": after["resent"] - before["resent"],
        "refused": after["commands_refused"],
        "alarms": after["alarms"],
        "states_read_in_all": end["states"],
        "states_missing": sum(v.counts.missing for v in vehicles),
        "orders_sent_in_all": sum(v.headers.get("order", 0) for v in vehicles),
        "dropped": end["messages_dropped"],
        "lag_p99_ms": round(1000 * float(np.percentile(lags, 99)), 1),
        "lag_max_ms": round(1000 * max(lags), 1),
        "plan_p50_ms": round(1000 * float(np.median(plans)), 1) if plans else 0.0,
        "plan_max_ms": round(1000 * max(plans), 1) if plans else 0.0,
        "plans": len(plans),
    }


async def _quiet(serving: Serving) -> None:
    """Until nothing more comes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            before = -1
            while (now := serving.link.counters.received) != before:
                before = now
                await asyncio.sleep(QUIET_S)
