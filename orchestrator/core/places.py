"""Where a load may go: slots, stations, chutes and ways out, by capability, zone and fleet."""

from __future__ import annotations

from collections import deque

from orchestrator.core.closures import bay_fleets
from orchestrator.core.robots import Token
from orchestrator.core.stock import Tote
from orchestrator.core.world import World

POSITION_MM = 4000  # a station with one more position taken counts as so much farther away


def queue() -> deque[Token]:
    """An empty one."""
    return deque()


def carriers(world: World, load: str) -> int:
    """Bit mask of the fleets that carry such loads; all of them where none is named."""
    fleets = 0
    for index, fleet in enumerate(world.site.fleets):
        if not load or load in fleet.carries:
            fleets |= 1 << index
    return fleets


def distance_mm(world: World, start: int, end: int) -> int:
    """Manhattan distance: the core's rough measure where an exact one is not worth a request."""
    roadmap = world.site.roadmap
    return abs(roadmap.node_x_mm[start] - roadmap.node_x_mm[end]) + abs(
        roadmap.node_y_mm[start] - roadmap.node_y_mm[end]
    )


def bay_of(world: World, tote: Tote) -> int:
    """Where a robot fetches a tote that stands in a slot or at a station."""
    kind, index = tote.place
    if kind == "slot":
        return index
    station = world.site.stations[index]
    return station.out_bay if tote.spot == "out" and station.out_bay >= 0 else station.bay


def slot_for(world: World, near: int, zone: str, fleets: int) -> int:
    """The free slot of the zone ("": any) nearest to a node, that some of the fleets may enter; -1:
    there is none in reach."""
    roadmap = world.site.roadmap
    x_mm, y_mm = roadmap.node_x_mm[near], roadmap.node_y_mm[near]

    def suits(slot: int) -> bool:
        return bool(bay_fleets(world, slot) & fleets)

    return world.stock.free_slots.nearest(x_mm, y_mm, zone, suits)


def station_for(world: World, capability: str, fleets: int) -> int:
    """The station with this capability that has the fewest robots on the way to it, among those that
    some of the fleets may enter; one with a broken machine, or out of reach, last."""
    bays = world.site.roadmap.bays
    best, best_queue = -1, (False, 0)
    for index, station in enumerate(world.site.stations):
        if capability in station.capabilities and bays[station.bay].fleets & fleets:
            state = world.bays[station.bay]
            broken = world.stations[index].out
            broken |= not bay_fleets(world, station.bay) & fleets
            waiting = (broken, len(state.holders) + len(state.queue))
            if best < 0 or waiting < best_queue:
                best, best_queue = index, waiting
    assert best >= 0, f"no station can {capability}: layout checks it"
    return best


def chute_for(world: World, route: str, capability: str) -> int:
    """The chute of the route (or any, or any station with the capability) with the most room."""
    if capability or route not in world.site.routes:
        return least_used(world, capability or "handout")
    return _roomiest(world, list(world.site.routes[route].chutes))


def least_used(world: World, capability: str) -> int:
    """The station with this capability that has the most room; -1: there is none."""
    stations = enumerate(world.site.stations)
    return _roomiest(world, [i for i, station in stations if capability in station.capabilities])


def nearest_with_room(world: World, capability: str, nodes: list[int]) -> int:
    """The station with this capability, a free position and no broken machine that is nearest to all
    of these nodes, where each position that is taken counts as so much farther; -1: there is none."""
    bays = world.site.roadmap.bays
    best, best_mm = -1, 0
    for index, station in enumerate(world.site.stations):
        used = world.stations[index].used
        if capability not in station.capabilities or used >= station.positions:
            continue
        if world.stations[index].out or not bay_fleets(world, station.bay):
            continue
        way_mm = sum(distance_mm(world, node, bays[station.bay].node) for node in nodes)
        way_mm += used * POSITION_MM
        if best < 0 or way_mm < best_mm:
            best, best_mm = index, way_mm
    return best


def _roomiest(world: World, stations: list[int]) -> int:
    """Of those that are in reach and whose machines all work, if there are any."""
    best, best_room = -1, 0
    near = [i for i in stations if bay_fleets(world, world.site.stations[i].bay)]
    working = [index for index in near or stations if not world.stations[index].out]
    for index in working or stations:
        state = world.stations[index]
        room = world.site.stations[index].positions - state.used - len(state.waiters)
        if best < 0 or room > best_room:
            best, best_room = index, room
    return best


def way_out_of(world: World, bay: int) -> int:
    """The bay through which a tote leaves the building that stands in `bay`; -1: there is none."""
    fleets = world.site.roadmap.bays[bay].fleets & carriers(world, "tote")
    for fleet in range(len(world.site.fleets)):
        out = way_out(world, fleet) if fleets >> fleet & 1 else -1
        if out >= 0:
            return out
    return -1


def way_out(world: World, fleet: int) -> int:
    """The bay where this fleet's robots hand empty totes out of the building; -1: there is none."""
    bays = world.site.roadmap.bays
    for capability in ("empties", "receive"):
        best, best_queue = -1, (False, 0)
        for station in world.site.stations:
            if capability in station.capabilities and bays[station.bay].fleets >> fleet & 1:
                state = world.bays[station.bay]
                far = not bay_fleets(world, station.bay) >> fleet & 1
                waiting = (far, len(state.holders) + len(state.queue))
                if best < 0 or waiting < best_queue:
                    best, best_queue = station.bay, waiting
        if best >= 0:
            return best
    return -1
