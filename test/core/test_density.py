"""How many robots may work where many of them wait: fewer, more again, and never none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import ring

from orchestrator.core import density
from orchestrator.core.messages import AssignmentMade, PolicyChanged, RobotJoined, RunStarted
from orchestrator.core.robots import Robot
from orchestrator.core.step import step
from orchestrator.core.world import CORE_VERSION, Task, World, new_world

LOADED = ring(size=16, robots=8)
ROADMAP = LOADED.site.roadmap
SECOND_NS = 10**9
COUNT = 8


def hall(percent: int = 30, waiting: int = 0) -> World:
    """Eight robots on the ring; so many of them stand on their way, the others rest."""
    site = replace(LOADED.site, policy=replace(LOADED.site.policy, waiting_percent=percent))
    world = new_world(site)
    step(world, 0, RunStarted(site_hash=site.hash, core_version=CORE_VERSION))
    nodes = [n for n in range(ROADMAP.nodes) if ROADMAP.node_bay[n] < 0][::3]
    for index, node in enumerate(nodes[:COUNT]):
        joined = RobotJoined(
            robot=index, name=f"amr-{index}", fleet=0, node=node, heading_deg=0,
            battery_permille=900,
        )  # fmt: skip
        step(world, 0, joined)
    for robot in world.robots:
        robot.goal = -1
    wait(world, waiting)
    return world


def wait(world: World, count: int) -> None:
    """So many stand on their way, with a load."""
    for robot in world.robots:
        robot.goal = ROADMAP.edge_head[0] if robot.index < count else -1
        robot.loads = ["tote"] if robot.index < count else []
        world.traffic.released[robot.index].clear()
        if robot.goal == world.traffic.tail[robot.index]:
            robot.goal = ROADMAP.edge_head[1]


def periods(world: World, count: int) -> int:
    """So many go by, tick by tick; how many may work then."""
    for _ in range(count * density.PERIOD_NS // SECOND_NS):
        world.time_ns += SECOND_NS
        density.watch(world)
    return world.density[0].most


def test_where_many_wait_fewer_work_and_then_more_again() -> None:
    world = hall(waiting=6)
    assert periods(world, 1) == 5, "one less than do"
    wait(world, 4)
    assert periods(world, 1) == 3, "who works counts, not who might"
    assert periods(world, 9) == 2, "a quarter of the fleet always may"
    wait(world, 0)
    assert [periods(world, 1) for _ in range(6)] == [2, 2, 2, 2, 2, 2], "nobody is under way"


def test_where_lanes_are_free_again_all_may_work() -> None:
    world = hall(waiting=6)
    periods(world, 2)
    state = world.density[0]
    for _ in range(3):
        state.driving, state.waiting, state.since_ns = 80, 20, world.time_ns - density.PERIOD_NS
        before = state.most
        wait(world, 0)
        density.watch(world)
        assert state.most == before + 1
    for share, changes in ((28, 0), (31, -1)):
        state.driving, state.waiting = 100 - share, share
        state.since_ns, before = world.time_ns - density.PERIOD_NS, state.most
        wait(world, state.most)
        for robot in world.robots:
            robot.goal = -1
        density.watch(world)
        assert state.most == before + changes
    state.most = 7
    state.driving, state.waiting, state.since_ns = 100, 0, world.time_ns - density.PERIOD_NS
    density.watch(world)
    assert state.most == -1, "there is no bound any more"


@pytest.mark.parametrize("percent", [0, 100])
def test_without_a_share_nobody_is_held_back(percent: int) -> None:
    assert periods(hall(percent, waiting=8), 10) == -1


def test_it_ends_when_it_is_switched_off() -> None:
    world = hall(waiting=8)
    assert periods(world, 1) == 7
    step(world, world.time_ns, PolicyChanged(key="waiting_percent", value=0))
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
    world.density[0].most, world.density[0].spare = 2, 1
    assert begun(world, monkeypatch) == [903]
    world.density[0].spare = 0
    assert begun(world, monkeypatch) == []


def test_who_has_done_something_goes_on_unless_too_many_work() -> None:
    world = hall()
    state, robot = world.density[0], world.robots[0]
    state.most, state.spare = 4, 0
    assert density.goes_on(world, robot) and state.spare == 0
    state.spare = -2
    assert not density.goes_on(world, robot) and state.spare == -1
    assert not density.goes_on(world, robot) and density.goes_on(world, robot)
