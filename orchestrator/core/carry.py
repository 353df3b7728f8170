"""Transport steps: from a flow token to a robot's legs, and the books that follow the load."""

from __future__ import annotations

from orchestrator.core import (
    chutes,
    closures,
    exceptions,
    flow,
    missions,
    places,
    replenish,
    stations,
    timeouts,
    tours,
)
from orchestrator.core.orders import Order
from orchestrator.core.robots import Leg, Robot, Token
from orchestrator.core.site import Step
from orchestrator.core.stock import Tote
from orchestrator.core.world import Task, World

FAILED = "handling_failed"  # the exception: a robot could not take a load, or set it down
HANDLING_TRIES = 5  # of one robot, one a tick
HANDLING_ROBOTS = 3
PUT_AWAY_NS = 1_800_000_000_000  # a tote takes up room at its dock: no later than this


def start(world: World, token: Token) -> None:
    """Begin a carry step: find the load and the way it has to go."""
    order = world.orders[token[0]]
    step = flow.step_of(world, order, token[1])
    if step.to == "stop":
        _open(world, order, token, (order.stops[0], -1), (order.stops[-1], -1), order.load)
    elif step.start == "home":
        fetch(world, token)
    elif step.start == "station":
        tote = world.stock.totes[order.load_of(token[2])]
        if step.to == "slot" or tote.home < 0:
            _put_away(world, order, step, token)
        else:
            send_home(world, tote, token)
    elif step.start == "dock":
        _put_away(world, order, step, token)
    else:
        _pass_on(world, order, step, token)


def fetch(world: World, token: Token) -> None:
    """Retrieve the tote of a line; if it is out for another one, wait for its return."""
    order = world.orders[token[0]]
    step = flow.step_of(world, order, token[1])
    tote = world.stock.totes[order.load_of(token[2])]
    if tote.user is not None:
        tote.waiters.append(token)
        return
    bay = tote.place[1]
    if step.to == "slot":
        known = world.site.roadmap.bays[bay]
        fleets = places.carriers(world, step.needs) & known.fleets
        slot = places.slot_for(world, known.node, step.to_at, fleets)
        if slot < 0:  # whoever opened the order saw one: it went to another tote meanwhile
            flow.step_ended(world, token, "no_slot")
            return
        world.stock.take_slot(tote, slot)
        end = slot
    else:
        end = world.site.stations[order.station].bay
    tote.user = token
    if step.to == "slot":
        flow.stock_came(world, tote.sku)
    _open(world, order, token, _at(world, bay), _at(world, end), tote.id)


def send_home(world: World, tote: Tote, token: Token | None) -> None:
    """The robot that holds the tote brings it back to its slot, or out of the building if empty."""
    robot = world.robots[tote.place[1]]
    assert tote.place[0] == "robot" and robot.load == tote.id, tote.id
    bay = tote.home
    if bay < 0 or (tote.quantity == 0 and not tote.waiters):
        way_out = places.way_out(world, robot.fleet)
        bay = way_out if way_out >= 0 else bay
    node = world.site.roadmap.bays[bay].node
    robot.legs.append(Leg(node=node, bay=bay, action="drop", load=tote.id, token=token))
    missions.advance(world, robot)


def _put_away(world: World, order: Order, step: Step, token: Token) -> None:
    """A tote that came in, or stands aside: into a slot, or to another station first."""
    tote = world.stock.totes[order.load_of(token[2])]
    tote.user = token  # also while it waits for a slot: nobody else may send it anywhere
    held = tote.place[0] == "robot"
    if held:
        robot = world.robots[tote.place[1]]
        begin_at = (world.traffic.tail[robot.index], -1)
    else:
        begin_at = _at(world, places.bay_of(world, tote))
    fleets = _bringers(world, step, tote)
    out = places.way_out_of(world, begin_at[1]) if step.to == "out" else -1
    if out >= 0:
        end = out
    elif step.to == "station":
        station = places.station_for(world, step.to_at, fleets)
        order.lines[max(token[2], 0)].station = station
        end = world.site.stations[station].bay
    else:
        end = places.slot_for(world, begin_at[0], step.to_at, fleets)
        if end < 0:
            world.stock.slot_waiters.setdefault(step.to_at, places.queue()).append(token)
            return
        world.stock.take_slot(tote, end)
        flow.stock_came(world, tote.sku)
    if held:
        node = world.site.roadmap.bays[end].node
        robot.legs.append(Leg(node=node, bay=end, action="drop", load=tote.id, token=token))
        missions.advance(world, robot)
        return
    task = _open(world, order, token, begin_at, _at(world, end), tote.id)
    task.due_ns = order.due_ns or world.time_ns + PUT_AWAY_NS


