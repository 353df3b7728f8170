"""Stories of what operators and hosts ask for, told to the core by hand."""

from __future__ import annotations

from typing import Any

import pytest
from test_flow import Story

from orchestrator.core import bays
from orchestrator.core.messages import (
    AnswerRequest,
    BatteryCrossed,
    ChargeAsked,
    CloseOrder,
    EmergencyReset,
    EmergencyStopped,
    Entry,
    ExtendBase,
    LaneClosed,
    LaneOpened,
    Line,
    NodeReached,
    OrderCancelled,
    OrderChanged,
    OrderReceived,
    PauseRobot,
    Request,
    ResumeRobot,
    RobotRetired,
    RobotReturned,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    StartAction,
    StartWork,
    StationClosed,
    StationOpened,
    SwitchOff,
    SwitchOn,
    ZoneCleared,
    ZoneClosed,
    ZoneOpened,
    decode_entry,
    encode,
)


class Asking(Story):
    """A story in which machines and robots can be told to wait, and in which somebody asks."""

    def __init__(self, **values: Any) -> None:
        self.waits: tuple[type, ...] = ()
        self.waiting: list[Any] = []
        self.asked = 0
        super().__init__(**values)

    def answer(self, command: object) -> list[object]:
        if isinstance(command, self.waits):
            self.waiting.append(command)
            return []
        return super().answer(command)

    def go_on(self) -> None:
        while self.waiting:  # in sequence
            self.say(*super().answer(self.waiting.pop(0)))
        self.waits = ()

    def ask(self, what: type[Request], **values: Any) -> str:
        """The reason why it is refused; "": it is accepted. A repeated request has the same answer."""
        self.asked += 1
        event = what(request=f"r{self.asked}", **values)
        assert decode_entry(encode(Entry(0, 0, event))).event == event
        for _ in range(2):
            self.say(event)
        answers = [
            c for c in self.seen if isinstance(c, AnswerRequest) and c.request == event.request
        ]
        assert len(answers) == 2 and answers[0] == answers[1]
        assert answers[0].accepted == (not answers[0].reason)
        return answers[0].reason

    def of(self, kind: type) -> list[Any]:
        return [c for c in self.seen if isinstance(c, kind)]

    def node(self, name: str) -> int:
        return self.loaded.site.roadmap.node_ids.index(name)

    def zone(self, x: int) -> tuple[int, ...]:
        """The lanes and bays right of x (in metres)."""
        roadmap = self.loaded.site.roadmap
        return tuple(n for n in range(roadmap.nodes) if roadmap.node_x_mm[n] > 1000 * x)

    def idle(self) -> bool:
        world = self.world
        return not world.tasks and not world.underway and not world.stock.boxes

    def reserved(self) -> int:
        return sum(tote.reserved for tote in self.world.stock.totes.values())


# --- orders -------------------------------------------------------------------------------------


def test_an_order_that_waits_for_stock_is_cancelled_and_nobody_waits_for_it_any_more() -> None:
    story = Asking(quantity=2)
    story.order("o1", Line("SKU-01", 5))
    assert story.world.short
    assert story.ask(OrderCancelled, order_id="o1", reason="typo") == ""
    assert story.closed() == {"o1": "cancelled"} and not story.world.short
    assert story.of(CloseOrder)[0].reason == "typo"
    story.ticks(700)
    assert story.world.filed["o1"].state == "cancelled"
    assert story.ask(OrderCancelled, order_id="o1") == ""


def test_an_order_whose_tote_waits_for_a_robot_gives_back_units_and_place() -> None:
    story = Asking(robots=0)
    story.order("o1", Line("SKU-01", 2), Line("SKU-02", 1))
    assert story.reserved() == 3 and len(story.world.tasks) == 2
    assert story.ask(OrderCancelled, order_id="o1") == ""
    assert story.reserved() == 0 and story.idle()
    assert all(state.used == 0 for state in story.world.stations)


