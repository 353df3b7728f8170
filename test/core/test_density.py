"""How many robots may work where many of them wait: fewer, more again, and never none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import ring

from orchestrator.core import density, missions
from orchestrator.core.messages import AssignmentMade, PolicyChanged, RobotJoined, RunStarted
from orchestrator.core.robots import Robot
from orchestrator.core.step import step
from orchestrator.core.world import CORE_VERSION, Task, World, new_world

LOADED = ring(size=16, robots=8)
ROADMAP = LOADED.site.roadmap
SECOND_NS = 10**9
COUNT = 8


def hall(hold_back: bool = True) -> World:
    """Eight robots on the ring; nobody is under way."""
    site = replace(LOADED.site, policy=replace(LOADED.site.policy, hold_back=hold_back))
    world = new_world(site)
    step(world, 0, RunStarted(site_hash=site.hash, core_version=CORE_VERSION))
    nodes = [n for n in range(ROADMAP.nodes) if ROADMAP.node_bay[n] < 0][::3]
    for index, node in enumerate(nodes[:COUNT]):
        joined = RobotJoined(
            robot=index, name=f"amr-{index}", fleet=0, node=node, heading_deg=0,
            battery_permille=900,
        )  # fmt: skip
        step(world, 0, joined)
    on_lanes(world, 0, 0)
    return world


def on_lanes(world: World, driving: int, waiting: int) -> None:
    """So many drive, and so many stand on their way."""
    for robot in world.robots:
        index, tail = robot.index, world.traffic.tail[robot.index]
        under_way = index < driving + waiting
        robot.goal = (tail + 1) % ROADMAP.nodes if under_way else tail
        world.traffic.released[index].clear()
        if index < driving:
            world.traffic.released[index].append(0)


def periods(world: World, driving: int, waiting: int, count: int = 1) -> int:
    """So many go by, tick by tick; thousandths of robots that may be under way then."""
    on_lanes(world, driving, waiting)
    for _ in range(count * density.PERIOD_NS // SECOND_NS):
        world.time_ns += SECOND_NS
        density.watch(world)
    return world.density[0].most


def test_where_fewer_drive_and_many_stand_fewer_may_be_under_way_until_lanes_flow() -> None:
    world = hall()
    assert periods(world, 4, 4) == -1, "so many never drove"
    assert periods(world, 3, 1) == -1, "fewer drive, but few stand"
    assert periods(world, 3, 5) == 8000 - 500
    assert world.density[0].spare == 7 - 8
    assert periods(world, 3, 4) == 7000 - 437
    assert periods(world, 2, 4) == 6000 - 375
    falling = [periods(world, 2, 4) for _ in range(14)]
    assert falling[-1] == world.density[0].flow > 3500, "as many as drove once always may"
    before = falling[-1]
    assert periods(world, 3, 1) == before + before // 64, "what flows grows"
    assert periods(world, 2, 0) == -1, "so many don't want to"


def test_what_was_seen_once_fades() -> None:
    """Lanes may carry less today."""
    world = hall()
    periods(world, 4, 0)
    before = world.density[0].flow
    periods(world, 3, 0, 120)
    assert world.density[0].flow < 3200 < before
    assert periods(world, 3, 4) == -1


def test_without_it_nobody_is_held_back() -> None:
    world = hall(hold_back=False)
    periods(world, 4, 1)
    assert periods(world, 2, 6, 5) == -1


def test_it_ends_when_it_is_switched_off() -> None:
    world = hall()
    periods(world, 4, 1)
    assert periods(world, 2, 5) == 7000 - 437
    step(world, world.time_ns, PolicyChanged(key="hold_back", value=False))
    density.watch(world)
    assert world.density[0].most == -1


def test_no_run_without_robots_fails() -> None:
    world = new_world(hall().site)
    world.time_ns += density.PERIOD_NS
    density.watch(world)
    assert world.density[0].most == -1


def offered(world: World) -> tuple[tuple[int, int], ...]:
    """Three tasks, the last one the most urgent, for the robots that rest."""
    tasks = []
    for number, due_ns in ((901, 0), (902, 9_000 * SECOND_NS), (903, 5_000 * SECOND_NS)):
        node = ROADMAP.bays[0].node
        world.tasks[number] = Task(number, 1, node, 0, "", ("order", "step", 0), due_ns, node)
        tasks.append(number)
    return tuple(zip(tasks, (5, 6, 7), strict=True))


def begun(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which tasks begin when all three are given to robots that rest."""
    begins: list[int] = []

    def begin(world: World, robot: Robot, task: Task) -> None:
        begins.append(task.id)

    monkeypatch.setattr("orchestrator.core.carry.begin", begin)
    pairs = offered(world)
    world.assign_request = 77
    step(world, world.time_ns, AssignmentMade(request=77, pairs=pairs))
    return begins


def test_the_most_urgent_begins_where_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    world = hall()
    assert begun(world, monkeypatch) == [901, 902, 903], "as they come"
    world.density[0].most, world.density[0].spare = 2000, 1
    assert begun(world, monkeypatch) == [903]
    world.density[0].spare = 0
    assert begun(world, monkeypatch) == []


def test_who_is_done_goes_on_unless_too_many_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    world = hall()
    offered(world)
    begins: list[int] = []
    monkeypatch.setattr(
        "orchestrator.core.carry.begin", lambda world, robot, task: begins.append(task.id)
    )
    world.density[0].most, world.density[0].spare = 2000, 1
    for index, number in ((5, 901), (6, 902)):
        world.robots[index].next_task = number
        missions.rest(world, world.robots[index])
        assert world.robots[index].next_task == -1
    assert begins == [901] and 902 in world.tasks, "it is offered again"
