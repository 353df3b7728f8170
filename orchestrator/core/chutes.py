"""Which chute a parcel goes to; another one while its own is out of reach, unless the host named it."""

from __future__ import annotations

from orchestrator.core import carry, closures, flow, places, stations
from orchestrator.core.orders import Order
from orchestrator.core.robots import Leg, Robot
from orchestrator.core.site import Step
from orchestrator.core.world import Task, World


def choose(world: World, order: Order, step: Step) -> None:
    """The order's parcel is about to set out."""
    if order.chute < 0 or step.to_at or _far(world, order):
        order.chute = places.chute_for(world, order.route, step.to_at)


def _far(world: World, order: Order) -> bool:
    """It may go elsewhere, and can't go where it was to."""
    return not order.named and not _in_reach(world, order.chute)


def _in_reach(world: World, chute: int) -> bool:
    return bool(closures.bay_fleets(world, world.site.stations[chute].bay))


def changed(world: World) -> None:
    """Lanes closed or opened: parcels that nobody has fetched yet, and those that wait for a place."""
    for task in list(world.tasks.values()):
        order, step = _about(world, task)
        if step.to == "chute" and _other(world, order, step) >= 0:
            carry.cancel(world, task)
            stations.free_position(world, order.chute)
            carry.start(world, task.token)
    for index, state in enumerate(world.stations):
        if state.waiters and not _in_reach(world, index):
            for _ in range(len(state.waiters)):
                carry.start(world, state.waiters.popleft())


def _about(world: World, task: Task) -> tuple[Order, Step]:
    order = world.orders[task.token[0]]
    return order, flow.step_of(world, order, task.token[1])


def _other(world: World, order: Order, step: Step) -> int:
    """A chute that can be got to, where the order's own can't; -1: there is none, or no need."""
    if not _far(world, order):
        return -1
    other = places.chute_for(world, order.route, step.to_at)
    return other if _in_reach(world, other) else -1


def redirected(world: World, robot: Robot, leg: Leg) -> Leg | None:
    """Where the robot brings its parcel instead, if there is a place for it."""
    task = world.underway.get(leg.task)
    if task is None or leg.action != "drop" or len(robot.legs) > 1:
        return None
    order, step = _about(world, task)
    other = _other(world, order, step) if step.to == "chute" else -1
    if other < 0 or world.stations[other].used >= world.site.stations[other].positions:
        return None
    bay = world.site.stations[other].bay
    node = world.site.roadmap.bays[bay].node
    fits = closures.bay_fleets(world, bay) >> robot.fleet & 1
    if not fits or not closures.reaches(world, robot, node):
        return None
    before, order.chute = order.chute, other
    task.end_node, task.end_bay = node, bay
    world.stations[other].used += 1
    stations.free_position(world, before)
    return Leg(node, bay, leg.action, leg.load, leg.token, leg.task)
