"""The flow as data: tokens walk through an order type's graph of steps.

A token is (order, step, line). A step ends with an outcome; "ok" starts all that follow (a step named
by several others, or by a per-line step, waits for all of them); any other outcome goes where the
step's recovery says, a bounded number of times, and then ends in quarantine with a reason.
"""

from __future__ import annotations

import heapq

from orchestrator.core import (
    admission,
    aside,
    carry,
    exceptions,
    filing,
    places,
    replenish,
    stations,
    trucks,
)
from orchestrator.core.messages import CloseOrder, OrderReceived
from orchestrator.core.orders import Order, OrderLine, order_of, results
from orchestrator.core.robots import Token
from orchestrator.core.site import OrderType, Recovery, Stage, Step
from orchestrator.core.stock import Tote
from orchestrator.core.world import NEVER_NS, World

MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
BLAMELESS = ("down", "timeout", "dropped")


def step_of(world: World, order: Order, step: str) -> Step:
    """The step's definition."""
    return world.site.order_types[order.kind].steps[step]


def subject_of(token: Token) -> str:
    """What an exception of a step is about: order:step, or order:step.line."""
    line = "" if token[2] < 0 else f".{token[2]}"
    return f"{token[0]}:{token[1]}{line}"


def receive(world: World, event: OrderReceived) -> str:
    """Take an order in, or refuse it with the reason, which is returned. The same id twice is the same
    order."""
    if filing.known(world, event.order_id):
        known = world.orders.get(event.order_id) or world.filed[event.order_id]
        return known.reason if known.state == "refused" else ""
    kind = world.site.order_types.get(event.kind)
    order = order_of(event, brings=kind is not None and kind.brings)
    world.orders[order.id] = order
    reason = admission.why_not(world, event)
    if reason or kind is None:
        order.enter("refused", reason)
        world.out.append(CloseOrder(order_id=order.id, status="refused", reason=reason))
        return reason
    order.enter("open")
    if kind.makes:  # the pallet takes up one place until it is empty
        order.position = order.station
        world.stations[order.station].used += 1
    elif kind.brings:
        for line in order.lines:
            place = ("station", order.station)
            tote = Tote(line.tote, line.sku, line.quantity, place, spot="position")
            world.stock.add(tote)
            world.stations[order.station].used += 1
    elif order.route:
        world.promised.setdefault(order.route, {})[order.id] = None
    start(world, (order.id, kind.first, -1))
    return ""


def open_internal(world: World, kind: str, load: str) -> str:
    """Open an order that nobody outside asked for, about a tote; return its id."""
    order = Order(f"{kind}-{world.number():06d}", kind, [], 0, load, (), internal=True)
    order.box = order.id
    world.orders[order.id] = order
    order.enter("open")
    start(world, (order.id, world.site.order_types[kind].first, -1))
    return order.id


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
    elif step.do == "work" and step.wait_minutes:
        due_ns = world.time_ns + step.wait_minutes * MINUTE_NS
        heapq.heappush(world.resting, (due_ns, token))
    elif step.do == "work":
        stations.enqueue(world, token, step.needs)
    elif step.do == "inspect":
        stations.look(world, token, step.needs)
    elif step.do == "depart":
        trucks.wait(world, token)
    else:
        del order.active[token]
        if not order.active:  # this was the last of its ends
            _close(world, order)


def _close(world: World, order: Order) -> None:
    rejected = [line.rejected for line in order.lines if line.rejected]
    reason = f"{len(rejected)} of {len(order.lines)} lines: {rejected[0]}" if rejected else ""
    status = "quarantined" if rejected else "done"
    order.enter(status, reason)
    stations.leave(world, order)
    tell_closed(world, order)
    if not world.site.order_types[order.kind].brings:
        for line in order.lines:
            _free_units(world, line)


def tell_closed(world: World, order: Order) -> None:
    """Its exceptions end with it, and the host hears how it ended."""
    world.promised.get(order.route, {}).pop(order.id, None)
    exceptions.order_closed(world, order, order.state)
    if not order.internal:
        closing = CloseOrder(
            order_id=order.id,
            status=order.state,
            reason=order.reason,
            lines=results(world, order),
        )
        world.out.append(closing)
    elif order.state != "done":
        world.alarm(order.id, order.reason)


