"""How many robots of a fleet are under way at a time (ADR 28).

Lanes carry the more the more robots are on them, up to a density; beyond it each further one costs
the others more than it brings (the fundamental diagram of traffic; Greenshields, 1935). So where fewer
drive than once did, and many stand on their way, fewer begin something new, and the others park; where
lanes flow again, more do.
"""

from __future__ import annotations

from orchestrator.core.robots import Robot
from orchestrator.core.world import MS_NS, NEVER_NS, Density, World

PERIOD_NS = 60_000 * MS_NS  # between two decisions: what was decided must be felt first
PART = 16  # one robot in so many fewer is fewer, and so many fewer may at a time
FADES = 256  # what was seen once counts one in so many less from period to period


def watch(world: World) -> None:
    """Once a tick: who drives and who waits, by fleet; now and then, how many may be under way."""
    if not world.site.policy.hold_back:
        world.density = [Density(since_ns=world.time_ns) for _ in world.site.fleets]
        return
    under_way, traffic = [0] * len(world.density), world.traffic
    for robot in world.robots:
        state = world.density[robot.fleet]
        drives = not traffic.still(robot.index)
        waits = robot.goal >= 0 and traffic.tail[robot.index] != robot.goal and not robot.stuck
        if drives or waits:
            under_way[robot.fleet] += 1
            state.driving += drives
            state.waiting += not drives
    for fleet, state in enumerate(world.density):
        state.ticks += 1
        if world.time_ns - state.since_ns >= PERIOD_NS:
            _decide(state, 1000 * state.driving // state.ticks, 1000 * state.waiting // state.ticks)
            state.since_ns, state.ticks, state.driving, state.waiting = world.time_ns, 0, 0, 0
        state.spare = state.most // 1000 - under_way[fleet]


def _decide(state: Density, driving: int, waiting: int) -> None:
    """Thousandths of robots, on the mean of the period."""
    under_way = driving + waiting
    state.flow = max(driving, state.flow - state.flow // FADES)
    if PART * driving < (PART - 1) * state.flow and 3 * waiting > under_way:
        now = under_way if state.most < 0 else min(state.most, under_way)
        state.most = max(state.flow, now - now // PART)
    elif 4 * under_way < 3 * state.most:
        state.most = -1  # so many don't want to
    elif state.most >= 0:
        state.most += state.most // (4 * PART)


def most_urgent_first(world: World, pairs: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """(task, robot) pairs, as they come where everybody may begin: who is held back is to be the one
    that there is time for."""
    if all(state.most < 0 for state in world.density):
        return list(pairs)
    known = {task: world.tasks[task].due_ns or NEVER_NS for task, _ in pairs if task in world.tasks}
    return sorted(pairs, key=lambda pair: (known.get(pair[0], 0), pair[0]))


def may_begin(world: World, robot: Robot) -> bool:
    """It is where it was to be: may it be on its way to something new?"""
    state = world.density[robot.fleet]
    if state.most < 0:
        return True
    if state.spare <= 0:
        return False
    state.spare -= 1
    return True
