"""Messages between robots and orchestrator: latency from the seed, sometimes late, in sequence."""

from __future__ import annotations

from orchestrator.layout.site_file import LatencyFile, MessageLate
from sim.clock import SECOND_NS, Clock, Streams, lognormal

MS_NS = 1_000_000
ANSWERS = ("paths", "assignment", "tours")
LATE_DELAY_S = (0.0, 0.0)


class _Channel:
    """One robot's messages in one direction."""

    __slots__ = ("chance", "last_ns", "luck")

    def __init__(self, streams: Streams, way: str, name: str) -> None:
        self.chance = streams.of(f"network {way}", name)
        self.luck = streams.of(f"network late {way}", name)
        self.last_ns = 0


class Network:
    """When a message sent now arrives. Each robot's messages keep their sequence, each way."""

    def __init__(
        self,
        clock: Clock,
        streams: Streams,
        latency: LatencyFile,
        late: MessageLate | None,
        names: list[str],
    ) -> None:
        self._clock, self._streams = clock, streams
        self._channels: dict[str, list[_Channel]] = {"up": [], "down": []}
        for name in names:
            self.joined(name)
        self._answers = {kind: streams.of("answers", kind) for kind in ANSWERS}
        self.late = 0
        self.change(latency, late)

    def joined(self, name: str) -> None:
        """The next robot has a channel each way."""
        for way, channels in self._channels.items():
            channels.append(_Channel(self._streams, way, name))

    def change(self, latency: LatencyFile, late: MessageLate | None) -> None:
        """From now on messages take so long."""
        self._latency = latency
        self._share = late.share if late else 0.0
        self._delay_s = late.delay_s if late else LATE_DELAY_S

    def arrival_ns(self, robot: int, way: str) -> int:
        """Arrival time of a message of this robot that is sent now; `way` is "up" (a report) or
        "down" (a command)."""
        channel = self._channels[way][robot]
        delay_ns = round(lognormal(channel.chance, self._latency.robot) * MS_NS)
        if self._share and channel.luck.random() < self._share:
            delay_ns += round(channel.luck.uniform(*self._delay_s) * SECOND_NS)
            self.late += 1
        arrival = max(self._clock.now_ns + delay_ns, channel.last_ns)
        channel.last_ns = arrival
        return arrival

    def answer_ns(self, kind: str) -> int:
        """Arrival time of a planner's answer: one of `ANSWERS`."""
        chance, spread = self._answers[kind], getattr(self._latency, kind)
        return self._clock.now_ns + round(lognormal(chance, spread) * MS_NS)
