"""Charging as a task, promises to busy robots, tickets."""

from dataclasses import replace

from test_flow import Story

from orchestrator.answers import Answers
from orchestrator.core import bays, energy
from orchestrator.core.messages import (
    AssignmentMade,
    BatteryCrossed,
    Line,
    OrderReceived,
    RequestAssignment,
    StartAction,
    Ticked,
)
from orchestrator.core.planning_messages import RobotOffer, TaskOffer


def test_an_urgent_robot_takes_no_transport() -> None:
    story = Story()
    for robot in range(3):
        story.say(BatteryCrossed(robot=robot, battery_permille=100))
    story.order("o1", Line("SKU-01", 1))
    story.ticks(20)
    assert story.closed() == {}
    story.say(BatteryCrossed(robot=1, battery_permille=900))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    picks = [c.robot for c in story.seen if isinstance(c, StartAction) and c.kind == "pick"]
    assert set(picks) == {1}


def test_tasks_are_offered_until_somebody_has_them_and_a_stale_answer_is_ignored() -> None:
    story = Story()
    story.answers.assignment = lambda request: AssignmentMade(  # type: ignore[method-assign]
        request=request.request - 1, pairs=((1, 1),)
    )
    story.order("o1", Line("SKU-01", 1))
    story.ticks(5)
    assert story.world.assign_request >= 0, "an answer to another request is no answer"
    story.ticks(12)
    requests = [c for c in story.seen if isinstance(c, RequestAssignment)]
    assert len(requests) == 2, "after ten seconds it is asked again"


def test_a_bay_has_as_many_tickets_as_places_and_they_go_in_sequence() -> None:
    story = Story()
    world = story.world
    slot = next(i for i, bay in enumerate(world.site.roadmap.bays) if bay.kind == "slot")
    assert bays.ask(world, 0, slot)
    assert not bays.ask(world, 1, slot)
    assert not bays.ask(world, 2, slot)
    assert bays.ask(world, 0, slot), "asking twice is one ticket"
    assert bays.withdraw(world, 1, slot) == []
    assert bays.give_back(world, 0, slot) == [2]
    assert world.bays[slot].holders == [2]


def test_idle_robots_leave_a_slot_for_parking() -> None:
    story = Story()
    story.order("o1", Line("SKU-01", 1))
    story.ticks(300)
    roadmap = story.loaded.site.roadmap
    for robot in story.world.robots:
        bay = roadmap.node_bay[story.world.traffic.at[robot.index]]
        assert roadmap.bays[bay].kind == "parking"
    story.say(Ticked())


def test_a_robot_whose_charge_does_not_reach_gets_no_task() -> None:
    story = Story()
    tasks = (TaskOffer(1, story.world.traffic.at[0], 1, 0, 5_000),)

    def pairs(reach_ms: int) -> tuple[tuple[int, int], ...]:
        robots = (RobotOffer(0, 0, 1, story.world.traffic.at[1], 0, 0, reach_ms),)
        request = RequestAssignment(request=1, tasks=tasks, robots=robots)
        return Answers(story.loaded.arrays).assignment(request).pairs

    assert pairs(10**9) == ((1, 0),)
    assert pairs(6_000) == ()


def test_a_tote_at_a_dock_is_put_away_however_many_orders_are_urgent() -> None:
    story = Story()
    dock = next(i for i, s in enumerate(story.loaded.site.stations) if s.kind == "dock")
    for robot in range(3):
        story.say(BatteryCrossed(robot=robot, battery_permille=300))  # offered, but not matched
    story.answers.assignment = lambda request: AssignmentMade(  # type: ignore[method-assign]
        request=request.request, pairs=()
    )
    story.say(
        OrderReceived(order_id="in", kind="inbound", lines=(Line("SKU-01", 1),), station=dock,
                      load="new")
    )  # fmt: skip
    story.ticks(3600)
    now = story.time_ns
    story.say(OrderReceived(order_id="o", kind="outbound", lines=(Line("SKU-01", 1),), due_ns=now))
    story.ticks(1)
    offers = [c for c in story.seen if isinstance(c, RequestAssignment)][-1].tasks
    put_away, order = (offer.priority for offer in offers if offer.task > 0)
    assert put_away > order


def test_the_emptiest_of_the_low_are_offered_a_charger_no_more_than_there_are() -> None:
    story = Story()
    bays_ = list(story.world.site.roadmap.bays)
    spare = [i for i, bay in enumerate(bays_) if bay.kind == "slot"][-1]
    bays_[spare] = replace(bays_[spare], kind="charger")
    story.world.site = replace(
        story.world.site, roadmap=replace(story.world.site.roadmap, bays=tuple(bays_))
    )
    story.world.chargers = (*story.world.chargers, spare)
    for robot, charge in enumerate((300, 200, 340)):
        story.say(BatteryCrossed(robot=robot, battery_permille=charge))
    assert list(energy.emptiest(story.world)) == [1]
    story.say(BatteryCrossed(robot=1, battery_permille=900))
    assert list(energy.emptiest(story.world)) == [0]