def step_ended(world: World, token: Token, outcome: str) -> None:
    """Follow the graph, or the recovery of a bad outcome."""
    order = world.orders[token[0]]
    if token not in order.active:
        return
    del order.active[token]
    if order.state != "open":
        let_go(world, order)
        return
    step = step_of(world, order, token[1])
    subject = subject_of(token)
    if outcome == "ok" and order.problems:
        exceptions.step_done(world, order, subject)
    if outcome == "ok" and "ok" not in step.outcomes:
        for following in step.then:
            _reach(world, order, step, following, token[2])
        return
    if outcome != "ok":
        exceptions.opened(world, outcome, subject, order.id)
    recovery = _recovery(world, step, outcome)
    if recovery is None:
        quarantine(world, order, token, f"{step.id}: {outcome}")
        return
    key = (step.id, outcome, token[2])
    order.tries[key] = order.tries.get(key, 0) + 1
    stage = recovery.stage(order.tries[key])
    late = _overdue(world, recovery, outcome, subject)
    if stage is not None and not late:
        order.views[token[1:]] = stage.look
        _recover(world, order, token, stage.then, outcome)
    elif recovery.otherwise == "quarantine" or order.tries[key] > recovery.tries + 1:
        tries = order.tries[key] - 1
        why = f"within {recovery.within_s} s" if late else f"after {tries} further tries"
        quarantine(world, order, token, f"{step.id}: {outcome} {why}")
    else:
        exceptions.ended(world, outcome, subject, recovery.otherwise)
        _recover(world, order, token, recovery.otherwise, outcome)


def _recovery(world: World, step: Step, outcome: str) -> Recovery | None:
    """As the step says. What is no fault of the order is tried again without being asked for."""
    found = step.recovery(outcome)
    if found is None and outcome in BLAMELESS:
        return Recovery((Stage(step.id, world.site.policy.blameless_tries),), "quarantine")
    return found


def _overdue(world: World, recovery: Recovery, outcome: str, subject: str) -> bool:
    problem = world.problems.get((outcome, subject))
    bound_ns = recovery.within_s * SECOND_NS
    return problem is not None and 0 < bound_ns < world.time_ns - problem.since_ns


def _recover(world: World, order: Order, token: Token, to: str, outcome: str) -> None:
    step = step_of(world, order, to)
    line = token[2]
    if step.do == "carry" and step.start == "home" and line >= 0:
        tote = world.stock.totes[order.lines[line].tote]
        order.active[(order.id, to, line)] = None
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
    where it is, and then gives back what it had. Of what comes in, a line is set aside alone."""
    order.active.pop(token, None)
    if order.state == "open" and world.site.order_types[order.kind].brings and token[2] >= 0:
        order.lines[token[2]].rejected = reason
        aside.send_away(world, order, token[2])
        _finish_line(world, order, token)
        return
    if order.state == "open":
        order.enter("quarantined", reason)
        tell_closed(world, order)
    let_go(world, order)


def _finish_line(world: World, order: Order, token: Token) -> None:
    """A line that was set aside counts as come to its end, so that the others are waited for."""
    steps = world.site.order_types[order.kind].steps
    for step in steps.values():
        ends = [name for name in step.then if steps[name].do == "finish"]
        for name in ends if step.per_line else ():
            _reach(world, order, step, name, token[2])
    if not order.active and order.state == "open":
        _close(world, order)


def let_go(world: World, order: Order) -> None:
    """Of an order that was set aside, lines with nothing under way give back their units and their
    tote; the last gives back the order's place at its station, and what it has in a box."""
    busy = {line for _, _, line in order.active}
    brings = world.site.order_types[order.kind].brings
    for number, line in enumerate(order.lines):
        tote = world.stock.totes.get(line.tote)
        if number in busy or tote is None:
            continue
        if brings:
            aside.send_away(world, order, number)
            continue
        _free_units(world, line)
        if tote.user is not None and tote.user[0] == order.id and tote.place[0] == "robot":
            robot = world.robots[tote.place[1]]
            if not robot.legs and robot.action < 0:
                carry.send_home(world, tote, None)
    if not order.active:
        aside.reinduct(world, order)
        stations.leave(world, order)


