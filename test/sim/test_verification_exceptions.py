"""The funnel of exceptions, held against itself."""

from __future__ import annotations

from typing import Any

import pytest

from sim.verification import exceptions
from sim.verification.findings import Findings
from sim.verification.memory import MemoryRun


def judged(*rows: tuple[float, int, str, str], end_s: float = 1000) -> tuple[dict[str, Any], Any]:
    run = MemoryRun()
    for time_s, number, phase, how in rows:
        run.fact(
            time_s, "exception", number=number, kind="short", subject="o:pick", phase=phase, how=how
        )
    found = Findings()
    figures = exceptions.check(run.truth("exception"), round(end_s * 1e9), found)
    return figures, found


def test_counts_by_kind_and_end_and_what_is_open() -> None:
    figures, found = judged(
        (1, 1, "opened", ""), (2, 1, "retried", ""), (3, 1, "ended", "resolved"),
        (4, 2, "opened", ""), (5, 2, "ended", "quarantined"), (900, 3, "opened", ""),
    )  # fmt: skip
    assert figures == {
        "opened": 3, "retried": 1, "ended": {"short": {"quarantined": 1, "resolved": 1}},
        "open_at_end": {"short": 1}, "oldest_open_s": 100.0,
    }  # fmt: skip
    assert not found.total


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 1, "opened", ""), (2, 1, "opened", "")],
        [(1, 1, "ended", "resolved")],
        [(1, 1, "retried", "")],
        [(1, 1, "opened", ""), (2, 1, "ended", "")],
        [(1, 1, "opened", ""), (2, 1, "ended", "ok"), (3, 1, "ended", "ok")],
    ],
)
def test_a_funnel_that_can_not_be(rows: list[tuple[float, int, str, str]]) -> None:
    assert judged(*rows)[1].counts == {"exceptions": 1}


def test_what_nobody_ended_for_hours_is_a_finding() -> None:
    rows = [(10.0, 1, "opened", "")]
    assert not judged(*rows, end_s=7000)[1].total
    assert judged(*rows, end_s=7300)[1].counts == {"exceptions": 1}
