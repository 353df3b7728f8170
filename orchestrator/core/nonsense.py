"""Reports that can't be true: of edges that were not released, of leaps over a node, of actions that
were never given, too early. They are not believed; a robot that goes on with them is stopped.

A lie that is possible can't be told from the truth by reports alone: that is for the check of poses.
"""

from __future__ import annotations

from orchestrator.core import arrivals, exceptions, recovery
from orchestrator.core.messages import RobotFaulted, StopRobot
from orchestrator.core.robots import Robot
from orchestrator.core.world import MS_NS, World

SECOND_NS = 1000 * MS_NS
LOST_NS = 10 * SECOND_NS  # a leap that nothing contradicts for so long: reports before it were lost
KIND = "robot_nonsense"


def believed(world: World, robot: Robot, edge: int) -> bool:
    """May the robot be at the head of this edge? If not, that is counted."""
    base = [move.edge for move in world.traffic.released[robot.index]]
    if robot.fault == KIND:
        return False  # its restart will tell where it is
    if edge not in base:
        robot.leap = -1
        count(world, robot, f"reports edge {edge}, which it was not released to")
        return False
    if edge != base[0]:
        robot.leap, robot.leap_ns = edge, world.time_ns
        count(world, robot, f"reports edge {edge}, but none before it")
        return False
    if robot.nonsense and world.time_ns < _earliest_ns(world, robot, edge):
        count(world, robot, f"reports edge {edge} sooner than anybody could be there")
        return False
    robot.leap_ns = world.time_ns
    return True


def _earliest_ns(world: World, robot: Robot, edge: int) -> int:
    """It set out no earlier than it was released, and drives no faster than its fleet."""
    way_mm = world.site.roadmap.edge_length_mm[edge]
    speed = world.site.fleets[robot.fleet].speed_mmps
    return max(robot.here_ns, robot.since_ns) + way_mm * SECOND_NS // speed


def moved(world: World, robot: Robot, edge: int) -> None:
    """It was believed: the next node is the sooner to be reached from here."""
    robot.here_ns = _earliest_ns(world, robot, edge)
    if robot.leap == edge:
        robot.leap = -1


def count(world: World, robot: Robot, text: str) -> None:
    """One more report that can't be true; too many in too short a time stop the robot."""
    policy = world.site.policy
    since_ns = world.time_ns - policy.nonsense_within_s * SECOND_NS
    while robot.nonsense and robot.nonsense[0] < since_ns:
        robot.nonsense.popleft()
    robot.nonsense.append(world.time_ns)
    world.babbling[robot.index] = None
    exceptions.opened(world, KIND, robot.name, text=text)
    world.alarm(robot.name, text)
    if len(robot.nonsense) >= policy.nonsense_count and not robot.dead:
        world.out.append(StopRobot(robot=robot.index))
        text = f"{len(robot.nonsense)} reports that can't be true: stopped"
        recovery.faulted(world, RobotFaulted(robot=robot.index, reason=text, kind=KIND))


def watch(world: World) -> None:
    """Once a tick: reports that must have been lost, and who has talked sense for long enough."""
    limit_ns = world.site.policy.nonsense_within_s * SECOND_NS
    for index in list(world.babbling):
        robot = world.robots[index]
        if robot.fault == KIND:
            continue
        lost = robot.leap >= 0 and world.time_ns - robot.leap_ns >= LOST_NS
        if lost and not robot.stuck:
            arrivals.passed(world, robot, robot.leap)
            robot.leap = -1
        if not robot.nonsense or world.time_ns - robot.nonsense[-1] > limit_ns:
            del world.babbling[index]
            robot.nonsense.clear()
            exceptions.ended(world, KIND, robot.name, "tolerated")
