"""The WebSocket: frames, commands, and what bad input does."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from small_run import Story, wait_for
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from orchestrator.web.app import create_app
from orchestrator.web.frames import unpack_motion


def receive(socket: Any) -> tuple[str, Any]:
    """("motion", (head, rows)) or (type, message)."""
    message = socket.receive()
    if message["type"] == "websocket.close":
        raise WebSocketDisconnect(message["code"])
    if message.get("bytes") is not None:
        return "motion", unpack_motion(message["bytes"])
    data = json.loads(message["text"])
    return data["type"], data


def until(socket: Any, kind: str, wanted: Any = lambda _: True) -> Any:
    """The next message of a kind."""
    for _ in range(400):
        found, message = receive(socket)
        if found == kind and wanted(message):
            return message
    raise AssertionError(f"no {kind}")


def test_the_beginning(client: TestClient) -> None:
    with client.websocket_connect("/ws") as socket:
        hello = until(socket, "hello")
        assert [robot["name"] for robot in hello["robots"]] == ["tote_amr-01", "tote_amr-02"]
        reset = until(socket, "reset")
        assert {row[1] for row in reset["loads"]} == {"tote-1", "tote-2"}
        head, rows = until(socket, "motion")
        assert head["reset"]
        assert sorted(rows["robot"].tolist()) == [0, 1]
        tick = until(socket, "tick")
        assert tick["playing"]
        assert not tick["live"]
        assert tick["marks"][0]["subject"] == "tote_amr-02"


def test_seek_brings_the_picture_of_that_time(client: TestClient) -> None:
    with client.websocket_connect("/ws") as socket:
        until(socket, "tick")
        socket.send_json({"cmd": "pause"})
        begun = time.monotonic()
        socket.send_json({"cmd": "seek", "t_s": 70, "id": 5})
        reset = until(socket, "reset", lambda m: m["id"] == 5)
        assert time.monotonic() - begun < 1
        assert reset["t_s"] == 70
        places = {row[1]: row[2] for row in reset["loads"]}
        assert places["tote-1"] == "robot:tote_amr-01"
        assert places["parcel-1"] == "station:pick-0"
        head, rows = until(socket, "motion", lambda m: m[0]["reset"])
        assert head["generation"] == 5
        assert rows[rows["robot"] == 1]["x_m"].item() == 5.0
        tick = until(socket, "tick", lambda m: m["t_s"] == 70)
        assert not tick["playing"]
        assert [fault["subject"] for fault in tick["faults"]] == ["tote_amr-02"]


def test_playing_sends_motion_and_loads_ahead(client: TestClient) -> None:
    with client.websocket_connect("/ws") as socket:
        until(socket, "tick")
        socket.send_json({"cmd": "speed", "x": 20})
        loads = until(socket, "loads")["loads"]
        assert loads[0] == [20.0, "tote-1", "robot:tote_amr-01", "SKU-01", 30]
        tick = until(socket, "tick", lambda m: m["t_s"] > 0)
        assert tick["speed"] == 20
        spans, at = [], 0.0
        while at < 60:
            head, _ = until(socket, "motion")
            spans.append((head["from_s"], head["to_s"]))
            at = head["to_s"]
        assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_at_the_end_it_stops_and_play_begins_anew(client: TestClient) -> None:
    with client.websocket_connect("/ws") as socket:
        until(socket, "tick")
        socket.send_json({"cmd": "seek", "t_s": 1e9})
        assert until(socket, "tick", lambda m: m["t_s"] == 600)
        assert not until(socket, "tick", lambda m: not m["playing"])["playing"]
        socket.send_json({"cmd": "play"})
        assert until(socket, "tick", lambda m: m["t_s"] < 30)["playing"]


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[]", "1", '{"cmd": "explode"}', '{"cmd": "seek"}', "[" * 900,
        '{"cmd": "seek", "t_s": "x"}', '{"cmd": "seek", "t_s": NaN}', '{"cmd": "speed", "x": null}',
        '{"cmd": "seek", "t_s": 1e400}', '{"cmd": ["play"]}', "x" * 2000,
    ],
)  # fmt: skip
def test_bad_input_is_answered_and_harms_nobody(client: TestClient, text: str) -> None:
    with client.websocket_connect("/ws") as socket:
        until(socket, "tick")
        socket.send_text(text)
        error = until(socket, "error")
        assert not error["fatal"]
        assert error["message"]
        socket.send_json({"cmd": "pause"})
        assert until(socket, "tick", lambda m: not m["playing"])


def test_bytes_are_bad_input_too(client: TestClient) -> None:
    with client.websocket_connect("/ws") as socket:
        until(socket, "tick")
        socket.send_bytes(b"\x00\xff")
        assert not until(socket, "error")["fatal"]


def test_pages_from_elsewhere_are_sent_away(client: TestClient) -> None:
    headers = {"origin": "https://evil.example"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers=headers):
        pass


def test_an_unknown_run(client: TestClient) -> None:
    with client.websocket_connect("/ws?run=../x") as socket:
        assert "no run" in until(socket, "error")["message"]


def test_live_is_followed_and_becomes_a_recording(story: Story) -> None:
    story.write_minute()
    with TestClient(create_app(story.path)) as client:
        wait_for(lambda: client.get("/api/run").json()["live"])
        with client.websocket_connect("/ws") as socket:
            assert until(socket, "tick")["following"]
            story.write_minute()
            assert until(socket, "tick", lambda m: m["to_s"] > 80)["live"]
            story.close()
            tick = until(socket, "tick", lambda m: m["status"] == "closed")
            assert not tick["live"]
            assert tick["to_s"] == 600


def test_who_comes_before_the_first_commit_waits(story: Story) -> None:
    with TestClient(create_app(story.path)) as client, client.websocket_connect("/ws") as socket:
        assert until(socket, "waiting")
        story.write_minute()
        assert until(socket, "hello")
    story.writer.abandon()
