"""One simulated future: run, verified, judged, explained."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from orchestrator.journal import RunReader
from orchestrator.layout.rehearsal_file import RehearsalFile
from sim.recipe import Recipe
from sim.recorded import record
from sim.rehearsal import causes
from sim.rehearsal.judging import Shortfall, judge
from sim.report.measured import measure

FINDINGS_MAX = 20


def play(recipe: Recipe, path: Path, wanted: RehearsalFile, *, keep: bool) -> dict[str, Any]:
    """Simulate into `path`, which stays if anything fell short (or `keep`). Whatever breaks is a
    shortfall, not an exception."""
    row: dict[str, Any] = {
        "seed": recipe.seed,
        "hours": recipe.hours,
        "faults": _hash(recipe.faults),
    }
    try:
        figures = record(recipe, path)
        with RunReader(path) as reader:
            seen = measure(reader, keep=True)
        judged = judge(seen, wanted)
        row |= {"figures": judged.figures | {"journal_hash": figures["journal_hash"]}}
        missed, found = judged.shortfalls, causes.find(seen, judged)
    except Exception as error:
        missed = [Shortfall("runs", f"the run broke: {type(error).__name__}: {error}")]
        found = []
    row["shortfalls"] = [shortfall.as_json() for shortfall in missed[:FINDINGS_MAX]]
    row["causes"] = [cause.as_json() for cause in found[:FINDINGS_MAX]]
    row["run"] = path.name if path.exists() else ""
    if not missed and not keep:
        path.unlink()
        row["run"] = ""
    return row


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else "none"
