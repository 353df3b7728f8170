"""What went wrong and how it ended, as the run tells it: each exception opened once and ended once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sim.verification.findings import Findings

OLD_NS = 7_200_000_000_000  # an exception that is open so long has no end


def check(
    facts: Iterable[tuple[int, int, str, dict[str, Any]]], end_ns: int, found: Findings
) -> dict[str, Any]:
    """Fold the facts `exception` (seq, time, kind, fact); return counts by kind and end, and what is
    open at the end."""
    opened: dict[int, tuple[int, dict[str, Any]]] = {}
    ended: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    numbers: set[int] = set()
    tries = 0
    for _, time_ns, _, fact in facts:
        number, phase = fact["number"], fact["phase"]
        name = f"{fact['kind']} of {fact['subject']}"
        if phase == "opened":
            if number in numbers:
                found.add("exceptions", time_ns, name, f"number {number} is opened a second time")
            numbers.add(number)
            opened[number] = (time_ns, fact)
        elif number not in opened:
            found.add("exceptions", time_ns, name, f"is {phase}, and is not open")
        elif phase == "ended":
            del opened[number]
            ended[fact["kind"]][fact["how"]] += 1
            if not fact["how"]:
                found.add("exceptions", time_ns, name, "ended, nobody knows how")
        else:
            tries += 1
    still: dict[str, int] = defaultdict(int)
    for since_ns, fact in opened.values():
        still[fact["kind"]] += 1
        if end_ns - since_ns > OLD_NS:
            text = f"is open since {round(since_ns / 1e9)} s: nobody ended it"
            found.add("exceptions", since_ns, f"{fact['kind']} of {fact['subject']}", text)
    oldest_ns = min((since_ns for since_ns, _ in opened.values()), default=end_ns)
    return {
        "opened": len(numbers),
        "retried": tries,
        "ended": {kind: dict(sorted(hows.items())) for kind, hows in sorted(ended.items())},
        "open_at_end": dict(sorted(still.items())),
        "oldest_open_s": round(max(0, end_ns - oldest_ns) / 1e9, 1),
    }
