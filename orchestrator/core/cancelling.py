"""Orders that are wanted no more, or otherwise. What has not begun is undone; what has begun ends where
it is, and what is in a box becomes stock again, as with orders that are set aside."""

from __future__ import annotations

import heapq
from collections import deque

from orchestrator.core import admission, aside, carry, flow, missions, stations, trucks
from orchestrator.core.messages import Line, OrderCancelled, OrderChanged, OrderReceived
from orchestrator.core.orders import Order, order_of
from orchestrator.core.robots import Token
from orchestrator.core.world import Task, World

TOO_LATE = ("load", "handout")
PRIORITY_MAX = 9


def cancelled(world: World, event: OrderCancelled) -> str:
    """Return why it is too late; "": it is cancelled, or was already."""
    order = world.orders.get(event.order_id)
    known = order or world.filed.get(event.order_id)
    if known is None:
        return f"there is no order {event.order_id!r}"
    if known.state == "cancelled":
        return ""
    if order is None or order.state != "open":
        return f"order {event.order_id} is {known.state} already"
    reason = _too_late(world, order)
    if reason:
        return reason
    order.enter("cancelled", event.reason or "the host wants it no more")
    flow.tell_closed(world, order)
    for token in list(order.active):
        if token in order.active and _undone(world, order, token):
            flow.step_ended(world, token, "ok")
    flow.let_go(world, order)
    return ""


def _too_late(world: World, order: Order) -> str:
    if order.internal:
        return f"order {order.id} is the building's own"
    if world.site.order_types[order.kind].brings:
        return f"order {order.id}: its goods are in the building; send them out by another order"
    if order.parcel[0] in ("truck", trucks.LEFT):
        return f"order {order.id} is loaded on its truck"
    running = [token[1] for token in world.works.values() if token[0] == order.id]
    running += [step for step, _ in order.asked]
    for name in running:
        if flow.step_of(world, order, name).needs in TOO_LATE:
            return f"order {order.id} is just leaving the building"
    if order.parcel[0] and aside.REINDUCT not in world.site.order_types:
        return f"order {order.id} is packed, and this site takes no parcel apart"
    return ""


def _undone(world: World, order: Order, token: Token) -> bool:
    """The step had not begun, and is taken out of where it waited; False: it goes on to its end."""
    step = flow.step_of(world, order, token[1])
    if step.do == "reserve":
        _take_out(world, order.id)
        return True
    if step.do == "carry":
        return _carry_undone(world, order, token)
    if step.do == "inspect":
        for request in [number for number, owner in world.looks.items() if owner == token]:
            stations.look_away(world, request)
            return True
    station = stations.station_of(world, token, step.needs)
    if token[1:] in order.asked or station < 0:
        return False
    return _removed(world.stations[station].queues[step.needs], token)


def _carry_undone(world: World, order: Order, token: Token) -> bool:
    task = next(
        (t for t in (*world.tasks.values(), *world.underway.values()) if t.token == token), None
    )
    if task is None:
        return _waits_no_more(world, token)
    robot = None
    if task.id in world.underway:
        at = (r for r in world.robots if any(leg.task == task.id for leg in r.legs))
        robot = next(at, None)
        if robot is None or robot.action >= 0:
            return False
        leg = next(leg for leg in robot.legs if not leg.parking)
        if task.bay < 0:
            missions.break_off(world, robot)
            robot.task = -1
            world.tasks[task.id] = world.underway.pop(task.id)
        elif leg.task == task.id and leg.action == "pick":
            carry.give_back(world, robot)
        if task.id not in world.tasks:
            return False
    carry.cancel(world, task)
    _place_given_back(world, order, task)
    if robot is not None:
        missions.advance(world, robot)
    return True


def _place_given_back(world: World, order: Order, task: Task) -> None:
    """A parcel that is not brought needs no place at its chute or door."""
    step = flow.step_of(world, order, task.token[1])
    if step.to in ("chute", "door") and task.load not in world.stock.totes:
        door = step.to == "door"
        stations.free_position(world, world.site.routes[order.route].door if door else order.chute)


def _waits_no_more(world: World, token: Token) -> bool:
    found = any(_removed(tote.waiters, token) for tote in world.stock.totes.values())
    found |= any(_removed(queue, token) for queue in world.stock.slot_waiters.values())
    for state in world.stations:
        found |= _removed(state.waiters, token) or state.held.pop(token, 0) is None
    return found


def _removed(queue: deque[Token], token: Token) -> bool:
    if token not in queue:
        return False
    queue.remove(token)
    return True


def _take_out(world: World, order_id: str) -> bool:
    """Out of everything where orders wait for their release; True: it waited for a wave."""
    waves = any(item[3] == order_id for item in world.backlog)
    for heap in (world.backlog, world.wave):
        kept = [item for item in heap if item[3] != order_id]
        if len(kept) < len(heap):
            heap[:] = kept
            heapq.heapify(heap)
    for sku, items in list(world.short.items()):
        kept = [item for item in items if item[3] != order_id]
        if not kept:
            del world.short[sku]
        elif len(kept) < len(items):
            world.short[sku] = kept
    return waves


def changed(world: World, event: OrderChanged) -> str:
    """Return why not; "": it is so."""
    order = world.orders.get(event.order_id)
    if order is None:
        return f"there is no order {event.order_id!r} that waits for its release"
    tokens = [
        token for token in order.active if flow.step_of(world, order, token[1]).do == "reserve"
    ]
    if order.state != "open" or not tokens:
        text = "is being worked on" if order.state == "open" else f"is {order.state}"
        return f"order {order.id} {text}: it can't be changed any more"
    if event.priority > PRIORITY_MAX:
        return f"priority {event.priority}: must be 0 to {PRIORITY_MAX}"
    wanted = _as_asked(order, event)
    reason = admission.why_not(world, wanted)
    if reason:
        return reason
    other = order_of(wanted, brings=False)
    order.lines, order.due_ns, order.priority = other.lines, other.due_ns, other.priority
    heap = world.backlog if _take_out(world, order.id) else world.wave
    heapq.heappush(heap, world.waiting(order))
    flow.release_backlog(world)
    return ""


def _as_asked(order: Order, event: OrderChanged) -> OrderReceived:
    lines = tuple(Line(line.sku, line.quantity) for line in order.lines)
    return OrderReceived(
        order_id=order.id,
        kind=order.kind,
        lines=event.lines or lines,
        due_ns=order.due_ns if event.due_ns < 0 else event.due_ns,
        station=order.chute,
        load=order.load,
        stops=order.stops,
        route=order.route,
        priority=order.priority if event.priority < 0 else event.priority,
    )
