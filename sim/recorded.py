"""A run and its record: simulate a recipe into a run file, or go on with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.core.filing import tally
from orchestrator.core.messages import ImageRead, PathsPlanned, RequestPaths
from orchestrator.host.records import BadRow
from orchestrator.journal import RunReader, RunWriter
from orchestrator.vision.pictures import folder_of
from sim.delivery import Delivering, follower_of, new_run_id, outbox_of
from sim.parent import Following, Parent, ParentAnswers
from sim.recipe import Recipe
from sim.recorder import Recorder
from sim.scenario import Scenario, ScenarioError
from sim.shell import Simulation

Progress = Callable[[Simulation], None] | None
Made = tuple[Scenario, list[BadRow]]


class RecordedAnswers(ParentAnswers):
    """Takes path plans from a journal's durable prefix, and computes what lies behind it."""

    known: dict[int, PathsPlanned]

    def paths(self, request: RequestPaths) -> PathsPlanned:
        """The recorded answer, if there is one."""
        return self.known.pop(request.request, None) or super().paths(request)


def record(
    recipe: Recipe,
    path: Path,
    *,
    resume: bool = False,
    pace: float | None = None,
    progress: Progress = None,
    made: Made | None = None,
    parent: Parent | None = None,
    origin: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Simulate into `path`; return the run's figures. `resume`: go on behind the durable prefix.
    `made`: the recipe's scenario, if it is there already; `parent`: a run that must come again up to a
    fork; `origin`: more values for the run file."""
    from orchestrator.core.world import CORE_VERSION  # noqa: PLC0415

    if recipe.core_version != CORE_VERSION:
        raise ScenarioError(
            f"the run was recorded by core version {recipe.core_version}, this is {CORE_VERSION} "
            "-> resume it with the version that recorded it"
        )
    scenario, bad = made or recipe.scenario()
    loaded = scenario.loaded
    answers = RecordedAnswers(loaded.arrays, loaded.site.policy)
    answers.known, reads = _recorded(path) if resume else ({}, parent.reads if parent else {})
    options = replace(scenario.options, pictures=folder_of(path), reads=reads)
    scenario = replace(scenario, options=options)
    meta = {"run_id": new_run_id()} | recipe.meta() | (origin or {})
    if resume:
        with RunReader(path) as reader:
            meta = reader.meta
    follower = follower_of(meta, scenario)
    outbox = outbox_of(meta) if follower else None  # refused before anything is replaced
    writer = RunWriter(path, meta, resume=resume, durable="full" if outbox else "normal")
    delivering: Delivering | None = None
    try:
        into: Recorder = writer
        if parent is not None:
            answers.parent = parent
            into = Following(writer, answers, parent)
        if follower is not None and outbox is not None:
            into = delivering = Delivering(into, follower, outbox)
        simulation = Simulation(scenario, into, answers, follower)
        simulation.run(pace=pace, progress=progress)
        books = simulation.finish()
    except BaseException:
        writer.abandon()
        raise
    figures = _figures(simulation, writer)
    writer.close("closed", books=books, figures=figures)
    if delivering is not None:
        figures |= {"messages": delivering.count, "outbox": meta["outbox"]["folder"]}
    if bad:
        figures["bad_rows"] = [str(row) for row in bad]
    return figures


def _recorded(path: Path) -> tuple[dict[int, PathsPlanned], dict[int, ImageRead]]:
    """Path plans and what cameras read, by request."""
    plans: dict[int, PathsPlanned] = {}
    reads: dict[int, ImageRead] = {}
    with RunReader(path) as reader:
        for entry in reader.entries():
            if isinstance(entry.event, PathsPlanned):
                plans[entry.event.request] = entry.event
            elif isinstance(entry.event, ImageRead):
                reads[entry.event.request] = entry.event
    return plans, reads


def _figures(simulation: Simulation, writer: RunWriter) -> dict[str, Any]:
    world = simulation.core.world
    states = tally(world)
    seconds = simulation.clock.now_ns / 1e9
    return {
        "simulated_s": round(seconds, 3),
        "robots": len(world.robots),
        "orders": sum(states.values()),
        **{f"orders_{state}": count for state, count in states.items()},
        "orders_per_hour": round(states.get("done", 0) / max(seconds, 1) * 3600, 1),
        "events": world.events,
        "plans_rejected": world.path_rejected,
        "moves_cut": world.traffic.cut,
        "switched": world.traffic.switched,
        "commands_refused": world.refusals,
        "late_messages": simulation.network.late,
        "journal_hash": writer.journal_hash,
    }
