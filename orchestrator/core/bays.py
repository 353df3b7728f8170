"""Tickets: a robot leaves for a bay only when it holds a ticket for a place in it.

So nobody waits on the traffic core for a place to become free: robots wait in the bay they are in.
"""

from __future__ import annotations

from orchestrator.core.world import World


def ask(world: World, robot: int, bay: int) -> bool:
    """Give the robot a ticket, or put it into the bay's queue. A robot on its way out of the bay
    needs a new one to come back."""
    state = world.bays[bay]
    if state.holders.count(robot) > _leaving(world, robot, bay):
        return True
    if robot in state.queue:
        return False
    if not state.queue and len(state.holders) < len(world.site.roadmap.bays[bay].nodes):
        state.holders.append(robot)
        return True
    state.queue.append(robot)
    return False


def _leaving(world: World, robot: int, bay: int) -> int:
    """1 if the robot is in the bay but released out of it: its ticket ends when it is out."""
    node_bay, traffic = world.site.roadmap.node_bay, world.traffic
    return int(node_bay[traffic.at[robot]] == bay != node_bay[traffic.tail[robot]])


def withdraw(world: World, robot: int, bay: int) -> list[int]:
    """The robot no longer wants to come; what it needs for being inside it keeps. Return the robots
    that got a ticket now."""
    state, node_bay = world.bays[bay], world.site.roadmap.node_bay
    if robot in state.queue:
        state.queue.remove(robot)
        return []
    here = bay in (node_bay[world.traffic.at[robot]], node_bay[world.traffic.tail[robot]])
    return give_back(world, robot, bay) if state.holders.count(robot) > here else []


def give_back(world: World, robot: int, bay: int) -> list[int]:
    """A ticket of the robot ends; return the robots that got one now."""
    state = world.bays[bay]
    if robot in state.holders:
        state.holders.remove(robot)
    granted: list[int] = []
    places = len(world.site.roadmap.bays[bay].nodes)
    while state.queue and len(state.holders) < places:
        granted.append(state.queue.popleft())
        state.holders.append(granted[-1])
    return granted


def inside(world: World, robot: int) -> int:
    """The bay in which the robot's frontier lies, -1: on the traffic core."""
    return world.site.roadmap.node_bay[world.traffic.tail[robot]]


def free(world: World, bay: int) -> bool:
    """Nobody is in the bay, on the way to it, or waiting for it."""
    state = world.bays[bay]
    return not state.holders and not state.queue
