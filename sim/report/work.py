"""Machines: how much of the time each capability of a station was at work."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sim.report.bins import edges, spread, width_ns
from sim.report.timeline import Fact


def machines(facts: list[Fact], end_ns: int) -> dict[str, Any]:
    """Per station and capability: busy share over the run and over time, and outcomes. From `worked`
    facts: told at the end of each piece of work, with its length."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for time_ns, kind, fact in facts:
        if kind == "worked":
            key = (str(fact["station"]), str(fact["capability"]))
            spans[key].append((time_ns - round(fact["seconds"] * 1e9), time_ns))
            outcomes[key][str(fact.get("outcome", "ok"))] += 1
    width = width_ns(end_ns)
    bins = edges(end_ns, width)
    rows = []
    for key in sorted(spans):
        seconds = spread(spans[key], bins, width)
        rows.append({
            "station": key[0],
            "capability": key[1],
            "busy_share": round(sum(seconds) * 1e9 / max(end_ns, 1), 4),
            "works": sum(outcomes[key].values()),
            "outcomes": dict(outcomes[key].most_common()),
            "over_time": [
                round(value * 1e9 / max(high - low, 1), 4)
                for value, (low, high) in zip(seconds, bins, strict=True)
            ],
        })  # fmt: skip
    return {"bin_s": width / 1e9, "rows": rows}
