"""Who goes first after all: random floors and robots that are late, and a story in which it pays."""

import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from failing import busy, driving
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import ring

from orchestrator.core import proof, switching
from orchestrator.core.messages import RobotJoined
from orchestrator.core.roadmap import Bay, Roadmap
from orchestrator.core.switching import LONGEST, go_first
from orchestrator.core.traffic import Move, Traffic
from orchestrator.layout.grid import grid_site

Plan = list[tuple[int, int]]
FLOORS = 5


@cache
def floor(number: int) -> Roadmap:
    """A ring with bays, or a small hall with pillars at random."""
    if number == 0:
        return ring(size=6).site.roadmap
    free = np.random.default_rng(number).random((4 + number % 2, 5)) > 0.1 * number / FLOORS
    return grid_site(free, f"hall-{number}").site.roadmap


class Drive:
    """Robots on a floor that drive what they are given, one edge at a time."""

    def __init__(self, roadmap: Roadmap, starts: list[int], lookahead: int = 3) -> None:
        self.traffic = Traffic(roadmap, lookahead, [list(range(len(starts)))] * len(roadmap.bays))
        for robot, node in enumerate(starts):
            self.traffic.join(robot, 0, node, 0)
        self.base: list[deque[int]] = [deque() for _ in starts]
        self.roadmap = roadmap

    def plan(self, moves: Plan) -> None:
        assert self.traffic.splice(moves, set()) == len(moves)
        for robot in range(len(self.base)):
            self.release(robot)

    def release(self, robot: int) -> None:
        self.base[robot].extend(self.traffic.release(robot))

    def switch(self, robot: int) -> bool:
        if not go_first(self.traffic, robot):
            return False
        self.release(robot)
        return True

    def drive(self, robot: int) -> None:
        woken = self.traffic.complete(robot, self.base[robot].popleft())
        for other in woken or ():
            self.release(other)

    def check(self) -> None:
        """The graph is what it must be, and nothing held by one robot touches what another holds."""
        assert proof.broken(self.traffic) == []
        held = {edge: robot for robot, base in enumerate(self.base) for edge in base}
        for edge, robot in held.items():
            for other in self.roadmap.move_moves[edge]:
                assert held.get(other, robot) == robot
            for stand in self.roadmap.move_stands[edge]:
                assert self.traffic.stands.get(stand, robot) == robot


def sequence(drive: Drive, chance: random.Random, length: int) -> Plan:
    """Random moves that are possible one at a time from the frontiers; few turn back."""
    roadmap, at = drive.roadmap, list(drive.traffic.tail)
    came = [-1] * len(at)
    moves: Plan = []
    for _ in range(length):
        robot = chance.randrange(len(at))
        edges = [
            edge
            for edge in roadmap.out_edges[at[robot]]
            if all(stand == at[robot] or stand not in at for stand in roadmap.move_stands[edge])
            and (roadmap.edge_head[edge] != came[robot] or chance.random() < 0.1)
        ]
        if edges:
            edge = chance.choice(edges)
            came[robot], at[robot] = at[robot], roadmap.edge_head[edge]
            moves.append((robot, edge))
    return moves


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, FLOORS - 1), st.integers(2, 7), st.integers(1, 4))
def test_whoever_is_late_there_is_no_cycle_no_contact_and_all_arrive(
    seed: int, number: int, robots: int, lookahead: int
) -> None:
    """Given random plans and robots of which some hardly move, when others go first wherever that is
    allowed, then graph and frontiers are sound all the time, and everybody ends where he was to end."""
    chance = random.Random(seed)
    roadmap = floor(number)
    drive = Drive(roadmap, chance.sample(range(roadmap.nodes), robots), lookahead)
    late = [chance.choice((0.03, 0.3, 1.0)) for _ in range(robots)]
    for _ in range(3):
        moves = sequence(drive, chance, 50)
        ends = dict(enumerate(drive.traffic.tail)) | {r: roadmap.edge_head[e] for r, e in moves}
        drive.plan(moves)
        stop_after = chance.choice(
            (15, 10**6)
        )  # then the next plan is spliced behind the frontiers
        while any(drive.base) and stop_after:
            stop_after -= 1
            for robot in range(robots):
                if drive.switch(robot):
                    drive.check()
            able = [robot for robot, base in enumerate(drive.base) if base]
            drive.drive(chance.choices(able, [late[robot] for robot in able])[0])
            drive.check()
        if stop_after:
            assert not any(drive.traffic.planned), "every move of a plan is driven in the end"
            assert dict(enumerate(drive.traffic.at)) == ends


