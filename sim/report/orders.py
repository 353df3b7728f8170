"""Figures of orders: throughput, cycle times, punctuality, what was left over, what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from sim.report.timeline import Fact
from sim.verification.outcomes import Ledger, OrderTruth

LISTED_MAX = 300


def throughput(times_ns: list[int], end_ns: int, minutes: int) -> list[dict[str, Any]]:
    """Finished orders per bin; `per_hour` accounts for a last bin that is shorter."""
    width = minutes * 60 * 10**9
    counts = Counter(min(time_ns, end_ns - 1) // width for time_ns in times_ns)
    rows = []
    for number in range(-(-end_ns // width)):
        hours = (min((number + 1) * width, end_ns) - number * width) / 3600e9
        rows.append({
            "from_s": number * width / 1e9,
            "orders": counts[number],
            "per_hour": round(counts[number] / hours, 2),
        })  # fmt: skip
    return rows


def cycles(orders: list[OrderTruth]) -> dict[str, Any]:
    """From reception to finish, in seconds: p50, p95, mean, max and a histogram."""
    seconds = np.array([(o.right_ns - o.received_ns) / 1e9 for o in orders if o.right_ns >= 0])
    if not len(seconds):
        return {"p50_s": None, "p95_s": None, "mean_s": None, "max_s": None, "histogram": []}
    width = next(
        w for w in (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 10**9) if seconds.max() / w <= 40
    )
    counts = np.bincount((seconds // width).astype(int))
    return {
        "p50_s": round(float(np.percentile(seconds, 50)), 1),
        "p95_s": round(float(np.percentile(seconds, 95)), 1),
        "mean_s": round(float(seconds.mean()), 1),
        "max_s": round(float(seconds.max()), 1),
        "histogram": [
            {"from_s": index * width, "to_s": (index + 1) * width, "orders": int(count)}
            for index, count in enumerate(counts)
        ],
    }


def figures(ledger: Ledger, end_ns: int) -> dict[str, Any]:
    """Everything about orders. Inbound is counted apart: nobody waits for a tote's put-away."""
    all_orders = list(ledger.orders.values())
    wanted = [order for order in all_orders if not order.inbound]
    inbound = [order for order in all_orders if order.inbound]
    times = sorted(order.right_ns for order in wanted if order.right_ns >= 0)
    due = [order for order in wanted if order.due_within(end_ns)]
    punctual = sum(order.right_ns >= 0 and not order.late for order in due)
    return {
        "received": len(wanted),
        "finished": len(times),
        "per_hour": round(len(times) * 3600e9 / max(end_ns, 1), 1),
        "throughput_5min": throughput(times, end_ns, 5),
        "throughput_15min": throughput(times, end_ns, 15),
        "cycle": cycles(wanted),
        "due": len(due),
        "on_time": punctual,
        "on_time_share": round(punctual / len(due), 6) if due else None,
        "inbound_received": len(inbound),
        "inbound_put_away": sum(order.right_ns >= 0 for order in inbound),
    }


def unfinished(
    ledger: Ledger, books: dict[str, Any], end_ns: int, facts: list[Fact]
) -> list[dict[str, Any]]:
    """Orders that were not finished, those due first; at most `LISTED_MAX`. `picture`: the last one
    that was kept of anything of theirs, by its SHA-256."""
    said = books.get("orders", {})
    seen = {fact["subject"]: fact["image"] for _, kind, fact in facts if kind == "picture"}
    rows = []
    for order in ledger.orders.values():
        if order.right_ns >= 0:
            continue
        row = said.get(order.order_id, {})
        rows.append({
            "order": order.order_id,
            "kind": order.kind,
            "status": row.get("status", order.closed_as or "open"),
            "reason": row.get("reason", order.reason) or _why(order, end_ns),
            "received_s": round(order.received_ns / 1e9, 1),
            "due_s": round(order.due_ns / 1e9, 1) if order.due_ns else None,
            "picture": _picture(order, seen),
        })  # fmt: skip
    rows.sort(key=lambda row: (row["status"] == "open", row["due_s"] or 1e12, row["order"]))
    return rows[:LISTED_MAX]


def _picture(order: OrderTruth, seen: dict[str, str]) -> str:
    subjects = (f"parcel-{order.order_id}", order.order_id, *order.totes)
    return next((seen[name] for name in subjects if name in seen), "")


def _why(order: OrderTruth, end_ns: int) -> str:
    if order.wrong:
        return "wrong contents"
    if not order.due_within(end_ns):
        return "in work at the end of the run"
    if not order.fillable:
        return "the stock did not suffice" + (", or its truck did not come" if order.route else "")
    return "overdue at the end of the run"


ENDED = {
    "robot_slipped": "localised again", "charger_dies": "gives current again",
    "machine_down": "repaired from afar", "robot_nonsense": "talks sense again",
    "lane_blocked": "cleared",
}  # fmt: skip


def faults(facts: list[Fact]) -> list[dict[str, Any]]:
    """Each fault with its end: by itself, by a person, or not within the run."""
    rows: list[dict[str, Any]] = []
    last: dict[tuple[str, str], dict[str, Any]] = {}
    touched: dict[str, int] = {}
    for time_ns, kind, fact in facts:
        subject = str(fact.get("robot", fact.get("station", "")))
        if kind == "human_touched":
            touched[subject] = time_ns
        elif kind == "fault":
            row = {
                "kind": fact.get("kind", ""), "subject": subject, "from_s": time_ns / 1e9,
                "seconds": None, "ended": "not within the run", "reason": fact.get("reason", ""),
            }  # fmt: skip
            rows.append(row)
            last[(row["kind"], subject)] = row
        elif kind == "fault_ended":
            row = last.pop((fact.get("kind", ""), subject), {})
            if row:
                row["seconds"] = round(time_ns / 1e9 - row["from_s"], 1)
                by_hand = touched.get(subject, -1) / 1e9 >= row["from_s"]
                ended = ENDED.get(row["kind"], "restarted from afar")
                row["ended"] = "a person came" if by_hand else ended
    return rows
