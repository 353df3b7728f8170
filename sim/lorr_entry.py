"""What a competitor would hand in: scheduler and planner as one, and how its settings are chosen."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from planners.crowd import CrowdMatcher, CrowdPlanner
from planners.dense import FewMatcher, FewParameters, Lesson, shares
from planners.grid import Grid, behind_bridges
from planners.guidance import Paces, alternate
from planners.jam import Watchdog
from planners.kernels.states import WAIT
from planners.lorr_scheduler import TaskMatcher
from planners.node_tables import NodeTables
from planners.protocols import Stop
from planners.roadmap import Ints
from planners.rotations import FreedomTables, Pockets, RotationParameters, RotationPlanner, gates_of
from planners.state_tables import StateTables
from planners.steps import Chooser, StepPlanner
from planners.turning import PibtPlanner
from sim.guiding import guided
from sim.lorr_files import Instance, InstanceError
from sim.lorr_rules import Floor
from sim.lorr_settings import CANDIDATES, CROWDED, DENSE, FULL, HUGE, NEVER, Settings
from sim.lorr_sight import Sight, starts

TABLE_BYTES_MAX = 2 << 30
CROWD_BYTES_MAX = 5 << 30, 4 << 30  # of tables for all goals; else of those that are asked for
CROWD = 1500  # robots
BUDGET_SHARE = 0.5  # of the budget: what is left is for a machine that is busy with something else
REHEARSAL_STEPS = 300
REHEARSAL_ITERATIONS = 512
PATIENCE_STEPS = 40
MARGIN_PERCENT = 2
WARM_STEPS = 20
WARM_ITERATIONS = 256
DENSE_SHARE = 3  # robots on more than a third of the cells: jams form later than a rehearsal shows
FULL_PERCENT = 92  # robots on more of the cells: they can only change places
FULL_ROBOTS = 3000  # so many of them at most: more are a crowd however full the floor is
NEAR_STEPS = 16
MOVING = 0.85  # share of robots that drive at a time
REHEARSAL_MAX = 2_000_000  # robots x cells: above, the settings for crowds are taken unrehearsed


class _Playing:
    """What all entries have in common."""

    _planner: Chooser | PibtPlanner | RotationPlanner

    def made(self) -> None:
        """The actions were made."""
        self._planner.made()

    @property
    def watchdog(self) -> Watchdog | None:
        """The planner's, where it has one."""
        return None if isinstance(self._planner, PibtPlanner) else self._planner.watchdog

    def restore(self) -> None:
        """Tables as they were when it was frozen, where they are not filled again by themselves."""


class Entry(_Playing):
    """Decides; remembers only what it saw."""

    _planner: StepPlanner | PibtPlanner

    def __init__(self, instance: Instance, grid: Grid, settings: Settings) -> None:
        states = starts(instance, grid)
        self.tables = StateTables(
            grid, alternate(instance.free, grid, settings.against), TABLE_BYTES_MAX
        )
        self._matcher = TaskMatcher(self.tables, settings.match)
        if settings.plain:
            self._planner = PibtPlanner(grid, self.tables, states)
        else:
            self._planner = StepPlanner(grid, self.tables, states, settings.steps)
        self._waited = np.zeros(len(states), np.int64)
        self._last = np.full(len(states), -1, np.int32)

    def match(self, sight: Sight) -> Ints:
        """(R,) tasks."""
        schedule = sight.current.copy()
        free = np.flatnonzero(~sight.opened())
        tasks = sight.unopened()
        schedule[free] = self._matcher.match(tasks, sight.states[free], sight.current[free])
        return schedule

    def plan(self, sight: Sight, schedule: Ints, stop: Stop) -> Ints:
        """(R,) actions, from wherever the robots are."""
        self._planner.place(sight.states)
        goals, onward = sight.goals(schedule)
        self._waited = np.where(goals == self._last, self._waited + 1, 0)
        self._last = goals
        togo = self.tables.togo(goals, sight.states)
        return self._planner.plan(goals, onward, self._waited - togo, stop)


