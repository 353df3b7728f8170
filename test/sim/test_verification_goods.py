"""Goods, books, orders and the lights-out ratio, from hand-made ground truth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.verification import UnusableRun, Verdict, verify
from sim.verification.memory import MemoryRun


class OrderReceived(SimpleNamespace):
    """As the journal's."""


def order(run: MemoryRun, name: str, at_s: float, due_s: float, **lines: int) -> None:
    pairs = [[sku, quantity] for sku, quantity in lines.items()]
    fact = {"order_id": name, "kind": "outbound", "lines": pairs, "due_ns": int(due_s * 1e9)}
    run.fact(at_s, "order", **fact)
    run.meta["books"]["orders"][name] = {"status": "open", "reason": "", "kind": "outbound"}


def deliver(run: MemoryRun, name: str, at_s: float, **contents: int) -> None:
    """Picked, packed and handed out within three seconds; the books follow."""
    for sku, quantity in contents.items():
        tote = f"tote-{sku}"
        run.fact(at_s, "units_moved", sku=sku, quantity=quantity, tote=tote, order_id=name)
        run.meta["books"]["totes"][tote]["quantity"] -= quantity
    parcel = {"parcel": f"p-{name}", "order_id": name, "contents": dict(contents)}
    run.fact(at_s + 1, "parcel_packed", station="pick-0", **parcel)
    run.fact(
        at_s + 2, "load_moved", load=f"p-{name}", **{"from": "station:pick-0", "to": "robot:r0"}
    )
    run.fact(at_s + 3, "load_moved", load=f"p-{name}", **{"from": "robot:r0", "to": "station:c"})
    run.fact(at_s + 3, "parcel_delivered", station="c", **parcel)
    run.fact(at_s + 3, "load_moved", load=f"p-{name}", **{"from": "station:c", "to": "gone"})
    close(run, name, at_s + 4, "done")


def close(run: MemoryRun, name: str, at_s: float, status: str, reason: str = "") -> None:
    run.fact(at_s, "order_closed", order_id=name, status=status, reason=reason)
    run.meta["books"]["orders"][name] |= {"status": status, "reason": reason}


def store(run: MemoryRun, sku: str, quantity: int) -> None:
    row = {"sku": sku, "quantity": quantity, "place": f"slot:{sku}"}
    run.fact(0, "tote", tote=f"tote-{sku}", **row)
    run.meta["books"]["totes"][f"tote-{sku}"] = row


@pytest.fixture
def run() -> MemoryRun:
    """Ten A, five B, one order of each that is delivered in time."""
    made = MemoryRun(meta={"books": {"totes": {}, "orders": {}}})
    made.robot(0, (0.0, 0.0, 0.0))
    store(made, "A", 10)
    store(made, "B", 5)
    order(made, "one", 1, 600, A=2, B=1)
    deliver(made, "one", 50, A=2, B=1)
    return made


def judged(run: MemoryRun, end_s: float = 1000) -> Verdict:
    run.fact(end_s, "end")
    return verify(run)


def ratios(verdict: Verdict) -> tuple[Any, Any]:
    return tuple(verdict.figures["lights_out"][which]["ratio"] for which in ("all", "fillable"))


def test_all_is_well(run: MemoryRun) -> None:
    verdict = judged(run)
    assert verdict.clean, verdict.findings.rows
    assert ratios(verdict) == (1.0, 1.0)
    goods = verdict.figures["goods"]
    assert (goods["units_brought"], goods["units_totes"], goods["units_delivered"]) == (15, 12, 3)


def test_a_wrong_parcel_is_counted_and_is_not_lights_out(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=1)
    deliver(run, "two", 200, B=1)
    verdict = judged(run)
    assert verdict.findings.counts == {"wrong order": 1}
    assert verdict.figures["wrong"] == 1
    assert ratios(verdict) == (0.5, 0.5)


