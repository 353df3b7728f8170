"""Teams on half of all cells, or nearly all: the rules are kept, and they go on driving."""

from __future__ import annotations

import numpy as np
import pytest

from planners.grid import Grid
from sim import lorr_entry
from sim.lorr import Match
from sim.lorr_files import Instance

STEPS, SIDE = 45, 12


def instance(seed: int, share: float = 0.5) -> Instance:
    """A hall with some walls, robots on a share of the other cells."""
    dice = np.random.default_rng(seed)
    free = dice.random((SIDE, SIDE)) > 0.2
    free[::3, :] = True
    free[:, ::3] = True
    cells = np.flatnonzero(free)
    starts = dice.permutation(cells)[: int(share * len(cells))].tolist()
    tasks = [dice.choice(cells, 3).tolist() for _ in range(4000)]
    return Instance("dense", free, starts, tasks, 1.5, "")


def test_a_dense_team_goes_on_driving() -> None:
    """Given robots on half of all cells, when they have driven for long, then no rule was broken, never
    more had tasks than may, and they do as much as they did."""
    match = Match(instance(3), iterations=64)
    assert match.settings == lorr_entry.DENSE
    few = match.settings.few
    assert few is not None
    most, done = few.active_permille * Grid.of(match.tasks.instance.free).nodes // 1000, []
    for part in (1, 2, 3):
        before = match.tasks.finished
        while match.tasks.time < part * STEPS:
            match.run(match.tasks.time + 1, 60.0)
            assert (match.tasks.current >= 0).sum() <= most
        done.append(match.tasks.finished - before)
    assert not match.tasks.planner_errors and not match.tasks.schedule_errors
    assert done[2] > 0.7 * done[1] and done[1] > 20, done


def test_a_full_floor_goes_on_driving() -> None:
    """Given robots on all cells but a few, when they have driven for long, then no rule was broken,
    they do as much as they did, and the same again."""
    match = Match(instance(5, 0.96), iterations=64)
    assert match.settings == lorr_entry.FULL
    done = []
    for part in range(1, 6):
        before = match.tasks.finished
        match.run(60 * part, 60.0)
        done.append(match.tasks.finished - before)
    assert not match.tasks.planner_errors and not match.tasks.schedule_errors
    assert min(done) > 0.5 * max(done) and sum(done) > 60, done
    again = Match(instance(5, 0.96), iterations=64)
    again.run(60, 60.0)
    assert again.tasks.finished == done[0]


def test_robots_that_cannot_follow_at_once_are_planned_otherwise() -> None:
    """Given a full floor and robots that need a gap, then nobody is told to turn in a circle."""
    full = instance(5, 0.96)
    assert lorr_entry.choose(full, Grid.of(full.free), gap=True).rotate is None


@pytest.mark.parametrize("seed", [1, 4])
def test_dead_ends_are_left_for_those_who_want_in(seed: int) -> None:
    """Given a full floor with dead ends, when most of the tasks that are left lead into one, then they
    go on being done; fewer are if whoever has nothing to do there stays."""
    dice = np.random.default_rng(seed)
    free = np.pad(instance(seed).free, 1)
    free[0, ::2], free[-1, ::2] = free[1, ::2], free[-2, ::2]  # a cell behind each second one
    cells = np.flatnonzero(free)
    tasks = [dice.choice(cells, 3).tolist() for _ in range(4000)]
    starts = dice.permutation(cells)[: int(0.97 * len(cells))].tolist()
    done = []
    for called in (True, False):
        match = Match(Instance("ends", free, starts, tasks, 1.5, ""), iterations=32)
        entry = match._entry
        assert isinstance(entry, lorr_entry.FullEntry)
        if not called:
            entry._pockets.gate[:] = -1
        match.run(500, 60.0)
        before = match.tasks.finished
        match.run(1000, 60.0)
        assert not match.tasks.planner_errors and not match.tasks.schedule_errors
        done.append(match.tasks.finished - before)
    assert done[0] > 1.2 * done[1] and done[0] > 50, done


def test_floors_that_are_too_large_to_rehearse_are_planned_as_dense_or_full() -> None:
    """Given more robots and cells than a rehearsal may have, but fewer than make a crowd, then how
    full the floor is still decides."""
    free = np.ones((39, 39), bool)
    cells = np.flatnonzero(free).tolist()
    for robots, settings in ((1450, lorr_entry.FULL), (1350, lorr_entry.DENSE)):
        large = Instance("large", free, cells[:robots], [[0, 1]], 1.5, "")
        assert robots * len(cells) > lorr_entry.REHEARSAL_MAX
        assert lorr_entry.choose(large, Grid.of(free)) == settings


def test_full_floors_are_no_crowds_up_to_three_thousand_robots() -> None:
    """Given 1,600 robots on 1,600 cells, more than make a crowd, then they change places all the same,
    and 3,001 are a crowd."""
    for side, robots, settings in ((40, 1600, lorr_entry.FULL), (56, 3001, lorr_entry.HUGE)):
        free = np.ones((side, side), bool)
        large = Instance("large", free, list(range(robots)), [[0, 1]], 1.5, "")
        assert lorr_entry.choose(large, Grid.of(free)) == settings
