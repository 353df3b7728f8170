"""From LIF and site file to the core's integer tables and the planners' arrays."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from orchestrator.core.roadmap import Bay, Roadmap
from orchestrator.core.site import Fleet, OrderType, Policy, Recovery, Site, Station, Step
from orchestrator.layout.findings import Finding
from orchestrator.layout.lif import Edge, EdgeProperties, Layout, Lif
from orchestrator.layout.site_file import FleetFile, SiteFile
from planners.cache import cached
from planners.geometry import Conflicts, Floor, conflicts
from planners.roadmap import RoadmapArrays, Rows

GEOMETRY_VERSION = 1


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
        path = f"$.layouts[0].edges[{index}]"
        found += _add_edge(plan, edge, node_of, fleets, file, path)
    found += _add_bays(plan, layout, node_of, spec, file)
    return plan, found


def _add_edge(
    plan: Draft, edge: Edge, node_of: dict[str, int], fleets: dict[str, int], file: str, path: str
) -> list[Finding]:
    found: list[Finding] = []
    tail, head = node_of[edge.startNodeId], node_of[edge.endNodeId]
    (ax, ay), (bx, by) = plan.node_xy_m[tail], plan.node_xy_m[head]
    direction = math.atan2(by - ay, bx - ax)
    masks: dict[tuple[int, float], int] = {}  # heading, speed -> fleets
    for number, properties in enumerate(edge.vehicleTypeEdgeProperties):
        where = f"{path}.vehicleTypeEdgeProperties[{number}]"
        if properties.vehicleTypeId not in fleets:
            text = f"the site has no fleet {properties.vehicleTypeId!r}"
            mend = f"add it to `fleets` in site.yaml, or use one of {', '.join(fleets)}"
            found.append(Finding("error", file, f"{where}.vehicleTypeId", text, mend))
            continue
        if _curved(properties, (ax, ay), (bx, by)):
            text = f"edge {edge.edgeId!r} is curved; only straight edges are driven"
            mend = "split the curve into short straight edges"
            found.append(Finding("error", file, f"{where}.trajectory", text, mend))
        key = (_heading_deg(properties, direction), properties.maxSpeed or 0.0)
        masks[key] = masks.get(key, 0) | 1 << fleets[properties.vehicleTypeId]
    for number, ((heading, speed), mask) in enumerate(masks.items()):
        plan.edge_ids.append(edge.edgeId if not number else f"{edge.edgeId}#{number}")
        plan.edge_ends.append((tail, head))
        plan.edge_heading_deg.append(heading)
        plan.edge_speed_mps.append(speed)
        plan.edge_fleets.append(mask)
    return found


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
        if off > 0.01:
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
        kind = next((b.kind for b in spec.bays if fnmatchcase(station.stationId, b.match)), None)
        if kind is None:
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
        plan.bays.append(Bay(station.stationId, kind, nodes, entering.get(nodes[-1], 0)))
    return found


def floor_of(plan: Draft, spec: SiteFile) -> Floor:
    """The draft as geometry."""
    ends = np.array(plan.edge_ends, np.int32).reshape(-1, 2)
    return Floor(
        node_xy=np.array(plan.node_xy_m, float).reshape(-1, 2),
        edge_tail=ends[:, 0],
        edge_head=ends[:, 1],
        edge_heading_deg=np.array(plan.edge_heading_deg, np.int32),
        edge_fleets=np.array(plan.edge_fleets, np.int32),
        footprints=tuple(fleet.footprint_m for fleet in spec.fleets.values()),
        margin_m=spec.safety_margin_m,
    )


def roadmap_of(plan: Draft, spec: SiteFile) -> Roadmap:
    """Compile to integers; conflict sets come from the disk where they were computed before."""
    floor = floor_of(plan, spec)
    key = repr((GEOMETRY_VERSION, plan, [f.footprint_m for f in spec.fleets.values()],
                spec.safety_margin_m)).encode()  # fmt: skip
    tables: Conflicts = cached("conflicts", key, lambda: conflicts(floor))
    node_bay = [-1] * len(plan.node_ids)
    for index, bay in enumerate(plan.bays):
        for node in bay.nodes:
            node_bay[node] = index
    out: list[list[int]] = [[] for _ in plan.node_ids]
    lengths = []
    for edge, (tail, head) in enumerate(plan.edge_ends):
        out[tail].append(edge)
        lengths.append(round(1000 * math.dist(plan.node_xy_m[tail], plan.node_xy_m[head])))
    return Roadmap(
        node_ids=tuple(plan.node_ids),
        node_x_mm=tuple(round(1000 * x) for x, _ in plan.node_xy_m),
        node_y_mm=tuple(round(1000 * y) for _, y in plan.node_xy_m),
        node_bay=tuple(node_bay),
        edge_ids=tuple(plan.edge_ids),
        edge_tail=tuple(tail for tail, _ in plan.edge_ends),
        edge_head=tuple(head for _, head in plan.edge_ends),
        edge_length_mm=tuple(lengths),
        edge_heading_deg=tuple(plan.edge_heading_deg),
        edge_speed_mmps=tuple(round(1000 * speed) for speed in plan.edge_speed_mps),
        edge_fleets=tuple(plan.edge_fleets),
        out_edges=tuple(tuple(row) for row in out),
        bays=tuple(plan.bays),
        fleets=len(spec.fleets),
        move_stands=tables.move_stands,
        move_moves=tables.move_moves,
        stand_stands=tables.stand_stands,
        epoch=hashlib.sha256(key).hexdigest(),
    )


def site_of(roadmap: Roadmap, spec: SiteFile, digest: str) -> Site:
    """The core's view of the site."""
    names = {bay.id: index for index, bay in enumerate(roadmap.bays)}
    stations: list[Station] = []
    for row in spec.stations:
        prefix, star, suffix = row.match.partition("*")
        for name, bay in names.items():
            if not fnmatchcase(name, row.match):
                continue
            wild = name[len(prefix) : len(name) - len(suffix)] if star else ""
            out = names.get(row.out_bay.replace("*", wild), -1) if row.out_bay else -1
            stations.append(
                Station(name, row.kind, row.capabilities, bay, out, row.positions, row.out_capacity)
            )
    return Site(
        id=spec.id,
        hash=digest,
        roadmap=roadmap,
        fleets=tuple(_fleet(name, fleet) for name, fleet in spec.fleets.items()),
        stations=tuple(stations),
        order_types={name: _order_type(name, spec) for name in spec.flow},
        skus=frozenset(spec.stock.sku_names) if spec.stock.totes else frozenset(),
        policy=Policy(**spec.policy.model_dump()),
    )


