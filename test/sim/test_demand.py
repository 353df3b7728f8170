"""Orders that come by chance, and orders from a file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.messages import OrderReceived
from orchestrator.layout import LoadedSite, load_site
from orchestrator.layout.site_file import OutboundDemand, StockFile
from sim.clock import Streams
from sim.demand import OrderFileError, Popularity, arrivals, from_csv, outbound, read_text

HEAD = "order_id,time_s,sku,quantity,due_s"
SITE = Path(__file__).parents[2] / "sites" / "jd_small"


@pytest.fixture(scope="module")
def loaded() -> LoadedSite:
    return load_site(SITE)


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


def read(loaded: LoadedSite, *rows: str) -> tuple[list[tuple[int, OrderReceived]], list[str]]:
    orders, bad = from_csv("\n".join(rows), "o.csv", loaded.site)
    return orders, [str(row) for row in bad]


def test_rows_with_one_id_are_the_lines_of_one_order(loaded: LoadedSite) -> None:
    orders, bad = read(
        loaded, HEAD, "b,20,SKU-02,1,900", "a,10.5,SKU-01,2,600", "b,20,SKU-03,1,900"
    )
    assert not bad
    assert [(t, o.order_id, o.due_ns) for t, o in orders] == [
        (10_500_000_000, "a", 600 * 10**9),
        (20_000_000_000, "b", 900 * 10**9),
    ]
    assert [(line.sku, line.quantity) for line in orders[1][1].lines] == [
        ("SKU-02", 1), ("SKU-03", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a,soon,SKU-01,1,600", "time_s is 'soon' -> write a number"),
        ("a,1,SKU-01,one,600", "quantity is 'one' -> write a whole number"),
        ("a,1,SKU-01,1.5,600", "quantity is '1.5' -> write a whole number"),
        ("a,1,SKU-01,0,600", "must be positive"),
        ("a,-1,SKU-01,1,600", "must be positive"),
        ("a,nan,SKU-01,1,600", "must be positive"),
        ("a,1,SKU-01,1,inf", "must be positive"),
        ("a,1,,1,600", "must not be empty"),
        (",1,SKU-01,1,600", "must not be empty"),
        ("a,1,SKU-01", "quantity is missing -> write a whole number"),
        ("a,1,SKU-01,1,600,chute-1,more", "more fields"),
        ("a,1,SKU-01,1,600,nowhere", "unknown chute"),
        ("a,1,SKU-01,1,600,pick-1", "unknown chute"),
        ("good,2,SKU-01,1,600", "differ from the first row"),
        ("a,1," + "x" * 200_000 + ",1,600", "no row of a CSV"),
    ],
)
def test_a_bad_row_is_named_and_the_others_run(loaded: LoadedSite, row: str, what: str) -> None:
    good = "good,1,SKU-01,1,600,"
    orders, bad = read(loaded, HEAD + ",chute", good, row, "also,3,SKU-01,1,700,")
    assert [order.order_id for _, order in orders] == ["good", "also"]
    assert len(bad) == 1
    assert bad[0].startswith("o.csv:3: ") and what in bad[0] and " -> " in bad[0]


def test_a_chute_may_be_chosen(loaded: LoadedSite) -> None:
    names = [s.id for s in loaded.site.stations if "handout" in s.capabilities]
    orders, bad = read(loaded, HEAD + ",chute", f"a,1,SKU-01,1,600,{names[2]}")
    assert not bad and loaded.site.stations[orders[0][1].station].id == names[2]


def test_an_unknown_sku_is_for_the_core_to_refuse(loaded: LoadedSite) -> None:
    orders, bad = read(loaded, HEAD, "a,1,NO-SUCH,1,600")
    assert not bad and orders[0][1].lines[0].sku == "NO-SUCH"


def test_a_file_without_the_columns_is_refused(loaded: LoadedSite) -> None:
    for text in ("", "order,when\na,1\n", "\n\n"):
        with pytest.raises(OrderFileError, match=r"o\.csv:1: .* -> "):
            from_csv(text, "o.csv", loaded.site)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(OrderFileError, match="UTF-8"):
        read_text(path)
    with pytest.raises(OrderFileError, match="can't be read"):
        read_text(tmp_path / "none.csv")


@given(st.lists(st.text(alphabet='a1,".\n\r\0 -e', max_size=30), max_size=6))
def test_whatever_a_file_holds_it_is_read_or_reported(loaded: LoadedSite, rows: list[str]) -> None:
    orders, bad = from_csv("\n".join([HEAD, *rows]), "o.csv", loaded.site)
    assert all(order.lines for _, order in orders)
    assert all(row.line >= 2 and row.mend for row in bad)
