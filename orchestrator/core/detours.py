"""What becomes of errands when lanes close: routed round, given to others, elsewhere, or later."""

from __future__ import annotations

from orchestrator.core import (
    bays,
    carry,
    chargers,
    chutes,
    closures,
    flow,
    missions,
    places,
    planning,
    rehome,
    tours,
)
from orchestrator.core.robots import Leg, Robot
from orchestrator.core.world import Task, World


def changed(world: World) -> None:
    """Something closed or opened: plan anew, and look at every errand again."""
    if not closures.update(world):
        return
    world.traffic.drop_planned()
    planning.stale(world)
    known = world.stock.zone_of if world.closures.parts else ()
    world.stock.far = {slot: None for slot in known if not closures.bay_fleets(world, slot)}
    for robot in world.robots:
        leg = robot.legs[0] if robot.legs else None
        if robot.stuck or robot.action >= 0 or leg is None:
            robot.cut = False
        elif robot.cut:
            robot.cut = False
            missions.advance(world, robot)
        elif not closures.reaches(world, robot, leg.node):
            cut_off(world, robot, leg)
    for tokens in world.stock.slot_waiters.values():
        for _ in range(len(tokens)):
            if not tokens:  # a slot that became free meanwhile took the next one
                break
            carry.start(world, tokens.popleft())  # a slot may be in reach again
    for task in list(world.tasks.values()):
        _another_tote(world, task)
    chutes.changed(world)
    for sku in list(world.short):
        flow.stock_came(world, sku)
    flow.release_backlog(world)


def watch(world: World) -> None:
    """Once a tick: orders that have not begun at a station out of reach move where there is room."""
    for station, known in enumerate(world.site.stations if world.closures.parts else ()):
        if not closures.bay_fleets(world, known.bay):
            rehome.move_on(world, station)


def _another_tote(world: World, task: Task) -> None:
    """A tote that stands out of reach is not waited for if another one has what its line needs."""
    order, line = world.orders[task.token[0]], task.token[2]
    step, stock = flow.step_of(world, order, task.token[1]), world.stock
    tote = stock.totes.get(task.load)
    if tote is None or not stock.out_of_reach(tote) or (step.start, step.to) != ("home", "station"):
        return
    wanted = order.lines[max(line, 0)]
    other = stock.choose(wanted.sku, wanted.open, world.site.order_types[order.kind].zone)
    if line < 0 or other is None or other.home in stock.far:
        return
    carry.cancel(world, task)
    tote.unreserve(wanted.open)
    other.reserved += wanted.open
    wanted.tote = other.id
    carry.start(world, task.token)


def cut_off(world: World, robot: Robot, leg: Leg) -> None:
    """The robot can't get to its leg's place: the errand goes to another robot, to another place, or
    waits, and the robot with it, where it is in nobody's way."""
    missions.give_up_goal(world, robot)
    if leg.parking or leg.action == "charge":
        if leg.action == "charge":
            chargers.occupied(world, robot, leg.bay, "a dead robot is in the way")
        robot.legs.popleft()
        missions.advance(world, robot)
        return
    if leg.action == "pick" and (not robot.load or tours.several(world, robot)):
        carry.give_back(world, robot)
        missions.advance(world, robot)
        return
    other = _elsewhere(world, robot, leg) or chutes.redirected(world, robot, leg)
    if other is not None:
        missions.redirect(world, robot, other)
        return
    robot.cut = True
    make_way(world, robot)


def make_way(world: World, robot: Robot) -> None:
    """A robot that waits for a way to open waits where nobody has to pass."""
    if not robot.legs:
        robot.cut = False  # it is where it was to be
    if robot.stuck or robot.goal >= 0 or not robot.cut:
        return
    bay = bays.inside(world, robot.index)
    kind = world.site.roadmap.bays[bay].kind if bay >= 0 else ""
    if kind in ("", "station") or world.bays[bay].queue:
        missions.park(world, robot)


def _elsewhere(world: World, robot: Robot, leg: Leg) -> Leg | None:
    """Another slot for a tote on its way to one that is out of reach."""
    tote, stock = world.stock.totes.get(robot.load), world.stock
    if tote is None or leg.action != "drop" or leg.bay != tote.home or len(robot.legs) > 1:
        return None
    fleets, near = 1 << robot.fleet, world.traffic.tail[robot.index]
    slot = places.slot_for(world, near, stock.zone_of[leg.bay], fleets)
    if slot < 0 or not closures.bay_fleets(world, slot) & fleets:
        return None
    node = world.site.roadmap.bays[slot].node
    other = Leg(node, slot, "drop", leg.load, leg.token, leg.task)
    if not closures.reaches(world, robot, node):
        return None
    stock.take_slot(tote, slot)
    task = world.underway.get(robot.task)
    if task is not None:
        task.end_node, task.end_bay = node, slot
    carry.slot_free(world, leg.bay)
    return other
