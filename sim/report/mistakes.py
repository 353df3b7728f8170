"""What machines did wrong to goods, and which check caught it: from the ground truth alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sim.report.timeline import Fact

SHIPPED, OPEN, UNDONE = "shipped", "not checked yet", "undone with another"
TELLING = {  # mistake -> outcomes of a check that mean it
    "wrong count": ("mismatch",),
    "wrong item": ("mismatch",),
    "damaged": ("damaged", "mismatch"),
    "wrong label": ("misread", "doubtful", "unreadable"),
    "torn label": ("unreadable", "doubtful"),
}


@dataclass(slots=True)
class Mistake:
    """One, and where it ended: a capability, SHIPPED, UNDONE or OPEN."""

    kind: str
    order_id: str
    sku: str
    made_ns: int
    caught: str = OPEN
    caught_ns: int = -1


def mistakes(facts: Iterable[Fact], needs: Callable[[str, str], str]) -> list[Mistake]:
    """By the time they were made. `needs(order type, step)` is the capability of a step."""
    found: list[Mistake] = []
    open_: dict[str, list[Mistake]] = {}
    kinds: dict[str, str] = {}
    packed: dict[str, str] = {}
    for time_ns, kind, fact in facts:
        order = str(fact.get("order_id", ""))
        match kind:
            case "order":
                kinds[order] = fact["kind"]
            case "parcel_packed":
                packed[fact["parcel"]] = order
            case "exception" if fact["phase"] != "ended":
                step = str(fact["subject"]).partition(":")[2].partition(".")[0]
                layer = needs(kinds.get(order, ""), step) or step
                _close(open_, order, time_ns, layer, outcome=fact["kind"])
            case "units_scrapped" if order:
                _close(open_, order, time_ns, UNDONE, sku=str(fact["sku"]).rstrip("~"))
            case "parcel_delivered" | "parcel_departed":
                _close(open_, order, time_ns, SHIPPED)
        made = _made(time_ns, kind, fact, packed)
        if made is not None:
            found.append(made)
            open_.setdefault(made.order_id, []).append(made)
    return found


def _made(time_ns: int, kind: str, fact: dict[str, Any], packed: dict[str, str]) -> Mistake | None:
    order, sku = str(fact.get("order_id", "")), str(fact.get("sku", ""))
    match kind:
        case "miscounted" if fact["why"] == "pick_wrong":
            return Mistake("wrong count", order, sku, time_ns)
        case "units_swapped":
            return Mistake("wrong item", order, sku, time_ns)
        case "units_damaged":
            return Mistake("damaged", order, sku, time_ns)
        case "labelled" if fact["why"] and fact["load"] in packed:
            name = "torn label" if fact["why"] == "torn" else "wrong label"
            return Mistake(name, packed[fact["load"]], "", time_ns)
    return None


def _close(
    open_: dict[str, list[Mistake]],
    order: str,
    time_ns: int,
    how: str,
    outcome: str = "",
    sku: str = "",
) -> None:
    """End those of an order that this outcome tells of, or that concern this SKU."""
    rows = open_.get(order, ())
    for row in rows:
        if (not outcome or outcome in TELLING[row.kind]) and (not sku or row.sku == sku):
            row.caught, row.caught_ns = how, time_ns
    if rows:
        open_[order] = [row for row in rows if row.caught == OPEN]


def figures(rows: list[Mistake]) -> dict[str, Any]:
    """Per kind of mistake: how many, which layer caught how many, how many were shipped."""
    table = []
    for kind in TELLING:
        ends = Counter(row.caught for row in rows if row.kind == kind)
        if ends:
            apart = (SHIPPED, OPEN)
            table.append(
                {
                    "kind": kind,
                    "made": sum(ends.values()),
                    "caught": {name: n for name, n in ends.most_common() if name not in apart},
                    "shipped": ends[SHIPPED],
                    "open": ends[OPEN],
                }
            )
    layers = Counter(row.caught for row in rows if row.caught not in (SHIPPED, OPEN))
    return {
        "made": len(rows),
        "shipped": sum(row["shipped"] for row in table),
        "layers": dict(layers.most_common()),
        "kinds": table,
    }
