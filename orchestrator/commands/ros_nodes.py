"""`ros2 run lightsout orchestrator | simulator | replay`: nodes, and what is behind them.

Exit codes: 0 ended in order, 1 failed on the way, 2 something is missing or can't be used.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from orchestrator.cli import keep_kernels, known_errors
from orchestrator.ros.missing import why_not

THREADS = 8


def orchestrator() -> int:
    """The managed node of a building."""
    if _lacks(nav2=True):
        return 2
    from orchestrator.commands.ros_building import Building  # noqa: PLC0415
    from orchestrator.ros.nav2_client import Nav2Client  # noqa: PLC0415
    from orchestrator.ros.node import OrchestratorNode  # noqa: PLC0415
    from orchestrator.ros.spinning import spin  # noqa: PLC0415

    made: list[Building] = []

    def behind(node: OrchestratorNode) -> tuple[Building, Nav2Client]:
        fleet = Nav2Client(node)
        building = Building(
            node.show, fleet, stamp_ns=node.stamp_ns, clock_ns=node.clock_ns,
            say=node.get_logger().info, broken=node.broke,
        )  # fmt: skip
        fleet.adapters = building
        made.append(building)
        return building, fleet

    def end(_: Any) -> None:
        for building in made:
            building.stop()

    return spin(lambda: OrchestratorNode(behind), lambda _: None, end, THREADS)


def simulator() -> int:
    """Vehicles and their building, played; `/clock`."""
    if _lacks(nav2=True, mqtt=True):
        return 2
    from orchestrator.commands.ros_simulation import Vehicles, nav2_robots  # noqa: PLC0415
    from orchestrator.ros.nav2_server import Nav2Servers  # noqa: PLC0415
    from orchestrator.ros.playing import SimulatorNode  # noqa: PLC0415
    from orchestrator.ros.spinning import spin, stop  # noqa: PLC0415

    played: list[Vehicles] = []
    served: list[Nav2Servers] = []
    failed: list[str] = []

    def broken(reason: str) -> None:
        print(f"lightsout: {reason}", file=sys.stderr)
        failed.append(reason)
        stop()

    def make() -> SimulatorNode:
        node = SimulatorNode()
        if node.values["nav2_robots"]:
            robots = nav2_robots(node.values)
            servers = Nav2Servers(node, robots, node.show, node.values["speed"])
            served.append(servers)
            node.now_ns = lambda: servers.now_ns
        else:
            played.append(Vehicles(node.values, broken))
            node.now_ns = played[0].now_ns
        return node

    def begin(_: Any) -> None:
        for vehicles in played:
            vehicles.start()

    def end(_: Any) -> None:
        for vehicles in played:
            vehicles.stop()
        for servers in served:
            servers.close()

    # each goal of a Nav2-like robot waits for its end in a thread of its own, and so does the next one
    return spin(make, begin, end, 100) or bool(failed)


def replay() -> int:
    """A recorded run on its topics again."""
    if _lacks():
        return 2
    from orchestrator.ros.playing import ReplayNode  # noqa: PLC0415
    from orchestrator.ros.spinning import spin, stop  # noqa: PLC0415

    threads: list[threading.Thread] = []
    failed: list[str] = []

    def play(node: ReplayNode) -> None:
        try:
            count = _played(node)
            node.get_logger().info(f"{count} messages")
        except known_errors() as error:
            print(f"lightsout: {error}", file=sys.stderr)
            failed.append(str(error))
        stop()

    def begin(node: ReplayNode) -> None:
        threads.append(threading.Thread(target=play, args=(node,), daemon=True))
        threads[0].start()

    def end(node: ReplayNode) -> None:
        node.ended.set()
        for thread in threads:
            thread.join(5.0)

    return spin(ReplayNode, begin, end, 2) or (2 if failed else 0)


def _played(node: Any) -> int:
    """Publish the run that the parameters name; how many messages there were."""
    from orchestrator.commands.replay import opened  # noqa: PLC0415
    from orchestrator.journal import RunReader  # noqa: PLC0415
    from orchestrator.ros.recording import NoPoses, Recording  # noqa: PLC0415
    from sim.passing import Passing  # noqa: PLC0415
    from sim.recipe import Recipe  # noqa: PLC0415
    from sim.scenario import ScenarioError  # noqa: PLC0415
    from sim.verification import UnusableRun  # noqa: PLC0415

    values = node.values
    if not values["run"]:
        raise ScenarioError("run: is empty -> a run file, or an MCAP file of a whole run")
    with opened(Path(values["run"])) as reader:
        from_ns = round(values["from_s"] * 1e9)
        poses: Passing | NoPoses = NoPoses()
        if isinstance(reader, RunReader):
            try:
                poses = Passing(reader, from_ns)
            except UnusableRun:  # a live run: nobody recorded its vehicles' poses
                poses = NoPoses()
        loaded = Recipe.of(reader.meta).load()
        recording = Recording(reader, loaded, poses, paths=values["paths"], from_ns=from_ns)
        return int(node.run(recording.messages()))


def _lacks(*, nav2: bool = False, mqtt: bool = False) -> str:
    """Say what is missing."""
    reason = why_not(nav2=nav2, mqtt=mqtt)
    if reason:
        print(f"lightsout: {reason}", file=sys.stderr)
    else:
        keep_kernels()
    return reason
