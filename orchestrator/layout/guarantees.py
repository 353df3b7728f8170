"""What the traffic guarantees need of a layout (well-formed infrastructures: Cap et al. 2015)."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

from orchestrator.core.roadmap import Roadmap
from orchestrator.core.site import Site
from orchestrator.layout import thoroughfares
from orchestrator.layout.findings import LISTED_MAX, Finding, listed
from orchestrator.layout.lif_checks import beyond
from orchestrator.layout.site_file import SiteFile

FLEETS_ALL_SETS = 8  # up to here every set of fleets is looked at


def check(site: Site, spec: SiteFile, file: str, severity: str) -> list[Finding]:
    """Per fleet: core strongly connected, lanes on cycles, bays with ways in and out, room to park.
    For all: no two bays so close that robots resting in them would touch, none in the way of others."""
    found: list[Finding] = []
    for fleet, name in enumerate(spec.fleets):
        core = _core_edges(site.roadmap, fleet)
        for text, mend in _connected(site.roadmap, core, name):
            found.append(Finding(severity, file, "$.layouts[0].edges", text, mend))
        pairs = [(site.roadmap.edge_tail[e], site.roadmap.edge_head[e]) for e in core]
        main = {node for pair in pairs for node in pair}
        main -= set(beyond(np.array(pairs), site.roadmap.nodes)) if pairs else set()
        found += _bays(site.roadmap, fleet, name, main, file, severity)
    for index, bay in enumerate(site.roadmap.bays):
        if not bay.fleets:
            text, mend = f"no fleet finds a way into {bay.id}", "join it to a lane by an edge"
            path = f"$.layouts[0].stations[{index}]"
            found.append(Finding(severity, file, path, text, mend))
    if site.roadmap.bays:
        for text in _parking(site.roadmap, spec):
            mend = "add parking bays, or take fewer robots"
            found.append(Finding(severity, file, "$.layouts[0].stations", text, mend))
    for text in _opposed(site.roadmap):
        mend = "let all fleets that share a lane drive it the same way"
        found.append(Finding(severity, file, "$.layouts[0].edges", text, mend))
    found += _cramped(site.roadmap, file, severity)
    found += thoroughfares.check(site.roadmap, list(spec.fleets), file, severity)
    return found


def _opposed(roadmap: Roadmap) -> list[str]:
    """Lanes that one fleet drives one way and another the other: neither can make way for the other,
    and the first two that meet shut it. (A fleet that drives a lane both ways turns back.)"""
    bay = roadmap.node_bay
    open_to = {
        (tail, head): fleets
        for tail, head, fleets in zip(
            roadmap.edge_tail, roadmap.edge_head, roadmap.edge_fleets, strict=True
        )
        if bay[tail] < 0 and bay[head] < 0 and fleets  # not contraflow
    }
    opposed = [
        f"{roadmap.node_ids[tail]} and {roadmap.node_ids[head]}"
        for (tail, head), fleets in open_to.items()
        if tail < head and fleets != open_to.get((head, tail), fleets)
    ]
    return [f"fleets drive against each other between {listed(opposed)}"] if opposed else []


def _core_edges(roadmap: Roadmap, fleet: int) -> list[int]:
    bay = roadmap.node_bay
    return [
        edge
        for edge in range(roadmap.edges)
        if roadmap.edge_fleets[edge] >> fleet & 1
        and bay[roadmap.edge_tail[edge]] < 0
        and bay[roadmap.edge_head[edge]] < 0
    ]


def _named(roadmap: Roadmap, nodes: list[int]) -> str:
    return listed([roadmap.node_ids[node] for node in nodes])


def _connected(roadmap: Roadmap, core: list[int], name: str) -> list[tuple[str, str]]:
    """(what is wrong, mend) with the core of a fleet."""
    if not core:
        return [(f"no lane is open to {name}", "name it in some edges")]
    pairs = sorted({(roadmap.edge_tail[e], roadmap.edge_head[e]) for e in core})
    found: list[tuple[str, str]] = []
    outside = beyond(np.array(pairs), roadmap.nodes)
    if outside:
        text = f"{name} can't go from everywhere to everywhere: {_named(roadmap, outside)}"
        found.append((text, "add lanes until each of these nodes can be reached and left again"))
    ends = _without_loop(pairs, set(outside))
    if ends:
        lanes = [f"{roadmap.node_ids[a]} to {roadmap.node_ids[b]}" for a, b in ends]
        text = f"{name} can leave only the way it came (no cycle of three nodes): {listed(lanes)}"
        found.append((text, "make it a bay, or join it to a loop"))
    return found


def _without_loop(pairs: list[tuple[int, int]], outside: set[int]) -> list[tuple[int, int]]:
    """Lanes of the strongly connected part that lie on no cycle of three nodes or more: two-way
    lanes (a one-way lane's cycle is never shorter) whose head leads back by the same lane only."""
    after: dict[int, list[int]] = {}
    for tail, head in pairs:
        after.setdefault(tail, []).append(head)
    known = set(pairs)
    return [
        (tail, head)
        for tail, head in pairs
        if (head, tail) in known and not {tail, head} & outside and not _leads(after, head, tail)
    ]


def _leads(after: dict[int, list[int]], start: int, goal: int) -> bool:
    """Is there a way from start to goal that does not use the lane between them?"""
    seen, todo = {start}, deque([start])
    while todo:
        node = todo.popleft()
        for head in after.get(node, ()):
            if head == goal and node != start:
                return True
            if head not in seen and head != goal:
                seen.add(head)
                todo.append(head)
    return False


def _bays(
    roadmap: Roadmap, fleet: int, name: str, lanes: set[int], file: str, severity: str
) -> list[Finding]:
    """`lanes`: nodes of the fleet's connected core; a bay is entered from them and left to them."""
    found: list[Finding] = []
    usable = {
        (roadmap.edge_tail[e], roadmap.edge_head[e])
        for e in range(roadmap.edges)
        if roadmap.edge_fleets[e] >> fleet & 1
    }
    entered = {head for tail, head in usable if tail in lanes}
    left = {tail for tail, head in usable if head in lanes}
    for index, bay in enumerate(roadmap.bays):
        if not bay.fleets >> fleet & 1:
            continue
        path = f"$.layouts[0].stations[{index}]"
        if bay.nodes[0] not in entered or not usable.issuperset(pairwise(bay.nodes)):
            text = f"{name} finds no way into {bay.id} along its nodes in sequence"
            mend = "join the first node to a lane that can be reached, and each node to the next"
            found.append(Finding(severity, file, path, text, mend))
        if bay.node not in left:
            text = f"{name} finds no way out of {bay.id} from its last node"
            found.append(
                Finding(severity, file, path, text, "add an edge back to a lane that leads on")
            )
    return found


def _parking(roadmap: Roadmap, spec: SiteFile) -> list[str]:
    """Places to rest must be enough for each set of fleets (Hall's condition: a place that two
    fleets share holds one robot)."""
    names, found = list(spec.fleets), []
    sets = range(1, 1 << len(names)) if len(names) <= FLEETS_ALL_SETS else ()
    bad: list[int] = []
    for mask in sorted(sets, key=int.bit_count):
        robots = sum(f.robots for i, f in enumerate(spec.fleets.values()) if mask >> i & 1)
        places = sum(
            len(bay.nodes)
            for bay in roadmap.bays
            if bay.kind in ("parking", "charger") and bay.fleets & mask
        )
        if places < robots and not any(less & mask == less for less in bad):
            bad.append(mask)
            who = " and ".join(name for i, name in enumerate(names) if mask >> i & 1)
            found.append(f"{robots} robots of {who} but only {places} parking places and chargers")
    return found


def _cramped(roadmap: Roadmap, file: str, severity: str) -> list[Finding]:
    found: list[Finding] = []
    for stand, others in enumerate(roadmap.stand_stands):
        node = stand % roadmap.nodes
        for other in others:
            near = other % roadmap.nodes
            if near > node and roadmap.node_bay[node] >= 0 and roadmap.node_bay[near] >= 0:
                pair = _named(roadmap, [node, near])
                text = f"robots resting at {pair} would touch"
                found.append(Finding(severity, file, "$.layouts[0].nodes", text, "move them apart"))
    return found[:LISTED_MAX]
