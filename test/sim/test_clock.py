"""The heap of what happens next, and the streams of chance."""

from __future__ import annotations

import pytest

from sim.clock import Clock, Streams, lognormal


def test_things_happen_in_order_of_time_then_of_scheduling() -> None:
    clock, seen = Clock(), list[str]()
    for time_ns, name in ((5, "c"), (3, "a"), (5, "d"), (3, "b")):
        clock.at(time_ns, seen.append, name)
    clock.run(5)
    assert seen == ["a", "b", "c", "d"]


def test_what_is_scheduled_meanwhile_comes_behind_what_was_there() -> None:
    clock, seen = Clock(), list[str]()
    clock.at(1, lambda _: clock.after(0, seen.append, "later"))
    clock.at(1, seen.append, "first")
    clock.run(1)
    assert seen == ["first", "later"] and clock.now_ns == 1


def test_time_goes_on_although_nothing_happens() -> None:
    clock = Clock()
    clock.run(10)
    assert clock.now_ns == 10
    with pytest.raises(AssertionError, match="past"):
        clock.at(9, print)


def test_one_more_draw_in_one_place_shifts_no_other() -> None:
    def draws(extra: int) -> list[float]:
        streams = Streams(7)
        one, other = streams.of("death", "r1"), streams.of("death", "r2")
        for _ in range(extra):
            one.random()
        return [other.random() for _ in range(3)]

    assert draws(0) == draws(5)
    assert Streams(7).of("a", "b").random() == Streams(7).of("a", "b").random()
    assert Streams(7).of("a").random() != Streams(8).of("a").random()


def test_no_spread_is_the_median() -> None:
    assert lognormal(Streams(1).of("x"), (3.0, 0.0)) == 3.0
