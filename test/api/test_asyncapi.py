"""The AsyncAPI document: current, whole, and true of what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from test_board import Hall, outbound
from test_requests_over_topics import Desk
from validating import complaint, schemas, validator, wrong

from orchestrator.api.asyncapi import document, text
from orchestrator.api.channels import CHANNELS, told
from orchestrator.api.schemas import standalone
from orchestrator.cli import main
from orchestrator.core.messages import (
    Event,
    LaneBlocked,
    LaneClosed,
    NodeReached,
    OrderReceived,
    RobotFaulted,
    RobotRecovered,
    RobotsPaused,
    Ticked,
    ZoneClosed,
)

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
DOCUMENT = document()
ASKED = [
    (channel, kind.__name__) for channel in CHANNELS if channel.asked for kind in channel.kinds
]


def test_the_committed_document_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), (
        "what is said has changed -> lightsout api asyncapi --out docs/asyncapi.yaml"
    )
    assert yaml.safe_load(text()) == json.loads(json.dumps(DOCUMENT))


def nodes(value: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield place, value
        for key, each in value.items():
            yield from nodes(each, f"{place}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from nodes(each, f"{place}/{number}")


def found(reference: str) -> Any:
    here: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        here = here[part]
    return here


def test_every_reference_leads_somewhere() -> None:
    references = {node["$ref"] for _, node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert len(references) > 100
    for reference in references:
        assert isinstance(found(reference), dict), reference
    used = {name.rsplit("/", 1)[-1] for name in references if "/schemas/" in name}
    assert used == set(DOCUMENT["components"]["schemas"]), "no schema that nobody uses"


def test_it_is_a_document_of_asyncapi_3() -> None:
    """Rules of its specification for what is in here. (Keys that it doesn't know would be refused.)"""
    assert DOCUMENT["asyncapi"] == "3.0.0" and DOCUMENT["info"].keys() >= {"title", "version"}
    root = {"asyncapi", "info", "servers", "channels", "operations", "components",
            "defaultContentType"}  # fmt: skip
    assert DOCUMENT.keys() <= root
    for name, channel in DOCUMENT["channels"].items():
        keys = {"address", "description", "parameters", "messages", "externalDocs"}
        assert channel.keys() <= keys and re.fullmatch(r"[\w.-]+", name)
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
        assert not re.search(r"[#+?]", channel["address"]) and channel["messages"]
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert len(set(addresses)) == len(addresses)
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation.keys() <= {"action", "channel", "summary", "bindings", "reply"}
        mqtt = operation["bindings"]["mqtt"]
        assert mqtt["qos"] in (0, 1, 2) and isinstance(mqtt["retain"], bool)
        for message in operation.get("reply", {}).get("messages", ()):
            assert message["$ref"].startswith(operation["reply"]["channel"]["$ref"])
    for message in DOCUMENT["components"]["messages"].values():
        keys = {"name", "title", "summary", "contentType", "payload", "examples", "correlationId",
                "externalDocs"}  # fmt: skip
        assert message.keys() <= keys and "payload" in message
    assert {op["channel"]["$ref"] for op in DOCUMENT["operations"].values()} == {
        f"#/channels/{name}" for name in DOCUMENT["channels"]
    }


def test_every_schema_is_one_and_every_example_is_of_its_kind() -> None:
    for name in schemas():
        validator(name).check_schema(schemas()[name])
    count = 0
    for name, message in DOCUMENT["components"]["messages"].items():
        for example in message.get("examples", ()):
            count += 1
            assert not complaint(name, example["payload"]), example
    assert count > 50


@pytest.mark.parametrize(("channel", "kind"), ASKED, ids=[kind for _, kind in ASKED])
def test_a_request_as_in_its_example_is_understood(channel: Any, kind: str) -> None:
    desk = Desk("tote_amr-03")
    (example,) = DOCUMENT["components"]["messages"][f"{kind}Request"]["examples"]
    desk.ask(channel.topic, **example["payload"])
    assert [type(event).__name__ for event in desk.posted] == [kind], (desk.said, desk.alarms)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("RobotsPausedRequest", {"type": "RobotsPaused", "robot": "a"}),
        ("RobotsPausedRequest", {"type": "RobotsPaused", "request": "r", "robots": "a"}),
        ("RobotsPausedRequest", {"type": "RobotsPaused", "request": "r", "robot": 3}),
        ("OrderChangedRequest", {"type": "OrderChanged", "request": "r", "order_id": ""}),
        ("RobotState", {"robot": "a", "fleet": "f", "node": "n", "activity": "dancing",
                        "battery_percent": 3}),
        ("SiteEvent", {"at": "now", "type": "Ticked"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_seen_by_the_schemas(name: str, content: Any) -> None:
    assert complaint(name, content)


def test_what_a_story_says_is_of_the_document() -> None:
    hall = Hall()
    node = hall.world.site.roadmap.edge_tail[0]
    hall.say(outbound(due_ns=10**9, request="r"), outbound("no", sku="XYZ"), Ticked())
    hall.say(
        RobotFaulted(robot=1, reason="broken"), RobotRecovered(robot=1), LaneClosed(edge=0),
        ZoneClosed(zone="z", nodes=(node,)), RobotsPaused(fleet=0), *[Ticked()] * 30,
    )  # fmt: skip
    hall.board.alarm("a", "b")
    hall.board.came_up()
    hall.tell()
    hall.tell()
    said = [(topic, json.dumps(content).encode()) for topic, content, _, _ in hall.link.sent]
    assert {topic.split("/")[3] for topic, _ in said} == {
        "orders", "events", "alarms", "fleet", "kpi", "about", "closures"
    }  # fmt: skip
    assert not [text for topic, payload in said if (text := wrong("ring", topic, payload))]
    for topic, _, qos, kept in hall.link.sent:
        channel = next(c for c in CHANNELS if topic.count("/") == c.address.count("/") and
                       topic.split("/")[3] == c.topic.split("/")[0])  # fmt: skip
        assert (qos, kept) == (channel.qos, channel.retained)


def test_events_leave_out_what_is_only_the_core_s_affair() -> None:
    names = {kind.__name__ for kind in told()}
    assert not names & {"Ticked", "PathsPlanned", "NodeReached"} and "RobotFaulted" in names
    assert {OrderReceived, LaneBlocked, NodeReached} <= set(get_args(Event))


def test_the_commands_print_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["api", "asyncapi", "--out", str(tmp_path / "a.yaml")]) == 0
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == text()
    assert main(["api", "schema", "OrderStatus"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == standalone("OrderStatus")
    assert set(schema["components"]["schemas"]) == {"OrderStatus", "LineStatus"}
    assert main(["api", "schema"]) == 0 and "RobotState\n" in capsys.readouterr().out
    assert main(["api", "schema", "Robot"]) == 2
    assert "no message 'Robot'" in capsys.readouterr().err
