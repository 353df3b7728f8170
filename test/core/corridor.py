"""A corridor of two-way lanes with one place to step aside, and parking places at both ends, of which
each of two fleets has one near and one far."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from scenes import FLOW, _edge, _node

from orchestrator.layout import LoadedSite, load_files

LENGTH = 9
FLEETS = ("amr", "cart")


def corridor() -> LoadedSite:
    """Lanes c0 to c8 and `aside` at c4; `amr` begins at the west end, `cart` at the east end."""
    names = [f"c{x}" for x in range(LENGTH)]
    nodes = [_node(name, x, 0) for x, name in enumerate(names)] + [_node("aside", 4, 1)]
    edges: list[dict[str, Any]] = []
    stations = []
    lanes = [*pairwise(names), ("c4", "aside")]
    for a, b in lanes:
        edges += [_lane(a, b, FLEETS), _lane(b, a, FLEETS)]
    for name, mouth, x, fleet in [
        ("park-amr", "c0", 0, "amr"), ("park-amr-far", "c8", 8, "amr"),
        ("park-cart", "c8", 8, "cart"), ("park-cart-far", "c0", 0, "cart"),
    ]:  # fmt: skip
        nodes.append(_node(name, x, 1 if fleet == "amr" else -1))
        edges += [_lane(mouth, name, (fleet,)), _lane(name, mouth, (fleet,), backwards=True)]
        stations.append({"stationId": name, "interactionNodeIds": [name]})
    layout = {"layoutId": "corridor", "layoutVersion": "1", "layoutLevelId": "0",
              "nodes": nodes, "edges": edges, "stations": stations}  # fmt: skip
    meta = {"projectIdentification": "corridor", "creator": "test",
            "exportTimestamp": "2026-01-01T00:00:00Z", "lifVersion": "1.0.0"}  # fmt: skip
    amr = {
        "robots": 1, "carries": ["tote"],
        "footprint_m": [[0.4, 0.3], [-0.4, 0.3], [-0.4, -0.3], [0.4, -0.3]],
        "speed_mps": 1.5, "acceleration_mps2": 1.0, "turn_degps": 90,
        "battery": {"reach_m": 1e6, "idle_hours": 1e3, "charge_minutes": 10},
    }  # fmt: skip
    site = {
        "format": 1, "id": "corridor", "guarantees": "advised",
        "fleets": dict.fromkeys(FLEETS, amr),
        "bays": [{"match": "park-*", "kind": "parking"}],
        "flow": {"transport": FLOW["transport"]},
        "policy": {"invariants_every": 1},
    }  # fmt: skip
    texts = {"layout.lif.json": json.dumps({"metaInformation": meta, "layouts": [layout]}),
             "site.yaml": json.dumps(site)}  # fmt: skip
    return load_files(texts, "corridor")


def _lane(a: str, b: str, fleets: tuple[str, ...], *, backwards: bool = False) -> dict[str, Any]:
    edge = _edge(a, b, 3.141592653589793 if backwards else 0.0)
    (row,) = edge["vehicleTypeEdgeProperties"]
    edge["vehicleTypeEdgeProperties"] = [row | {"vehicleTypeId": fleet} for fleet in fleets]
    return edge