@pytest.mark.parametrize("moment", range(1, 40))
def test_an_order_may_be_cancelled_at_any_moment_and_everything_is_as_before(moment: int) -> None:
    # given an order of two lines, so many steps on its way, and another behind it
    story = Asking(robots=2)
    story.waits = (ExtendBase, StartWork)
    story.order("o1", Line("SKU-01", 2), Line("SKU-02", 1))
    story.order("o2", Line("SKU-01", 1))
    for _ in range(moment):
        if story.waiting:
            story.say(*Story.answer(story, story.waiting.pop(0)))
        else:
            story.ticks(1)
    # when it is cancelled
    reason = story.ask(OrderCancelled, order_id="o1")
    story.go_on()
    story.ticks(250)
    # then it is undone (or, packed on a site that takes nothing apart, goes on), the other is not
    assert story.closed()["o2"] == "done"
    if reason:
        assert "packed" in reason or "leaving" in reason
        assert story.closed()["o1"] == "done" and story.idle()
    else:
        assert story.closed()["o1"] == "cancelled" and not story.world.tasks
        assert all(tote.place[0] == "slot" for tote in story.world.stock.totes.values())
        assert story.reserved() == 0 and all(s.used == 0 for s in story.world.stations)


def test_it_is_too_late_for_an_order_that_is_done_and_nobody_knows_others() -> None:
    story = Asking()
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.ask(OrderCancelled, order_id="o1") == "order o1 is done already"
    assert "no order 'o9'" in story.ask(OrderCancelled, order_id="o9")


def test_a_transport_under_way_is_broken_off() -> None:
    story = Asking(robots=1)
    story.waits = (ExtendBase,)
    stops = (story.node("r8.2"), story.node("r0.4"))
    story.say(OrderReceived(order_id="t1", kind="transport", stops=stops))
    story.ticks(3)
    assert story.world.underway
    assert story.ask(OrderCancelled, order_id="t1") == ""
    story.go_on()
    story.ticks(60)
    assert story.closed() == {"t1": "cancelled"} and story.world.robots[0].idle


def test_an_order_that_waits_may_change_and_one_that_is_worked_on_may_not() -> None:
    story = Asking(quantity=2)
    story.order("o1", Line("SKU-01", 5))
    assert "SKU-09" in story.ask(OrderChanged, order_id="o1", lines=(Line("SKU-09", 1),))
    assert "priority 10" in story.ask(OrderChanged, order_id="o1", priority=10)
    assert story.ask(OrderChanged, order_id="o1", due_ns=5, lines=(Line("SKU-01", 2),)) == ""
    assert story.world.orders["o1"].due_ns == 5
    assert "can't be changed" in story.ask(OrderChanged, order_id="o1", due_ns=7)
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_a_higher_priority_goes_first_whatever_the_others_are_due() -> None:
    story = Asking(policy={"invariants_every": 1, "release_ahead_minutes": 1})
    for name, due in (("o1", 10**13), ("o2", 2 * 10**13)):
        story.say(
            OrderReceived(order_id=name, kind="outbound", lines=(Line("SKU-01", 1),), due_ns=due)
        )
    assert not story.world.tasks
    assert story.ask(OrderChanged, order_id="o2", priority=3) == ""
    story.ticks(150)
    assert story.closed() == {"o2": "done"}


def test_a_submitted_order_is_answered_and_a_refused_one_with_the_reason() -> None:
    story = Asking()
    lines = (Line("SKU-01", 1),)
    assert story.ask(OrderReceived, order_id="o1", kind="outbound", lines=lines) == ""
    assert story.ask(OrderReceived, order_id="o1", kind="outbound", lines=lines) == ""
    assert "unknown SKU" in story.ask(
        OrderReceived, order_id="o2", kind="outbound", lines=(Line("X", 1),)
    )
    assert "unknown SKU" in story.ask(
        OrderReceived, order_id="o2", kind="outbound", lines=(Line("X", 1),)
    )


