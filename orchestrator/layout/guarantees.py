"""What the traffic guarantees need of a layout (well-formed infrastructures: Cap et al. 2015)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from orchestrator.core.roadmap import Roadmap
from orchestrator.core.site import Site
from orchestrator.layout.findings import Finding
from orchestrator.layout.site_file import SiteFile

LISTED_MAX = 5


def check(site: Site, spec: SiteFile, file: str, severity: str) -> list[Finding]:
    """Per fleet: core strongly connected, lanes on cycles, bays with ways in and out, room to park.
    For all: no two bays so close that robots resting in them would touch."""
    found: list[Finding] = []
    for fleet, name in enumerate(spec.fleets):
        core = _core_edges(site.roadmap, fleet)
        found += _connected(site.roadmap, fleet, name, core, file, severity)
        found += _bays(site.roadmap, fleet, name, file, severity)
        found += _parking(site.roadmap, fleet, name, spec.fleets[name].robots, file, severity)
    found += _cramped(site.roadmap, file, severity)
    return found


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
    names = ", ".join(roadmap.node_ids[node] for node in nodes[:LISTED_MAX])
    return names + (f" and {len(nodes) - LISTED_MAX} more" if len(nodes) > LISTED_MAX else "")


def _connected(
    roadmap: Roadmap, fleet: int, name: str, core: list[int], file: str, severity: str
) -> list[Finding]:
    nodes = sorted({roadmap.edge_tail[e] for e in core} | {roadmap.edge_head[e] for e in core})
    if not nodes:
        return [Finding(severity, file, "$.layouts[0].edges", f"no lane is open to {name}", "")]
    tails = [roadmap.edge_tail[e] for e in core]
    heads = [roadmap.edge_head[e] for e in core]
    graph = coo_matrix((np.ones(len(core)), (tails, heads)), shape=(roadmap.nodes, roadmap.nodes))
    _, label = connected_components(graph, directed=True, connection="strong")
    main = np.bincount(label[nodes]).argmax()
    outside = [node for node in nodes if label[node] != main]
    found: list[Finding] = []
    if outside:
        text = f"{name} can't go from everywhere to everywhere: {_named(roadmap, outside)}"
        mend = "add lanes until each of these nodes can be reached and left again"
        found.append(Finding(severity, file, "$.layouts[0].edges", text, mend))
    pairs = set(zip(tails, heads, strict=True))
    others: dict[int, int] = {}
    for tail, _ in pairs:
        others[tail] = others.get(tail, 0) + 1
    ends = [node for node in nodes if others.get(node, 0) == 1 and _only_back(node, pairs)]
    if ends:
        text = f"{name} can leave only the way it came (no cycle of three nodes): "
        mend = "make it a bay, or join it to a loop"
        text += _named(roadmap, ends)
        found.append(Finding(severity, file, "$.layouts[0].edges", text, mend))
    return found


def _only_back(node: int, pairs: set[tuple[int, int]]) -> bool:
    (follower,) = [head for tail, head in pairs if tail == node]
    before = [tail for tail, head in pairs if head == node]
    return before == [follower]


def _bays(roadmap: Roadmap, fleet: int, name: str, file: str, severity: str) -> list[Finding]:
    found: list[Finding] = []
    for index, bay in enumerate(roadmap.bays):
        if not bay.fleets >> fleet & 1:
            continue
        inside = set(bay.nodes)
        usable = [e for e in range(roadmap.edges) if roadmap.edge_fleets[e] >> fleet & 1]
        ways_in = [e for e in usable if roadmap.edge_head[e] == bay.nodes[0]
                   and roadmap.edge_tail[e] not in inside]  # fmt: skip
        ways_out = [e for e in usable if roadmap.edge_tail[e] == bay.node
                    and roadmap.edge_head[e] not in inside]  # fmt: skip
        chained = all(
            any(roadmap.edge_tail[e] == a and roadmap.edge_head[e] == b for e in usable)
            for a, b in zip(bay.nodes, bay.nodes[1:], strict=False)
        )
        path = f"$.layouts[0].stations[{index}]"
        if not ways_in or not chained:
            text = f"{name} finds no way into {bay.id} along its nodes in sequence"
            mend = "join the first node to a lane, and each node to the next"
            found.append(Finding(severity, file, path, text, mend))
        if not ways_out:
            text = f"{name} finds no way out of {bay.id} from its last node"
            found.append(Finding(severity, file, path, text, "add an edge back to a lane"))
    return found


def _parking(
    roadmap: Roadmap, fleet: int, name: str, robots: int, file: str, severity: str
) -> list[Finding]:
    if not roadmap.bays:
        return []
    places = sum(
        len(bay.nodes)
        for bay in roadmap.bays
        if bay.kind in ("parking", "charger") and bay.fleets >> fleet & 1
    )
    if places >= robots:
        return []
    text = f"{robots} robots of {name} but only {places} parking places and chargers"
    mend = "add parking bays, or take fewer robots"
    return [Finding(severity, file, "$.layouts[0].stations", text, mend)]


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
