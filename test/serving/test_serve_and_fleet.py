"""`lightsout serve` and `lightsout fleet simulate` over a real broker, much faster than real time: what
goes wrong on the wire harms nobody but who does it, and nothing is lost or done twice."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from mosquitto_process import Mosquitto
from served import ROOT, SITE
from wire import Wire, schemas

from orchestrator.core.messages import (
    CommandRefused,
    LaneClosed,
    NodeReached,
    OrderReceived,
    RobotFaulted,
    RobotJoined,
    RobotRecovered,
)
from orchestrator.journal import RunReader
from orchestrator.layout import load_site
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.model import Header, Position, PowerSupply, State
from sim.compare import believed, compare
from sim.recipe import of_site
from sim.recorded import record
from sim.replay import replay
from sim.verification import verify
from sim.verification.outcomes import OrderTruth

SPEED = 12.0


def ended_well(wire: Wire) -> None:
    """The journal is one run, that every command can be made again from, and what really happened is
    free of contacts, wrong deliveries and lost goods."""
    with RunReader(wire.live) as reader:
        assert replay(reader, load_site(wire.site)).difference == ""
    assert not wire.broken()


def orders_of(path: Path) -> dict[str, OrderTruth]:
    with RunReader(path) as reader:
        return verify(believed.of(reader)).ledger.orders


def done(wire: Wire, count: int) -> bool:
    """The first so many orders are, and none of them in another way."""
    names = [event.order_id for event in wire.events(OrderReceived)]
    first = list(dict.fromkeys(names))[:count]
    return len(first) == count and all(wire.ear.closed.get(name) == "done" for name in first)


def test_the_same_core_in_process_and_over_mqtt(tmp_path: Path, mosquitto: Mosquitto) -> None:
    # given a site that is served over a broker, and the same one simulated: one seed, one demand
    wire = Wire(tmp_path, mosquitto, SPEED)
    try:
        wire.serve()
        wire.vehicles()
        wire.wait(lambda: done(wire, 4))
    finally:
        wire.end()
    simulated = tmp_path / "simulated.run"
    record(of_site(SITE, seed=7, hours=0.25), simulated)
    # then the orders that were done in one were done in the other, by what really happened there
    live, floor = orders_of(wire.live), orders_of(wire.floor)
    other = orders_of(simulated)
    names = [name for name, order in floor.items() if order.right_ns >= 0 and not order.inbound]
    assert len(names) >= 4
    for name in names[:4]:
        assert other[name].right_ns >= 0
        assert live[name].lines == floor[name].lines == other[name].lines
    assert not wire.broken()
    # and one can be held against the other
    with RunReader(wire.live) as first, RunReader(simulated) as second:
        found = compare((first, second), ("live", "simulated"))
        assert replay(first, load_site(SITE)).difference == ""
    assert "played in two ways" in found.about and "no ground truth" in found.about
    rows = {row.key: row for row in found.rows}
    assert rows["orders_received"].difference == 0
    for key in ("orders_done", "cycle_p50_s", "metres_per_order", "utilisation.tote_amr"):
        assert rows[key].first and rows[key].second, key


@pytest.mark.skipif(bool(schemas()), reason=schemas())
def test_a_network_that_delays_loses_doubles_and_reorders(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    # given vehicles behind a network as bad as it gets
    bad = "network: {delay_s: [0, 5], lost: 0.05, doubled: 0.05, reordered: 0.05, after_s: 20}"
    wire = Wire(tmp_path, mosquitto, SPEED)
    try:
        wire.serve()
        wire.vehicles(bad, robots=16)
        # when customers order, every order is done
        wire.wait(lambda: done(wire, 3) and wire.ear.updates > 100)
        # and nobody who was thought silent, but was not, stays so
        wire.wait(lambda: len(wire.out()) <= 2)
    finally:
        wire.end()
    # then no rule of the standard is broken, by what a third party hears
    listener = wire.ear.listener(each=50)
    assert listener.problems == []
    assert listener.counts["updates"] > 100 and listener.counts["late"] > 20
    assert {fault.kind for fault in wire.events(RobotFaulted)} <= {"robot_silent"}
    ended_well(wire)


DEEDS = {
    "tote_amr-03": "lie, by_m: 6",
    "tote_amr-04": "repeat",
    "tote_amr-05": "wrong_types",
    "tote_amr-06": "huge_numbers",
    "tote_amr-07": "nesting",
    "tote_amr-08": "not_utf8",
    "sorter-02": "garbage, bytes: 1000000",
}


def stranger(node: int) -> tuple[str, bytes]:
    """Somebody's vehicle, that no entry of the site lets join, stands at the node."""
    roadmap, codec = load_site(SITE).site.roadmap, codec_of("2.1")
    x, y = roadmap.node_x_mm[node] / 1000, roadmap.node_y_mm[node] / 1000
    header = Header(header_id=1, time_ns=0, version="2.1.0", manufacturer="acme", serial="truck-1")
    place = Position(x=x, y=y, theta=0.0, map_id="jd_small")
    state = State(
        header=header, position=place, power=PowerSupply(charge_percent=50, charging=False)
    )
    return "uagv/v2/acme/truck-1/state", codec.encode(state)


