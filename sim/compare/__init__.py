"""Two runs side by side: the same figures as the report, over the time in which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.compare import believed
from sim.compare.kinship import Kinship, kinship
from sim.compare.rows import Row, rows
from sim.compare.series import Series, series
from sim.report.measured import Measured, measure
from sim.scenario import ScenarioError
from sim.verification.tracks import Run, end_of

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found; `rows` hold both runs' figures over (from, to]."""

    names: tuple[str, str]
    seen: tuple[Measured, Measured]
    kinship: Kinship
    from_ns: int
    to_ns: int
    rows: list[Row]
    series: list[Series]
    believed: tuple[str, ...] = ()  # runs without ground truth

    @property
    def about(self) -> str:
        """How the runs are related, and what they can be taken for."""
        text = self.kinship.text(self.names)
        for name in self.believed:
            text += f". {name} holds no ground truth: its figures are what its journal says"
        for name, seen in zip(self.names, self.seen, strict=True):
            if seen.meta.get("building"):
                text += f". {name} is a building's: what only its master knows is left out"
        return text

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        return {
            "runs": [self._run(side) for side in (0, 1)],
            "span": {
                "from_s": self.from_ns / 1e9, "to_s": self.to_ns / 1e9,
                "kinship": self.kinship.kind, "why": self.about,
            },
            "figures": {row.key: row.as_json() for row in self.rows},
            "series": {curve.key: curve.as_json() for curve in self.series},
        }  # fmt: skip

    def _run(self, side: int) -> dict[str, Any]:
        seen = self.seen[side]
        return {
            "run": self.names[side],
            "name": seen.recipe.get("name", ""),
            "seed": seen.recipe.get("seed"),
            "simulated_s": seen.verdict.figures["simulated_s"],
            "journal_hash": seen.meta.get("totals", {}).get("journal_hash", ""),
            "forked_from": seen.meta.get("forked_from", []),
            "forks": [
                {key: value for key, value in row.items() if key != "faults"}
                for row in seen.recipe.get("forks") or []
            ],
            "clean": seen.verdict.clean,
        }


def compare(
    runs: tuple[Run, Run],
    names: tuple[str, str],
    from_s: float | None = None,
    to_s: float | None = None,
) -> Comparison:
    """Compare two runs over the time that both have, from where they part (or between the given
    times). Raises `UnusableRun`, `ScenarioError`."""
    runs = (believed.of(runs[0]), believed.of(runs[1]))
    kin = kinship(runs[0].meta, runs[1].meta)
    begin = round((kin.since_s if from_s is None else from_s) * 1e9)
    ends = [end_of(run) for run in runs]
    end = min(ends) if to_s is None else min(round(to_s * 1e9), *ends)
    if begin >= end:
        raise ScenarioError(
            f"nothing to compare: the span is {begin / 1e9:g} s to {end / 1e9:g} s -> "
            "give runs that last beyond the fork, or another --from and --to"
        )
    first, second = (measure(run, (begin, end), motion=False) for run in runs)
    told = []
    for run, seen, name in zip(runs, (first, second), names, strict=True):
        if isinstance(run, believed.BelievedRun):
            believed.settle(seen.verdict.ledger)
            told.append(name)
    return Comparison(
        names, (first, second), kin, begin, end,
        rows(first, second, begin, end), series(first, second), tuple(told),
    )  # fmt: skip
