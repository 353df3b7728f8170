"""How many robots of a fleet are at work at a time (ADR 28).

Lanes carry the more the more robots drive on them, up to a density; beyond it each further one costs
the others more than it brings (the fundamental diagram of traffic; Greenshields, 1935). So where too
large a share of a fleet's robots that are under way stands, fewer of them begin something new, and the
others park; where lanes are free again, more do.
"""

from __future__ import annotations

from orchestrator.core.robots import Robot
from orchestrator.core.world import MS_NS, NEVER_NS, Density, World

PERIOD_NS = 60_000 * MS_NS  # between two decisions: what was decided must be felt first
STEP = 16  # one robot in so many, at a time
LEAST = 4  # one robot in so many of a fleet may always work
SLACK_PERCENT = 5  # that less must wait before more begin


def watch(world: World) -> None:
    """Once a tick: who drives and who waits, by fleet; now and then, how many may work."""
    percent = world.site.policy.waiting_percent
    if not percent:
        world.density = [Density() for _ in world.site.fleets]
        return
    count, busy = [0] * len(world.density), [0] * len(world.density)
    traffic = world.traffic
    for robot in world.robots:
        state = world.density[robot.fleet]
        count[robot.fleet] += 1
        busy[robot.fleet] += not (robot.idle or robot.stuck or robot.charging)
        if not traffic.still(robot.index):
            state.driving += 1
        elif robot.goal >= 0 and not robot.stuck:
            state.waiting += traffic.tail[robot.index] != robot.goal
    for fleet, state in enumerate(world.density):
        if world.time_ns - state.since_ns >= PERIOD_NS:
            _decide(state, count[fleet], busy[fleet], percent)
            state.since_ns, state.driving, state.waiting = world.time_ns, 0, 0
        state.spare = state.most - busy[fleet]


def _decide(state: Density, count: int, busy: int, percent: int) -> None:
    share = 100 * state.waiting
    under_way = state.driving + state.waiting
    bounded = state.most >= 0
    if share > percent * under_way:
        now = min(state.most, busy) if bounded else busy
        state.most = max(-(-count // LEAST), now - -(-now // STEP))
    elif bounded and share < (percent - SLACK_PERCENT) * under_way:
        state.most += -(-count // STEP)
        if state.most >= count:
            state.most = -1


def most_urgent_first(world: World, pairs: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """(task, robot) pairs, as they come where everybody may begin: who is held back is to be the one
    that there is time for."""
    if all(state.most < 0 for state in world.density):
        return list(pairs)
    known = {task: world.tasks[task].due_ns or NEVER_NS for task, _ in pairs if task in world.tasks}
    return sorted(pairs, key=lambda pair: (known.get(pair[0], 0), pair[0]))


def begins(world: World, robot: Robot) -> bool:
    """It is idle: may it begin something?"""
    state = world.density[robot.fleet]
    if state.most < 0:
        return True
    if state.spare <= 0:
        return False
    state.spare -= 1
    return True


def goes_on(world: World, robot: Robot) -> bool:
    """It has done something: may it begin the next?"""
    state = world.density[robot.fleet]
    state.spare += 1
    return begins(world, robot)
