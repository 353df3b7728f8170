"""The core takes no tour on trust: whatever a planner answers, no vehicle gets more than fits, fetches
twice what another one has, or forgets what it carries."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_flow import Story
from tug_hall import TASKS, hall
from whole_ring import tug_files

from orchestrator.core import tours
from orchestrator.core.messages import Line, OrderReceived, RequestTours, ToursPlanned
from orchestrator.core.robots import Robot
from orchestrator.core.step import step
from orchestrator.layout import load_files

stop = st.tuples(st.integers(-2, TASKS + 3), st.integers(-1, 2))
tour = st.tuples(st.integers(-1, 4), st.lists(stop, max_size=14).map(tuple))


@settings(max_examples=150, deadline=None)
@given(st.lists(tour, max_size=4))
def test_hostile_tours(rows: list[tuple[int, tuple[tuple[int, int], ...]]]) -> None:
    world = hall()
    tours.request(world)
    asked = [command for command in world.out if isinstance(command, RequestTours)]
    assert len(asked) == 1 and len(asked[0].tasks) == TASKS
    step(world, 1, ToursPlanned(request=asked[0].request, tours=tuple(rows)))
    begun = [leg.task for robot in world.robots for leg in robot.legs if leg.action == "pick"]
    for robot in world.robots:
        assert _most(robot, robot.legs[0].task if robot.legs else -1) <= 4
    promised = [n for robot in world.robots for n, side in robot.tour if side == 0]
    assert len(set(promised + begun)) == len(promised + begun), "nobody fetches what another does"
    assert set(world.tasks) | set(begun) == set(range(1, TASKS + 1)), "no task is lost"
    assert set(world.tasks) & set(begun) == set()


def _most(robot: Robot, under_way: int) -> int:
    """How many loads it would have at most; each is brought after it was fetched."""
    aboard = {under_way} - {-1}
    most = len(aboard)
    for number, side in robot.tour:
        assert (number in aboard) == bool(side)
        aboard = aboard - {number} if side else aboard | {number}
        most = max(most, len(aboard))
    assert not aboard, "everything is brought to its end"
    return most


def test_an_old_answer_is_no_answer() -> None:
    world = hall()
    tours.request(world)
    step(world, 1, ToursPlanned(request=10**6, tours=((0, ((1, 0), (1, 1))),)))
    assert not world.robots[0].tour and not world.robots[0].legs


def test_no_load_stays_on_a_vehicle_that_goes_on_with_its_tour() -> None:
    """Given tuggers that may carry totes, when one is to stand at a pick station, then they are not
    offered it, nor a visit of stops: single-place robots are."""
    files = tug_files()
    site = yaml.safe_load(files["site.yaml"])
    site["fleets"]["tug"]["carries"].append("tote")
    site["flow"]["move"] = {"visit": {"do": "carry", "to": "stop", "then": ["end"]}} | {
        "end": {"do": "finish"}
    }
    story = Story(
        loaded=load_files(files | {"site.yaml": yaml.safe_dump(site, sort_keys=False)}, "ring")
    )
    lines = (Line("SKU-01", 1),)
    story.say(OrderReceived(order_id="o1", kind="outbound", lines=lines, route="north"))
    story.say(OrderReceived(order_id="o2", kind="move", stops=(3,)))
    assert [task.fleets for task in story.world.tasks.values()] == [1, 1]
