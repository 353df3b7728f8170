"""The League of Robot Runners 2024 (start kit v2.1.2): scheduler and planner under its step rules.

Each step both are asked and the clock is read; a step that takes longer than the budget costs as many
steps in which all robots wait. Only revealed tasks are visible.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from planners.grid import Grid
from planners.jam import Watchdog
from planners.roadmap import Ints
from sim.lorr_checkpoint import Checkpoint, freeze, thaw
from sim.lorr_entry import BUDGET_SHARE, plain, ready
from sim.lorr_files import Instance, load
from sim.lorr_rules import Floor, result
from sim.lorr_settings import Settings

Progress = Callable[[int, int], None]  # steps made, tasks finished


class Match:
    """One instance, played from the start. Preprocessing (compiling, choosing the settings by
    rehearsal on what is visible at the start) happens here, before the clock runs."""

    def __init__(
        self,
        instance: Instance,
        settings: Settings | None = None,
        iterations: int | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """`iterations` bounds the improvement per step instead of the clock: the same result on
        each machine, as long as no step runs over the budget. `alone`: plain PIBT, where there are
        no settings."""
        grid = Grid.of(instance.free)
        if settings is None and alone:
            settings = plain(instance, grid)
        self.settings, self._entry = ready(instance, grid, settings)
        self.tasks = Floor(instance, grid)
        self._iterations = iterations

    @property
    def node(self) -> Ints:
        """(R,) where the robots are."""
        return self.tasks.states >> 2

    @property
    def timeouts(self) -> int:
        """Steps in which everybody waited for the answer."""
        return self.tasks.late

    @property
    def watchdog(self) -> Watchdog | None:
        """Who undoes jams, where somebody does."""
        return self._entry.watchdog

    @property
    def times(self) -> list[float]:
        """Seconds that each answer took."""
        return self.tasks.planner_times

    def run(self, steps: int, budget_s: float, progress: Progress | None = None) -> None:
        """Play until `steps` steps are made."""
        gc.collect()
        gc.disable()
        try:
            while self.tasks.time < steps:
                self._step(steps, budget_s)
                if progress is not None:
                    progress(self.tasks.time, self.tasks.finished)
        finally:
            gc.enable()

    def result(self) -> dict[str, Any]:
        """The result file's contents."""
        return result(self.tasks)

    def freeze(self) -> Checkpoint:
        """Everything that was decided so far, between two steps."""
        body = freeze((self.settings, self.tasks, self._entry), self._fixed())
        return Checkpoint(self.tasks.time, self.tasks.finished, body)

    @staticmethod
    def thaw(instance: Instance, checkpoint: Checkpoint, iterations: int | None = None) -> Match:
        """Go on from there, on the same terms (`lorr_checkpoint.Terms`)."""
        match = Match(instance, next(thaw(checkpoint.body, {})), iterations)
        _, match.tasks, match._entry = thaw(checkpoint.body, match._fixed())
        match._entry.restore()
        return match

    def _fixed(self) -> dict[str, object]:
        floor = self.tasks
        return {"instance": floor.instance, "grid": floor.grid, "tables": self._entry.tables}

    def _step(self, steps: int, budget_s: float) -> None:
        floor, began = self.tasks, time.perf_counter()

        def stop(made: int) -> bool:
            if self._iterations is not None:
                return made >= self._iterations
            return time.perf_counter() >= began + BUDGET_SHARE * budget_s

        schedule = self._entry.match(floor)
        actions = self._entry.plan(floor, schedule, stop)
        took = time.perf_counter() - began
        floor.planner_times.append(took)
        floor.wait(min(int(took / budget_s), steps - floor.time))
        if floor.time < steps:
            floor.step(actions, schedule)
            self._entry.made()


def run_lorr(
    instance: Path,
    steps: int,
    budget_ms: float,
    progress: Progress | None = None,
    iterations: int | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Play an instance; return the result file's contents. Raises InstanceError on unusable files."""
    match = Match(load(instance), settings, iterations)
    match.run(steps, budget_ms / 1000, progress)
    return match.result()


def result_text(result: dict[str, Any]) -> str:
    """The content of a result file."""
    return json.dumps(result, separators=(",", ":"))


def main() -> None:
    """`python -m sim.lorr INSTANCE --steps N --budget-ms M --out OUT.json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instance", type=Path)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--budget-ms", type=float, default=1000)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    match = Match(load(arguments.instance), iterations=arguments.iterations)
    match.run(arguments.steps, arguments.budget_ms / 1000)
    if arguments.out:
        arguments.out.write_text(result_text(match.result()), encoding="ascii")
    times = 1000 * np.array(match.times)
    print(
        f"{match.tasks.finished} tasks, {match.timeouts} timeouts, per step "
        f"{np.median(times):.1f} ms median, {times.max():.1f} ms at most, {match.settings}"
    )


if __name__ == "__main__":
    main()
