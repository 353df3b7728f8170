"""Stations: machines that do one thing at a time per capability, and the places they have."""

from __future__ import annotations

from orchestrator.core import carry, flow, timeouts, trucks
from orchestrator.core.messages import ImageRead, RequestInference, StartWork, WorkEnded
from orchestrator.core.orders import Order, OrderLine
from orchestrator.core.robots import Token
from orchestrator.core.stock import Tote
from orchestrator.core.world import World

MAKES = ("pack", "depalletise", "unpack")  # what they make needs a place in the out buffer
INTACT = "intact"
CONTRADICTED = {  # task -> what an "ok" with another value than the expected one really is
    "read_label": "misread",
    "identify_item": "mismatch",
    "verify_pick": "mismatch",
    "inspect_damage": "damaged",
}
UNKNOWN = ("down", "timeout")  # outcomes that don't say what was done


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
    """Line up for a machine; what it was asked for before goes first."""
    station = station_of(world, token, capability)
    queue = world.stations[station].queues[capability]
    if token[1:] in world.orders[token[0]].asked:
        queue.appendleft(token)
    else:
        queue.append(token)
    run(world, station, capability)


def run(world: World, station: int, capability: str) -> None:
    """Start the machine if it is free and works, and its product has a place to go."""
    state = world.stations[station]
    queue = state.queues.get(capability)
    if capability in state.running or capability in state.down or state.closed:
        return
    while queue and _set_aside(world, queue[0]):
        flow.step_ended(world, queue.popleft(), "ok")
    if not queue or capability in state.running:
        return
    if capability == "load" and not trucks.ready(world, station, queue):
        return
    if capability in MAKES:
        if state.out_used >= world.site.stations[station].out_capacity:
            return
        state.out_used += 1
    token = queue.popleft()
    order = world.orders[token[0]]
    work = order.asked.pop(token[1:], 0) or world.number()
    world.works[work] = token
    state.running[capability] = work
    timeouts.expect(world, work, flow.step_of(world, order, token[1]))
    world.out.append(_work(world, token, work, station, capability))


def _set_aside(world: World, token: Token) -> bool:
    """Nobody wants this work any more. Where it may have been done already, its answer is wanted."""
    order = world.orders[token[0]]
    return order.state != "open" and token[1:] not in order.asked


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
        elif capability == "discard":
            quantity = _kept(world, order, line)
    return StartWork(
        work=work,
        station=station,
        capability=capability,
        order_id=order.box,
        load=order.load if capability == "unpack" else order.load_of(token[2]),
        sku=sku,
        quantity=quantity,
        into=order.load_of(token[2]) if capability == "unpack" else "",
        content=_content(world, order) if capability == "checkweigh" else (),
    )


def _content(world: World, order: Order) -> tuple[tuple[str, int], ...]:
    return tuple(world.stock.boxes.get(order.box, {}).items())


def work_ended(world: World, event: WorkEnded) -> None:
    """A machine is done. An answer that nobody waits for any more changes nothing."""
    token = world.works.get(event.work)
    if token is None:
        return
    capability = flow.step_of(world, world.orders[token[0]], token[1]).needs
    world.stations[station_of(world, token, capability)].silent.pop(capability, None)
    _ended(world, event, token)


def unanswered(world: World, work: int, outcome: str, *, undone: bool = False) -> None:
    """The machine broke ("down") or owes its answer ("timeout"). Unless it is known that nothing was
    done it is asked again by the same number, so that it does nothing twice; also for an order that
    was set aside, as the books need it."""
    token = world.works[work]
    order = world.orders[token[0]]
    if not undone:
        order.asked[token[1:]] = work
    _ended(world, WorkEnded(work=work, outcome=outcome), token)
    if token not in order.active:
        order.asked.pop(token[1:], None)


def _ended(world: World, event: WorkEnded, token: Token) -> None:
    """Book what the machine did, let the flow go on, start the next."""
    del world.works[event.work]
    world.due.pop(event.work, None)
    order = world.orders[token[0]]
    capability = flow.step_of(world, order, token[1]).needs
    station = station_of(world, token, capability)
    del world.stations[station].running[capability]
    if event.outcome in UNKNOWN and order.state != "open":
        if capability in MAKES:
            world.stations[station].out_used -= 1
        enqueue(world, token, capability)
        return
    outcome = event.outcome
    if capability == "pick":
        outcome = _book_pick(world, token, event)
    elif capability == "discard" and event.outcome == "ok":
        _book_discard(world, token, event)
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
    elif capability == "load":
        trucks.not_loaded(order)
    flow.step_ended(world, token, outcome)
    run(world, station, capability)


def _set_down(world: World, token: Token, station: int, event: WorkEnded) -> None:
    """A tote stands in the out buffer; with the last one the pallet or parcel is empty."""
    order, stock = world.orders[token[0]], world.stock
    line = order.lines[token[2]]
    quantity = line.quantity
    if world.site.order_types[order.kind].steps[token[1]].needs == "unpack":
        booked, quantity = stock.unpack(order.box, line.sku), max(0, event.quantity)
        _miscounted(world, order.box, line.sku, quantity + event.lost - booked)
    stock.add(Tote(line.tote, line.sku, quantity, ("station", station), spot="out"))
    if all(other.tote in stock.totes or other.rejected for other in order.lines):
        order.parcel = ("", -1)
        leave(world, order)


