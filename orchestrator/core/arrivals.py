"""Robots reach nodes: what they leave is free for others, and at its goal a robot goes on."""

from __future__ import annotations

from orchestrator.core import congestion, detours, lanes, missions, nonsense, planning
from orchestrator.core.messages import NodeReached
from orchestrator.core.robots import Robot
from orchestrator.core.world import World


def reached(world: World, event: NodeReached) -> None:
    """A report, if it can be believed."""
    robot = world.robots[event.robot]
    if nonsense.believed(world, robot, event.edge):
        passed(world, robot, event.edge)


def _gains(world: World, robot: Robot) -> None:
    """It gets on when it comes to a node where it has not been since it has its goal. Who goes to and
    fro, or round and round, does not; every way ends, as there are so many nodes and no more."""
    node = world.traffic.at[robot.index]
    if node not in robot.been:
        robot.been[node] = None
        robot.gained_ns = world.time_ns


def passed(world: World, robot: Robot, edge: int) -> None:
    """The robot is at the head of an edge of its base. Nothing happens where it is not of its base."""
    traffic, node_bay = world.traffic, world.site.roadmap.node_bay
    before = node_bay[traffic.at[robot.index]]
    wake = traffic.complete(robot.index, edge)
    if wake is None:
        return
    nonsense.moved(world, robot, edge)
    _gains(world, robot)
    congestion.passed(world, traffic.at[robot.index])
    length_mm = world.site.roadmap.edge_length_mm[edge]
    robot.wear.driven_mm += length_mm
    robot.wear.driven_mm_all += length_mm
    if before >= 0 and node_bay[traffic.at[robot.index]] != before:
        missions.left_bay(world, robot.index, before)
    if robot.blocked:
        lanes.goes_on(world, robot)
    if robot.stuck:
        detours.changed(world)
    for index in wake:
        planning.release(world, index)
    if robot.legs and robot.legs[0].node == traffic.at[robot.index] and robot.action < 0:
        missions.advance(world, robot)
