"""An example of each message, for the document: of a site like `sites/jd_small`."""

from __future__ import annotations

from typing import Any

from orchestrator.api.schemas import ASK, REF, Schema

AT = "2030-01-31T12:00:00.000Z"
EDGE, NODE, FAR = "n+00+00-n+00+01", "n+00+00", "n+00+03"
LINES = [{"sku": "SKU-01", "quantity": 2}, {"sku": "SKU-02", "quantity": 1}]

REQUESTS: dict[str, dict[str, Any]] = {
    "OrderReceived": {
        "order_id": "o-17", "kind": "outbound", "lines": LINES, "due_in_s": 1800, "priority": 2
    },
    "OrderChanged": {"order_id": "o-17", "priority": 9, "due_at": "2030-01-31T12:00:00Z"},
    "OrderCancelled": {"order_id": "o-17", "reason": "the customer called"},
    "RobotsPaused": {"zone": "east", "box_m": [10, 0, 20, 8]},
    "RobotsEvacuated": {"fleet": "sorter"},
    "RobotsResumed": {"zone": "east"},
    "ZoneClosed": {"zone": "west", "nodes": [NODE]},
    "ZoneOpened": {"zone": "west"},
    "EmergencyStopped": {},
    "EmergencyReset": {},
    "ZoneCleared": {},
}  # fmt: skip

PUBLISHED: dict[str, dict[str, Any]] = {
    "RequestInference": {
        "type": "RequestInference", "request": 12, "task": "read_label", "station": "pick-1",
        "subject": "tote-0012", "expected": "tote-0012", "capability": "identify",
    },
    "TakePicture": {
        "type": "TakePicture", "request": 13, "task": "check_lane", "subject": EDGE,
        "capability": "floor",
    },
    "About": {
        "state": "ONLINE", "site": "jd_small", "version": "0.1.0", "run": "5b0645db", "at": AT
    },
    "SafetyStatus": {
        "state": "online", "stopped": [{"zone": "cell-1", "nodes": [NODE], "why": "light curtain"}],
    },
    "SafetyLink": {"state": "stopped", "reason": "it is offline"},
    "RobotState": {
        "robot": "tote_amr-03", "fleet": "tote_amr", "node": NODE, "activity": "driving",
        "battery_percent": 71.5, "fault": "", "manual": False, "retired": False, "paused": [],
        "loads": ["tote-0012"], "order": "o-17", "goal": FAR, "at": AT,
    },
    "OrderStatus": {
        "order_id": "o-17", "status": "done", "kind": "outbound", "reason": "", "priority": 2,
        "due_at": AT, "at": AT,
        "lines": [
            {"sku": "SKU-01", "quantity": 2, "done": 2, "tote": "tote-0012", "rejected": ""}
        ],
    },
    "Kpi": {
        "at": AT, "t_s": 3600.5, "orders_open": 14, "orders_done": 97, "orders_late": 1,
        "orders_quarantined": 1, "orders_cancelled": 0, "orders_refused": 0,
        "orders_per_hour": 96.0, "lights_out_share": 0.9898,
        "robots": {"driving": 22, "charging": 9, "idle": 9}, "problems_open": 1, "alarms": 3,
        "messages_in_per_s": 61.4, "messages_out_per_s": 24.2, "messages_dropped": 0,
        "orders_resent": 0, "stop_and_go_share": 0.0324,
    },
    "Closures": {
        "lanes": [EDGE], "stations": {"pick-1": ["asked"]}, "at": AT,
        "restrictions": [
            {
                "name": "pause zone east", "kind": "pause", "robot": "", "fleet": "",
                "zone": "east", "nodes": [NODE, FAR],
            }
        ],
    },
    "Alarm": {"at": AT, "subject": "tote_amr-03", "text": "silent for 70 s"},
    "Reply": {
        "request": "r-1", "accepted": False,
        "reason": "robot: there is no robot 'tote-amr-03' -> did you mean tote_amr-03?",
    },
    "SiteEvent": {
        "at": AT, "seq": 3893, "type": "RobotFaulted", "robot": "tote_amr-03",
        "reason": "motor", "kind": "robot_dead",
    },
}  # fmt: skip

SAMPLES: dict[str, Any] = {
    "robot": "tote_amr-03", "edge": EDGE, "node": NODE, "bay": "charge-c-1", "station": "pick-1",
    "fleet": "sorter", "order_id": "o-17", "sku": "SKU-01", "quantity": 2, "tote": "tote-0012",
    "load": "tote-0012", "truck": "truck-7", "route": "north", "door": "door-1", "at": AT,
    "run": "5b0645db", "request": 12, "work": 31, "outcome": "ok", "capability": "pick",
    "subject": "tote-0012", "task": "read_label", "reason": "jam", "kind": "outbound",
    "expected": "SKU-01", "slot": "slot-01", "place": "slot:slot-01", "notice_id": "asn-7",
    "key": "5b0645db:e-000000093-order-done-o-17", "number": 93, "status": "done",
}  # fmt: skip
KINDS = {"Departure": "departure", "Receipt": "inbound-receipt", "Adjustment": "stock-adjustment",
         "Snapshot": "stock-snapshot", "Confirmation": "order-done"}  # fmt: skip


def example_of(name: str, schemas: dict[str, Schema]) -> Any:
    """A message of this schema."""
    if name in PUBLISHED:
        return PUBLISHED[name]
    schema = schemas[name]
    if name.endswith(ASK):
        kind = name.removesuffix(ASK)
        asked = {"type": kind, "request": "r-1"} | REQUESTS.get(kind, {})
        return asked if kind in REQUESTS else asked | _required(schema, schemas, skip=set(asked))
    found = _required(schema, schemas)
    if name in KINDS:
        found["kind"] = KINDS[name]
        if name in ("Confirmation", "Receipt"):
            found["type"] = "outbound" if name == "Confirmation" else "inbound"
    if isinstance(schema["properties"].get("request", {}).get("type"), str):
        texts = schema["properties"]["request"]["type"] == "string"
        if texts and "request" in found:
            found["request"] = "h-1"
    return found


def _required(schema: Schema, schemas: dict[str, Schema], skip: set[str] | None = None) -> Any:
    needed = [key for key in schema.get("required", ()) if key not in (skip or ())]
    return {key: _value(key, schema["properties"][key], schemas) for key in needed}


def _value(key: str, schema: Schema, schemas: dict[str, Schema]) -> Any:
    if "$ref" in schema:
        return _of(schemas[schema["$ref"].removeprefix(REF)], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if key in SAMPLES and schema.get("type") in ("string", "integer"):
        return SAMPLES[key]
    if "anyOf" in schema:
        return _value(key, schema["anyOf"][0], schemas)
    return _of(schema, schemas)


def _of(schema: Schema, schemas: dict[str, Schema]) -> Any:
    match schema.get("type"):
        case "object":
            return _required(schema, schemas)
        case "array":
            items = schema.get("items", {})
            if isinstance(items, list):
                return [_value("", each, schemas) for each in items]
            return [_value("", items, schemas)]
        case "string":
            return "text"
        case "integer":
            return 1
        case "number":
            return 1.5
        case "boolean":
            return True
    return None
