"""Nav2-like robots on a real ROS 2, in the test's own process, with moods."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor

from orchestrator.commands.ros_simulation import nav2_robots
from orchestrator.ros.nav2_server import Nav2Servers
from orchestrator.ros.speaking import Speaker

CONTROLLER_TIMED_OUT = 107


class BadFleet:
    """`moods`: robot -> rejects, aborts or silent."""

    def __init__(
        self, domain: int, site: Path, names: Sequence[str], moods: Mapping[str, str], speed: float
    ) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("bad_fleet", context=self.context)
        values = {"site": str(site), "seed": 0, "speed": speed, "nav2_robots": list(names),
                  "fleet": ""}  # fmt: skip
        self.robots = nav2_robots(values)
        for name, mood in moods.items():
            found = self.robots[name].mood
            found.rejects, found.silent = mood == "rejects", mood == "silent"
            found.aborts = [CONTROLLER_TIMED_OUT] * 1000 if mood == "aborts" else []
        self.servers = Nav2Servers(self.node, self.robots, Speaker(self.node), speed)
        self._executor = MultiThreadedExecutor(num_threads=20, context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def close(self) -> None:
        """They are gone."""
        self.servers.close()
        rclpy.shutdown(context=self.context)
        self._thread.join(10.0)
