"""Orders that come by chance."""

from __future__ import annotations

from collections import Counter

import pytest

from orchestrator.layout.site_file import OutboundDemand, StockFile
from sim.clock import Streams
from sim.demand import Popularity, arrivals, outbound


def test_a_constant_rate_is_kept() -> None:
    counts = [len(list(arrivals(Streams(seed).of("t"), 300.0, 10))) for seed in range(10)]
    assert sum(counts) / 10 == pytest.approx(3000, rel=0.02)


def test_an_hourly_curve_shapes_the_day_and_begins_again_after_it() -> None:
    curve = tuple(400.0 if 8 <= hour < 10 else 0.0 if hour < 6 else 100.0 for hour in range(24))
    hours = Counter(int(t // 3600) for t in arrivals(Streams(2).of("t"), curve, 34))
    assert not any(hours[h] for h in (0, 5, 24, 29))
    assert 340 < hours[8] < 460 and 340 < hours[9] < 460 and 70 < hours[12] < 130
    assert 340 < hours[32] < 460


def test_no_rate_no_orders() -> None:
    assert list(arrivals(Streams(1).of("t"), 0.0, 10)) == []
    assert list(arrivals(Streams(1).of("t"), (0.0,) * 24, 10)) == []


def test_the_first_sku_is_the_most_popular() -> None:
    popularity, chance = Popularity(StockFile(skus=10, skew=1.0)), Streams(1).of("p")
    counts = Counter(popularity.draw(chance) for _ in range(5000))
    assert len(counts) == 10
    assert counts["SKU-01"] / counts["SKU-02"] == pytest.approx(2, rel=0.2)


def test_orders_look_as_the_site_says_and_come_from_the_seed() -> None:
    wanted = OutboundDemand(
        orders_per_hour=500, lines=(0.7, 0.3), quantity=(0, 1), due_minutes=(25, 60)
    )
    stock = StockFile(skus=5)
    orders = list(outbound(wanted, stock, {}, Streams(3), 2))
    assert orders == list(outbound(wanted, stock, {}, Streams(3), 2))
    assert orders != list(outbound(wanted, stock, {}, Streams(4), 2))
    times = [time_ns for time_ns, _ in orders]
    assert times == sorted(times)
    assert {len(order.lines) for _, order in orders} == {1, 2}
    assert {line.quantity for _, order in orders for line in order.lines} == {2}
    for time_ns, order in orders:
        assert 25 * 60e9 - 1 <= order.due_ns - time_ns <= 60 * 60e9 + 1
