"""The third party finds what it is there for: each rule broken once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from listener import SCHEMAS, Listener

pytestmark = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no VDA 5050 schemas at {SCHEMAS}")
HEAD = {"timestamp": "2026-01-01T00:00:00.00Z", "version": "2.0.0", "manufacturer": "m",
        "serialNumber": "s"}  # fmt: skip


def order(update: int, first: int, base: int, horizon: int = 0, name: str = "o") -> dict[str, Any]:
    """From node `first`: so many edges released, so many not."""
    count = base + horizon
    nodes = [
        {
            "nodeId": f"n{first + i}",
            "sequenceId": 2 * (first + i),
            "released": i <= base,
            "actions": [],
        }
        for i in range(count + 1)
    ]
    edges = [
        {"edgeId": f"e{first + i}", "sequenceId": 2 * (first + i) + 1, "released": i < base,
         "startNodeId": f"n{first + i}", "endNodeId": f"n{first + i + 1}", "actions": []}
        for i in range(count)
    ]  # fmt: skip
    return HEAD | {"orderId": name, "orderUpdateId": update, "nodes": nodes, "edges": edges}


def state(*ahead: str, actions: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    nodes = [{"nodeId": each, "sequenceId": 2, "released": True} for each in ahead]
    return HEAD | {
        "headerId": 0, "orderId": "", "orderUpdateId": 0, "lastNodeId": "n0", "lastNodeSequenceId": 0,
        "driving": False, "operatingMode": "AUTOMATIC", "nodeStates": nodes, "edgeStates": [],
        "actionStates": list(actions), "errors": [], "information": [],
        "batteryState": {"batteryCharge": 1.0, "charging": False},
        "safetyState": {"eStop": "NONE", "fieldViolation": False},
    }  # fmt: skip


class Ear:
    def __init__(self) -> None:
        self.listener, self.header = Listener("2.0.0"), 0

    def hear(self, name: str, message: dict[str, Any], *, skip: int = 0) -> list[str]:
        """Return what is new wrong."""
        before = len(self.listener.problems)
        if name != "state":
            self.header += 1 + skip
            message = message | {"headerId": self.header}
        self.listener.message(f"uagv/v2/m/s/{name}", json.dumps(message).encode())
        return self.listener.problems[before:]


def begun() -> Ear:
    """An order of two edges and a horizon of two is under way."""
    ear = Ear()
    assert ear.hear("state", state()) == []
    assert ear.hear("order", order(0, 0, 2, 2)) == []
    assert ear.hear("state", state("n1")) == []
    return ear


def test_what_the_standard_allows_is_no_problem() -> None:
    ear = begun()
    assert ear.hear("order", order(0, 0, 2, 2)) == [], "the same once more"
    assert ear.hear("order", order(1, 2, 1, 3)) == []
    assert ear.hear("order", order(2, 3, 0)) == [], "the horizon is cut"
    assert ear.hear("state", state()) == []
    assert ear.hear("order", order(0, 0, 1, name="p")) == []


def broken(change: str) -> dict[str, Any]:
    made = copy.deepcopy(order(1, 2, 2, 1))
    nodes, edges = made["nodes"], made["edges"]
    match change:
        case "odd":
            for row in nodes + edges:
                row["sequenceId"] += 1
        case "gap":
            nodes[-1]["sequenceId"] += 2
        case "horizon":
            nodes[1]["released"] = edges[0]["released"] = False
        case "edge":
            nodes[2]["released"] = False
        case "ends":
            edges[0]["endNodeId"] = "n9"
        case "schema":
            del edges[0]["actions"]
    return made


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("odd", "a node's sequenceId is odd"),
        ("gap", "not continuous"),
        ("horizon", "released behind what is not"),
        ("edge", "does not end with a node"),
        ("ends", "does not join the nodes"),
        ("schema", "'actions' is a required property"),
    ],
)
def test_an_order_that_is_wrong_by_itself(change: str, found: str) -> None:
    assert any(found in each for each in begun().hear("order", broken(change)))


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (order(2, 2, 1), "after update 0"),
        (order(1, 1, 3), "the base ends at"),
        (order(1, 3, 1), "the base ends at"),
        (order(0, 0, 3), "after update 0"),
        (order(0, 0, 1, name="p"), "is new, and the vehicle is not idle"),
        (order(1, 0, 1, name="p"), "begins with update 0"),
    ],
)
def test_an_order_that_does_not_follow(made: dict[str, Any], found: str) -> None:
    assert any(found in each for each in begun().hear("order", made))


def test_nothing_is_sent_while_a_cancellation_is_under_way() -> None:
    ear = begun()
    action = {"actionName": "cancelOrder", "actionType": "cancelOrder", "actionId": "c",
              "blockingType": "HARD"}  # fmt: skip
    assert ear.hear("instantActions", HEAD | {"actions": [action]}) == []
    ear.header = 1  # counted by topic
    found = ear.hear("order", order(1, 2, 1))
    assert any("while a cancelOrder has not ended" in each for each in found)
    ended = {"actionId": "c", "actionStatus": "FINISHED", "actionType": "cancelOrder"}
    ear.hear("state", state(actions=(ended,)))
    assert ear.hear("order", order(0, 0, 1, name="p")) == []


def test_a_missing_header_is_noticed() -> None:
    assert any("headerId" in each for each in begun().hear("order", order(1, 2, 1), skip=1))
