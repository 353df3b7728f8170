"""The core's books of totes held against the ground truth."""

from __future__ import annotations

from typing import Any

from sim.verification.findings import Findings
from sim.verification.goods import Goods, Tote

LAG_NS = 15_000_000_000  # what a message may be late: so old may the books be at the end


def compare(goods: Goods, books: dict[str, Any], end_ns: int, found: Findings) -> dict[str, int]:
    """Each tote where the books say, with what they say. Where the books are older than the truth
    by no more than a message on its way, or by an answer that the simulation withheld, that is
    counted and no finding; so is a wrong count that it put in and nobody could see yet, and wrong goods
    that no camera saw."""
    said = books.get("totes", {})
    since = _known_since(goods, end_ns)
    behind = unproven = 0
    for name in sorted(set(said) | set(goods.totes)):
        tote, row = goods.totes.get(name), said.get(name)
        since_ns = since.get(name, end_ns - LAG_NS)
        if tote is None:
            place = row.get("place", "")
            if place != "gone":
                found.add("books", None, name, f"the books have it at {place}, it is not there")
        elif row is None:
            if tote.states[0][0] < since_ns:
                found.add("books", None, name, f"is at {tote.place}, the books don't know it")
        elif (row["sku"], row["quantity"], row["place"]) != (tote.sku, tote.quantity, tote.place):
            recent = _recent(tote, since_ns)
            errors = _errors(goods, books, name)
            if goods.wrong_goods.get(name) == row["sku"] and row["place"] in {p for p, _ in recent}:
                unproven += 1
            elif row["sku"] == tote.sku and (row["place"], row["quantity"]) in recent:
                behind += 1
            elif row["sku"] == tote.sku and any(
                (row["place"], row["quantity"] - error) in recent for error in errors
            ):
                unproven += 1
            else:
                text = f"holds {tote.quantity} of {tote.sku} at {tote.place}, the books say {row}"
                found.add("books", None, name, text)
    figures = {"totes": len(goods.totes), "totes_books_behind": behind}
    return figures | {"totes_unproven": unproven}


def _known_since(goods: Goods, end_ns: int) -> dict[str, int]:
    """Loads of which a machine has not told yet what it did: books from before that will do."""
    return {
        load: min(time_ns, end_ns - LAG_NS)
        for time_ns, loads in goods.unreported.values()
        for load in loads
    }


def _recent(tote: Tote, since_ns: int) -> set[tuple[str, int]]:
    """Every combination of place and units that held within the last moments."""
    states = [s for s in tote.states if s[0] >= since_ns]
    before = [s for s in tote.states if s[0] < since_ns][-1:]
    places = {place for _, place, _ in before + states}
    quantities = {quantity for _, _, quantity in before + states}
    return {(place, quantity) for place in places for quantity in quantities}


def _errors(goods: Goods, books: dict[str, Any], tote: str) -> set[int]:
    """By how much the books may be too high: any of what was put in may have been seen by now. A
    wrong pick is seen before its order is done, a wrong notice before all that it is about is in."""
    sums = {0}
    orders = books.get("orders", {})
    for fact in goods.miscounted.get(tote, ()):
        status = orders.get(fact.get("order_id", ""), {}).get("status", "")
        if fact["why"] == "stock_wrong" or status != "done":
            sums |= {total + int(fact["by"]) for total in sums}
    return sums - {0}
