"""From the core's world to messages of ROS 2: pure functions.

Times are those of ROS 2, in ns. A run begins at 0, and there a stamp of 0 means "no time": so in bags
second t of a run is stamped t + `EPOCH_S` (`stamp_ns`); a node takes its own clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.api.naming import Naming
from orchestrator.api.robot_states import activity_of, state_of
from orchestrator.core.robots import Robot
from orchestrator.core.world import World
from orchestrator.ros import messages as ros
from orchestrator.ros.names import Names

EPOCH_S = 1_000_000_000
SECOND_NS = 1_000_000_000
MAP = "map"
OK, WARN, ERROR, STALE = b"\x00", b"\x01", b"\x02", b"\x03"
CHARGING, DISCHARGING, FULL = 1, 2, 4
ERRORS = ("faulted",)
WARNINGS = ("paused", "stopped", "blocked", "service")


At = tuple[int, float, float, float]
"""Where a robot is: its number, x and y in m, theta in rad."""


def stamp_ns(time_ns: int) -> int:
    """A time of the run as ROS 2 has it."""
    return time_ns + EPOCH_S * SECOND_NS


def time(time_ns: int) -> ros.Time:
    """As a stamp."""
    return ros.Time(*divmod(time_ns, SECOND_NS))


def run_ns(stamp: ros.Time) -> int:
    """A stamp as a time of the run."""
    return (stamp.sec - EPOCH_S) * SECOND_NS + stamp.nanosec


def clock(time_ns: int) -> ros.Clock:
    """What time it is."""
    return ros.Clock(time(time_ns))


def turned(theta: float) -> ros.Quaternion:
    """A turn around z, counter-clockwise."""
    return ros.Quaternion(z=math.sin(theta / 2), w=math.cos(theta / 2))


def heading(turn: ros.Quaternion) -> float:
    """The turn around z, in (-pi, pi]."""
    sine = 2 * (turn.w * turn.z + turn.x * turn.y)
    return math.atan2(sine, 1 - 2 * (turn.y * turn.y + turn.z * turn.z))


def pose(x_m: float, y_m: float, theta: float = 0.0) -> ros.Pose:
    """On the floor."""
    return ros.Pose(ros.Point(x_m, y_m), turned(theta))


def transforms(places: Iterable[At], frames: Sequence[str], time_ns: int) -> ros.TFMessage:
    """map -> a robot's frame (`frames`, by robot), for each."""
    header = ros.Header(time(time_ns), MAP)
    made = []
    for robot, x_m, y_m, theta in places:
        turn = ros.Transform(ros.Vector3(x_m, y_m), turned(theta))
        made.append(ros.TransformStamped(header, frames[robot], turn))
    return ros.TFMessage(made)


def nodes_of(world: World, robot: int) -> Iterator[tuple[float, float, float]]:
    """Where a robot stands at last, and the heads of the edges that it holds, then of those that are
    planned behind them: x, y, theta of its body."""
    traffic, roadmap = world.traffic, world.site.roadmap
    yield (*xy_m(world, traffic.at[robot]), math.radians(traffic.at_heading_deg[robot]))
    for move in (*traffic.released[robot], *traffic.planned[robot]):
        turn = math.radians(roadmap.edge_heading_deg[move.edge])
        yield (*xy_m(world, roadmap.edge_head[move.edge]), turn)


def xy_m(world: World, node: int) -> tuple[float, float]:
    """A node's place."""
    roadmap = world.site.roadmap
    return roadmap.node_x_mm[node] / 1000, roadmap.node_y_mm[node] / 1000


def path(world: World, robot: int, time_ns: int) -> ros.Path:
    """A robot's way, as far as it is planned."""
    header = ros.Header(time(time_ns), MAP)
    return ros.Path(
        header, [ros.PoseStamped(header, pose(*place)) for place in nodes_of(world, robot)]
    )


def battery(robot: Robot, frame: str, time_ns: int) -> ros.BatteryState:
    """A robot's charge, as the core knows it."""
    share = robot.battery_permille / 1000
    status = FULL if share >= 1 else CHARGING if robot.charging else DISCHARGING
    return ros.BatteryState(
        header=ros.Header(time(time_ns), frame),
        percentage=share,
        power_supply_status=CHARGING if robot.charging and share < 1 else status,
        serial_number=robot.name,
    )


def diagnostics(world: World, naming: Naming, names: Names, time_ns: int) -> ros.DiagnosticArray:
    """The building, what is wrong in it just now, and each robot."""
    header = ros.Header(time(time_ns), "")
    status = [building(world), *problems(world)]
    status += [robot_status(world, naming, names, robot) for robot in world.robots]
    return ros.DiagnosticArray(header, status)


def building(world: World) -> ros.DiagnosticStatus:
    """One line for all of it."""
    dead = sum(robot.dead for robot in world.robots)
    count = len(world.problems)
    stops = [name for name, scope in world.scopes.items() if scope.kind == "stop"]
    text = f"{count} problem{'s' if count != 1 else ''} open" if count else "running"
    if stops:
        text = "emergency stop"
    values = {
        "robots": len(world.robots), "robots faulted": dead, "orders open": len(world.orders),
        "problems open": count, "time s": round(world.time_ns / 1e9, 1), "events": world.events,
    }  # fmt: skip
    level = ERROR if stops else WARN if count or dead else OK
    return ros.DiagnosticStatus(level, "lightsout: building", text, world.site.id, _values(values))


def problems(world: World) -> list[ros.DiagnosticStatus]:
    """What went wrong and is not over, one each; a kind comes once for each subject."""
    found = []
    for each in world.problems.values():
        since_s = round((world.time_ns - each.since_ns) / 1e9, 1)
        values = _values({"order": each.order_id, "since s": since_s, "tries": each.tries})
        name = f"lightsout: {each.subject}: {each.kind}"
        found.append(ros.DiagnosticStatus(WARN, name, each.kind, each.subject, values))
    return found


def robot_status(world: World, naming: Naming, names: Names, robot: Robot) -> ros.DiagnosticStatus:
    """One robot."""
    state = state_of(world, naming, robot)
    activity = activity_of(world, robot)
    level = ERROR if activity in ERRORS else WARN if activity in WARNINGS else OK
    values = {
        "battery %": state.battery_percent, "fleet": state.fleet, "node": state.node,
        "goal": state.goal, "order": state.order, "loads": ", ".join(state.loads),
        "paused": ", ".join(state.paused),
    }  # fmt: skip
    text = f"{activity}: {state.fault}" if state.fault else activity
    name = f"lightsout: robot {names(robot.name)}"
    return ros.DiagnosticStatus(level, name, text, robot.name, _values(values))


def refusal(name: str, reason: str) -> ros.DiagnosticStatus:
    """Why a part does not run."""
    return ros.DiagnosticStatus(ERROR, f"lightsout: {name}", reason, "", [])


def _values(values: Mapping[str, object]) -> list[ros.KeyValue]:
    return [ros.KeyValue(key, str(value)) for key, value in values.items() if value != ""]
