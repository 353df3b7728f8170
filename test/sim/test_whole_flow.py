"""Stories of the whole flow: from the pallet to the truck, and what becomes of what goes wrong. Each
is a run of a small ring, judged by `verify` and by the facts of the world."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from whole_ring import whole_files
from whole_story import Story, told

from orchestrator.journal import RunReader
from orchestrator.layout.site_file import FaultsFile


def run(path: Path, **values: Any) -> Story:
    """Of the ring with all stages."""
    return told(path, whole_files(), **values)


def test_from_the_pallet_to_the_truck(tmp_path: Path) -> None:
    """Given a centre with all stages, when pallets come and customers order for two hours, then each
    tote is set down, weighed and put into the reserve, what is picked runs through the forward zone,
    and every parcel leaves on a truck of its route."""
    story = run(tmp_path, hours=2, simulation__success={})
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert story.of("pallet_emptied")
    totes = [fact for fact in story.of("tote_arrived") if "pallet" in fact["tote"]]
    bays = {bay.id: bay.zone for bay in story.world.site.roadmap.bays}
    first: dict[str, str] = {}
    for fact in story.of("load_moved"):
        if fact["to"].startswith("slot:"):
            first.setdefault(fact["load"], bays[fact["to"].removeprefix("slot:")])
    stored = {first[fact["tote"]] for fact in totes if fact["tote"] in first}
    assert stored == {"reserve"}, "put away into the reserve"
    assert story.states("replenish")["done"], "the forward zone lives on replenishment"
    picked = {fact["tote"] for fact in story.of("units_moved")}
    assert len(picked) > 2
    gone = Counter(load for fact in story.of("truck_departed") for load in fact["loads"])
    assert sum(gone.values()) == story.states("outbound")["done"] > 20
    assert max(gone.values()) == 1


def test_unreadable_totes_are_relabelled(tmp_path: Path) -> None:
    """Given a camera that reads nothing, when totes come in, then each is set aside, relabelled and
    put away: no order is lost and no dock stays full."""
    story = run(tmp_path, simulation__success={"identify": 0.0}, simulation__demand__outbound=None)
    assert story.verdict.clean
    assert story.states("inbound")["quarantined"] == 0
    assert story.states("inbound")["done"] >= 1
    assert story.ended("unreadable")["aside"] >= 2
    relabel = next(s for s in story.world.site.stations if "relabel" in s.capabilities)
    places = {bay.id for bay in story.world.site.roadmap.bays if bay.kind == "slot"}
    assert relabel.id not in places


def test_quarantine_empties_itself(tmp_path: Path) -> None:
    """Given a camera that can't verify, when orders are set aside, then what was picked for them is
    packed, unpacked and stock again: no box is left, no unit is lost, no place stays taken."""
    story = run(tmp_path, hours=2, simulation__success={"verify": 0.0})
    assert story.verdict.clean
    assert story.states("outbound")["quarantined"] > 10
    assert story.states("reinduct")["done"] >= 3
    assert story.of("units_unpacked")
    young = {n for n, row in story.books["orders"].items() if row["status"] == "open"}
    assert all(order in young or f"reinduct-{order}" in young for order in story.world.stock.boxes)
    picks = [i for i, s in enumerate(story.world.site.stations) if s.kind == "pick"]
    busy = sum(story.world.stations[index].used for index in picks)
    assert busy <= len(young)


def test_what_is_set_aside_may_rest_before_it_becomes_stock_again(tmp_path: Path) -> None:
    """Given half an hour of quarantine, then nothing is unpacked before, and all of it afterwards."""
    story = run(
        tmp_path, hours=2, simulation__success={"verify": 0.0},
        flow__reinduct__unpack__wait_minutes=30,
    )  # fmt: skip
    assert story.verdict.clean
    with RunReader(tmp_path / "a.run") as reader:
        facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in reader.truth()]
    came: dict[str, int] = {}
    for time_ns, kind, fact in facts:
        if kind == "load_moved" and fact["to"].startswith("station:unpack"):
            came.setdefault(fact["load"], time_ns)
    rested = [
        time_ns - came[fact["parcel"]] for time_ns, kind, fact in facts if kind == "units_unpacked"
    ]
    assert rested and min(rested) >= 30 * 60 * 10**9
    assert story.states("reinduct")["done"]


def test_what_misses_its_truck_goes_with_the_next(tmp_path: Path) -> None:
    """Given trucks that take two parcels, when more are due, then the rest goes with later ones: late,
    counted, and none lost."""
    story = run(tmp_path, hours=2, simulation__success={}, simulation__trucks__north__capacity=2)
    assert not story.verdict.findings.total
    assert max(len(fact["loads"]) for fact in story.of("truck_departed")) == 2
    assert story.ended("cut_off_missed")["next truck"] > 0
    assert story.verdict.figures["late"] > 0
    assert story.states("outbound")["quarantined"] == 0


LATE = "format: 1\ntruck_late: {share: 1, delay_minutes: [10, 12]}\n"


def test_a_late_truck_is_waited_for_and_leaves_when_it_is_full(tmp_path: Path) -> None:
    """Given trucks that all come late, when parcels wait, then that is an exception which ends when
    the truck comes; it leaves as soon as all that is due is on it, before its new time."""
    story = run(tmp_path, hours=2, simulation__success={}, faults=LATE)
    assert not story.verdict.findings.total
    assert story.ended("truck_late")["came"] > 1
    docked = {fact["truck"]: fact for fact in story.of("truck_docked")}
    left = {f["truck"]: t for t, kind, f in story.facts if kind == "truck_departed" and f["loads"]}
    waits = [docked[truck]["departs_ns"] / 1e9 - at for truck, at in left.items()]
    assert max(waits) > 120, "it does not wait for its delayed time"


def test_without_trucks_the_flow_holds_back_and_goes_on_when_one_comes(tmp_path: Path) -> None:
    """Given no truck for an hour and a half, when orders go on coming, then staging places, chutes and
    buffers fill and no further; the first truck sets all of it going."""
    trucks = {"north": {"every_minutes": 300, "first_minute": 110, "dwell_minutes": 20}}
    seen: list[int] = []
    story = run(tmp_path, hours=1.5, simulation__success={}, simulation__trucks=trucks)
    for spec, state in zip(story.world.site.stations, story.world.stations, strict=True):
        assert state.used <= spec.positions and state.out_used <= spec.out_capacity
        seen.append(state.used)
    assert max(seen) >= 3 and story.states("outbound")["done"] == 0
    later = run(tmp_path / "later", hours=2, simulation__success={}, simulation__trucks=trucks)
    assert not later.verdict.findings.total
    assert later.states("outbound")["done"] > 10


def test_weighing_finds_what_the_notice_got_wrong(tmp_path: Path) -> None:
    """Given suppliers that send other counts than they announce, when totes are weighed, then the books
    hold what is there."""
    faults = "format: 1\nnotice_wrong: {share: 1}\n"
    story = run(tmp_path, hours=1.5, faults=faults, simulation__demand__outbound=None)
    assert story.verdict.clean, "books and truth agree on every tote"
    totes = [tote for tote in story.world.stock.totes.values() if "pallet" in tote.id]
    assert any(tote.quantity != 10 for tote in totes)


def test_orders_are_released_in_waves(tmp_path: Path) -> None:
    """Given waves of twenty minutes, when orders come all the time, then picking for an order begins
    no earlier than the first wave after it came."""
    story = run(tmp_path, hours=1.5, simulation__success={}, policy__wave_minutes=20)
    assert story.verdict.clean
    came = {f["order_id"]: t for t, kind, f in story.facts if kind == "order"}
    waves = [0.0, 1200.0, 2400.0, 3600.0, 4800.0]
    for time_s, kind, fact in story.facts:
        if kind == "units_moved":
            wave = next(at for at in waves if at >= came[fact["order_id"]] - 1)
            assert time_s > wave


@pytest.mark.parametrize("seed", [3, 4])
def test_everything_at_once(tmp_path: Path, seed: int) -> None:
    """Given deaths, failing picks, late messages and trucks, wrong notices, when two hours go by, then
    nothing touches, nothing is lost, nothing stays open without reason."""
    faults = FaultsFile.model_validate({
        "format": 1, "robot_dies": {"per_robot_hour": 0.3}, "pick_fails": {"share": 0.1},
        "message_late": {"share": 0.02, "delay_s": [1, 5]}, "notice_wrong": {"share": 0.3},
        "truck_late": {"share": 0.3, "delay_minutes": [2, 8]},
    })  # fmt: skip
    story = run(tmp_path, hours=2, seed=seed, faults=yaml.safe_dump(faults.model_dump(mode="json")))
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert story.states("outbound")["done"] > 15
