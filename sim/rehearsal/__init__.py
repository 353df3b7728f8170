"""Rehearsed before hardware: a site's simulated futures, judged, and their certificate.

Beside the certificate lie the finished seeds (`NAME.seeds.jsonl`: a rehearsal that died goes on from
there) and the runs worth looking at (`NAME.runs/`: seed 0, and those that fell short).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator import certificate
from orchestrator.layout.rehearsal_file import RehearsalFile
from sim import random_faults
from sim.recipe import Recipe
from sim.rehearsal.future import play
from sim.rehearsal.worst import worst

__all__ = ["Plan", "rehearse"]

RUNS_KEPT = 8  # that fell short, the lowest seeds first
ROW_BYTES_MAX = 1024 * 1024
Row = dict[str, Any]
Report = Callable[[Row], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be rehearsed: the recipe of all futures, how many, where its certificate goes."""

    folder: Path
    recipe: Recipe
    wanted: RehearsalFile
    seeds: int
    out: Path
    demand: dict[str, Any] | None = None  # the run whose demand it is: name, journal hash
    jobs: int = 2

    @property
    def runs(self) -> Path:
        """Folder of the runs that are kept."""
        return self.out.with_name(f"{self.out.stem}.runs")

    @property
    def results(self) -> Path:
        """File of the finished seeds."""
        return self.out.with_name(f"{self.out.stem}.seeds.jsonl")

    def future(self, seed: int) -> Recipe:
        """Seed 0 has the site's own faults, the others have faults drawn by chance, or the same."""
        own = self.recipe.files.get("faults.yaml", "")
        drawn = seed > 0 and self.wanted.faults == "drawn"
        return replace(self.recipe, seed=seed, faults=random_faults.text(seed) if drawn else own)

    def key(self) -> str:
        """What the results depend on, but for the seed."""
        made = replace(self.recipe, seed=0, faults="").meta()
        parts = [made, self.wanted.model_dump(), certificate.code()]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def rehearse(plan: Plan, report: Report = lambda _: None) -> certificate.Certificate:
    """Play every future that is not finished yet, write the certificate, return it. Raises
    `ScenarioError`, `LayoutError` where none can begin."""
    site = plan.future(0).scenario()[0].loaded.site
    identity = certificate.identity(plan.folder, site)  # of before: a change meanwhile shows
    plan.runs.mkdir(parents=True, exist_ok=True)
    rows = _play_all(plan, report)
    reasons = [
        f"seed {row['seed']}: {missed['threshold']}: {missed['text']}"
        for row in rows
        for missed in row["shortfalls"]
    ]
    made: certificate.Certificate = {
        "format": certificate.FORMAT,
        "site": plan.recipe.name,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "passed": not reasons,
        "reasons": reasons,
        "thresholds": plan.wanted.model_dump(),
        "rehearsed": {"hours": plan.recipe.hours, "seeds": plan.seeds},
        "demand": plan.demand,
        **identity,
        "worst": worst(rows),
        "seeds": [{key: value for key, value in row.items() if key != "key"} for row in rows],
    }
    certificate.write(plan.out, made)
    return certificate.sealed(made)


def _play_all(plan: Plan, report: Report) -> list[Row]:
    key = plan.key()
    known = {row["seed"]: row for row in _read(plan.results) if _usable(row, key, plan)}
    todo = [seed for seed in range(plan.seeds) if seed not in known]
    rows = [known[seed] for seed in range(plan.seeds) if seed in known]
    for done in _played(plan, todo):
        row = {**done, "key": key}
        rows.append(row)
        with plan.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        report(row)
    rows.sort(key=lambda row: int(row["seed"]))
    _tidy(plan, rows)
    return rows


def _played(plan: Plan, seeds: list[int]) -> Iterator[Row]:
    """Each seed's row as soon as it is there."""
    if plan.jobs == 1 or len(seeds) < 2:
        for seed in seeds:
            yield play(plan.future(seed), _run_of(plan, seed), plan.wanted, keep=seed == 0)
        return
    with ProcessPoolExecutor(min(plan.jobs, len(seeds))) as pool:
        todo = [
            pool.submit(play, plan.future(seed), _run_of(plan, seed), plan.wanted, keep=seed == 0)
            for seed in seeds
        ]
        for future in as_completed(todo):
            yield future.result()


def _run_of(plan: Plan, seed: int) -> Path:
    return plan.runs / f"seed-{seed}.run"


def _usable(row: Row, key: str, plan: Plan) -> bool:
    """Made from the same things, and its run, if it was kept, is still there."""
    return row.get("key") == key and (not row.get("run") or (plan.runs / row["run"]).is_file())


def _tidy(plan: Plan, rows: list[Row]) -> None:
    """Only so many runs are kept; those of an earlier rehearsal go."""
    short = [row for row in rows if row["shortfalls"] and row["run"] and row["seed"] > 0]
    kept = {f"seed-{row['seed']}.run" for row in short[:RUNS_KEPT]} | {"seed-0.run"}
    for row in rows:
        row["run"] = row["run"] if row["run"] in kept else ""
    for path in plan.runs.glob("seed-*.run"):
        if path.name not in kept:
            path.unlink()
    text = "".join(json.dumps(row) + "\n" for row in rows)
    plan.results.write_text(text, encoding="utf-8")


def _read(results: Path) -> list[Row]:
    if not results.exists():
        return []
    rows = []
    for line in results.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line) if len(line) <= ROW_BYTES_MAX else None
        except ValueError:
            continue  # the last line of a rehearsal that was killed
        if isinstance(row, dict) and isinstance(row.get("seed"), int):
            rows.append(row)
    return rows
