"""Stories of machines that break and answers that don't come."""

from __future__ import annotations

import pytest
from workshop import Workshop, flow

from orchestrator.core.flow import quarantine
from orchestrator.core.messages import (
    CloseOrder,
    Line,
    RaiseAlarm,
    StartAction,
    StationFaulted,
    StationRecovered,
    WorkEnded,
)


def test_an_arm_that_breaks_in_the_middle_of_a_pick_picks_again_when_it_is_repaired() -> None:
    """Given an arm at work, when it breaks, then nothing was picked, nobody is asked meanwhile, the
    first repair fails, the second helps, and the order is done by a new work."""
    story = Workshop()
    story.slow = {"pick"}
    story.order()
    work = story.until_asked("pick")
    story.breaks(work.station, "pick", aborted=work.work)
    story.ticks(30)
    assert len(story.asked("pick")) == 1
    story.repair_fails()
    assert [c.attempt for c in story.repairs()] == [1, 2]
    story.slow = set()
    story.repaired(work.station, "pick")
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert len({c.work for c in story.asked("pick")}) == 2
    assert story.funnel() == {"arm_down": "repaired", "down": "resolved"}
    assert story.world.stock.totes["t0"].quantity == 8


def test_after_bounded_repairs_maintenance_is_called_and_ends_it() -> None:
    story = Workshop()
    station = story.pick_station()
    story.breaks(station, "pack")
    for _ in range(4):
        assert not story.repairs()[-1].maintenance
        story.repair_fails()
    assert story.repairs()[-1].maintenance and story.repairs()[-1].attempt == 5
    story.repaired(station, "pack")
    assert story.funnel() == {"station_down": "maintenance"}


def test_a_repair_that_nobody_answers_is_asked_for_again() -> None:
    story = Workshop(policy={"repair_answer_s": 60, "invariants_every": 1})
    story.breaks(story.pick_station(), "pack")
    story.ticks(50)
    assert len(story.repairs()) == 1
    story.ticks(10)
    assert [c.attempt for c in story.repairs()] == [1, 2]


def test_a_late_word_of_an_earlier_attempt_and_a_machine_that_does_not_exist_change_nothing() -> (
    None
):
    story = Workshop()
    station = story.pick_station()
    story.breaks(station, "pick")
    story.repair_fails()
    first = story.repairs()[0]
    story.say(StationRecovered(station=99, capability="pick"))
    story.breaks(station, "bake")
    story.breaks(station, "pick")
    assert len(story.repairs()) == 2 and first.attempt == 1
    story.repaired(station, "pick")
    story.repaired(station, "pick")
    assert not story.world.problems


def test_a_camera_that_breaks_looks_again_when_it_sees() -> None:
    story = Workshop()
    story.script = {"verify": [None]}
    story.order()
    for _ in range(100):
        story.ticks(1)
        if story.world.looks:
            break
    station = story.world.orders["o1"].station
    story.breaks(station, "verify")
    assert not story.world.looks
    story.ticks(100)
    assert story.closed() == {}
    story.repaired(station, "verify")
    story.ticks(100)
    assert story.closed() == {"o1": "done"}
    assert story.funnel()["station_down"] == "repaired"


def test_nothing_is_released_to_a_broken_station_while_another_one_works() -> None:
    story = Workshop()
    other, *broken = story.picks_at()
    for station in broken:
        story.breaks(station, "pick")
    story.order("o1")
    story.order("o2", Line("SKU-02", 1))
    story.ticks(1)
    assert {order.station for order in story.world.orders.values()} == {other}
    story.breaks(other, "pack")
    story.order("o3")
    assert story.world.orders["o3"].station == -1, "all are broken: it waits"
    story.repaired(broken[0], "pick")
    assert story.world.orders["o3"].station == broken[0]
    story.repaired(other, "pack")
    story.ticks(300)
    assert set(story.closed().values()) == {"done"}