def _fleet(name: str, fleet: FleetFile) -> Fleet:
    battery = fleet.battery
    return Fleet(
        id=name,
        carries=fleet.carries,
        speed_mmps=round(1000 * fleet.speed_mps),
        turn_degps=round(fleet.turn_degps),
        charge_below_permille=round(10 * battery.charge_below_percent),
        charge_urgent_permille=round(10 * battery.charge_urgent_percent),
        charge_to_permille=round(10 * battery.charge_to_percent),
        reach_mm=round(1000 * battery.reach_m),
    )


def _order_type(name: str, spec: SiteFile) -> OrderType:
    steps: dict[str, Step] = {}
    for step_id, step in spec.flow[name].items():
        outcomes = {
            outcome: Recovery(row.then, row.tries, row.otherwise)
            for outcome, row in step.outcomes.items()
        }
        steps[step_id] = Step(
            id=step_id, do=step.do, needs=step.needs, start=step.start, to=step.to,
            per_line=step.per_line, then=step.then, outcomes=outcomes,
        )  # fmt: skip
    return OrderType(id=name, steps=steps, first=next(iter(steps)))


def arrays_of(roadmap: Roadmap, spec: SiteFile) -> RoadmapArrays:
    """The planners' view: the same tables as arrays, with travel times at cruising speed."""
    length_m = np.array(roadmap.edge_length_mm, float) / 1000
    limit = np.array(roadmap.edge_speed_mmps, float) / 1000
    edge_ms = []
    for fleet in spec.fleets.values():
        speed = np.where(limit > 0, np.minimum(limit, fleet.speed_mps), fleet.speed_mps)
        edge_ms.append(np.maximum(1, np.rint(1000 * length_m / speed)).astype(np.int32))
    incoming: list[list[int]] = [[] for _ in roadmap.node_ids]
    for edge, head in enumerate(roadmap.edge_head):
        incoming[head].append(edge)
    return RoadmapArrays(
        node_bay=np.array(roadmap.node_bay, np.int32),
        edge_tail=np.array(roadmap.edge_tail, np.int32),
        edge_head=np.array(roadmap.edge_head, np.int32),
        edge_heading_deg=np.array(roadmap.edge_heading_deg, np.int32),
        edge_fleets=np.array(roadmap.edge_fleets, np.int32),
        edge_ms=np.array(edge_ms, np.int32),
        turn_ms=np.array(
            [_turn_ms(fleet) for fleet in spec.fleets.values()], np.int32
        ),
        out_edges=Rows.of(roadmap.out_edges),
        in_edges=Rows.of(incoming),
        move_stands=Rows.of(roadmap.move_stands),
        move_moves=Rows.of(roadmap.move_moves),
        stand_stands=Rows.of(roadmap.stand_stands),
        epoch=roadmap.epoch,
    )


def _turn_ms(fleet: FleetFile) -> int:
    """A quarter turn, with the stop before and the start after it."""
    return round(1000 * (90 / fleet.turn_degps + fleet.speed_mps / fleet.acceleration_mps2))
