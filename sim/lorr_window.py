"""The League's 2026 kit: plans of several actions, an executor that keeps their order, late robots.

While a plan is made, what is staged goes on. So a plan begins where the executor expects the robots to
be by then (`curr_states`), not where they are (`system_states`), and errands on the way there count as
done. An action takes several ticks, and robots are held up at random: what the executor expects is
seldom what the plan before said, and the planner is placed anew each time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.grid import TURN, Grid
from planners.roadmap import Ints
from sim.lorr_kit import CODES, OURS, Team
from sim.lorr_sight import Sight


class WindowTeam(Team):
    """2026: several actions per robot and plan. Squares that turn a corner would touch who follows, and
    the executor lets nobody enter a cell before the other has left it: so we plan with a gap."""

    gap = True

    def __init__(self, *terms: Any) -> None:
        super().__init__(*terms)
        self._sight: Sight
        self._schedule: Ints  # what robots drive for
        self._offer: Ints  # what the kit is told: who is about to finish still has its task
        self._wish: dict[int, int] = {}  # robot -> task that it drives for and hasn't got yet

    def schedule(self, env: Any) -> list[int]:
        """A task for each robot, -1: none."""
        self._began = time.perf_counter()
        self._learn(env)
        held = np.array(list(env.curr_task_schedule), np.int32)
        self._sight = sight = Sight(self._grid, self._states(env.curr_states))
        sight.errands = dict(self._errands)
        sight.progress = dict.fromkeys(self._errands, 0)
        sight.current = held.copy()
        free = self._foresee(env, held)
        for robot, task in self._wish.items():
            if held[robot] < 0 and task in sight.errands:
                sight.current[robot] = task
        self._schedule = chosen = self._ready().match(sight)
        self._offer = np.where(free, chosen, held)
        wishing = np.flatnonzero((chosen >= 0) & (chosen != self._offer))
        self._wish = dict(zip(wishing.tolist(), chosen[wishing].tolist(), strict=True))
        offer: list[int] = self._offer.tolist()
        return offer

    def _foresee(self, env: Any, held: Ints) -> NDArray[np.bool_]:
        """Count what is done on the way to where the plan begins. Returns who may be given another task
        by the time it is adopted: who has none, has not begun, or has finished by then."""
        sight, free = self._sight, np.ones(len(held), bool)
        ticks = env.min_planner_communication_time // env.action_time
        here = self._states(env.system_states).tolist()
        for robot in np.flatnonzero(held >= 0).tolist():
            task, state = int(held[robot]), env.system_states[robot]
            errands, begun = sight.errands[task], env.task_pool[task].idx_next_loc
            staged = [int(OURS[int(code)]) for code in env.staged_actions[robot]]
            done, last = foresee(here[robot], staged, errands, begun, self._grid)
            sight.progress[task] = done
            free[robot] = done == 0
            if done == len(errands):
                sight.current[robot] = -1
                del sight.errands[task], sight.progress[task]
                least = last * env.max_counter - state.counter.count
                free[robot] = least <= ticks and not state.delay.inDelay
        return free

    def actions(self, env: Any, limit_ms: float) -> list[list[int]]:
        """As many actions for each robot as are made until the next plan, in the kit's numbers."""
        entry, sight, schedule = self._ready(), self._sight, self._schedule
        sight.current = np.where(schedule == self._offer, schedule, -1).astype(np.int32)
        steps = length(env)
        rows = []
        for step in range(steps):
            actions = entry.plan(sight, schedule, self._stop(limit_ms, (step + 1) / steps))
            entry.made()
            sight.states = self._grid.moved(sight.states, actions)
            rows.append(CODES[actions])
            for robot, task, _ in sight.visit():
                if task not in sight.errands:
                    schedule[robot] = -1
        plan: list[list[int]] = np.array(rows).T.tolist()
        return plan


def length(env: Any) -> int:
    """Actions that a robot makes between two plans, one begun included."""
    return int(env.min_planner_communication_time // (env.action_time * env.max_counter)) + 1


def foresee(
    state: int, staged: Sequence[int], errands: Sequence[int], begun: int, grid: Grid
) -> tuple[int, int]:
    """(errands done once the staged actions are made, the number of actions until the last of them)."""
    last = 0
    for number, action in enumerate([0, *staged]):
        heading = (state + int(TURN[action])) & 3
        node = int(grid.ahead[state]) if action == 1 else state >> 2
        state = 4 * node + heading
        if begun < len(errands) and node == errands[begun]:
            begun, last = begun + 1, number
    return begun, last
