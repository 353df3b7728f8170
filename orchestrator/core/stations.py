"""Stations: machines that do one thing at a time per capability, and the places they have."""

from __future__ import annotations

from orchestrator.core import carry, flow
from orchestrator.core.messages import ImageRead, RequestInference, StartWork, WorkEnded
from orchestrator.core.orders import Order
from orchestrator.core.robots import Token
from orchestrator.core.world import World


def station_of(world: World, token: Token, capability: str) -> int:
    """Where the step is done: a chute hands out, everything else happens at the order's station."""
    order = world.orders[token[0]]
    if order.station >= 0 and capability in world.site.stations[order.station].capabilities:
        return order.station
    return order.chute


def least_used(world: World, capability: str) -> int:
    """The station with this capability that has the most room; -1: there is none."""
    best, best_room = -1, 0
    for index, station in enumerate(world.site.stations):
        if capability in station.capabilities:
            room = station.positions - world.stations[index].used
            if best < 0 or room > best_room:
                best, best_room = index, room
    return best


def take_position(world: World, station: int, token: Token) -> bool:
    """Take a place at the station, or wait for one."""
    state = world.stations[station]
    if state.used >= world.site.stations[station].positions:
        state.waiters.append(token)
        return False
    state.used += 1
    return True


def free_position(world: World, station: int) -> None:
    """A place became free: for a waiting parcel, or for the next order."""
    state = world.stations[station]
    state.used -= 1
    assert state.used >= 0, world.site.stations[station].id
    if state.waiters:
        carry.start(world, state.waiters.popleft())
    flow.release_backlog(world)


def leave(world: World, order: Order) -> None:
    """The order no longer takes up a place at its pick station."""
    station, order.position = order.position, -1
    if station >= 0:
        free_position(world, station)


def out_freed(world: World, station: int) -> None:
    """A parcel left the out buffer: packing may go on."""
    world.stations[station].out_used -= 1
    run(world, station, "pack")


def enqueue(world: World, token: Token, capability: str) -> None:
    """Line up for a machine."""
    station = station_of(world, token, capability)
    world.stations[station].queues[capability].append(token)
    run(world, station, capability)


def run(world: World, station: int, capability: str) -> None:
    """Start the machine if it is free and its product has a place to go."""
    state = world.stations[station]
    queue = state.queues.get(capability)
    if capability in state.running:
        return
    while queue and world.orders[queue[0][0]].state != "open":
        flow.step_ended(world, queue.popleft(), "ok")  # set aside meanwhile
    if not queue or capability in state.running:
        return
    if capability == "pack":
        if state.out_used >= world.site.stations[station].out_capacity:
            return
        state.out_used += 1
    token = queue.popleft()
    order = world.orders[token[0]]
    work = world.number()
    world.works[work] = token
    state.running[capability] = work
    sku, quantity, load = "", 0, order.load
    if token[2] >= 0:
        line = order.lines[token[2]]
        sku, quantity, load = line.sku, line.open, line.tote
    elif capability == "pack":
        load = order.load = f"parcel-{order.id}"
    world.out.append(
        StartWork(
            work=work,
            station=station,
            capability=capability,
            order_id=order.id,
            load=load,
            sku=sku,
            quantity=quantity,
        )
    )


def work_ended(world: World, event: WorkEnded) -> None:
    """A machine is done: book what it did, let the flow go on, start the next."""
    token = world.works.pop(event.work, None)
    if token is None:
        return
    order = world.orders[token[0]]
    step = flow.step_of(world, order, token[1])
    station = station_of(world, token, step.needs)
    del world.stations[station].running[step.needs]
    if step.needs == "pick":
        _book_pick(world, token, event)
    elif step.needs == "pack":
        if event.outcome == "ok":
            leave(world, order)
        else:
            world.stations[station].out_used -= 1  # nothing came out
    elif event.outcome == "ok" and step.needs == "handout":
        world.stock.ship(order.id)
        free_position(world, station)
    flow.step_ended(world, token, event.outcome)
    run(world, station, step.needs)


def _book_pick(world: World, token: Token, event: WorkEnded) -> None:
    order = world.orders[token[0]]
    line = order.lines[token[2]]
    tote = world.stock.totes[line.tote]
    quantity = max(0, min(event.quantity, line.open))
    if quantity != event.quantity:
        world.alarm(tote.id, f"{event.quantity} units picked, {line.open} were asked for")
    if quantity:
        world.stock.pick(tote, order.id, quantity)
        line.open -= quantity
    if event.outcome == "short":
        world.alarm(tote.id, f"empty where the books said {tote.quantity} {tote.sku}")
        world.stock.units_out += tote.quantity
        tote.quantity = 0
        tote.reserved = 0


def look(world: World, token: Token, capability: str) -> None:
    """Let a camera check a tote's label or an order box's content."""
    order = world.orders[token[0]]
    request = world.number()
    world.looks[request] = token
    subject, expected = order.load, order.load
    if token[2] >= 0:
        line = order.lines[token[2]]
        picked = world.stock.boxes.get(order.id, {}).get(line.sku, 0)
        subject, expected = order.id, f"{line.sku}:{picked}"
    world.out.append(
        RequestInference(
            request=request,
            task="verify_pick" if capability == "verify" else "read_label",
            station=station_of(world, token, capability),
            subject=subject,
            expected=expected,
        )
    )


def image_read(world: World, event: ImageRead) -> None:
    """The camera's answer is an outcome of the step."""
    token = world.looks.pop(event.request, None)
    if token is not None:
        flow.step_ended(world, token, event.outcome)
