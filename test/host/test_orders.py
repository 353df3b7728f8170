"""Order files: what they hold is ordered, or named with line and mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.core.messages import OrderReceived
from orchestrator.host.orders import read_orders
from orchestrator.host.records import HostFileError, read_text
from orchestrator.layout import LoadedSite, load_site

HEAD = "order_id,time_s,sku,quantity,due_s"
SITE = Path(__file__).parents[2] / "sites" / "jd_small"


@pytest.fixture(scope="module")
def loaded() -> LoadedSite:
    return load_site(SITE)


def read(loaded: LoadedSite, *rows: str) -> tuple[list[tuple[int, OrderReceived]], list[str]]:
    orders, bad = read_orders("\n".join(rows), "o.csv", loaded.site)
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


def test_json_and_json_lines_say_the_same_as_csv(loaded: LoadedSite) -> None:
    rows = [
        {"order_id": "a", "time_s": 10.5, "due_s": 600, "lines": [{"sku": "SKU-01", "quantity": 2}]},
        {"order_id": "b", "time_s": 20, "due_s": "900", "carrier": "post",
         "lines": [{"sku": "SKU-02", "quantity": 1}, {"sku": "SKU-03", "quantity": 1}]},
    ]  # fmt: skip
    csv = read(
        loaded, f"{HEAD},carrier", "a,10.5,SKU-01,2,600,", "b,20,SKU-02,1,900,post",
        "b,20,SKU-03,1,900,post",
    )  # fmt: skip
    assert csv[0][1][1].carrier == "post"
    for text in (
        json.dumps(rows, indent=2),
        json.dumps({"orders": rows}),
        "\n".join(json.dumps(row) for row in rows),
    ):
        assert read(loaded, text) == csv


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a,soon,SKU-01,1,600", "is no number: 'soon'"),
        ("a,1,SKU-01,one,600", "is no whole number"),
        ("a,1,SKU-01,1.5,600", "is no whole number"),
        ("a,1,SKU-01,1_0,600", "is no whole number"),
        ("a,1,SKU-01,0,600", "must be 1 to"),
        ("a,-1,SKU-01,1,600", "must be positive"),
        ("a,nan,SKU-01,1,600", "must be positive"),
        ("a,1,SKU-01,1,inf", "must be positive"),
        ("a,900,SKU-01,1,600", "lies before"),
        ("a,1,,1,600", "must not be empty"),
        (",1,SKU-01,1,600", "must not be empty"),
        ("a\x07b,1,SKU-01,1,600", "can't be printed"),
        ("a,1,SKU-01", "due_s is no number"),
        ("a,1,SKU-01,1,600,chute-1,,more", "more fields"),
        ("a,1,SKU-01,1,600,nowhere", "unknown chute"),
        ("a,1,SKU-01,1,600,pick-1", "unknown chute"),
        ("a,1,SKU-01,1,600,,north", "unknown route"),
        ("good,2,SKU-01,1,600", "differ from the first row"),
        ("a,1," + "x" * 200_000 + ",1,600", "no row of a CSV"),
        ("a,1," + "x" * 300 + ",1,600", "300 characters"),
    ],
)
def test_a_bad_row_is_named_and_the_others_run(loaded: LoadedSite, row: str, what: str) -> None:
    head, good = HEAD + ",chute,route", "good,1,SKU-01,1,600,,"
    orders, bad = read(loaded, head, good, row, "also,3,SKU-01,1,700,,")
    assert [order.order_id for _, order in orders] == ["good", "also"]
    assert len(bad) == 1
    assert bad[0].startswith("o.csv:3: ") and what in bad[0] and " -> " in bad[0]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ('{"order_id": "a"', "no line of JSON"),
        ('"a"', "no line of JSON|is no JSON object"),
        ('{"order_id": "a", "time_s": 1, "due_s": 9, "lines": []}', "lines must be"),
        ('{"order_id": "a", "time_s": 1, "due_s": 9, "lines": [7]}', "is no object"),
        ('{"order_id": ["a"], "time_s": 1, "due_s": 9, "sku": "x", "quantity": 1}', "is no text"),
        ('{"order_id": "\\ud800", "time_s": 1, "due_s": 9, "sku": "x", "quantity": 1}', "printed"),
        ('{"order_id": "a", "time_s": true, "due_s": 9, "sku": "x", "quantity": 1}', "no number"),
        ('{"order_id": "a", "time_s": 1' + "0" * 400 + ', "sku": "x", "quantity": 1}', "number"),
        ('{"order_id": "a", "x": ' + "[" * 100_000 + "}", "nested too deeply|no line of JSON"),
        ('{"order_id": "a", "time_s": 1, "kind": "inbound"}', "can't be given"),
        ('{"order_id": "a", "time_s": 1, "stops": ["n"]}', "can't be given"),
        ('{"order_id": "good", "time_s": 1, "due_s": 9, "sku": "x", "quantity": 1}', "already"),
    ],
)  # fmt: skip
def test_a_bad_object_is_named_and_the_others_run(loaded: LoadedSite, row: str, what: str) -> None:
    good = '{"order_id": "%s", "time_s": 1, "due_s": 60, "sku": "SKU-01", "quantity": 1}'
    orders, bad = read(loaded, good % "good", row, good % "also")
    assert [order.order_id for _, order in orders] == ["good", "also"]
    assert len(bad) == 1 and bad[0].startswith("o.csv:2: ") and " -> " in bad[0]
    assert any(part in bad[0] for part in what.split("|"))


def test_a_broken_list_is_refused_with_its_line(loaded: LoadedSite) -> None:
    for text, what in (
        ('[\n{"order_id": "a"},\n{"order_id" "b"}]', "o.csv:3: broken JSON"),
        ('[\n{"order_id": "a"}\n', "broken JSON"),
        ('[{"order_id": "a"}] x', "something follows"),
        ("[" * 200_000, "broken JSON"),
    ):
        with pytest.raises(HostFileError, match=what):
            read_orders(text, "o.csv", loaded.site)


def test_a_chute_may_be_chosen(loaded: LoadedSite) -> None:
    names = [s.id for s in loaded.site.stations if "handout" in s.capabilities]
    orders, bad = read(loaded, HEAD + ",chute", f"a,1,SKU-01,1,600,{names[2]}")
    assert not bad and loaded.site.stations[orders[0][1].station].id == names[2]


def test_an_unknown_sku_is_for_the_core_to_refuse(loaded: LoadedSite) -> None:
    orders, bad = read(loaded, HEAD, "a,1,NO-SUCH,1,600")
    assert orders[0][1].lines[0].sku == "NO-SUCH"
    text = "o.csv:2: order 'a' is refused: unknown SKU 'NO-SUCH' -> add it to the item master"
    assert bad == [text]


def test_a_file_without_the_columns_is_refused(loaded: LoadedSite) -> None:
    for text in ("", "order,when\na,1\n", "\n\n", "order_id,time_s\na,1\n"):
        with pytest.raises(HostFileError, match=r"o\.csv:1: .* -> "):
            read_orders(text, "o.csv", loaded.site)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(HostFileError, match="UTF-8"):
        read_text(path)
    with pytest.raises(HostFileError, match="can't be read"):
        read_text(tmp_path / "none.csv")
