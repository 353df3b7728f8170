"""Transport steps: from a flow token to a robot's legs, and the books that follow the load."""

from __future__ import annotations

from orchestrator.core import flow, missions, stations
from orchestrator.core.orders import Order
from orchestrator.core.robots import Leg, Robot, Token
from orchestrator.core.site import Step
from orchestrator.core.stock import Tote
from orchestrator.core.world import Task, World

HANDLING_TRIES = 5  # of one robot, one a tick
HANDLING_ROBOTS = 3
PUT_AWAY_NS = 1_800_000_000_000  # a tote takes up room at its dock: no later than this


def start(world: World, token: Token) -> None:
    """Begin a carry step: find the load and the way it has to go."""
    order = world.orders[token[0]]
    step = flow.step_of(world, order, token[1])
    if step.to == "stop":
        _open_task(world, order, token, node=order.stops[0], bay=-1, load=order.load, carries="")
    elif step.start == "home":
        fetch(world, token)
    elif step.start == "station":
        tote = world.stock.totes[order.lines[token[2]].tote]
        send_home(world, tote, token)
    elif step.start == "dock":
        _put_away(world, order, token)
    else:
        _sort(world, order, step, token)


def fetch(world: World, token: Token) -> None:
    """Retrieve the tote of a line; if it is out for another one, wait for its return."""
    order = world.orders[token[0]]
    tote = world.stock.totes[order.lines[token[2]].tote]
    if tote.user is not None:
        tote.waiters.append(token)
        return
    tote.user = token
    bay = world.site.roadmap.bays[tote.home]
    _open_task(world, order, token, bay.node, tote.home, tote.id, "tote")


def send_home(world: World, tote: Tote, token: Token | None) -> None:
    """The robot that holds the tote brings it back to its slot, or out of the building if empty."""
    robot = world.robots[tote.place[1]]
    assert tote.place[0] == "robot" and robot.load == tote.id, tote.id
    bay = tote.home
    if tote.quantity == 0 and not tote.waiters:
        dock = stations.least_used(world, "receive")
        if dock >= 0:
            bay = world.site.stations[dock].bay
    node = world.site.roadmap.bays[bay].node
    robot.legs.append(Leg(node=node, bay=bay, action="drop", load=tote.id, token=token))
    missions.advance(world, robot)


def _put_away(world: World, order: Order, token: Token) -> None:
    slot = _free_slot(world, world.site.stations[order.station].bay)
    if slot < 0:
        world.stock.slot_waiters.append(token)
        return
    tote = world.stock.totes[order.load]
    tote.home = slot
    tote.user = token
    world.stock.slot_owner[slot] = tote.id
    flow.stock_came(world, tote.sku)
    bay = world.site.stations[order.station].bay
    node = world.site.roadmap.bays[bay].node
    task = _open_task(world, order, token, node, bay, tote.id, "tote")
    task.due_ns = order.due_ns or world.time_ns + PUT_AWAY_NS


def _sort(world: World, order: Order, step: Step, token: Token) -> None:
    """A parcel needs a chute with a free position before it may leave the out buffer."""
    if order.chute < 0:
        order.chute = stations.least_used(world, "handout")
    if not stations.take_position(world, order.chute, token):
        return
    bay = world.site.stations[order.station].out_bay
    node = world.site.roadmap.bays[bay].node
    _open_task(world, order, token, node, bay, order.load, "parcel")


def _free_slot(world: World, near_bay: int) -> int:
    bays, near = world.site.roadmap.bays, world.site.roadmap.bays[near_bay].node
    best, best_mm = -1, 0
    for slot, owner in world.stock.slot_owner.items():
        if not owner:
            length = missions.distance_mm(world, near, bays[slot].node)
            if best < 0 or length < best_mm:
                best, best_mm = slot, length
    return best


def _open_task(
    world: World, order: Order, token: Token, node: int, bay: int, load: str, carries: str
) -> Task:
    fleets = 0
    for index, fleet in enumerate(world.site.fleets):
        if not carries or carries in fleet.carries:
            fleets |= 1 << index
    task = Task(world.number(), fleets, node, bay, load, token, order.due_ns)
    world.tasks[task.id] = task
    return task


