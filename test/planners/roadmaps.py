"""Small roadmaps to plan on."""

from __future__ import annotations

import numpy as np

from planners.protocols import PathPlan, PathProblem
from planners.roadmap import RoadmapArrays, Rows


def roadmap(
    nodes: int,
    edges: list[tuple[int, int, int]],
    bays: dict[int, int] | None = None,
    near: list[tuple[int, int]] | None = None,
    edge_ms: list[int] | None = None,
    turn_ms: int = 1500,
) -> RoadmapArrays:
    """One fleet. `edges` (tail, head, heading in degrees), `bays` node -> bay, `near` pairs of nodes
    on which two robots would touch."""
    out: list[list[int]] = [[] for _ in range(nodes)]
    in_: list[list[int]] = [[] for _ in range(nodes)]
    close: list[set[int]] = [{node} for node in range(nodes)]
    for a, b in near or []:
        close[a].add(b)
        close[b].add(a)
    for edge, (tail, head, _) in enumerate(edges):
        out[tail].append(edge)
        in_[head].append(edge)
    stands = [sorted(close[tail] | close[head]) for tail, head, _ in edges]
    touching = [set(row) for row in stands]
    moves = [[f for f, other in enumerate(touching) if own & other] for own in touching]
    bay = np.full(nodes, -1, np.int32)
    for node, number in (bays or {}).items():
        bay[node] = number
    table = np.array(edges, np.int32).reshape(-1, 3)
    return RoadmapArrays(
        node_bay=bay,
        edge_tail=table[:, 0].copy(),
        edge_head=table[:, 1].copy(),
        edge_heading_deg=table[:, 2].copy(),
        edge_fleets=np.ones(len(edges), np.int32),
        edge_ms=np.array([edge_ms or [1000] * len(edges)], np.int32),
        turn_ms=np.array([turn_ms], np.int32),
        out_edges=Rows.of(out),
        in_edges=Rows.of(in_),
        move_stands=Rows.of(stands),
        move_moves=Rows.of(moves),
        stand_stands=Rows.of([sorted(row) for row in close]),
        epoch="test",
        edge_sweep=np.arange(len(edges), dtype=np.int32),
    )


def aisles(count: int, length: int) -> RoadmapArrays:
    """A ring around `count` one-way aisles that alternate; each aisle node has a bay on its side.

    Columns 0..count-1 are aisles (even ones run north, odd ones south); the rows below and above
    them are one-way cross lanes, closed to a ring by the outermost columns."""
    height = length + 2
    core = count * height
    edges: list[tuple[int, int, int]] = []
    for x in range(count):
        for y in range(height - 1):
            low, high = x * height + y, x * height + y + 1
            edges.append((low, high, 90) if x % 2 == 0 else (high, low, 270))
    for x in range(count - 1):
        edges.append((x * height + height - 1, (x + 1) * height + height - 1, 0))
        edges.append(((x + 1) * height, x * height, 180))
    bays, node = {}, core
    for x in range(count):
        for y in range(1, height - 1):
            edges += [(x * height + y, node, 0), (node, x * height + y, 0)]
            bays[node] = node - core
            node += 1
    assert count % 2 == 0, "the last aisle must run south to close the ring"
    return roadmap(node, edges, bays)


def walk(arrays: RoadmapArrays, problem: PathProblem, plan: PathPlan) -> np.ndarray:
    """Make the moves one at a time and check each; return where everybody is in the end."""
    node = problem.node.copy()
    shut = set(problem.blocked.tolist())
    for robot, edge in zip(plan.robot.tolist(), plan.edge.tolist(), strict=True):
        tail, head = int(arrays.edge_tail[edge]), int(arrays.edge_head[edge])
        fleet = int(problem.fleet[robot])
        move = fleet * arrays.edges + edge
        row = arrays.move_stands
        swept = set(row.items[row.offset[move] : row.offset[move + 1]].tolist())
        others = {
            int(problem.fleet[j]) * arrays.nodes + int(node[j])
            for j in range(len(node))
            if j != robot
        }
        assert node[robot] == tail, "a robot leaves from where it is"
        assert not swept & others, "somebody stands in the way"
        assert not problem.fixed[robot], "a fixed robot moved"
        assert (arrays.edge_fleets[edge] >> fleet) & 1, "a lane that is closed to the fleet"
        assert head not in shut, "a blocked node was entered"
        bay, goal = arrays.node_bay[head], problem.goal[robot]
        allowed = (
            bay < 0,
            bay == arrays.node_bay[tail],
            goal >= 0 and bay == arrays.node_bay[goal],
        )
        assert any(allowed), "a stranger in a bay"
        node[robot] = head
    return node
