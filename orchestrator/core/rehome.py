"""Room before a broken machine: orders that have not begun there move to another station; the totes
of others go home and come again when the machine works."""

from __future__ import annotations

from orchestrator.core import bays, carry, closures, flow, missions, stations
from orchestrator.core.orders import Order
from orchestrator.core.robots import Leg, Robot, Token
from orchestrator.core.site import OrderType, Step
from orchestrator.core.world import Task, World


def clear(world: World, station: int, capability: str) -> None:
    """Once a tick while a machine of the station is broken."""
    for order in _waiting(world, station):
        kind = world.site.order_types[order.kind]
        needs = _needs(kind, per_line=False)
        if capability not in needs:
            continue
        fixed = _begun(world, order) or _entering(world, order, station)
        to = -1 if fixed else _elsewhere(world, order, station, needs)
        if to >= 0:
            _move(world, order, station, to)
        elif capability in _needs(kind, per_line=True):
            _hold(world, order, station)


def move_on(world: World, station: int) -> None:
    """The station is out of reach: orders that have nothing in a box, and whose totes are all in their
    slots yet, move to another one, if that has room."""
    for order in _waiting(world, station):
        needs = _needs(world.site.order_types[order.kind], per_line=False)
        totes = [world.stock.totes.get(line.tote) for line in order.lines]
        if any(tote is not None and world.stock.out_of_reach(tote) for tote in totes):
            continue  # it would wait there as well
        if _begun(world, order):
            continue  # what it has in a box stays where that is
        tasks = [_task_of(world, token) for token in order.active]
        if needs and all(task is not None and task.id in world.tasks for task in tasks):
            to = _elsewhere(world, order, station, needs)
            if to >= 0:
                _move(world, order, station, to)


def let_come(world: World, station: int) -> None:
    """The machine works: what went home comes again. Unless another one that they need is broken."""
    state = world.stations[station]
    tokens = list(state.held)
    state.held.clear()
    for token in tokens:
        fetch_again(world, token)


def fetch_again(world: World, token: Token) -> None:
    """Retrieve a line's tote, or another one if it has gone meanwhile."""
    order = world.orders[token[0]]
    if token not in order.active:
        return
    if order.state != "open":
        flow.step_ended(world, token, "ok")  # lets go of what it has
        return
    there = order.lines[token[2]].tote in world.stock.totes
    if there or flow.choose_tote(world, order, token[2]):
        carry.start(world, token)
    else:
        flow.quarantine(world, order, token, f"{token[1]}: no further stock")


def _waiting(world: World, station: int) -> list[Order]:
    """Open orders that have something on its way to the station, or waiting there."""
    bay = world.site.stations[station].bay
    tokens = [task.token for task in world.tasks.values() if task.end_bay == bay]
    tokens += [task.token for task in world.underway.values() if task.end_bay == bay]
    for queue in world.stations[station].queues.values():
        tokens += queue
    tokens += world.stations[station].held
    names = dict.fromkeys(token[0] for token in tokens)
    orders = [world.orders[name] for name in names]
    return [order for order in orders if order.position == station and order.state == "open"]


def _needs(kind: OrderType, *, per_line: bool) -> list[str]:
    """What machines do for an order where its totes are brought to (per line: while they stand)."""
    if not any(_brings(step) for step in kind.steps.values()):
        return []
    steps = [step for step in kind.steps.values() if step.do in ("work", "inspect")]
    return [step.needs for step in steps if step.per_line or not per_line]


def _brings(step: Step) -> bool:
    return step.do == "carry" and step.start == "home" and step.to == "station" and not step.to_at


def _begun(world: World, order: Order) -> bool:
    """Something of it is in a box, or may be for all one knows, or a machine is at it just now."""
    return (
        order.box in world.stock.boxes
        or bool(order.parcel[0] or order.asked)
        or any(token[0] == order.id for token in world.works.values())
        or any(token[0] == order.id for token in world.looks.values())
    )


def _entering(world: World, order: Order, station: int) -> bool:
    """A robot with one of its totes is in the bay, and has to drive through it before it can leave."""
    bay = world.site.stations[station].bay
    tasks = [t for t in world.underway.values() if t.token[0] == order.id and t.end_bay == bay]
    robots = [(_robot_at(world, task), task) for task in tasks]
    return any(robot is None or _inside(world, robot, task) for robot, task in robots)


def _inside(world: World, robot: Robot, task: Task) -> bool:
    return bays.inside(world, robot.index) == task.end_bay