def _bringers(world: World, step: Step, tote: Tote) -> int:
    """The fleets that may put a tote away: its robot's, or those that get to where it stands."""
    if tote.place[0] == "robot":
        return 1 << world.robots[tote.place[1]].fleet
    bay = places.bay_of(world, tote)
    return places.carriers(world, step.needs) & world.site.roadmap.bays[bay].fleets


def _pass_on(world: World, order: Order, step: Step, token: Token) -> None:
    """A parcel needs a place where it goes to before it may leave where it is."""
    if step.to == "door":
        end = world.site.routes[order.route].door
    else:
        chutes.choose(world, order, step)
        end = order.chute
    if not stations.take_position(world, end, token):
        return
    known, bays = world.site.stations[order.parcel[1]], world.site.roadmap.bays
    goal = world.site.stations[end].bay
    fleets = places.carriers(world, step.needs) & bays[goal].fleets
    out = known.out_bay >= 0 and bays[known.out_bay].fleets & fleets
    bay = known.out_bay if out else known.bay
    _open(world, order, token, _at(world, bay), _at(world, goal), order.load)


def _at(world: World, bay: int) -> tuple[int, int]:
    return world.site.roadmap.bays[bay].node, bay


def _open(
    world: World,
    order: Order,
    token: Token,
    start: tuple[int, int],
    end: tuple[int, int],
    load: str,
) -> Task:
    """Put a task into the pool: for fleets that carry such loads and may enter both ends. A vehicle
    with several places goes on with its tour, so no load stays on it where it is worked on."""
    step = flow.step_of(world, order, token[1])
    fleets = places.carriers(world, step.needs)
    for _, bay in (start, end):
        if bay >= 0:
            fleets &= world.site.roadmap.bays[bay].fleets
    action = "" if step.to in ("station", "stop") else "drop"
    if not action:
        fleets &= ~world.touring
    due_ns, now_ns = order.due_ns, world.time_ns
    task = Task(world.number(), fleets, *start, load, token, due_ns, *end, action, now_ns)
    world.tasks[task.id] = task
    timeouts.expect(world, task.id, step)
    return task


def begin(world: World, robot: Robot, task: Task) -> None:
    """A robot takes a task: from here on it is no longer in the pool."""
    del world.tasks[task.id]
    world.underway[task.id] = task
    robot.task = task.id
    missions.task_began(world, robot, task.node)
    order = world.orders[task.token[0]]
    legs: list[Leg] = []
    if task.bay < 0:
        last = len(order.stops) - 1
        for number, node in enumerate(order.stops):
            bay = world.site.roadmap.node_bay[node]
            token = task.token if number == last else None
            legs.append(Leg(node=node, bay=bay, token=token, task=task.id))
    else:
        legs.append(Leg(task.node, task.bay, "pick", task.load, task.token, task.id))
        legs.append(Leg(task.end_node, task.end_bay, task.action, task.load, task.token, task.id))
    missions.assign(world, robot, legs)


def _done(world: World, robot: Robot, task: int) -> None:
    world.underway.pop(task, None)
    robot.aboard.pop(task, None)
    robot.task = -1


def arrived(world: World, robot: Robot, leg: Leg) -> None:
    """The last leg ended by being there: the load stays on the robot."""
    _done(world, robot, leg.task)
    assert leg.token is not None
    flow.step_ended(world, leg.token, "ok")


def picked(world: World, robot: Robot, leg: Leg) -> None:
    """The load is on the robot now."""
    robot.loads.append(leg.load)
    if tours.several(world, robot):
        robot.aboard[leg.task] = None
    tote = world.stock.totes.get(leg.load)
    if tote is not None:
        kind, index = tote.place
        tote.place = ("robot", robot.index)
        if kind == "station":
            stations.left(world, index, tote)
        elif kind == "slot" and index != tote.home:
            slot_free(world, index)
    elif leg.token is not None:
        order = world.orders[leg.token[0]]
        (kind, index), order.parcel = order.parcel, ("robot", robot.index)
        if kind == "out":
            stations.out_freed(world, index)
        else:
            stations.free_position(world, index)


