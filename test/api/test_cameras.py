"""Cameras asked for pictures, and what is made of what they send. Sans I/O."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from orchestrator.api.cameras import Cameras
from orchestrator.core.messages import (
    ClearLane,
    Event,
    ImageRead,
    RequestInference,
    StationFaulted,
)
from orchestrator.vision.chain import Chain
from orchestrator.vision.judge import Judge
from orchestrator.vision.model import TASKS, Picture, Question, Reading, Task
from orchestrator.vision.policy import Policy, TaskPolicy

ASKED = RequestInference(
    request=7, task="read_label", station=0, subject="parcel-o1", expected="parcel-o1",
    capability="scan", look="angle", view=1,
)  # fmt: skip


class Plain:
    """Reads what the picture's bytes say."""

    name, tasks, remote = "plain", frozenset[Task](TASKS), False

    async def read(self, picture: Picture, question: Question) -> Reading:
        return Reading(picture.data.decode(), 1.0, self.name)


class Names:
    """Stands in for the site's names."""

    def name(self, kind: str, number: int) -> str:
        return f"{kind} {number}"

    def encode(self, message: Any) -> bytes:
        fields = {name: getattr(message, name) for name in message.__struct_fields__}
        return json.dumps({"type": type(message).__name__} | fields).encode()


class Hall:
    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.said: list[Event] = []
        self.alarms: list[tuple[str, str]] = []
        chain = Chain([Plain()], Policy({"read_label": TaskPolicy(("plain",))}))
        judge = Judge(chain, lambda _: [f"parcel-o{number}" for number in range(9)])
        self.cameras = Cameras(
            "s", Names(), self._publish, self.said.append, judge,  # type: ignore[arg-type]
            lambda subject, text: self.alarms.append((subject, text)),
        )  # fmt: skip

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.sent.append((topic, json.loads(payload)))

    def shown(self, request: str, *payloads: bytes) -> list[Event]:
        async def story() -> None:
            for payload in payloads:
                assert self.cameras.message(f"lightsout/v1/s/equipment/pictures/{request}", payload)
            await asyncio.gather(*self.cameras._judging)

        asyncio.run(story())
        return self.said


def test_a_camera_is_not_told_what_it_should_see() -> None:
    hall = Hall()
    assert hall.cameras.command(ASKED)
    ((topic, asked),) = hall.sent
    assert topic == "lightsout/v1/s/equipment/commands"
    assert (asked["type"], asked["request"], asked["look"], asked["view"]) == (
        "TakePicture", 7, "angle", 1,
    )  # fmt: skip
    assert "expected" not in asked


def test_a_picture_becomes_what_was_read_and_the_second_one_nothing() -> None:
    hall = Hall()
    hall.cameras.command(ASKED)
    (read,) = hall.shown("7", b"parcel-o2", b"parcel-o1")
    assert isinstance(read, ImageRead)
    assert (read.request, read.outcome, read.value) == (7, "misread", "parcel-o2")
    assert hall.cameras.unasked == 1


def test_pictures_that_nobody_asked_for_are_counted_and_nothing_else() -> None:
    hall = Hall()
    hall.cameras.command(ASKED)
    for request in ("8", "x", "-7", "9" * 5000, "", "\uff17"):
        assert hall.shown(request, b"parcel-o1") == []
    assert hall.cameras.unasked == 6


def test_what_is_no_picture_of_ours_is_left_to_others() -> None:
    hall = Hall()
    assert not hall.cameras.message("lightsout/v1/s/equipment/events", b"{}")
    assert not hall.cameras.command(ClearLane(edge=1, attempt=1))


def test_what_became_of_the_pictures_is_counted() -> None:
    hall = Hall()
    hall.cameras.command(ASKED)
    hall.shown("7", b"parcel-o2", b"parcel-o1")

    async def story() -> None:
        hall.cameras.warm()
        await hall.cameras.close()

    asyncio.run(story())
    figures = hall.cameras.figures()
    assert figures["outcomes"] == {"read_label": {"misread": 1}}
    assert figures["unasked"] == 1
    assert figures["readers"]["plain"]["counts"] == {"calls": 1, "read": 1}
    json.dumps(figures)


def label(number: int) -> RequestInference:
    return RequestInference(
        request=number, task="read_label", station=2, subject=f"parcel-o{number}",
        expected=f"parcel-o{number}", capability="scan",
    )  # fmt: skip


def outcomes(said: list[Event]) -> list[str]:
    return [event.outcome for event in said if isinstance(event, ImageRead)]


def test_a_camera_that_hangs_is_no_camera_any_more() -> None:
    hall = Hall()
    for number in range(1, 5):
        hall.cameras.command(label(number))
        hall.shown(str(number), b"parcel-o1")
        assert bool(hall.alarms) == (number == 4)
    assert outcomes(hall.said) == ["ok", *["doubtful"] * 3]
    broken = hall.said[-1]
    assert isinstance(broken, StationFaulted) and (broken.station, broken.capability) == (2, "scan")
    ((subject, text),) = hall.alarms
    assert subject == "station 2:scan" and text == broken.reason
    assert hall.cameras.figures()["frozen"] == 3


def test_a_restart_of_the_server_does_not_make_its_old_picture_a_new_one() -> None:
    hall = Hall()
    image = Picture(b"parcel-o1").sha256
    hall.cameras.folded(StationFaulted(station=0, capability="pick"), [label(1), label(2)])
    hall.cameras.folded(ImageRead(request=1, outcome="ok", value="parcel-o1", image=image), [])
    hall.cameras.command(label(2))
    assert outcomes(hall.shown("2", b"parcel-o1")) == ["doubtful"]
    hall.cameras.command(label(2))
    assert outcomes(hall.shown("2", b"parcel-o2"))[1:] == ["ok"]
