"""Trucks at their doors: loaded while they stand there, dispatched in time, and what misses one goes
with the next of its route."""

from __future__ import annotations

from collections import deque

from orchestrator.core import exceptions, flow, stations
from orchestrator.core.messages import DispatchTruck, TruckDocked, TruckLeft
from orchestrator.core.orders import Order
from orchestrator.core.robots import Token
from orchestrator.core.world import Truck, World

LATE = "truck_late"
LEFT = "left"  # where a parcel is that was being loaded when its truck left
EARLY_NS = 30_000_000_000  # loading ends so long before the departure
ASK_AGAIN_NS = 60_000_000_000  # a truck that was dispatched and still stands there is asked again


def docked(world: World, event: TruckDocked) -> None:
    """A truck stands at a door: loading begins."""
    known = 0 <= event.station < len(world.site.stations)
    if not known or event.route not in world.site.routes:
        world.alarm(
            event.truck, f"docks at {event.station} for {event.route!r}: no such place here"
        )
        return
    if event.station in world.trucks:
        other = world.trucks[event.station].id
        if other != event.truck:
            world.alarm(event.truck, f"docks where {other} stands: it is not loaded")
        return
    world.trucks[event.station] = Truck(
        event.truck, event.station, event.route, event.departs_ns, event.capacity
    )
    exceptions.ended(world, LATE, event.route, "came")
    stations.run(world, event.station, "load")


def ready(world: World, station: int, queue: deque[Token]) -> bool:
    """A truck stands there that the first token's parcel may go on; parcels of its route go first."""
    truck = world.trucks.get(station)
    if truck is None or truck.dispatched or len(truck.loaded) >= truck.capacity:
        return False
    for _ in range(len(queue)):
        if world.orders[queue[0][0]].route == truck.route:
            return True
        queue.rotate(-1)
    return False


def loaded(world: World, station: int, order: Order) -> None:
    """The parcel is on the truck, or was on the one that has left meanwhile."""
    exceptions.ended(world, "cut_off_missed", order.id, "next truck")
    world.promised.get(order.route, {}).pop(order.id, None)
    if order.parcel[0] == LEFT:
        order.parcel = ("", -1)
        world.stock.ship(order.box)
        return
    truck = world.trucks[station]
    order.parcel = ("truck", station)
    truck.loaded[order.id] = None
    if len(truck.loaded) >= truck.capacity:
        _dispatch(world, truck)


def not_loaded(order: Order) -> None:
    """Nobody knows that the parcel is on a truck: it goes with the one that stands there."""
    if order.parcel[0] == LEFT:
        order.parcel = ("door", order.parcel[1])


def wait(world: World, token: Token) -> None:
    """The step ends when the truck leaves on which the order's parcel is."""
    order = world.orders[token[0]]
    kind, station = order.parcel
    if not kind:  # it has left
        flow.step_ended(world, token, "ok")
        return
    assert kind == "truck", f"{order.id} is to depart and not on a truck: layout checks the flow"
    world.trucks[station].waiting[token] = None


def watch(world: World) -> None:
    """Once a tick: trucks whose time has come leave as soon as nothing is just being loaded."""
    for truck in world.trucks.values():
        due_ns = truck.departs_ns - EARLY_NS
        if truck.dispatched:
            due_ns = truck.departs_ns + ASK_AGAIN_NS
        elif _complete(world, truck):
            due_ns = world.time_ns
        if world.time_ns >= due_ns and "load" not in world.stations[truck.station].running:
            _dispatch(world, truck)
    for route in world.site.routes.values():
        queue = world.stations[route.door].queues.get("load")
        if queue and route.door not in world.trucks and (LATE, route.id) not in world.problems:
            orders = [world.orders[token[0]] for token in queue]
            if any(o.route == route.id and 0 < o.due_ns < world.time_ns for o in orders):
                exceptions.opened(world, LATE, route.id, text="its parcels wait at the door")


def _complete(world: World, truck: Truck) -> bool:
    """It is late, and everything that is due by now is on it: it waits for nothing."""
    until_ns = world.time_ns + EARLY_NS
    if not any(0 < world.orders[name].due_ns <= until_ns for name in truck.loaded):
        return False
    promised = (world.orders[name] for name in world.promised.get(truck.route, ()))
    return not any(0 < order.due_ns <= until_ns for order in promised)


def _dispatch(world: World, truck: Truck) -> None:
    truck.dispatched, truck.departs_ns = True, world.time_ns
    world.out.append(DispatchTruck(truck=truck.id, station=truck.station))


def left(world: World, event: TruckLeft) -> None:
    """It is gone, with what was loaded. Orders that it was to take go with the next one."""
    truck = next((t for t in world.trucks.values() if t.id == event.truck), None)
    if truck is None:
        return
    del world.trucks[truck.station]
    if not truck.dispatched:
        world.alarm(truck.id, "left before it was dispatched")
    work = world.stations[truck.station].running.get("load")
    if work is not None:  # its answer will tell
        world.orders[world.works[work][0]].parcel = (LEFT, truck.station)
    for name in truck.loaded:
        order = world.orders[name]
        order.parcel = ("", -1)
        world.stock.ship(order.box)
    for token in truck.waiting:
        flow.step_ended(world, token, "ok")
    for name in list(world.promised.get(truck.route, ())):
        order = world.orders[name]
        if 0 < order.due_ns <= world.time_ns:
            flow.missed(world, order, truck.id)
