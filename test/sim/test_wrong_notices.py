"""A wrong notice that nobody could see yet is no finding; one that was weighed and stays wrong is."""

from __future__ import annotations

from typing import Any

import pytest

from sim.verification.booked import compare
from sim.verification.findings import Findings
from sim.verification.goods import Goods, Tote

MINUTE_NS = 60_000_000_000


@pytest.mark.parametrize(("status", "findings"), [("open", 0), ("done", 1)])
def test_a_wrong_notice_counts_until_its_tote_is_in(status: str, findings: int) -> None:
    found = Findings()
    goods = Goods(found)
    tote = Tote("SKU-1", 33, "station:dock-0")
    tote.states.append((0, "station:dock-0", 33))
    goods.totes["p/1"] = tote
    goods.miscounted["p/1"] = [{"tote": "p/1", "by": -3, "why": "notice_wrong", "order_id": "p"}]
    books: dict[str, Any] = {
        "totes": {"p/1": {"sku": "SKU-1", "quantity": 30, "place": "station:dock-0"}},
        "orders": {"p": {"status": status}},
    }
    figures = compare(goods, books, 60 * MINUTE_NS, found)
    assert found.total == findings
    assert figures["totes_unproven"] == 1 - findings
