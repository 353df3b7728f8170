"""The headline figures at any time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from statistics import median

from orchestrator.web.ledger import NEVER, Ledger, OrderRow
from orchestrator.web.shapes import Kpi

WINDOW_NS = 15 * 60 * 10**9
CYCLES_MAX = 2000  # the median is taken over the last so many


def kpi(ledger: Ledger, t_ns: int, busy: int, robots: int) -> Kpi:
    """Figures from ground truth alone; inbound orders don't count."""
    last = bisect_right(ledger.closings_ns, t_ns)
    closed = [row for row in ledger.closed[:last] if not row.inbound]
    done = [row for row in closed if row.status == "done"]
    received = sum(row.received_ns <= t_ns for row in ledger.orders.values() if not row.inbound)
    with_due = [row for row in done if row.due_ns]
    cycles = [
        (min(row.finished_ns, row.closed_ns) - row.received_ns) / 1e9 for row in done[-CYCLES_MAX:]
    ]
    return Kpi(
        t_s=t_ns / 1e9,
        orders_done=len(done),
        orders_open=received - len(closed),
        orders_quarantined=sum(row.status == "quarantined" for row in closed),
        orders_per_hour=_per_hour(ledger, t_ns, last),
        lights_out_percent=_lights_out(ledger, closed, t_ns),
        on_time_percent=_percent(sum(r.finished_ns <= r.due_ns for r in with_due), len(with_due)),
        cycle_p50_s=round(median(cycles), 1) if cycles else None,
        robots_busy=busy,
        robots=robots,
        faults_open=len(ledger.faults_at(t_ns)),
        human_touches=sum(time_ns <= t_ns for time_ns, _ in ledger.touches),
    )


def _per_hour(ledger: Ledger, t_ns: int, last: int) -> float | None:
    first = bisect_left(ledger.closings_ns, t_ns - WINDOW_NS)
    rows = ledger.closed[first:last]
    count = sum(row.status == "done" and not row.inbound for row in rows)
    seconds = min(t_ns, WINDOW_NS) / 1e9
    return round(count / seconds * 3600, 1) if seconds >= 60 else None


def _lights_out(ledger: Ledger, closed: list[OrderRow], t_ns: int) -> float | None:
    rows = ledger.due_by(t_ns) or closed
    return _percent(sum(r.finished_ns <= t_ns and r.touched_ns == NEVER for r in rows), len(rows))


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
