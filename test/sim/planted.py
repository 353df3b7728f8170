"""Small sites: two that pass their rehearsal, and copies of them with one flaw planted in each."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml
from scenes import PITCH, ring_files

HOURS = 0.35
LOOP = {"a": (0, 0), "b": (1, 0), "c": (1, 1), "d": (0, 1)}
Files = dict[str, str]


def put(folder: Path, files: Files) -> Path:
    """Write a site."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def with_site(files: Files, change: Any) -> Files:
    """A copy whose site.yaml went through `change`."""
    site = yaml.safe_load(files["site.yaml"])
    change(site)
    return files | {"site.yaml": yaml.safe_dump(site, sort_keys=False)}


def picking(**rehearsal: Any) -> Files:
    """The ring with two picking stations; orders are due within minutes."""
    simulation = {
        "service_s": {"pick": [5, 0.1]},
        "demand": {"outbound": {"orders_per_hour": 60, "due_minutes": [6, 10]}},
        "battery_at_start_percent": [40, 70],
    }
    own = {"hours": HOURS, "seeds": 1, "lights_out": 0.9, "on_time": 0.9} | rehearsal
    kinds = ("slot", "park", "pick", "slot", "park", "dock", "slot", "park", "chute", "charger")
    files = ring_files(robots=4, totes=4, kinds=kinds, simulation=simulation, rehearsal=own)
    charger = {"match": "charger-*", "kind": "charger"}
    return with_site(files, lambda site: site["bays"].insert(0, charger))


def slow_picking() -> Files:
    """Flaw: a pick takes four minutes."""
    return with_site(
        picking(), lambda site: site["simulation"]["service_s"].update(pick=[240, 0.1])
    )


def few_chargers() -> Files:
    """Flaw: batteries that last half an hour, and one charger that takes as long, for four robots."""
    battery = {"reach_m": 1500, "idle_hours": 1.0, "charge_minutes": 30}
    return with_site(picking(), lambda site: site["fleets"]["amr"].update(battery=battery))


def loop(robots: int = 1, per_hour: float = 60) -> Files:
    """A one-way loop of four nodes with two parking bays at each: transports from node to node."""
    nodes = [_node(name, x, y) for name, (x, y) in LOOP.items()]
    edges = [_edge(a, b) for a, b in zip("abcd", "bcda", strict=True)]
    stations = []
    for name, (x, y) in LOOP.items():
        out_x, out_y = 2 * x - 0.5, 2 * y - 0.5
        for bay, place in ((f"x-{name}", (x + out_x, y)), (f"y-{name}", (x, y + out_y))):
            nodes.append(_node(bay, *place))
            edges += [_edge(name, bay), _edge(bay, name, math.pi)]
            stations.append({"stationId": bay, "interactionNodeIds": [bay]})
    files = ring_files()
    lif = json.loads(files["layout.lif.json"])
    lif["layouts"][0] |= {"nodes": nodes, "edges": edges, "stations": stations}
    files["layout.lif.json"] = json.dumps(lif, indent=1)

    def change(site: dict[str, Any]) -> None:
        demand = {"orders_per_hour": per_hour, "stops": "any", "due_minutes": [4, 8]}
        site |= {
            "guarantees": "advised",
            "bays": [{"match": "*", "kind": "parking"}],
            "stations": [],
            "flow": {"transport": site["flow"]["transport"]},
            "stock": {},
            "simulation": {"demand": {"transport": demand}},
            "rehearsal": {"hours": HOURS, "seeds": 1, "on_time": 0.9, "lights_out": 0.9},
        }
        site["fleets"]["amr"]["robots"] = robots

    return with_site(files, change)


def jamming_loop() -> Files:
    """Flaw: as many robots as the loop has nodes, and all of them wanted."""
    return loop(robots=4, per_hour=400)


def _node(name: str, x: float, y: float) -> dict[str, Any]:
    place = {"x": 2 * x * PITCH, "y": 2 * y * PITCH}
    return {"nodeId": name, "nodePosition": place, "vehicleTypeNodeProperties": []}


def _edge(start: str, end: str, orientation: float = 0.0) -> dict[str, Any]:
    row = {"vehicleTypeId": "amr", "vehicleOrientation": orientation}
    return {
        "edgeId": f"{start}>{end}", "startNodeId": start, "endNodeId": end,
        "vehicleTypeEdgeProperties": [row],
    }  # fmt: skip
