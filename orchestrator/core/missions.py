"""Robots at their errands: tickets, goals, actions at the goal, and parking between them."""

from __future__ import annotations

from orchestrator.core import (
    bays,
    carry,
    chargers,
    closures,
    detours,
    exceptions,
    nonsense,
    places,
    scopes,
    tours,
)
from orchestrator.core.messages import ActionEnded, StartAction
from orchestrator.core.robots import Leg, Robot
from orchestrator.core.world import MS_NS, World


def advance(world: World, robot: Robot) -> None:
    """Make the robot do the first of its legs, or decide what an idle robot does."""
    if robot.stuck or robot.action >= 0:
        return
    if not robot.legs and not (robot.tour and tours.next_leg(world, robot)):
        robot.goal = -1
        if not robot.load:
            rest(world, robot)
        return
    leg = robot.legs[0]
    traffic = world.traffic
    here = traffic.at[robot.index] == leg.node
    if here and (leg.bay < 0 or traffic.tail[robot.index] == leg.node):
        robot.goal = -1
        _arrive(world, robot, leg)
        return
    if not closures.reaches(world, robot, leg.node):
        detours.cut_off(world, robot, leg)
        return
    if leg.bay >= 0 and not bays.ask(world, robot.index, leg.bay):
        if robot.waiting_bay != leg.bay:
            robot.waiting_bay, robot.gained_ns = leg.bay, world.time_ns
        robot.goal = -1
        _make_way(world, leg.bay, robot)
        if _in_the_way(world, robot):
            park(world, robot)
        return
    if robot.goal != leg.node:
        robot.waiting_bay = -1
        robot.goal = leg.node
        robot.goal_since_ns = world.time_ns
        robot.been = {traffic.at[robot.index]: None}
        robot.gained_ns, robot.rings, robot.vain = world.time_ns, 0, 0
        world.path_wanted = True


def _arrive(world: World, robot: Robot, leg: Leg) -> None:
    if not leg.action:
        robot.legs.popleft()
        if leg.token is not None and not robot.legs:
            carry.arrived(world, robot, leg)
        advance(world, robot)
        return
    stop_charging(world, robot)
    robot.action = world.number()
    world.out.append(
        StartAction(
            robot=robot.index, action=robot.action, kind=leg.action, load=leg.load, bay=leg.bay
        )
    )


def stop_charging(world: World, robot: Robot) -> None:
    """Leave the charger's contacts before anything else."""
    if robot.charging:
        robot.charging = False
        world.out.append(
            StartAction(robot=robot.index, action=world.number(), kind="stop_charging")
        )


def action_ended(world: World, event: ActionEnded) -> None:
    """A robot's action at its goal ended; go on with the next leg."""
    robot = world.robots[event.robot]
    if robot.action != event.action:
        if not 0 < event.action <= world.numbers:
            nonsense.count(world, robot, f"ends action {event.action}, which nobody gave")
        return
    robot.action = -1
    leg = robot.legs[0]
    if event.outcome != "ok" and leg.action == "charge":
        chargers.failed(world, robot)
        return
    if event.outcome != "ok":
        carry.handling_failed(world, robot, leg)
        return
    robot.failures = 0
    robot.legs.popleft()
    if leg.action in ("pick", "drop"):
        robot.wear.lifts += 1
        robot.wear.lifts_all += 1
    if leg.action == "charge":
        robot.charging, robot.charge_first = True, False
        robot.wear.charges += 1
        robot.task = -1
        chargers.charges(world, robot, leg.bay)
    elif leg.action == "pick":
        exceptions.ended(world, carry.FAILED, leg.load, "resolved")
        carry.picked(world, robot, leg)
    elif leg.action == "drop":
        exceptions.ended(world, carry.FAILED, leg.load, "resolved")
        carry.dropped(world, robot, leg)
    advance(world, robot)


def try_again(world: World) -> None:
    """Once a tick: actions that failed."""
    for robot in world.robots:
        if robot.failures and robot.action < 0:
            advance(world, robot)


def left_bay(world: World, robot: int, bay: int) -> None:
    """The robot is out: its ticket goes to the next."""
    _granted(world, bays.give_back(world, robot, bay))


def _granted(world: World, robots: list[int]) -> None:
    """Robots that got the ticket they waited for go, also from the way to parking."""
    for index in robots:
        robot = world.robots[index]
        robot.waiting_bay = -1
        if len(robot.legs) > 1 and robot.legs[0].parking:
            give_up_goal(world, robot)
            robot.legs.popleft()
        advance(world, robot)


def give_up_goal(world: World, robot: Robot) -> None:
    """Break off the way to the first leg's place; a ticket goes back unless the robot is inside."""
    leg = robot.legs[0] if robot.legs else None
    robot.goal = -1
    robot.waiting_bay = -1
    world.path_wanted = True
    if leg is not None and leg.bay >= 0:
        _granted(world, bays.withdraw(world, robot.index, leg.bay))


def break_off(world: World, robot: Robot) -> None:
    """Forget all that it was to do. It may wait for a ticket elsewhere while it drives to park."""
    give_up_goal(world, robot)
    for leg in list(robot.legs)[1:]:
        if leg.bay >= 0:
            _granted(world, bays.withdraw(world, robot.index, leg.bay))
    robot.legs.clear()


