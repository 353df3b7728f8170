"""Nodes that play: a building whose time is `/clock`, and a recorded run on its topics again. Thin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from rclpy.node import Node

from orchestrator.ros import topics, translation
from orchestrator.ros.display import Said
from orchestrator.ros.parameters import REPLAY, SIMULATOR, Parameter, checked
from orchestrator.ros.speaking import Speaker, declare, values

CLOCK_NS = 10_000_000


class Playing(Node):  # type: ignore[misc]
    """Parameters, checked, and a voice."""

    def __init__(self, name: str, parameters: Sequence[Parameter]) -> None:
        super().__init__(name)
        declare(self, parameters)
        self.show = Speaker(self)
        self.values = checked(parameters, values(self, parameters))

    def clock(self, stamp_ns: int) -> None:
        """What time it is."""
        found = translation.clock(stamp_ns)
        self.show(Said(stamp_ns, topics.CLOCK, found))


class SimulatorNode(Playing):
    """`/clock` of what is played. `now_ns` is set when it begins."""

    def __init__(self) -> None:
        super().__init__("simulator", SIMULATOR)
        self.now_ns: Callable[[], int] = lambda: -1
        self.create_timer(1 / self.values["clock_hz"], self._tick)

    def _tick(self) -> None:
        now_ns = self.now_ns()
        if now_ns >= 0:
            self.clock(translation.stamp_ns(now_ns))


class ReplayNode(Playing):
    """`run` publishes everything at its time, and then is over."""

    def __init__(self) -> None:
        super().__init__("replay", REPLAY)
        self.ended = threading.Event()

    def run(self, messages: Iterable[Said]) -> int:
        """How many were published; `/clock` goes with them."""
        speed, first_ns, told_ns, count = self.values["speed"], -1, -1, 0
        begun = time.monotonic()
        for said in messages:
            if first_ns < 0:
                first_ns, begun = said.time_ns, time.monotonic()
            due = begun + (said.time_ns - first_ns) / 1e9 / speed
            if self.ended.wait(max(0.0, due - time.monotonic())):
                break
            if said.time_ns - told_ns >= CLOCK_NS:
                told_ns = said.time_ns
                self.clock(told_ns)
            self.show(said)
            count += 1
        return count
