"""Stories of orders, told to the core by hand: no simulation, just events and commands."""

from typing import Any

import numpy as np
import pytest
from scenes import ring

from orchestrator.answers import Answers
from orchestrator.core import invariants
from orchestrator.core.messages import (
    ActionEnded,
    AssignmentMade,
    CloseOrder,
    ExtendBase,
    ImageRead,
    Line,
    NodeReached,
    OrderReceived,
    PathsPlanned,
    RequestAssignment,
    RequestInference,
    RequestPaths,
    RobotFaulted,
    RobotJoined,
    RobotRecovered,
    StartAction,
    StartWork,
    Ticked,
    ToteStored,
    WorkEnded,
)
from orchestrator.core.step import step
from orchestrator.core.world import new_world
from orchestrator.layout import LoadedSite

SECOND = 1_000_000_000


class Story:
    """Plays robots, machines and planners at once and perfectly, unless told otherwise."""

    def __init__(
        self,
        totes: int = 2,
        quantity: int = 10,
        robots: int = 3,
        loaded: LoadedSite | None = None,
        **site: Any,
    ) -> None:
        self.loaded = loaded or ring(**site)
        self.world = new_world(self.loaded.site)
        self.answers = Answers(self.loaded.arrays)
        self.time_ns = 0
        self.seen: list[object] = []
        self.picks: list[WorkEnded | str] = []  # outcomes of the next picks
        self.looks: list[str] = []  # outcomes of the next inspections
        self.actions: list[str] = []  # outcomes of the next picks and drops of robots
        roadmap = self.loaded.site.roadmap
        parks = [bay for bay in roadmap.bays if bay.kind == "parking"][:robots]
        for index, bay in enumerate(parks):
            self.say(
                RobotJoined(
                    robot=index, name=f"amr-{index}", fleet=0, node=bay.node, heading_deg=0,
                    battery_permille=1000,
                )
            )  # fmt: skip
        slots = [i for i, bay in enumerate(roadmap.bays) if bay.kind == "slot"]
        for number in range(totes):
            self.say(
                ToteStored(tote=f"t{number}", sku=f"SKU-0{number % 2 + 1}", quantity=quantity,
                           bay=slots[number])
            )  # fmt: skip

    def say(self, *events: object) -> None:
        queue = list(events)
        while queue:
            self.time_ns += SECOND // 20
            commands = step(self.world, self.time_ns, queue.pop(0))
            assert not invariants.check(self.world)
            for command in commands:
                self.seen.append(command)
                queue += self.answer(command)

    def answer(self, command: object) -> list[object]:
        match command:
            case RequestPaths():
                return [self.answers.paths(command)]
            case RequestAssignment():
                return [self.answers.assignment(command)]
            case ExtendBase():
                return [NodeReached(robot=command.robot, edge=edge) for edge in command.edges]
            case StartAction(kind=kind) if kind != "stop_charging":
                outcome = self.actions.pop(0) if self.actions else "ok"
                return [ActionEnded(robot=command.robot, action=command.action, outcome=outcome)]
            case StartWork():
                outcome = self.picks.pop(0) if command.capability == "pick" and self.picks else "ok"
                quantity = command.quantity if outcome == "ok" else 0
                return [WorkEnded(work=command.work, outcome=outcome, quantity=quantity)]
            case RequestInference():
                outcome = self.looks.pop(0) if self.looks else "ok"
                value = command.expected if outcome == "ok" else ""
                return [ImageRead(request=command.request, outcome=outcome, value=value)]
        return []

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.time_ns += SECOND
            self.say(Ticked())

    def closed(self) -> dict[str, str]:
        return {c.order_id: c.status for c in self.seen if isinstance(c, CloseOrder)}

    def order(self, name: str, *lines: Line) -> None:
        self.say(OrderReceived(order_id=name, kind="outbound", lines=lines, due_ns=10**13))


