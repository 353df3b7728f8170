"""Exceptions and how each ended: the funnel from the ground truth's `exception` facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim.report.timeline import Fact

BY_PERSON = ("maintenance", "person")  # ends that a human had a hand in
SET_ASIDE = ("quarantine", "quarantined", "refused")
OPEN = "open at the end"


@dataclass(slots=True)
class Problem:
    """One exception, from its opening to its end."""

    number: int
    kind: str
    subject: str
    order_id: str
    opened_ns: int
    tries: int = 0
    ended_ns: int = -1
    how: str = ""

    @property
    def ending(self) -> str:
        """How it ended, in a word."""
        return (self.how or "ended") if self.ended_ns >= 0 else OPEN


@dataclass(slots=True)
class _Kind:
    opened: int = 0
    retried: int = 0
    tries: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def problems(facts: Iterable[Fact]) -> list[Problem]:
    """All exceptions of a run, by their opening. What ends without a beginning (a record that was
    cut) begins with its first phase."""
    known: dict[int, Problem] = {}
    for time_ns, kind, fact in facts:
        if kind != "exception":
            continue
        number = int(fact["number"])
        problem = known.get(number)
        if problem is None:
            problem = known[number] = Problem(
                number, str(fact["kind"]), str(fact["subject"]), str(fact.get("order_id", "")),
                time_ns,
            )  # fmt: skip
        if fact["phase"] == "retried":
            problem.tries += 1
        elif fact["phase"] == "ended":
            problem.ended_ns, problem.how = time_ns, str(fact.get("how", ""))
    return list(known.values())


def within(rows: Iterable[Problem], from_ns: int, to_ns: int) -> list[Problem]:
    """Those that opened in (from, to]."""
    return [row for row in rows if from_ns < row.opened_ns <= to_ns]


def figures(rows: list[Problem]) -> dict[str, Any]:
    """The funnel over all, and per kind: how many, tries, ends, how long."""
    kinds: dict[str, _Kind] = {}
    for row in rows:
        kind = kinds.setdefault(row.kind, _Kind())
        kind.opened += 1
        kind.retried += row.tries > 0
        kind.tries += row.tries
        kind.ends[row.ending] += 1
        if row.ended_ns >= 0:
            kind.seconds.append((row.ended_ns - row.opened_ns) / 1e9)
    table = [_row(name, kind) for name, kind in kinds.items()]
    table.sort(key=lambda row: (-row["opened"], row["kind"]))
    person = sum(row.how in BY_PERSON for row in rows)
    aside = sum(row.how in SET_ASIDE for row in rows)
    still = sum(row.ended_ns < 0 for row in rows)
    return {
        "opened": len(rows),
        "retried": sum(row.tries > 0 for row in rows),
        "resolved": len(rows) - person - aside - still,
        "set_aside": aside,
        "by_person": person,
        "open": still,
        "kinds": table,
    }


def _row(name: str, kind: _Kind) -> dict[str, Any]:
    seconds = np.array(kind.seconds) if kind.seconds else None
    return {
        "kind": name,
        "opened": kind.opened,
        "retried": kind.retried,
        "tries": kind.tries,
        "ends": dict(kind.ends.most_common()),
        "p50_s": None if seconds is None else round(float(np.percentile(seconds, 50)), 1),
        "max_s": None if seconds is None else round(float(seconds.max()), 1),
    }
