"""Trucks: did they leave in time, and what missed them."""

from __future__ import annotations

from typing import Any

from sim.report.timeline import Fact
from sim.verification.outcomes import Ledger

PUNCTUAL_S = 60.0  # a truck that leaves no later than this behind its timetable is on time


def figures(facts: list[Fact], ledger: Ledger, end_ns: int) -> dict[str, Any]:
    """Each truck with its timetable, and each route with the orders that were promised a departure."""
    trucks: dict[str, dict[str, Any]] = {}
    for time_ns, kind, fact in facts:
        if kind == "truck_docked":
            trucks[fact["truck"]] = _docked(time_ns, fact)
        elif kind == "parcel_loaded" and fact["truck"] in trucks:
            trucks[fact["truck"]]["parcels"] += 1
        elif kind == "truck_departed" and fact["truck"] in trucks:
            row = trucks[fact["truck"]]
            row["left_s"] = time_ns / 1e9
            row["delay_s"] = round(row["left_s"] - row["departs_s"], 1)
    rows = list(trucks.values())
    left = [row for row in rows if row["left_s"] is not None]
    on_time = sum(row["delay_s"] <= PUNCTUAL_S for row in left)
    return {
        "trucks": rows,
        "departed": len(left),
        "on_time": on_time,
        "on_time_share": round(on_time / len(left), 4) if left else None,
        "routes": _routes(rows, ledger, end_ns),
    }


def _docked(time_ns: int, fact: dict[str, Any]) -> dict[str, Any]:
    departs_ns = fact.get("scheduled_ns", fact["departs_ns"])
    return {
        "truck": fact["truck"], "route": fact["route"], "door": fact.get("station", ""),
        "docked_s": round(time_ns / 1e9, 1), "departs_s": departs_ns / 1e9, "left_s": None,
        "delay_s": None, "parcels": 0, "capacity": fact.get("capacity"),
    }  # fmt: skip


def _routes(trucks: list[dict[str, Any]], ledger: Ledger, end_ns: int) -> list[dict[str, Any]]:
    names = dict.fromkeys(row["route"] for row in trucks)
    names.update(dict.fromkeys(o.route for o in ledger.orders.values() if o.route))
    rows = []
    for name in names:
        due = [o for o in ledger.orders.values() if o.route == name and o.due_within(end_ns)]
        met = sum(order.right_ns >= 0 and not order.late for order in due)
        left = [t for t in trucks if t["route"] == name and t["left_s"] is not None]
        rows.append({
            "route": name, "departed": len(left), "parcels": sum(t["parcels"] for t in left),
            "promised": len(due), "met": met,
            "met_share": round(met / len(due), 4) if due else None,
        })  # fmt: skip
    return rows
