"""From LIF and site file to the core's integer tables and the planners' arrays."""

from __future__ import annotations

import hashlib
import math
from fnmatch import fnmatchcase

import numpy as np

from orchestrator.core import aside
from orchestrator.core.roadmap import Roadmap
from orchestrator.core.site import (
    Fleet,
    OrderType,
    Policy,
    Recovery,
    Replenishment,
    Route,
    Site,
    Stage,
    Station,
    Step,
)
from orchestrator.layout.draft import Draft
from orchestrator.layout.site_file import FleetFile, SiteFile
from planners import guidance
from planners.cache import cached
from planners.geometry import Conflicts, Floor, conflicts
from planners.roadmap import RoadmapArrays, Rows

GEOMETRY_VERSION = 1
BACK_MMPS = 500  # backwards along a lane no faster than this
EDGE_MS_MAX = 24 * 3600 * 1000
MAKES_TOTES = ("depalletise", "unpack")


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
        edge_corridor_m=np.array(corridors_of(plan, spec), float) if spec.corridors else None,
    )


def corridors_of(plan: Draft, spec: SiteFile) -> list[float]:
    """Half widths by edge, by the first line that matches; 0: it is no corridor."""
    return [
        next((row.half_width_m for row in spec.corridors if fnmatchcase(name, row.match)), 0.0)
        for name in (edge.partition("#")[0] for edge in plan.edge_ids)
    ]


def roadmap_of(plan: Draft, spec: SiteFile) -> Roadmap:
    """Compile to integers; conflict sets come from the disk where they were computed before."""
    floor = floor_of(plan, spec)
    made_from = (GEOMETRY_VERSION, plan, [f.footprint_m for f in spec.fleets.values()],
                 spec.safety_margin_m)  # fmt: skip
    wide_m = corridors_of(plan, spec) if spec.corridors else []
    key = repr((*made_from, wide_m) if wide_m else made_from).encode()
    tables: Conflicts = cached("conflicts", key, lambda: conflicts(floor))
    node_bay = [-1] * len(plan.node_ids)
    for index, bay in enumerate(plan.bays):
        for node in bay.nodes:
            node_bay[node] = index
    out: list[list[int]] = [[] for _ in plan.node_ids]
    lengths = []
    against = contraflow(plan, node_bay)
    for edge, (tail, head) in enumerate(plan.edge_ends):
        out[tail].append(edge)
        lengths.append(round(1000 * math.dist(plan.node_xy_m[tail], plan.node_xy_m[head])))
    speeds = [round(1000 * speed) for speed in plan.edge_speed_mps]
    return Roadmap(
        node_ids=tuple(plan.node_ids),
        node_x_mm=tuple(round(1000 * x) for x, _ in plan.node_xy_m),
        node_y_mm=tuple(round(1000 * y) for _, y in plan.node_xy_m),
        node_bay=tuple(node_bay),
        edge_ids=(*plan.edge_ids, *(f"{plan.edge_ids[edge]}~back" for edge in against)),
        edge_tail=tuple(t for t, _ in plan.edge_ends)
        + tuple(plan.edge_ends[e][1] for e in against),
        edge_head=tuple(h for _, h in plan.edge_ends)
        + tuple(plan.edge_ends[e][0] for e in against),
        edge_length_mm=(*lengths, *(lengths[edge] for edge in against)),
        edge_heading_deg=(*plan.edge_heading_deg, *(plan.edge_heading_deg[e] for e in against)),
        edge_speed_mmps=(*speeds, *(min(speeds[e] or BACK_MMPS, BACK_MMPS) for e in against)),
        edge_fleets=(*plan.edge_fleets, *(0 for _ in against)),
        out_edges=tuple(tuple(row) for row in out),
        bays=tuple(plan.bays),
        fleets=len(spec.fleets),
        move_stands=tables.move_stands,
        move_moves=tables.move_moves,
        stand_stands=tables.stand_stands,
        epoch=hashlib.sha256(key).hexdigest(),
        contraflow_of=tuple(against),
        edge_corridor_mm=tuple(round(1000 * wide) for wide in wide_m),
    )


def contraflow(plan: Draft, node_bay: list[int]) -> list[int]:
    """The one-way lanes of the core: no edge leads back for all the fleets that drive there."""
    back: dict[tuple[int, int], int] = {}
    for (tail, head), fleets in zip(plan.edge_ends, plan.edge_fleets, strict=True):
        back[tail, head] = back.get((tail, head), 0) | fleets
    return [
        edge
        for edge, (tail, head) in enumerate(plan.edge_ends)
        if node_bay[tail] < 0 and node_bay[head] < 0
        and plan.edge_fleets[edge] & ~back.get((head, tail), 0)
    ]  # fmt: skip


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
    order_types = {name: _order_type(name, spec) for name in spec.flow}
    if any(kind.brings for kind in order_types.values()):
        order_types.setdefault(aside.AWAY, aside.away_type())
    return Site(
        id=spec.id,
        hash=digest,
        roadmap=roadmap,
        fleets=tuple(_fleet(name, fleet) for name, fleet in spec.fleets.items()),
        stations=tuple(stations),
        order_types=order_types,
        skus=frozenset(spec.stock.sku_names) if _goods(spec) else frozenset(),
        policy=Policy(**spec.policy.model_dump()),
        routes=_routes(spec, stations),
        replenish=_replenish(spec, order_types),
        floor_cameras=_floor_cameras(roadmap, spec),
    )