# --- robots -------------------------------------------------------------------------------------


def test_a_paused_robot_stands_at_the_end_of_its_base_until_it_is_resumed() -> None:
    # given a robot that has been released some edges, and drives them slowly
    story = Asking(robots=1)
    story.waits = (ExtendBase,)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(2)
    (base,) = story.waiting
    # when it is paused
    assert story.ask(RobotsPaused, robot=0) == ""
    assert story.of(PauseRobot) == [PauseRobot(robot=0)]
    # then it ends its base, and gets no more
    story.say(*[NodeReached(robot=0, edge=edge) for edge in base.edges])
    story.waiting.clear()
    story.ticks(30)
    assert story.of(ExtendBase) == [base] and story.world.traffic.still(0)
    # until it is resumed
    story.waits = ()
    assert story.ask(RobotsResumed, robot=0) == ""
    assert story.of(ResumeRobot) == [ResumeRobot(robot=0)]
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_a_paused_fleet_and_a_paused_robot_are_two_reasons_to_stand() -> None:
    story = Asking()
    assert story.ask(RobotsPaused, fleet=0) == "" and story.ask(RobotsPaused, robot=1) == ""
    assert [c.robot for c in story.of(PauseRobot)] == [0, 1, 2]
    assert story.ask(RobotsResumed, fleet=0) == ""
    assert [c.robot for c in story.of(ResumeRobot)] == [0, 2]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert 1 not in {c.robot for c in story.of(ExtendBase)}


def test_what_a_paused_robot_has_not_loaded_is_open_to_others() -> None:
    story = Asking(robots=2)
    story.waits = (ExtendBase,)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(2)
    (first,) = {c.robot for c in story.of(ExtendBase)}
    story.say(RobotsPaused(robot=first))
    assert story.world.robots[first].task < 0 and not story.world.robots[first].legs
    story.say(RobotsResumed(robot=first))
    story.go_on()
    story.ticks(250)
    assert story.closed() == {"o1": "done"}


def test_nobody_enters_a_paused_zone_and_who_is_inside_stands() -> None:
    story = Asking()
    zone = story.zone(12)
    inside = [r.index for r in story.world.robots if story.world.traffic.at[r.index] in zone]
    assert story.ask(RobotsPaused, zone="east", nodes=zone) == ""
    assert [c.robot for c in story.of(PauseRobot)] == inside
    story.order("o1", Line("SKU-01", 1))
    story.order("o2", Line("SKU-02", 1))
    story.ticks(120)
    heads = story.loaded.site.roadmap.edge_head
    assert not [e for c in story.of(ExtendBase) for e in c.edges if heads[e] in zone]
    assert story.ask(RobotsResumed, zone="east") == ""
    story.ticks(250)
    assert story.closed() == {"o1": "done", "o2": "done"}


def test_an_evacuated_fleet_ends_what_it_has_loaded_parks_and_stays() -> None:
    story = Asking()
    story.order("o1", Line("SKU-01", 1))
    while not any(robot.load for robot in story.world.robots):
        story.ticks(1)
    assert story.ask(RobotsEvacuated, fleet=0) == ""
    story.order("o2", Line("SKU-02", 1))
    story.ticks(150)
    kinds = [story.loaded.site.roadmap.bays[bays.inside(story.world, i)].kind for i in range(3)]
    assert kinds == ["parking"] * 3 and story.world.tasks
    assert story.ask(RobotsResumed, fleet=0) == ""
    story.ticks(250)
    assert story.closed() == {"o1": "done", "o2": "done"}


def test_one_robot_is_evacuated_and_the_others_work_on() -> None:
    story = Asking()
    assert story.ask(RobotsEvacuated, robot=1) == ""
    story.order("o1", Line("SKU-01", 1))
    story.ticks(150)
    assert story.closed() == {"o1": "done"}
    away = story.world.robots[1]
    assert list(away.away) == ["evacuate robot amr-1"] and not away.legs
    assert bays.inside(story.world, 1) >= 0
    assert story.ask(RobotsResumed, robot=1) == "" and not away.away