class DenseEntry(_Playing):
    """The same where robots stand on a large part of all cells."""

    _planner: StepPlanner

    def __init__(
        self, instance: Instance, grid: Grid, settings: Settings, few: FewParameters
    ) -> None:
        self._lesson = Lesson(grid, alternate(instance.free, grid, settings.against), few)
        self.tables = StateTables(grid, self._lesson.lanes, TABLE_BYTES_MAX, few.wait_max)
        self._matcher = FewMatcher(self.tables, few.most(grid.nodes), settings.match)
        self._planner = StepPlanner(grid, self.tables, starts(instance, grid), settings.steps)

    def match(self, sight: Sight) -> Ints:
        """(R,) tasks."""
        if self.tables.lanes is not self._lesson.lanes:
            self.tables.repave(self._lesson.lanes)
            self._matcher.forget()
        if self._lesson.stretch:
            self.tables.prepare(
                self._lesson.coming, self.tables.rows_max // self._lesson.stretch + 1
            )
        return _matched(self._matcher, sight)

    def plan(self, sight: Sight, schedule: Ints, stop: Stop) -> Ints:
        """(R,) actions, from wherever the robots are."""
        self._planner.place(sight.states)
        goals, onward = sight.goals(schedule)
        left = self._matcher.left(sight.ahead(schedule), sight.states)
        weight = shares(left, int((schedule >= 0).sum()))
        actions = self._planner.plan(goals, onward, -left, stop, weight)
        self._lesson.learn(sight.states[(actions == WAIT) & (schedule >= 0)] >> 2)
        return actions


class FullEntry(_Playing):
    """The same where hardly a cell is free."""

    _planner: RotationPlanner

    def __init__(
        self,
        instance: Instance,
        grid: Grid,
        settings: Settings,
        few: FewParameters,
        rotate: RotationParameters,
    ) -> None:
        hard = behind_bridges(grid)
        gates = gates_of(grid, hard)
        self.tables = FreedomTables(grid, np.union1d(_goals(instance, grid), gates))
        self._matcher = FewMatcher(self.tables, few.most(grid.nodes), settings.match, hard)
        self._planner = RotationPlanner(self.tables, starts(instance, grid), rotate)
        self._pockets = Pockets(self.tables, hard, gates)

    def match(self, sight: Sight) -> Ints:
        """(R,) tasks."""
        return _matched(self._matcher, sight)

    def plan(self, sight: Sight, schedule: Ints, stop: Stop) -> Ints:
        """(R,) actions, from wherever the robots are."""
        self._planner.place(sight.states)
        goals, _ = sight.goals(schedule)
        left = self._matcher.left(sight.ahead(schedule), sight.states)
        goals = self._pockets.emptied(np.where(schedule >= 0, goals, -1), left, sight.states)
        return self._planner.plan(goals, left, stop)