@pytest.mark.skipif(bool(schemas()), reason=schemas())
def test_vehicles_out_of_their_minds_and_half_the_fleet_reconnecting(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    # given vehicles that lie, repeat themselves and send what is no state, at the same time
    rows = "\n".join(
        f"  - {{serial: {name}, does: {deed}, after_s: 110, for_s: 130, every_s: 1}}"
        for name, deed in DEEDS.items()
    )
    faults = f"reconnects: {{share: 0.5, after_s: 40}}\nvehicles:\n{rows}\n"
    wire = Wire(tmp_path, mosquitto, SPEED)
    # and somebody who is no vehicle of the site, on a lane that is much used
    lanes = load_site(SITE).site.roadmap
    node = lanes.node_ids.index("n+06+13")
    wire.ear.says.append(stranger(node))

    def sick(*, ever: bool) -> set[str]:
        """Whom the core takes for out of their minds, or ever took; a machine that can't keep up makes
        others silent."""
        known = {event.robot: event.name for event in wire.events(RobotJoined)}
        found: dict[str, None] = {}
        for event in wire.events(RobotFaulted, RobotRecovered):
            if isinstance(event, RobotFaulted) and event.kind == "robot_nonsense":
                found[known[event.robot]] = None
            elif not ever:
                found.pop(known[event.robot], None)
        return set(found)

    try:
        wire.serve()
        wire.vehicles(faults)
        # when they have been out of their minds, and have behaved for a while
        wire.wait(lambda: set(DEEDS) <= sick(ever=True))
        wire.wait(lambda: not sick(ever=False))
        wire.wait(lambda: done(wire, 3))
    finally:
        wire.end()
    # then each was kept out until it behaved, and did not come and go, and an alarm said so
    kinds = Counter((e.robot, e.kind) for e in wire.events(RobotFaulted) if "silent" not in e.kind)
    assert len(kinds) == len(DEEDS) and max(kinds.values()) <= 2, kinds
    assert {kind for _, kind in kinds} == {"robot_nonsense"}
    told = {subject for subject, text in wire.ear.alarms if text.startswith("robot_nonsense")}
    assert told == set(DEEDS)
    # and nobody drove where the stranger stands: the lanes there were closed
    closed = {event.edge for event in wire.events(LaneClosed)}
    there = {edge for edge in range(lanes.edges) if lanes.edge_head[edge] == node}
    assert there and there <= closed
    assert not there & {event.edge for event in wire.events(NodeReached)}
    assert any("lanes are closed" in text for name, text in wire.ear.alarms if "truck-1" in name)
    # and half the fleet was gone without a word for a moment, and harmed nothing
    listener = wire.ear.listener(each=50, rubbish=DEEDS)
    assert listener.counts["CONNECTIONBROKEN"] >= 20 and listener.counts["ONLINE"] >= 60
    assert listener.problems == []
    assert listener.counts["rubbish"] > 200
    ended_well(wire)


def with_fifty(folder: Path) -> Path:
    """jd_small with ten vehicles more, ten places less for goods, and work for everybody."""
    site = folder / "jd_small"
    shutil.copytree(ROOT / "sites" / "jd_small", site)
    text = (site / "site.yaml").read_text()
    for before, after in (
        ("    robots: 28\n", "    robots: 38\n"),
        ("orders_per_hour: 220 ", "orders_per_hour: 1500 "),
        ('  - {match: "slot-*",', '  - {match: "slot-?0", kind: parking}\n  - {match: "slot-*",'),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    (site / "site.yaml").write_text(text)
    return site


def test_a_server_that_is_killed_and_a_broker_that_is_killed(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    # given fifty vehicles, all of them under way
    wire = Wire(tmp_path, mosquitto, SPEED, with_fifty(tmp_path))

    def moved() -> int:
        """How many have been seen to drive."""
        return len({event.robot for event in wire.events(NodeReached)})

    def more(before: int, count: int) -> None:
        wire.wait(lambda: len(wire.events()) >= before + count)

    try:
        wire.serve()
        wire.vehicles()
        wire.wait(lambda: moved() >= 35)
        # when the server is killed, they end their base and stop
        wire.wait(lambda: len(wire.ear.driving()) >= 20)
        wire.kill_server()
        before = len(wire.events())
        wire.wait(lambda: not wire.ear.driving())
        # and another one goes on
        wire.serve(again=True)
        more(before, 1500)
        # and when the broker is killed for so long that everybody counts as silent who drives
        wire.wait(lambda: not wire.out())
        gone = len(wire.events(RobotFaulted))
        mosquitto.kill()
        wire.wait(lambda: len(wire.events(RobotFaulted)) >= gone + 10)
        before = len(wire.events())
        mosquitto.start()
        more(before, 1500)
        # then who was silent is well again
        wire.wait(lambda: not wire.out())
    finally:
        wire.end()
    # and everybody joined once, and nothing was commanded or ordered twice
    names = [event.name for event in wire.events(RobotJoined)]
    assert len(set(names)) == len(names) == 50
    assert not wire.events(CommandRefused)
    assert max(Counter(e.order_id for e in wire.events(OrderReceived)).values()) <= 2
    assert {fault.kind for fault in wire.events(RobotFaulted)} == {"robot_silent"}
    ended_well(wire)