def _free_units(world: World, line: OrderLine) -> None:
    """Whoever wants them may have what the line did not take."""
    tote = world.stock.totes.get(line.tote)
    freed = tote.unreserve(line.open) if tote is not None else 0
    line.open = 0
    if freed:
        stock_came(world, line.sku)


def missed(world: World, order: Order, truck: str) -> None:
    """The departure that the order was promised has left without it: it goes with the next one."""
    exceptions.opened(world, "cut_off_missed", order.id, order.id, f"missed truck {truck}")


def rested(world: World) -> None:
    """Once a tick: work that has waited for long enough."""
    while world.resting and world.resting[0][0] <= world.time_ns:
        _, token = heapq.heappop(world.resting)
        stations.enqueue(world, token, step_of(world, world.orders[token[0]], token[1]).needs)


def wave(world: World) -> None:
    """Once a tick: at the beginning of a wave, all that wait for it may be released."""
    policy = world.site.policy
    if policy.wave_minutes and world.time_ns >= world.wave_ns:
        world.wave_ns = world.time_ns + policy.wave_minutes * MINUTE_NS
        while world.backlog:
            heapq.heappush(world.wave, heapq.heappop(world.backlog))
    if policy.wave_minutes or policy.release_ahead_minutes:
        release_backlog(world)


def release_backlog(world: World) -> None:
    """Release orders by due time while stations have room; those short of stock wait for it."""
    ahead = world.site.policy.release_ahead_minutes
    until_ns = world.time_ns + ahead * MINUTE_NS if ahead else NEVER_NS
    while world.wave and (world.wave[0][0] < 0 or world.wave[0][1] <= until_ns):
        if places.nearest_with_room(world, "pick", []) < 0:
            break
        item = heapq.heappop(world.wave)
        order = world.orders[item[3]]
        short = _reserve(world, order)
        for line in order.lines:
            replenish.note(world, line.sku)
        if short:
            world.short.setdefault(short, []).append(item)
            continue
        station = places.nearest_with_room(world, "pick", _homes(world, order))
        order.station = order.position = station
        world.stations[station].used += 1
        for token in list(order.active):
            if step_of(world, order, token[1]).do == "reserve":
                step_ended(world, token, "ok")


def _homes(world: World, order: Order) -> list[int]:
    """Nodes at which the order's totes have their slots."""
    bays, totes = world.site.roadmap.bays, world.stock.totes
    return [bays[totes[line.tote].home].node for line in order.lines]


def _reserve(world: World, order: Order) -> str:
    """Reserve every line, split over totes where one does not hold enough; return the SKU that is
    short, "" if all is reserved. Nothing is reserved where anything is short."""
    lines: list[OrderLine] = []
    zone = world.site.order_types[order.kind].zone
    for line in order.lines:
        shares = world.stock.shares(line.sku, line.open, zone)
        if not shares:
            return line.sku
        lines += [OrderLine(line.sku, count, count, tote.id) for tote, count in shares]
    for line in lines:
        world.stock.totes[line.tote].reserved += line.open
        world.asked.pop(line.sku, None)
        world.asked[line.sku] = None
    order.lines = lines
    return ""


def stock_came(world: World, sku: str) -> None:
    """Units of this SKU can be reserved again: orders that were short of it wait for release."""
    for item in world.short.pop(sku, ()):
        heapq.heappush(world.wave, item)
    release_backlog(world)


def choose_tote(world: World, order: Order, line: int) -> bool:
    """Reserve the line's units in one tote, another one than before if there is one."""
    wanted = order.lines[line]
    zone = world.site.order_types[order.kind].zone
    before = world.stock.totes.get(wanted.tote)
    freed = before.unreserve(wanted.open) if before is not None else 0
    tote = world.stock.choose(wanted.sku, wanted.open, zone, avoid=wanted.tote)
    if tote is None:
        if before is not None:
            before.reserved += freed
        return False
    tote.reserved += wanted.open
    wanted.tote = tote.id
    if freed and tote is not before:
        stock_came(world, wanted.sku)
    return True
