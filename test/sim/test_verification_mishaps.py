"""Scrapped, damaged and miscounted units, and answers that were withheld: what verification allows."""

from __future__ import annotations

from typing import Any

import pytest
from test_verification_goods import close, deliver, judged, order, store

from sim.verification.memory import MemoryRun


@pytest.fixture
def run() -> MemoryRun:
    """Ten A in a tote; an order of one, open."""
    made = MemoryRun(meta={"books": {"totes": {}, "orders": {}}})
    made.robot(0, (0.0, 0.0, 0.0))
    store(made, "A", 10)
    order(made, "one", 1, 600, A=1)
    return made


def books(run: MemoryRun) -> dict[str, Any]:
    row: dict[str, Any] = run.meta["books"]["totes"]["tote-A"]
    return row


def test_units_that_fell_are_accounted_for(run: MemoryRun) -> None:
    run.fact(50, "units_scrapped", sku="A", quantity=2, tote="tote-A", why="dropped")
    books(run)["quantity"] -= 2
    verdict = judged(run)
    assert verdict.clean, verdict.findings.rows
    assert verdict.figures["goods"]["units_scrapped"] == 2


def test_books_that_do_not_know_of_it_are_wrong(run: MemoryRun) -> None:
    run.fact(50, "units_scrapped", sku="A", quantity=2, tote="tote-A", why="dropped")
    assert judged(run).findings.counts == {"books": 1}


def test_more_can_not_be_scrapped_than_is_there(run: MemoryRun) -> None:
    run.fact(50, "units_scrapped", sku="A", quantity=11, tote="tote-A", why="dropped")
    run.fact(60, "units_scrapped", sku="A", quantity=1, order_id="one", why="discarded")
    assert judged(run).findings.counts == {"goods": 2}


def test_units_that_are_discarded_from_a_box_are_not_in_its_parcel(run: MemoryRun) -> None:
    run.fact(20, "units_moved", sku="A", quantity=1, tote="tote-A", order_id="one")
    run.fact(21, "units_damaged", sku="A", quantity=1, order_id="one")
    run.fact(22, "units_scrapped", sku="A", quantity=1, order_id="one", why="discarded")
    books(run)["quantity"] -= 1
    deliver(run, "one", 50, A=1)
    verdict = judged(run)
    assert verdict.clean, verdict.findings.rows


def test_a_damaged_unit_that_is_delivered_makes_the_order_wrong(run: MemoryRun) -> None:
    run.fact(51, "units_damaged", sku="A", quantity=1, order_id="one")
    deliver(run, "one", 50, A=1)
    verdict = judged(run)
    assert verdict.findings.counts == {"wrong order": 1} and verdict.figures["wrong"] == 1


@pytest.mark.parametrize(("books_say", "clean"), [(13, True), (10, True), (12, False), (9, False)])
def test_books_may_be_wrong_by_what_was_put_in_and_by_nothing_else(
    run: MemoryRun, books_say: int, *, clean: bool
) -> None:
    run.fact(0, "miscounted", tote="tote-A", by=3, why="stock_wrong")
    books(run)["quantity"] = books_say
    verdict = judged(run)
    assert verdict.clean == clean
    assert verdict.figures["goods"]["totes_unproven"] == int(books_say == 13)


@pytest.mark.parametrize(
    ("status", "clean"), [("open", True), ("quarantined", True), ("done", False)]
)
def test_a_wrong_pick_must_be_seen_before_its_order_is_done(
    run: MemoryRun, status: str, *, clean: bool
) -> None:
    run.fact(20, "miscounted", tote="tote-A", by=1, why="pick_wrong", order_id="one")
    deliver(run, "one", 50, A=1)
    run.meta["books"]["orders"]["one"] |= {"status": status, "reason": "because"}
    books(run)["quantity"] += 1
    counts = judged(run).findings.counts
    assert ("books" not in counts) == clean


def test_books_may_wait_for_an_answer_that_was_withheld_but_not_longer(run: MemoryRun) -> None:
    run.fact(100, "units_moved", sku="A", quantity=1, tote="tote-A", order_id="one")
    run.fact(100, "answer_lost", work=7, station="s", loads=["tote-A", ""])
    assert judged(run).clean
    run.facts = [fact for fact in run.facts if fact[1] != "end"]
    run.fact(200, "answer_given", work=7)
    assert judged(run).findings.counts == {"books": 1}


@pytest.mark.parametrize(("says", "wrong"), [("p-one", 0), ("", 0), ("p-two", 1)])
def test_a_parcel_with_another_ones_label_is_wrong_and_one_with_a_torn_label_is_not(
    run: MemoryRun, says: str, wrong: int
) -> None:
    run.fact(51, "labelled", load="p-one", says=says, why="")
    deliver(run, "one", 50, A=1)
    verdict = judged(run)
    assert verdict.findings.counts == ({"wrong order": 1} if wrong else {})
    assert verdict.figures["wrong"] == wrong


@pytest.mark.parametrize("status", ["quarantined", "cancelled"])
def test_a_parcel_of_an_order_that_was_over_is_a_wrong_one(run: MemoryRun, status: str) -> None:
    close(run, "one", 40, status, "set aside")
    deliver(run, "one", 50, A=1)
    verdict = judged(run)
    assert verdict.figures["wrong"] == 1 and not verdict.figures["finished_right"]
    text = f"was closed as {status}, and handed out after that"
    assert text in [row.text for row in verdict.findings.rows]