def test_the_random_plans_do_switch() -> None:
    """What the property above says it says of something."""
    switched = 0
    for seed in range(40):
        chance = random.Random(seed)
        roadmap = floor(1 + seed % (FLOORS - 1))
        drive = Drive(roadmap, chance.sample(range(roadmap.nodes), 4), 1 + seed % 3)
        drive.plan(sequence(drive, chance, 50))
        while any(drive.base):
            for robot in range(4):
                drive.switch(robot)
            able = [robot for robot, base in enumerate(drive.base) if base]
            drive.drive(chance.choices(able, [0.1 + robot for robot in able])[0])
        switched += drive.traffic.switched
    assert switched >= 20


@cache
def hall() -> Roadmap:
    """Five by seven cells."""
    return grid_site(np.ones((5, 7), bool), "hall").site.roadmap


def way(*cells: tuple[int, int], robot: int) -> Plan:
    """Moves of a robot from cell to cell of the hall."""
    roadmap = hall()
    ends = pairwise(7 * row + column for row, column in cells)
    edges = {(roadmap.edge_tail[e], roadmap.edge_head[e]): e for e in range(roadmap.edges)}
    return [(robot, edges[end]) for end in ends]


def east(row: int, first: int, last: int) -> list[tuple[int, int]]:
    return [(row, column) for column in range(first, last + 1)]


A, B, C = 0, 1, 2
CROSSING = [(1, 5), (2, 5), (3, 5)]  # of B, while A drives east along row 2


def crossing(b_way: list[tuple[int, int]], first: int = 0, lookahead: int = 3) -> Drive:
    """A drives along row 2 from a column on and makes room; B waits for it: so it was planned."""
    drive = Drive(hall(), [14 + first, 7 * b_way[0][0] + b_way[0][1]], lookahead)
    drive.plan([*way(*east(2, first, 6), (1, 6), robot=A), *way(*b_way, robot=B)])
    assert drive.base[A] and not drive.base[B]
    return drive


def arrivals(drive: Drive, takes: dict[int, int], *, switch: bool) -> dict[int, int]:
    """When each robot ends, where an edge takes it so long."""
    left = {robot: takes[robot] for robot in takes if drive.base[robot]}
    ended: dict[int, int] = {}
    for now in range(1, 1000):
        for robot in takes:
            if switch and drive.switch(robot):
                drive.check()
        for robot in [r for r in takes if drive.base[r]]:
            left[robot] = left.get(robot, takes[robot]) - 1
            if not left[robot]:
                drive.drive(robot)
                drive.check()
                left[robot], ended[robot] = takes[robot], now
    assert not any(drive.traffic.planned)
    return ended


def test_who_waits_for_one_that_is_late_goes_first() -> None:
    """Given A, planned to pass first, that needs ten times as long, when B may go first, then B doesn't
    wait for it at all, and A is no later for it."""
    takes = {A: 10, B: 1}
    waits = arrivals(crossing(CROSSING), takes, switch=False)
    drive = crossing(CROSSING)
    saves = arrivals(drive, takes, switch=True)
    assert waits == {A: 70, B: 62}
    assert saves == {A: 70, B: 2}
    assert drive.traffic.switched == 1


def test_a_stretch_that_both_drive_is_switched_as_a_whole() -> None:
    """Given B that shares a lane with A before it leaves it, then all of that goes first."""
    shared = [(1, 4), (2, 4), (2, 5), (3, 5)]
    drive = crossing(shared, lookahead=3)
    assert drive.switch(B)
    drive.check()
    assert [move.rank for move in drive.traffic.released[B]] == [-3, -2, -1]
    assert not drive.switch(A), "and it is not switched back"


def test_who_would_stay_in_the_way_waits() -> None:
    drive = crossing(CROSSING[:2])
    assert not drive.switch(B)
    drive.check()