def _floor_cameras(roadmap: Roadmap, spec: SiteFile) -> frozenset[int]:
    rows = spec.floor_cameras
    patterns = ("*",) * rows if isinstance(rows, bool) else rows
    return frozenset(
        edge
        for edge, name in enumerate(roadmap.edge_ids[: roadmap.edges])
        if any(fnmatchcase(name.partition("#")[0], pattern) for pattern in patterns)
    )


def _goods(spec: SiteFile) -> bool:
    return bool(spec.stock.totes or spec.stock.names)


def _routes(spec: SiteFile, stations: list[Station]) -> dict[str, Route]:
    number = {station.id: index for index, station in enumerate(stations)}
    return {
        name: Route(
            id=name,
            door=number.get(row.door, -1),
            chutes=tuple(
                index
                for index, station in enumerate(stations)
                if station.kind == "chute"
                and any(fnmatchcase(station.id, pattern) for pattern in row.chutes)
            ),
        )
        for name, row in spec.routes.items()
    }


def _replenish(spec: SiteFile, order_types: dict[str, OrderType]) -> tuple[Replenishment, ...]:
    rules = []
    for row in spec.replenish:
        carries = order_types[row.order_type].steps.values() if row.order_type in spec.flow else ()
        for step in carries:
            if step.do == "carry" and step.start == "home" and step.to == "slot":
                rules.append(
                    Replenishment(
                        row.order_type, step.start_at, step.to_at, row.below_units, row.relieve
                    )
                )
    return tuple(rules)


def _fleet(name: str, fleet: FleetFile) -> Fleet:
    battery = fleet.battery
    return Fleet(
        id=name,
        carries=fleet.carries,
        places=fleet.places,
        charge_ms=round(60_000 * battery.charge_minutes),
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
            outcome: Recovery(
                tuple(Stage(stage.then, stage.tries, stage.look) for stage in row.stages),
                row.otherwise,
                row.within_s,
            )
            for outcome, row in step.outcomes.items()
        }
        start, _, start_at = step.start.partition(":")
        to, _, to_at = step.to.partition(":")
        steps[step_id] = Step(
            id=step_id, do=step.do, needs=step.needs, start=start, start_at=start_at, to=to,
            to_at=to_at, per_line=step.per_line, then=step.then, outcomes=outcomes,
            timeout_s=step.timeout_s, wait_minutes=step.wait_minutes, task=step.asks,
        )  # fmt: skip
    return OrderType(
        id=name,
        steps=steps,
        first=next(iter(steps)),
        brings=any(step.start == "dock" for step in steps.values()),
        makes=any(step.do == "work" and step.needs in MAKES_TOTES for step in steps.values()),
        zone=next((step.start_at for step in steps.values() if step.start == "home"), ""),
    )


def arrays_of(roadmap: Roadmap, spec: SiteFile) -> RoadmapArrays:
    """The planners' view: the same tables as arrays, with travel times at cruising speed."""
    length_m = np.array(roadmap.edge_length_mm, float) / 1000
    limit = np.array(roadmap.edge_speed_mmps, float) / 1000
    pace = np.ones(len(length_m))
    if spec.two_way_penalty:
        tail, head = roadmap.edge_tail[: roadmap.edges], roadmap.edge_head[: roadmap.edges]
        rows = (roadmap.node_x_mm, roadmap.node_y_mm, tail, head)
        wrong = guidance.against(*(np.array(row, np.int32) for row in rows))
        pace[: roadmap.edges] += spec.two_way_penalty * wrong
    edge_ms = []
    for fleet in spec.fleets.values():
        speed = np.where(limit > 0, np.minimum(limit, fleet.speed_mps), fleet.speed_mps)
        ms = np.rint(1000 * length_m / speed * pace)
        edge_ms.append(np.clip(ms, 1, EDGE_MS_MAX).astype(np.int32))
    incoming: list[list[int]] = [[] for _ in roadmap.node_ids]
    outgoing: list[list[int]] = [[] for _ in roadmap.node_ids]
    for edge, ends in enumerate(zip(roadmap.edge_tail, roadmap.edge_head, strict=True)):
        outgoing[ends[0]].append(edge)
        incoming[ends[1]].append(edge)
    return RoadmapArrays(
        node_bay=np.array(roadmap.node_bay, np.int32),
        edge_tail=np.array(roadmap.edge_tail, np.int32),
        edge_head=np.array(roadmap.edge_head, np.int32),
        edge_heading_deg=np.array(roadmap.edge_heading_deg, np.int32),
        edge_fleets=np.array(roadmap.edge_fleets, np.int32),
        edge_ms=np.array(edge_ms, np.int32),
        turn_ms=np.array([_turn_ms(fleet) for fleet in spec.fleets.values()], np.int32),
        out_edges=Rows.of(outgoing),
        in_edges=Rows.of(incoming),
        move_stands=Rows.of(roadmap.move_stands),
        move_moves=Rows.of(roadmap.move_moves),
        stand_stands=Rows.of(roadmap.stand_stands),
        epoch=roadmap.epoch,
        edge_sweep=np.array([roadmap.sweep(e) for e in range(len(roadmap.edge_tail))], np.int32),
    )


def _turn_ms(fleet: FleetFile) -> int:
    """A quarter turn, with the stop before and the start after it."""
    return round(1000 * (90 / fleet.turn_degps + fleet.speed_mps / fleet.acceleration_mps2))
