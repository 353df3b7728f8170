"""Verification of a recorded run, independent of the core: from trajectories and ground truth.

It imports nothing of `orchestrator.core` and trusts nothing the core says: the books are what is
judged. Of the journal it reads only what came from outside (`OrderReceived`: load, stops; `ImageRead`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.verification import (
    booked,
    contacts,
    exceptions,
    goods,
    kinematics,
    labels,
    obstacles,
    outcomes,
    tracks,
    transports,
)
from sim.verification.findings import Finding, Findings, UnusableRun
from sim.verification.stretches import Stretches
from sim.verification.tracks import Run

__all__ = ["Finding", "Findings", "Run", "UnusableRun", "Verdict", "node_positions", "verify"]


UNDER_WAY_NS = 15_000_000_000  # of an unfinished run so much of the motion is not judged


@dataclass(slots=True)
class Verdict:
    """The outcome: findings (empty: nothing is wrong) and figures."""

    findings: Findings
    figures: dict[str, Any]
    ledger: outcomes.Ledger

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return self.findings.total == 0

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        return {"clean": self.clean, **self.figures, "findings": self.findings.as_json()}


def verify(run: Run, *, motion: bool = True) -> Verdict:
    """Check a run; without `motion` only goods and orders. Raises `UnusableRun`."""
    started = time.monotonic()
    found = Findings()
    robots = tracks.robots_of(run)
    end_ns = tracks.end_of(run)
    figures: dict[str, Any] = {"robots": len(robots), "simulated_s": round(end_ns / 1e9, 3)}
    try:
        ledger, stock = _fold(run, found)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnusableRun(
            f"a ground-truth fact is incomplete ({error!r}) -> record anew"
        ) from error
    if not ledger.ended:  # what is under way was not recorded yet
        end_ns = max(0, end_ns - UNDER_WAY_NS)
    lost = getattr(run, "motion_lost", 0)
    if lost:
        found.add("motion", None, "the record", f"lacks {lost} batches of motion: not checked")
        motion = False
    stretches = Stretches(run, robots, end_ns, cut=not ledger.ended)
    moves = any(order.kind == "transport" for order in ledger.orders.values())
    log = transports.VisitLog(node_positions(run.meta)) if moves else None
    if motion or log:
        figures |= _motion(stretches, log, found, judged=motion)
    outcomes.judge(ledger, stock, found)
    read = labels.check(ledger, stock, run.meta, found)
    outcomes.mark_touched(ledger, stock)
    if log:
        names = [robot.name for robot in robots]
        figures["transport"] = transports.judge(ledger, log, names, found)
    outcomes.mark_fillable(ledger, stock)
    figures["goods"] = goods.conserve(stock, found)
    figures["labels"] = read
    figures["states"] = {}
    if isinstance(books := run.meta.get("books"), dict):
        figures["goods"] |= booked.compare(stock, books, end_ns, found)
        figures["states"] = dict(outcomes.account(ledger, stock, books, end_ns, found))
    elif not run.meta.get("building"):  # whose books are the master's
        found.add("unfinished", None, "the run", "holds no books: they can't be compared")
    figures["exceptions"] = exceptions.check(run.truth("exception"), end_ns, found)
    figures |= outcomes.figures(ledger, end_ns)
    figures["wall_s"] = round(time.monotonic() - started, 3)
    return Verdict(found, figures, ledger)


def _motion(
    stretches: Stretches, log: transports.VisitLog | None, found: Findings, *, judged: bool
) -> dict[str, Any]:
    """One pass over all motion: is it possible (if `judged`), and who was where?"""
    driven, touch = kinematics.MotionCheck(), contacts.ContactCheck(stretches.robots)
    facts = ((time_ns, kind, fact) for _, time_ns, kind, fact in stretches.run.truth())
    lying = obstacles.ObstacleCheck(obstacles.obstacles_of(facts, stretches.end_ns))
    stretch = None
    for stretch in stretches:
        tracks = stretch.tracks()
        if log:
            log.add(tracks)
        if judged:
            driven.run(stretch, found)
            touch.run(tracks, stretch.from_ns)
            lying.run(tracks, stretch.from_ns, found)
    if stretches.unknown:
        text = f"{stretches.unknown} pieces belong to no robot"
        found.add("motion", None, "unknown robots", text)
    if not judged or stretch is None:
        return {}
    kinematics.last_pieces(stretch, stretches.end_ns, found)
    figures = {"motion": driven.figures(), "contact": contacts.listed(touch, found)}
    return figures | ({"obstacles": lying.figures()} if lying.obstacles else {})


def _fold(run: Run, found: Findings) -> tuple[outcomes.Ledger, goods.Goods]:
    facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in run.truth()]
    ledger = outcomes.ledger_of(facts, found)
    stock = goods.Goods(found)
    for time_ns, kind, fact in facts:
        stock.feed(time_ns, kind, fact)
    ledger.ended = any(kind == "end" for _, kind, _ in facts)
    if not ledger.ended:
        found.add("unfinished", None, "the run", "has no end -> `lightsout run --resume` goes on")
    outcomes.add_host_side(ledger, run.entries())
    return ledger, stock


def node_positions(meta: dict[str, Any]) -> tracks.Floats:
    """(N, 2) metres, from the site files in the run."""
    from orchestrator.layout import load_files  # noqa: PLC0415

    recipe = meta.get("recipe", {})
    if not recipe.get("files"):
        raise UnusableRun("the run holds no site files -> record it anew")
    roadmap = load_files(recipe["files"], recipe.get("name", "site")).site.roadmap
    return np.stack([roadmap.node_x_mm, roadmap.node_y_mm], axis=1) / 1000.0
