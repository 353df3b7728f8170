"""Messages keep their sequence, each robot's, each way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.layout.site_file import LatencyFile, MessageLate
from sim.clock import Clock, Streams
from sim.network import Network

ROBOTS = ["a", "b"]
LATE = MessageLate(share=0.3, delay_s=(0.5, 6))


def network(clock: Clock, late: MessageLate | None = None, seed: int = 1) -> Network:
    return Network(clock, Streams(seed), LatencyFile(), late, ROBOTS)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["up", "down"]), st.integers(0, 10**8))),
    st.integers(0, 9),
)
def test_nothing_overtakes_although_messages_are_late(
    messages: list[tuple[int, str, int]], seed: int
) -> None:
    clock = Clock()
    wire = network(clock, LATE, seed)
    last: dict[tuple[int, str], int] = {}
    for robot, way, pause_ns in messages:
        clock.run(clock.now_ns + pause_ns)
        arrival = wire.arrival_ns(robot, way)
        assert arrival >= clock.now_ns
        assert arrival >= last.get((robot, way), 0)
        last[robot, way] = arrival


def test_one_robots_late_message_delays_no_other_robot() -> None:
    clock = Clock()
    with_late = network(clock, MessageLate(share=1, delay_s=(5, 5)))
    without = network(clock)
    for _ in range(20):
        with_late.arrival_ns(0, "up")
        without.arrival_ns(0, "up")
    assert with_late.late == 20
    assert with_late.arrival_ns(1, "up") - without.arrival_ns(1, "up") == 5 * 10**9


def test_latency_is_near_its_median_and_each_robot_has_its_own_chance() -> None:
    clock = Clock()
    wire = network(clock)
    other = network(clock)
    for _ in range(7):
        other.arrival_ns(1, "up")
    delays = []
    for _ in range(999):
        clock.run(clock.now_ns + 10**9)
        arrival = wire.arrival_ns(0, "up")
        assert arrival == other.arrival_ns(0, "up")
        delays.append(arrival - clock.now_ns)
    assert 22e6 < sorted(delays)[499] < 28e6


def test_answers_have_latencies_of_their_own() -> None:
    wire = network(Clock())
    assert wire.answer_ns("paths") != wire.answer_ns("assignment")