def test_a_lost_order_is_found(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=1)
    del run.meta["books"]["orders"]["two"]
    verdict = judged(run)
    assert verdict.findings.counts == {"lost order": 1}
    assert verdict.findings.rows[0].subject == "two"


def test_done_without_a_parcel_is_found(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=1)
    close(run, "two", 300, "done")
    assert judged(run).findings.counts == {"orders": 1}


def test_a_quarantined_order_needs_a_reason(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=1)
    close(run, "two", 300, "quarantined")
    assert judged(run).findings.counts == {"orders": 1}


def test_late_is_counted_apart(run: MemoryRun) -> None:
    order(run, "two", 100, 300, A=1)
    deliver(run, "two", 400, A=1)
    verdict = judged(run)
    assert verdict.clean
    assert verdict.figures["late"] == 1
    assert ratios(verdict) == (1.0, 1.0)


def test_orders_due_after_the_run_do_not_count(run: MemoryRun) -> None:
    order(run, "two", 100, 1001, A=1)
    verdict = judged(run)
    assert verdict.figures["lights_out"]["all"] == {"due": 1, "lights_out": 1, "ratio": 1.0}


def test_unfillable_lowers_one_ratio_only(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=9)  # eight are left
    verdict = judged(run)
    assert verdict.clean
    assert verdict.figures["unfillable"] == 1
    assert ratios(verdict) == (0.5, 1.0)


def test_what_comes_in_before_the_due_time_makes_it_fillable(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=9)
    order(run, "three", 100, 500, A=9)
    tote = {"tote": "tote-in", "sku": "A", "quantity": 1}
    run.fact(600, "tote_arrived", station="dock-0", **tote)
    run.meta["books"]["totes"]["tote-in"] = {
        "sku": "A", "quantity": 1, "place": "station:dock-0",
    }  # fmt: skip
    verdict = judged(run)
    assert verdict.clean, verdict.findings.rows
    assert [o.order_id for o in verdict.ledger.orders.values() if not o.fillable] == ["three"]
    assert ratios(verdict) == (round(1 / 3, 6), 0.5)


def test_units_an_order_already_has_count_for_it(run: MemoryRun) -> None:
    """Five B less one; the order wants four, has two in its box when the rest goes to another."""
    order(run, "two", 100, 700, B=4)
    order(run, "three", 100, 700, B=2)
    run.fact(150, "units_moved", sku="B", quantity=2, tote="tote-B", order_id="two")
    deliver(run, "three", 200, B=2)
    run.meta["books"]["totes"]["tote-B"]["quantity"] -= 2
    verdict = judged(run)
    assert verdict.clean, verdict.findings.rows
    assert all(o.fillable for o in verdict.ledger.orders.values())
    order(run, "four", 250, 800, B=1)
    run.facts = [fact for fact in run.facts if fact[1] != "end"]
    assert not judged(run).ledger.orders["four"].fillable


def test_books_that_lie(run: MemoryRun) -> None:
    run.meta["books"]["totes"]["tote-A"]["place"] = "slot:elsewhere"
    run.meta["books"]["totes"]["tote-B"]["quantity"] += 1
    run.meta["books"]["totes"]["tote-C"] = {"sku": "C", "quantity": 1, "place": "slot:C"}
    assert judged(run).findings.counts == {"books": 3}


def test_books_may_be_as_old_as_a_message(run: MemoryRun) -> None:
    move = {"load": "tote-A", "from": "slot:A", "to": "robot:r0"}
    run.fact(995, "load_moved", **move)
    verdict = judged(run)
    assert verdict.clean
    assert verdict.figures["goods"]["totes_books_behind"] == 1


def test_books_that_slept_are_found(run: MemoryRun) -> None:
    move = {"load": "tote-A", "from": "slot:A", "to": "robot:r0"}
    run.fact(900, "load_moved", **move)
    assert judged(run).findings.counts == {"books": 1}


