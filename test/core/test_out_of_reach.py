"""Places that nobody gets to just now: nothing is sent there, and what was meant for them waits or goes
elsewhere."""

from __future__ import annotations

from test_flow import Story

from orchestrator.core.messages import (
    Line,
    OrderReceived,
    RequestAssignment,
    RobotFaulted,
    RobotJoined,
    RobotRecovered,
    StartAction,
    StartWork,
)

KINDS = ("slot", "park", "pick", "chute", "park", "dock", "slot", "park", "chute", "slot")
KINDS_OF_TWO = ("slot", "park", "pick", "slot", "pick", "dock", "park", "park", "chute", "slot")


class Cut(Story):
    """Bays can be cut off, by a robot that lies in them. Robots take the parcel when told to."""

    def __init__(self, kinds: tuple[str, ...] = KINDS, robots: int = 3) -> None:
        super().__init__(kinds=kinds, robots=robots)
        self.unassigned = False  # robots get no task while units are in a box
        self.takes: list[StartAction] = []
        stations = enumerate(self.loaded.site.stations)
        self.chutes = [index for index, station in stations if station.kind == "chute"]

    def answer(self, command: object) -> list[object]:
        if isinstance(command, StartAction) and command.load.startswith("parcel"):
            self.takes.append(command)
            return []
        if isinstance(command, RequestAssignment) and self.unassigned and self.world.stock.boxes:
            return []
        return super().answer(command)

    def cut_off(self, station: int) -> int:
        """Return the robot that lies there."""
        robot, bay = len(self.world.robots), self.loaded.site.stations[station].bay
        node = self.loaded.site.roadmap.bays[bay].node
        joined = RobotJoined(
            robot=robot, name=f"amr-{robot}", fleet=0, node=node, heading_deg=0,
            battery_permille=1000,
        )  # fmt: skip
        self.say(joined, RobotFaulted(robot=robot, reason="test"))
        return robot

    def until_chosen(self) -> int:
        """The chute of an order's parcel, which is not fetched yet."""
        for _ in range(200):
            self.ticks(1)
            if self.world.orders["o1"].parcel[0] == "out":
                return self.world.orders["o1"].chute
        raise AssertionError("no parcel")

    def until_done(self) -> int:
        """Where the parcel was handed out."""
        for _ in range(200):
            self.ticks(1)
            while self.takes:
                self.say(*super().answer(self.takes.pop(0)))
        assert self.closed() == {"o1": "done"}
        assert {state.used for state in self.world.stations} == {0}
        works = [c for c in self.seen if isinstance(c, StartWork) and c.capability == "handout"]
        return works[0].station


def test_nothing_is_released_while_no_pick_station_is_in_reach() -> None:
    story = Cut()
    stations = list(enumerate(story.loaded.site.stations))
    lying = [story.cut_off(index) for index, station in stations if station.kind == "pick"]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(3)
    assert {state.used for state in story.world.stations} == {0}
    assert story.world.orders["o1"].station == -1, "it waits"
    story.say(*[RobotRecovered(robot=robot) for robot in lying])
    story.until_done()


def test_a_parcel_whose_chute_is_cut_off_before_it_is_fetched_goes_to_another_one() -> None:
    story = Cut()
    story.order("o1", Line("SKU-01", 1))
    own = story.until_chosen()
    story.cut_off(own)
    assert story.until_done() in set(story.chutes) - {own}


def test_a_parcel_whose_chute_is_cut_off_on_the_way_goes_to_another_one() -> None:
    story = Cut()
    story.order("o1", Line("SKU-01", 1))
    own = story.until_chosen()
    for _ in range(60):
        story.ticks(0 if story.takes else 1)
    assert [take.kind for take in story.takes] == ["pick"]
    story.cut_off(own)
    assert story.until_done() in set(story.chutes) - {own}


def test_a_parcel_that_waits_for_a_place_at_a_chute_that_is_cut_off_waits_no_more() -> None:
    story = Cut()
    for chute in story.chutes:
        story.world.stations[chute].used += 3
    story.order("o1", Line("SKU-01", 1))
    own = story.until_chosen()
    assert story.world.stations[own].waiters
    for chute in story.chutes:
        story.world.stations[chute].used -= 3
    story.cut_off(own)
    assert story.until_done() in set(story.chutes) - {own}


def test_a_parcel_whose_chute_the_host_named_waits_until_somebody_gets_there() -> None:
    story = Cut()
    own = story.chutes[0]
    lines = (Line("SKU-01", 1),)
    story.say(OrderReceived(order_id="o1", kind="outbound", lines=lines, station=own))
    lying = story.cut_off(own)
    story.ticks(200)
    assert not story.closed()
    story.say(RobotRecovered(robot=lying))
    assert story.until_done() == own


def test_with_no_chute_in_reach_parcels_wait() -> None:
    story = Cut()
    story.order("o1", Line("SKU-01", 1))
    story.until_chosen()
    lying = [story.cut_off(chute) for chute in story.chutes]
    story.ticks(60)
    assert not story.closed()
    story.say(RobotRecovered(robot=lying[-1]))
    assert story.until_done() == story.chutes[-1]


def test_an_order_with_units_in_a_box_stays_where_its_box_is() -> None:
    """Given an order of which one line is in the box and the other's tote still in its slot, when its
    station is cut off, then it waits: an order with an empty box moves, this one would be packed
    where its box is not."""
    story = Cut(KINDS_OF_TWO, robots=1)
    story.unassigned = True
    story.order("o1", Line("SKU-01", 1), Line("SKU-02", 1))
    order = story.world.orders["o1"]
    for _ in range(300):
        story.ticks(1)
        waiting = {task.token for task in story.world.tasks.values()}
        if story.world.stock.boxes.get("o1") and waiting and set(order.active) <= waiting:
            break
    else:
        raise AssertionError("no such moment")
    own = order.station
    lying = story.cut_off(own)
    story.ticks(5)
    assert order.station == own
    story.unassigned = False
    story.say(RobotRecovered(robot=lying))
    story.until_done()
    picks = [c for c in story.seen if isinstance(c, StartWork) and c.capability == "pick"]
    assert [c.station for c in picks] == [own, own]
