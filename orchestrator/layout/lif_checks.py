"""What a LIF file must hold beyond its schema: names, lengths, ways that lead back."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from orchestrator.layout.findings import Finding, listed
from orchestrator.layout.lif import Edge, Layout, Lif, Position

VERSIONS = ("1.0.0", "1.0", "0.11.0")
COORDINATE_M_MAX = 10_000.0
EDGE_M_MIN, EDGE_M_MAX = 0.01, 1000.0
SPEED_MPS_MIN = 0.01  # below this it would be rounded to nothing


def check(lif: Lif, file: str) -> list[Finding]:
    """Findings over all layouts of a file."""
    found = _version(lif, file)
    for number, layout in enumerate(lif.layouts):
        base = f"$.layouts[{number}]"
        positions = {node.nodeId: node.nodePosition for node in layout.nodes}
        found += _duplicates(file, f"{base}.nodes", [node.nodeId for node in layout.nodes])
        found += _duplicates(file, f"{base}.edges", [edge.edgeId for edge in layout.edges])
        found += _duplicates(file, f"{base}.stations", [s.stationId for s in layout.stations])
        found += _positions(file, base, layout)
        for index, edge in enumerate(layout.edges):
            found += _edge(file, f"{base}.edges[{index}]", edge, positions)
        for index, station in enumerate(layout.stations):
            for place, name in enumerate(station.interactionNodeIds):
                if name not in positions:
                    path = f"{base}.stations[{index}].interactionNodeIds[{place}]"
                    found.append(_unresolved(file, path, name))
    return found


def ways_back(lif: Lif, file: str) -> list[Finding]:
    """Warnings: vehicle types that can't go from everywhere to everywhere. All ids must resolve."""
    found: list[Finding] = []
    for number, layout in enumerate(lif.layouts):
        index = {node.nodeId: i for i, node in enumerate(layout.nodes)}
        pairs: dict[str, list[tuple[int, int]]] = {}
        for edge in layout.edges:
            for row in edge.vehicleTypeEdgeProperties:
                ends = (index[edge.startNodeId], index[edge.endNodeId])
                pairs.setdefault(row.vehicleTypeId, []).append(ends)
        for vehicle, ways in pairs.items():
            outside = beyond(np.array(ways), len(index))
            if outside:
                names = listed([layout.nodes[node].nodeId for node in outside])
                text = f"{vehicle} can't go from everywhere to everywhere: {names}"
                mend = "add edges until each of these nodes can be reached and left again"
                found.append(Finding("warning", file, f"$.layouts[{number}].edges", text, mend))
    return found


def beyond(ways: NDArray[np.int64], nodes: int) -> list[int]:
    """Nodes of `ways` (E, 2) outside the largest strongly connected part, ascending."""
    used = np.unique(ways)
    graph = coo_matrix((np.ones(len(ways)), (ways[:, 0], ways[:, 1])), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=True, connection="strong")
    main = np.bincount(label[used]).argmax()
    return [node for node in used.tolist() if label[node] != main]


def _version(lif: Lif, file: str) -> list[Finding]:
    version = lif.metaInformation.lifVersion
    if version in VERSIONS:
        return []
    text = f"LIF version {version!r} is not known here"
    mend = f"export it as one of {', '.join(VERSIONS)}, or update Lightsout"
    return [Finding("error", file, "$.metaInformation.lifVersion", text, mend)]


def _positions(file: str, base: str, layout: Layout) -> list[Finding]:
    found: list[Finding] = []
    for index, node in enumerate(layout.nodes):
        position = node.nodePosition
        if max(abs(position.x), abs(position.y)) > COORDINATE_M_MAX:
            path = f"{base}.nodes[{index}].nodePosition"
            text = f"({position.x:g}, {position.y:g}) m lies outside any building"
            mend = "positions are in metres from an origin near the building"
            found.append(Finding("error", file, path, text, mend))
    return found


def _duplicates(file: str, path: str, ids: list[str]) -> list[Finding]:
    found: list[Finding] = []
    for name, count in Counter(ids).items():
        if count > 1:
            again = ids.index(name, ids.index(name) + 1)
            text = f"id {name!r} is used twice"
            found.append(Finding("error", file, f"{path}[{again}]", text, "rename one"))
    return found


def _unresolved(file: str, path: str, name: str) -> Finding:
    mend = "add the node or mend the id"
    return Finding("error", file, path, f"no node has the id {name!r}", mend)


def _edge(file: str, path: str, edge: Edge, positions: dict[str, Position]) -> list[Finding]:
    found = []
    for key in ("startNodeId", "endNodeId"):
        if getattr(edge, key) not in positions:
            found.append(_unresolved(file, f"{path}.{key}", getattr(edge, key)))
    if found:
        return found
    start, end = positions[edge.startNodeId], positions[edge.endNodeId]
    length = math.hypot(end.x - start.x, end.y - start.y)
    if length < EDGE_M_MIN:
        text = f"edge {edge.edgeId!r} has no length"
        mend = "move one of its nodes, or remove the edge"
        found.append(Finding("error", file, path, text, mend))
    if length > EDGE_M_MAX:
        text = f"edge {edge.edgeId!r} is {length:.0f} m long"
        mend = "positions are in metres: were these millimetres?"
        found.append(Finding("warning", file, path, text, mend))
    types = [row.vehicleTypeId for row in edge.vehicleTypeEdgeProperties]
    found += _twice(file, path, types)
    for index, row in enumerate(edge.vehicleTypeEdgeProperties):
        if row.maxSpeed is not None and row.maxSpeed < SPEED_MPS_MIN:
            where = f"{path}.vehicleTypeEdgeProperties[{index}].maxSpeed"
            text = f"must be at least {SPEED_MPS_MIN} m/s"
            mend = "give a speed in m/s, or remove edge or vehicle type"
            found.append(Finding("error", file, where, text, mend))
    return found


def _twice(file: str, path: str, types: list[str]) -> list[Finding]:
    return [
        Finding(
            "error", file, f"{path}.vehicleTypeEdgeProperties[{index}].vehicleTypeId",
            f"vehicle type {name!r} has two entries", "keep one",
        )
        for index, name in enumerate(types)
        if name in types[:index]
    ]  # fmt: skip
