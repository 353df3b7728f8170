"""Robots that die, that are refused, that are stuck: each with an end, and without a person if
there is any other."""

from __future__ import annotations

from orchestrator.core import carry, exceptions, missions, planning
from orchestrator.core.messages import (
    CommandRefused,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    RobotRecovered,
)
from orchestrator.core.world import MS_NS, World

DEAD_FACTOR = 4  # so much longer a robot may stand while another one is dead


def faulted(world: World, event: RobotFaulted) -> None:
    """The robot stands on what it holds: others are planned round it, its work goes to others."""
    robot = world.robots[event.robot]
    if robot.dead:
        return
    carry.give_back(world, robot)
    robot.dead = True
    robot.wear.faults += 1
    robot.next_task = -1
    robot.attempts = 1
    world.traffic.drop_planned()
    planning.stale(world)
    exceptions.opened(world, "robot_dead", robot.name, text=event.reason)
    world.out.append(RecoverRobot(robot=robot.index, attempt=1))


def failed(world: World, event: RecoveryFailed) -> None:
    """Try again, a bounded number of times; then maintenance."""
    robot = world.robots[event.robot]
    if not robot.dead:
        return
    robot.attempts += 1
    exceptions.opened(world, "robot_dead", robot.name, text=f"restart {event.attempt} failed")
    maintenance = robot.attempts > world.site.policy.restart_tries
    if maintenance:
        world.alarm(robot.name, f"{robot.attempts - 1} restarts failed: maintenance is called")
    world.out.append(
        RecoverRobot(robot=robot.index, attempt=robot.attempts, maintenance=maintenance)
    )


def recovered(world: World, event: RobotRecovered) -> None:
    """Back in service: goes on along the base it kept, with its errand or a new one."""
    robot = world.robots[event.robot]
    if not robot.dead:
        return
    robot.dead = False
    tried = robot.attempts <= world.site.policy.restart_tries
    exceptions.ended(world, "robot_dead", robot.name, "restarted" if tried else "maintenance")
    robot.attempts = 0
    robot.moved_ns = world.time_ns
    planning.stale(world)
    missions.advance(world, robot)


def refused(world: World, event: CommandRefused) -> None:
    """The gate let nothing through: take the release back and plan anew."""
    robot = world.robots[event.robot]
    world.refusals += 1
    world.alarm(robot.name, f"command refused: {event.reason}")
    traffic, node_bay = world.traffic, world.site.roadmap.node_bay
    before = traffic.tail[robot.index]
    if event.edges and traffic.retract(robot.index, event.edges):
        planning.stale(world)
        needed = [traffic.at[robot.index], traffic.tail[robot.index]]
        needed += [robot.goal] if robot.goal >= 0 else []
        if node_bay[before] >= 0 and node_bay[before] not in [node_bay[node] for node in needed]:
            missions.left_bay(world, robot.index, node_bay[before])
        missions.advance(world, robot)


def watch(world: World) -> None:
    """Once a tick: if a robot with a goal has not moved for long (longer still while a dead robot may
    explain it), ask for a plan with other tie-breaks."""
    limit_ns = world.site.policy.stuck_after_ms * MS_NS
    if any(robot.dead for robot in world.robots):
        limit_ns *= DEAD_FACTOR
    for robot in world.robots:
        if robot.goal >= 0 and world.time_ns - robot.moved_ns >= limit_ns:
            robot.moved_ns = world.time_ns
            world.path_seed += 1
            world.path_wanted = True
            world.alarm(robot.name, "has not moved for long: planning with other tie-breaks")
            return