@pytest.mark.parametrize(
    ("kind", "fact", "found"),
    [
        ("load_moved", {"load": "tote-A", "from": "slot:A", "to": "slot:B"}, {"goods", "books"}),
        ("load_moved", {"load": "tote-A", "from": "slot:B", "to": "slot:A"}, {"goods"}),
        ("load_moved", {"load": "ghost", "from": "slot:X", "to": "slot:Y"}, {"goods"}),
        ("units_moved", {"sku": "A", "quantity": 9, "tote": "tote-A", "order_id": "x"}, {"goods"}),
        ("tote", {"tote": "tote-A", "sku": "A", "quantity": 1, "place": "slot:Z"}, {"goods"}),
        ("stock", {}, {"goods"}),
        ("impossible_action", {"robot": "r0", "action": "pick"}, {"impossible action"}),
        (
            "parcel_packed",
            {"parcel": "p", "order_id": "one", "contents": {"A": 1}, "station": "s"},
            {"goods", "units"},
        ),
    ],
)
def test_what_can_not_be(run: MemoryRun, kind: str, fact: dict[str, Any], found: set[str]) -> None:
    run.fact(500, kind, **fact)
    assert set(judged(run).findings.counts) == found


def test_a_human_touch_is_counted_with_its_orders(run: MemoryRun) -> None:
    order(run, "two", 100, 700, A=1)
    run.fact(150, "human_touched", reason="maintenance of r0", robot="r0", loads=["tote-A"])
    deliver(run, "two", 200, A=1)
    verdict = judged(run)
    assert verdict.clean
    assert verdict.figures["human_touches"] == 1
    touched = {o.order_id for o in verdict.ledger.orders.values() if o.touched}
    assert touched == {"two"}  # "one" was done before
    assert ratios(verdict) == (0.5, 0.5)


def test_a_run_without_end_or_books_says_so(run: MemoryRun) -> None:
    del run.meta["books"]
    assert verify(run).findings.counts == {"unfinished": 2}


def test_no_robots_is_unusable() -> None:
    with pytest.raises(UnusableRun, match="no robots"):
        verify(MemoryRun())


def transport(stops: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """r0 drives from node 0 (0, 0) over node 1 (1, 0) to node 2 (2, 0)."""
    nodes = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 9.0]])
    monkeypatch.setattr("sim.verification.node_positions", lambda _: nodes)
    run = MemoryRun(meta={"books": {"totes": {}, "orders": {}}})
    run.robot(0, (0.0, 0.0, 0.0))
    run.move(0, (5, 1.0), (0.0, 0.0, 0.0), a=1.0)
    run.move(0, (6, 0.5), (0.5, 0.0, 0.0), v=1.0)
    run.move(0, (6.5, 0.5), (1.0, 0.0, 0.0), v=1.0)
    run.move(0, (7, 1.0), (1.5, 0.0, 0.0), v=1.0, a=-1.0)
    run.fact(1, "order", order_id="t", kind="transport", lines=[], due_ns=0)
    event = OrderReceived(order_id="t", load="", stops=stops, lines=())
    run.events.append(SimpleNamespace(time_ns=10**9, seq=0, event=event))
    run.fact(9, "order_closed", order_id="t", status="done", reason="")
    run.meta["books"]["orders"]["t"] = {"status": "done", "reason": ""}
    return judged(run, 20)


@pytest.mark.parametrize("stops", [(0, 2), (0, 1, 2), (1, 2), (2,), (2, 2)])
def test_transports_that_were_driven(
    stops: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = transport(stops, monkeypatch)
    assert verdict.clean, verdict.findings.rows
    assert verdict.figures["finished_right"] == 1


@pytest.mark.parametrize("stops", [(2, 0), (3,), (0, 3), (2, 1), (7,)])
def test_transports_that_were_not(stops: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = transport(stops, monkeypatch)
    assert verdict.findings.counts == {"transport": 1}
    assert verdict.figures["finished_right"] == 0
