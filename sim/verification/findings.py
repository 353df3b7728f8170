"""What verification found: named, counted, and bounded in length."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN_MAX = 200  # findings of one kind that are kept with their text; all are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `time_s` is None where it concerns the run as a whole."""

    kind: str
    time_s: float | None
    subject: str
    text: str


@dataclass(slots=True)
class Findings:
    """All that is wrong with a run."""

    rows: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, time_ns: int | None, subject: str, text: str) -> None:
        """Count a finding; keep its text unless there are too many of its kind."""
        self.counts[kind] += 1
        if self.counts[kind] <= SHOWN_MAX:
            time_s = None if time_ns is None else round(time_ns / 1e9, 6)
            self.rows.append(Finding(kind, time_s, subject, text))

    @property
    def total(self) -> int:
        """Number of findings, shown or not."""
        return sum(self.counts.values())

    def as_json(self) -> dict[str, Any]:
        """{"total", "counts": kind -> number, "rows": [...]} with at most SHOWN_MAX rows a kind."""
        rows = sorted(self.rows, key=lambda row: (row.time_s is None, row.time_s or 0.0, row.kind))
        return {
            "total": self.total,
            "counts": dict(sorted(self.counts.items())),
            "rows": [asdict(row) for row in rows],
        }


class UnusableRun(ValueError):
    """A run that can't be verified, reported or exported: what is wrong, and the mend."""
