"""A third party on the broker: each message against the official schema, each order against the rules.

It knows nothing of the master nor of the vehicles, only the standard. What a kind of vehicle does
against it is exempted by name, so that everything else of it is still checked.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

DATA = Path(os.environ.get("LIGHTSOUT_DATA", Path(__file__).parents[3] / "shared"))
SCHEMAS = DATA / "data" / "vda5050"
ENDED = ("FINISHED", "FAILED")
Json = dict[str, Any]


@cache
def validator(version: str, topic: str) -> Draft7Validator:
    """Of one message type. Raises FileNotFoundError where the schemas are not at hand."""
    return Draft7Validator(json.loads((SCHEMAS / version / f"{topic}.schema").read_text()))


@dataclass
class Told:
    """What was said to and by one vehicle."""

    headers: dict[str, int] = field(default_factory=dict)
    order: Json | None = None  # the last one, header and all
    base: list[tuple[str, int]] = field(default_factory=list)  # (id, sequenceId)
    horizon: list[tuple[str, int]] = field(default_factory=list)
    state: Json | None = None
    cancels: set[str] = field(default_factory=set)  # that have not ended


class Listener:
    """Feed it what comes by; then look at `problems`.

    `actions_key`: what the vehicles want the array of instantActions to be called. `exempt`: places of
    schema errors that are known of them, as `topic/place` with `*` for numbers. `each`: so many states
    are read for one that is held against the schema. `rubbish`: vehicles whose states may be no states.
    """

    def __init__(
        self,
        version: str,
        *,
        actions_key: str = "actions",
        exempt: Iterable[str] = (),
        each: int = 1,
        rubbish: Iterable[str] = (),
    ) -> None:
        self._each, self._rubbish = each, frozenset(rubbish)
        self.version, self.actions_key, self.exempt = version, actions_key, frozenset(exempt)
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self.exempted: Counter[str] = Counter()
        self.told: dict[str, Told] = {}

    def message(self, topic: str, payload: bytes) -> None:
        """Something came by."""
        parts = topic.split("/")
        if len(parts) != 5:
            return
        serial, name = parts[3], parts[4]
        told = self.told.setdefault(serial, Told())
        self.counts[name] += 1
        if serial in self._rubbish and name == "state" and not _read_at_all(payload):
            self.counts["rubbish"] += 1
            return
        message = json.loads(payload)
        if serial in self._rubbish and name == "state" and _wrong(self.version, message):
            self.counts["rubbish"] += 1
            return
        if name != "state" or self.counts["state"] % self._each == 0:
            self._schema(serial, name, message)
        if name in ("order", "instantActions"):
            self._header(serial, told, name, message)
        match name:
            case "order":
                self.counts["updates"] += message["orderUpdateId"] > 0
                self.counts["horizons"] += not message["nodes"][-1]["released"]
                self._order(serial, told, message)
            case "instantActions":
                for action in message[self.actions_key]:
                    self.counts[action["actionType"]] += 1
                    if action["actionType"] == "cancelOrder":
                        told.cancels.add(action["actionId"])
            case "state":
                self._state(told, message)
            case "connection":
                self.counts[message["connectionState"]] += 1

    def _bad(self, serial: str, text: str) -> None:
        self.problems.append(f"{serial}: {text}")

    def _schema(self, serial: str, name: str, message: Json) -> None:
        if name == "instantActions":
            if "actions" not in message and self.actions_key != "actions":
                self.exempted["instantActions/key"] += 1
            message = {**message, "actions": message.get(self.actions_key)}
            message.pop(self.actions_key if self.actions_key != "actions" else "", None)
        for error in validator(self.version, name).iter_errors(message):
            path = ["*" if isinstance(each, int) else each for each in error.absolute_path]
            place = "/".join([name, *map(str, path)])
            if error.validator == "required":
                missing = next(key for key in error.validator_value if key not in error.instance)
                place += f"/{missing}"
            if place in self.exempt:
                self.exempted[place] += 1
            else:
                self._bad(serial, f"{place}: {error.message[:200]}")

    def _header(self, serial: str, told: Told, name: str, message: Json) -> None:
        number = message["headerId"]
        if number != told.headers.get(name, number - 1) + 1:
            self._bad(serial, f"{name}: headerId {number} after {told.headers[name]}")
        told.headers[name] = number

    def _state(self, told: Told, state: Json) -> None:
        last = told.state
        if last is not None and state["timestamp"] < last["timestamp"]:
            self.counts["late"] += 1
            return  # an older one has been overtaken, or is repeated
        told.state = state
        ended = {a["actionId"] for a in state["actionStates"] if a["actionStatus"] in ENDED}
        for error in state["errors"]:
            ended |= {ref["referenceValue"] for ref in error.get("errorReferences", ())}
        told.cancels -= ended

    # --- orders ----------------------------------------------------------------------------------

    def _order(self, serial: str, told: Told, order: Json) -> None:
        name = f"order {order['orderId']}, update {order['orderUpdateId']}"
        before = told.order
        if before is not None and _content(before) == _content(order):
            told.order = order
            return  # the same once more
        for text in _shape(order):
            self._bad(serial, f"{name}: {text}")
        if told.cancels:
            self._bad(serial, f"{name}: sent while a cancelOrder has not ended")
        rows = _rows(order)
        if before is not None and before["orderId"] == order["orderId"]:
            if order["orderUpdateId"] != before["orderUpdateId"] + 1:
                self._bad(serial, f"{name}: after update {before['orderUpdateId']}")
            if rows[0][:2] != told.base[-1]:
                self._bad(serial, f"{name}: begins at {rows[0]}, the base ends at {told.base[-1]}")
            rows = rows[1:]
        else:
            if order["orderUpdateId"] != 0:
                self._bad(serial, f"{name}: a new order begins with update 0")
            if told.state is None or not _idle(told.state):
                self._bad(serial, f"{name}: is new, and the vehicle is not idle")
            told.base = []
        told.base += [row[:2] for row in rows if row[2]]
        told.horizon = [row[:2] for row in rows if not row[2]]
        told.order = order


def _read_at_all(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return True


def _wrong(version: str, message: Any) -> bool:
    return not validator(version, "state").is_valid(message)


def _content(order: Json) -> Json:
    return {key: value for key, value in order.items() if key not in ("headerId", "timestamp")}


def _rows(order: Json) -> list[tuple[str, int, bool]]:
    """Nodes and edges in their sequence: (id, sequenceId, released)."""
    nodes = [(n["nodeId"], n["sequenceId"], n["released"]) for n in order["nodes"]]
    edges = [(e["edgeId"], e["sequenceId"], e["released"]) for e in order["edges"]]
    return sorted(nodes + edges, key=lambda row: row[1])


def _shape(order: Json) -> list[str]:
    """What is wrong with one order by itself."""
    found, rows = [], _rows(order)
    if any(node["sequenceId"] % 2 for node in order["nodes"]):
        found.append("a node's sequenceId is odd")
    if any(edge["sequenceId"] % 2 == 0 for edge in order["edges"]):
        found.append("an edge's sequenceId is even")
    first = rows[0][1]
    if [row[1] for row in rows] != list(range(first, first + len(rows))):
        found.append("sequenceIds are not continuous")
    if len(order["nodes"]) != len(order["edges"]) + 1:
        found.append("does not begin and end with a node")
    released = [row[2] for row in rows]
    if released != sorted(released, reverse=True):
        found.append("something is released behind what is not")
    last = max((row for row in rows if row[2]), key=lambda row: row[1], default=None)
    if last is None or last[1] % 2:
        found.append("the base does not end with a node")
    for edge in order["edges"]:
        ends = {n["sequenceId"]: n["nodeId"] for n in order["nodes"]}
        at = edge["sequenceId"]
        if (edge["startNodeId"], edge["endNodeId"]) != (ends.get(at - 1), ends.get(at + 1)):
            found.append(f"edge {edge['edgeId']} does not join the nodes beside it")
    return found


def _idle(state: Json) -> bool:
    ended = all(each["actionStatus"] in ENDED for each in state["actionStates"])
    return not state["nodeStates"] and not state["edgeStates"] and ended
