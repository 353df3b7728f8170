"""Whatever a host's file holds: each record is used or named, and nothing but the declared error
comes out of the parsers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_ring import whole_files

from orchestrator.core.site import Site
from orchestrator.host.items import read_items
from orchestrator.host.notices import read_notices
from orchestrator.host.orders import read_orders
from orchestrator.host.records import BadRow, HostFileError
from orchestrator.host.stock_list import compare, opening_of, read_stock
from orchestrator.layout import load_files

Read = tuple[int, list[BadRow]]  # records that were used, and the others


@pytest.fixture(scope="module")
def site() -> Site:
    return load_files(whole_files(), "ring").site


def orders(text: str, site: Site) -> Read:
    found, bad = read_orders(text, "f", site)
    assert all(order.lines or order.stops for _, order in found)
    assert [time for time, _ in found] == sorted(time for time, _ in found)
    return sum(len(order.lines) or 1 for _, order in found), bad


def notices(text: str, site: Site) -> Read:
    found, bad = read_notices(text, "f", site, "inbound")
    assert len({order.load for _, order in found}) == len(found)
    return sum(len(order.lines) for _, order in found), bad


def items(text: str, _: Site) -> Read:
    found, bad = read_items(text, "f")
    return len(found.items), bad


def stock(text: str, site: Site) -> Read:
    found, bad = read_stock(text, "f")
    assert compare(found, found) == []
    totes, wrong = opening_of(found, site, "f")
    assert len(totes) + len(wrong) == len(found)
    assert len({tote.bay for tote in totes}) == len(totes)
    return len(found), bad


READERS: dict[str, tuple[Callable[[str, Site], Read], tuple[str, ...]]] = {
    "orders": (orders, ("order_id", "time_s", "sku", "quantity", "due_s", "stops", "route")),
    "notices": (notices, ("notice_id", "time_s", "sku", "quantity", "dock", "load")),
    "items": (items, ("sku", "name", "weight_g", "barcode", "min_units")),
    "stock": (stock, ("tote", "sku", "quantity", "slot")),
}
WORDS = st.sampled_from(
    ["a", "b", "SKU-01", "SKU-02", "north", "dock-6", "1", "2", "30", "-1", "1.5", "nan", "", " ",
     "slot-f-0", "slot-r-4", "slot:slot-f-3", "\0", '"', "x" * 250, "1" * 30, "\ud800", "é"]
)  # fmt: skip
VALUES = st.recursive(
    WORDS | st.integers(-3, 9) | st.floats() | st.booleans() | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_of_a_csv(site: Site, kind: str, data: st.DataObject) -> None:
    use, columns = READERS[kind]
    words = WORDS.filter(lambda word: not set(word) & set('"\ud800'))
    rows = data.draw(st.lists(st.tuples(*[words] * len(columns)), max_size=8))
    used, bad = use("\n".join([",".join(columns), *map(",".join, rows)]), site)
    assert used + len(bad) == len(rows), "each row is used or named"
    assert all(row.line >= 2 and row.text and row.mend for row in bad)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_objects_of_a_list(site: Site, kind: str, data: st.DataObject) -> None:
    use, columns = READERS[kind]
    keys = st.sampled_from([*columns, "lines", "kind", "chute", "place"])
    rows: list[Any] = data.draw(st.lists(st.dictionaries(keys, VALUES, max_size=8), max_size=5))
    lined = any("lines" in row for row in rows)
    for text in (json.dumps(rows, indent=1), "\n".join(map(json.dumps, rows))):
        if text:
            used, bad = use(text, site)
            assert used + len(bad) == len(rows) or (lined and used + len(bad) > len(rows))
            assert all(row.line >= 1 and row.mend for row in bad)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet='a1,".\n\r\0 -e[]{}:;', max_size=120) | st.text(max_size=40))
def test_any_text(site: Site, kind: str, text: str) -> None:
    use, columns = READERS[kind]
    for whole in (text, ",".join(columns) + "\n" + text):
        try:
            _, bad = use(whole, site)
        except HostFileError as error:
            assert " -> " in str(error)
        else:
            assert all(row.line >= 1 and row.mend for row in bad)
