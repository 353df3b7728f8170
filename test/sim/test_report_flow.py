"""The report of the whole flow, from facts that can be counted by hand: exceptions, trucks, shifts,
machines, energy, congestion."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.report import (
    cards,
    departures,
    energy,
    fleet,
    mistakes,
    problems,
    shifts,
    timeline,
    work,
)
from sim.report import spans as cuts
from sim.report.bins import MINUTE_NS, edges, spread, width_ns
from sim.report.timeline import Places
from sim.verification.memory import MemoryRun
from sim.verification.outcomes import Ledger, OrderTruth
from sim.verification.tracks import read_tracks

S = 10**9
PLACES = Places(
    nodes_m=np.array([[0.0, 0.0], [10.0, 0.0]]),
    bay_nodes=np.array([0, -1]),
    bay_kind=["charger"],
    bay_station=[""],
    handling_s={"amr": (2.0, 1.0)},
)
RUN = {"forked_s": [600.0]}


def note(at_s: float, number: int, phase: str, how: str = "", kind: str = "short") -> Any:
    fact = {"number": number, "kind": kind, "subject": f"s{number}", "phase": phase, "how": how}
    return (round(at_s * S), "exception", fact | {"order_id": "o1"})


def test_exceptions_as_a_funnel() -> None:
    facts = [
        note(1, 7, "opened"), note(2, 8, "opened", kind="robot_dead"), note(3, 7, "retried"),
        note(4, 7, "retried"), note(5, 7, "ended", "resolved"), note(6, 9, "opened"),
        note(8, 9, "ended", "quarantine"), note(62, 8, "ended", "maintenance"),
        note(70, 10, "opened"),
    ]  # fmt: skip
    rows = problems.problems(facts)
    assert [(row.number, row.tries, row.ending) for row in rows] == [
        (7, 2, "resolved"), (8, 0, "maintenance"), (9, 0, "quarantine"), (10, 0, problems.OPEN),
    ]  # fmt: skip
    figures = problems.figures(rows)
    assert {key: figures[key] for key in figures if key != "kinds"} == {
        "opened": 4, "retried": 1, "resolved": 1, "set_aside": 1, "by_person": 1, "open": 1,
    }  # fmt: skip
    short, dead = figures["kinds"]
    assert (short["kind"], short["opened"], short["tries"]) == ("short", 3, 2)
    assert short["ends"] == {"resolved": 1, "quarantine": 1, problems.OPEN: 1}
    assert (short["p50_s"], short["max_s"], dead["p50_s"]) == (3.0, 4.0, 60.0)
    assert [row.number for row in problems.within(rows, 1 * S, 6 * S)] == [8, 9]
    page = cards.exceptions(figures)
    assert "1 maintenance" in page and "tried again: 1" in page and "robot dead" in page
    assert "none were opened" in cards.exceptions(problems.figures([]))


def test_bins_are_round_and_few() -> None:
    assert width_ns(3600 * S) == 5 * MINUTE_NS and width_ns(24 * 3600 * S) == 15 * MINUTE_NS
    assert width_ns(30 * 24 * 3600 * S) == 480 * MINUTE_NS
    assert len(edges(10**18, width_ns(10**18))) <= 96
    bins = edges(250 * S, 100 * S)
    assert bins == [(0, 100 * S), (100 * S, 200 * S), (200 * S, 250 * S)]
    assert spread([(50 * S, 220 * S), (240 * S, 400 * S)], bins, 100 * S) == [50.0, 100.0, 30.0]


def test_machines_by_station_and_capability() -> None:
    def worked(at_s: float, seconds: float, outcome: str = "ok", what: str = "pick") -> Any:
        fact = {"station": "pick-0", "capability": what, "seconds": seconds, "outcome": outcome}
        return (round(at_s * S), "worked", fact)

    facts = [worked(310, 20), worked(500, 60, "failed"), worked(600, 30, what="pack")]
    found = work.machines(facts, 600 * S)
    pack, pick = found["rows"]
    assert (pick["busy_share"], pick["works"]) == (round(80 / 600, 4), 2)
    assert pick["outcomes"] == {"ok": 1, "failed": 1} and pack["capability"] == "pack"
    assert pick["over_time"] == [round(10 / 300, 4), round(70 / 300, 4)]
    assert "pick-0 pick" in cards.machines(found)
    assert cards.machines(work.machines([], 600 * S)) == ""
    many = [worked(10 + n, 1, what=f"c{n}") for n in range(80)]
    assert "the 60 busiest of 80" in cards.machines(work.machines(many, 600 * S))


def order(
    name: str, received_s: float, right_s: float, due_s: float = 9000, **values: Any
) -> OrderTruth:
    made = OrderTruth(name, "outbound", {}, round(received_s * S), round(due_s * S))
    made.right_ns = round(right_s * S) if right_s >= 0 else -1
    for key, value in values.items():
        setattr(made, key, value)
    return made


def test_departures_and_what_was_promised() -> None:
    def docked(truck: str, at_s: float, departs_s: float) -> Any:
        fact = {"truck": truck, "station": "door-0", "route": "north", "capacity": 9}
        return (round(at_s * S), "truck_docked", fact | {"departs_ns": round(departs_s * S)})

    facts = [
        docked("t1", 100, 900),
        (200 * S, "parcel_loaded", {"parcel": "p1", "order_id": "a", "truck": "t1"}),
        (905 * S, "truck_departed", {"truck": "t1", "loads": ["p1"]}),
        docked("t2", 1000, 1800),
        (2000 * S, "truck_departed", {"truck": "t2", "loads": []}),
        docked("t3", 2100, 2700),
    ]
    orders = [
        order("a", 1, 905, 900, route="north", departure_ns=900 * S),
        order("b", 1, 2000, 900, route="north", departure_ns=1800 * S),
        order("c", 1, -1, 900, route="south"), order("d", 1, 50, 900),
    ]  # fmt: skip
    ledger = Ledger({row.order_id: row for row in orders})
    found = departures.figures(facts, ledger, 2400 * S)
    assert (found["departed"], found["on_time"], found["on_time_share"]) == (2, 1, 0.5)
    assert [row["delay_s"] for row in found["trucks"]] == [5.0, 200.0, None]
    north, south = found["routes"]
    assert (north["promised"], north["met"], north["parcels"]) == (2, 1, 1)
    assert (south["route"], south["met_share"], south["departed"]) == ("south", 0.0, 0)
    page = cards.departures(found)
    assert "1 of 2 trucks left in time (50.0 %)" in page and "1 of 9" in page
    assert cards.departures(departures.figures([], Ledger(), S)) == ""


def test_shifts_hours_and_quarters() -> None:
    inbound = order("in", 10, 20, load="tote-1", inbound=True)
    rows = [order("a", 10, 3500), order("b", 20, 3700, 3600), order("c", 3650, -1), inbound]
    ledger = Ledger({row.order_id: row for row in rows}, touches=[(7200 * S, {})])
    facts = [
        (10 * S, "tote_arrived", {"quantity": 30}),
        (20 * S, "fault", {"kind": "robot_dies"}),
        (30 * S, "fault", {"kind": "lane_blocked"}),
        (40 * S, "parcel_packed", {"parcel": "p", "contents": {"x": 2, "y": 1}}),
        (41 * S, "parcel_packed", {"parcel": "q", "contents": {"x": 4}}),
        (3601 * S, "parcel_delivered", {"parcel": "p"}),
        (3602 * S, "truck_departed", {"truck": "t", "loads": ["q"]}),
    ]
    opened = problems.problems([note(3600, 1, "opened")])
    found = shifts.figures(facts, ledger, opened, 7200 * S)
    first, second = found["rows"]
    assert [first[key] for key in shifts.COLUMNS] == [2, 1, 0, 0, 1, 0, 30, 0]
    assert [second[key] for key in shifts.COLUMNS] == [1, 1, 1, 1, 0, 1, 0, 7]
    assert found["shift_h"] == 1.0 and "of 1 h" in cards.shifts(found)
    assert shifts.figures([], Ledger(), [], 1800 * S)["shift_h"] == 0.25
    day = shifts.figures([], Ledger(), [], 24 * 3600 * S)
    assert day["shift_h"] == 8.0 and len(day["rows"]) == 3


def two_robots() -> MemoryRun:
    """r0 drives 10 m in the first 20 s and waits; r1 joins at 300 s on the charger."""
    run = MemoryRun()
    run.robot(0, (0.0, 0.0, 0.0))
    run.move(0, (0, 10.0), (0.0, 0.0, 0.0), a=0.1)
    run.move(0, (10, 10.0), (5.0, 0.0, 0.0), v=1.0, a=-0.1)
    run.robot(1, (0.0, 0.0, 0.0), joined_s=300.0)
    run.fact(450, "robot_retired", robot="r0")
    run.fact(600, "end")
    return run


def spans_of(run: MemoryRun, charge: list[tuple[int, int, int]]) -> Any:
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    tracks = read_tracks(run)
    return tracks, cuts.build(tracks, facts, PLACES, timeline.rising(charge), (123 * S,))


def test_energy_per_fleet_and_over_time() -> None:
    charge = [(0, 0, 900), (1, 300 * S, 500), (1, 400 * S, 600), (0, 500 * S, 850)]
    tracks, spans = spans_of(two_robots(), charge)
    battery = SimpleNamespace(reach_m=1000.0, idle_hours=10.0)
    spec = SimpleNamespace(fleets={"amr": SimpleNamespace(battery=battery)})
    found = energy.figures(tracks, spans, charge, spec)
    amr = found["fleets"]["amr"]
    assert amr["charges_used"] == pytest.approx(10 / 1000 + 450 / 36000, abs=1e-3)
    assert amr["charging_share"] == pytest.approx(300 / 750, abs=1e-3), "r1, of all that was there"
    assert amr["kwh_used"] is None and amr["least_percent"] == 50.0
    assert [row["percent"] for row in amr["over_time"]] == [70.0, 72.5]
    assert [row["charging_share"] for row in amr["over_time"]] == [
        0.0,
        pytest.approx(2 / 3, abs=1e-3),
    ]
    battery.capacity_kwh = 2.0
    kwh = energy.figures(tracks, spans, charge, spec)
    assert kwh["fleets"]["amr"]["kwh_used"] == pytest.approx(2 * amr["charges_used"], abs=0.01)
    assert "kWh used" in cards.energy(kwh, RUN) and "full charges used" in cards.energy(found, RUN)


def test_a_robot_has_spans_only_while_it_is_in_service() -> None:
    _, spans = spans_of(two_robots(), [])
    for row, begin, end in ((0, 0, 450), (1, 300, 600)):
        mine = spans.row == row
        assert spans.t0_ns[mine].min() == begin * S and spans.t1_ns[mine].max() == end * S
        assert spans.seconds[mine].sum() == pytest.approx(end - begin)
    assert 123 * S in spans.t0_ns


def test_congestion_is_the_waiting_share_of_those_under_way() -> None:
    _, spans = spans_of(two_robots(), [])
    rows = fleet.congestion(spans, 600 * S)
    assert [row["waiting_share"] for row in rows] == [round(280 / 300, 4), 1.0]
    assert [row["under_way"] for row in rows] == [1.0, 0.5]
    page = cards.congestion(rows, RUN)
    assert "worst: 100.0 % from 0:05" in page and "fork 0:10" in page


def test_what_stations_handled() -> None:
    facts = [
        (1, "tote_arrived", {"station": "dock-0"}),
        (2, "load_moved", {"from": "robot:r0", "to": "station:chute-0"}),
        (3, "load_moved", {"from": "robot:r0", "to": "station:dock-0"}),
        (4, "truck_docked", {"truck": "t1", "station": "door-0"}),
        (5, "parcel_loaded", {"truck": "t1"}),
        (6, "units_unpacked", {"station": "unpack-0"}),
    ]
    handled = fleet._handled(facts)
    assert handled == {"dock-0": 1, "chute-0": 1, "door-0": 1, "unpack-0": 1}


def test_mistakes_and_the_checks_that_caught_them() -> None:
    def seen(at_s: float, outcome: str, step: str, order: str) -> Any:
        fact = {"number": 1, "kind": outcome, "subject": f"{order}:{step}.0", "phase": "opened"}
        return (round(at_s * S), "exception", fact | {"order_id": order, "how": ""})

    def order(name: str, *lines: Any) -> Any:
        return (0, "order", {"order_id": name, "kind": "outbound", "lines": lines})

    count = {"tote": "t1", "by": 1, "why": "pick_wrong"}
    facts = [
        order("o1"), order("o2"), order("o3"),
        (1 * S, "miscounted", count | {"order_id": "o1"}),
        (1 * S, "miscounted", {"tote": "t9", "by": 3, "why": "stock_wrong"}),
        (2 * S, "units_swapped", {"order_id": "o2", "sku": "A", "as": "A~"}),
        seen(3, "mismatch", "verify", "o1"),
        seen(4, "unreadable", "verify", "o2"),
        (5 * S, "parcel_packed", {"parcel": "parcel-o2", "order_id": "o2"}),
        seen(6, "mismatch", "weigh", "o2"),
        (7 * S, "labelled", {"load": "parcel-o2", "says": "", "why": "torn"}),
        seen(8, "unreadable", "scan", "o2"),
        (9 * S, "labelled", {"load": "parcel-o2", "says": "parcel-o2", "why": ""}),
        (10 * S, "units_damaged", {"order_id": "o3", "sku": "B", "quantity": 1}),
        (11 * S, "parcel_departed", {"parcel": "parcel-o3", "order_id": "o3",
                                       "contents": {"B": 1}}),
        (12 * S, "units_damaged", {"order_id": "o1", "sku": "B", "quantity": 1}),
    ]  # fmt: skip
    needs = {"verify": "verify", "weigh": "checkweigh", "scan": "scan"}
    rows = mistakes.mistakes(facts, lambda kind, step: needs[step] if kind else "")
    assert [(row.kind, row.order_id, row.caught) for row in rows] == [
        ("wrong count", "o1", "verify"), ("wrong item", "o2", "checkweigh"),
        ("torn label", "o2", "scan"), ("damaged", "o3", mistakes.SHIPPED),
        ("damaged", "o1", mistakes.OPEN),
    ]  # fmt: skip
    figures = mistakes.figures(rows)
    assert (figures["made"], figures["shipped"]) == (5, 1)
    assert figures["layers"] == {"verify": 1, "checkweigh": 1, "scan": 1}
    page = cards.mistakes(figures)
    assert "1 checkweigh" in page and "5 made by machines, 1 left the building" in page
    assert cards.mistakes(mistakes.figures([])) == ""


def _left(order_: str, contents: dict[str, int]) -> dict[str, Any]:
    return {"parcel": f"parcel-{order_}", "order_id": order_, "contents": contents}


def _ended(*facts: Any) -> list[tuple[str, str]]:
    """One order for two A that is packed and labelled while these things happen."""
    first = [
        ("order", {"order_id": "o1", "kind": "outbound", "lines": [["A", 2]]}),
        ("tote", {"tote": "t1", "sku": "A"}),
        ("parcel_packed", {"parcel": "parcel-o1", "order_id": "o1"}),
    ]
    stamped = [(at * S, *row) for at, row in enumerate([*first, *facts])]
    return [(row.kind, row.caught) for row in mistakes.mistakes(stamped, lambda _, step: step)]


def _seen(outcome: str, step: str) -> Any:
    return ("exception", {"kind": outcome, "subject": f"o1:{step}", "phase": "opened",
                          "order_id": "o1"})  # fmt: skip


COUNTED = ("miscounted", {"tote": "t1", "by": 1, "why": "pick_wrong", "order_id": "o1"})
GONE = ("parcel_departed", _left("o1", {"A": 2}))


def test_what_a_check_doubted_and_then_let_pass_was_shipped() -> None:
    assert _ended(
        COUNTED, _seen("mismatch", "weigh"), ("parcel_departed", _left("o1", {"A": 3}))
    ) == [("wrong count", mistakes.SHIPPED)]
    other = ("labelled", {"load": "parcel-o1", "says": "parcel-o0", "why": "other"})
    assert _ended(other, _seen("unreadable", "scan"), GONE) == [("wrong label", mistakes.SHIPPED)]
    broken = ("units_damaged", {"order_id": "o1", "sku": "A", "quantity": 1})
    assert _ended(broken, _seen("damaged", "verify"), GONE) == [("damaged", mistakes.SHIPPED)]
    swap = ("units_swapped", {"order_id": "o1", "sku": "A", "as": "A~"})
    left = ("parcel_delivered", _left("o1", {"A": 1, "A~": 1}))
    assert _ended(swap, _seen("mismatch", "weigh"), left) == [("wrong item", mistakes.SHIPPED)]


def test_what_was_undone_was_not_shipped_and_of_several_alike_only_the_last_was() -> None:
    scrapped = ("units_scrapped", {"order_id": "o1", "sku": "A", "quantity": 3})
    assert _ended(COUNTED, scrapped, GONE) == [("wrong count", mistakes.UNDONE)]
    left = ("parcel_departed", _left("o1", {"A": 1}))
    assert _ended(COUNTED, _seen("mismatch", "verify"), scrapped, COUNTED, left) == [
        ("wrong count", "verify"), ("wrong count", mistakes.SHIPPED),
    ]  # fmt: skip
    other = ("labelled", {"load": "parcel-o1", "says": "parcel-o0", "why": "other"})
    again = ("labelled", {"load": "parcel-o1", "says": "parcel-o1", "why": ""})
    assert _ended(other, again, GONE) == [("wrong label", mistakes.UNDONE)]


def test_a_torn_label_that_was_read_is_no_mistake_that_left() -> None:
    torn = ("labelled", {"load": "parcel-o1", "says": "", "why": "torn"})
    assert _ended(torn, GONE) == [("torn label", mistakes.READ)]
    assert _ended(torn, _seen("unreadable", "scan"), GONE) == [("torn label", mistakes.READ)]
    again = ("labelled", {"load": "parcel-o1", "says": "parcel-o1", "why": ""})
    assert _ended(torn, _seen("unreadable", "scan"), again, GONE) == [("torn label", "scan")]
    figures = mistakes.figures([mistakes.Mistake("torn label", "o1", "", 0, mistakes.READ)])
    assert figures["shipped"] == 0 and figures["layers"] == {}
    assert figures["kinds"][0]["readable"] == 1
