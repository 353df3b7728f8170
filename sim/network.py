"""Messages between robots and orchestrator: latencies from the seed, sometimes late, in sequence."""

from __future__ import annotations

from orchestrator.layout.site_file import LatencyFile, MessageLate
from sim.clock import SECOND_NS, Clock, Streams, lognormal

MS_NS = 1_000_000


class Network:
    """When a message sent now arrives. Each robot's messages keep their sequence, each way."""

    def __init__(
        self, clock: Clock, streams: Streams, latency: LatencyFile, late: MessageLate | None
    ) -> None:
        self._clock, self._latency, self._late = clock, latency, late
        self._streams = streams
        self._chance = streams.of("network")
        self._last: dict[tuple[int, str], int] = {}
        self.late = 0

    def arrival_ns(self, robot: int, way: str) -> int:
        """Arrival time of a message of this robot; `way` is "up" or "down"."""
        delay_ns = round(lognormal(self._chance, self._latency.robot) * MS_NS)
        if self._late is not None and self._chance.random() < self._late.share:
            delay_ns += round(self._chance.uniform(*self._late.delay_s) * SECOND_NS)
            self.late += 1
        key = (robot, way)
        arrival = max(self._clock.now_ns + delay_ns, self._last.get(key, 0))
        self._last[key] = arrival
        return arrival

    def answer_ns(self, kind: str) -> int:
        """Arrival time of a planner's answer: "paths" or "assignment"."""
        spread = self._latency.paths if kind == "paths" else self._latency.assignment
        return self._clock.now_ns + round(lognormal(self._chance, spread) * MS_NS)