def test_an_order_that_has_not_begun_moves_to_another_station_and_its_tote_goes_home_first() -> (
    None
):
    """Given a robot that stands with its tote before a broken arm, when the time to wait is over, then
    it leaves the bay, and the tote is fetched again for the other station."""
    story = Workshop()
    story.slow = {"pick"}
    story.order()
    work = story.until_asked("pick")
    story.breaks(work.station, "pick", aborted=work.work)
    story.ticks(110)
    assert story.world.orders["o1"].station == work.station
    story.slow = set()
    story.ticks(150)
    assert story.closed() == {"o1": "done"}
    assert story.asked("pick")[-1].station not in (-1, work.station)
    drops = [c for c in story.seen if isinstance(c, StartAction) and c.kind == "drop"]
    assert [c.load for c in drops].count("t0") == 2, "home, and home again after the pick"
    assert [state.used for state in story.world.stations] == [0] * len(story.world.stations)
    story.repaired(work.station, "pick")


def test_what_can_not_move_makes_room_and_comes_again_when_the_arm_works() -> None:
    """Given an order with a line in its box already, when its arm breaks, then the tote of the other
    line goes home, waits there, and comes again."""
    story = Workshop()
    story.slow = {"pick"}
    story.order("o1", Line("SKU-01", 1), Line("SKU-02", 1))
    first = story.until_asked("pick")
    story.waiting.remove(first)
    story.say(WorkEnded(work=first.work, outcome="ok", quantity=1))
    second = story.until_asked("pick")
    story.breaks(second.station, "pick", aborted=second.work)
    story.ticks(200)
    tote = story.world.stock.totes[second.load]
    assert (tote.place[0], tote.user) == ("slot", None)
    ((_, step, _),) = story.world.stations[second.station].held
    assert step == "retrieve"
    assert all(not robot.load for robot in story.world.robots)
    story.slow = set()
    story.repaired(second.station, "pick")
    assert not story.world.stations[second.station].held
    story.ticks(300)
    assert story.closed() == {"o1": "done"}


def test_a_parcel_for_a_chute_that_is_broken_waits_untouched() -> None:
    story = Workshop()
    chute = next(i for i, s in enumerate(story.loaded.site.stations) if s.kind == "chute")
    story.slow = {"handout"}
    story.order()
    work = story.until_asked("handout")
    story.breaks(chute, "handout", aborted=work.work)
    story.ticks(400)
    assert story.closed() == {} and story.world.orders["o1"].parcel == ("chute", chute)
    story.slow = set()
    story.repaired(chute, "handout")
    story.ticks(2)
    assert story.closed() == {"o1": "done"}


def test_a_lost_answer_is_asked_for_by_the_same_number() -> None:
    story = Workshop(policy={"work_timeout_s": 30, "invariants_every": 1})
    story.script = {"pick": [None, None]}
    story.order()
    story.ticks(300)
    assert story.closed() == {"o1": "done"}
    works = story.asked("pick")
    assert len(works) == 3 and len({work.work for work in works}) == 1
    assert story.funnel() == {"timeout": "resolved"}


def test_an_answer_that_comes_late_and_twice_is_booked_once() -> None:
    story = Workshop(policy={"work_timeout_s": 30, "invariants_every": 1})
    story.script = {"pick": [None]}
    story.order()
    story.ticks(200)
    work = story.asked("pick")[0]
    story.say(WorkEnded(work=work.work, outcome="ok", quantity=2))
    assert story.closed() == {"o1": "done"} and story.world.stock.totes["t0"].quantity == 8


def test_a_machine_that_owes_too_many_answers_counts_as_broken_and_is_asked_again_after_that() -> (
    None
):
    story = Workshop(policy={"work_timeout_s": 10, "answer_tries": 2, "invariants_every": 1})
    story.script = {"pick": [None] * 3}
    story.order()
    story.ticks(120)
    assert [c.capability for c in story.repairs()] == ["pick"]
    assert story.closed() == {}
    story.repaired(story.repairs()[0].station, "pick")
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert len({work.work for work in story.asked("pick")}) == 1, "it may have been done"


