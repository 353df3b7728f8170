"""The flow as data: tokens walk through an order type's graph of steps.

A token is (order, step, line). A step ends with an outcome; "ok" starts all that follow (a step named
by several others, or by a per-line step, waits for all of them); any other outcome goes where the
step's recovery says, a bounded number of times, and then ends in quarantine with a reason.
"""

from __future__ import annotations

import heapq

from orchestrator.core import carry, stations
from orchestrator.core.messages import CloseOrder, OrderReceived
from orchestrator.core.orders import Order, OrderLine, order_of
from orchestrator.core.robots import Token
from orchestrator.core.site import OrderType, Step
from orchestrator.core.stock import Tote
from orchestrator.core.world import World


def step_of(world: World, order: Order, step: str) -> Step:
    """The step's definition."""
    return world.site.order_types[order.kind].steps[step]


def receive(world: World, event: OrderReceived) -> None:
    """Take an order in, or refuse it with the reason. The same id twice is the same order."""
    if event.order_id in world.orders:
        return
    order = order_of(event)
    world.orders[order.id] = order
    reason = _why_not(world, event)
    if reason:
        order.enter("refused", reason)
        world.out.append(CloseOrder(order_id=order.id, status="refused", reason=reason))
        return
    order.enter("open")
    if order.kind == "inbound":
        line = order.lines[0]
        tote = Tote(order.load, line.sku, line.quantity, ("station", order.station))
        world.stock.add(tote)
        world.stations[order.station].used += 1
    first = world.site.order_types[order.kind].first
    start(world, (order.id, first, -1))


def _why_not(world: World, event: OrderReceived) -> str:
    kind = world.site.order_types.get(event.kind)
    if kind is None:
        known = ", ".join(world.site.order_types)
        return f"unknown order type {event.kind!r}: this site has {known}"
    if any(step.to == "stop" for step in kind.steps.values()):
        if not event.stops:
            return f"{event.kind}: needs at least one stop"
        bad = [node for node in event.stops if not 0 <= node < world.site.roadmap.nodes]
        return f"unknown node {bad[0]}" if bad else ""
    if not event.lines:
        return "no lines: name at least one SKU and quantity"
    for line in event.lines:
        if line.sku not in world.site.skus:
            return f"unknown SKU {line.sku!r}: add it to the site's item master"
        if line.quantity <= 0:
            return f"quantity {line.quantity} of {line.sku}: must be at least 1"
    return _why_not_there(world, event)


def _why_not_there(world: World, event: OrderReceived) -> str:
    needs = "receive" if event.kind == "inbound" else "handout"
    known = range(len(world.site.stations))
    if event.station >= 0 or event.kind == "inbound":
        if event.station not in known:
            return f"unknown station {event.station}"
        if needs not in world.site.stations[event.station].capabilities:
            return f"station {world.site.stations[event.station].id} can't {needs}"
    if event.kind == "inbound" and (not event.load or event.load in world.stock.totes):
        return f"tote {event.load!r} is in the building already, or has no name"
    if event.kind == "inbound" and len({line.sku for line in event.lines}) > 1:
        return f"tote {event.load!r} is to hold one SKU: name one line"
    return ""


def start(world: World, token: Token) -> None:
    """Begin a step."""
    order = world.orders[token[0]]
    step = step_of(world, order, token[1])
    order.active[token] = None
    if step.do == "reserve":
        world.push_backlog(order)
        release_backlog(world)
    elif step.do == "carry":
        carry.start(world, token)
    elif step.do == "work":
        stations.enqueue(world, token, step.needs)
    elif step.do == "inspect":
        stations.look(world, token, step.needs)
    else:
        del order.active[token]
        if not order.active:  # this was the last of its ends
            order.enter("done")
            stations.leave(world, order)
            world.out.append(CloseOrder(order_id=order.id, status="done"))


def step_ended(world: World, token: Token, outcome: str) -> None:
    """Follow the graph, or the recovery of a bad outcome."""
    order = world.orders[token[0]]
    if token not in order.active:
        return
    del order.active[token]
    if order.state != "open":
        _let_go(world, order)
        return
    step = step_of(world, order, token[1])
    if outcome == "ok":
        for following in step.then:
            _reach(world, order, step, following, token[2])
        return
    recovery = step.outcomes.get(outcome)
    if recovery is None:
        quarantine(world, order, token, f"{step.id}: {outcome}")
        return
    key = (step.id, outcome, token[2])
    order.tries[key] = order.tries.get(key, 0) + 1
    if order.tries[key] <= recovery.tries:
        _recover(world, order, token, recovery.then, outcome)
    elif recovery.otherwise == "quarantine":
        reason = f"{step.id}: {outcome} after {recovery.tries} further tries"
        quarantine(world, order, token, reason)
    else:
        _recover(world, order, token, recovery.otherwise, outcome)


