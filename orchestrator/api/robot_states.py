"""Robots' states, retained: told when they change, within bounds.

At most one a second of each robot, and `PER_S` of all: what a robot is at goes before where it is. A
robot is looked at when an event or a command names it, and once a minute anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import msgspec

from orchestrator.api.naming import Naming
from orchestrator.api.published import Activity, RobotState, level
from orchestrator.core.robots import Robot
from orchestrator.core.world import World

PER_S = 500
GAP_NS = 1_000_000_000
ROUND_NS = 60_000_000_000
BURST_S = 1.0
encode = msgspec.json.Encoder().encode


def activity_of(world: World, robot: Robot) -> Activity:
    """One word for what a robot is at; the first that is true."""
    if robot.dead:
        return "faulted"
    if robot.off:
        return "off"
    if robot.holds:
        stopped = any(
            world.scopes[name].kind == "stop" for name in robot.holds if name in world.scopes
        )
        return "stopped" if stopped else "paused"
    if robot.blocked:
        return "blocked"
    if robot.serviced:
        return "service"
    if robot.charging:
        return "charging"
    if robot.action >= 0:
        return "handling"
    if robot.waiting_bay >= 0 or robot.cut:
        return "waiting"
    if robot.goal >= 0:
        return "parking" if robot.legs and robot.legs[0].parking else "driving"
    return "idle"


def state_of(world: World, naming: Naming, robot: Robot) -> RobotState:
    """Without its time."""
    nodes = world.site.roadmap.node_ids
    known = (world.underway.get(number) for number in (robot.task, *robot.aboard))
    task = next((each for each in known if each is not None), None)
    return RobotState(
        robot=robot.name,
        fleet=world.site.fleets[robot.fleet].id,
        node=nodes[world.traffic.at[robot.index]],
        activity=activity_of(world, robot),
        battery_percent=robot.battery_permille / 10,
        fault=robot.fault if robot.dead else "",
        manual=robot.dead and robot.fault == "robot_manual",
        retired=robot.retired,
        paused=[*robot.holds, *robot.away],
        loads=list(robot.loads),
        order=task.token[0] if task is not None else "",
        goal=nodes[robot.goal] if robot.goal >= 0 else "",
    )


class RobotStates:
    """`publish` (topic, payload, QoS, retained)."""

    def __init__(
        self, root: str, naming: Naming, publish: Callable[[str, bytes, int, bool], object]
    ) -> None:
        self.prefix = f"{root}/fleet/"
        self._naming, self._publish = naming, publish
        self._changed: dict[int, None] = {}
        self._moved: dict[int, None] = {}
        self._told: dict[int, tuple[int, RobotState]] = {}  # when, what
        self._looked_at, self._last_ns, self._budget = 0.0, -ROUND_NS, 0.0

    def topic(self, robot: str) -> str:
        """Where a robot's state is."""
        return f"{self.prefix}{level(robot)}/state"

    def known(self, topic: str) -> bool:
        """It is the topic of a robot of this run."""
        name = unquote(topic.removeprefix(self.prefix).removesuffix("/state"))
        return self._naming.knows("robot", name) and self.topic(name) == topic

    def changed(self, robot: int) -> None:
        """Something that matters may be otherwise."""
        self._changed[robot] = None

    def moved(self, robot: int) -> None:
        """It is elsewhere."""
        self._moved[robot] = None

    def again(self) -> None:
        """Whatever was told is to be told again."""
        self._told.clear()
        self._changed.update(dict.fromkeys(range(len(self._naming.robots))))

    def tell(self, world: World, now_ns: int, at: str) -> None:
        """A few times a second; `now_ns`: real time."""
        passed_ns = min(now_ns - self._last_ns, round(BURST_S * 1e9))
        self._last_ns = now_ns
        self._round(len(world.robots), passed_ns)
        self._budget = min(PER_S * BURST_S, self._budget + PER_S * passed_ns / 1e9)
        for waiting in (self._changed, self._moved):
            for robot in list(waiting):
                if self._budget < 1:
                    return
                told = self._told.get(robot)
                if told is not None and now_ns - told[0] < GAP_NS:
                    continue
                del waiting[robot]
                state = state_of(world, self._naming, world.robots[robot])
                if told is not None and told[1] == state:
                    continue
                self._told[robot] = now_ns, state
                self._moved.pop(robot, None)
                self._budget -= 1
                payload = encode(msgspec.structs.replace(state, at=at))
                self._publish(self.topic(state.robot), payload, 0, True)

    def _round(self, robots: int, passed_ns: int) -> None:
        """Each of them once in a while."""
        first = self._looked_at
        self._looked_at += robots * passed_ns / ROUND_NS
        for number in range(int(first), int(self._looked_at)):
            self._changed[number % robots] = None
        self._looked_at %= max(robots, 1)
