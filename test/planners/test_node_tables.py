"""Tables that don't fit for all goals say what complete ones say, whoever asks in whatever order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planners import node_tables
from planners.crowd import CrowdMatcher, CrowdMatchParameters
from planners.grid import Grid
from planners.guidance import Paces, alternate
from planners.kernels.matching import likely_places
from planners.kernels.states import FAR_STEPS, parts
from planners.node_tables import NodeTables

ROWS = 12


def both(seed: int, against: int = 8) -> tuple[NodeTables, NodeTables]:
    """Of a random floor, in parts perhaps: tables that hold `ROWS` goals at a time, and all."""
    free = np.random.default_rng(seed).random((8, 9)) > 0.3
    grid = Grid.of(free)
    paces = Paces.of(alternate(free, grid, against))
    goals = np.arange(grid.nodes, dtype=np.int32)
    return NodeTables(grid, paces, goals, 1, 2 * ROWS * grid.nodes), NodeTables(grid, paces, goals)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 20), data=st.data())
def test_they_say_what_complete_ones_say(seed: int, data: st.DataObject) -> None:
    some, whole = both(seed)
    assert whole.complete and not some.complete and len(some.tables) == ROWS
    node = st.integers(0, some.grid.nodes - 1)
    for asked in data.draw(st.lists(st.lists(node, min_size=1, max_size=ROWS), max_size=8)):
        goals = np.array(asked, np.int32)
        assert (some.tables[some.rows(goals)] == whole.tables[whole.rows(goals)]).all()
        states = 4 * goals[::-1]
        assert (some.togo(goals, states) == whole.togo(goals, states)).all()
        assert (some.between(goals, states) == whole.between(goals, states)).all()


@pytest.mark.parametrize("seed", range(4))
def test_legs_are_estimated_from_below(seed: int) -> None:
    """Without lanes: no leg is longer than its way, and most of the ways are in what landmarks say."""
    some, whole = both(seed, against=0)
    tails, heads = (pair.ravel().astype(np.int32) for pair in np.indices(2 * (some.grid.nodes,)))
    exact, legs = whole.legs(tails, heads), some.legs(tails, heads)
    known = exact < FAR_STEPS
    assert (legs >= 0).all() and (legs[known] <= exact[known]).all()
    assert legs[known].sum() > 0.8 * exact[known].sum()


def test_goals_are_admitted_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has a row is admitted at once, of other goals as many as are filled in a moment, and never
    more than there is room for."""
    some, _ = both(0)
    some.rows(np.array([3, 5, 7], np.int32))
    asked = np.array([9, 3, 9, 5, 11, 7, 13], np.int32)
    assert some.admit(asked, ROWS).all()
    assert some.admit(asked, 3).tolist() == [True, True, True, True, False, False, False]
    monkeypatch.setattr(node_tables, "MOMENT_NODES", some.grid.nodes)
    assert some.admit(asked, ROWS).tolist() == [True, True, True, True, False, True, False]


def test_too_many_goals_at_a_time_are_refused() -> None:
    some, _ = both(0)
    with pytest.raises(MemoryError, match="13 goals at a time, but only 12 tables fit"):
        some.rows(np.arange(ROWS + 1, dtype=np.int32))


@pytest.mark.parametrize("seed", range(3))
def test_likely_places_are_those_that_landmarks_say_are_cheapest(seed: int) -> None:
    chance = np.random.default_rng(seed)
    here = chance.integers(0, 400, (30, 5)).astype(np.int32)
    there = chance.integers(0, 400, (5, 80)).astype(np.int32)
    least = chance.integers(0, 60, 80).astype(np.int32)
    place = np.full((30, 12), -1, np.int64)
    likely_places(here, there, least, 4, place)
    cost = np.maximum(0, (here[:, :, None] - there[None]).max(axis=1)) + least
    for mine, costs in zip(place, cost, strict=True):
        assert len(set(mine.tolist())) == 12
        assert np.sort(costs[mine]).tolist() == np.sort(costs)[:12].tolist()


def test_all_tasks_are_seen_in_the_end() -> None:
    """Given more places of tasks than have room, when robots take and end tasks, then all get done."""
    some, whole = both(2, against=0)
    part = np.flatnonzero(whole.tables[whole.rows(np.array([30], np.int32))[0]] < FAR_STEPS)
    tasks = {n: [int(part[n]), int(part[-1 - n])] for n in range(len(part) // 2)}
    assert len(tasks) > ROWS
    matcher = CrowdMatcher(some, CrowdMatchParameters())
    states = 4 * part[:4].astype(np.int32)
    done = 0
    while tasks:
        held = matcher.match(tasks, states, np.full(4, -1, np.int32))
        taken = held[held >= 0].tolist()
        assert taken and len(set(taken)) == len(taken)
        done += len(taken)
        tasks = {task: errands for task, errands in tasks.items() if task not in taken}
    assert done == len(part) // 2


@pytest.mark.parametrize("bytes_max", [30_000, 1 << 20])
def test_ways_too_long_for_small_tables_are_known(bytes_max: int) -> None:
    """Given a corridor in which a way costs more than 65,535, where all fits and where it doesn't."""
    grid = Grid.of(np.ones((1, 9000), bool))
    paces = Paces.of(alternate(np.ones((1, 9000), bool), grid, 16))
    tables = NodeTables(grid, paces, np.zeros(1, np.int32), bytes_max)
    assert tables.complete == (bytes_max > 36_000)
    start, end = np.array([4 * 8999], np.int32), np.zeros(1, np.int32)
    assert tables.togo(end, start)[0] == tables.legs(start >> 2, end)[0] == 20 * 8999


def test_landmarks_are_not_lost_on_pockets() -> None:
    """Given a floor with more than a hundred parts, nearly all of a few cells."""
    free = np.random.default_rng(0).random((128, 128)) > 0.3
    grid = Grid.of(free)
    goals = np.arange(grid.nodes, dtype=np.int32)
    some = NodeTables(grid, Paces.of(alternate(free, grid, 0)), goals, 1, 200 * grid.nodes)
    part = parts(grid.ahead)
    main = np.flatnonzero(part == np.bincount(part).argmax()).astype(np.int32)
    heads, tails = np.random.default_rng(1).choice(main, (2, 90))
    assert part.max() > 100
    assert some.legs(tails, heads).sum() > 0.85 * some.togo(heads, 4 * tails).sum()


def test_where_no_table_has_room_no_task_is_seen() -> None:
    grid = Grid.of(np.ones((4, 4), bool))
    goals = np.arange(16, dtype=np.int32)
    some = NodeTables(grid, Paces.of(alternate(np.ones((4, 4), bool), grid, 0)), goals, 1, 2 * 32)
    matcher, none = CrowdMatcher(some), np.full(1, -1, np.int32)
    assert len(some.tables) == 2
    assert matcher.match({0: [3, 5]}, np.zeros(1, np.int32), none).tolist() == [-1]
