"""Stories of trucks that leave before their time, told to the core by hand."""

from __future__ import annotations

from test_flow import SECOND, Story
from whole_ring import whole_files

from orchestrator.core.messages import (
    DispatchTruck,
    Line,
    OrderReceived,
    StartWork,
    TruckDocked,
    TruckLeft,
    WorkEnded,
)
from orchestrator.layout import load_files


class Yard(Story):
    """The whole ring; what is being loaded is in `loading` until the test ends it."""

    def __init__(self) -> None:
        self.loading: list[StartWork] = []
        self.dispatched: list[int] = []  # when, in ns
        super().__init__(loaded=load_files(whole_files(), "ring"))
        kinds = [station.kind for station in self.loaded.site.stations]
        self.door = kinds.index("door")
        self.say(
            OrderReceived(order_id="o1", kind="outbound", lines=(Line("SKU-01", 1),), route="north")
        )

    def answer(self, command: object) -> list[object]:
        if isinstance(command, StartWork) and command.capability == "load":
            self.loading.append(command)
            return []
        if isinstance(command, DispatchTruck):
            self.dispatched.append(self.time_ns)
        return super().answer(command)

    def docks(self, truck: str) -> None:
        departs_ns = self.time_ns + 3600 * SECOND
        self.say(TruckDocked(truck=truck, station=self.door, route="north", departs_ns=departs_ns,
                             capacity=9))  # fmt: skip

    def until_loading(self) -> StartWork:
        for _ in range(300):
            if self.loading:
                return self.loading.pop()
            self.ticks(1)
        raise AssertionError("nothing is loaded")


def test_a_parcel_whose_truck_left_while_it_was_loaded_left_with_it() -> None:
    story = Yard()
    story.docks("T1")
    work = story.until_loading()
    story.say(TruckLeft(truck="T1"), WorkEnded(work=work.work))
    assert story.closed() == {"o1": "done"}
    assert not story.world.stock.boxes and story.world.stations[story.door].used == 0


def test_the_next_truck_is_not_booked_with_what_the_last_one_took() -> None:
    story = Yard()
    story.docks("T1")
    work = story.until_loading()
    story.say(TruckLeft(truck="T1"))
    story.docks("T2")
    story.say(WorkEnded(work=work.work))
    assert story.closed() == {"o1": "done"}
    assert not story.world.trucks[story.door].loaded


def test_a_parcel_that_its_truck_left_behind_goes_with_the_next_one() -> None:
    story = Yard()
    story.docks("T1")
    work = story.until_loading()
    story.say(TruckLeft(truck="T1"), WorkEnded(work=work.work, outcome="timeout"))
    story.docks("T2")
    again = story.until_loading()
    story.say(WorkEnded(work=again.work))
    assert list(story.world.trucks[story.door].loaded) == ["o1"] and not story.closed()
    story.say(TruckLeft(truck="T2"))
    assert story.closed() == {"o1": "done"}


def test_an_order_without_a_due_time_misses_no_truck() -> None:
    story = Yard()
    story.docks("T1")
    story.say(TruckLeft(truck="T1"))
    assert not story.world.problems


def test_a_truck_that_does_not_leave_is_asked_again_after_a_minute() -> None:
    story = Yard()
    story.say(TruckDocked(truck="T1", station=story.door, route="north", departs_ns=1, capacity=9))
    story.ticks(130)
    first, second, *_ = story.dispatched
    assert 60 * SECOND <= second - first <= 65 * SECOND