def _miscounted(world: World, box: str, sku: str, more: int) -> None:
    """So many more units than booked were in a box: the tote that they came from holds fewer. Of
    several totes nobody knows which."""
    order = world.orders.get(box)
    totes = [line.tote for line in order.lines if line.sku == sku] if order else []
    tote = world.stock.totes.get(totes[0]) if len(totes) == 1 else None
    if more and tote is not None:
        world.alarm(tote.id, f"{-more:+d} {sku} against the books: a pick was wrong")
        world.stock.count(tote, max(0, tote.quantity - more))


def _book_weight(world: World, token: Token, event: WorkEnded) -> None:
    order = world.orders[token[0]]
    tote = world.stock.totes[order.load_of(token[2])]
    change = world.stock.count(tote, max(0, event.quantity))
    if token[2] >= 0:
        order.lines[token[2]].counted = tote.quantity
    if change:
        world.alarm(tote.id, f"weighs {change:+d} units of {tote.sku} against the notice")


def _book_pick(world: World, token: Token, event: WorkEnded) -> str:
    """Return how the pick really ended: it is not "ok" while units are missing."""
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
    if event.lost > 0:
        world.alarm(tote.id, f"{event.lost} {tote.sku} fell and are scrapped")
        world.stock.scrap(tote, event.lost)
    return "failed" if event.outcome == "ok" and line.open else event.outcome


def _kept(world: World, order: Order, line: OrderLine) -> int:
    """So many units of the line's SKU are in the box for other lines."""
    booked = world.stock.boxes.get(order.box, {}).get(line.sku, 0)
    return booked - (line.quantity - line.open)


def _book_discard(world: World, token: Token, event: WorkEnded) -> None:
    """What the line had in the box is scrapped and the line open again. What was counted beyond, or
    short of, what was booked tells what is really left in the tote it came from."""
    order, stock = world.orders[token[0]], world.stock
    line = order.lines[token[2]]
    booked = line.quantity - line.open
    if booked:
        stock.scrap_box(order.box, line.sku, booked)
    line.open = line.quantity
    tote = stock.totes.get(line.tote)
    if tote is None:
        return
    change = stock.count(tote, max(0, tote.quantity + booked - max(0, event.quantity)))
    if change:
        world.alarm(tote.id, f"{change:+d} {tote.sku} against the books: a pick was wrong")
    tote.reserved += min(booked, tote.available) if order.state == "open" else 0


def look(world: World, token: Token, capability: str) -> None:
    """Let a camera check a tote's or parcel's label, or an order box's content."""
    order = world.orders[token[0]]
    station = station_of(world, token, capability)
    state = world.stations[station]
    if capability in state.down or state.closed:
        world.stations[station].queues[capability].append(token)
        return
    request = world.number()
    world.looks[request] = token
    step = flow.step_of(world, order, token[1])
    timeouts.expect(world, request, step)
    subject, expected = _asked(world, order, token[2], step.task)
    world.to_show[request] = expected
    world.out.append(
        RequestInference(
            request=request,
            task=step.task,
            station=station,
            subject=subject,
            expected=expected,
            capability=capability,
            view=sum(n for (step, _, line), n in order.tries.items() if (step, line) == token[1:]),
            look=order.views.pop(token[1:], ""),
        )
    )


def _asked(world: World, order: Order, number: int, task: str) -> tuple[str, str]:
    """What a camera looks at, and what is to be there: a label; a line's goods, in their tote or, of
    what was picked, in the order's box."""
    load = order.load_of(number)
    if task == "read_label":
        return load, load
    line = order.lines[number]
    if task == "identify_item":
        return load, line.sku
    if task == "inspect_damage":
        return (load if world.site.order_types[order.kind].brings else order.box), line.sku
    picked = world.stock.boxes.get(order.box, {}).get(line.sku, 0)
    return order.box, f"{line.sku}:{picked}"


def look_away(world: World, request: int) -> str:
    """Nobody waits for this look any more; return what it was to show."""
    del world.looks[request]
    world.due.pop(request, None)
    return world.to_show.pop(request)


def image_read(world: World, event: ImageRead) -> None:
    """The camera's answer is an outcome of the step."""
    token = world.looks.get(event.request)
    if token is None:
        return
    expected = look_away(world, event.request)
    order = world.orders[token[0]]
    step = flow.step_of(world, order, token[1])
    world.stations[station_of(world, token, step.needs)].silent.pop(step.needs, None)
    outcome = event.outcome
    if outcome == "ok" and event.value != (INTACT if step.task == "inspect_damage" else expected):
        # without a value: of what?
        outcome = CONTRADICTED[step.task] if event.value else "doubtful"
    flow.step_ended(world, token, outcome)