def begin(world: World, robot: Robot, task: Task) -> None:
    """A robot takes a task: from here on it is no longer in the pool."""
    order = world.orders[task.token[0]]
    step = flow.step_of(world, order, task.token[1])
    del world.tasks[task.id]
    task.robot = robot.index
    robot.task = task.id
    legs: list[Leg] = []
    if step.to == "stop":
        last = len(order.stops) - 1
        for number, node in enumerate(order.stops):
            bay = world.site.roadmap.node_bay[node]
            token = task.token if number == last else None
            legs.append(Leg(node=node, bay=bay, token=token, task=task.id))
    else:
        legs.append(Leg(task.node, task.bay, "pick", task.load, task.token, task.id))
        legs.append(_delivery(world, order, step, task))
    missions.assign(world, robot, legs)


def _delivery(world: World, order: Order, step: Step, task: Task) -> Leg:
    if step.to == "slot":
        bay, action = world.stock.totes[order.load].home, "drop"
    elif step.to == "chute":
        bay, action = world.site.stations[order.chute].bay, "drop"
    else:
        bay, action = world.site.stations[order.station].bay, ""
    node = world.site.roadmap.bays[bay].node
    return Leg(node, bay, action, task.load, task.token, task.id)


def arrived(world: World, robot: Robot, leg: Leg) -> None:
    """The last leg ended by being there: the load stays on the robot."""
    robot.task = -1
    assert leg.token is not None
    flow.step_ended(world, leg.token, "ok")


def picked(world: World, robot: Robot, leg: Leg) -> None:
    """The load is on the robot now."""
    robot.load = leg.load
    tote = world.stock.totes.get(leg.load)
    if tote is not None:
        if tote.place[0] == "station":
            stations.free_position(world, tote.place[1])
        tote.place = ("robot", robot.index)
    elif leg.token is not None:
        stations.out_freed(world, world.orders[leg.token[0]].station)


def dropped(world: World, robot: Robot, leg: Leg) -> None:
    """The load is off the robot: in a slot, on a chute, or out of the building at a dock."""
    robot.load = ""
    robot.task = -1
    tote = world.stock.totes.get(leg.load)
    if tote is not None:
        tote.user = None
        if leg.bay == tote.home:
            tote.place = ("slot", leg.bay)
            if tote.waiters:
                fetch(world, tote.waiters.popleft())
        else:
            world.stock.slot_owner[tote.home] = ""
            world.stock.remove(tote)
            if world.stock.slot_waiters:
                waiting = world.stock.slot_waiters.popleft()
                _put_away(world, world.orders[waiting[0]], waiting)
    if leg.token is not None:
        flow.step_ended(world, leg.token, "ok")


def handling_failed(world: World, robot: Robot, leg: Leg) -> None:
    """A pick or drop went wrong: it is tried again at the next tick. A load that this robot can't
    take goes back to the pool, for another; what no robot can take sets its order aside."""
    robot.failures += 1
    if leg.action != "pick" or robot.failures <= HANDLING_TRIES or leg.token is None:
        return
    robot.failures = 0
    order, token = world.orders[leg.token[0]], leg.token
    key = (token[1], "handling", token[2])
    order.tries[key] = order.tries.get(key, 0) + 1
    if order.tries[key] < HANDLING_ROBOTS:
        give_back(world, robot)
    else:
        missions.give_up_goal(world, robot)
        robot.legs.clear()
        robot.task = -1
        tote = world.stock.totes.get(leg.load)
        if tote is not None:
            tote.user = None
            if tote.waiters:
                fetch(world, tote.waiters.popleft())
        flow.quarantine(world, order, token, f"{token[1]}: no robot can take {leg.load}")
    missions.advance(world, robot)


def give_back(world: World, robot: Robot) -> None:
    """The robot can't go on: a task it has not loaded goes back to the pool."""
    if robot.task < 0 or robot.load or robot.action >= 0:
        return
    if not robot.legs or robot.legs[0].action != "pick":
        return
    leg = robot.legs[0]
    assert leg.token is not None
    order = world.orders[leg.token[0]]
    missions.give_up_goal(world, robot)
    robot.legs.clear()
    robot.task = -1
    carries = "tote" if leg.load in world.stock.totes else "parcel"
    _open_task(world, order, leg.token, leg.node, leg.bay, leg.load, carries)
