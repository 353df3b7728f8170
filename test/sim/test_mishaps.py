"""What goes wrong with goods in the fake world, and what machines tell of it."""

from __future__ import annotations

from typing import Any

import pytest
from test_handling import CHARGER, SLOT, Hall

from orchestrator.core.messages import StartWork, WorkEnded


def facts(hall: Hall, kind: str) -> list[dict[str, Any]]:
    return [fact for name, fact in hall.told if name == kind]


def test_an_arm_that_takes_one_too_many_doesn_t_know_and_the_camera_does() -> None:
    hall = Hall(pick_wrong=1.0).at_the_arm()
    assert hall.work("pick", quantity=2).quantity == 2
    assert hall.floor.units["t1"] == ["A", 0] and hall.floor.boxes["o"] == {"A": 3}
    assert facts(hall, "miscounted")[0]["by"] == 1
    assert hall.look("A:2").outcome == "mismatch"


def test_of_the_last_units_it_takes_one_too_few_but_never_none() -> None:
    hall = Hall(pick_wrong=1.0).at_the_arm()
    assert hall.work("pick", quantity=3).quantity == 3
    assert hall.floor.boxes["o"] == {"A": 2} and facts(hall, "miscounted")[0]["by"] == -1
    assert hall.work("pick", quantity=1).quantity == 1 and hall.floor.boxes["o"] == {"A": 3}


def test_discarding_leaves_what_is_to_stay_and_tells_what_it_took() -> None:
    hall = Hall(pick_wrong=1.0).at_the_arm()
    hall.work("pick", quantity=2)
    assert hall.work("discard", quantity=1) == WorkEnded(work=4, quantity=2)
    assert hall.floor.boxes["o"] == {"A": 1}
    assert hall.work("discard", quantity=0).quantity == 1 and "o" not in hall.floor.boxes
    assert hall.work("discard", quantity=0).quantity == 0
    assert sum(fact["quantity"] for fact in facts(hall, "units_scrapped")) == 3


def test_a_damaged_unit_is_seen_until_it_is_discarded() -> None:
    hall = Hall(item_damaged=1.0).at_the_arm()
    hall.work("pick", quantity=2)
    assert hall.look("A:2").outcome == "damaged"
    hall.work("discard", quantity=0)
    hall.mishaps.change(None)
    hall.work("pick", quantity=1)
    assert hall.look("A:1").outcome == "ok"


def test_a_unit_that_falls_is_gone() -> None:
    hall = Hall(item_dropped=1.0)
    hall.floor.tote("t2", "A", 1, "slot:x")
    hall.mishaps.change(None)
    hall.at_the_arm()
    hall.mishaps.change(_faults(item_dropped=1.0))
    ended = hall.work("pick", quantity=2)
    assert (ended.outcome, ended.quantity, ended.lost) == ("dropped", 1, 1)
    assert hall.floor.units["t1"] == ["A", 1] and facts(hall, "units_scrapped")[0]["tote"] == "t1"


def test_a_load_that_slips_stays_where_it_is_and_is_no_contradiction() -> None:
    hall = Hall(item_dropped=1.0)
    assert hall.act("pick", "t1", SLOT) == "failed"
    assert hall.floor.place["t1"] == "slot:s" and hall.impossible() == 0


def test_a_dark_charger_gives_no_current_and_one_that_goes_dark_stops() -> None:
    hall = Hall()
    hall.drive(0, 1)
    hall.handling.dark = {CHARGER: None}
    assert hall.act("charge", bay=CHARGER) == "failed"
    assert not hall.robot.charging and hall.impossible() == 0
    hall.handling.dark = {}
    assert hall.act("charge", bay=CHARGER) == "ok" and hall.robot.charging
    hall.handling.goes_dark(CHARGER)
    assert not hall.robot.charging


def test_a_lost_answer_is_told_when_asked_again_and_nothing_is_done_twice() -> None:
    hall = Hall(answer_lost=1.0).at_the_arm()
    work = StartWork(
        work=50, station=0, capability="pick", order_id="o", load="t1", sku="A", quantity=1
    )
    before = len(hall.said)
    hall.machines.start(work)
    hall.machines.start(work)  # while it is at it
    hall.wait(60)
    assert len(hall.said) == before and hall.floor.boxes["o"] == {"A": 1}
    assert [fact["loads"] for fact in facts(hall, "answer_lost")] == [["t1", ""]]
    hall.mishaps.change(None)
    hall.machines.start(work)
    hall.wait(5)
    assert hall.said[-1] == WorkEnded(work=50, quantity=1)
    assert hall.floor.boxes["o"] == {"A": 1} and facts(hall, "answer_given") == [{"work": 50}]


