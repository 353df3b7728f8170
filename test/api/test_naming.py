"""Messages go out with names and come back as they were; what can't be true is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.api.equipment import COMMANDS, EVENTS, Equipment
from orchestrator.api.naming import Naming, Unnamed, reader
from orchestrator.core.messages import (
    ClearLane,
    Event,
    ExtendBase,
    ImageRead,
    LaneCleared,
    RobotServiced,
    StartWork,
    StationFaulted,
    TruckDocked,
    WorkEnded,
)
from orchestrator.layout import load_site

SITE = load_site(Path(__file__).parents[2] / "sites" / "jd_small").site


def naming() -> Naming:
    found = Naming(SITE)
    found.joined("amr-1")
    found.joined("amr-2")
    return found


@pytest.mark.parametrize(
    "event",
    [
        WorkEnded(work=7, outcome="ok", quantity=2),
        ImageRead(request=9, outcome="ok", value="tote-1"),
        StationFaulted(station=3, capability="pick", reason="jam"),
        LaneCleared(edge=5),
        RobotServiced(robot=1),
        TruckDocked(truck="t", station=0, route="north", departs_ns=9, capacity=4),
    ],
)
def test_what_equipment_says_comes_back_as_it_was(event: Event) -> None:
    names = naming()
    assert reader(names, EVENTS)(names.encode(event)) == event


def test_numbers_are_names_outside() -> None:
    names = naming()
    work = StartWork(work=7, station=3, capability="pick", order_id="o", load="t", sku="s")
    raw = msgspec.json.decode(names.encode(work))
    assert (raw["type"], raw["station"]) == ("StartWork", SITE.stations[3].id)
    assert reader(names, COMMANDS)(names.encode(work)) == work
    raw = names.named(ExtendBase(robot=1, edges=(4, 5)))
    assert raw["robot"] == "amr-2"
    assert raw["edges"] == [SITE.roadmap.edge_ids[4], SITE.roadmap.edge_ids[5]]
    assert names.named(ClearLane(edge=2, attempt=1))["edge"] == SITE.roadmap.edge_ids[2]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"type": "StationFaulted", "station": "x", "capability": "pick"}, "no station 'x'"),
        ({"type": "StationFaulted", "station": 3, "capability": "pick"}, "no station '3'"),
        ({"type": "RobotServiced", "robot": "amr-9"}, "no robot 'amr-9'"),
        ({"type": "ExtendBase", "robot": "amr-1", "edges": []}, "ExtendBase"),
        ({"type": "WorkEnded", "work": "seven"}, "work"),
        ({"type": "WorkEnded"}, "work"),
        ([], "no object"),
    ],
)  # fmt: skip
def test_what_can_not_be_understood_is_named(raw: Any, reason: str) -> None:
    with pytest.raises(Unnamed, match=reason):
        reader(naming(), EVENTS)(msgspec.json.encode(raw))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_garbage_is_an_alarm_and_no_event(payload: bytes) -> None:
    events: list[Event] = []
    alarms: list[str] = []
    link = Equipment("s", naming(), lambda *_: None, events.append, lambda _, t: alarms.append(t))
    assert link.message("lightsout/v1/s/equipment/events", payload)
    assert not events and len(alarms) == 1


def test_only_what_equipment_is_for_goes_there() -> None:
    sent: list[tuple[str, bytes, int, bool]] = []
    link = Equipment("s", naming(), lambda *m: sent.append(m), lambda _: None, lambda *_: None)
    assert link.command(ClearLane(edge=2, attempt=1))
    assert not link.command(ExtendBase(robot=0, edges=()))
    assert [m[0] for m in sent] == ["lightsout/v1/s/equipment/commands"]
