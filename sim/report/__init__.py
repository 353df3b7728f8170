"""The report of a run: figures, and one self-contained HTML page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sim.report import fleet, floor, orders, timeline
from sim.verification import UnusableRun, Verdict, verify
from sim.verification.tracks import Floats, Run, read_tracks

__all__ = ["Report", "build", "figures", "html"]


@dataclass(frozen=True, slots=True)
class Report:
    """Figures, and what the page draws besides."""

    figures: dict[str, Any]
    loaded: Any  # LoadedSite
    places: timeline.Places
    moving: tuple[Floats, floor.Grid]  # seconds per cell
    standing: tuple[Floats, floor.Grid]


def figures(run: Run) -> dict[str, Any]:
    """All figures of a run, ready for `json.dumps`."""
    return build(run).figures


def html(run: Run) -> str:
    """One page without any reference to the outside."""
    from sim.report.page import page  # noqa: PLC0415

    return page(build(run))


def build(run: Run) -> Report:
    """Read and measure a run. Raises `UnusableRun`."""
    from orchestrator.layout import load_files  # noqa: PLC0415

    recipe = run.meta.get("recipe") or {}
    if not recipe.get("files"):
        raise UnusableRun("the run holds no site files -> record it anew")
    loaded = load_files(recipe["files"], recipe.get("name", "site"))
    verdict = verify(run)
    tracks = read_tracks(run)
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    places = floor.places_of(loaded)
    index = {robot.index: row for row, robot in enumerate(tracks.robots)}
    reports = timeline.charge_reports(run.entries(), index)
    spans = timeline.build(tracks, facts, places, timeline.rising(reports))
    fine = floor.grid_of(places.nodes_m, 0.25, 120)
    coarse = floor.grid_of(places.nodes_m, 0.5, 60)
    measured = {
        "run": _run(run, recipe, loaded, verdict),
        "verification": _verified(verdict),
        "lights_out": verdict.figures["lights_out"],
        "orders": orders.figures(verdict.ledger, tracks.end_ns),
        "fleets": fleet.fleets(tracks, spans, places),
        "fleet_over_time": fleet.over_time(spans, tracks.end_ns),
        "stations": fleet.stations(spans, places, facts, tracks.end_ns),
        "faults": orders.faults(facts),
        "unfinished": orders.unfinished(verdict.ledger, run.meta.get("books") or {}, tracks.end_ns),
    }
    return Report(
        measured, loaded, places, (floor.moving(tracks, fine), fine),
        (floor.standing(tracks, spans, coarse), coarse),
    )  # fmt: skip


def _run(run: Run, recipe: dict[str, Any], loaded: Any, verdict: Verdict) -> dict[str, Any]:
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
        "created": run.meta.get("created", ""),
        "status": run.meta.get("status", ""),
        "site_hash": loaded.site.hash,
        "journal_hash": (run.meta.get("figures") or {}).get("journal_hash", ""),
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
