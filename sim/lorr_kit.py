"""The League's start kits ask our scheduler and planner: from their environment to our entry and back.

`env` is the kit's environment object. Both kits ask the scheduler first, then the planner. Cells are
row-major; headings are ours. Before the clock runs a kit tells the map and the number of robots alone,
so settings are chosen by rehearsal on drawn starts and tasks (`drawn`), unless an instance is named.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from planners.grid import Grid
from planners.protocols import Stop
from planners.roadmap import Ints
from sim.lorr_entry import BUDGET_SHARE, Player, ready
from sim.lorr_files import Instance, InstanceError, load
from sim.lorr_sight import Sight

CODES = np.array([3, 0, 1, 2])  # the kits' numbers for wait, forward, right, left
OURS = np.array([1, 2, 3, 0, 0])  # and back; the last is "not applicable"
REVEAL = 1.5  # tasks per robot, where a kit doesn't tell
INSTANCE, ITERATIONS = "LIGHTSOUT_LORR_INSTANCE", "LIGHTSOUT_LORR_ITERATIONS"


class Team:
    """Our entry behind a kit's interface. `instance`: prepare on what this file reveals at the start
    (as `lightsout bench lorr` does). `iterations` bounds the search instead of the clock."""

    gap = False  # whether a cell must be empty before it is entered

    def __init__(self, instance: Path | None = None, iterations: int | None = None) -> None:
        self._instance, self._iterations = instance, iterations
        self._entry: Player | None = None
        self._grid: Grid
        self._errands: dict[int, list[int]] = {}  # by task, as nodes
        self._began = 0.0

    @classmethod
    def told(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """As environment variables say."""
        path, count = environ.get(INSTANCE), environ.get(ITERATIONS)
        if count is not None and not count.isdigit():
            raise InstanceError(f"{ITERATIONS}={count} -> give a whole number, or leave it out")
        return cls(Path(path) if path else None, None if count is None else int(count))

    def prepare(self, env: Any) -> None:
        """Settings, tables, kernels. The second call does nothing."""
        if self._entry is not None:
            return
        free = (np.array(list(env.map)) == 0).reshape(env.rows, env.cols)
        if self._instance is None:
            instance = drawn(free, env.num_of_agents)
        else:
            instance = load(self._instance)
            if not np.array_equal(instance.free, free) or len(instance.starts) != env.num_of_agents:
                raise InstanceError(
                    f"{INSTANCE}={self._instance}: another map or team than the kit's -> name the "
                    "instance that the kit runs"
                )
        self._grid = Grid.of(free)
        _, self._entry = ready(instance, self._grid, None, self.gap)

    def _ready(self) -> Player:
        assert self._entry is not None, "the kit prepares before it asks"
        return self._entry

    def _states(self, states: Any) -> Ints:
        """(R,) a kit's states as ours."""
        pairs = np.array([(state.location, state.orientation) for state in states], np.int64)
        return (4 * self._grid.number[pairs[:, 0]] + pairs[:, 1]).astype(np.int32)

    def _learn(self, env: Any) -> None:
        """Read the errands of tasks that are new, forget those that are gone."""
        pool, known = env.task_pool, self._errands
        if len(pool) != len(known) or any(task not in known for task in env.new_tasks):
            ids = set(pool)
            for task in known.keys() - ids:
                del known[task]
            for task in sorted(ids - known.keys()):
                known[task] = self._grid.number[list(pool[task].locations)].tolist()

    def _stop(self, limit_ms: float, share: float = 1.0) -> Stop:
        """When to answer: iterations, or that share of the time that is ours."""
        end = self._began + share * BUDGET_SHARE * limit_ms / 1000

        def stop(made: int, /) -> bool:
            if self._iterations is not None:
                return made >= self._iterations
            return time.perf_counter() >= end

        return stop


class StepTeam(Team):
    """2024: an action per robot and step."""

    def __init__(self, instance: Path | None = None, iterations: int | None = None) -> None:
        super().__init__(instance, iterations)
        self._sight: Sight | None = None
        self._schedule: Ints

    def schedule(self, env: Any) -> list[int]:
        """A task for each robot, -1: none."""
        self._began = time.perf_counter()
        entry = self._ready()
        if self._sight is not None:
            entry.made()  # in case they weren't, the planner is placed anew
        self._learn(env)
        self._sight = sight = Sight(self._grid, self._states(env.curr_states))
        sight.current[:] = list(env.curr_task_schedule)
        sight.errands = self._errands
        sight.progress = dict.fromkeys(self._errands, 0)
        for task in sight.current[sight.current >= 0].tolist():
            sight.progress[task] = env.task_pool[task].idx_next_loc
        self._schedule = entry.match(sight)
        answer: list[int] = self._schedule.tolist()
        return answer

    def actions(self, limit_ms: float) -> list[int]:
        """An action for each robot, in the kit's numbers."""
        assert self._sight is not None, "the kit asks the scheduler first"
        actions = self._ready().plan(self._sight, self._schedule, self._stop(limit_ms))
        answer: list[int] = CODES[actions].tolist()
        return answer


def drawn(free: NDArray[np.bool_], robots: int) -> Instance:
    """An instance with starts and tasks of two errands at random, the same each time."""
    dice = np.random.default_rng(0)
    cells = np.flatnonzero(free)
    if robots > len(cells):
        raise InstanceError(f"{robots} robots on {len(cells)} cells -> lower the team size")
    begin: list[int] = dice.permutation(cells)[:robots].tolist()
    ends = dice.choice(_largest(free), (max(1, int(REVEAL * robots)), 2))
    return Instance("drawn", free, begin, ends.tolist(), REVEAL, "")


def _largest(free: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cells of the largest part that holds together."""
    parts = ndimage.label(free)[0].ravel()
    return np.flatnonzero(parts == np.bincount(parts)[1:].argmax() + 1)
