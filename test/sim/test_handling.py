"""What the world lets robots and machines do, whatever the core may believe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from one_robot import OneRobot, line

from orchestrator.core.messages import (
    ActionEnded,
    Event,
    ImageRead,
    RequestInference,
    StartAction,
    StartWork,
    WorkEnded,
)
from orchestrator.core.roadmap import Bay
from orchestrator.core.site import Policy, Site, Station
from orchestrator.layout.site_file import FaultsFile, SimulationFile
from sim.clock import SECOND_NS, Streams
from sim.floor import Floor
from sim.handling import Handling
from sim.machines import Machines
from sim.mishaps import Mishaps

SLOT, PICK, CHARGER = 0, 1, 2  # bays, on the nodes of the same number


class Hall:
    """A line of three bays with one robot: slot - pick station - charger."""

    def __init__(self, success: dict[str, float] | None = None, **faults: Any) -> None:
        kinds = (("s", "slot"), ("p", "station"), ("c", "charger"))
        bays = tuple(Bay(name, kind, (node,), 1) for node, (name, kind) in enumerate(kinds))
        floor = replace(line([2.0, 2.0]), bays=bays)
        station = Station(
            "arm",
            "pick",
            ("pick", "verify", "pack", "label", "scan", "checkweigh", "handout"),
            PICK,
        )
        stations = (station, replace(station, id="arm-2"))  # both at the same bay
        self.site = Site("t", "", floor, (), stations, {}, frozenset({"A", "B"}), Policy())
        self.world = OneRobot(floor)
        self.robot = self.world.robot
        self.said: list[Event] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.floor = Floor(lambda kind, fact: self.told.append((kind, fact)))
        self.freed = 0
        self.numbers = 100
        shares = {kind: {"share": share} for kind, share in faults.items()}
        self.mishaps = Mishaps(
            Streams(1), FaultsFile.model_validate({"format": 1, **shares}),
            lambda kind, fact: self.told.append((kind, fact)),
        )  # fmt: skip
        self.handling = Handling(
            self.site, self.world.clock, self.floor, [self.robot],
            lambda robot: self.mishaps.strikes("item_dropped", robot),
            lambda _, event: self.said.append(event), self._freed,
        )  # fmt: skip
        spec = SimulationFile(success=success or {}, service_s={"pick": (5, 0), "verify": (1, 0)})
        self.machines = Machines(
            self.site, spec, self.world.clock, self.floor, Streams(1), 0.0,
            self.handling.present, lambda _: "", self.mishaps, self.said.append,
        )  # fmt: skip
        self.floor.tote("t1", "A", 3, "slot:s")

    def _freed(self) -> None:
        self.freed += 1

    def act(self, kind: str, load: str = "", bay: int = -1, wait_s: float = 30) -> str:
        self.handling.start(StartAction(robot=0, action=9, kind=kind, load=load, bay=bay))
        self.wait(wait_s)
        ended = [event.outcome for event in self.said if isinstance(event, ActionEnded)]
        return ended[-1] if ended else ""

    def wait(self, seconds: float) -> None:
        clock = self.world.clock
        clock.run(clock.now_ns + round(seconds * SECOND_NS))

    def drive(self, *edges: int) -> None:
        self.robot.extend(edges)
        self.wait(60)

    def work(self, capability: str, number: int = 0, **values: Any) -> WorkEnded:
        """What a work of this number (0: a new one) ends with; the number is left out."""
        self.numbers += 1
        values = {"order_id": "o", "load": "t1", "sku": "A", "quantity": 1} | values
        number = number or self.numbers
        values = {"station": 0} | values
        self.machines.start(StartWork(work=number, capability=capability, **values))
        self.wait(100)
        ended = self.said[-1]
        assert isinstance(ended, WorkEnded) and ended.work == number
        return structs.replace(ended, work=4)

    def look(self, expected: str) -> ImageRead:
        return self._look("verify_pick", "o", expected, "verify")

    def scan(self, load: str) -> ImageRead:
        return self._look("read_label", load, load, "scan")

    def _look(self, task: str, subject: str, expected: str, capability: str) -> ImageRead:
        request = RequestInference(
            request=5, task=task, station=0, subject=subject, expected=expected,
            capability=capability,
        )  # fmt: skip
        self.machines.look(request)
        self.wait(10)
        read = self.said[-1]
        assert isinstance(read, ImageRead)
        return read

    def at_the_arm(self) -> Hall:
        assert self.act("pick", "t1", SLOT) == "ok"
        self.drive(0)
        return self

    def impossible(self) -> int:
        return sum(kind == "impossible_action" for kind, _ in self.told)


def test_a_load_comes_on_and_goes_back() -> None:
    hall = Hall()
    assert hall.act("pick", "t1", SLOT) == "ok" and hall.freed == 1
    assert hall.floor.place["t1"] == "robot:r"
    assert hall.act("drop", "t1", SLOT) == "ok"
    assert hall.floor.place["t1"] == "slot:s" and hall.impossible() == 0


@pytest.mark.parametrize(
    ("kind", "load", "bay"),
    [
        ("pick", "t2", SLOT),  # no such load
        ("pick", "t1", PICK),  # another place
        ("pick", "t1", 77),  # no such bay
        ("drop", "t1", SLOT),  # is not on it
        ("drop", "", SLOT),  # drops nothing
        ("charge", "", SLOT),  # no charger here
    ],
)
def test_the_impossible_fails_and_is_recorded(kind: str, load: str, bay: int) -> None:
    hall = Hall()
    assert hall.act(kind, load, bay) == "failed"
    assert hall.impossible() == 1 and hall.floor.place["t1"] == "slot:s"
    assert not hall.robot.busy and not hall.robot.charging


def test_no_second_load_and_no_full_slot() -> None:
    hall = Hall()
    hall.act("pick", "t1", SLOT)
    hall.floor.tote("t2", "B", 1, "slot:s")
    assert hall.act("pick", "t2", SLOT) == "failed"
    assert hall.act("drop", "t1", SLOT) == "failed"
    assert hall.robot.loads == ["t1"]


def test_nothing_is_handled_on_the_way() -> None:
    hall = Hall()
    hall.robot.extend((0,))
    assert hall.act("pick", "t1", SLOT) == "failed"


def test_a_second_command_meanwhile_fails_and_the_first_ends_well() -> None:
    hall = Hall()
    hall.robot.spec = hall.robot.spec.model_copy(
        update={"handling_s": hall.robot.spec.handling_s.model_copy(update={"pick": 4.0})}
    )
    assert hall.act("pick", "t1", SLOT, wait_s=1) == ""
    assert hall.act("pick", "t1", SLOT, wait_s=1) == "failed"
    hall.robot.extend((0,))  # a base that comes meanwhile is driven afterwards
    hall.wait(1.9)
    assert not hall.robot.driving
    hall.wait(60)
    assert hall.floor.place["t1"] == "robot:r" and hall.robot.node == 1


def test_what_a_dead_robot_was_at_ends_after_its_restart() -> None:
    hall = Hall()
    hall.robot.spec = hall.robot.spec.model_copy(
        update={"handling_s": hall.robot.spec.handling_s.model_copy(update={"pick": 4.0})}
    )
    hall.world.clock.after(2 * SECOND_NS, lambda _: hall.robot.die("test"))
    assert hall.act("pick", "t1", SLOT) == ""
    assert hall.floor.place["t1"] == "slot:s"
    hall.robot.dead = False
    hall.handling.revived(hall.robot)
    assert isinstance(hall.said[-1], ActionEnded) and hall.said[-1].outcome == "ok"
    assert hall.floor.place["t1"] == "robot:r"


def test_charges_on_a_charger_until_it_is_told_to_stop() -> None:
    hall = Hall()
    hall.robot.charge_permille = 500.0
    hall.drive(0, 1)
    before = hall.robot.charge_permille
    assert hall.act("charge", "", CHARGER, wait_s=60) == "ok"
    hall.act("stop_charging", wait_s=60)
    hall.robot.use_charge()
    assert hall.robot.charge_permille == pytest.approx(before + 100, abs=5)


def test_an_arm_picks_from_the_tote_that_stands_before_it() -> None:
    hall = Hall().at_the_arm()
    begun = hall.world.clock.now_ns
    assert hall.work("pick", quantity=2) == WorkEnded(work=4, outcome="ok", quantity=2)
    assert hall.floor.units["t1"] == ["A", 1] and hall.floor.boxes["o"] == {"A": 2}
    assert hall.work("pick", quantity=2) == WorkEnded(work=4, outcome="short", quantity=1)
    assert hall.work("pick", sku="B").outcome == "short"
    assert hall.world.clock.now_ns - begun == 300 * SECOND_NS and hall.impossible() == 0


def test_an_arm_reaches_no_tote_that_is_elsewhere() -> None:
    hall = Hall()
    assert hall.work("pick").outcome == "failed" and hall.impossible() == 1
    hall.at_the_arm().drive(1)
    assert hall.work("pick").outcome == "failed" and hall.impossible() == 2
    assert hall.floor.units["t1"] == ["A", 3]


def test_a_failed_pick_moves_nothing() -> None:
    hall = Hall({"pick": 0.0}).at_the_arm()
    assert hall.work("pick") == WorkEnded(work=4, outcome="failed", quantity=0)
    assert hall.floor.units["t1"] == ["A", 3] and hall.impossible() == 0


def test_a_camera_sees_what_is_in_the_box() -> None:
    hall = Hall().at_the_arm()
    hall.work("pick", quantity=2)
    assert hall.look("A:2").outcome == "ok"
    assert hall.look("A:1").outcome == hall.look("A:3").outcome == "mismatch"
    assert hall.look("B:1").value == "B:0"
    hall = Hall({"verify": 0.0})
    assert hall.look("A:2") == ImageRead(request=5, outcome="unreadable", value="", model="perfect")


def test_a_box_becomes_a_parcel_and_leaves_at_the_chute() -> None:
    hall = Hall().at_the_arm()
    assert hall.work("pack", load="p").outcome == "failed", "there is no box"
    hall.work("pick", quantity=2)
    assert hall.work("pack", load="p").outcome == "ok"
    assert hall.work("handout", load="q").outcome == "failed", "there is no such parcel"
    assert hall.work("handout", load="p").outcome == "ok"
    assert hall.work("handout", load="p").outcome == "failed", "it is gone"
    delivered = [fact for kind, fact in hall.told if kind == "parcel_delivered"]
    assert [fact["contents"] for fact in delivered] == [{"A": 2}] and hall.impossible() == 3


def test_an_empty_tote_that_is_dropped_at_a_dock_leaves_the_building() -> None:
    hall = Hall().at_the_arm()
    assert hall.act("drop", "t1", PICK) == "ok"
    assert "t1" not in hall.floor.stock() and hall.floor.units == {}
