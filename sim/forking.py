"""What if: a recorded run again, and from one moment on another way."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from orchestrator.core.world import CORE_VERSION
from orchestrator.journal import RunReader
from sim.fork import Fork, forks_of
from sim.parent import Parent, beginning
from sim.recipe import Recipe
from sim.recorded import Progress, record
from sim.scenario import ScenarioError

BESIDE = ("", "-wal", "-shm", ".lock")  # files of an unfinished run


def fork(source: Path, change: Fork, path: Path, *, progress: Progress = None) -> dict[str, Any]:
    """Make the run in `source` again up to `change.at_s`, go on with the change, and record all of
    it into `path`; return the run's figures. Raises `ScenarioError`, `LayoutError`, `RunFileError`;
    then there is no new run."""
    if path.exists() and path.samefile(source):
        raise ScenarioError(
            f"{path}: is the run that is forked -> give another file for the new one"
        )
    with RunReader(source) as reader:
        recipe = forked(recipe_of(reader, source), change)
        made = recipe.scenario()  # checks the fork as far as that goes without simulating
        begins = beginning(reader, change.at_ns)
        origin = {
            "run": source.name,
            "journal_hash": reader.meta.get("totals", {}).get("journal_hash", ""),
            "at_s": change.at_s,
            "events": begins.events,
            "chain": begins.chain,
        }
        line = [*reader.meta.get("forked_from", []), origin]
        parent = Parent(reader, begins)
        try:
            return record(
                recipe, path, progress=progress, made=made, parent=parent,
                origin={"forked_from": line},
            )  # fmt: skip
        except ScenarioError:
            for end in BESIDE:
                with contextlib.suppress(OSError):
                    path.with_name(path.name + end).unlink()
            raise
        finally:
            parent.close()


def forked(recipe: Recipe, change: Fork) -> Recipe:
    """The recipe with one fork more."""
    forks = forks_of([*recipe.forks, asdict(change)])
    return replace(recipe, forks=[asdict(row) for row in forks])


def recipe_of(reader: RunReader, source: Path) -> Recipe:
    """What the run was made from. Raises `ScenarioError` for runs that can't be made again."""
    if not reader.meta.get("recipe"):
        raise ScenarioError(
            f"{source}: was not simulated: a live run follows from no recipe and no seed, so it can't "
            "be made again and forked exactly -> fork a simulated run"
        )
    recipe = Recipe.of(reader.meta)
    if recipe.core_version != CORE_VERSION:
        raise ScenarioError(
            f"{source}: was recorded by core version {recipe.core_version}, this is {CORE_VERSION} "
            "-> fork it with the version that recorded it"
        )
    return recipe