def test_who_is_held_under_another_name_is_not_resumed_and_that_is_said() -> None:
    story = Asking()
    assert story.ask(RobotsResumed, robot=0) == "", "it is so already"
    assert story.ask(RobotsPaused, fleet=0) == ""
    for whom in ({"robot": 0}, {}):
        assert "held by: pause fleet amr: end that" in story.ask(RobotsResumed, **whom)
    assert story.world.robots[0].holds
    assert story.ask(RobotsResumed, zone="elsewhere") == ""
    assert story.ask(RobotsResumed, fleet=0) == "" and not story.world.robots[0].holds


def test_an_evacuated_zone_is_left_even_by_who_is_parked_there() -> None:
    story = Asking(robots=2)
    zone = story.zone(12)
    assert any(story.world.traffic.at[r.index] in zone for r in story.world.robots)
    assert story.ask(RobotsEvacuated, zone="east", nodes=zone) == ""
    story.ticks(60)
    assert not any(story.world.traffic.at[r.index] in zone for r in story.world.robots)
    assert "more than half" in story.ask(RobotsEvacuated, zone="x", nodes=story.zone(-9))
    assert "other nodes" in story.ask(RobotsEvacuated, zone="east", nodes=zone[1:])


def test_a_robot_that_was_retired_and_switched_off_comes_back() -> None:
    story = Asking(robots=1)
    assert story.ask(RobotRetired, robot=0) == ""
    story.ticks(3)
    assert story.of(SwitchOff)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(50)
    assert story.closed() == {}
    assert story.ask(RobotReturned, robot=0) == ""
    assert story.of(SwitchOn) == [SwitchOn(robot=0)]
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_a_robot_is_sent_to_charge_before_it_works_again() -> None:
    kinds = ("slot", "park", "pick", "slot", "charge", "dock", "slot", "park", "chute", "slot")
    rows = [{"match": "slot-*", "kind": "slot"}, {"match": "park-*", "kind": "parking"},
            {"match": "charge-*", "kind": "charger"}, {"match": "*", "kind": "station"}]  # fmt: skip
    story = Asking(robots=1, kinds=kinds, bays=rows)
    assert "already" in story.ask(ChargeAsked, robot=0)
    story.say(BatteryCrossed(robot=0, battery_permille=700))
    story.waits = (ExtendBase,)
    assert story.ask(ChargeAsked, robot=0) == ""
    story.order("o1", Line("SKU-01", 1))
    story.go_on()
    story.ticks(20)
    assert story.of(StartAction)[0].kind == "charge"
    assert "no charger" in Asking().ask(ChargeAsked, robot=0)


@pytest.mark.parametrize("values", [{"robot": 9}, {"robot": -1}])
def test_what_is_asked_of_robots_that_there_are_not_is_refused(values: dict[str, int]) -> None:
    story = Asking()
    assert "no robot" in story.ask(RobotRetired, **values)
    assert "no edge" in story.ask(LaneClosed, edge=10**6)
    assert "no node" in story.ask(ZoneClosed, zone="z", nodes=(-4,))
    assert "both" in story.ask(RobotsPaused, zone="z")


# --- places -------------------------------------------------------------------------------------


