"""Robots of the fake world: driving, turning, charge, death and return."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_robot import OneRobot, fleet, line, roadmap

from sim.clock import SECOND_NS
from sim.surroundings import MotionRow

metres = st.integers(200, 6000).map(lambda mm: mm / 1000)


def speeds_of(row: MotionRow) -> tuple[float, float]:
    return row[7], row[7] + row[8] * row[2] * 1e-9


def check_rows(world: OneRobot, top_mps: float) -> None:
    """One unbroken, drivable story within the limits."""
    before: MotionRow | None = None
    for row in world.rows:
        assert row[2] > 0
        begin, end = speeds_of(row)
        assert max(begin, end) <= top_mps + 1e-6 and min(begin, end) >= -1e-6
        assert abs(row[8]) <= world.robot.a_mps2 + 1e-9
        assert abs(row[9]) <= world.robot.turn_radps + 1e-9
        if before is None:
            assert begin == 0
        else:
            gap_ns = row[1] - (before[1] + before[2])
            assert gap_ns >= 0
            assert begin == pytest.approx(0 if gap_ns else speeds_of(before)[1], abs=1e-6)
            tau = before[2] * 1e-9
            way = before[7] * tau + before[8] * tau * tau / 2
            assert row[3] == pytest.approx(before[3] + math.cos(before[6]) * way, abs=1e-6)
            assert row[4] == pytest.approx(before[4] + math.sin(before[6]) * way, abs=1e-6)
        before = row


def test_node_times_are_the_analytic_ones() -> None:
    # Given 6 m, 1 m/s and 0.5 m/s²: 2 s up over 1 m, 4 s cruise, 2 s down.
    world = OneRobot(line([2.0, 2.0, 2.0]))
    world.at(0, 0, 1, 2)
    world.run(60)
    assert world.nodes == [(3 * SECOND_NS, 0), (5 * SECOND_NS, 1), (8 * SECOND_NS, 2)]
    check_rows(world, 1.0)


def test_stands_at_its_frontier() -> None:
    world = OneRobot(line([3.0, 3.0]))
    world.at(0, 0)
    world.run(60)
    assert [edge for _, edge in world.nodes] == [0]
    assert world.pose()[0] == pytest.approx(3.0, abs=1e-8)
    assert world.robot.standing and world.robot.node == 1


def test_extended_while_braking_it_speeds_up_again_without_a_stop() -> None:
    world = OneRobot(line([4.0, 4.0]))
    world.at(0, 0)
    world.at(4.5, 1)  # brakes from 4 s on
    world.run(60)
    check_rows(world, 1.0)
    assert min(speeds_of(row)[1] for row in world.rows[:-1]) == pytest.approx(0.75, abs=1e-6)
    assert world.nodes[-1][0] == pytest.approx(10.125e9, abs=10)  # two stops would take 12 s


def test_a_slower_lane_is_entered_slowly_and_left_fast() -> None:
    world = OneRobot(line([4.0, 2.0, 4.0], [0, 0.4, 0]))
    world.at(0, 0, 1, 2)
    world.run(60)
    check_rows(world, 1.0)
    for row in world.rows:
        if 4.0 <= row[3] < 6.0 - 1e-6:
            assert max(speeds_of(row)) <= 0.4 + 1e-6


def test_stops_and_turns_where_the_next_lane_wants_another_heading() -> None:
    world = OneRobot(roadmap([(0, 0), (2, 0), (2, 2)], [(0, 1, 0, 0), (1, 2, 90, 0)]))
    world.at(0, 0, 1)
    world.run(60)
    check_rows(world, 1.0)
    turns = [row for row in world.rows if row[9]]
    assert len(turns) == 1 and turns[0][2] == SECOND_NS and turns[0][3:5] == (2.0, 0.0)
    assert world.pose() == pytest.approx((2, 2, 90), abs=1e-6)


def test_turns_the_short_way() -> None:
    world = OneRobot(roadmap([(0, 0), (0, -2)], [(0, 1, 270, 0)]))
    world.at(0, 0)
    world.run(60)
    assert world.rows[0][9] == pytest.approx(-math.pi / 2)


def test_backs_out_without_turning() -> None:
    world = OneRobot(roadmap([(0, 0), (2, 0)], [(0, 1, 0, 0), (1, 0, 0, 0)]))
    world.at(0, 0, 1)
    world.run(60)
    check_rows(world, 1.0)
    assert not [row for row in world.rows if row[9]]
    assert world.pose() == pytest.approx((0, 0, 0), abs=1e-6)


def test_nothing_that_lies_ahead_is_recorded_at_the_end_of_a_run() -> None:
    world = OneRobot(roadmap([(0, 0), (0, 9)], [(0, 1, 90, 0)]))
    world.at(0, 0)
    world.run(0.5)
    world.robot.flush()
    assert world.rows[-1][1] + world.rows[-1][2] == SECOND_NS // 2
    assert world.pose()[2] == pytest.approx(45)


@settings(deadline=None)
@given(
    st.lists(st.tuples(metres, st.sampled_from([0.0, 0.3, 0.8, 5.0])), min_size=1, max_size=8),
    st.data(),
)
def test_any_sequence_of_extensions_keeps_every_limit(
    lanes: list[tuple[float, float]], data: st.DataObject
) -> None:
    world = OneRobot(line([length for length, _ in lanes], [limit for _, limit in lanes]))
    edge, seconds = 0, 0.0
    while edge < len(lanes):
        count = data.draw(st.integers(1, len(lanes) - edge))
        world.at(seconds, *range(edge, edge + count))
        edge += count
        seconds += data.draw(st.floats(0, 6))
    world.run(seconds + 600)
    check_rows(world, 1.0)
    assert [edge for _, edge in world.nodes] == list(range(len(lanes)))
    ends = [0.0]
    for length, _ in lanes:
        ends.append(ends[-1] + length)
    assert world.pose()[0] == pytest.approx(ends[-1], abs=1e-6)
    for row in world.rows:
        index = max(i for i, s in enumerate(ends[:-1]) if row[3] >= s - 1e-6)
        limit = lanes[index][1] or 1.0
        if row[2] > 10_000:  # not the last dust of the lane before
            assert max(speeds_of(row)) <= min(1.0, limit) + 1e-6


@settings(deadline=None)
@given(st.floats(0, 14), st.lists(st.floats(0, 14), max_size=3), st.floats(0, 30))
def test_dies_anywhere_and_goes_on_from_there(
    death_s: float, extensions: list[float], pause_s: float
) -> None:
    corner = [(0.0, 0.0), (2.0, 0.0), (4.0, 0.0), (4.0, 2.0), (4.0, 4.0), (4.0, 6.0)]
    headings = [0, 0, 90, 90, 90]
    world = OneRobot(roadmap(corner, [(i, i + 1, h, 0) for i, h in enumerate(headings)]))
    times = sorted(extensions)
    world.at(0, *range(len(headings) - len(times)))
    for index, seconds in enumerate(times):
        world.at(seconds, len(headings) - len(times) + index)
    world.clock.at(round(death_s * SECOND_NS), lambda _: world.robot.die("test"))
    world.run(death_s + 20)
    assert len(world.deaths) == 1 and world.robot.dead
    seen = len(world.rows)
    world.run(death_s + 20 + pause_s)
    assert len(world.rows) == seen, "the dead don't move"
    world.robot.revive()
    world.run(death_s + pause_s + 120)
    check_rows(world, 1.0)
    assert [edge for _, edge in world.nodes] == list(range(len(headings)))
    assert world.pose() == pytest.approx((4, 6, 90), abs=1e-6)


def test_dies_at_the_very_instant_it_reaches_a_node() -> None:
    for lag in (-1, 0, 1):
        world = OneRobot(line([2.0, 2.0, 2.0]))
        world.clock.at(3 * SECOND_NS + lag, lambda _, w=world: w.robot.die("test"))
        world.at(0, 0, 1, 2)
        world.run(30)
        check_rows(world, 1.0)
        assert world.pose()[0] == pytest.approx(3.0, abs=1e-6)  # 1 m of brakes behind the node


def test_brakes_before_it_is_dead() -> None:
    world = OneRobot(line([9.0]))
    world.at(0, 0)
    world.clock.at(4 * SECOND_NS, lambda _: world.robot.die("test"))
    world.run(60)
    assert world.deaths == [(6 * SECOND_NS, "test")]
    assert world.pose()[0] == pytest.approx(4.0)


def test_reports_its_charge_at_each_twentieth_down_and_up() -> None:
    world = OneRobot(line([60.0, 60.0]))
    world.at(0, 0, 1)
    world.run(150)
    assert world.charges == [938, 876]  # 60 m each, and what standing by takes
    world.robot.use_charge()
    world.robot.charging = True
    world.run(150 + 120)
    world.robot.use_charge()
    assert world.charges[-1] > 1000 - 1 and world.robot.charge_permille == 1000.0


def test_what_was_charged_counts_although_it_drives_off_without_a_word() -> None:
    world = OneRobot(line([1.0]))
    world.robot.place(0, 0, 500.0)
    world.robot.charging = True
    world.at(60, 0)
    world.run(60)
    assert world.robot.charge_permille == pytest.approx(600)


@pytest.mark.parametrize("lanes", [[4.0], [4.0, 4.0]])
def test_an_empty_battery_ends_it_once_and_where_it_is(lanes: list[float]) -> None:
    spec = fleet(battery={"reach_m": 4, "idle_hours": 1e6, "charge_minutes": 10})
    world = OneRobot(line(lanes), spec)
    world.at(0, *range(len(lanes)))
    world.run(60)
    assert [reason for _, reason in world.deaths] == ["battery empty"]
    assert [edge for _, edge in world.nodes] == [0]
    check_rows(world, 1.0)
