"""A hall for so many vehicles: one-way lanes in both directions, crossing every 2 m; transports from
stop to stop. Driving alone, no handling: nothing asks more of the wire."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass

import yaml

CELL_M = 2.0
NODES_PER_VEHICLE = 8
NODES_PER_STOP = 32
STOPS_MAX = 600  # ways are known to so many places; to learn them takes time and memory
GAP_MS_EACH = 1.0  # between plans: the dearer they are, the rarer
EVENTS_EACH = 10  # between full checks of all invariants
SPEED_MPS = 1.5
TURN_DEGPS = 120.0
SERIAL = "load-{:05d}"
MAKER = "bench"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a vehicle is in the beginning."""

    serial: str
    node: str
    x: float
    y: float
    theta: float


@dataclass(frozen=True, slots=True)
class Hall:
    """The files of a site, where its vehicles stand, and the nodes (by number) that orders lead to."""

    files: dict[str, str]
    starts: tuple[Start, ...]
    stops: tuple[int, ...]


def hall(vehicles: int, seed: int = 0) -> Hall:
    """Room for `vehicles`, an eighth of the nodes taken."""
    side = max(
        8, 2 * math.ceil(math.sqrt(NODES_PER_VEHICLE * vehicles) / 2)
    )  # even: a ring outside
    chance = random.Random(seed)
    cells = chance.sample(range(side * side), vehicles)
    count = min(STOPS_MAX, max(8, side * side // NODES_PER_STOP))
    stops = chance.sample(range(side * side), count)
    starts = tuple(_start(number, *divmod(cell, side)) for number, cell in enumerate(cells))
    files = {"site.yaml": _site(vehicles), "layout.lif.json": _layout(side)}
    return Hall(files, starts, tuple(stops))


def _start(number: int, row: int, column: int) -> Start:
    theta = 0.0 if row % 2 == 0 else math.pi
    name, x, y = _node(row, column)
    return Start(SERIAL.format(number), name, x, y, theta)


def _node(row: int, column: int) -> tuple[str, float, float]:
    return f"n-{row}-{column}", column * CELL_M, -row * CELL_M


def _layout(side: int) -> str:
    """Rows lead east and west in turn, columns north and south; the outermost form a ring."""
    nodes, edges = [], []
    for row in range(side):
        for column in range(side):
            name, x, y = _node(row, column)
            nodes.append({
                "nodeId": name, "nodePosition": {"x": x, "y": y}, "vehicleTypeNodeProperties": [],
            })  # fmt: skip
            across = column + (1 if row % 2 == 0 else -1)
            along = row + (-1 if column % 2 == 0 else 1)
            for r, c in ((row, across), (along, column)):
                if 0 <= r < side and 0 <= c < side:
                    head = _node(r, c)[0]
                    edges.append({
                        "edgeId": f"e{name[1:]}{head[1:]}", "startNodeId": name, "endNodeId": head,
                        "vehicleTypeEdgeProperties": [{"vehicleTypeId": "amr"}],
                    })  # fmt: skip
    layout = {
        "layoutId": "load", "layoutVersion": "1", "layoutLevelId": "ground",
        "nodes": nodes, "edges": edges, "stations": [],
    }  # fmt: skip
    meta = {
        "projectIdentification": "load", "creator": "Lightsout",
        "exportTimestamp": "2026-01-01T00:00:00Z", "lifVersion": "1.0.0",
    }  # fmt: skip
    return json.dumps({"metaInformation": meta, "layouts": [layout]}, separators=(",", ":"))


def _site(vehicles: int) -> str:
    gap_ms = max(400, round(GAP_MS_EACH * vehicles))
    site = {
        "format": 1,
        "id": "load",
        "guarantees": "advised",
        "fleets": {
            "amr": {
                "robots": vehicles,
                "footprint_m": [[0.5, 0.35], [-0.5, 0.35], [-0.5, -0.35], [0.5, -0.35]],
                "speed_mps": SPEED_MPS,
                "acceleration_mps2": 1.5,
                "turn_degps": TURN_DEGPS,
                "battery": {"reach_m": 1e9, "idle_hours": 1e6, "charge_minutes": 1},
            }
        },
        "safety_margin_m": 0.05,
        "flow": {
            "transport": {
                "visit": {"do": "carry", "to": "stop", "then": ["done"]},
                "done": {"do": "finish"},
            }
        },
        "policy": {
            "replan_gap_ms": gap_ms,
            "replan_ms": max(2000, gap_ms),
            "invariants_every": max(2000, EVENTS_EACH * vehicles),
        },
        "vehicles": [{"manufacturer": MAKER, "serial": "load-*", "fleet": "amr"}],
    }
    return str(yaml.safe_dump(site, sort_keys=False))
