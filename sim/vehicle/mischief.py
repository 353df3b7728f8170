"""What goes wrong on the vehicles' side of the wire: late, lost, doubled and reordered messages, lies,
garbage. A YAML file of its own; what happens inside the building is its part `building`: a faults.yaml.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import Field

from orchestrator.layout.fields import NotNegative, Part, Positive, Range, Share
from orchestrator.layout.findings import Finding
from orchestrator.layout.reading import read_model
from orchestrator.layout.site_file import FaultsFile
from sim.clock import SECOND_NS, Clock, Streams
from sim.vehicle import garbage
from sim.vehicle.agent import Agent, Publish

PENDING_MAX = 1000  # messages of a vehicle, each way, that are late; more are lost


class NetworkFaults(Part):
    """Of messages without a quality of service, both ways."""

    delay_s: Range = (0, 0)  # the sequence is kept, but for:
    reordered: Share = 0.0  # these come up to 2 s later still
    lost: Share = 0.0
    doubled: Share = 0.0
    after_s: NotNegative = 0


class Reconnects(Part):
    """So large a share of the fleet drops its connection at the same moment, and comes back."""

    share: Share
    after_s: NotNegative = 60
    every_s: NotNegative = 0  # 0: once


Deed = Literal[
    "lie", "repeat", "garbage", "not_utf8", "nesting", "wrong_types", "huge_numbers", "silence",
    "manual",
]  # fmt: skip


class Misbehaviour(Part):
    """Vehicles whose serial number matches do this, from `after_s` on, for `for_s`, each `every_s`."""

    serial: str
    does: Deed
    after_s: NotNegative = 0
    for_s: Positive = 60
    every_s: Positive = 1
    by_m: float = 5.0  # lie: so far off it says that it is
    bytes: int = Field(default=1_000_000, ge=1, le=16_000_000)  # garbage: of each message


class WireFaults(Part):
    """The file."""

    format: int
    network: NetworkFaults | None = None
    reconnects: Reconnects | None = None
    vehicles: tuple[Misbehaviour, ...] = ()
    building: FaultsFile | None = None


def read_wire_faults(text: str, file: str) -> tuple[WireFaults | None, list[Finding]]:
    """Parse and validate."""
    return read_model(text, file, WireFaults)


class Lane:
    """One vehicle's messages in one direction, through a bad network."""

    def __init__(self, spec: NetworkFaults, clock: Clock, chance: random.Random) -> None:
        self._spec, self._clock, self._chance = spec, clock, chance
        self._last_ns = 0
        self._pending = 0
        self.lost = 0

    def pass_on(self, deliver: Callable[[], None]) -> None:
        """Call `deliver` when the message comes through: never, once or twice."""
        spec, chance = self._spec, self._chance
        if self._clock.now_ns < spec.after_s * SECOND_NS:
            deliver()
            return
        if chance.random() < spec.lost:
            self.lost += 1
            return
        for _ in range(2 if chance.random() < spec.doubled else 1):
            if self._pending >= PENDING_MAX:
                self.lost += 1
                return
            self._pending += 1
            self._clock.at(self._arrival_ns(), self._arrived, deliver)

    def _arrival_ns(self) -> int:
        now = self._clock.now_ns
        at = max(self._last_ns, now + round(self._chance.uniform(*self._spec.delay_s) * SECOND_NS))
        if self._chance.random() < self._spec.reordered:
            return at + round(self._chance.uniform(0, 2) * SECOND_NS)
        self._last_ns = at
        return at

    def _arrived(self, deliver: Callable[[], None]) -> None:
        self._pending -= 1
        deliver()


class Mischief:
    """All of it, for one vehicle. `publish` is what its agent calls; `received` what comes for it."""

    def __init__(self, spec: WireFaults, clock: Clock, streams: Streams, send: Publish) -> None:
        self._clock, self._send, self._streams = clock, send, streams
        self._spec = spec
        self._agent: Agent | None = None
        self._lanes: tuple[Lane, Lane] | None = None
        self._first: tuple[str, bytes] | None = None  # its first state, to be repeated
        self._last = b""  # its last one
        self._silent = 0
        self._chance = random.Random(0)

    def plays(self, agent: Agent) -> None:
        """Of this agent."""
        name = agent.robot.name
        self._agent = agent
        self._chance = self._streams.of("deeds", name)
        if self._spec.network is not None:
            self._lanes = (
                Lane(self._spec.network, self._clock, self._streams.of("up", name)),
                Lane(self._spec.network, self._clock, self._streams.of("down", name)),
            )
        for row in self._spec.vehicles:
            if fnmatchcase(name, row.serial):
                self._clock.after(round(row.after_s * SECOND_NS), self._begins, row)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """From the vehicle."""
        if topic.endswith("/state"):
            self._last = payload
            self._first = self._first or (topic, payload)
        if self._silent:
            return
        if self._lanes is None or qos:
            self._send(topic, payload, qos, retain)
        else:
            self._lanes[0].pass_on(lambda: self._send(topic, payload, qos, retain))

    def received(self, name: str, payload: bytes) -> None:
        """To the vehicle."""
        agent = self._agent
        assert agent is not None
        if self._silent:
            return
        if self._lanes is None:
            agent.received(name, payload)
        else:
            self._lanes[1].pass_on(lambda: agent.received(name, payload))

    # --- deeds -----------------------------------------------------------------------------------

    def _begins(self, row: Misbehaviour) -> None:
        agent = self._agent
        assert agent is not None
        match row.does:
            case "lie":
                agent.lie_m = (row.by_m, 0.0)
            case "silence":
                self._silent += 1
            case "manual":
                agent.set_mode("MANUAL")
            case _:
                self._again((row, self._clock.now_ns + round(row.for_s * SECOND_NS)))
                return
        agent.settle_soon()
        self._clock.after(round(row.for_s * SECOND_NS), self._ends, row)

    def _ends(self, row: Misbehaviour) -> None:
        agent = self._agent
        assert agent is not None
        match row.does:
            case "lie":
                agent.lie_m = (0.0, 0.0)
            case "silence":
                self._silent -= 1
            case "manual":
                agent.set_mode("AUTOMATIC")
        agent.settle_soon()

    def _again(self, argument: tuple[Misbehaviour, int]) -> None:
        row, until_ns = argument
        if self._clock.now_ns >= until_ns:
            return
        if self._first is not None:
            topic, first = self._first
            payload = first if row.does == "repeat" else self._rubbish(row)
            self._send(topic, payload, 0, False)
        self._clock.after(round(row.every_s * SECOND_NS), self._again, argument)

    def _rubbish(self, row: Misbehaviour) -> bytes:
        kinds: dict[str, Callable[..., Any]] = {
            "not_utf8": garbage.not_utf8,
            "nesting": garbage.nested,
            "wrong_types": garbage.wrong_types,
            "huge_numbers": garbage.huge_numbers,
        }
        if row.does == "garbage":
            return self._chance.randbytes(row.bytes)
        made: bytes = kinds[row.does](self._last, self._chance)
        return made
