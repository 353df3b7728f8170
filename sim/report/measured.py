"""Everything that is read and measured of a run once, for its report and for comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sim.report import floor, spans, timeline
from sim.report.problems import Problem, problems
from sim.verification import UnusableRun, Verdict, verify
from sim.verification.stretches import Stretches
from sim.verification.tracks import Robot, Run, Tracks, end_of, read_tracks, robots_of

Each = Callable[[Tracks, timeline.Timeline, int], None]  # a stretch, its spans, from when


@dataclass(frozen=True, slots=True)
class Measured:
    """A run, read."""

    meta: dict[str, Any]
    loaded: Any  # LoadedSite
    verdict: Verdict
    robots: list[Robot]
    end_ns: int
    facts: list[timeline.Fact]
    places: timeline.Places
    spans: timeline.Timeline
    charge: list[tuple[int, int, int]]  # robot row, time, permille
    problems: list[Problem]
    whole: Tracks | None = None  # of a short run, where they were to be kept

    @property
    def tracks(self) -> Tracks:
        """Where everybody was, of a run that was measured with `keep`."""
        assert self.whole is not None
        return self.whole

    @property
    def recipe(self) -> dict[str, Any]:
        """What the run was made from."""
        recipe: dict[str, Any] = self.meta["recipe"]
        return recipe


def load(run: Run) -> tuple[Any, timeline.Places]:
    """The site of a run, and its floor. Raises `UnusableRun`."""
    from orchestrator.layout import load_files  # noqa: PLC0415

    recipe = run.meta.get("recipe") or {}
    if not recipe.get("files"):
        raise UnusableRun("the run holds no site files -> record it anew")
    loaded = load_files(recipe["files"], recipe.get("name", "site"))
    return loaded, floor.places_of(loaded)


def measure(
    run: Run,
    marks_ns: Iterable[int] = (),
    *,
    motion: bool = True,
    each: Each | None = None,
    keep: bool = False,
) -> Measured:
    """Read a run, a stretch at a time; its timeline is also cut at `marks_ns`. `each` sees every
    stretch. Without `motion`, trajectories are used but not checked. With `keep` the tracks
    stay at hand and each span by itself (much memory for long runs). Raises `UnusableRun`."""
    loaded, places = load(run)
    verdict = verify(run, motion=motion)
    robots, end_ns = robots_of(run), end_of(run)
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    rows = {robot.index: row for row, robot in enumerate(robots)}
    charge = timeline.charge_reports(run.entries(), rows)
    stood = timeline.OnCharger(places)
    stretches = Stretches(run, robots, end_ns)
    for stretch in stretches:
        stood.add(stretch.tracks())
    charging = stood.charging(timeline.rising(charge))
    flags = spans.flags_of(robots, end_ns, facts, places, charging)
    marks = tuple(marks_ns)
    summed = spans.Summed(places, spans.edges(marks, end_ns))
    for stretch in stretches if each or not keep else ():
        tracks = stretch.tracks()
        part = spans.cut(tracks, flags, places, marks, stretch.from_ns)
        if not keep:
            summed.add(part)
        if each:
            each(tracks, part, stretch.from_ns)
    whole = read_tracks(run) if keep else None
    line = spans.cut(whole, flags, places, marks) if whole else summed.timeline()
    return Measured(
        run.meta,
        loaded,
        verdict,
        robots,
        end_ns,
        facts,
        places,
        line,
        charge,
        problems(facts),
        whole,
    )
