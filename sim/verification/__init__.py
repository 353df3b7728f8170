"""`verify`: what really happened, from recorded trajectories and ground truth alone.

Nothing of the core is used here: a bug in it can't hide behind itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.verification import contacts
from sim.verification.orders import Ledger, Truth, ledger
from sim.verification.stops import Visits
from sim.verification.trajectory import bodies, trajectories


class Source(Protocol):
    """A recorded run."""

    meta: dict[str, Any]

    def motion(self, from_ns: int = 0, to_ns: int = 2**62) -> NDArray[Any]:
        """Pieces of motion."""

    def truth(self, kind: str | None = None) -> Iterator[Any]:
        """(seq, time_ns, kind, payload)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `findings` is empty for a run in which nothing was wrong."""

    findings: list[str]
    figures: dict[str, Any] = field(default_factory=dict)


def verify(source: Source, stops: dict[str, list[tuple[float, float]]] | None = None) -> Verdict:
    """Check a run. `stops`: for transport orders, the places (m) to be visited in sequence."""
    made = bodies([fact for _, _, _, fact in source.truth("robot")])
    end_ns = max((time_ns for _, time_ns, _, _ in source.truth("end")), default=0)
    rows = source.motion()
    if len(rows):
        end_ns = max(end_ns, int((rows["t0_ns"] + rows["dt_ns"]).max()))
    tracks = trajectories(made, rows)
    findings = [problem for track in tracks for problem in track.problems()]
    clearance = contacts.check(tracks, end_ns)
    findings += [
        f"contact: {contact.first} and {contact.second} at {contact.time_s:.3f} s"
        for contact in clearance.contacts
    ]
    book = ledger(source.truth(), end_ns)
    findings += book.findings
    findings += _books(source, book)
    if stops:
        findings += Visits(tracks).check(book.orders, stops, source)
    figures = {
        "contacts": len(clearance.contacts),
        "smallest_clearance_m": round(clearance.smallest_m, 4)
        if np.isfinite(clearance.smallest_m)
        else None,
        "pairs_checked": clearance.pairs_checked,
        **_ratios(book, end_ns),
    }
    return Verdict(findings, figures)


def _books(source: Source, book: Ledger) -> list[str]:
    """Each unit where the books say, and no order lost."""
    books = source.meta.get("books")
    if books is None:
        return ["the run has no books: it was not closed"]
    found: list[str] = []
    stock = next((fact for _, _, _, fact in source.truth("stock")), {})
    for tote in sorted(set(stock) | set(books["totes"])):
        real, booked = stock.get(tote), books["totes"].get(tote)
        if real != booked and not _under_way(real, booked):
            found.append(f"tote {tote} is {real}, the books say {booked}")
    for order in book.orders.values():
        booked = books["orders"].get(order.order_id)
        if booked is None:
            found.append(f"order {order.order_id} is lost: the books don't know it")
        elif booked["status"] in ("quarantined", "refused") and not booked["reason"]:
            found.append(f"order {order.order_id} was set aside without a reason")
        elif order.kind != "transport" and booked["status"] == "done" and not order.deliveries:
            found.append(f"order {order.order_id} is booked done, but nothing was delivered")
    return found


def _under_way(real: dict[str, Any] | None, booked: dict[str, Any] | None) -> bool:
    """At the very end a message may still be on its way: a robot has set down or taken up a tote,
    or an arm has picked, and the books hear of it in the next moment."""
    if real is None or booked is None:
        return booked is not None and booked["place"].startswith("robot:")
    moved = real["place"] != booked["place"]
    robot = real["place"].startswith("robot:") or booked["place"].startswith("robot:")
    return real["sku"] == booked["sku"] and real["quantity"] == booked["quantity"] and moved and robot


def _ratios(book: Ledger, end_ns: int) -> dict[str, Any]:
    orders = list(book.orders.values())
    due = [order for order in orders if _due(order, end_ns)]
    good = [order for order in due if _finished(order) and not order.touched]
    fillable = [order for order in due if order.fillable]
    late = [o for o in due if o.due_ns and o.deliveries and o.delivered_ns > o.due_ns]
    overdue = [o for o in due if o.due_ns and not o.deliveries and o.fillable]
    return {
        "orders": len(orders),
        "orders_due": len(due),
        "orders_right": len([order for order in due if _finished(order)]),
        "orders_wrong": len([o for o in orders if o.deliveries and not o.right]),
        "orders_late": len(late),
        "orders_overdue": len(overdue),
        "orders_unfillable": len(due) - len(fillable),
        "human_touches": book.human_touches,
        "lights_out_percent": _percent(len(good), len(due)),
        "lights_out_fillable_percent": _percent(
            len([order for order in good if order.fillable]), len(fillable)
        ),
    }


def _due(order: Truth, end_ns: int) -> bool:
    if order.kind == "transport":
        return order.closed != ""
    return order.due_ns <= end_ns


def _finished(order: Truth) -> bool:
    return order.closed == "done" if order.kind == "transport" else order.right


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 100.0
