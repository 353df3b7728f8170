"""Maintenance: a person enters, for what nothing could end from afar. In scheduled windows where the
site has them, else at once. While a person is there, the lanes around are closed."""

from __future__ import annotations

from orchestrator.core import detours, lanes, recovery
from orchestrator.core.messages import ClearingFailed, ClearLane, RecoverRobot, RecoveryFailed
from orchestrator.core.world import Call, World

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
AROUND_MM = 3000  # so near nobody drives while a person is there


def call(world: World, subject: Call, name: str) -> None:
    """A person is needed: now, or in the next window."""
    if subject in world.awaiting or subject in world.visits:
        return
    world.awaiting[subject] = None
    every = world.site.policy.maintenance_every_minutes
    world.alarm(name, "maintenance is called" + (": waits for the next window" if every else ""))
    tick(world)


def open_now(world: World) -> bool:
    """Is it within a window? Windows begin at whole multiples of the interval."""
    policy = world.site.policy
    if not policy.maintenance_every_minutes:
        return True
    minute, every = world.time_ns // MINUTE_NS, policy.maintenance_every_minutes
    return minute >= every and minute % every < policy.maintenance_minutes


def asked(world: World, subject: Call) -> None:
    """Help was asked for: an answer is expected."""
    world.helping[subject] = world.time_ns


def watch(world: World) -> None:
    """Once a tick: visits that wait; and help from afar that gave no answer has failed. A visit
    without an answer is asked for again, and its lanes stay closed: nobody knows that they are
    empty."""
    tick(world)
    answer_ns = world.site.policy.repair_answer_s * SECOND_NS
    for subject, asked_ns in list(world.helping.items()):
        kind, index = subject
        if world.time_ns - asked_ns < answer_ns:
            continue
        if subject in world.visits:
            _visit(world, subject)
        elif kind == "robot":
            attempt = world.robots[index].attempts
            recovery.failed(world, RecoveryFailed(robot=index, attempt=attempt))
        else:
            known = world.obstacles[index]
            lanes.failed(world, ClearingFailed(edge=known.edge, attempt=known.attempts))


def tick(world: World) -> None:
    """Visits that wait begin while the window is open."""
    if not world.awaiting or not open_now(world):
        return
    calls = list(world.awaiting)
    world.awaiting.clear()
    for subject in calls:
        world.visits[subject] = _zone(world, subject)
    detours.changed(world)
    for subject in calls:
        _visit(world, subject)


def shrunk(world: World, subject: Call) -> None:
    """What is to be mended holds less: if a person is there, less is closed."""
    if subject in world.visits:
        world.visits[subject] = _zone(world, subject)


def _visit(world: World, subject: Call) -> None:
    asked(world, subject)
    kind, index = subject
    orders = _waiting(world, world.visits[subject])
    if kind == "robot":
        attempt = world.robots[index].attempts
        world.out.append(
            RecoverRobot(robot=index, attempt=attempt, maintenance=True, orders=orders)
        )
    else:
        obstacle = world.obstacles[index]
        world.out.append(
            ClearLane(
                edge=obstacle.edge, attempt=obstacle.attempts, maintenance=True, orders=orders
            )
        )


def over(world: World, subject: Call) -> bool:
    """The call has come to an end; True: by a visit."""
    world.awaiting.pop(subject, None)
    world.helping.pop(subject, None)
    return world.visits.pop(subject, None) is not None


def _zone(world: World, subject: Call) -> tuple[int, ...]:
    """The nodes that are closed around what is mended."""
    roadmap, (kind, index) = world.site.roadmap, subject
    edge = index % roadmap.edges
    if kind == "robot":
        held = list(world.traffic.held_nodes(index))
    else:
        held = [roadmap.edge_tail[edge], roadmap.edge_head[edge]]
    places = [(roadmap.node_x_mm[node], roadmap.node_y_mm[node]) for node in held]
    return tuple(
        node
        for node, (x, y) in enumerate(zip(roadmap.node_x_mm, roadmap.node_y_mm, strict=True))
        if roadmap.node_bay[node] < 0
        and any((x - ax) ** 2 + (y - ay) ** 2 <= AROUND_MM**2 for ax, ay in places)
    )


def _waiting(world: World, zone: tuple[int, ...]) -> tuple[str, ...]:
    """Orders of robots that wait in the closed area."""
    orders: dict[str, None] = {}
    for robot in world.robots:
        task = world.underway.get(robot.task)
        if task is not None and world.traffic.tail[robot.index] in zone:
            orders[task.token[0]] = None
    return tuple(orders)
