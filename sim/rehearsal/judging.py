"""One future, judged: its figures, and where they fall short of the site's thresholds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.layout.rehearsal_file import RehearsalFile
from sim.rehearsal import standstill
from sim.rehearsal.standstill import Standstill
from sim.report.measured import Measured
from sim.verification.outcomes import OrderTruth
from sim.verification.table import clock

CONTACT = "contact"  # findings of this kind have a threshold
LISTED_MAX = 20


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A threshold that a future misses, and when to look."""

    threshold: str
    text: str
    at_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one future."""

    figures: dict[str, Any]
    shortfalls: list[Shortfall]
    stood: list[Standstill]  # as long as the limit, and of each kind the longest anyway
    locked: list[Standstill]  # as long as the limit


def judge(seen: Measured, wanted: RehearsalFile) -> Judgement:
    """Measure a verified run against the thresholds."""
    limit_ns = round(wanted.standstill_minutes * 60e9)
    stood = standstill.find(seen, limit_ns)
    locked = [row for row in stood if row.seconds * 1e9 >= limit_ns]
    due = due_orders(seen)
    late = [order for order in due if lateness_s(order, seen.tracks.end_ns) > 0]
    figures = _figures(seen, stood) | {
        "deadlocks": len(locked), "due": len(due), "late": len(late),
        "on_time_ratio": round(1 - len(late) / len(due), 6) if due else None,
    }  # fmt: skip
    missed = _contacts(seen, wanted, figures)
    if len(locked) > wanted.deadlocks:
        missed.append(Shortfall("deadlocks", locked[0].text(), locked[0].from_ns / 1e9))
    missed += _orders(seen, wanted, figures, late)
    missed += _findings(seen)
    return Judgement(figures, missed, stood, locked)


def due_orders(seen: Measured) -> list[OrderTruth]:
    """Orders that fell due within the run and could be filled."""
    orders, end_ns = seen.verdict.ledger.orders.values(), seen.tracks.end_ns
    return [order for order in orders if order.due_within(end_ns) and order.fillable]


def lateness_s(order: OrderTruth, end_ns: int) -> float:
    """Seconds behind its due time: when it was finished, or so far; not above 0 if it was in time.
    Where a truck took it, that truck's timetable counts."""
    ended_ns = order.departure_ns if order.departure_ns >= 0 else order.right_ns
    return ((end_ns if order.right_ns < 0 else ended_ns) - order.due_ns) / 1e9


def _figures(seen: Measured, stood: list[Standstill]) -> dict[str, Any]:
    said, end_ns = seen.verdict.figures, seen.tracks.end_ns
    contact, lights_out = said.get("contact", {}), said["lights_out"]["fillable"]
    longest = max(standstill.waits(seen, lanes_only=False), key=lambda w: w[2] - w[1], default=None)
    latest = max(due_orders(seen), key=lambda order: lateness_s(order, end_ns), default=None)
    return {
        "simulated_s": said["simulated_s"],
        "robots": said["robots"],
        "orders": sum(said["orders"].values()),
        "finished": said["finished_right"],
        "unfillable": said["unfillable"],
        "human_touches": said["human_touches"],
        "contacts": contact.get("contacts", 0) + said.get("obstacles", {}).get("touched", 0),
        "clearance_m": contact.get("clearance_m"),
        "clearance_s": contact.get("clearance_s"),
        "clearance_robots": contact.get("clearance_robots", []),
        "lights_out_ratio": lights_out["ratio"],
        "longest_wait": None if longest is None else {
            "robot": seen.tracks.robots[longest[0]].name, "from_s": longest[1] / 1e9,
            "seconds": round((longest[2] - longest[1]) / 1e9, 1),
        },
        "latest_order": None if latest is None else {
            "order": latest.order_id, "due_s": latest.due_ns / 1e9,
            "late_s": round(lateness_s(latest, end_ns), 1),
        },
        "longest_standstill": None if not stood else {
            "kind": stood[0].kind, "subjects": list(stood[0].subjects[:LISTED_MAX]),
            "from_s": stood[0].from_ns / 1e9, "seconds": round(stood[0].seconds, 1),
        },
    }  # fmt: skip


def _contacts(seen: Measured, wanted: RehearsalFile, figures: dict[str, Any]) -> list[Shortfall]:
    if figures["contacts"] <= wanted.contacts:
        return []
    first = next((row for row in seen.verdict.findings.rows if row.kind == CONTACT), None)
    text = f"{figures['contacts']} contacts"
    if first is None:
        return [Shortfall("contacts", text)]
    return [Shortfall("contacts", f"{text}, the first: {first.subject} {first.text}", first.time_s)]


def _orders(
    seen: Measured, wanted: RehearsalFile, figures: dict[str, Any], late: list[OrderTruth]
) -> list[Shortfall]:
    missed, due = [], figures["due"]
    asked = any(order.due_ns for order in seen.verdict.ledger.orders.values())
    if asked and not due:
        end = clock(figures["simulated_s"])[:-4]
        missed.append(Shortfall("on_time", f"no order fell due by {end}: rehearse more hours"))
    share = figures["on_time_ratio"]
    if share is not None and share < wanted.on_time:
        first = min(late, key=lambda order: order.due_ns)
        text = (
            f"{100 * share:.1f} % of {due} orders were in time, {100 * wanted.on_time:g} % are asked; "
            f"the first that was late is {first.order_id}"
        )
        missed.append(Shortfall("on_time", text, first.due_ns / 1e9))
    ratio = figures["lights_out_ratio"]
    if ratio is not None and ratio < wanted.lights_out:
        text = f"{100 * ratio:.1f} % of {due} orders were finished right and without a person"
        text += f", {100 * wanted.lights_out:g} % are asked"
        touches = seen.verdict.ledger.touches
        missed.append(Shortfall("lights_out", text, touches[0][0] / 1e9 if touches else None))
    return missed


def _findings(seen: Measured) -> list[Shortfall]:
    """Whatever else `verify` finds has no threshold: it must not be."""
    found = seen.verdict.findings
    rest = {kind: count for kind, count in found.counts.items() if kind != CONTACT}
    if not rest:
        return []
    first = next(row for row in found.rows if row.kind in rest)
    text = f"verify found {sum(rest.values())} x {', '.join(rest)}: {first.subject} {first.text}"
    return [Shortfall("verify", text, first.time_s)]