def test_the_pick_of_an_order_that_was_set_aside_is_still_asked_for_as_the_books_need_it() -> None:
    """Given an order whose pick is done but whose answer is lost, when the order is set aside
    meanwhile, then the arm is asked until it tells, and the books know of the unit in the box."""
    story = Workshop(policy={"work_timeout_s": 20, "invariants_every": 1})
    story.script = {"pick": [None]}
    story.order("o1", Line("SKU-01", 1))
    for _ in range(100):
        story.ticks(1)
        if story.world.works:
            break
    order = story.world.orders["o1"]
    story.slow = {"pick"}
    quarantine(story.world, order, ("o1", "other", -1), "test")
    again = story.until_asked("pick")
    assert again.work == story.asked("pick")[0].work
    story.say(WorkEnded(work=again.work, outcome="ok", quantity=1))
    story.ticks(100)
    assert story.world.stock.boxes == {"o1": {"SKU-01": 1}}
    assert story.world.stock.totes["t0"].place[0] == "slot"


def test_a_step_may_say_what_follows_a_timeout() -> None:
    """Given a tote that no robot takes in time, when its step says so, then another one is fetched."""
    retrieve = {"timeout_s": 20, "outcomes": {"timeout": {"then": "retrieve", "tries": 3}}}
    story = Workshop(totes=4, robots=0, flow=flow(retrieve=retrieve))
    story.order()
    assert story.world.orders["o1"].lines[0].tote == "t0"
    story.ticks(25)
    assert story.world.orders["o1"].lines[0].tote == "t2"
    totes = story.world.stock.totes
    assert (totes["t0"].reserved, totes["t0"].user, totes["t2"].reserved) == (0, None, 2)
    story.ticks(100)
    assert story.closed() == {"o1": "quarantined"}, "its tries are bounded"
    assert "timeout" in next(c.reason for c in story.seen if isinstance(c, CloseOrder))


def test_a_carry_that_takes_too_long_is_noted_and_goes_on() -> None:
    story = Workshop(robots=0, flow=flow(retrieve={"timeout_s": 20}))
    story.order()
    story.ticks(45)
    (problem,) = story.world.problems.values()
    assert (problem.kind, problem.subject, problem.tries) == ("timeout", "o1:retrieve.0", 1)
    assert len(story.world.tasks) == 1


@pytest.mark.parametrize("capability", ["pick", "verify", "discard", "pack"])
def test_a_machine_that_breaks_while_idle_stops_nobody_for_good(capability: str) -> None:
    story = Workshop()
    for station in story.picks_at():
        story.say(StationFaulted(station=station, capability=capability))
    story.order()
    story.ticks(50)
    for station in story.picks_at():
        story.repaired(station, capability)
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_who_watches_is_told_when_maintenance_is_called() -> None:
    story = Workshop(policy={"repair_tries": 0, "invariants_every": 1})
    story.breaks(story.pick_station(), "pick")
    assert story.repairs()[0].maintenance
    alarms = [c.text for c in story.seen if isinstance(c, RaiseAlarm)]
    assert any("maintenance is called" in text for text in alarms)


def test_a_robot_that_was_cut_off_and_sent_elsewhere_stays_before_the_arm_it_came_to() -> None:
    """Given a loaded robot that waited for a closed way, when its order moves and it reaches the other
    arm, then nobody parks it away from there."""
    story = Workshop()
    story.slow = {"pick"}
    story.order()
    work = story.until_asked("pick")
    robot = next(robot for robot in story.world.robots if robot.load == work.load)
    robot.cut = True
    before = story.world.traffic.tail[robot.index]
    story.ticks(30)
    assert story.world.traffic.tail[robot.index] == before and not robot.legs and not robot.cut


def test_an_order_whose_units_may_be_in_a_box_already_stays_where_that_box_is() -> None:
    """Given an arm that breaks and nobody knows whether it has picked, when the time to wait is over,
    then the order doesn't move; the arm is asked again, and its answer counts."""
    story = Workshop()
    story.slow = {"pick"}
    story.order()
    work = story.until_asked("pick")
    story.breaks(work.station, "pick")
    story.ticks(200)
    assert story.world.orders["o1"].station == work.station
    story.slow = set()
    story.repaired(work.station, "pick")
    story.ticks(200)
    assert [(c.station, c.work) for c in story.asked("pick")] == 2 * [(work.station, work.work)]
    assert story.closed() == {"o1": "done"}
