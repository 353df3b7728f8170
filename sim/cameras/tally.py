"""Adds up what was measured: how often right, wrong, none; what passed that should not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sim.cameras.measure import EMBEDDED, Result

CHAIN = "chain"
CONFIDENCE = 0.95


def upper(times: int, asked: int) -> float:
    """The one-sided 95 % Clopper-Pearson bound of a rate; 1 where nobody was asked."""
    from scipy.stats import beta  # noqa: PLC0415

    if times >= asked:
        return 1.0
    return float(beta.ppf(CONFIDENCE, times + 1, asked - times))


def figures(results: Sequence[Result]) -> dict[str, Any]:
    """One task's results: each reader, the chain, what each stage adds, level by level."""
    readers = EMBEDDED[results[0].case.task]
    return {
        "pictures": len(results),
        "backends": {name: _reader(results, name) for name in readers} | {CHAIN: _chain(results)},
        "added": _added(results),
        "levels": _levels(results),
        "render_ms": _spread([result.render_ms for result in results]),
    }


def calibration(results: Iterable[Result]) -> dict[str, Any]:
    """Outcomes of the chain by task, level and what was the matter; computing time by task."""
    counts: dict[str, dict[str, dict[str, Counter[str]]]] = {}
    spent: dict[str, list[float]] = {}
    for result in results:
        case = result.case
        kinds = counts.setdefault(case.task, {}).setdefault(case.level, {})
        kinds.setdefault(case.kind, Counter())[result.outcome] += 1
        spent.setdefault(case.task, []).append(result.chain_ms)
    return {
        "counts": {
            task: {
                level: {kind: dict(sorted(seen.items())) for kind, seen in sorted(kinds.items())}
                for level, kinds in levels.items()
            }
            for task, levels in counts.items()
        },
        "cpu_ms": {task: _spread(times) for task, times in spent.items()},
    }


def _reader(results: Sequence[Result], name: str) -> dict[str, Any]:
    values = [(result, result.said[name].value) for result in results]
    return _counted(values) | _spread([result.said[name].ms for result in results])


def _chain(results: Sequence[Result]) -> dict[str, Any]:
    bad = [result for result in results if result.case.bad]
    good = [result for result in results if not result.case.bad]
    passed = [result for result in bad if result.outcome == "ok"]
    refused = [r for r in good if r.outcome not in ("ok", "unreadable", "doubtful")]
    refused = [r for r in refused if (r.case.kind, r.outcome) != ("broken", "damaged")]
    return (
        _counted([(result, result.value) for result in results])
        | {
            "accepted": sum(result.outcome == "ok" for result in good),
            "of": len(good),
            "false_accepts": len(passed),
            "of_wrong": len(bad),
            "false_accepts_upper_95": round(upper(len(passed), len(bad)), 5),
            "false_alarms": len(refused),
            "doubtful": sum(result.outcome == "doubtful" for result in results),
        }
        | _spread([result.chain_ms for result in results])
    )


def _counted(values: Sequence[tuple[Result, str]]) -> dict[str, int]:
    """Nothing is right where there is nothing to read."""
    right = sum(bool(value) and value == result.case.right for result, value in values)
    wrong = sum(bool(value) and value != result.case.right for result, value in values)
    return {"right": right, "wrong": wrong, "none": len(values) - right - wrong}


def _added(results: Sequence[Result]) -> dict[str, int]:
    """Right readings by the stage that ended the question."""
    added = Counter(r.model for r in results if r.value and r.value == r.case.right and r.model)
    return {name: added[name] for name in EMBEDDED[results[0].case.task]}


def _levels(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for level in dict.fromkeys(result.case.level for result in results):
        some = [result for result in results if result.case.level == level]
        row: dict[str, Any] = {"pictures": len(some)}
        for name in EMBEDDED[some[0].case.task]:
            row[name] = sum(r.said[name].value == r.case.right for r in some if r.case.right)
        row[CHAIN] = sum(r.value == r.case.right for r in some if r.case.right)
        row["outcomes"] = dict(sorted(Counter(result.outcome for result in some).items()))
        found[level] = row
    return found


def _spread(times: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(times, (50, 95))
    return {"cpu_ms_p50": round(float(p50), 1), "cpu_ms_p95": round(float(p95), 1)}
