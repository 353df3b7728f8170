"""Simulated vehicles against real time: one connection to the broker for each, many in a process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from orchestrator.mqtt.address import Will
from orchestrator.mqtt.client import MqttLink
from sim.clock import SECOND_NS, Clock, Streams
from sim.vehicle.agent import Agent
from sim.vehicle.building import Building
from sim.vehicle.mischief import Mischief, WireFaults
from sim.vehicle.yard import Yard

STEP_S = 0.01  # simulated time is caught up with so often
STAGGER_S = 0.003  # between first connections, so that a broker is not flooded
COMMIT_S = 1.0
TO_VEHICLE = ("order", "instantActions")
MakeLink = Callable[..., MqttLink]


class Record(Protocol):
    """What is recorded, as far as it must be made durable."""

    def commit(self) -> None:
        """Make everything so far durable."""


class Connection:
    """One vehicle's."""

    def __init__(self, fleet: VirtualFleet, agent: Agent, mischief: Mischief) -> None:
        self._fleet, self._agent, self._mischief = fleet, agent, mischief
        self.link: MqttLink | None = None

    def drop(self) -> None:
        """Lose the connection without a word; the link makes it again."""
        if self.link is not None:
            self.link.cut()

    def send(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """While there is no link, what would be said is lost."""
        if self.link is not None:
            self.link.publish(topic, payload, qos, retain)

    async def run(self, wait_s: float) -> None:
        """For ever."""
        await asyncio.sleep(wait_s)
        agent = self._agent
        topics = {agent.topic(name): name for name in TO_VEHICLE}
        name = agent.topic("").strip("/").replace("/", "-")
        topic, payload, qos, retain = agent.will()
        will = Will(topic, payload, qos, retain)
        async with self._fleet.make_link(client_id=name, will=will) as link:
            for pattern in topics:
                link.subscribe(pattern)
            link.on_up = self._up
            self.link = link
            await self._read(link, topics)

    def _up(self) -> None:
        self._fleet.catch_up()
        self._agent.online()

    async def _read(self, link: MqttLink, topics: dict[str, str]) -> None:
        async for batch in link.batches():
            self._fleet.catch_up()
            for topic, payload, _ in batch:
                if topic in topics:  # some brokers send more than what was asked for
                    self._mischief.received(topics[topic], payload)
            self._fleet.settle()


class VirtualFleet:
    """A building (or a yard) in real time. `make_link` makes a link to the broker."""

    def __init__(self, make_link: MakeLink, faults: WireFaults, seed: int, speed: float) -> None:
        self.make_link, self._faults, self._speed = make_link, faults, speed
        self._streams = Streams(seed).within("wire")
        self._begun_ns = time.monotonic_ns()
        self._utc_ns = time.time_ns()
        self._clock = Clock()  # until `play`
        self._by_serial: dict[str, tuple[Connection, Mischief]] = {}
        self._equipment: MqttLink | None = None

    def utc_ns(self) -> int:
        """Of headers: real time, whatever the speed."""
        return self._utc_ns + time.monotonic_ns() - self._begun_ns

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Of agents and equipment: each over its own connection."""
        known = self._by_serial.get(topic.split("/")[-2])
        if known is not None and not topic.startswith("lightsout/"):
            known[1].publish(topic, payload, qos, retain)
        elif self._equipment is not None:
            self._equipment.publish(topic, payload, qos, retain)

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        real_ns = time.monotonic_ns() - self._begun_ns
        self._clock.run(max(self._clock.now_ns, round(real_ns * self._speed)))

    def settle(self) -> None:
        """Let everything happen that follows at once."""
        self._clock.run(self._clock.now_ns)

    async def play(
        self, fleet: Building | Yard, record: Record | None, seconds: float | None
    ) -> None:
        """Until cancelled, or for so many seconds of real time; then every vehicle signs off."""
        self._clock = fleet.clock
        for agent in fleet.agents:
            mischief = Mischief(self._faults, fleet.clock, self._streams, self._send(agent))
            mischief.plays(agent)
            connection = Connection(self, agent, mischief)
            self._by_serial[agent.robot.name] = (connection, mischief)
        self._begun_ns, self._utc_ns = time.monotonic_ns(), time.time_ns()
        self._reconnects()
        connections = [connection for connection, _ in self._by_serial.values()]
        tasks = [
            asyncio.create_task(each.run(STAGGER_S * number))
            for number, each in enumerate(connections)
        ]
        tasks.append(asyncio.create_task(self._pump(record)))
        if isinstance(fleet, Building):
            tasks.append(asyncio.create_task(self._equip(fleet)))
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            await self._sign_off(fleet, connections)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            fleet.finish()

    def _send(self, agent: Agent) -> Callable[[str, bytes, int, bool], None]:
        def send(topic: str, payload: bytes, qos: int, retain: bool) -> None:
            self._by_serial[agent.robot.name][0].send(topic, payload, qos, retain)

        return send

    async def _sign_off(self, fleet: Building | Yard, connections: list[Connection]) -> None:
        for agent in fleet.agents:
            agent.offline()
        links = [each.link for each in connections if each.link is not None]
        if self._equipment is not None:
            links.append(self._equipment)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await asyncio.gather(*(link.flush() for link in links if link.connected))

    async def _pump(self, record: Record | None) -> None:
        committed = time.monotonic()
        while True:
            self.catch_up()
            if record is not None and time.monotonic() - committed >= COMMIT_S:
                record.commit()
                committed = time.monotonic()
            await asyncio.sleep(STEP_S)

    def _reconnects(self) -> None:
        spec = self._faults.reconnects
        if spec is not None:
            self._clock.after(round(spec.after_s * SECOND_NS), self._drop_many)

    def _drop_many(self, _: None) -> None:
        spec = self._faults.reconnects
        assert spec is not None
        connections = [connection for connection, _ in self._by_serial.values()]
        chance = self._streams.of("reconnects", self._clock.now_ns)
        for connection in chance.sample(connections, round(spec.share * len(connections))):
            connection.drop()
        if spec.every_s:
            self._clock.after(round(spec.every_s * SECOND_NS), self._drop_many)

    async def _equip(self, building: Building) -> None:
        name = f"equipment-{building.loaded.spec.id}"
        async with self.make_link(client_id=name, clean_session=False) as link:
            link.subscribe(building.commands_topic, 1)
            link.subscribe(building.status_filter, 1)
            self._equipment = link
            async for batch in link.batches():
                self.catch_up()
                for topic, payload, retained in batch:
                    if topic == building.commands_topic:
                        building.received(payload)
                    elif not retained:  # else it is of another run
                        building.order_closed(payload)
                self.settle()
