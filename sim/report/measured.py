"""Everything that is read and measured of a run once, for its report and for comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sim.report import floor, timeline
from sim.report.problems import Problem, problems
from sim.verification import UnusableRun, Verdict, verify
from sim.verification.tracks import Run, Tracks, read_tracks


@dataclass(frozen=True, slots=True)
class Measured:
    """A run, read."""

    meta: dict[str, Any]
    loaded: Any  # LoadedSite
    verdict: Verdict
    tracks: Tracks
    facts: list[timeline.Fact]
    places: timeline.Places
    spans: timeline.Timeline
    charge: list[tuple[int, int, int]]  # robot row, time, permille
    problems: list[Problem]

    @property
    def recipe(self) -> dict[str, Any]:
        """What the run was made from."""
        recipe: dict[str, Any] = self.meta["recipe"]
        return recipe


def measure(run: Run, marks_ns: Iterable[int] = (), *, motion: bool = True) -> Measured:
    """Read a run; its timeline is also cut at `marks_ns`. Without `motion`, trajectories are used but
    not checked. Raises `UnusableRun`."""
    from orchestrator.layout import load_files  # noqa: PLC0415

    recipe = run.meta.get("recipe") or {}
    if not recipe.get("files"):
        raise UnusableRun("the run holds no site files -> record it anew")
    loaded = load_files(recipe["files"], recipe.get("name", "site"))
    verdict = verify(run, motion=motion)
    tracks = read_tracks(run)
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    places = floor.places_of(loaded)
    rows = {robot.index: row for row, robot in enumerate(tracks.robots)}
    charge = timeline.charge_reports(run.entries(), rows)
    spans = timeline.build(tracks, facts, places, timeline.rising(charge), marks_ns)
    return Measured(
        run.meta, loaded, verdict, tracks, facts, places, spans, charge, problems(facts)
    )
