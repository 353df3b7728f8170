"""Which robot takes which task: offers to the solver, and its answer carried out.

Offers name free robots and those that will soon be free; a promise to a busy robot may change until
it begins. Charging is a task like any other: each free charger is offered to the robots whose charge
is low, under a negative number.
"""

from __future__ import annotations

from orchestrator.core import bays, carry, charging, closures, energy, missions, places
from orchestrator.core.messages import AssignmentMade, RequestAssignment
from orchestrator.core.planning_messages import RobotOffer, TaskOffer
from orchestrator.core.robots import Leg, Robot
from orchestrator.core.world import MS_NS, Task, World

TASKS_MAX = 256  # offered at once to the same fleets, the most urgent ones
CHARGE_BIT = 16
URGENCY_MS = 3_600_000  # a task due now is worth an hour's travel more than one without a due time
OVERDUE_MS = 10 * URGENCY_MS  # and one that is overdue goes on becoming dearer, up to here
SOON_LEGS = 1  # robots on their last leg are soon free
HANDLING_MS = 5_000


def request(world: World) -> None:
    """Once a tick: ask for a matching if there is something to match."""
    if world.assign_request >= 0:
        late_ns = world.site.policy.answer_ms * MS_NS
        if world.time_ns - world.assign_requested_ns < late_ns:
            return
    charge = energy.emptiest(world)
    offers = (_robot_offer(world, robot, robot.index in charge) for robot in world.robots)
    robots = [offer for offer in offers if offer is not None]
    tasks = _task_offers(world)
    if not robots or not tasks:
        return
    classes = 0
    for offer in robots:
        classes |= offer.classes
    tasks = [task for task in tasks if task.classes & classes]
    if not tasks or not any(offer.free_in_ms == 0 for offer in robots):
        return
    world.assign_request = world.number()
    world.assign_requested_ns = world.time_ns
    world.out.append(
        RequestAssignment(request=world.assign_request, tasks=tuple(tasks), robots=tuple(robots))
    )


def _task_offers(world: World) -> list[TaskOffer]:
    single = ~world.touring
    tasks = [task for task in world.tasks.values() if task.fleets & single]
    if len(tasks) > TASKS_MAX:
        tasks = _most_urgent(tasks)
    offers = []
    for task in tasks:
        slack_ms = (task.due_ns - world.time_ns) // MS_NS if task.due_ns else URGENCY_MS
        priority = min(max(0, URGENCY_MS - slack_ms), OVERDUE_MS)
        fleets = closures.fleets_of(world, task) & single
        if fleets:
            onward_ms = _onward_ms(world, task)
            offers.append(TaskOffer(task.id, task.node, fleets, priority, onward_ms))
    for index in world.chargers:
        if energy.open_to(world, index):
            node, fleets = world.site.roadmap.bays[index].node, closures.bay_fleets(world, index)
            offers.append(TaskOffer(-1 - index, node, fleets << CHARGE_BIT, 0, 0))
    return offers


def _most_urgent(tasks: list[Task]) -> list[Task]:
    """No more than `TASKS_MAX` of those that the same fleets may take: many tasks of one fleet must not
    keep another one from its own."""
    alike: dict[int, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: (task.due_ns or 2**62, task.id)):
        group = alike.setdefault(task.fleets, [])
        if len(group) < TASKS_MAX:
            group.append(task)
    return [task for group in alike.values() for task in group]


def _onward_ms(world: World, task: Task) -> int:
    """Driving time after the pickup: the Manhattan distance at 1 m/s (so mm are ms)."""
    order = world.orders[task.token[0]]
    way_mm, at = 0, task.node
    for node in order.stops or (task.end_node,):
        way_mm += places.distance_mm(world, at, node)
        at = node
    return way_mm


def _robot_offer(world: World, robot: Robot, charge: bool) -> RobotOffer | None:
    fleet = world.site.fleets[robot.fleet]
    free_in_ms, node = 0, world.traffic.tail[robot.index]
    if closures.enclosed(world, robot):
        return None
    if robot.idle:
        if robot.charging and not charging.enough(world, robot):
            return None
    elif not world.site.policy.soon_free:
        return None
    else:
        leg = robot.legs[-1] if robot.legs else None
        soon = leg is not None and len(robot.legs) <= SOON_LEGS and leg.action in ("drop", "")
        if (
            robot.stuck
            or robot.charging
            or not soon
            or leg is None
            or leg.bay < 0 < len(leg.action)
        ):
            return None
        if not leg.action and leg.bay >= 0:
            return None
        length_mm = places.distance_mm(world, world.traffic.at[robot.index], leg.node)
        free_in_ms = HANDLING_MS + length_mm * 2000 // fleet.speed_mmps
        node = leg.node
    classes = 0
    if (
        robot.battery_permille >= fleet.charge_urgent_permille
        and not robot.barred
        and fleet.places == 1
    ):
        classes |= 1 << robot.fleet
    if charge:
        classes |= 1 << (robot.fleet + CHARGE_BIT)
    if not classes:
        return None
    reach_ms = fleet.reach_mm * robot.battery_permille // fleet.speed_mmps
    heading = world.traffic.tail_heading_deg[robot.index]
    return RobotOffer(robot.index, robot.fleet, classes, node, heading, free_in_ms, reach_ms)


def made(world: World, event: AssignmentMade) -> None:
    """Carry the matching out, as far as it still holds."""
    if event.request != world.assign_request:
        return
    world.assign_request = -1
    for robot in world.robots:
        robot.next_task = -1
    for number, index in event.pairs:
        if not 0 <= index < len(world.robots):
            continue
        robot = world.robots[index]
        if number < 0:
            _charge(world, robot, -1 - number)
            continue
        task = world.tasks.get(number)
        if task is None or robot.barred or not task.fleets >> robot.fleet & 1:
            continue
        if robot.idle and (not robot.charging or charging.enough(world, robot)):
            carry.begin(world, robot, task)
        elif not robot.stuck:
            robot.next_task = number


def _charge(world: World, robot: Robot, bay: int) -> None:
    known = world.site.roadmap.bays
    if not robot.idle or not bay < len(known) or known[bay].kind != "charger":
        return
    if bays.free(world, bay) or bays.inside(world, robot.index) == bay:
        missions.assign(world, robot, [Leg(known[bay].node, bay, "charge")])