def redirect(world: World, robot: Robot, leg: Leg) -> None:
    """The last of its legs leads elsewhere from now on."""
    old = _take_last(world, robot)
    robot.cut = False  # found out anew
    robot.legs.append(leg)
    if len(robot.legs) == 1:
        advance(world, robot)
    _give_ticket_back(world, robot, old)


def drop_last(world: World, robot: Robot) -> None:
    """The last of its legs is not driven after all."""
    old = _take_last(world, robot)
    _give_ticket_back(world, robot, old)
    if not robot.legs:
        advance(world, robot)


def _take_last(world: World, robot: Robot) -> Leg:
    old = robot.legs.pop()
    world.path_wanted = True
    if not robot.legs:
        robot.goal = -1
    if robot.waiting_bay == old.bay:
        robot.waiting_bay = -1
    return old


def _give_ticket_back(world: World, robot: Robot, old: Leg) -> None:
    if old.bay >= 0 and all(leg.bay != old.bay for leg in robot.legs):
        _granted(world, bays.withdraw(world, robot.index, old.bay))


def assign(world: World, robot: Robot, legs: list[Leg]) -> None:
    """Give an idle robot new errands; a way to parking is broken off for them."""
    assert robot.idle, robot.name
    stop_charging(world, robot)
    if robot.legs:
        break_off(world, robot)
    robot.legs.extend(legs)
    advance(world, robot)


def rest(world: World, robot: Robot) -> None:
    """Nothing to do: leave a station at once, a slot after a while, a parking place never."""
    robot.idle_since_ns = world.time_ns
    task = world.tasks.get(robot.next_task)
    robot.next_task = -1
    if task is not None:
        carry.begin(world, robot, task)
        return
    bay = bays.inside(world, robot.index)
    kind = world.site.roadmap.bays[bay].kind if bay >= 0 else "core"
    if kind == "station" or (bay >= 0 and world.bays[bay].queue):
        park(world, robot)


def _make_way(world: World, bay: int, comer: Robot) -> None:
    """Whoever rests, or waits without a load, in a bay that another one needs goes to park."""
    for holder in list(world.bays[bay].holders):
        robot = world.robots[holder]
        waits = robot.waiting_bay >= 0 and not robot.stuck
        waits = waits and (not robot.load or tours.several(world, robot))
        if robot is not comer and ((robot.idle and not robot.legs) or waits):
            park(world, robot)


def _in_the_way(world: World, robot: Robot) -> bool:
    """Waiting for a ticket in a station, or where another one waits to come, would close a circle of
    robots that wait for each other. A loaded robot stays: what it waits for always becomes free."""
    bay = bays.inside(world, robot.index)
    if bay < 0 or (robot.load and not tours.several(world, robot)):
        return False
    return world.site.roadmap.bays[bay].kind == "station" or bool(world.bays[bay].queue)


def park(world: World, robot: Robot) -> None:
    """Send a robot to the nearest free parking place, or charger if there is no other, before
    whatever else it is to do."""
    roadmap, at = world.site.roadmap, world.traffic.tail[robot.index]
    if not world.site.roadmap.bays:
        return
    best, best_key = -1, (2, 0)
    here = bays.inside(world, robot.index)
    for index in world.rests:
        bay = roadmap.bays[index]
        if not bay.fleets >> robot.fleet & 1:
            continue
        if not scopes.open_to_rest(world, bay.node):
            continue
        if index != here and bays.free(world, index) and closures.reaches(world, robot, bay.node):
            way_mm = places.distance_mm(world, at, bay.node)
            way_mm += 2 * _onward_mm(world, robot, bay.node)  # driven with a task waiting
            key = (int(bay.kind == "charger"), way_mm)
            if best < 0 or key < best_key:
                best, best_key = index, key
    if best < 0 or (robot.legs and robot.legs[0].parking):
        return
    stop_charging(world, robot)
    robot.legs.appendleft(Leg(node=roadmap.bays[best].node, bay=best, parking=True))
    advance(world, robot)


def _onward_mm(world: World, robot: Robot, node: int) -> int:
    """The mean way from a parking place to where tasks of the robot's fleet began last."""
    begun = world.energy[robot.fleet].begun
    if not begun or world.site.policy.parking != "demand":
        return 0
    return sum(places.distance_mm(world, node, place) for place in begun) // len(begun)


def task_began(world: World, robot: Robot, node: int) -> None:
    """Remember where: every fourth, so that the last six tell of the last while."""
    energy = world.energy[robot.fleet]
    energy.tasks += 1
    if energy.tasks % 4 == 1:
        energy.begun.append(node)


def park_idle(world: World) -> None:
    """Once a tick: robots that have rested long enough in a slot make room."""
    limit_ns = world.site.policy.park_after_ms * MS_NS
    for robot in world.robots:
        if robot.waiting_bay >= 0 and not robot.stuck and _in_the_way(world, robot):
            park(world, robot)
        if robot.cut:
            detours.make_way(world, robot)
        if robot.idle and not robot.legs and world.time_ns - robot.idle_since_ns >= limit_ns:
            bay = bays.inside(world, robot.index)
            kind = world.site.roadmap.bays[bay].kind if bay >= 0 else "core"
            stays = world.site.policy.parking == "stay" and kind == "slot"
            if kind not in ("parking", "charger") and not stays:
                park(world, robot)
