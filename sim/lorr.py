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
from planners.guidance import alternate
from planners.lorr_scheduler import MatchParameters, TaskMatcher
from planners.roadmap import Ints
from planners.steps import StateTables, StepParameters, StepPlanner
from sim.lorr_files import Instance, load
from sim.lorr_rules import Floor, result

Progress = Callable[[int, int], None]  # steps made, tasks finished
BUDGET_SHARE = 0.5  # of the budget: what is left is for a machine that is busy with something else


class Entry:
    """Scheduler and planner as one: what a competitor would hand in."""

    def __init__(
        self,
        grid: Grid,
        floor: Floor,
        match: MatchParameters | None = None,
        steps: StepParameters | None = None,
    ) -> None:
        import os
        self._tables = StateTables(grid, alternate(floor.instance.free, grid, int(os.environ.get('LANE','0'))))
        self._matcher = TaskMatcher(self._tables, match)
        self.planner = StepPlanner(grid, self._tables, floor.states, steps)
        self._waited = np.zeros(len(floor.states), np.int64)
        self._last = np.full(len(floor.states), -1, np.int32)

    def decide(self, floor: Floor, stop: Callable[[int], bool]) -> tuple[Ints, Ints]:
        """(R,) actions and (R,) tasks."""
        schedule = self._schedule(floor)
        goals, onward = floor.goals(schedule)
        actions = self._plan(floor, goals, onward, stop)
        return actions, schedule

    def _schedule(self, floor: Floor) -> Ints:
        schedule = floor.current.copy()
        free = np.flatnonzero(~floor.opened())
        tasks = floor.unopened()
        schedule[free] = self._matcher.match(tasks, floor.states[free], floor.current[free])
        return schedule

    def _plan(self, floor: Floor, goals: Ints, onward: Ints, stop: Callable[[int], bool]) -> Ints:
        same = goals == self._last
        self._waited = np.where(same, self._waited + 1, 0)
        self._last = goals.copy()
        rows = self._tables.rows(goals)
        togo = self._tables.tables[rows, floor.states].astype(np.int64)
        import os
        priority = eval(os.environ.get('PRIO','-d'), {'w': self._waited, 'd': togo})
        rank = np.empty(len(goals), np.int64)
        rank[np.argsort(-priority, kind="stable")] = np.arange(len(goals))
        x = (len(goals) - rank) / len(goals)
        import os
        weight = eval(os.environ.get('WEIGHT','1+3*x'), {'x': x, 'w': self._waited, 'd': togo}).astype(np.int64)
        return self.planner.plan(goals, onward, priority, weight, stop)


def run_lorr(
    instance: Path,
    steps: int,
    budget_ms: float,
    progress: Progress | None = None,
    iterations: int | None = None,
    match: MatchParameters | None = None,
    planner: StepParameters | None = None,
) -> dict[str, Any]:
    """Run an instance; return the result file's contents.

    `iterations` bounds the improvement per step instead of the clock: the same result on each
    machine, as long as no step runs over `budget_ms`. Raises InstanceError on unusable files."""
    given = load(instance)
    grid = Grid.of(given.free)
    _warm_up(given, grid, match, planner)
    floor = Floor(given, grid)
    entry = Entry(grid, floor, match, planner)
    gc.collect()
    gc.disable()
    try:
        while floor.time < steps:
            _step(floor, entry, steps, budget_ms, iterations)
            if progress is not None:
                progress(floor.time, floor.finished)
    finally:
        gc.enable()
    return result(floor)


def _step(
    floor: Floor, entry: Entry, steps: int, budget_ms: float, iterations: int | None
) -> None:
    began = time.perf_counter()
    deadline = began + BUDGET_SHARE * budget_ms / 1000

    def stop(made: int) -> bool:
        if iterations is not None:
            return made >= iterations
        return time.perf_counter() >= deadline

    actions, schedule = entry.decide(floor, stop)
    took = time.perf_counter() - began
    floor.planner_times.append(took)
    late = min(int(1000 * took / budget_ms), steps - floor.time)
    floor.wait(late)
    if floor.time < steps:
        floor.step(actions, schedule)
        entry.planner.made()


def _warm_up(
    given: Instance, grid: Grid, match: MatchParameters | None, planner: StepParameters | None
) -> None:
    """Compile (or load) every kernel before the clock runs: two steps on a throw-away floor."""
    floor = Floor(given, grid)
    entry = Entry(grid, floor, match, planner)
    for _ in range(2):
        actions, schedule = entry.decide(floor, lambda made: made > 0)
        floor.step(actions, schedule)
        entry.planner.made()


def write_result(result: dict[str, Any], path: Path) -> None:
    """Write a result file."""
    path.write_text(json.dumps(result, separators=(",", ":")))


def main() -> None:
    """`python -m sim.lorr INSTANCE --steps N --budget-ms M --out OUT.json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instance", type=Path)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--budget-ms", type=float, default=1000)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    found = run_lorr(
        arguments.instance, arguments.steps, arguments.budget_ms, iterations=arguments.iterations
    )
    if arguments.out:
        write_result(found, arguments.out)
    times = np.array(found["plannerTimes"])
    print(
        f"{found['numTaskFinished']} tasks, {found['numEntryTimeouts']} timeouts, per step "
        f"{1000 * np.median(times):.1f} ms median, {1000 * times.max():.1f} ms at most"
    )


if __name__ == "__main__":
    main()