def test_what_a_machine_was_at_when_it_broke_never_happened() -> None:
    hall = Hall().at_the_arm()
    work = StartWork(
        work=50, station=0, capability="pick", order_id="o", load="t1", sku="A", quantity=1
    )
    before = len(hall.said)
    hall.machines.start(work)
    hall.wait(1)
    assert hall.machines.broke((0, "pack")) == 0
    assert hall.machines.broke((0, "pick")) == 50
    hall.wait(60)
    assert len(hall.said) == before and hall.floor.units["t1"] == ["A", 3]
    hall.machines.start(work)
    hall.wait(60)
    assert hall.floor.units["t1"] == ["A", 2]


def test_totes_may_hold_less_than_the_books_say_from_the_seed() -> None:
    hall = Hall(stock_wrong=0.5)
    counts = [hall.mishaps.really(f"t{number}", 10) for number in range(200)]
    again = [hall.mishaps.really(f"t{number}", 10) for number in reversed(range(200))]
    assert counts == again[::-1] and 60 < sum(count < 10 for count in counts) < 140
    assert 0 in counts and max(counts) == 10
    wrong = facts(hall, "miscounted")
    assert {fact["by"] for fact in wrong} == {10 - count for count in counts if count < 10}


def _faults(**shares: float) -> Any:
    from orchestrator.layout.site_file import FaultsFile  # noqa: PLC0415

    rows = {kind: {"share": share} for kind, share in shares.items()}
    return FaultsFile.model_validate({"format": 1, **rows})


def test_another_item_in_the_box_is_seen_and_discarded_with_the_rest() -> None:
    hall = Hall(item_wrong=1.0).at_the_arm()
    assert hall.work("pick", quantity=2).quantity == 2
    assert hall.floor.boxes["o"] == {"A": 1, "A~": 1}
    assert hall.look("A:2").outcome == "mismatch"
    assert hall.work("discard", quantity=0).quantity == 2
    assert "o" not in hall.floor.boxes and not hall.floor.foreign
    hall.mishaps.change(None)
    hall.work("pick", quantity=1)
    assert hall.look("A:1").outcome == "ok"


def test_the_scale_finds_a_unit_too_few_and_another_item_in_its_place() -> None:
    for fault, content in (({"item_wrong": 1.0}, 2), ({}, 3)):
        hall = Hall(**fault).at_the_arm()
        hall.work("pick", quantity=2)
        hall.work("pack", load="parcel-o")
        weighed = hall.work("checkweigh", load="parcel-o", content=(("A", content),))
        assert weighed.outcome == "mismatch"
    hall.mishaps.change(None)
    assert hall.work("checkweigh", load="parcel-o", content=(("A", 2),)).outcome == "ok"


def test_a_printer_that_slips_is_found_out_by_the_scan_until_the_label_is_right() -> None:
    hall = Hall(label_wrong=1.0).at_the_arm()
    hall.work("label", load="parcel-1")
    hall.work("label", load="parcel-2")
    assert hall.scan("parcel-1").outcome == "ok"
    read = hall.scan("parcel-2")
    assert (read.outcome, read.value) == ("misread", "parcel-1")
    hall.mishaps.change(None)
    hall.work("label", load="parcel-2")
    assert hall.scan("parcel-2").outcome == "ok"
    says = [(fact["load"], fact["says"]) for fact in facts(hall, "labelled")]
    one, two = "parcel-1", "parcel-2"
    assert says == [(one, one), (two, one), (two, two)]


def test_a_torn_label_can_t_be_read_until_there_is_a_new_one() -> None:
    hall = Hall(label_torn=1.0).at_the_arm()
    hall.work("label", load="parcel-1")
    assert hall.scan("parcel-1").outcome == "unreadable"
    hall.mishaps.change(None)
    hall.work("relabel", load="parcel-1")
    assert hall.scan("parcel-1").outcome == "ok"


@pytest.mark.parametrize("capability", ["pick", "discard", "pack"])
def test_nobody_works_on_a_box_that_stands_at_another_station(capability: str) -> None:
    hall = Hall().at_the_arm()
    hall.work("pick")
    ended = hall.work(capability, station=1, load="t1" if capability == "pick" else "parcel-o")
    assert ended.outcome == "failed" and hall.impossible() == 1
    assert hall.floor.boxes == {"o": {"A": 1}} and not hall.floor.parcels
    hall.work("discard", quantity=0)
    assert hall.work("pick", station=1).outcome == "ok", "an empty box is left where it is"