def _recover(world: World, order: Order, token: Token, to: str, outcome: str) -> None:
    step = step_of(world, order, to)
    line = token[2]
    if step.do == "carry" and step.start == "home" and line >= 0:
        tote = world.stock.totes[order.lines[line].tote]
        world.orders[order.id].active[(order.id, to, line)] = None
        if tote.place[0] == "robot":
            carry.send_home(world, tote, None)
        if not choose_tote(world, order, line):
            quarantine(world, order, (order.id, to, line), f"{outcome}: no further stock")
            return
    start(world, (order.id, to, line))


def _reach(world: World, order: Order, step: Step, following: str, line: int) -> None:
    kind = world.site.order_types[order.kind]
    target = kind.steps[following]
    if not target.per_line:
        line = -1
    lines = [line]
    if target.per_line and not step.per_line:
        lines = list(range(len(order.lines)))
    for each in lines:
        key = (following, each)
        order.arrived[key] = order.arrived.get(key, 0) + 1
        if order.arrived[key] % joins(kind, following, len(order.lines)) == 0:
            start(world, (order.id, following, each))


def joins(kind: OrderType, following: str, lines: int) -> int:
    """How many good ends of other steps a step waits for."""
    target = kind.steps[following]
    count = 0
    for step in kind.steps.values():
        if following in step.then:
            count += lines if step.per_line and not target.per_line else 1
    return count


def quarantine(world: World, order: Order, token: Token, reason: str) -> None:
    """The order can't be fulfilled: set it aside with its reason. What of it is still going on ends
    where it is, and then gives back what it had."""
    order.active.pop(token, None)
    if order.state == "open":
        order.enter("quarantined", reason)
        world.out.append(CloseOrder(order_id=order.id, status="quarantined", reason=reason))
    _let_go(world, order)


def _let_go(world: World, order: Order) -> None:
    """Of an order that was set aside, lines with nothing under way give back their units and their
    tote; the last gives back the order's place at its station."""
    busy = {line for _, _, line in order.active}
    for number, line in enumerate(order.lines):
        tote = world.stock.totes.get(line.tote)
        if number in busy or tote is None:
            continue
        tote.reserved -= min(line.open, tote.reserved)
        line.open = 0
        if tote.user is not None and tote.user[0] == order.id and tote.place[0] == "robot":
            robot = world.robots[tote.place[1]]
            if not robot.legs and robot.action < 0:
                carry.send_home(world, tote, None)
        stock_came(world, line.sku)
    if not order.active:
        stations.leave(world, order)


def release_backlog(world: World) -> None:
    """Release orders by due time while stations have room; those short of stock wait for it."""
    while world.backlog:
        station = stations.least_used(world, "pick")
        if station < 0:
            break
        if world.stations[station].used >= world.site.stations[station].positions:
            break
        item = heapq.heappop(world.backlog)
        order = world.orders[item[2]]
        short = _reserve(world, order)
        if short:
            world.short.setdefault(short, []).append(item)
            continue
        order.station = order.position = station
        world.stations[station].used += 1
        for token in list(order.active):
            if step_of(world, order, token[1]).do == "reserve":
                step_ended(world, token, "ok")


def _reserve(world: World, order: Order) -> str:
    """Reserve every line, split over totes where one does not hold enough; return the SKU that is
    short, "" if all is reserved. Nothing is reserved where anything is short."""
    lines: list[OrderLine] = []
    for line in order.lines:
        shares = world.stock.shares(line.sku, line.open)
        if not shares:
            return line.sku
        lines += [OrderLine(line.sku, count, count, tote.id) for tote, count in shares]
    for line in lines:
        world.stock.totes[line.tote].reserved += line.open
    order.lines = lines
    return ""


def stock_came(world: World, sku: str) -> None:
    """Units of this SKU can be reserved again: orders that were short of it wait for release."""
    for item in world.short.pop(sku, ()):
        heapq.heappush(world.backlog, item)
    release_backlog(world)


def choose_tote(world: World, order: Order, line: int) -> bool:
    """Reserve the line's units in one tote."""
    wanted = order.lines[line]
    tote = world.stock.choose(wanted.sku, wanted.open)
    if tote is None:
        return False
    tote.reserved += wanted.open
    wanted.tote = tote.id
    return True
