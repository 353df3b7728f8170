"""A small building that passes every check, made to be broken, and where the given data lies."""

import copy
import json
import math
import os
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
JD_SMALL = ROOT / "sites" / "jd_small"
LIF = Path(os.environ.get("LIGHTSOUT_DATA", ROOT.parent / "shared")) / "data" / "lif"
EXAMPLE, SCHEMA = LIF / "example.lif.json", LIF / "lif-schema.json"
WITHOUT_DATA = "the given LIF files are not on this machine (set LIGHTSOUT_DATA)"
RING = [("a", 0, 0), ("b", 4, 0), ("c", 4, 4), ("d", 0, 4)]


def lif() -> dict[str, Any]:
    """A one-way ring a b c d with two parking bays, a slot and a dock, one fleet `amr`."""
    nodes = [_node(*row) for row in RING]
    edges = [_edge(a[0], b[0]) for a, b in zip(RING, RING[1:] + RING[:1], strict=True)]
    stations = []
    for name, mouth, x, y in [("park-1", "a", -2, 0), ("park-2", "b", 6, 0),
                              ("slot-1", "c", 6, 4), ("dock-1", "d", -2, 4)]:  # fmt: skip
        nodes.append(_node(name, x, y))
        edges += [_edge(mouth, name), _edge(name, mouth, math.pi)]
        stations.append({"stationId": name, "interactionNodeIds": [name]})
    layout = {"layoutId": "ring", "layoutVersion": "1", "nodes": nodes, "edges": edges,
              "stations": stations}  # fmt: skip
    meta = {"projectIdentification": "ring", "creator": "test",
            "exportTimestamp": "2026-01-01T00:00:00Z", "lifVersion": "1.0.0"}  # fmt: skip
    return {"metaInformation": meta, "layouts": [layout]}


def site() -> dict[str, Any]:
    """The site file for it: totes go from the dock to the slot."""
    return copy.deepcopy({
        "format": 1,
        "id": "ring",
        "fleets": {"amr": {
            "robots": 2, "carries": ["tote"],
            "footprint_m": [[0.4, 0.3], [-0.4, 0.3], [-0.4, -0.3], [0.4, -0.3]],
            "speed_mps": 1.5, "acceleration_mps2": 1.0, "turn_degps": 90,
            "battery": {"reach_m": 9000, "idle_hours": 10, "charge_minutes": 10},
        }},
        "bays": [{"match": "park-*", "kind": "parking"}, {"match": "slot-*", "kind": "slot"},
                 {"match": "dock-*", "kind": "station"}],
        "stations": [{"match": "dock-*", "kind": "dock", "capabilities": ["receive"]}],
        "flow": {"inbound": {
            "receive": {"do": "work", "needs": "receive", "then": ["put_away"],
                        "outcomes": {"failed": {"then": "receive", "tries": 2}}},
            "put_away": {"do": "carry", "needs": "tote", "start": "dock", "to": "slot",
                         "then": ["stored"]},
            "stored": {"do": "finish"},
        }},
        "stock": {"totes": 1},
    })  # fmt: skip


def files(layout: Any = None, spec: Any = None, **more: str) -> dict[str, str]:
    """Texts of a site."""
    return {
        "site.yaml": yaml.safe_dump(spec or site(), sort_keys=False),
        "layout.lif.json": json.dumps(layout or lif(), indent=1),
        **more,
    }


def write(folder: Path, texts: dict[str, str]) -> Path:
    """Put a site into a folder."""
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _node(name: str, x: float, y: float) -> dict[str, Any]:
    return {"nodeId": name, "nodePosition": {"x": x, "y": y}, "vehicleTypeNodeProperties": []}


def _edge(a: str, b: str, orientation: float = 0.0) -> dict[str, Any]:
    row = {"vehicleTypeId": "amr", "orientationType": "TANGENTIAL",
           "vehicleOrientation": orientation}  # fmt: skip
    return {"edgeId": f"{a}>{b}", "startNodeId": a, "endNodeId": b,
            "vehicleTypeEdgeProperties": [row]}  # fmt: skip