def test_who_is_nearly_there_is_not_held_up() -> None:
    """A has two cells to go to the place: B may be on its way for two, and not for three."""
    assert not crossing([(1, 5), (2, 5), (2, 6), (3, 6)], first=2, lookahead=2).switch(B)
    assert crossing(CROSSING, first=2, lookahead=2).switch(B)


def test_nobody_goes_first_through_one_that_stands_there() -> None:
    """C is to leave B's way only when A is gone."""
    drive = Drive(hall(), [14, 12, 26])
    a_way = [*east(2, 0, 6), (3, 6), (4, 6)]
    moves = [*way(*a_way, robot=A), *way((3, 5), (3, 6), robot=C), *way(*CROSSING, robot=B)]
    drive.plan(moves)
    assert not drive.switch(B)
    while drive.traffic.tail[C] == 26:
        drive.drive(A)
    assert not drive.traffic.switched


def test_what_is_released_is_not_taken_back() -> None:
    drive = crossing(CROSSING, lookahead=5)
    assert not drive.switch(B), "A has the place, though it is far"


def test_nothing_is_switched_while_a_plan_is_made() -> None:
    drive = crossing(CROSSING)
    drive.traffic.frozen = True
    assert not drive.switch(B)
    drive.traffic.frozen = False
    assert drive.switch(B)


def test_nobody_goes_first_into_a_bay_without_a_ticket() -> None:
    drive = crossing(CROSSING)
    node_bay = tuple(0 if node == 26 else -1 for node in range(hall().nodes))
    drive.traffic.roadmap = replace(hall(), node_bay=node_bay, bays=(Bay("b", "slot", (26,), 1),))
    drive.traffic.holders = [[A]]
    assert not drive.switch(B)
    drive.traffic.holders[0].append(B)
    assert drive.switch(B)


def test_a_look_costs_a_bounded_number_of_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long plans are, and however many wait."""
    looked: Counter[int] = Counter()
    known = switching._touching

    def counted(traffic: Traffic, move: Move) -> Iterator[Move]:
        looked[move.robot] += 1
        return known(traffic, move)

    monkeypatch.setattr(switching, "_touching", counted)
    chance = random.Random(5)
    drive = Drive(hall(), chance.sample(range(hall().nodes), 12), 2)
    drive.plan(sequence(drive, chance, 600))
    for _ in range(60):
        for robot in range(12):
            looked.clear()
            switched = drive.switch(robot)
            assert looked[robot] <= LONGEST * (2 if switched else 1)
        able = [robot for robot, base in enumerate(drive.base) if base]
        drive.drive(chance.choice(able[:3]))


def test_the_proof_finds_what_is_wrong() -> None:
    """A graph with a planted flaw is not taken for sound."""

    def flawed(flaw: object) -> str:
        drive = crossing(CROSSING)
        flaw(drive.traffic)  # type: ignore[operator]
        return "; ".join(proof.broken(drive.traffic))

    def cycle(traffic: Traffic) -> None:
        traffic.planned[B][-1].followers.append(traffic.planned[A][0])
        traffic.planned[A][0].waits += 1

    def forgotten(traffic: Traffic) -> None:
        for queue in (*traffic.released, *traffic.planned):
            for move in queue:
                move.followers.clear()

    def blocking(traffic: Traffic) -> None:
        traffic.planned[B][0].rank = -1

    assert flawed(lambda _: None) == ""
    assert "which comes later" in flawed(cycle)
    assert "does not wait for" in flawed(forgotten)
    assert "leads through robot 1" in flawed(blocking)


def test_a_robot_that_joins_where_others_were_to_pass_ends_their_plan() -> None:
    """Given a plan that leads through a node, when a robot joins there, then nobody drives it."""
    story = driving(horizon=12, lookahead=3)
    traffic = story.world.traffic
    roadmap, robot, name = traffic.roadmap, busy(story), len(traffic.at)
    nodes = [roadmap.edge_head[move.edge] for move in traffic.planned[robot]]
    node = [node for node in nodes if roadmap.node_bay[node] < 0][-1]
    joined = RobotJoined(name, "late", 0, node, 0, 1000)
    story.say(joined)
    assert traffic.at[name] == node and proof.broken(traffic) == []
