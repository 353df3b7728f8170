"""Robots that fail, that are refused, that are stuck: each with an end, and without a person if there
is any other. A failed robot stands on all that it holds, and others are planned round it."""

from __future__ import annotations

from orchestrator.core import (
    arrivals,
    carry,
    detours,
    exceptions,
    lanes,
    maintenance,
    missions,
    planning,
)
from orchestrator.core.messages import (
    BaseTrimmed,
    CommandRefused,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    RobotRecovered,
    TrimBase,
)
from orchestrator.core.robots import Robot
from orchestrator.core.world import MS_NS, World

DEAD_FACTOR = 4  # so much longer a robot may stand while lanes are closed
KINDS = (
    "robot_dead",
    "robot_slipped",
    "battery_empty",
    "robot_nonsense",
    "robot_silent",
    "robot_manual",
)
UNSEEN = ("robot_silent", "robot_nonsense")  # nobody knows where it is, nor whether it stands
HOW = {"robot_slipped": "relocalise"}  # else: restart


def faulted(world: World, event: RobotFaulted) -> None:
    """Its work goes to others, unless it is loaded; what helps is asked for."""
    robot = world.robots[event.robot]
    if robot.dead:
        return
    carry.give_back(world, robot)
    robot.dead, robot.cut = True, False
    robot.fault = event.kind if event.kind in KINDS else "robot_dead"
    robot.wear.faults += 1
    robot.next_task = -1
    robot.attempts = 1
    world.traffic.drop_planned()
    planning.stale(world)
    detours.changed(world)
    exceptions.opened(world, robot.fault, robot.name, text=event.reason)
    _recover(world, robot)


def _recover(world: World, robot: Robot) -> None:
    """The next try from afar, or maintenance."""
    policy = world.site.policy
    tries = {"robot_slipped": policy.relocalise_tries, "battery_empty": 0}
    left = tries.get(robot.fault, policy.restart_tries) - robot.attempts
    if left < 0 and robot.fault == "robot_slipped":
        exceptions.ended(world, robot.fault, robot.name, "treated as dead")
        robot.fault, robot.attempts = "robot_dead", 1
        exceptions.opened(world, robot.fault, robot.name, text="can't be relocalised")
        left = policy.restart_tries - 1
    if left < 0:
        _trim(world, robot)
        maintenance.call(world, ("robot", robot.index), robot.name)
        return
    how = HOW.get(robot.fault, "restart")
    maintenance.asked(world, ("robot", robot.index))
    world.out.append(RecoverRobot(robot=robot.index, attempt=robot.attempts, how=how))


def _trim(world: World, robot: Robot) -> None:
    """It may lie there for hours: what it holds beyond the edge that it is on is to be given free, as
    soon as it is known to stand. Not of one that nothing, or nothing true, is heard of."""
    if robot.fault in UNSEEN:
        return
    beyond = tuple(move.edge for move in world.traffic.released[robot.index])[1:]
    if beyond:
        world.out.append(TrimBase(robot=robot.index, edges=beyond))


def trimmed(world: World, event: BaseTrimmed) -> None:
    """It stands: others may go where it will not. A person who is on the way is needed where it is."""
    robot = world.robots[event.robot]
    if not event.edges or not robot.dead:
        return
    retract(world, robot, event.edges)
    maintenance.shrunk(world, ("robot", robot.index))
    detours.changed(world)


def failed(world: World, event: RecoveryFailed) -> None:
    """Try again, a bounded number of times; then maintenance. Failures of earlier attempts are
    known already."""
    robot = world.robots[event.robot]
    if not robot.dead or event.attempt != robot.attempts:
        return
    robot.attempts += 1
    exceptions.tried(world, robot.fault, robot.name, f"attempt {event.attempt} failed")
    if maintenance.over(world, ("robot", robot.index)):
        detours.changed(world)
    _recover(world, robot)


def recovered(world: World, event: RobotRecovered) -> None:
    """Back in service: goes on along the base it kept, with its errand or a new one."""
    robot = world.robots[event.robot]
    if not robot.dead:
        return
    visited = maintenance.over(world, ("robot", robot.index))
    how = "relocalised" if robot.fault == "robot_slipped" else "restarted"
    exceptions.ended(world, robot.fault, robot.name, "maintenance" if visited else how)
    robot.dead, robot.fault, robot.attempts = False, "", 0
    robot.nonsense.clear()
    robot.leap = -1
    if event.edge >= 0:
        arrivals.passed(world, robot, event.edge)
    robot.gained_ns = world.time_ns
    planning.stale(world)
    if robot.blocked:
        lanes.revived(world, robot)
    detours.changed(world)
    missions.advance(world, robot)


def refused(world: World, event: CommandRefused) -> None:
    """The gate let nothing through: take the release back and plan anew."""
    robot = world.robots[event.robot]
    world.refusals += 1
    world.alarm(robot.name, f"command refused: {event.reason}")
    if event.edges:
        retract(world, robot, event.edges)


def retract(world: World, robot: Robot, edges: tuple[int, ...]) -> None:
    """The robot will not drive these last edges of its base; a ticket that it had for them ends."""
    traffic, node_bay = world.traffic, world.site.roadmap.node_bay
    before = traffic.tail[robot.index]
    if not traffic.retract(robot.index, edges):
        return
    planning.stale(world)
    if robot.stuck:
        detours.changed(world)
    needed = [traffic.at[robot.index], traffic.tail[robot.index]]
    needed += [robot.goal] if robot.goal >= 0 else []
    if node_bay[before] >= 0 and node_bay[before] not in [node_bay[node] for node in needed]:
        missions.left_bay(world, robot.index, node_bay[before])
    missions.advance(world, robot)


def watch(world: World) -> None:
    """Once a tick: a robot with a goal that stands, or goes to and fro, for long (longer still while
    closed lanes may explain it; who is led out of an evacuated part needs none of them) goes before all
    others from now on, in plans with other tie-breaks."""
    limit_ns = world.site.policy.stuck_after_ms * MS_NS
    for robot in world.robots:
        if robot.goal < 0 or robot.stuck:
            continue
        patient = DEAD_FACTOR if world.closures.parts and not robot.away else 1
        if world.time_ns - robot.gained_ns >= patient * limit_ns:
            robot.vain += robot is planning.stalled(world)
            robot.gained_ns, robot.rings = world.time_ns, robot.rings + 1
            world.path_seed += 1
            world.path_wanted = True
            world.alarm(robot.name, "has got nowhere for long: planning with other tie-breaks")
            return
