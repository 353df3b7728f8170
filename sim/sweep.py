"""Many seeds of one site: each simulated, verified, and its figures kept. Resumable."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.journal import RunReader
from sim import random_faults
from sim.recipe import Recipe
from sim.recorded import record
from sim.verification import verify

RANDOM = "random"  # instead of a text of faults
LATE, RATIO = "overdue at the end", "lights-out ratio"


def one(recipe: Recipe) -> dict[str, Any]:
    """Simulate and verify one seed; what breaks is a finding, not an exception."""
    result: dict[str, Any] = {"seed": recipe.seed, "name": recipe.name, "hours": recipe.hours}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.run"
        try:
            result["figures"] = record(recipe, path)
            with RunReader(path) as reader:
                verdict = verify(reader)
        except Exception as error:
            return {**result, "findings": [f"{type(error).__name__}: {error}"]}
    ratio = verdict.figures["lights_out"]["fillable"]["ratio"]
    ratio = 1.0 if ratio is None else ratio  # nothing was due
    result["figures"]["lights_out_fillable_percent"] = round(100 * ratio, 3)
    for key in ("human_touches", "late", "unfillable"):
        result["figures"][key] = verdict.figures[key]
    findings = [str(row) for row in verdict.findings.as_json()["rows"]]
    if verdict.figures["overdue_at_end"]:
        findings.append(f"{LATE}: {verdict.figures['overdue_at_end']} orders")
    if ratio < 1:
        findings.append(f"{RATIO} {100 * ratio:.2f} %")
    return {**result, "findings": findings}


def sweep(
    recipe: Recipe,
    seeds: Iterable[int],
    results: Path | None,
    jobs: int,
    report: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    """All seeds, `jobs` at a time. Those already in the file `results` (JSON lines) are not run
    again if they were made from the same recipe."""
    key = str(hash_of(recipe))
    done = {row["seed"]: row for row in _read(results) if row.get("key") == key}
    wanted = list(seeds)
    rows = [done[seed] for seed in wanted if seed in done]
    with ProcessPoolExecutor(jobs) as pool:
        todo = [pool.submit(one, seeded(recipe, seed)) for seed in wanted if seed not in done]
        for future in as_completed(todo):
            row = {**future.result(), "key": key}
            rows.append(row)
            if results is not None:
                with results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
            report(row)
    return sorted(rows, key=lambda row: int(row["seed"]))


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """The recipe of one seed; faults may be drawn at random, from the seed."""
    faults = random_faults.text(seed) if recipe.faults == RANDOM else recipe.faults
    return replace(recipe, seed=seed, faults=faults)


def broken(row: dict[str, Any]) -> bool:
    """Something is wrong that no fault excuses: a contact, a lost unit, a broken invariant."""
    return any(not text.startswith((LATE, RATIO)) for text in row["findings"])


def hash_of(recipe: Recipe) -> str:
    """What the results depend on, but for the seed."""
    import hashlib  # noqa: PLC0415

    text = json.dumps(replace(recipe, seed=0).meta(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(results: Path | None) -> list[dict[str, Any]]:
    if results is None or not results.exists():
        return []
    rows = []
    for line in results.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # the last line of a sweep that was killed
    return rows