def test_a_closed_lane_is_driven_by_nobody_until_it_is_opened() -> None:
    story = Asking()
    roadmap = story.loaded.site.roadmap
    slot = next(bay for bay in roadmap.bays if bay.kind == "slot")
    edge = next(e for e in range(roadmap.edges) if roadmap.edge_head[e] == slot.node)
    assert story.ask(LaneClosed, edge=edge) == "" and story.ask(LaneClosed, edge=edge) == ""
    story.order("o1", Line("SKU-01", 1))
    story.ticks(60)
    assert story.closed() == {}
    assert edge not in [e for c in story.of(ExtendBase) for e in c.edges]
    assert story.ask(LaneOpened, edge=edge) == "" and story.ask(LaneOpened, edge=edge) == ""
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_a_closed_station_begins_nothing_and_goes_on_when_it_is_opened() -> None:
    story = Asking()
    stations = story.loaded.site.stations
    picks = [index for index, known in enumerate(stations) if known.kind == "pick"]
    story.order("o1", Line("SKU-01", 1))
    for index in picks:
        assert story.ask(StationClosed, station=index) == ""
    story.order("o2", Line("SKU-02", 1))
    story.ticks(200)
    assert not story.of(StartWork)
    for index in picks:
        assert story.ask(StationOpened, station=index) == ""
    story.ticks(250)
    assert story.closed() == {"o1": "done", "o2": "done"}


def test_a_closed_zone_is_left_and_not_entered() -> None:
    story = Asking()
    zone = story.zone(12)
    assert story.ask(ZoneClosed, zone="east", nodes=zone) == ""
    story.order("o1", Line("SKU-01", 1))
    story.order("o2", Line("SKU-02", 1))
    story.ticks(100)
    edges = [e for c in story.of(ExtendBase) for e in c.edges]
    roadmap = story.loaded.site.roadmap
    assert not [
        e for e in edges if roadmap.edge_head[e] in zone and roadmap.edge_tail[e] not in zone
    ]
    assert story.ask(ZoneOpened, zone="east") == ""
    story.ticks(250)
    assert story.closed() == {"o1": "done", "o2": "done"}


# --- safety -------------------------------------------------------------------------------------


def test_an_emergency_stop_needs_reset_and_clear_and_robots_start_one_by_one() -> None:
    # given robots at work
    story = Asking()
    story.order("o1", Line("SKU-01", 1))
    story.order("o2", Line("SKU-02", 1))
    story.ticks(1)
    # when everything is stopped, then nothing begins any more
    story.say(EmergencyStopped())
    assert story.of(PauseRobot) == [PauseRobot(robot=i, emergency=True) for i in range(3)]
    seen = len(story.seen)
    story.ticks(30)
    assert not [c for c in story.seen[seen:] if isinstance(c, ExtendBase | StartAction | StartWork)]
    # neither the reset alone, nor one of before a second stop, starts anything
    story.say(EmergencyReset())
    story.say(EmergencyStopped())
    story.say(ZoneCleared())
    story.ticks(5)
    assert not story.of(ResumeRobot)
    # with both, one robot a tick starts again
    story.say(EmergencyReset())
    for number in range(1, 4):
        story.ticks(1)
        assert len(story.of(ResumeRobot)) == number
    story.ticks(250)
    assert story.closed() == {"o1": "done", "o2": "done"}


def test_a_stopped_zone_stops_who_is_in_it_and_the_others_go_on() -> None:
    story = Asking()
    zone = story.zone(12)
    inside = [r.index for r in story.world.robots if story.world.traffic.at[r.index] in zone]
    story.say(EmergencyStopped(zone="east", nodes=zone))
    assert [c.robot for c in story.of(PauseRobot)] == inside and len(inside) < 3
    assert "not stopped" in story.ask(EmergencyReset, zone="west")
    story.say(EmergencyReset(zone="east"), ZoneCleared(zone="east"))
    story.order("o1", Line("SKU-01", 1))
    story.ticks(250)
    assert story.closed() == {"o1": "done"}


def test_a_stop_while_robots_start_again_stops_them_all() -> None:
    story = Asking()
    story.say(EmergencyStopped(), EmergencyReset(), ZoneCleared())
    story.ticks(1)
    story.say(EmergencyStopped())
    assert all(robot.holds for robot in story.world.robots) and not story.world.restarting
    story.ticks(5)
    assert len(story.of(ResumeRobot)) == 1
