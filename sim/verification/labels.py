"""Did a camera read each parcel's label before it left? From the pictures that were taken, and from
what cameras answered; where the flow has such a check at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from sim.verification.findings import Findings
from sim.verification.goods import Delivery, Goods
from sim.verification.outcomes import Ledger, OrderTruth

OTHERS = ("verify", "recheck")  # cameras that read no labels, where the step names no task


@dataclass(frozen=True, slots=True)
class Look:
    """One picture of a label, and what was made of it."""

    request: int
    asked_ns: int
    answered_ns: int
    outcome: str
    value: str


@dataclass(slots=True)
class Tally:
    """Parcels that left, of orders whose labels are read."""

    checked: int = 0
    torn_but_read: int = 0
    unread: int = 0
    by_load: dict[str, list[Look]] = field(default_factory=dict)


def check(ledger: Ledger, goods: Goods, meta: dict[str, Any], found: Findings) -> dict[str, int]:
    """Each parcel's last picture before it left was taken behind the last print of its label, and read
    as its own. A label that nobody read so, and that is torn or another one's, is a wrong order."""
    kinds = read_kinds(meta)
    tally = Tally(by_load=_looks(ledger))
    for order in ledger.orders.values():
        if order.kind in kinds:
            for delivery in goods.deliveries.get(order.order_id, ()):
                _parcel(order, delivery, goods.printed.get(delivery.parcel, -1), tally, found)
    return {
        "checked": tally.checked,
        "torn_but_read": tally.torn_but_read,
        "unread": tally.unread,
    }


def _parcel(
    order: OrderTruth, delivery: Delivery, printed_ns: int, tally: Tally, found: Findings
) -> None:
    tally.checked += 1
    looks = tally.by_load.get(delivery.parcel, ())
    behind = [
        look for look in looks
        if look.asked_ns >= printed_ns and look.answered_ns <= delivery.time_ns
    ]  # fmt: skip
    last = max(behind, key=lambda look: look.request, default=None)
    if last is not None and last.outcome == "ok" and last.value == delivery.parcel:
        tally.torn_but_read += delivery.label == ""
        return
    tally.unread += 1
    what = {"": "torn", delivery.parcel: "right"}.get(delivery.label, f"{delivery.label}'s")
    seen = f"is {last.outcome} in its last picture" if last else "is in no picture since its print"
    text = f"leaves, and its label ({what}) {seen}"
    found.add("unread label", delivery.time_ns, delivery.parcel, text)
    if delivery.label != delivery.parcel:
        order.wrong, order.right_ns = True, -1


def _looks(ledger: Ledger) -> dict[str, list[Look]]:
    """By what was looked at; a record that doesn't say so tells it by what was read."""
    looks: dict[str, list[Look]] = {}
    for request, (answered_ns, outcome, value) in ledger.reads.items():
        asked_ns, subject = ledger.looks.get(request, (answered_ns, value))
        looks.setdefault(subject, []).append(Look(request, asked_ns, answered_ns, outcome, value))
    return looks


def read_kinds(meta: dict[str, Any]) -> set[str]:
    """Order types in whose flow a camera reads the label behind its print. Of a building's own record
    none: what cameras answered is in the master's."""
    text = meta.get("recipe", {}).get("files", {}).get("site.yaml", "")
    if not text or meta.get("building"):
        return set()
    flow = yaml.safe_load(text).get("flow", {})
    return {kind for kind, steps in flow.items() if _reads(steps)}


def _reads(steps: dict[str, dict[str, Any]]) -> bool:
    waiting = [name for name, step in steps.items() if step.get("needs") == "label"]
    behind: set[str] = set()
    while waiting:
        for name in steps[waiting.pop()].get("then", ()):
            if name not in behind:
                behind.add(name)
                waiting.append(name)
    cameras = (steps[name] for name in behind if steps[name].get("do") == "inspect")
    return any(_task(step) == "read_label" for step in cameras)


def _task(step: dict[str, Any]) -> str:
    default = "verify_pick" if step.get("needs") in OTHERS else "read_label"
    return str(step.get("task") or default)
