"""What a competitor would hand in: scheduler and planner as one, and how its settings are chosen."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from planners.crowd import CrowdMatcher, CrowdMatchParameters, CrowdPlanner, NodeTables
from planners.grid import Grid
from planners.guidance import Paces, SpreadParameters, alternate
from planners.lorr_scheduler import MatchParameters, TaskMatcher
from planners.roadmap import Ints
from planners.steps import StateTables, StepParameters, StepPlanner
from sim.guiding import guided
from sim.lorr_files import Instance
from sim.lorr_rules import Floor

TABLE_BYTES_MAX = 2 << 30
CROWD_BYTES_MAX = 5 << 30
CROWD = 1500  # robots
REHEARSAL_STEPS = 120
REHEARSAL_ITERATIONS = 2048
PATIENCE_STEPS = 40
DENSE_SHARE = 3  # robots on more than a third of the cells: jams form later than a rehearsal shows
MOVING = 0.85  # share of robots that drive at a time
REHEARSAL_MAX = 2_000_000  # robots x cells: above, the settings for crowds are taken unrehearsed


@dataclass(frozen=True, slots=True)
class Settings:
    """`against`: what driving against a lane costs more, in quarters of a step."""

    against: int = 16
    steps: StepParameters = field(default_factory=StepParameters)
    match: MatchParameters = field(default_factory=MatchParameters)
    crowd: CrowdMatchParameters = field(default_factory=CrowdMatchParameters)
    spread: SpreadParameters | None = field(default_factory=SpreadParameters)


CROWDED = Settings(against=24)
HUGE = Settings(against=36, steps=StepParameters(length=4, tries=300, parts=4))
DENSE = Settings(steps=StepParameters(tries=10_000, sharp=64, patience=4))
CANDIDATES = (
    CROWDED,
    Settings(against=40),
    Settings(against=4, steps=StepParameters(patience=0)),
    DENSE,
    Settings(against=0, steps=StepParameters(patience=0)),
)


class Entry:
    """Decides; remembers only what it saw."""

    def __init__(self, floor: Floor, settings: Settings) -> None:
        grid = floor.grid
        self.tables = StateTables(
            grid, alternate(floor.instance.free, grid, settings.against), TABLE_BYTES_MAX
        )
        self._matcher = TaskMatcher(self.tables, settings.match)
        self._planner = StepPlanner(grid, self.tables, floor.states, settings.steps)
        self._waited = np.zeros(len(floor.states), np.int64)
        self._last = np.full(len(floor.states), -1, np.int32)

    def decide(self, floor: Floor, stop: Callable[[int], bool]) -> tuple[Ints, Ints]:
        """(R,) actions and (R,) tasks."""
        schedule = floor.current.copy()
        free = np.flatnonzero(~floor.opened())
        tasks = floor.unopened()
        schedule[free] = self._matcher.match(tasks, floor.states[free], floor.current[free])
        goals, onward = floor.goals(schedule)
        self._waited = np.where(goals == self._last, self._waited + 1, 0)
        self._last = goals
        togo = self.tables.tables[self.tables.rows(goals), floor.states].astype(np.int64)
        actions = self._planner.plan(goals, onward, self._waited - togo, stop)
        return actions, schedule

    def made(self) -> None:
        """The actions were made."""
        self._planner.made()


class CrowdEntry:
    """The same for thousands of robots: tables by cell, all made before the first step."""

    def __init__(self, floor: Floor, settings: Settings, tables: NodeTables | None = None) -> None:
        grid, instance = floor.grid, floor.instance
        goals = _goals(instance, grid)
        self.tables = tables or NodeTables(grid, _paces(instance, grid, settings), goals)
        self._matcher = CrowdMatcher(self.tables, settings.crowd)
        self._planner = CrowdPlanner(self.tables, floor.states, settings.steps)
        self._waited = np.zeros(len(floor.states), np.int64)
        spread = 7919 * np.arange(len(floor.states)) % len(goals)  # of those without a task
        self._last = goals[spread]

    def decide(self, floor: Floor, stop: Callable[[int], bool]) -> tuple[Ints, Ints]:
        """(R,) actions and (R,) tasks."""
        schedule = self._matcher.match(floor.unopened(), floor.states, floor.current)
        goals, onward = floor.goals(schedule)
        goals = np.where(schedule < 0, self._last, goals)
        self._waited = np.where(goals == self._last, self._waited + 1, 0)
        self._last = goals
        togo = self.tables.cost(goals, floor.states >> 2)
        actions = self._planner.plan(goals, onward, self._waited - togo, stop)
        return actions, schedule

    def made(self) -> None:
        """The actions were made."""
        self._planner.made()

    def again(self, floor: Floor, settings: Settings) -> CrowdEntry:
        """Another one on the same tables."""
        return CrowdEntry(floor, settings, self.tables)


def crowd(instance: Instance, grid: Grid) -> bool:
    """So many robots that tables by state would not fit, or could not be filled in a step."""
    wanted = len(instance.starts) * 8 * grid.nodes
    return wanted > TABLE_BYTES_MAX or len(instance.starts) >= CROWD


def _goals(instance: Instance, grid: Grid) -> Ints:
    """Nodes where errands may be: those that the map marks, or all."""
    if instance.errand is None:
        return np.arange(grid.nodes, dtype=np.int32)
    return grid.number[np.flatnonzero(instance.errand.ravel())].astype(np.int32)


def _paces(instance: Instance, grid: Grid, settings: Settings) -> Paces:
    """Guidance for a crowd, from what is visible at the start."""
    lanes = alternate(instance.free, grid, settings.against)
    if settings.spread is None:
        return Paces.of(lanes)
    tasks = instance.tasks[: int(instance.reveal * len(instance.starts))]
    legs = [leg for errands in tasks for leg in itertools.pairwise(errands)]
    if not legs:
        return Paces.of(lanes)
    trips = grid.number[np.array(legs)].astype(np.int32)
    return guided(grid, lanes, trips, MOVING * len(instance.starts), settings.spread)


def choose(instance: Instance, grid: Grid) -> Settings:
    """Rehearse each candidate on the tasks that are visible at the start, again and again; take the
    one that does most errands. Deterministic."""
    if crowd(instance, grid):
        return HUGE
    if len(instance.starts) * grid.nodes > REHEARSAL_MAX:
        return CROWDED
    if DENSE_SHARE * len(instance.starts) > grid.nodes:
        return DENSE
    pool = int(instance.reveal * len(instance.starts))
    visible = replace(instance, tasks=instance.tasks[:pool])
    best, chosen = [0] * REHEARSAL_STEPS, CROWDED
    for settings in CANDIDATES:
        done = _rehearse(visible, grid, settings, best)
        if len(done) == REHEARSAL_STEPS and done[-1] > best[-1]:
            best, chosen = done, settings
    return chosen


def _rehearse(instance: Instance, grid: Grid, settings: Settings, best: list[int]) -> list[int]:
    """Errands done after each step; cut short once it is clearly behind `best`."""
    floor = Floor(instance, grid)
    entry = Entry(floor, settings)
    done: list[int] = []
    for step in range(REHEARSAL_STEPS):
        actions, schedule = entry.decide(floor, lambda made: made >= REHEARSAL_ITERATIONS)
        floor.step(actions, schedule)
        entry.made()
        done.append(len(floor.events))
        if step >= PATIENCE_STEPS and 10 * done[-1] < 8 * best[step]:
            break
    return done
