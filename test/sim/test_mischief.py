"""What goes wrong on the vehicles' side of the wire, and that it hurts no agent."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import Any

import pytest
from one_vehicle import Bench, order

from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import State
from sim.clock import SECOND_NS, Streams
from sim.vehicle.mischief import PENDING_MAX, Lane, Mischief, NetworkFaults, read_wire_faults


class Bad(Bench):
    """A bench behind mischief. `wire`: what comes out at the other end."""

    def __init__(self, text: str) -> None:
        self.wire: list[tuple[float, bytes]] = []
        spec, found = read_wire_faults("format: 1\n" + textwrap.dedent(text), "wire.yaml")
        assert spec is not None, found
        self.spec, self.mischief = spec, None
        super().__init__("2.1")
        self.mischief = Mischief(spec, self.clock, Streams(3), self.out)
        self.mischief.plays(self.agent)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        super().publish(topic, payload, qos, retain)
        if self.mischief is not None:
            self.mischief.publish(topic, payload, qos, retain)

    def out(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        if topic.endswith("/state"):
            self.wire.append((self.clock.now_ns / SECOND_NS, payload))

    def heard(self) -> list[State]:
        """What a master could read of it."""
        found = []
        for _, payload in self.wire:
            state = self.codec.decode("state", payload)
            assert isinstance(state, State)
            found.append(state)
        return found


def test_late_lost_doubled_and_reordered_messages() -> None:
    bench = Bad("network: {delay_s: [0, 5], lost: 0.1, doubled: 0.1, reordered: 0.1}")
    bench.say(order(0, 7)).after(60)
    sent = [state.header.header_id for _, state in bench.states()][1:]
    heard = [state.header.header_id for state in bench.heard()]
    assert set(heard) < set(sent), "some are lost"
    assert len(heard) > len(set(heard)), "some come twice"
    assert heard != sorted(heard), "some come late"
    again = Bad("network: {delay_s: [0, 5], lost: 0.1, doubled: 0.1, reordered: 0.1}")
    again.say(order(0, 7)).after(60)
    assert again.wire == bench.wire, "a seed is a story"


def test_without_reordering_the_sequence_is_kept() -> None:
    bench = Bad("network: {delay_s: [0, 5]}").say(order(0, 7)).after(60)
    heard = [state.header.header_id for state in bench.heard()]
    assert heard == sorted(heard) and len(heard) > 20


def test_all_is_well_before_it_begins() -> None:
    bench = Bad("network: {lost: 1, after_s: 10}").say(order(0, 7)).after(60)
    assert bench.wire and max(seconds for seconds, _ in bench.wire) < 10


def test_orders_are_late_as_well() -> None:
    bench = Bad("network: {delay_s: [2, 2]}")
    header = bench.agent.state().header
    assert bench.mischief is not None
    bench.mischief.received("order", bench.codec.encode(order(0, 1), header))
    bench.after(1.9)
    assert bench.state.order_id == ""
    assert bench.after(0.2).state.order_id == "o1"


def test_what_is_late_has_a_bound() -> None:
    bench = Bench()
    lane = Lane(NetworkFaults(delay_s=(9, 9)), bench.clock, Streams(1).of("x"))
    came: list[int] = []
    for number in range(PENDING_MAX + 5):
        lane.pass_on(lambda number=number: came.append(number))  # type: ignore[misc]
    bench.after(10)
    assert came == list(range(PENDING_MAX)) and lane.lost == 5


@pytest.mark.parametrize("does", ["garbage", "not_utf8", "nesting", "wrong_types", "huge_numbers"])
def test_rubbish_can_not_be_read_and_the_truth_goes_on_beside_it(does: str) -> None:
    row = "{serial: r, does: %s, after_s: 5, for_s: 4, every_s: 1, bytes: 1000000}" % does  # noqa: UP031
    bench = Bad(f"vehicles: [{row}]").say(order(0, 3)).after(40)
    unreadable = 0
    for _, payload in bench.wire:
        try:
            bench.codec.decode("state", payload)
        except RemoteError:
            unreadable += 1
    assert unreadable >= (1 if does == "wrong_types" else 4)
    assert len(bench.wire) == len(bench.states()) - 1 + 4
    assert bench.state.last_node == "n3" and bench.errors() == []


def test_lies_repeats_and_silence() -> None:
    def places(text: str) -> list[float]:
        bench = Bad(f"vehicles: [{text}]").say(order(0, 3)).after(30)
        assert bench.state.last_node == "n3"
        return [s.position.x for s in bench.heard() if s.position is not None]

    true = places("{serial: other, does: lie}")
    assert max(true) == 12.0
    lies = places("{serial: 'r*', does: lie, by_m: 50, after_s: 4, for_s: 6}")
    assert 50 < max(lies) < 62 and lies[-1] == 12.0
    repeats = places("{serial: r, does: repeat, after_s: 8, for_s: 5}")
    assert any(b < a - 4 for a, b in pairwise(repeats))
    silent = places("{serial: r, does: silence, after_s: 4, for_s: 6}")
    assert max(b - a for a, b in pairwise(silent)) > 4


def test_somebody_turns_the_switch() -> None:
    bench = Bad("vehicles: [{serial: r, does: manual, after_s: 5, for_s: 10}]")
    bench.say(order(0, 6)).after(60)
    modes = [state.mode for state in bench.heard()]
    assert "MANUAL" in modes and modes[-1] == "AUTOMATIC"
    assert not bench.state.nodes and bench.state.last_node in ("n1", "n2")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("network: {delay_s: [5, 0]}", "network.delay_s"),
        ("network: {lost: 2}", "network.lost"),
        ("vehicles: [{serial: r, does: dance}]", "vehicles.0.does"),
        ("reconnects: {share: 0.5, sher: 1}", "reconnects.sher"),
        ("building: {format: 1, robot_dies: {per_robot_hour: -1}}", "building.robot_dies"),
    ],
)
def test_a_file_that_is_wrong_names_the_place(text: str, place: str) -> None:
    spec, found = read_wire_faults(f"format: 1\n{text}", "wire.yaml")
    assert spec is None
    rows: list[Any] = [(row.file, row.path) for row in found]
    assert rows[0][0] == "wire.yaml" and place in rows[0][1]
