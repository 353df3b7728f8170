"""The bridge to the safety controllers is there, or is not; and what is done then."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.naming import Naming
from orchestrator.api.requests import Requests
from orchestrator.api.safety_watch import SafetyWatch
from orchestrator.core.messages import EmergencyReset, EmergencyStopped, Event
from orchestrator.layout import LoadedSite, load_site

SECOND = 1_000_000_000
STATUS = "lightsout/v1/s/safety/status"


@cache
def loaded() -> LoadedSite:
    return load_site(Path(__file__).parents[2] / "sites" / "jd_small")


class Story:
    def __init__(self, policy: str) -> None:
        self.events, self.alarms, self.links = list[Event](), list[str](), list[dict[str, Any]]()
        self.stopped: set[str] = set()
        self.now_ns = 10**18
        self.watch = SafetyWatch(
            "s", policy, Naming(loaded().site), self.publish, self.events.append,
            lambda _, text: self.alarms.append(text), lambda: self.stopped,
        )  # fmt: skip

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        assert (topic, qos, retain) == ("lightsout/v1/s/safety/link", 1, True)
        self.links.append(json.loads(payload))

    def says(self, *, retained: bool = False, **body: Any) -> None:
        payload = json.dumps(body).encode()
        assert self.watch.message(self.now_ns, STATUS, payload, retained=retained)

    def passes(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)
        self.watch.tick(self.now_ns)


def test_offline_stops_everything_where_the_site_wants_that() -> None:
    story = Story("stop")
    story.says(state="online", stopped=[])
    story.passes(1)
    story.says(state="offline")
    story.says(state="offline")
    assert story.events == [EmergencyStopped()]
    assert story.links[-1]["state"] == "stopped" and "offline" in story.links[-1]["reason"]
    assert "everything is stopped" in story.alarms[0]
    # and when the core has let go (reset and clear), the bridge is told
    story.stopped = {""}
    story.passes(1)
    story.says(state="online", stopped=[])
    story.stopped = set()
    story.passes(1)
    assert story.links[-1]["state"] == "running" and story.events == [EmergencyStopped()]


def test_silence_is_the_same_also_of_a_bridge_that_was_never_there() -> None:
    story = Story("stop")
    story.passes(0)
    story.passes(4)
    assert story.events == []
    story.passes(2)
    assert story.events == [EmergencyStopped()]
    story.says(state="online", stopped=[], retained=True)
    story.passes(1)
    assert len(story.alarms) == 1, "what the broker kept is no sign of life"


def test_who_resets_it_without_the_bridge_stops_it_again() -> None:
    story = Story("stop")
    story.says(state="offline")
    story.stopped = {""}
    story.passes(1)
    story.stopped = set()
    story.passes(1)
    assert story.events == [EmergencyStopped()] * 2


@pytest.mark.parametrize("policy", ["alarm", "none"])
def test_elsewhere_it_is_an_alarm(policy: str) -> None:
    story = Story(policy)
    story.says(state="online", stopped=[])
    story.says(state="offline")
    assert story.events == [] and "nothing is stopped" in story.alarms[0]


def test_a_stop_that_was_missed_is_made_up_for() -> None:
    story, nodes = Story("none"), list(loaded().site.roadmap.node_ids[:2])
    story.says(state="online", stopped=[{"zone": "cell", "nodes": nodes}])
    assert story.events == [EmergencyStopped(zone="cell", nodes=(0, 1))]
    story.stopped = {"cell"}
    story.says(state="online", stopped=[{"zone": "cell", "nodes": nodes}])
    assert len(story.events) == 1
    story.says(state="online", stopped=[{"zone": "other", "nodes": ["nowhere"]}])
    assert story.events[-1] == EmergencyStopped(), "a node that nobody knows: everything"


@pytest.mark.parametrize("body", [{}, {"state": 3}, {"state": "online", "stopped": 5}])
def test_a_status_that_makes_no_sense_is_no_sign_of_life(body: dict[str, Any]) -> None:
    story = Story("stop")
    story.says(**body)
    story.passes(0)
    story.passes(6)
    assert story.events == [EmergencyStopped()] and story.alarms


def test_a_safety_message_that_cannot_be_read_stops_everything_unless_it_ends_a_stop() -> None:
    events: list[Event] = []
    alarms: list[str] = []
    read = Requests(
        "s", Naming(loaded().site), lambda *_: None, events.append,
        lambda _, text: alarms.append(text), lambda: (0, 0),
    )  # fmt: skip
    topic = "lightsout/v1/s/safety/events"
    read.message(topic, b'{"type":"EmergencyStopped","zone":"z","nodes":["nowhere"]}')
    read.message(topic, b"\xff")
    assert events == [EmergencyStopped()] * 2 and len(alarms) == 2
    read.message(topic, b'{"type":"EmergencyReset","zone":5}')
    assert len(events) == 2 and "is none" in alarms[-1]
    read.message(topic, b'{"type":"EmergencyReset","zone":""}')
    assert events[-1] == EmergencyReset()


def test_a_stop_that_the_broker_kept_counts_and_its_end_does_not() -> None:
    # given a controller that keeps its word on the broker, and a master that was not there to hear it
    events: list[Event] = []
    alarms: list[str] = []
    read = Requests(
        "s", Naming(loaded().site), lambda *_: None, events.append,
        lambda _, text: alarms.append(text), lambda: (0, 0),
    )  # fmt: skip
    topic = "lightsout/v1/s/safety/events"
    read.message(topic, b'{"type":"EmergencyReset","zone":""}', retained=True)
    read.message(topic, b"", retained=True)
    assert events == [] and len(alarms) == 1
    read.message(topic, b'{"type":"EmergencyStopped"}', retained=True)
    assert events == [EmergencyStopped()] and "clear it" in alarms[-1]
