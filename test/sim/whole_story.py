"""A run of a small site, and everything there is to say about it afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestrator.core.world import World
from orchestrator.journal import RunReader, RunWriter
from sim.recipe import Recipe
from sim.shell import Simulation
from sim.verification import Verdict, verify


@dataclass
class Story:
    """A run that has ended."""

    world: World
    books: dict[str, Any]
    facts: list[tuple[float, str, dict[str, Any]]]
    verdict: Verdict

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The facts of a kind."""
        return [fact for _, name, fact in self.facts if name == kind]

    def ended(self, kind: str) -> Counter[str]:
        """How exceptions of a kind ended."""
        rows = [f for f in self.of("exception") if f["kind"] == kind and f["phase"] == "ended"]
        return Counter(row["how"] for row in rows)

    def states(self, kind: str) -> Counter[str]:
        """How many orders of a type are in which state."""
        rows = self.books["orders"].values()
        return Counter(row["status"] for row in rows if row["kind"] == kind)


def told(
    path: Path,
    files: dict[str, str],
    hours: float = 1.0,
    seed: int = 1,
    faults: str = "",
    **changes: Any,
) -> Story:
    """Simulate a site, with keys of site.yaml changed by dotted path (`a__b`)."""
    site = yaml.safe_load(files["site.yaml"])
    for key, value in changes.items():
        part = site
        *way, last = key.split("__")
        for name in way:
            part = part.setdefault(name, {})
        part[last] = value
    files["site.yaml"] = yaml.safe_dump(site, sort_keys=False)
    recipe = Recipe(
        name="ring", files=files, seed=seed, hours=hours, faults=faults, vision="perfect"
    )
    scenario, bad = recipe.scenario()
    assert not bad
    path.mkdir(exist_ok=True)
    writer = RunWriter(path / "a.run", recipe.meta())
    simulation = Simulation(scenario, writer)
    simulation.run()
    books = simulation.finish()
    writer.close("finished", books=books)
    reader = RunReader(path / "a.run")
    facts = [(time_ns / 1e9, kind, fact) for _, time_ns, kind, fact in reader.truth()]
    return Story(simulation.core.world, books, facts, verify(reader))
