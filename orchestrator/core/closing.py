"""Lanes and stations that somebody closed, and opened again."""

from __future__ import annotations

from orchestrator.core import breakdowns, detours, flow, planning
from orchestrator.core.messages import LaneClosed, LaneOpened, StationClosed, StationOpened
from orchestrator.core.world import World

ASKED = "asked"


def lane(world: World, event: LaneClosed | LaneOpened) -> str:
    """What is released along it already is driven."""
    shut = isinstance(event, LaneClosed)
    if shut == (event.edge in world.closed_lanes):
        return ""
    if shut:
        world.closed_lanes[event.edge] = None
        world.traffic.drop_planned()
    else:
        del world.closed_lanes[event.edge]
    planning.stale(world)
    detours.changed(world)
    return ""


def station(world: World, event: StationClosed | StationOpened) -> str:
    """What its machines are at, they end."""
    if isinstance(event, StationClosed):
        close(world, event.station, ASKED)
    else:
        open_again(world, event.station, ASKED)
    return ""


def close(world: World, index: int, why: str) -> None:
    """One reason more; orders that have not begun there go elsewhere after a while."""
    world.stations[index].closed.setdefault(why, world.time_ns)


def open_again(world: World, index: int, why: str) -> None:
    """One reason less; without any what waited goes on."""
    state = world.stations[index]
    if state.closed.pop(why, None) is None or state.closed:
        return
    for capability in state.queues:
        breakdowns.go_on(world, index, capability)
    flow.release_backlog(world)
