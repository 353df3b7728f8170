"""From names to numbers: nodes, edges and bays of a LIF file as lists, before the geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

from orchestrator.core.roadmap import Bay
from orchestrator.layout.findings import Finding
from orchestrator.layout.lif import Edge, EdgeProperties, Layout, Lif
from orchestrator.layout.site_file import SiteFile

CURVED_M = 0.01  # a control point this far off the straight line is a curve


@dataclass(frozen=True, slots=True)
class Draft:
    """Nodes, edges and bays before the geometry; lists by index."""

    node_ids: list[str]
    node_xy_m: list[tuple[float, float]]
    edge_ids: list[str]
    edge_ends: list[tuple[int, int]]
    edge_heading_deg: list[int]
    edge_speed_mps: list[float]  # 0: no limit of its own
    edge_fleets: list[int]
    bays: list[Bay]


def draft(lif: Lif, spec: SiteFile, file: str) -> tuple[Draft, list[Finding]]:
    """Resolve names; findings name what can't be built."""
    layout, found = lif.layouts[0], []
    if len(lif.layouts) > 1:
        text = f"only the first of {len(lif.layouts)} layouts (levels) is used"
        found.append(Finding("warning", file, "$.layouts[1]", text, "one site per level"))
    fleets = {name: index for index, name in enumerate(spec.fleets)}
    node_of = {node.nodeId: index for index, node in enumerate(layout.nodes)}
    plan = Draft(
        node_ids=[node.nodeId for node in layout.nodes],
        node_xy_m=[(node.nodePosition.x, node.nodePosition.y) for node in layout.nodes],
        edge_ids=[], edge_ends=[], edge_heading_deg=[], edge_speed_mps=[], edge_fleets=[],
        bays=[],
    )  # fmt: skip
    for index, edge in enumerate(layout.edges):
        ends = (node_of[edge.startNodeId], node_of[edge.endNodeId])
        for where, text, mend in _add_edge(plan, edge, ends, fleets):
            path = f"$.layouts[0].edges[{index}].vehicleTypeEdgeProperties[{where}"
            found.append(Finding("error", file, path, text, mend))
    found += _add_bays(plan, layout, node_of, spec, file)
    return plan, found


def _add_edge(
    plan: Draft, edge: Edge, ends: tuple[int, int], fleets: dict[str, int]
) -> list[tuple[str, str, str]]:
    """An edge for each heading and speed. Returns (rest of the path, what is wrong, mend)."""
    wrong: list[tuple[str, str, str]] = []
    (ax, ay), (bx, by) = (plan.node_xy_m[end] for end in ends)
    direction = math.atan2(by - ay, bx - ax)
    masks: dict[tuple[int, float], int] = {}  # heading, speed -> fleets
    for number, properties in enumerate(edge.vehicleTypeEdgeProperties):
        if properties.vehicleTypeId not in fleets:
            text = f"the site has no fleet {properties.vehicleTypeId!r}"
            mend = f"add it to `fleets` in site.yaml, or use one of {', '.join(fleets)}"
            wrong.append((f"{number}].vehicleTypeId", text, mend))
            continue
        if _curved(properties, (ax, ay), (bx, by)):
            text = f"edge {edge.edgeId!r} is curved; only straight edges are driven"
            mend = "split the curve into short straight edges"
            wrong.append((f"{number}].trajectory", text, mend))
        key = (_heading_deg(properties, direction), properties.maxSpeed or 0.0)
        masks[key] = masks.get(key, 0) | 1 << fleets[properties.vehicleTypeId]
    for number, ((heading, speed), mask) in enumerate(masks.items()):
        plan.edge_ids.append(edge.edgeId if not number else f"{edge.edgeId}#{number}")
        plan.edge_ends.append(ends)
        plan.edge_heading_deg.append(heading)
        plan.edge_speed_mps.append(speed)
        plan.edge_fleets.append(mask)
    return wrong


def _heading_deg(properties: EdgeProperties, direction: float) -> int:
    orientation = properties.vehicleOrientation or 0.0
    if properties.orientationType == "GLOBAL":
        return round(math.degrees(orientation)) % 360
    return round(math.degrees(direction + orientation)) % 360


def _curved(
    properties: EdgeProperties, start: tuple[float, float], end: tuple[float, float]
) -> bool:
    if properties.trajectory is None:
        return False
    (ax, ay), (bx, by) = start, end
    length = math.hypot(bx - ax, by - ay)
    for point in properties.trajectory.controlPoints:
        off = abs((bx - ax) * (point.y - ay) - (by - ay) * (point.x - ax)) / length
        along = (bx - ax) * (point.x - ax) + (by - ay) * (point.y - ay)
        beyond = max(-along, along - length**2) / length
        if off > CURVED_M or beyond > CURVED_M:
            return True
    return False


def _add_bays(
    plan: Draft, layout: Layout, node_of: dict[str, int], spec: SiteFile, file: str
) -> list[Finding]:
    found: list[Finding] = []
    taken: dict[int, str] = {}
    entering: dict[int, int] = {}
    for (_, head), mask in zip(plan.edge_ends, plan.edge_fleets, strict=True):
        entering[head] = entering.get(head, 0) | mask
    for index, station in enumerate(layout.stations):
        path = f"$.layouts[0].stations[{index}]"
        rule = next((b for b in spec.bays if fnmatchcase(station.stationId, b.match)), None)
        if rule is None:
            text = f"station {station.stationId!r} matches no pattern of `bays`"
            mend = "add a line to `bays` in site.yaml"
            found.append(Finding("error", file, path, text, mend))
            continue
        if not station.interactionNodeIds:
            text = f"station {station.stationId!r} has no interaction node"
            found.append(Finding("error", file, path, text, "name the nodes robots use there"))
            continue
        nodes = tuple(node_of[name] for name in station.interactionNodeIds)
        for node in nodes:
            if node in taken:
                text = f"node {plan.node_ids[node]!r} belongs to {taken[node]!r} as well"
                found.append(Finding("error", file, path, text, "give each its own node"))
            taken[node] = station.stationId
        fleets = entering.get(nodes[-1], 0)
        plan.bays.append(Bay(station.stationId, rule.kind, nodes, fleets, rule.zone))
    return found
