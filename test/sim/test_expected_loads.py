"""Loads that a host has announced, in the simulated building."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from one_wire import Wire

from orchestrator.core.messages import (
    Event,
    ExpectLoad,
    Item,
    ItemsReceived,
    Line,
    Notice,
    NoticesReceived,
    OrderReceived,
)
from orchestrator.layout import load_site
from sim import recorded_demand
from sim.clock import SECOND_NS, Clock
from sim.recipe import of_site
from sim.vehicle.expected import ExpectedLoads

JD_SMALL = Path(__file__).parents[2] / "sites" / "jd_small"


class Gate:
    """Where loads come, one at a time."""

    def __init__(self) -> None:
        site = load_site(JD_SMALL).site
        self.docks = [n for n, s in enumerate(site.stations) if s.kind == "dock"]
        self.clock = Clock()
        self.came: list[OrderReceived] = []
        self.said: list[Event] = []
        self.loads = ExpectedLoads(site, self.clock, self.came.append, self.said.append)

    def expect(self, name: str, second: int, station: int = -1, quantity: int = 1) -> None:
        self.loads.expect(
            ExpectLoad(
                order_id=name, kind="inbound", lines=(Line("A", quantity),), load=name,
                station=station, expected_ns=second * SECOND_NS,
            )
        )  # fmt: skip


def test_a_load_comes_when_and_where_it_is_expected() -> None:
    gate = Gate()
    gate.expect("late", 60, station=gate.docks[1])
    gate.expect("one", 0)
    gate.expect("two", 0)
    gate.clock.run(59 * SECOND_NS)
    assert [event.order_id for event in gate.came] == ["one", "two"]
    assert {event.station for event in gate.came} == set(gate.docks), "each in turn"
    gate.clock.run(60 * SECOND_NS)
    assert gate.came[-1].order_id == "late" and gate.came[-1].station == gate.docks[1]


def test_the_newest_word_counts_and_who_asks_again_is_told_again() -> None:
    gate = Gate()
    gate.expect("a", 10)
    gate.expect("a", 20, quantity=7)
    gate.expect("a", 20, quantity=8)
    gate.clock.run(30 * SECOND_NS)
    (event,) = gate.came
    assert event.lines == (Line("A", 8),)
    gate.expect("a", 0)  # it waits outside
    assert gate.said == []
    gate.loads.entered(event)
    gate.expect("a", 0)
    gate.clock.run(40 * SECOND_NS)
    assert gate.said == [event] and len(gate.came) == 1


def test_an_announced_load_of_a_new_item_is_put_away(tmp_path: Path) -> None:
    """Given an item that the site does not know, when the host tells it and announces a pallet of it,
    then the pallet comes, its totes are stored, and the run's demand can be told from its journal."""
    wire = Wire(of_site(JD_SMALL, seed=7, hours=0.2), tmp_path / "wire.run")
    wire.clock.at(SECOND_NS, wire._handle, ItemsReceived(items=(Item("NEW"),)))
    lines = (Line("NEW", 6), Line("NEW", 5))
    notice = Notice("asn", lines, "pallet", -1, 5 * SECOND_NS)
    wire.clock.at(2 * SECOND_NS, wire._handle, NoticesReceived(kind="inbound", notices=(notice,)))
    wire.run(500)
    assert wire.core.world.orders["asn"].state == "done"
    stored = [tote for tote in wire.core.world.stock.totes.values() if tote.sku == "NEW"]
    assert sorted(tote.quantity for tote in stored) == [5, 6]
    assert all(tote.place[0] == "slot" for tote in stored)
    verdict = wire.finish()
    assert verdict.clean, verdict.findings.as_json()


class Recorded:
    """A journal by hand."""

    path = Path("by-hand.run")

    def __init__(self, *events: Event) -> None:
        site = of_site(JD_SMALL)
        self.meta = {"recipe": {"files": site.files, "name": site.name}}
        self._events = events

    def entries(self) -> list[Any]:
        return [type("Entry", (), {"time_ns": n, "event": e}) for n, e in enumerate(self._events)]


def test_a_recorded_load_has_the_lines_that_were_announced() -> None:
    lines = (Line("A", 6),)
    notices = NoticesReceived(kind="inbound", notices=(Notice("asn", lines, "pallet"),))
    came = OrderReceived(order_id="asn", kind="inbound", station=0)
    reader: Any = Recorded(notices, came)
    (row,) = [json.loads(line) for line in recorded_demand.text_of(reader).splitlines()]
    assert row["lines"] == [["A", 6]] and row["load"] == "pallet"
