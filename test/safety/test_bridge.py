"""From signals to stops, resets and clears: what is not known is as bad as what is bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.safety.bridge import Bridge, Value
from orchestrator.safety.mapping import MappingError, modbus_place, read_mapping

SECOND = 1_000_000_000
HALL = """\
format: 1
site: s
sources:
  plc: {opcua: "opc.tcp://plc:4840", heartbeat: {at: "ns=2;s=Beat", within_s: 2}}
  gate: {modbus: "gate:502"}
zones:
  - stop:
      - {name: fire, source: plc, at: "ns=2;s=Fire", stops_when: true}
    reset: {name: fire reset, source: plc, at: "ns=2;s=FireReset"}
    clear: {name: fire clear, source: plc, at: "ns=2;s=FireClear"}
  - zone: cell
    nodes: [n1, n2]
    stop:
      - {name: e-stop, source: plc, at: "ns=2;s=EStopOk", stops_when: false}
      - {name: curtain, source: gate, at: "discrete:3", stops_when: false}
    reset: {name: reset, source: plc, at: "ns=2;s=Reset"}
    clear: {name: clear, source: gate, at: "holding:7.2"}
"""


def file(tmp_path: Path, text: str = HALL) -> Path:
    path = tmp_path / "safety.yaml"
    path.write_text(text)
    return path


class Story:
    """A bridge whose controllers say what the test says."""

    def __init__(self, tmp_path: Path) -> None:
        self.now_ns, self.said = SECOND, list[str]()
        self.told: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {}
        self.bridge = Bridge(read_mapping(file(tmp_path)), self.publish, self.said.append)
        self.plc: dict[str, Value] = {
            "Fire": False, "FireReset": False, "FireClear": True, "EStopOk": True, "Reset": False,
            "Beat": 0,
        }  # fmt: skip
        self.gate: dict[str, Value] = {"discrete:3": True, "holding:7.2": True}

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        said = json.loads(payload)
        if topic == "lightsout/v1/s/safety/status":
            assert (qos, retain) == (1, True)
            self.status = said
        else:
            assert (topic, qos, retain) == ("lightsout/v1/s/safety/events", 1, False)
            self.told.append(said)

    def goes_on(self, seconds: float = 0.5, **values: Value) -> list[str]:
        """Time passes, both controllers are read; return what was told."""
        before = len(self.told)
        self.plc |= {key: value for key, value in values.items() if key in self.plc}
        self.now_ns += round(seconds * SECOND)
        self.plc["Beat"] = int(self.plc["Beat"] or 0) + 1
        nodes = {f"ns=2;s={key}": value for key, value in self.plc.items()}
        self.bridge.read(self.now_ns, "plc", nodes)
        self.bridge.read(self.now_ns, "gate", self.gate)
        self.bridge.tick(self.now_ns)
        return [f"{said['type']} {said['zone']}".strip() for said in self.told[before:]]

    def runs(self) -> None:
        """Everything is reset and clear."""
        self.bridge.up(self.now_ns)
        self.goes_on()
        self.goes_on()
        self.goes_on(Reset=True, FireReset=True)
        self.goes_on(Reset=False, FireReset=False)
        assert self.stopped == []
        self.told.clear()

    @property
    def stopped(self) -> list[str]:
        return [zone.file.zone for zone in self.bridge.zones if zone.stopped]


def test_everything_begins_stopped_and_starts_when_it_was_reset_and_is_clear(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path)
    story.bridge.up(story.now_ns)
    assert [said["type"] for said in story.told] == ["EmergencyStopped"] * 2
    assert story.told[1]["nodes"] == ["n1", "n2"] and "nodes" not in story.told[0]
    assert [row["zone"] for row in story.status["stopped"]] == ["", "cell"]
    story.goes_on()
    assert story.goes_on() == ["ZoneCleared", "ZoneCleared cell"]
    assert story.goes_on(Reset=True) == ["EmergencyReset cell"]
    assert story.goes_on(FireReset=True) == ["EmergencyReset"]
    assert story.stopped == []
    story.goes_on(2)
    assert story.status == {"state": "online", "stopped": []}


@pytest.mark.parametrize(
    ("change", "zones"),
    [({"EStopOk": False}, ["cell"]), ({"Fire": True}, [""]), ({"EStopOk": None}, ["cell"])],
)
def test_a_stop_is_told_at_once_and_needs_both_afterwards(
    tmp_path: Path, change: dict[str, Value], zones: list[str]
) -> None:
    story = Story(tmp_path)
    story.runs()
    before = dict(story.plc)
    assert story.goes_on(**change) == [f"EmergencyStopped {zone}".strip() for zone in zones]
    assert story.goes_on() == [], "once"
    assert story.goes_on(**before) == [f"ZoneCleared {zone}".strip() for zone in zones]
    assert story.stopped == zones, "it was not reset"
    story.goes_on(Reset=True, FireReset=True)
    assert story.stopped == []


def test_a_reset_that_is_held_down_is_none(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.runs()
    story.goes_on(EStopOk=False, Reset=True)
    assert story.goes_on(EStopOk=True) == ["ZoneCleared cell"]
    assert story.goes_on() == []
    story.goes_on(Reset=False)
    assert story.goes_on(Reset=True) == ["EmergencyReset cell"]


def test_who_goes_in_again_before_the_reset_stops_it_anew(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.runs()
    story.goes_on(EStopOk=False)
    assert story.goes_on(EStopOk=True) == ["ZoneCleared cell"]
    story.gate["holding:7.2"] = False
    assert story.goes_on() == ["EmergencyStopped cell"]
    assert story.goes_on(Reset=True) == ["EmergencyReset cell"]
    assert story.stopped == ["cell"]
    story.gate["holding:7.2"] = True
    assert story.goes_on() == ["ZoneCleared cell"]
    assert story.stopped == []


def test_a_controller_that_is_lost_stops_the_zones_that_need_it(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.runs()
    story.bridge.lost(story.now_ns, "gate", "no answer")
    assert story.stopped == ["cell"] and "gate: no answer" in story.said
    story.goes_on()
    assert story.stopped == ["cell"], "until it was reset"
    story.goes_on(Reset=True)
    assert story.stopped == []


def test_a_heartbeat_that_stands_still_is_a_loss(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.runs()
    still = {f"ns=2;s={key}": value for key, value in story.plc.items()}
    for _ in range(3):  # it answers, always the same
        story.now_ns += SECOND
        story.bridge.read(story.now_ns, "plc", still)
        story.bridge.tick(story.now_ns)
    assert story.stopped == ["", "cell"]
    story.now_ns += 5 * SECOND
    story.bridge.tick(story.now_ns)
    assert story.said.count("plc: its heartbeat stands still") <= 1


def test_without_the_broker_everything_is_stopped_and_must_be_reset(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.runs()
    story.bridge.down(story.now_ns, "it is gone")
    story.bridge.up(story.now_ns)
    assert story.stopped == ["", "cell"]
    story.goes_on()
    assert story.stopped == ["", "cell"]
    story.goes_on(Reset=True, FireReset=True)
    assert story.stopped == []


def test_what_the_master_stopped_for_lack_of_us_is_reset_when_all_zones_were(
    tmp_path: Path,
) -> None:
    story = Story(tmp_path)
    story.runs()
    link = json.dumps({"state": "stopped", "reason": "nothing is heard of it"}).encode()
    story.bridge.message(story.now_ns, "lightsout/v1/s/safety/link", link)
    assert story.stopped == ["", "cell"]
    story.goes_on()
    assert story.goes_on(Reset=True)[-1] != "ZoneCleared"
    assert story.goes_on(FireReset=True) == ["EmergencyReset", "EmergencyReset", "ZoneCleared"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stops_when: true", "stops_when: maybe", "zones.0.stop.0.stops_when"),
        ("source: gate, at: \"discrete:3\"", "source: door, at: \"discrete:3\"", "no source 'door'"),
        ("discrete:3", "discrete:3.1", "discrete is one bit"),
        ("holding:7.2", "holding:7.16", "holding:2.5"),
        ("ns=2;s=Fire\"", "Fire\"", "is no node id"),
        ("    nodes: [n1, n2]\n", "", "a name and nodes"),
        ("opc.tcp://plc:4840", "http://plc", "opc.tcp://host:4840"),
        ("gate:502", "gate", "host:502"),
        ("site: s\n", "", "missing"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in HALL
    with pytest.raises(MappingError, match=message):
        read_mapping(file(tmp_path, HALL.replace(old, new, 1)))


def test_the_command_says_what_a_file_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["safety", "check", "--config", str(file(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert "stop: curtain (gate, discrete:3) is false, or has no value" in said
    assert main(["safety", "check", "--config", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: can't be read" in capsys.readouterr().err


def test_places_of_modbus() -> None:
    assert modbus_place("coil:3") == ("coil", 3, -1)
    assert modbus_place("input:65535.15") == ("input", 65535, 15)
