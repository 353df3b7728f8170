"""The gate believes nothing: whatever a core commands, nobody is let into anybody."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import ring

from orchestrator.core.messages import ExtendBase
from orchestrator.gate import Gate

ROADMAP = ring(size=6).site.roadmap


def gate_with(nodes: list[int]) -> Gate:
    gate = Gate(ROADMAP)
    for robot, node in enumerate(nodes):
        gate.joined(robot, 0, node)
    return gate


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 10))
def test_held_resources_never_conflict_whatever_is_asked_for(seed: int, robots: int) -> None:
    chance = random.Random(seed)
    nodes = chance.sample(range(ROADMAP.nodes), robots)
    gate = gate_with(nodes)
    base: dict[int, list[int]] = {robot: [] for robot in range(robots)}
    at = dict(enumerate(nodes))
    let_through = 0
    for _ in range(120):
        robot = chance.randrange(robots)
        if base[robot] and chance.random() < 0.4:
            edge = base[robot].pop(0)
            at[robot] = ROADMAP.edge_head[edge]
            gate.reached(robot, edge)
            continue
        node = ROADMAP.edge_head[base[robot][-1]] if base[robot] else at[robot]
        edges = (chance.choice(ROADMAP.out_edges[node]),) if ROADMAP.out_edges[node] else ()
        if edges and not gate.check(ExtendBase(robot=robot, edges=edges)):
            base[robot] += edges
            let_through += 1
        for one, held in base.items():
            for edge in held:
                for other, others in base.items():
                    if other != one:
                        assert not set(ROADMAP.move_moves[edge]) & set(others)
                        end = ROADMAP.edge_head[others[-1]] if others else at[other]
                        assert end not in ROADMAP.move_stands[edge]
    assert let_through


def test_reasons_name_what_is_wrong() -> None:
    core = [n for n in range(ROADMAP.nodes) if ROADMAP.node_bay[n] < 0]
    first = ROADMAP.out_edges[core[0]][0]
    gate = gate_with([core[0], ROADMAP.edge_head[first]])
    assert "unknown" in gate.check(ExtendBase(robot=9, edges=(first,)))
    assert "does not exist" in gate.check(ExtendBase(robot=0, edges=(10**6,)))
    assert "conflicts with what robot 1 holds" in gate.check(ExtendBase(robot=0, edges=(first,)))
    second = ROADMAP.out_edges[ROADMAP.edge_head[first]][0]
    assert "does not continue" in gate.check(ExtendBase(robot=0, edges=(second,)))
    assert gate.frontier(0) == core[0], "what is refused changes nothing"


def test_an_arrival_frees_what_lies_behind_and_a_lie_frees_nothing() -> None:
    core = [n for n in range(ROADMAP.nodes) if ROADMAP.node_bay[n] < 0]
    a = ROADMAP.out_edges[core[0]][0]
    b = ROADMAP.out_edges[ROADMAP.edge_head[a]][0]
    gate = gate_with([core[0], ROADMAP.edge_tail[ROADMAP.edges - 1]])
    assert gate.check(ExtendBase(robot=0, edges=(a, b))) == ""
    gate.reached(0, 10**5)
    gate.reached(5, a)
    assert gate.frontier(0) == ROADMAP.edge_head[b]
    gate.reached(0, b)
    assert gate.frontier(0) == ROADMAP.edge_head[b]
    assert (
        gate.check(ExtendBase(robot=0, edges=(ROADMAP.out_edges[ROADMAP.edge_head[b]][0],))) == ""
    )


def test_what_is_taken_back_takes_what_lies_behind_it_with_it() -> None:
    gate = gate_with([0])
    base: list[int] = []
    for _ in range(4):
        base.append(ROADMAP.out_edges[gate.frontier(0)][0])
        assert not gate.check(ExtendBase(robot=0, edges=(base[-1],)))
    assert gate.holds(0, tuple(base)) and not gate.holds(1, (base[0],))
    gate.taken_back(0, (base[1],))
    assert gate.holds(0, (base[0],)) and not gate.holds(0, (base[1],))
    assert gate.frontier(0) == ROADMAP.edge_head[base[0]]
    assert "does not continue" in gate.check(ExtendBase(robot=0, edges=(base[3],)))
    assert not gate.check(ExtendBase(robot=0, edges=tuple(base[1:])))
