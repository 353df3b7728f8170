"""Small buildings for tests: a ring with bays, drawn in one line each."""

from __future__ import annotations

import json
from typing import Any

import yaml

from orchestrator.layout import LoadedSite, load_files

PITCH = 2.0
FLOW: dict[str, Any] = {
    "outbound": {
        "release": {"do": "reserve", "then": ["retrieve"]},
        "retrieve": {
            "do": "carry", "needs": "tote", "start": "home", "to": "station",
            "per_line": True, "then": ["pick"],
        },
        "pick": {
            "do": "work", "needs": "pick", "per_line": True, "then": ["verify"],
            "outcomes": {
                "failed": {"then": "pick", "tries": 3, "otherwise": "quarantine"},
                "short": {"then": "retrieve", "tries": 2, "otherwise": "quarantine"},
            },
        },
        "verify": {
            "do": "inspect", "needs": "verify", "per_line": True, "then": ["return", "pack"],
            "outcomes": {"unreadable": {"then": "verify", "tries": 2, "otherwise": "quarantine"}},
        },
        "return": {
            "do": "carry", "needs": "tote", "start": "station", "to": "home",
            "per_line": True, "then": ["finish"],
        },
        "pack": {"do": "work", "needs": "pack", "then": ["sort"]},
        "sort": {"do": "carry", "needs": "parcel", "start": "out", "to": "chute",
                 "then": ["hand_out"]},
        "hand_out": {"do": "work", "needs": "handout", "then": ["finish"]},
        "finish": {"do": "finish"},
    },
    "inbound": {
        "receive": {"do": "work", "needs": "receive", "then": ["put_away"]},
        "put_away": {"do": "carry", "needs": "tote", "start": "dock", "to": "slot",
                     "then": ["stored"]},
        "stored": {"do": "finish"},
    },
    "transport": {
        "visit": {"do": "carry", "to": "stop", "then": ["done"]},
        "done": {"do": "finish"},
    },
}  # fmt: skip


KINDS = ("slot", "park", "pick", "slot", "park", "dock", "slot", "park", "chute", "slot")


def ring_files(
    size: int = 8, robots: int = 3, totes: int = 4, kinds: tuple[str, ...] = KINDS, **site: Any
) -> dict[str, str]:
    """A one-way ring of 4 * size nodes; a bay outside each second node, kinds in turn."""
    corners = [(0, 0), (size, 0), (size, size), (0, size)]
    ring: list[tuple[int, int]] = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        for step in range(size):
            ring.append((ax + (bx - ax) * step // size, ay + (by - ay) * step // size))
    nodes, edges, stations = [], [], []
    for x, y in ring:
        nodes.append(_node(f"r{x}.{y}", x, y))
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        edges.append(_edge(f"r{a[0]}.{a[1]}", f"r{b[0]}.{b[1]}", 0.0))
    count = 0
    for place in range(1, len(ring), 2):
        x, y = ring[place]
        if (x, y) in corners:
            continue
        out = (x, y - 1) if y == 0 else (x + 1, y) if x == size else (x, y + 1)
        if x == 0 and 0 < y < size:
            out = (x - 1, y)
        kind = kinds[count % len(kinds)] if kinds else "park"
        name = f"{kind}-{count}"
        count += 1
        nodes.append(_node(name, *out))
        edges.append(_edge(f"r{x}.{y}", name, 0.0))
        edges.append(_edge(name, f"r{x}.{y}", 3.141592653589793))
        stations.append({"stationId": name, "interactionNodeIds": [name]})
        if kind == "pick":
            inner = (2 * x - out[0], 2 * y - out[1])
            nodes.append(_node(f"out-{count - 1}", *inner))
            edges.append(_edge(f"r{x}.{y}", f"out-{count - 1}", 0.0))
            edges.append(_edge(f"out-{count - 1}", f"r{x}.{y}", 3.141592653589793))
            stations.append(
                {"stationId": f"out-{count - 1}", "interactionNodeIds": [f"out-{count - 1}"]}
            )
    layout = {
        "layoutId": "ring", "layoutVersion": "1", "layoutLevelId": "0",
        "nodes": nodes, "edges": edges, "stations": stations,
    }  # fmt: skip
    meta = {
        "projectIdentification": "ring", "creator": "test",
        "exportTimestamp": "2026-01-01T00:00:00Z", "lifVersion": "1.0.0",
    }  # fmt: skip
    return {
        "layout.lif.json": json.dumps({"metaInformation": meta, "layouts": [layout]}),
        "site.yaml": yaml.safe_dump(_site(robots, totes) | site, sort_keys=False),
    }


def _site(robots: int, totes: int) -> dict[str, Any]:
    return {
        "format": 1,
        "id": "ring",
        "fleets": {
            "amr": {
                "robots": robots, "carries": ["tote", "parcel"],
                "footprint_m": [[0.4, 0.3], [-0.4, 0.3], [-0.4, -0.3], [0.4, -0.3]],
                "speed_mps": 1.5, "acceleration_mps2": 1.0, "turn_degps": 90,
                "battery": {"reach_m": 1e6, "idle_hours": 1e3, "charge_minutes": 10},
                "handling_s": {"pick": 2, "drop": 2},
            }
        },
        "bays": [
            {"match": "slot-*", "kind": "slot"}, {"match": "park-*", "kind": "parking"},
            {"match": "*", "kind": "station"},
        ],
        "stations": [
            {"match": "dock-*", "kind": "dock", "capabilities": ["receive"], "positions": 3},
            {"match": "pick-*", "kind": "pick", "capabilities": ["pick", "verify", "pack"],
             "out_bay": "out-*", "positions": 3, "out_capacity": 2},
            {"match": "chute-*", "kind": "chute", "capabilities": ["handout"], "positions": 3},
        ],
        "flow": FLOW,
        "policy": {"invariants_every": 1},
        "stock": {"totes": totes, "units_per_tote": 10, "skus": 2},
    }  # fmt: skip


def ring(**values: Any) -> LoadedSite:
    """The ring, loaded."""
    return load_files(ring_files(**values), "ring")


def _node(name: str, x: float, y: float) -> dict[str, Any]:
    return {
        "nodeId": name, "nodePosition": {"x": x * PITCH, "y": y * PITCH},
        "vehicleTypeNodeProperties": [],
    }  # fmt: skip


def _edge(start: str, end: str, orientation: float) -> dict[str, Any]:
    return {
        "edgeId": f"{start}>{end}", "startNodeId": start, "endNodeId": end,
        "vehicleTypeEdgeProperties": [{"vehicleTypeId": "amr", "vehicleOrientation": orientation}],
    }  # fmt: skip
