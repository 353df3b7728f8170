"""The run shift by shift: what came, what was done, what went wrong."""

from __future__ import annotations

from typing import Any

from sim.report.bins import MINUTE_NS
from sim.report.problems import Problem
from sim.report.timeline import Fact
from sim.verification.outcomes import Ledger

SHIFT_NS = 8 * 60 * MINUTE_NS
HOUR_NS = 60 * MINUTE_NS
COLUMNS = ("received", "done", "late", "exceptions", "deaths", "touches", "units_in", "units_out")


def figures(
    facts: list[Fact], ledger: Ledger, problems: list[Problem], end_ns: int
) -> dict[str, Any]:
    """A row per shift of 8 h; runs of no more than one shift: per hour, of no more than one hour: per
    quarter."""
    width = SHIFT_NS if end_ns > SHIFT_NS else HOUR_NS if end_ns > HOUR_NS else HOUR_NS // 4
    rows = [
        {"from_s": at / 1e9, "to_s": min(at + width, end_ns) / 1e9, **dict.fromkeys(COLUMNS, 0)}
        for at in range(0, max(end_ns, 1), width)
    ]

    def count(time_ns: int, column: str, number: int = 1) -> None:
        if 0 <= time_ns <= end_ns:
            rows[min(time_ns // width, len(rows) - 1)][column] += number

    for order in ledger.orders.values():
        if order.inbound:
            continue
        count(order.received_ns, "received")
        count(order.right_ns, "done")
        if order.right_ns >= 0 and order.late:
            count(order.right_ns, "late")
    for problem in problems:
        count(problem.opened_ns, "exceptions")
    for time_ns, _ in ledger.touches:
        count(time_ns, "touches")
    contents: dict[str, int] = {}
    for time_ns, kind, fact in facts:
        match kind:
            case "fault" if fact.get("kind") == "robot_dies":
                count(time_ns, "deaths")
            case "tote_arrived":
                count(time_ns, "units_in", int(fact["quantity"]))
            case "parcel_packed":
                contents[fact["parcel"]] = sum(fact["contents"].values())
            case "parcel_delivered":
                count(time_ns, "units_out", contents.pop(fact["parcel"], 0))
            case "truck_departed":
                for parcel in fact["loads"]:
                    count(time_ns, "units_out", contents.pop(parcel, 0))
    return {"shift_h": width / HOUR_NS, "rows": rows}
