"""What is left of a fleet's core where lanes are closed. *Live*: the largest strongly connected part.
*Ahead*: leads to it. *Trapped*: leads to it only backwards, by contraflow. *Enclosed*: not at all.

Live robots never enter trapped or enclosed lanes. Each trapped node has one way out and no other: a
tree towards the live part, so robots that back out never meet head-on. Contraflow is not opened on
lanes where another fleet goes on driving.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from orchestrator.core.roadmap import Roadmap

LOOP_NODES = 3  # a live part is at least such a loop


@dataclass(slots=True)
class Reach:
    """Where a robot gets: to the nodes near it, and, beyond the live part, wherever that leads."""

    near: dict[int, None]  # up to the live part
    live: bool  # that is among them
    beyond: dict[int, None]  # shared by all that get to the live part

    def __contains__(self, node: int) -> bool:
        return node in self.near or (self.live and node in self.beyond)


@dataclass(slots=True)
class Part:
    """What is left to one fleet."""

    shut: dict[int, None]  # edges closed by obstacles
    live: dict[int, None] = field(default_factory=dict)  # nodes
    ahead: dict[int, None] = field(default_factory=dict)
    exits: dict[int, int] = field(default_factory=dict)  # trapped node -> its one way out
    out: dict[int, list[int]] = field(default_factory=dict)  # node -> edges that may be driven
    bays: dict[int, None] = field(
        default_factory=dict
    )  # reached from the live part, and left again
    reach: dict[int, Reach] = field(default_factory=dict)  # by node, as far as anybody asked
    beyond: dict[int, None] = field(default_factory=dict)  # where the live part leads

    def goes_on(self, node: int) -> bool:
        """From this node of the core there is a way to the live part."""
        return node in self.live or node in self.ahead or node in self.exits


@dataclass(slots=True)
class Closures:
    """`parts` by fleet; empty: nothing is closed."""

    parts: list[Part] = field(default_factory=list)
    packed: bytes = b""  # what differs from the roadmap, for requests


def cut(roadmap: Roadmap, moves: dict[int, None]) -> list[Part]:
    """What is left to each fleet where these moves are closed."""
    shut: list[list[int]] = [[] for _ in range(roadmap.fleets)]
    for move in moves:
        shut[move // roadmap.edges].append(move % roadmap.edges)
    parts = [_part(roadmap, fleet, edges) for fleet, edges in enumerate(shut)]
    for fleet, part in enumerate(parts):
        _exits(roadmap, fleet, parts)
        _ways(roadmap, fleet, part)
        if part.live:
            part.beyond = _walk(roadmap, part, next(iter(part.live)), {})
    return parts


def reach_of(roadmap: Roadmap, part: Part, start: int) -> Reach:
    """Where a robot gets from a node; through a bay nobody passes but out of the one he is in."""
    known = part.reach.get(start)
    if known is None:
        near = _walk(roadmap, part, start, part.live)
        known = Reach(near, any(node in part.live for node in near), part.beyond)
        part.reach[start] = known
    return known


def _walk(roadmap: Roadmap, part: Part, start: int, last: dict[int, None]) -> dict[int, None]:
    """The nodes that are come to from `start`; from those in `last` nobody goes on."""
    node_bay = roadmap.node_bay
    nodes: dict[int, None] = {start: None}
    todo = deque(nodes)
    while todo:
        tail = todo.popleft()
        for edge in part.out.get(tail, ()) if tail not in last else ():
            head = roadmap.edge_head[edge]
            if head in nodes:
                continue
            nodes[head] = None
            bay = node_bay[head]
            if bay < 0 or bay == node_bay[start] or head != roadmap.bays[bay].node:
                todo.append(head)
    return nodes


def leads_out(roadmap: Roadmap, part: Part, bay: int) -> bool:
    """Who is served in the bay gets back to the live part."""
    edges = part.out.get(roadmap.bays[bay].node, ())
    return any(part.goes_on(roadmap.edge_head[edge]) for edge in edges)


def _part(roadmap: Roadmap, fleet: int, shut: list[int]) -> Part:
    """The live part and what is ahead of it."""
    part = Part(dict.fromkeys(shut))
    after: dict[int, list[int]] = {}
    before: dict[int, list[int]] = {}
    for edge in range(roadmap.edges):
        tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
        usable = roadmap.edge_fleets[edge] >> fleet & 1 and edge not in part.shut
        if usable and roadmap.node_bay[tail] < 0 and roadmap.node_bay[head] < 0:
            after.setdefault(tail, []).append(head)
            before.setdefault(head, []).append(tail)
    largest: list[int] = []
    for component in components(after, before):
        if len(component) >= max(LOOP_NODES, len(largest) + 1):
            largest = component
    part.live = dict.fromkeys(sorted(largest))
    todo = deque(part.live)
    while todo:
        for node in before.get(todo.popleft(), ()):
            if node not in part.live and node not in part.ahead:
                part.ahead[node] = None
                todo.append(node)
    return part


def components(after: dict[int, list[int]], before: dict[int, list[int]]) -> list[list[int]]:
    """Strongly connected components (Kosaraju: by finishing times, then against the edges)."""
    finished: list[int] = []
    seen: dict[int, None] = {}
    for root in after:
        if root in seen:
            continue
        seen[root] = None
        stack = [(root, iter(after.get(root, ())))]
        while stack:
            node, heads = stack[-1]
            head = next((h for h in heads if h not in seen), -1)
            if head < 0:
                stack.pop()
                finished.append(node)
            else:
                seen[head] = None
                stack.append((head, iter(after.get(head, ()))))
    found: list[list[int]] = []
    taken: dict[int, None] = {}
    for root in reversed(finished):
        if root in taken:
            continue
        taken[root] = None
        component = [root]
        for node in component:  # grows meanwhile
            for tail in before.get(node, ()):
                if tail not in taken and tail in seen:
                    taken[tail] = None
                    component.append(tail)
        found.append(component)
    return found


def _exits(roadmap: Roadmap, fleet: int, parts: list[Part]) -> None:
    """For each trapped node the one edge that it is left by: breadth first from the live part."""
    part = parts[fleet]
    into: dict[int, list[int]] = {}
    for edge, head in enumerate(roadmap.edge_head):
        tail, lane = roadmap.edge_tail[edge], roadmap.sweep(edge)
        if roadmap.edge_fleets[lane] >> fleet & 1 and lane not in part.shut:
            back = edge != lane and _foreign(roadmap, fleet, lane, parts)
            if roadmap.node_bay[tail] < 0 and roadmap.node_bay[head] < 0 and not back:
                into.setdefault(head, []).append(edge)
    todo = deque((*part.live, *part.ahead))
    while todo:
        for edge in into.get(todo.popleft(), ()):
            tail = roadmap.edge_tail[edge]
            if tail not in part.live and tail not in part.ahead and tail not in part.exits:
                part.exits[tail] = edge
                todo.append(tail)


def _foreign(roadmap: Roadmap, fleet: int, lane: int, parts: list[Part]) -> bool:
    """Does another fleet go on driving where this lane is?"""
    for move in roadmap.move_moves[roadmap.move(fleet, lane)]:
        other, edge = move // roadmap.edges, move % roadmap.edges
        part = parts[other]
        ends = (roadmap.edge_tail[edge], roadmap.edge_head[edge])
        if other != fleet and edge not in part.shut and all(end in part.live for end in ends):
            return True
    return False


def _ways(roadmap: Roadmap, fleet: int, part: Part) -> None:
    """Which edges may be driven, and which bays are in reach."""
    for edge, tail in enumerate(roadmap.edge_tail):
        if _drivable(roadmap, fleet, part, edge):
            part.out.setdefault(tail, []).append(edge)
    entered: dict[int, None] = {}
    for node in part.live:
        for edge in part.out.get(node, ()):
            bay = roadmap.node_bay[roadmap.edge_head[edge]]
            if bay >= 0 and _through(roadmap, part, bay, roadmap.edge_head[edge]):
                entered[bay] = None
    part.bays = entered


def _through(roadmap: Roadmap, part: Part, bay: int, first: int) -> bool:
    """From its first node to its last, and out to where there is a way on."""
    nodes = roadmap.bays[bay].nodes
    if first != nodes[0]:
        return False
    for a, b in pairwise(nodes):
        if all(roadmap.edge_head[edge] != b for edge in part.out.get(a, ())):
            return False
    return leads_out(roadmap, part, bay)


def _drivable(roadmap: Roadmap, fleet: int, part: Part, edge: int) -> bool:
    lane, tail, head = roadmap.sweep(edge), roadmap.edge_tail[edge], roadmap.edge_head[edge]
    if not roadmap.edge_fleets[lane] >> fleet & 1 or lane in part.shut:
        return False
    if tail in part.exits:
        return part.exits[tail] == edge
    if edge != lane:
        return False
    if roadmap.node_bay[tail] < 0 and roadmap.node_bay[head] < 0:
        free = tail in part.live or tail in part.ahead
        return not free or head in part.live or head in part.ahead
    return True


def changes(roadmap: Roadmap, parts: list[Part]) -> dict[int, int]:
    """Edge -> fleets, where it differs from the roadmap."""
    fleets = [0] * len(roadmap.edge_tail)
    for fleet, part in enumerate(parts):
        for edges in part.out.values():
            for edge in edges:
                fleets[edge] |= 1 << fleet
    known = zip(fleets, roadmap.edge_fleets, strict=True)
    return {edge: now for edge, (now, before) in enumerate(known) if now != before}
