"""Requests over topics: read, answered, and garbage harms nobody."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.api.naming import Naming
from orchestrator.api.requests import Requests
from orchestrator.core.messages import (
    AnswerRequest,
    EmergencyStopped,
    LaneClosed,
    Line,
    OrderChanged,
    OrderReceived,
    RobotsEvacuated,
    RobotsPaused,
    ZoneClosed,
)
from orchestrator.layout import load_site

SITE = load_site(Path(__file__).parents[2] / "sites" / "jd_small").site
ROOT = "lightsout/v1/ring"


class Desk:
    def __init__(self, robot: str = "amr-0") -> None:
        self.posted: list[Any] = []
        self.said: list[Any] = []
        self.alarms: list[str] = []
        naming = Naming(SITE)
        naming.joined(robot)
        self.requests = Requests(
            "ring", naming, lambda topic, payload, *_: self.said.append((topic, json.loads(payload))),
            self.posted.append, lambda _, text: self.alarms.append(text), lambda: (5, 10**9 + 5),
        )  # fmt: skip

    def ask(self, topic: str, **values: Any) -> None:
        assert self.requests.message(f"{ROOT}/{topic}", json.dumps(values).encode())


def test_requests_are_read_with_names_and_answered_with_their_id() -> None:
    desk = Desk()
    edge, node = SITE.roadmap.edge_ids[3], SITE.roadmap.node_ids[2]
    lines = [["SKU-01", 2]]
    desk.ask("orders", type="OrderReceived", request="a", order_id="o", kind="outbound", lines=lines,
             due_in_s=2)  # fmt: skip
    desk.ask("commands", type="RobotsPaused", request="b", robot="amr-0")
    desk.ask("commands", type="LaneClosed", request="c", edge=edge)
    desk.ask("commands", type="ZoneClosed", request="d", zone="z", nodes=[node])
    desk.ask("safety/events", type="EmergencyStopped")
    assert desk.posted == [
        OrderReceived(
            request="a",
            order_id="o",
            kind="outbound",
            lines=(Line("SKU-01", 2),),
            due_ns=2 * 10**9 + 5,
        ),
        RobotsPaused(request="b", robot=0),
        LaneClosed(request="c", edge=3),
        ZoneClosed(request="d", zone="z", nodes=(2,)),
        EmergencyStopped(),
    ]
    assert desk.requests.command(AnswerRequest(request="b", accepted=True))
    assert desk.said == [(f"{ROOT}/replies", {"request": "b", "accepted": True, "reason": ""})]


@pytest.mark.parametrize(
    ("values", "mend"),
    [
        ({"type": "RobotsPaused", "robot": "amr-9"}, "no robot 'amr-9'"),
        ({"type": "LaneClosed", "edge": 3}, "edge"),
        ({"type": "EmergencyReset"}, "EmergencyReset"),
        ({}, "type"),
        (
            {"type": "RobotsPaused", "robots": ["amr-0"]},
            "robots: RobotsPaused has no such field -> ",
        ),
        ({"type": "RobotsPaused", "robot": "amr-0", "fleet": "tote_amr"}, "name one of them"),
        ({"type": "RobotsPaused", "robot": "amr0"}, "did you mean amr-0?"),
        ({"type": "OrderCancelled", "order_id": "o"}, "nothing that is asked for on commands"),
        ({"type": "ZoneClosed", "zone": "z", "box_m": [0, 0, 1]}, "two corners"),
        ({"type": "ZoneClosed", "zone": "z", "box_m": [900, 900, 901, 901]}, "no node in it"),
        ({"type": "ZoneClosed", "zone": "z", "box_m": [0, 0, 1, 1], "nodes": []}, "leave one out"),
    ],
)
def test_what_is_wrong_is_refused_by_its_id_naming_the_field(values: Any, mend: str) -> None:
    desk = Desk()
    desk.ask("commands", request="r", **values)
    ((_, reply),) = desk.said
    assert reply["request"] == "r" and not reply["accepted"] and mend in reply["reason"]
    assert not desk.posted


@pytest.mark.parametrize(
    ("values", "mend"),
    [
        ({"due_in_s": "soon"}, "due_in_s: soon -> seconds from now"),
        ({"due_in_s": 1e9}, "due_in_s"),
        ({"due_at": "tomorrow"}, "due_at: 'tomorrow' is no time -> as 2030"),
        ({"due_at": "1969-12-31T00:00:00Z"}, "before the run began"),
        ({"due_in_s": 3, "due_ns": 4}, "a due time is said once"),
        ({"cutoff_in_s": 3, "cutoff_at": "1970-01-01T00:01:00Z"}, "a cutoff time is said once"),
        ({"cutoff_at": "noon"}, "cutoff_at: 'noon' is no time"),
        ({"cutoff_ns": 7}, "cutoff_ns: "),
        ({"lines": [{"sku": "A"}]}, "a line is"),
        ({"order_id": "x" * 201}, "1 to 200 letters"),
        ({"order_id": ""}, "1 to 200 letters"),
    ],
)
def test_orders_that_are_wrong_are_refused_by_their_id(values: Any, mend: str) -> None:
    desk = Desk()
    desk.ask("orders", **{"request": "r", "type": "OrderChanged", "order_id": "o"} | values)
    ((_, reply),) = desk.said
    assert not reply["accepted"] and mend in reply["reason"] and not desk.posted


@pytest.mark.parametrize(
    ("values", "due_ns"),
    [
        ({"due_in_s": 900, "cutoff_in_s": 600}, 600 * 10**9 + 5),
        ({"due_in_s": 900, "cutoff_at": "1970-01-01T00:30:01Z"}, 900 * 10**9 + 5),
        ({"due_ns": 77, "cutoff_in_s": 600}, 77),
        ({"cutoff_at": "1970-01-01T00:30:01Z"}, 1800 * 10**9),
    ],
)
def test_an_order_is_due_when_its_carrier_leaves_or_before(values: Any, due_ns: int) -> None:
    desk = Desk()
    desk.ask("orders", type="OrderReceived", request="a", order_id="o", kind="outbound",
             lines=[["SKU-01", 2]], route="r1", carrier="post", **values)  # fmt: skip
    (event,) = desk.posted
    assert (event.due_ns, event.route, event.carrier) == (due_ns, "r1", "post")


def test_times_places_and_lines_as_people_write_them() -> None:
    desk = Desk()
    lines = [{"sku": "SKU-01", "quantity": 2}]
    desk.ask("orders", type="OrderChanged", request="a", order_id="o", lines=lines,
             due_at="1970-01-01T00:01:00Z")  # fmt: skip
    x_m, y_m = SITE.roadmap.node_x_mm[2] / 1000, SITE.roadmap.node_y_mm[2] / 1000
    box = [x_m + 0.1, y_m + 0.1, x_m - 0.1, y_m - 0.1]
    desk.ask("commands", type="RobotsEvacuated", request="b", zone="z", box_m=box)
    assert desk.posted == [
        OrderChanged(request="a", order_id="o", due_ns=59 * 10**9, lines=(Line("SKU-01", 2),)),
        RobotsEvacuated(request="b", zone="z", nodes=(2,)),
    ]


def test_what_the_broker_kept_is_not_asked_for_now() -> None:
    desk = Desk()
    raw = json.dumps({"type": "RobotsPaused", "request": "old"}).encode()
    assert desk.requests.message(f"{ROOT}/commands", raw, retained=True)
    assert not desk.posted and not desk.said and "clear it" in desk.alarms[0]


def test_without_an_id_there_is_nobody_to_answer() -> None:
    desk = Desk()
    desk.ask("commands", type="RobotsPaused")
    assert not desk.posted and not desk.said and "id of its own" in desk.alarms[0]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.dictionaries(
    st.sampled_from(["type", "request", "robot", "nodes", "due_in_s", "lines"]),
    st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
    | st.sampled_from(["RobotsPaused", "OrderChanged"]) | st.floats(),
).map(lambda raw: json.dumps(raw).encode()))  # fmt: skip
def test_garbage_is_refused_and_raises_nothing(payload: bytes) -> None:
    desk = Desk()
    for topic in desk.requests.topics():
        assert desk.requests.message(topic, payload)
