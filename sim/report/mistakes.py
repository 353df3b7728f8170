"""What machines did wrong to goods, and which check caught it: from the ground truth alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sim.floor import LOOKALIKE, variant
from sim.report.timeline import Fact

SHIPPED, OPEN, UNDONE = "shipped", "not checked yet", "undone with another"
READ = "left with it, and readable"  # of a torn label: it says the right thing
STOCKED = "put into stock"  # of what came in
COUNT, ITEM, BROKEN = "wrong count", "wrong item", "damaged"
LABEL, TORN = "wrong label", "torn label"
GOODS_WRONG, GOODS_BROKEN = "wrong goods came in", "damaged goods came in"
TELLING = {  # mistake -> outcomes of a check that mean it
    COUNT: ("mismatch",),
    ITEM: ("mismatch",),
    BROKEN: ("damaged", "mismatch"),
    LABEL: ("misread", "doubtful", "unreadable"),
    TORN: ("unreadable", "doubtful"),
    GOODS_WRONG: ("mismatch", "unreadable", "doubtful"),
    GOODS_BROKEN: ("damaged", "unreadable", "doubtful"),
}


@dataclass(slots=True)
class Mistake:
    """One, and where it ended: a capability, SHIPPED, UNDONE, READ, STOCKED or OPEN."""

    kind: str
    order_id: str
    sku: str
    made_ns: int
    caught: str = OPEN
    caught_ns: int = -1
    line: int = -1  # of what came in
    tote: str = ""


@dataclass(slots=True)
class _Truth:
    """What decides at the door whether a mistake is still there, whoever has seen it before."""

    kinds: dict[str, str] = field(default_factory=dict)  # order -> its type
    lines: dict[str, Counter[str]] = field(default_factory=dict)  # order -> what it wants
    totes: dict[str, str] = field(default_factory=dict)  # tote -> SKU
    packed: dict[str, str] = field(default_factory=dict)  # parcel -> order
    says: dict[str, str] = field(default_factory=dict)  # parcel -> its label, if not itself
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)  # by order and SKU

    def feed(self, kind: str, fact: dict[str, Any]) -> None:
        """Fold one fact."""
        order = str(fact.get("order_id", ""))
        match kind:
            case "order":
                self.kinds[order] = fact["kind"]
                wanted: Counter[str] = Counter()
                for sku, quantity in fact.get("lines", ()):
                    wanted[sku] += quantity
                self.lines[order] = wanted
            case "tote" | "tote_arrived" | "units_unpacked":
                self.totes[fact["tote"]] = fact["sku"]
            case "parcel_packed":
                self.packed[fact["parcel"]] = order
            case "labelled":
                self.says[fact["load"]] = fact["says"]
            case "units_damaged":
                self.broken[order, fact["sku"]] += fact["quantity"]
            case "units_scrapped" if order:
                left = self.broken[order, fact["sku"]] - fact["quantity"]
                self.broken[order, fact["sku"]] = max(0, left)

    def leaves_with(self, row: Mistake, parcel: str, contents: dict[str, int]) -> bool:
        """Is the mistake in, or on, the parcel?"""
        match row.kind:
            case "wrong count":
                there = contents.get(row.sku, 0) + contents.get(variant(row.sku), 0)
                return there != self.lines.get(row.order_id, Counter())[row.sku]
            case "wrong item":
                return variant(row.sku) in contents
            case "damaged":
                return self.broken[row.order_id, row.sku] > 0
            case "torn label":
                return self.says.get(parcel, parcel) == ""
            case _:
                return self.says.get(parcel, parcel) not in ("", parcel)


def mistakes(facts: Iterable[Fact], needs: Callable[[str, str], str]) -> list[Mistake]:
    """By the time they were made. `needs(order type, step)` is the capability of a step."""
    found: list[Mistake] = []
    of_order: dict[str, list[Mistake]] = {}
    inbound: dict[str, list[Mistake]] = {}  # by tote, until it is put away
    truth = _Truth()
    for time_ns, kind, fact in facts:
        order = str(fact.get("order_id", ""))
        rows = of_order.get(order, [])
        truth.feed(kind, fact)
        match kind:
            case "exception" if fact["phase"] != "ended":
                step, _, line = str(fact["subject"]).partition(":")[2].partition(".")
                layer = needs(truth.kinds.get(order, ""), step) or step
                about = (r for r in rows if r.line < 0 or str(r.line) == line)
                _close((r for r in about if fact["kind"] in TELLING[r.kind]), time_ns, layer)
            case "load_moved" if fact["load"] in inbound and fact["to"].startswith("slot:"):
                for row in inbound.pop(fact["load"]):
                    row.caught, row.caught_ns = STOCKED, time_ns
            case "units_scrapped" if order:
                sku = str(fact["sku"]).removesuffix(LOOKALIKE)
                _close((r for r in rows if r.sku == sku), time_ns, UNDONE)
            case "parcel_delivered" | "parcel_departed":
                _left(rows, time_ns, fact, truth)
        made = _made(time_ns, kind, fact, truth)
        if made is not None:
            found.append(made)
            of_order.setdefault(made.order_id, []).append(made)
            if made.tote:
                inbound.setdefault(made.tote, []).append(made)
    return found


def _made(time_ns: int, kind: str, fact: dict[str, Any], truth: _Truth) -> Mistake | None:
    order, sku = str(fact.get("order_id", "")), str(fact.get("sku", ""))
    match kind:
        case "miscounted" if fact["why"] == "pick_wrong":
            return Mistake(COUNT, order, truth.totes.get(fact["tote"], ""), time_ns)
        case "units_swapped":
            return Mistake(ITEM, order, sku, time_ns)
        case "units_damaged":
            return Mistake(BROKEN, order, sku, time_ns)
        case "goods_wrong" | "goods_damaged":
            name = GOODS_WRONG if kind == "goods_wrong" else GOODS_BROKEN
            return Mistake(name, order, sku, time_ns, line=fact["line"], tote=fact["tote"])
        case "labelled" if fact["why"] and fact["load"] in truth.packed:
            name = TORN if fact["why"] == "torn" else LABEL
            return Mistake(name, truth.packed[fact["load"]], "", time_ns)
    return None


def _close(rows: Iterable[Mistake], time_ns: int, how: str) -> None:
    """End those that are open still."""
    for row in rows:
        if row.caught == OPEN:
            row.caught, row.caught_ns = how, time_ns


def _left(rows: list[Mistake], time_ns: int, fact: dict[str, Any], truth: _Truth) -> None:
    """Their parcel has left. What is wrong with it has left as well, also where a check had doubted
    and then let it pass. Of several alike it is the last."""
    alike: set[tuple[str, str]] = set()
    for row in reversed(rows):
        there = truth.leaves_with(row, fact["parcel"], fact["contents"])
        if not there or (row.kind, row.sku) in alike:
            _close([row], time_ns, UNDONE)
            continue
        alike.add((row.kind, row.sku))
        row.caught, row.caught_ns = READ if row.kind == TORN else SHIPPED, time_ns


def figures(rows: list[Mistake]) -> dict[str, Any]:
    """Per kind of mistake: how many, which layer caught how many, how many were shipped."""
    table = []
    apart = (SHIPPED, OPEN, READ, STOCKED)
    for kind in TELLING:
        ends = Counter(row.caught for row in rows if row.kind == kind)
        if ends:
            table.append(
                {
                    "kind": kind,
                    "made": sum(ends.values()),
                    "caught": {name: n for name, n in ends.most_common() if name not in apart},
                    "shipped": ends[SHIPPED],
                    "readable": ends[READ],
                    "stocked": ends[STOCKED],
                    "open": ends[OPEN],
                }
            )
    layers = Counter(row.caught for row in rows if row.caught not in apart)
    return {
        "made": len(rows),
        "shipped": sum(row["shipped"] for row in table),
        "layers": dict(layers.most_common()),
        "kinds": table,
    }
