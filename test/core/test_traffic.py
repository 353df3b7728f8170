"""The precedence graph: random sequences, random progress, and never two in each other's way."""

import random
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import ring

from orchestrator.core.traffic import Traffic

LOADED = ring(size=6)
ROADMAP = LOADED.site.roadmap


def joined(robots: int, chance: random.Random) -> Traffic:
    traffic = Traffic(ROADMAP, 3, [list(range(robots)) for _ in ROADMAP.bays])
    for robot, node in enumerate(chance.sample(range(ROADMAP.nodes), robots)):
        traffic.join(robot, 0, node, 0)
    return traffic


def sequence(traffic: Traffic, chance: random.Random, length: int) -> list[tuple[int, int]]:
    """Random moves that are possible one at a time from the frontiers."""
    at = list(traffic.tail)
    moves: list[tuple[int, int]] = []
    for _ in range(length):
        robot = chance.randrange(len(at))
        edges = [
            edge
            for edge in ROADMAP.out_edges[at[robot]]
            if all(stand == at[robot] or stand not in at for stand in ROADMAP.move_stands[edge])
        ]
        if edges:
            edge = chance.choice(edges)
            at[robot] = ROADMAP.edge_head[edge]
            moves.append((robot, edge))
    return moves


def check(traffic: Traffic, under_way: dict[int, deque[int]]) -> None:
    """Nothing held by one robot touches anything held by another."""
    held: dict[int, int] = {}
    for robot, edges in under_way.items():
        for edge in edges:
            held[edge] = robot
    for edge, robot in held.items():
        for other in ROADMAP.move_moves[edge]:
            assert held.get(other, robot) == robot
        for stand in ROADMAP.move_stands[edge]:
            assert traffic.stands.get(stand, robot) == robot


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 14))
def test_released_moves_never_conflict_and_every_plan_ends(seed: int, robots: int) -> None:
    chance = random.Random(seed)
    traffic = joined(robots, chance)
    for _ in range(4):
        moves = sequence(traffic, chance, 60)
        assert traffic.splice(moves, set()) == len(moves)
        under_way: dict[int, deque[int]] = {
            robot: deque(move.edge for move in traffic.released[robot]) for robot in range(robots)
        }
        for robot in range(robots):
            under_way[robot].extend(traffic.release(robot))
        stop_after = chance.randrange(80)  # then the next plan is spliced behind the frontiers
        while any(under_way.values()) and stop_after:
            stop_after -= 1
            check(traffic, under_way)
            robot = chance.choice([r for r, edges in under_way.items() if edges])
            wake = traffic.complete(robot, under_way[robot].popleft())
            assert wake is not None
            for index in wake:
                under_way[index].extend(traffic.release(index))
        if stop_after:
            assert not any(traffic.planned), "every move of a plan is released in the end"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, ROADMAP.edges + 5)), max_size=40))
def test_any_answer_of_a_planner_is_cut_where_it_stops_being_possible(
    moves: list[tuple[int, int]],
) -> None:
    traffic = joined(5, random.Random(1))
    taken = traffic.splice(moves, {4})
    assert taken + traffic.cut == len(moves)
    under_way = {robot: deque(traffic.release(robot)) for robot in range(5)}
    check(traffic, under_way)


def test_a_release_that_never_left_the_house_is_taken_back() -> None:
    traffic = joined(1, random.Random(2))
    before = traffic.tail[0]
    first = ROADMAP.out_edges[before][0]
    second = ROADMAP.out_edges[ROADMAP.edge_head[first]][0]
    traffic.splice([(0, first), (0, second)], set())
    released = traffic.release(0)
    assert released == (first, second)
    assert traffic.retract(0, released)
    assert (traffic.tail[0], traffic.still(0), traffic.tail_heading_deg[0]) == (before, True, 0)
    assert not traffic.retract(0, released)


def test_an_arrival_on_an_edge_that_was_not_released_is_not_believed() -> None:
    traffic = joined(1, random.Random(3))
    assert traffic.complete(0, 0) is None
    assert traffic.at[0] == traffic.tail[0]


def test_nobody_is_released_into_a_bay_without_a_ticket() -> None:
    bay = ROADMAP.bays[0]
    into = next(e for e in range(ROADMAP.edges) if ROADMAP.edge_head[e] == bay.node)
    traffic = Traffic(ROADMAP, 4, [[] for _ in ROADMAP.bays])
    traffic.join(0, 0, ROADMAP.edge_tail[into], 0)
    traffic.splice([(0, into)], set())
    assert traffic.release(0) == ()
    traffic.holders[0].append(0)
    assert traffic.release(0) == (into,)
