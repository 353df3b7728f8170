"""Vehicles with several places: what they are offered, the answer checked, and the next leg of each."""

from __future__ import annotations

from collections import deque

from orchestrator.core import closures, missions, places
from orchestrator.core.messages import RequestTours, ToursPlanned
from orchestrator.core.planning_messages import TourRobot, TourTask
from orchestrator.core.robots import Leg, Robot
from orchestrator.core.world import MS_NS, Task, World

TASKS_MAX = 64  # offered at once, the most urgent ones
URGENCY_MS = 3_600_000
HANDLING_MS = 5_000
NO_DUE_MS = 2**40
AGAIN_NS = 30_000_000_000  # tours are planned anew at least so often while something waits


def several(world: World, robot: Robot) -> bool:
    """It has more than one place."""
    return world.site.fleets[robot.fleet].places > 1


def request(world: World) -> None:
    """Once a tick: ask for tours if enough waits, or something waits long enough."""
    mask = world.touring
    if not mask:
        return
    if world.tour_request >= 0:
        late_ns = world.site.policy.answer_ms * MS_NS
        if world.time_ns - world.tour_requested_ns < late_ns:
            return
    elif world.time_ns - world.tour_requested_ns < world.site.policy.tour_gap_ms * MS_NS:
        return
    tasks = [
        task
        for task in world.tasks.values()
        if task.bay >= 0 and closures.fleets_of(world, task) & mask
    ]
    if not tasks or not _worth_it(world, tasks):
        return
    robots = [robot for robot in world.robots if mask >> robot.fleet & 1 and _able(world, robot)]
    if not robots:
        return
    state = (max(task.id for task in tasks), len(tasks), sum(robot.idle for robot in robots))
    if state == world.tour_state and world.time_ns - world.tour_requested_ns < AGAIN_NS:
        return  # the answer would be the same
    world.tour_state = state
    if len(tasks) > TASKS_MAX:
        tasks = sorted(tasks, key=lambda task: (task.due_ns or 2**62, task.id))[:TASKS_MAX]
    world.tour_request = world.number()
    world.tour_requested_ns = world.time_ns
    world.out.append(
        RequestTours(
            request=world.tour_request,
            tasks=tuple(_task(world, task) for task in tasks),
            robots=tuple(_vehicle(world, robot) for robot in robots),
        )
    )


def _worth_it(world: World, tasks: list[Task]) -> bool:
    """Something has waited long enough, or a vehicle could be filled."""
    wait_ns = world.site.policy.tour_wait_ms * MS_NS
    if any(world.time_ns - task.since_ns >= wait_ns for task in tasks):
        return True
    return len(tasks) >= min(fleet.places for fleet in world.site.fleets if fleet.places > 1)


def _able(world: World, robot: Robot) -> bool:
    """It obeys, and has charge for more than what it has aboard."""
    if robot.stuck or robot.charging or robot.barred or closures.enclosed(world, robot):
        return False
    urgent = world.site.fleets[robot.fleet].charge_urgent_permille
    return bool(robot.loads) or robot.battery_permille >= urgent


def _due_in_ms(world: World, task: Task) -> int:
    return (task.due_ns - world.time_ns) // MS_NS if task.due_ns else NO_DUE_MS


def _task(world: World, task: Task) -> TourTask:
    due_in_ms = _due_in_ms(world, task)
    priority = min(max(0, URGENCY_MS - due_in_ms), 10 * URGENCY_MS)
    return TourTask(task.id, task.fleets, task.node, task.end_node, due_in_ms, priority)


def _vehicle(world: World, robot: Robot) -> TourRobot:
    fleet = world.site.fleets[robot.fleet]
    aboard = list(robot.aboard)
    free_in_ms, node = 0, world.traffic.tail[robot.index]
    leg = next((leg for leg in robot.legs if not leg.parking), None)
    if leg is not None:  # it ends before anything else begins
        node = leg.node
        way_mm = places.distance_mm(world, world.traffic.at[robot.index], node)
        free_in_ms = HANDLING_MS + way_mm * 2000 // fleet.speed_mmps
        if leg.action == "pick":
            aboard.append(leg.task)
        elif leg.task in aboard:
            aboard.remove(leg.task)
    tasks = [world.underway[number] for number in aboard]
    return TourRobot(
        robot=robot.index,
        fleet=robot.fleet,
        node=node,
        heading_deg=world.traffic.tail_heading_deg[robot.index],
        free_in_ms=free_in_ms,
        places=fleet.places,
        reach_ms=fleet.reach_mm * robot.battery_permille // fleet.speed_mmps,
        aboard=tuple((task.id, task.end_node, _due_in_ms(world, task)) for task in tasks),
    )


def planned(world: World, event: ToursPlanned) -> None:
    """Take the tours over as far as they hold, and let vehicles that stand begin."""
    if event.request != world.tour_request:
        return
    world.tour_request = -1
    taken: set[int] = set()
    for index, stops in event.tours:
        if not 0 <= index < len(world.robots):
            continue
        robot = world.robots[index]
        if several(world, robot) and not robot.barred:
            robot.tour = _checked(world, robot, stops, taken)
            if robot.tour and not robot.stuck and _stands(robot):
                if robot.legs:  # on its way to parking
                    missions.break_off(world, robot)
                missions.stop_charging(world, robot)
                missions.advance(world, robot)


def _stands(robot: Robot) -> bool:
    """Nothing is under way that must end first."""
    return robot.action < 0 and all(leg.parking for leg in robot.legs)


def _checked(
    world: World, robot: Robot, stops: tuple[tuple[int, int], ...], taken: set[int]
) -> deque[tuple[int, int]]:
    """The tour without what is impossible, and with everything aboard brought to its end."""
    places = world.site.fleets[robot.fleet].places
    aboard = dict(robot.aboard)
    leg = next((leg for leg in robot.legs if not leg.parking), None)
    if leg is not None and leg.action == "pick":
        aboard[leg.task] = None
    elif leg is not None:
        aboard.pop(leg.task, None)
    tour: deque[tuple[int, int]] = deque()
    for number, side in stops:
        task = world.tasks.get(number)
        if side == 0 and task is not None and task.fleets >> robot.fleet & 1:
            if number not in taken and len(aboard) < places:
                taken.add(number)
                aboard[number] = None
                tour.append((number, 0))
        elif side == 1 and number in aboard:
            del aboard[number]
            tour.append((number, 1))
    tour.extend((number, 1) for number in aboard)
    return tour


def next_leg(world: World, robot: Robot) -> bool:
    """Begin the next stop of the tour; False: there is none."""
    while robot.tour:
        number, side = robot.tour.popleft()
        if side == 1 and number in robot.aboard:
            task = world.underway[number]
            end = (task.end_node, task.end_bay)
            robot.legs.append(Leg(*end, task.action, task.load, task.token, task.id))
            return True
        if side == 0 and number in world.tasks and _fits(world, robot):
            task = world.tasks.pop(number)
            world.underway[number] = task
            robot.task = number
            missions.task_began(world, robot, task.node)
            robot.legs.append(Leg(task.node, task.bay, "pick", task.load, task.token, task.id))
            return True
    return False


def _fits(world: World, robot: Robot) -> bool:
    return len(robot.loads) < world.site.fleets[robot.fleet].places


def forget(robot: Robot) -> None:
    """It promises nothing any more; what is aboard it still brings."""
    robot.tour = deque((number, 1) for number in robot.aboard)
