"""The fleets as Open-RMF sees them: `rmf_fleet_msgs/FleetState` on `/fleet_states`, where that package
is installed. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.api.robot_states import activity_of
from orchestrator.core.robots import Robot
from orchestrator.core.world import World
from orchestrator.ros.messages import Message, Time
from orchestrator.ros.topics import Topic
from orchestrator.ros.translation import nodes_of, time

PACKAGE = "rmf_fleet_msgs"
IDLE, CHARGING, MOVING, PAUSED, WAITING, EMERGENCY, GOING_HOME, ADAPTER_ERROR, ACTING = (
    0, 1, 2, 3, 4, 5, 6, 8, 10,
)  # fmt: skip
MODES = {
    "idle": IDLE, "driving": MOVING, "parking": GOING_HOME, "waiting": WAITING, "blocked": WAITING,
    "handling": ACTING, "charging": CHARGING, "paused": PAUSED, "stopped": EMERGENCY,
    "faulted": ADAPTER_ERROR, "service": PAUSED, "off": IDLE,
}  # fmt: skip
Place = tuple[float, float, float]


@dataclass(slots=True)
class Location(Message):
    """Where, in metres; `index`: of the node."""

    TYPE: ClassVar[str] = "rmf_fleet_msgs/msg/Location"
    t: Time = field(default_factory=Time)
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    obey_approach_speed_limit: bool = False
    approach_speed_limit: float = 0.0
    level_name: str = ""
    index: int = 0


@dataclass(slots=True)
class RobotMode(Message):
    """What a robot is at; see `MODES`."""

    TYPE: ClassVar[str] = "rmf_fleet_msgs/msg/RobotMode"
    mode: int = 0
    mode_request_id: int = 0


@dataclass(slots=True)
class RobotState(Message):
    """One robot; `path`: what it holds, and what is planned behind that."""

    TYPE: ClassVar[str] = "rmf_fleet_msgs/msg/RobotState"
    name: str = ""
    model: str = ""
    task_id: str = ""
    seq: int = 0
    mode: RobotMode = field(default_factory=RobotMode)
    battery_percent: float = 0.0
    location: Location = field(default_factory=Location)
    path: list[Location] = field(default_factory=list)


@dataclass(slots=True)
class FleetState(Message):
    """One fleet."""

    TYPE: ClassVar[str] = "rmf_fleet_msgs/msg/FleetState"
    name: str = ""
    robots: list[RobotState] = field(default_factory=list)


TOPIC = Topic("/fleet_states", FleetState.TYPE)


def fleet_states(
    world: World, level: str, places: Mapping[int, Place], number: int, now_ns: int
) -> list[FleetState]:
    """All fleets. `places`: where robots are, by number, as far as it is known; else the last node.
    `number` grows with each message."""
    found = [FleetState(fleet.id) for fleet in world.site.fleets]
    for robot in world.robots:
        state = _robot(world, robot, level, places.get(robot.index), number, now_ns)
        found[robot.fleet].robots.append(state)
    return found


def _robot(
    world: World, robot: Robot, level: str, place: Place | None, number: int, now_ns: int
) -> RobotState:
    stamp, traffic, heads = time(now_ns), world.traffic, world.site.roadmap.edge_head
    task = world.underway.get(robot.task)
    moves = (*traffic.released[robot.index], *traffic.planned[robot.index])
    nodes = [traffic.at[robot.index], *(heads[move.edge] for move in moves)]
    way = [
        Location(stamp, x, y, math.remainder(theta, math.tau), level_name=level, index=node)
        for node, (x, y, theta) in zip(nodes, nodes_of(world, robot.index), strict=True)
    ]
    here = way[0]
    if place is not None:
        here = Location(stamp, *place, level_name=level, index=nodes[0])
    return RobotState(
        name=robot.name,
        model=world.site.fleets[robot.fleet].id,
        task_id=task.token[0] if task is not None else "",
        seq=number,
        mode=RobotMode(MODES[activity_of(world, robot)]),
        battery_percent=robot.battery_permille / 10,
        location=here,
        path=way[1:],
    )
