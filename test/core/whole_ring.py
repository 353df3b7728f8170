"""A ring with every stage of the whole flow: pallets, zones, trucks, returns, re-induction."""

from __future__ import annotations

import json
from typing import Any

import yaml
from scenes import FLOW, ring_files

KINDS = (
    "slot-f", "park", "pick", "slot-f", "slot-r", "park", "dock", "slot-r", "park", "chute", "slot-r",
    "park", "door", "slot-f", "slot-r", "relabel", "park", "unpack", "slot-f", "park", "slot-r",
)  # fmt: skip


def _back(to: str, tries: int = 3) -> dict[str, Any]:
    return {"then": to, "tries": tries, "otherwise": "quarantine"}


INBOUND: dict[str, Any] = {
    "unload": {"do": "work", "needs": "unload", "then": ["depalletise"]},
    "depalletise": {
        "do": "work", "needs": "depalletise", "per_line": True, "then": ["identify"],
        "outcomes": {"failed": _back("depalletise")},
    },
    "identify": {
        "do": "inspect", "needs": "identify", "per_line": True, "then": ["weigh"],
        "outcomes": {"unreadable": {"then": "identify", "tries": 1, "otherwise": "aside"}},
    },
    "weigh": {"do": "work", "needs": "weigh", "per_line": True, "then": ["put_away"]},
    "put_away": {
        "do": "carry", "needs": "tote", "start": "dock", "to": "slot:reserve", "per_line": True,
        "then": ["stored"],
    },
    "stored": {"do": "finish"},
    "aside": {
        "do": "carry", "needs": "tote", "start": "dock", "to": "station:relabel", "per_line": True,
        "then": ["relabel"],
    },
    "relabel": {
        "do": "work", "needs": "relabel", "per_line": True, "outcomes": {"ok": _back("put_away", 1)},
    },
}  # fmt: skip
OUTBOUND = FLOW["outbound"] | {
    "retrieve": FLOW["outbound"]["retrieve"] | {"start": "home:forward"},
    "verify": FLOW["outbound"]["verify"] | {
        "outcomes": {"unreadable": _back("verify", 1), "mismatch": _back("pick", 1)},
    },
    "pack": {"do": "work", "needs": "pack", "then": ["label"]},
    "label": {"do": "work", "needs": "label", "then": ["scan"]},
    "scan": {
        "do": "inspect", "needs": "scan", "then": ["sort"], "outcomes": {"unreadable": _back("label")},
    },
    "sort": {"do": "carry", "needs": "parcel", "start": "out", "to": "chute", "then": ["collect"]},
    "collect": {"do": "carry", "needs": "parcel", "start": "chute", "to": "door", "then": ["load"]},
    "load": {"do": "work", "needs": "load", "then": ["depart"]},
    "depart": {"do": "depart", "then": ["finish"]},
}  # fmt: skip
OUTBOUND = {name: step for name, step in OUTBOUND.items() if name != "hand_out"}


def move(start: str, to: str) -> dict[str, Any]:
    """An order type that carries a tote from zone to zone."""
    step = {"do": "carry", "needs": "tote", "start": f"home:{start}", "to": f"slot:{to}"}
    return {"move": step | {"then": ["moved"]}, "moved": {"do": "finish"}}


WHOLE: dict[str, Any] = {
    "inbound": INBOUND,
    "outbound": OUTBOUND,
    "replenish": move("reserve", "forward"),
    "relieve": move("forward", "reserve"),
    "returns": {
        "receive": {"do": "work", "needs": "receive", "then": ["weigh"]},
        "weigh": {"do": "work", "needs": "weigh", "per_line": True, "then": ["put_away"]},
        "put_away": {"do": "carry", "needs": "tote", "start": "dock", "to": "slot:reserve",
                     "per_line": True, "then": ["stored"]},
        "stored": {"do": "finish"},
    },
    "reinduct": {
        "pack": {"do": "work", "needs": "pack", "then": ["bring"]},
        "bring": {"do": "carry", "needs": "parcel", "start": "out", "to": "chute:unpack",
                  "then": ["unpack"]},
        "unpack": {"do": "work", "needs": "unpack", "per_line": True, "then": ["put_away"]},
        "put_away": {"do": "carry", "needs": "tote", "start": "dock", "to": "slot:reserve",
                     "per_line": True, "then": ["stored"]},
        "stored": {"do": "finish"},
    },
}  # fmt: skip


def whole_files(**changes: Any) -> dict[str, str]:
    """The files of a ring site with all stages; `changes` replace keys of site.yaml."""
    site: dict[str, Any] = {
        "bays": [
            {"match": "slot-f-*", "kind": "slot", "zone": "forward"},
            {"match": "slot-r-*", "kind": "slot", "zone": "reserve"},
            {"match": "park-*", "kind": "parking"}, {"match": "*", "kind": "station"},
        ],
        "stations": [
            {"match": "dock-*", "kind": "dock", "positions": 2, "out_capacity": 2,
             "capabilities": ["unload", "depalletise", "identify", "weigh", "receive"]},
            {"match": "pick-*", "kind": "pick", "out_bay": "out-*", "positions": 3,
             "capabilities": ["pick", "verify", "pack", "label", "scan"], "out_capacity": 2},
            {"match": "chute-*", "kind": "chute", "capabilities": ["handout"], "positions": 4},
            {"match": "door-*", "kind": "door", "capabilities": ["load"], "positions": 3},
            {"match": "relabel-*", "kind": "service", "capabilities": ["relabel"]},
            {"match": "unpack-*", "kind": "service", "capabilities": ["unpack"], "out_capacity": 2},
        ],
        "flow": WHOLE,
        "routes": {"north": {"door": "door-12"}},
        "replenish": [{"order_type": "replenish", "below_units": 5, "relieve": "relieve"}],
        "simulation": {
            "service_s": {"unload": [20, 0], "depalletise": [6, 0], "pick": [4, 0.1]},
            "success": {"verify": 0.97, "identify": 0.9, "scan": 0.9},
            "demand": {
                "outbound": {"orders_per_hour": 20, "routes": {"north": 1}, "due_minutes": [15, 25]},
                "inbound": {"pallets_per_hour": 1, "totes_per_pallet": [2, 3]},
                "returns": {"totes_per_hour": 1, "order_type": "returns"},
            },
            "trucks": {"north": {"every_minutes": 20, "first_minute": 18, "dwell_minutes": 8}},
        },
    }  # fmt: skip
    defaults: dict[str, Any] = {"size": 12, "robots": 4, "totes": 4, "kinds": KINDS}
    options = {key: changes.pop(key, value) for key, value in defaults.items()}
    return ring_files(**options, **(site | changes))


def tug_files(
    tugs: int = 2, places: int = 4, *, shared: bool = False, **changes: Any
) -> dict[str, str]:
    """The ring with vehicles of several places, which bring parcels from the chutes to the door; with
    `shared`, single-place robots may do so as well."""
    files = whole_files(**changes)
    site, lif = yaml.safe_load(files["site.yaml"]), json.loads(files["layout.lif.json"])
    for edge in lif["layouts"][0]["edges"]:
        rows = edge["vehicleTypeEdgeProperties"]
        rows.append(rows[0] | {"vehicleTypeId": "tug"})
    amr = site["fleets"]["amr"]
    needs = "parcel" if shared else "freight"
    site["fleets"]["tug"] = amr | {"robots": tugs, "places": places, "carries": [needs]}
    site["flow"]["outbound"]["collect"]["needs"] = needs
    layout = json.dumps(lif)
    return {"site.yaml": yaml.safe_dump(site, sort_keys=False), "layout.lif.json": layout}