def dropped(world: World, robot: Robot, leg: Leg) -> None:
    """The load is off the robot: in a slot, on a chute, at a door, or out of the building."""
    robot.loads.remove(leg.load)
    _done(world, robot, leg.task)
    tote = world.stock.totes.get(leg.load)
    if tote is None:
        if leg.token is not None:
            order = world.orders[leg.token[0]]
            to = flow.step_of(world, order, leg.token[1]).to
            index = world.site.routes[order.route].door if to == "door" else order.chute
            order.parcel = (to, index)
            if world.site.order_types[order.kind].brings:
                order.station = order.position = index
    else:
        tote.user = None
        if leg.bay == tote.home:
            tote.place = ("slot", leg.bay)
            next_user(world, tote)
            replenish.note(world, tote.sku)
        else:
            home = tote.home
            world.stock.remove(tote)
            if home >= 0:
                slot_free(world, home)
    if leg.token is not None:
        flow.step_ended(world, leg.token, "ok")


def next_user(world: World, tote: Tote) -> None:
    """Nobody uses the tote: whoever waits for it may."""
    if tote.waiters and tote.user is None:
        fetch(world, tote.waiters.popleft())


def slot_free(world: World, slot: int) -> None:
    """A slot became free: for the first tote in line that can be put away there, or for stock from
    another zone."""
    stock = world.stock
    stock.free_slot(slot)
    for zone in (stock.zone_of[slot], ""):
        waiting = stock.slot_waiters.get(zone, ())
        token = next((token for token in waiting if _may_enter(world, token, slot)), None)
        if token is not None:
            stock.slot_waiters[zone].remove(token)
            start(world, token)
            return
    replenish.slot_freed(world, stock.zone_of[slot])


def _may_enter(world: World, token: Token, slot: int) -> bool:
    """Some fleet that may put the waiting tote away gets into the slot just now."""
    order = world.orders[token[0]]
    tote = world.stock.totes[order.load_of(token[2])]
    fleets = _bringers(world, flow.step_of(world, order, token[1]), tote)
    return bool(closures.bay_fleets(world, slot) & fleets)


def handling_failed(world: World, robot: Robot, leg: Leg) -> None:
    """A pick or drop went wrong: it is tried again at the next tick. A load that this robot can't
    take goes back to the pool, for another; what no robot can take sets its order aside."""
    robot.failures += 1
    about = world.orders[leg.token[0]] if leg.token is not None else None
    name = about.id if about is not None and about.state == "open" else ""
    exceptions.opened(world, FAILED, leg.load, name, f"{robot.name} could not {leg.action} it")
    if leg.action != "pick" or robot.failures <= HANDLING_TRIES or leg.token is None:
        return
    robot.failures = 0
    order, token = world.orders[leg.token[0]], leg.token
    key = (token[1], "handling", token[2])
    order.tries[key] = order.tries.get(key, 0) + 1
    if order.tries[key] < HANDLING_ROBOTS:
        give_back(world, robot)
    else:
        missions.break_off(world, robot)
        _done(world, robot, leg.task)
        tote = world.stock.totes.get(leg.load)
        if tote is not None:
            _stays(world, tote)
        flow.quarantine(world, order, token, f"{token[1]}: no robot can take {leg.load}")
        exceptions.ended(world, FAILED, leg.load, "given up")
    missions.advance(world, robot)


def cancel(world: World, task: Task) -> None:
    """Take a task out of the pool: its load stays where it is."""
    del world.tasks[task.id]
    world.due.pop(task.id, None)
    tote = world.stock.totes.get(task.load)
    if tote is not None:
        _stays(world, tote)


def turn_back(world: World, robot: Robot) -> None:
    """The robot brings the tote that it holds home instead of where it was going."""
    tote = world.stock.totes[robot.load]
    _done(world, robot, robot.task)
    node = world.site.roadmap.bays[tote.home].node
    missions.redirect(world, robot, Leg(node, tote.home, "drop", tote.id))


def _stays(world: World, tote: Tote) -> None:
    """The tote is not moved after all: a slot that it was to come to is free again."""
    tote.user = None
    kind, index = tote.place
    if kind == "slot" and tote.home != index:
        goal = tote.home
        world.stock.take_slot(tote, index)
        slot_free(world, goal)
    next_user(world, tote)


def give_back(world: World, robot: Robot) -> None:
    """The robot can't go on: a task it has not loaded goes back to the pool."""
    if tours.several(world, robot):
        tours.forget(robot)
    elif robot.load:
        return
    leg = next((leg for leg in robot.legs if not leg.parking), None)
    if robot.action >= 0 or leg is None or leg.action != "pick":
        return
    task = world.underway.pop(leg.task)
    missions.break_off(world, robot)
    robot.failures, robot.task = 0, -1
    world.tasks[task.id] = task