def test_an_order_is_retrieved_picked_checked_packed_sorted_and_handed_out() -> None:
    story = Story()
    story.order("o1", Line("SKU-01", 2), Line("SKU-02", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    works = [c.capability for c in story.seen if isinstance(c, StartWork)]
    assert sorted(works) == ["handout", "pack", "pick", "pick"]
    assert {t.id: t.quantity for t in story.world.stock.totes.values()} == {"t0": 8, "t1": 9}
    assert all(t.place[0] == "slot" for t in story.world.stock.totes.values())
    assert story.world.stock.units_out == 3


def test_a_failed_pick_is_tried_again() -> None:
    story = Story()
    story.picks = ["failed", "failed"]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert len([c for c in story.seen if isinstance(c, StartWork) and c.capability == "pick"]) == 3


def test_after_its_bounded_tries_an_order_is_quarantined_with_a_reason_and_its_tote_goes_home() -> (
    None
):
    story = Story()
    story.picks = ["failed"] * 4
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "quarantined"}
    assert "pick: failed" in story.world.orders["o1"].reason
    assert story.world.stock.totes["t0"].place[0] == "slot"
    assert story.world.stock.totes["t0"].reserved == 0


def test_an_unreadable_check_is_looked_at_again() -> None:
    story = Story()
    story.looks = ["unreadable", "ok"]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert len([c for c in story.seen if isinstance(c, RequestInference)]) == 2


def test_a_tote_that_is_emptier_than_booked_is_corrected_and_another_one_fetched() -> None:
    story = Story(totes=4)
    story.picks = ["short"]
    story.order("o1", Line("SKU-01", 2))
    story.ticks(300)
    assert story.closed() == {"o1": "done"}
    assert sum(t.quantity for t in story.world.stock.totes.values() if t.sku == "SKU-01") == 8


def test_orders_that_are_short_of_stock_wait_and_go_on_when_a_tote_comes_in() -> None:
    story = Story(totes=1, quantity=2)
    story.order("o1", Line("SKU-01", 5))
    story.ticks(20)
    assert story.closed() == {}
    dock = next(i for i, s in enumerate(story.loaded.site.stations) if s.kind == "dock")
    story.say(
        OrderReceived(order_id="in1", kind="inbound", lines=(Line("SKU-01", 10),), station=dock,
                      load="new")
    )  # fmt: skip
    story.ticks(300)
    assert story.closed() == {"in1": "done", "o1": "done"}


def test_an_emptied_tote_leaves_and_its_slot_is_free() -> None:
    story = Story(totes=2, quantity=3)
    story.order("o1", Line("SKU-01", 3))
    story.ticks(300)
    assert story.closed() == {"o1": "done"}
    assert "t0" not in story.world.stock.totes
    assert "t0" not in story.world.stock.slot_owner.values()


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (OrderReceived(order_id="x", kind="nonsense"), "unknown order type"),
        (OrderReceived(order_id="x", kind="outbound"), "no lines"),
        (OrderReceived(order_id="x", kind="outbound", lines=(Line("SKU-99", 1),)), "unknown SKU"),
        (OrderReceived(order_id="x", kind="outbound", lines=(Line("SKU-01", 0),)), "at least 1"),
        (OrderReceived(order_id="x", kind="outbound", lines=(Line("SKU-01", 1),), station=0),
         "can't handout"),
        (OrderReceived(order_id="x", kind="transport"), "at least one stop"),
        (OrderReceived(order_id="x", kind="transport", stops=(9999,)), "unknown node"),
        (OrderReceived(order_id="x", kind="inbound", lines=(Line("SKU-01", 1),), station=0,
                       load="t0"), "is in the building already"),
        (OrderReceived(order_id="x", kind="inbound", lines=(Line("SKU-01", 1), Line("SKU-02", 1)),
                       station=0, load="new"), "one SKU"),
    ],
)  # fmt: skip
def test_impossible_orders_are_refused_with_the_reason(event: OrderReceived, reason: str) -> None:
    story = Story()
    story.say(event)
    assert story.closed() == {"x": "refused"}
    assert reason in story.world.orders["x"].reason


def test_the_same_order_twice_is_one_order() -> None:
    story = Story()
    story.order("o1", Line("SKU-01", 1))
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert len([c for c in story.seen if isinstance(c, CloseOrder)]) == 1
    assert story.world.stock.units_out == 1


def test_a_transport_order_visits_its_stops_in_sequence() -> None:
    story = Story()
    roadmap = story.loaded.site.roadmap
    stops = tuple(node for node in range(roadmap.nodes) if roadmap.node_bay[node] < 0)[3:12:4]
    story.say(OrderReceived(order_id="t", kind="transport", stops=stops))
    story.ticks(120)
    assert story.closed() == {"t": "done"}


def test_work_of_a_dead_robot_goes_to_another_and_the_dead_one_is_restarted() -> None:
    story = Story()
    story.order("o1", Line("SKU-01", 1))
    story.say(Ticked())
    busy = [robot for robot in story.world.robots if robot.task >= 0]
    if busy:
        story.say(RobotFaulted(robot=busy[0].index, reason="test"))
        assert busy[0].dead
        story.ticks(5)
        story.say(RobotRecovered(robot=busy[0].index))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_a_robot_that_lies_is_an_alarm_and_changes_nothing() -> None:
    story = Story()
    before = list(story.world.traffic.at)
    story.say(NodeReached(robot=0, edge=5), NodeReached(robot=77, edge=0))
    story.say(
        ActionEnded(robot=1, action=99), WorkEnded(work=42), ImageRead(request=1, outcome="ok")
    )
    assert story.world.traffic.at == before
    assert sum(type(c).__name__ == "RaiseAlarm" for c in story.seen) == 3


def test_a_plan_on_another_basis_or_against_the_rules_moves_nobody_into_anybody() -> None:
    story = Story()
    world = story.world
    world.path_request, world.path_basis = 7, 3
    garbage = np.array([[0, 0], [1, 10**6], [99, 1]], "<i4").tobytes()
    story.say(PathsPlanned(request=7, basis=2, moves=garbage))
    assert world.path_rejected == 1
    world.path_request = 8
    story.say(PathsPlanned(request=8, basis=world.path_basis, moves=garbage))
    assert world.traffic.cut == 1, "moves of robots at rest are left out, what nobody can do is cut"
    story.say(AssignmentMade(request=1, pairs=((5, 5),)))


def test_a_robot_that_fails_to_take_a_tote_tries_again_and_then_another_one_does() -> None:
    story = Story()
    story.actions = ["failed"] * 6
    story.order("o1", Line("SKU-01", 1))
    story.ticks(300)
    assert story.closed() == {"o1": "done"}


def test_a_tote_that_no_robot_can_take_sets_its_order_aside_and_robots_go_on() -> None:
    story = Story()
    story.actions = ["failed"] * 18
    story.order("o1", Line("SKU-01", 1))
    story.ticks(120)
    assert story.closed() == {"o1": "quarantined"}
    assert "no robot can take t0" in story.world.orders["o1"].reason
    story.order("o2", Line("SKU-01", 1))
    story.ticks(300)
    assert story.closed()["o2"] == "done"
