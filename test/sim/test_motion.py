"""Profiles along one edge."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.motion import exit_speed, profile, state

metres = st.floats(0.05, 30)
speeds = st.floats(0.1, 4)
accelerations = st.floats(0.1, 3)


def test_a_long_edge_is_a_trapezoid_and_its_time_is_exact() -> None:
    up, cruise, down = profile(0, 0.0, 10.0, 0.0, 0.0, limit=2.0, a=1.0)
    assert (up.dt_ns, cruise.dt_ns, down.dt_ns) == (2 * 10**9, 3 * 10**9, 2 * 10**9)
    assert (up.s_m, cruise.s_m, down.s_m) == pytest.approx((0, 2, 8))


def test_a_short_edge_is_a_triangle() -> None:
    up, down = profile(5, 0.0, 1.0, 0.0, 0.0, limit=2.0, a=1.0)
    assert up.t0_ns == 5 and up.dt_ns == down.dt_ns == 10**9


def test_times_round_up_to_the_next_nanosecond() -> None:
    up, down = profile(0, 0.0, 2.0, 0.0, 0.0, limit=9.0, a=1.0)
    assert up.dt_ns == down.dt_ns == math.ceil(math.sqrt(2) * 1e9)


def test_the_last_edge_must_be_left_standing() -> None:
    assert exit_speed([4.0], [2.0], 1.0) == 0


def test_exit_speed_is_what_the_brakes_can_take_back() -> None:
    assert exit_speed([4.0, 0.5], [2.0, 2.0], 1.0) == pytest.approx(1.0)
    assert exit_speed([4.0, 9.0, 0.5], [2.0, 0.7, 2.0], 1.0) == pytest.approx(0.7)


@given(metres, metres, speeds, accelerations, st.floats(0, 1), st.floats(0, 1))
def test_every_profile_keeps_the_limits_and_ends_where_it_must(
    length: float, rest: float, limit: float, a: float, entering: float, done: float
) -> None:
    s = done * length * 0.999
    v_out = exit_speed([length, rest], [limit, limit], a)
    v_in = entering * min(limit, math.sqrt(v_out**2 + 2 * a * (length - s)))  # it can still brake
    phases = profile(7, s, length, v_in, v_out, limit, a)
    time_ns, at, speed = 7, s, v_in
    for phase in phases:
        assert phase.t0_ns == time_ns and abs(phase.a_mps2) in (0.0, a)
        assert phase.s_m == pytest.approx(at, abs=1e-6)
        assert phase.v_mps == pytest.approx(speed, abs=1e-6)
        time_ns += phase.dt_ns
        at, speed = state(phase, time_ns)
        assert speed <= limit * (1 + 1e-9) + 1e-8
    assert at == pytest.approx(length, abs=1e-6)
    assert speed <= v_out + 1e-6
