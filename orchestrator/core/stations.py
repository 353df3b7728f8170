"""Stations: machines that do one thing at a time per capability, and the places they have."""

from __future__ import annotations

from orchestrator.core import carry, flow, trucks
from orchestrator.core.messages import ImageRead, RequestInference, StartWork, WorkEnded
from orchestrator.core.orders import Order
from orchestrator.core.robots import Token
from orchestrator.core.stock import Tote
from orchestrator.core.world import World

MAKES = ("pack", "depalletise", "unpack")  # what they make needs a place in the out buffer


def station_of(world: World, token: Token, capability: str) -> int:
    """Where the step is done: at the line's own station, the order's, its chute or its door."""
    order = world.orders[token[0]]
    own = order.lines[max(token[2], 0)].station if order.lines else -1
    for station in (own, order.station, order.chute):
        if station >= 0 and capability in world.site.stations[station].capabilities:
            return station
    route = world.site.routes.get(order.route)
    return route.door if route is not None else order.chute


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
    """The order no longer takes up a place at its station."""
    station, order.position = order.position, -1
    if station >= 0:
        free_position(world, station)


def out_freed(world: World, station: int) -> None:
    """A place in the out buffer is free: what makes things may go on."""
    state = world.stations[station]
    state.out_used -= 1
    for capability in MAKES:
        if capability in state.queues:
            run(world, station, capability)


def left(world: World, station: int, tote: Tote) -> None:
    """A tote that stood at the station was taken away."""
    spot, tote.spot = tote.spot, ""
    if spot == "out":
        out_freed(world, station)
    elif spot == "position":
        free_position(world, station)


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
    if capability == "load" and not trucks.ready(world, station, queue):
        return
    if capability in MAKES:
        if state.out_used >= world.site.stations[station].out_capacity:
            return
        state.out_used += 1
    token = queue.popleft()
    work = world.number()
    world.works[work] = token
    state.running[capability] = work
    world.out.append(_work(world, token, work, station, capability))


def _work(world: World, token: Token, work: int, station: int, capability: str) -> StartWork:
    order = world.orders[token[0]]
    sku, quantity = "", 0
    if capability == "pack":
        order.load = f"parcel-{order.id}"
    if token[2] >= 0:
        line = order.lines[token[2]]
        sku, quantity = line.sku, line.open
        if world.site.order_types[order.kind].brings:
            quantity = line.quantity
    return StartWork(
        work=work,
        station=station,
        capability=capability,
        order_id=order.box,
        load=order.load if capability == "unpack" else order.load_of(token[2]),
        sku=sku,
        quantity=quantity,
        into=order.load_of(token[2]) if capability == "unpack" else "",
    )


def work_ended(world: World, event: WorkEnded) -> None:
    """A machine is done: book what it did, let the flow go on, start the next."""
    token = world.works.pop(event.work, None)
    if token is None:
        return
    order = world.orders[token[0]]
    capability = flow.step_of(world, order, token[1]).needs
    station = station_of(world, token, capability)
    del world.stations[station].running[capability]
    if capability == "pick":
        _book_pick(world, token, event)
    elif capability == "weigh" and event.outcome == "ok":
        _book_weight(world, token, event)
    elif capability in MAKES and event.outcome != "ok":
        world.stations[station].out_used -= 1  # nothing came out
    elif capability == "pack":
        order.parcel = ("out", station)
        leave(world, order)
    elif capability in MAKES:
        _set_down(world, token, station, event)
    elif event.outcome == "ok" and capability == "handout":
        world.stock.ship(order.box)
        order.parcel = ("", -1)
        free_position(world, station)
    elif event.outcome == "ok" and capability == "load":
        trucks.loaded(world, station, order)
        free_position(world, station)
    flow.step_ended(world, token, event.outcome)
    run(world, station, capability)


def _set_down(world: World, token: Token, station: int, event: WorkEnded) -> None:
    """A tote stands in the out buffer; with the last one the pallet or parcel is empty."""
    order, stock = world.orders[token[0]], world.stock
    line = order.lines[token[2]]
    quantity = line.quantity
    if world.site.order_types[order.kind].steps[token[1]].needs == "unpack":
        quantity = stock.unpack(order.box, line.sku)
    stock.add(Tote(line.tote, line.sku, quantity, ("station", station), spot="out"))
    if all(other.tote in stock.totes or other.rejected for other in order.lines):
        order.parcel = ("", -1)
        leave(world, order)


def _book_weight(world: World, token: Token, event: WorkEnded) -> None:
    order = world.orders[token[0]]
    tote = world.stock.totes[order.load_of(token[2])]
    change = world.stock.count(tote, max(0, event.quantity))
    if change:
        world.alarm(tote.id, f"weighs {change:+d} units of {tote.sku} against the notice")


def _book_pick(world: World, token: Token, event: WorkEnded) -> None:
    order = world.orders[token[0]]
    line = order.lines[token[2]]
    tote = world.stock.totes[line.tote]
    quantity = max(0, min(event.quantity, line.open))
    if quantity != event.quantity:
        world.alarm(tote.id, f"{event.quantity} units picked, {line.open} were asked for")
    if quantity:
        world.stock.pick(tote, order.box, quantity)
        line.open -= quantity
    if event.outcome == "short":
        world.alarm(tote.id, f"empty where the books said {tote.quantity} {tote.sku}")
        world.stock.count(tote, 0)


def look(world: World, token: Token, capability: str) -> None:
    """Let a camera check a tote's or parcel's label, or an order box's content."""
    order = world.orders[token[0]]
    request = world.number()
    world.looks[request] = token
    subject = expected = order.load_of(token[2])
    if capability == "verify":
        line = order.lines[token[2]]
        picked = world.stock.boxes.get(order.box, {}).get(line.sku, 0)
        subject, expected = order.box, f"{line.sku}:{picked}"
    world.out.append(
        RequestInference(
            request=request,
            task="verify_pick" if capability == "verify" else "read_label",
            station=station_of(world, token, capability),
            subject=subject,
            expected=expected,
            capability=capability,
        )
    )


def image_read(world: World, event: ImageRead) -> None:
    """The camera's answer is an outcome of the step."""
    token = world.looks.pop(event.request, None)
    if token is not None:
        flow.step_ended(world, token, event.outcome)
