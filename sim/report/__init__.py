"""The report of a run: figures, and one self-contained HTML page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.vision.pictures import folder_of
from sim.fork import forks_of
from sim.report import (
    departures,
    energy,
    fleet,
    floor,
    mistakes,
    orders,
    problems,
    shifts,
    timeline,
    work,
)
from sim.report.measured import Measured, load, measure
from sim.verification import Verdict
from sim.verification.table import clock
from sim.verification.tracks import Floats, Run, Tracks, robots_of

__all__ = ["Report", "build", "figures", "html"]


@dataclass(frozen=True, slots=True)
class Report:
    """Figures, and what the page draws besides."""

    figures: dict[str, Any]
    loaded: Any  # LoadedSite
    places: timeline.Places
    moving: tuple[Floats, floor.Grid]  # seconds per cell
    standing: tuple[Floats, floor.Grid]
    pictures: Path | None = None  # where cameras' pictures lie


def figures(run: Run) -> dict[str, Any]:
    """All figures of a run, ready for `json.dumps`."""
    return build(run).figures


def html(run: Run) -> str:
    """One page without any reference to the outside."""
    from sim.report.page import page  # noqa: PLC0415

    return page(build(run))


def build(run: Run) -> Report:
    """Read and measure a run. Raises `UnusableRun`."""
    _, places = load(run)
    fine = floor.grid_of(places.nodes_m, 0.25, 120)
    coarse = floor.grid_of(places.nodes_m, 0.5, 60)
    moving, standing = np.zeros((fine.rows, fine.columns)), np.zeros((coarse.rows, coarse.columns))
    rolled = fleet.StopAndGo(len(robots_of(run)), places)

    def each(tracks: Tracks, part: timeline.Timeline, from_ns: int) -> None:
        moving[:] += floor.moving(tracks, fine, from_ns)
        standing[:] += floor.standing(tracks, part, coarse)
        rolled.add(tracks, from_ns)

    seen = measure(run, each=each)
    spans, facts, ledger, end_ns = seen.spans, seen.facts, seen.verdict.ledger, seen.end_ns
    measured = {
        "run": _run(seen),
        "verification": _verified(seen.verdict),
        "lights_out": seen.verdict.figures["lights_out"],
        "orders": orders.figures(ledger, end_ns),
        "fleets": fleet.fleets(seen.robots, spans, rolled),
        "fleet_over_time": fleet.over_time(spans, end_ns),
        "congestion": fleet.congestion(spans, end_ns),
        "stations": fleet.stations(spans, seen.places, facts, end_ns),
        "machines": work.machines(facts, end_ns),
        "energy": energy.figures(seen, spans, seen.charge, seen.loaded.spec),
        "departures": departures.figures(facts, ledger, end_ns),
        "exceptions": problems.figures(seen.problems),
        "mistakes": mistakes.figures(mistakes.mistakes(facts, _needs(seen.loaded))),
        "shifts": shifts.figures(facts, ledger, seen.problems, end_ns),
        "faults": orders.faults(facts),
        "unfinished": orders.unfinished(ledger, run.meta.get("books") or {}, end_ns, facts),
    }
    path = getattr(run, "path", None)
    return Report(
        measured, seen.loaded, seen.places, (moving, fine), (standing, coarse),
        folder_of(path) if path is not None else None,
    )  # fmt: skip


def _needs(loaded: Any) -> Callable[[str, str], str]:
    types = loaded.site.order_types

    def needs(kind: str, step: str) -> str:
        known = types[kind].steps if kind in types else {}
        return str(known[step].needs) if step in known else ""

    return needs


def _run(seen: Measured) -> dict[str, Any]:
    recipe, verdict, meta = seen.recipe, seen.verdict, seen.meta
    forks = forks_of(recipe.get("forks") or [])
    texts = {name: recipe.get(name, "") for name in ("faults", "orders")}
    return {
        "name": recipe.get("name", ""),
        "simulated_s": verdict.figures["simulated_s"],
        "robots": verdict.figures["robots"],
        "seed": recipe.get("seed"),
        "hours": recipe.get("hours"),
        "fleets": recipe.get("fleets") or {},
        "competition": bool(recipe.get("lorr")),
        **{name: _hash(text) if text else "none" for name, text in texts.items()},
        "core_version": recipe.get("core_version"),
        "created": meta.get("created", ""),
        "status": meta.get("status", ""),
        "site_hash": seen.loaded.site.hash,
        "journal_hash": (meta.get("figures") or {}).get("journal_hash", ""),
        "forked_from": [
            f"{row['run']} at {clock(row['at_s'])[:-4]}, journal {row['journal_hash'][:16]}"
            for row in meta.get("forked_from", ())
        ],
        "forks": [f"{clock(fork.at_s)[:-4]}: {fork}" for fork in forks],
        "forked_s": [fork.at_s for fork in forks],
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _verified(verdict: Verdict) -> dict[str, Any]:
    contact = verdict.figures.get("contact", {})
    names = ("finished_right", "wrong", "late", "overdue_at_end", "human_touches", "orders_touched",
             "unfillable", "impossible_actions")  # fmt: skip
    return {
        "clean": verdict.clean,
        "findings": verdict.findings.total,
        "finding_counts": dict(sorted(verdict.findings.counts.items())),
        "contacts": contact.get("contacts"),
        "clearance_m": contact.get("clearance_m"),
        **{name: verdict.figures[name] for name in names},
    }
