"""Tickets: a robot leaves for a bay only when it holds a ticket for a place in it.

So nobody waits on the traffic core for a place to become free: robots wait in the bay they are in.
"""

from __future__ import annotations

from orchestrator.core.world import World


def ask(world: World, robot: int, bay: int) -> bool:
    """Give the robot a ticket, or put it into the bay's queue."""
    state = world.bays[bay]
    if robot in state.holders:
        return True
    if robot in state.queue:
        return False
    if not state.queue and len(state.holders) < len(world.site.roadmap.bays[bay].nodes):
        state.holders.append(robot)
        return True
    state.queue.append(robot)
    return False


def give_back(world: World, robot: int, bay: int) -> list[int]:
    """The robot left the bay or gave up its ticket; return the robots that got one now."""
    state = world.bays[bay]
    if robot in state.holders:
        state.holders.remove(robot)
    elif robot in state.queue:
        state.queue.remove(robot)
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