def _elsewhere(world: World, order: Order, station: int, needs: list[str]) -> int:
    """Another station that can do the same things, works, and has room; -1: there is none."""
    here = world.site.stations[station]
    wanted = [name for name in needs if name in here.capabilities]
    fleets = world.site.roadmap.bays[here.bay].fleets
    best, best_room = -1, 0
    for index, known in enumerate(world.site.stations):
        state = world.stations[index]
        room = known.positions - state.used - len(state.waiters)
        fits = all(name in known.capabilities for name in wanted)
        open_to = closures.bay_fleets(world, known.bay) & fleets == fleets
        if fits and open_to and not state.out and room > best_room:
            best, best_room = index, room
    return best


def _move(world: World, order: Order, station: int, to: int) -> None:
    """The order is worked on elsewhere from now on."""
    order.station = order.position = to
    world.stations[to].used += 1
    world.alarm(order.id, f"moves to {world.site.stations[to].id}")
    bay = world.site.stations[to].bay
    for token in list(order.active):
        step = flow.step_of(world, order, token[1])
        task = _task_of(world, token)
        if token in world.stations[station].held:
            del world.stations[station].held[token]
            fetch_again(world, token)
        elif task is not None and _brings(step):
            _turn(world, task, bay)
        elif robot := _stands_with(world, order, token, station):
            tote = world.stock.totes[robot.load]
            tote.waiters.appendleft(_back(world, order, token, station))
            carry.send_home(world, tote, None)
    stations.free_position(world, station)


def _turn(world: World, task: Task, bay: int) -> None:
    """The task ends at another station. A robot on the lanes goes there only if it has a place there
    at once, as nobody waits on the lanes: otherwise it brings its tote home, to be fetched again."""
    robot = _robot_at(world, task)
    node = world.site.roadmap.bays[bay].node
    if robot is not None and robot.load and not _may_wait(world, robot, bay):
        world.stock.totes[task.load].waiters.appendleft(task.token)
        carry.turn_back(world, robot)
        return
    task.end_node, task.end_bay = node, bay
    if robot is not None and robot.legs:
        old = robot.legs[-1]
        leg = Leg(node, bay, old.action, old.load, old.token, old.task)
        missions.redirect(world, robot, leg)


def _may_wait(world: World, robot: Robot, bay: int) -> bool:
    inside, known = bays.inside(world, robot.index), world.site.roadmap.bays
    state = world.bays[bay]
    open_to = not state.queue and len(state.holders) < len(known[bay].nodes)
    return open_to or (inside >= 0 and known[inside].kind == "slot")


def _hold(world: World, order: Order, station: int) -> None:
    """Its totes make room; what has not left its slot stays there."""
    state = world.stations[station]
    for token in list(order.active):
        step = flow.step_of(world, order, token[1])
        task = _task_of(world, token)
        if task is not None and _brings(step):
            robot = _robot_at(world, task)
            if robot is not None and not robot.load:
                carry.give_back(world, robot)
                missions.advance(world, robot)
            if task.id in world.tasks:
                state.held[token] = None
                carry.cancel(world, task)
            elif robot is not None and robot.load == task.load and not _inside(world, robot, task):
                state.held[token] = None
                carry.turn_back(world, robot)
        elif robot := _stands_with(world, order, token, station):
            state.held[_back(world, order, token, station)] = None
            carry.send_home(world, world.stock.totes[robot.load], None)


def _task_of(world: World, token: Token) -> Task | None:
    for tasks in (world.tasks, world.underway):
        for task in tasks.values():
            if task.token == token:
                return task
    return None


def _robot_at(world: World, task: Task) -> Robot | None:
    if task.id not in world.underway:
        return None
    return next((robot for robot in world.robots if robot.task == task.id), None)


def _stands_with(world: World, order: Order, token: Token, station: int) -> Robot | None:
    """The robot that stands there with the tote of a step that waits for the machine."""
    step = flow.step_of(world, order, token[1])
    queue = world.stations[station].queues.get(step.needs, ())
    if step.do != "work" or token not in queue or token[1:] in order.asked:
        return None
    tote = world.stock.totes.get(order.load_of(token[2]))
    if tote is None or tote.place[0] != "robot" or not tote.quantity:
        return None
    robot = world.robots[tote.place[1]]
    return robot if not robot.legs and robot.action < 0 and not robot.stuck else None


def _back(world: World, order: Order, token: Token, station: int) -> Token:
    """The line is at its retrieval again instead of before the machine."""
    step = flow.step_of(world, order, token[1])
    world.stations[station].queues[step.needs].remove(token)
    del order.active[token]
    steps = world.site.order_types[order.kind].steps.values()
    again = (order.id, next(s.id for s in steps if _brings(s)), token[2])
    order.active[again] = None
    return again