class CrowdEntry(_Playing):
    """The same for thousands of robots: tables by cell, made before the first step where all fit."""

    _planner: CrowdPlanner | PibtPlanner

    def __init__(
        self,
        instance: Instance,
        grid: Grid,
        settings: Settings,
        tables: NodeTables | None = None,
    ) -> None:
        states, goals = starts(instance, grid), _goals(instance, grid)
        self.tables = tables or NodeTables(
            grid, _paces(instance, grid, settings), goals, *CROWD_BYTES_MAX
        )
        if not self.tables.complete:
            goals = self._first_goals(instance)
        self._shelf = self.tables.shelf  # checkpoints hold it, and no tables: see `restore`
        self._matcher = CrowdMatcher(self.tables, settings.crowd)
        if settings.plain:
            self._planner = PibtPlanner(grid, self.tables, states)
        else:
            self._planner = CrowdPlanner(self.tables, states, settings.steps, settings.congestion)
        self._waited = np.zeros(len(states), np.int64)
        self._unheard = np.zeros(len(states), np.int64)  # steps for which a goal's table was asked
        spread = 7919 * np.arange(len(states)) % len(goals)  # of those without a task
        self._last = goals[spread]

    def _first_goals(self, instance: Instance) -> Ints:
        """Where tables don't fit for all: goals of those that are filled before the first step."""
        tables, robots = self.tables, len(instance.starts)
        fewest, most = 3 * robots // 2, len(tables.tables)
        if most < fewest:
            raise InstanceError(
                f"{instance.name}: {robots} robots on {tables.grid.nodes} cells need {fewest} tables "
                f"of ways at a time, and {most} fit in {CROWD_BYTES_MAX[1] / 2**30:.1f} GB -> take "
                "fewer robots, or a smaller floor"
            )
        visible = instance.tasks[: int(instance.reveal * robots)]
        cells = [cell for errands in visible for cell in errands[:2]][:most]
        goals = tables.grid.number[cells].astype(np.int32)
        tables.rows(goals)
        return goals

    def match(self, sight: Sight) -> Ints:
        """(R,) tasks."""
        return self._matcher.match(sight.unopened(), sight.states, sight.current)

    def plan(self, sight: Sight, schedule: Ints, stop: Stop) -> Ints:
        """(R,) actions, from wherever the robots are."""
        self._planner.place(sight.states)
        goals, onward = sight.goals(schedule)
        goals = np.where(schedule < 0, self._last, goals)
        if not self.tables.complete:
            goals, onward = self._at_hand(goals, onward, sight.states)
        self._waited = np.where(goals == self._last, self._waited + 1, 0)
        self._last = goals
        togo = self.tables.togo(goals, sight.states)
        return self._planner.plan(goals, onward, self._waited - togo, stop)

    def _at_hand(self, goals: Ints, onward: Ints, states: Ints) -> tuple[Ints, Ints]:
        """Where tables don't fit for all: whose table can't be filled in a moment keeps its last goal
        for a step (who has waited longest comes first), and who isn't near looks beyond only where
        that table is there."""
        tables, soon = self.tables, np.empty(len(goals), bool)
        longest = np.argsort(-self._unheard, kind="stable")
        soon[longest] = tables.admit(goals[longest], len(goals))
        self._unheard = np.where(soon, 0, self._unheard + 1)
        goals = np.where(soon, goals, self._last)
        near = tables.togo(goals, states) <= NEAR_STEPS * tables.unit
        looks = np.flatnonzero(soon & (onward >= 0) & (near | (tables.shelf.row_of[onward] >= 0)))
        looks = looks[np.argsort(~near[looks], kind="stable")]
        looks = looks[tables.admit(onward[looks], (len(tables.tables) - len(goals)) // 4)]
        beyond = np.full_like(onward, -1)
        beyond[looks] = onward[looks]
        return goals, beyond

    def restore(self) -> None:
        """Tables as they were when it was frozen."""
        self.tables.restore(self._shelf)
        if isinstance(self._planner, CrowdPlanner):
            self._planner.congestion.restore()

    def again(self, instance: Instance, settings: Settings) -> CrowdEntry:
        """Another one on the same tables."""
        return CrowdEntry(instance, self.tables.grid, settings, self.tables)


def _matched(matcher: FewMatcher, sight: Sight) -> Ints:
    """(R,) tasks: who has done an errand keeps its task, few of the others have one."""
    schedule, opened = sight.current.copy(), sight.opened()
    free = np.flatnonzero(~opened)
    begun = len(schedule) - len(free)
    schedule[free] = matcher.match(sight.unopened(), sight.states[free], sight.current[free], begun)
    return schedule


Player = Entry | DenseEntry | FullEntry | CrowdEntry


def _entry(instance: Instance, grid: Grid, settings: Settings) -> Entry | DenseEntry | FullEntry:
    few, rotate = settings.few, settings.rotate
    if few is not None and rotate is not None:
        return FullEntry(instance, grid, settings, few, rotate)
    if few is not None:
        return DenseEntry(instance, grid, settings, few)
    return Entry(instance, grid, settings)


def ready(
    instance: Instance,
    grid: Grid,
    settings: Settings | None = None,
    gap: bool = False,
) -> tuple[Settings, Player]:
    """An entry that answers in time from its first step on: settings chosen, tables filled where they
    must be, kernels compiled. `gap`: as in `StepParameters`."""
    settings = settings or choose(instance, grid, gap)
    many = settings.rotate is None and crowd(instance, grid)
    still = replace(settings.congestion, still=NEVER)  # tables are shared with the throw-away entry
    warm = replace(settings, steps=replace(settings.steps, improve=True), congestion=still)
    spare = Floor(instance, grid)
    if many:
        large = CrowdEntry(instance, grid, settings)
        _warm_up(spare, large.again(instance, warm))
        return settings, large
    _warm_up(spare, _entry(instance, grid, warm))
    return settings, _entry(instance, grid, settings)


def _warm_up(floor: Floor, entry: Player) -> None:
    """Compile (or load) every kernel: some steps and a jam on a throw-away floor."""
    dog = entry.watchdog if entry.watchdog is not None and entry.watchdog.looks else None
    for step in range(WARM_STEPS):
        if dog is not None and step > 0 and not dog.undone:
            dog.provoke()
        schedule = entry.match(floor)
        actions = entry.plan(floor, schedule, lambda made: made >= WARM_ITERATIONS)
        floor.step(actions, schedule)
        entry.made()
        if step > 1 and (dog is None or dog.undone):
            break


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


def plain(instance: Instance, grid: Grid) -> Settings:
    """PIBT alone, with the guidance that is taken unrehearsed."""
    return replace(HUGE if crowd(instance, grid) else CROWDED, plain=True)


def choose(instance: Instance, grid: Grid, gap: bool = False) -> Settings:
    """Rehearse each candidate on the tasks that are visible at the start, again and again; take the
    one that does most errands, by a margin over those before it, which jam later. Deterministic."""
    candidates = [_gapped(settings) for settings in CANDIDATES] if gap else CANDIDATES
    robots = len(instance.starts)
    if FULL_PERCENT * grid.nodes < 100 * robots <= 100 * FULL_ROBOTS and not gap:
        return FULL
    if crowd(instance, grid):
        return _gapped(HUGE) if gap else HUGE
    if DENSE_SHARE * robots > grid.nodes:
        return _gapped(DENSE) if gap else DENSE
    if robots * grid.nodes > REHEARSAL_MAX:
        return candidates[0]
    pool = int(instance.reveal * robots)
    visible = replace(instance, tasks=instance.tasks[:pool])
    best, chosen = [0] * REHEARSAL_STEPS, candidates[0]
    for settings in candidates:
        done = _rehearse(visible, grid, settings, best)
        better = 100 * done[-1] > (100 + MARGIN_PERCENT) * best[-1]
        if len(done) == REHEARSAL_STEPS and better:
            best, chosen = done, settings
    return chosen


def _gapped(settings: Settings) -> Settings:
    """For robots that can't follow at once. The watchdog's ways out are for those that can."""
    steps = replace(settings.steps, gap=True, jam=replace(settings.steps.jam, patience=0))
    return replace(settings, steps=steps, few=None)


def _rehearse(instance: Instance, grid: Grid, settings: Settings, best: list[int]) -> list[int]:
    """Errands done after each step; cut short once it is clearly behind `best`."""
    floor = Floor(instance, grid)
    entry = _entry(instance, grid, settings)
    done: list[int] = []
    for step in range(REHEARSAL_STEPS):
        schedule = entry.match(floor)
        actions = entry.plan(floor, schedule, lambda made: made >= REHEARSAL_ITERATIONS)
        floor.step(actions, schedule)
        entry.made()
        done.append(len(floor.events))
        if step >= PATIENCE_STEPS and 10 * done[-1] < 8 * best[step]:
            break
    return done
