"""From the core's request and a picture to the event; another way to look, another reader."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hand_clock import HandClock, Scripted
from test_chain import NOTHING, OTHER, RIGHT, always, chain_of, picture

from orchestrator.core.messages import ImageRead, RequestInference
from orchestrator.vision.judge import Judge
from orchestrator.vision.pictures import Pictures, find, names


def asked(look: str = "") -> RequestInference:
    return RequestInference(
        request=4, task="read_label", station=0, subject="parcel-o7", expected="parcel-o7",
        capability="scan", look=look,
    )  # fmt: skip


def judged(
    look: str, *readers: Any, clock: HandClock, pictures: Pictures | None = None
) -> ImageRead:
    async def story() -> list[Any]:
        judge = Judge(chain_of(clock, *readers), lambda _: {"parcel-o7", "parcel-o8"}, pictures)
        return await clock.story(judge.answer(asked(look), picture()))

    (read,) = asyncio.run(story())
    assert isinstance(read, ImageRead)
    return read


def test_a_request_and_a_picture_become_an_event(tmp_path: Path) -> None:
    clock = HandClock()
    first = Scripted("a", clock, always(RIGHT, 0.02))
    read = judged("", first, clock=clock, pictures=Pictures(tmp_path))
    assert read == ImageRead(
        request=4, outcome="ok", value="parcel-o7", confidence_permille=950, model="a",
        latency_us=20_000, image=picture().sha256,
    )  # fmt: skip
    kept = find(tmp_path, read.image)
    assert kept is not None and kept.data == picture().data


def test_pictures_of_bad_outcomes_are_kept_apart(tmp_path: Path) -> None:
    clock = HandClock()
    read = judged("", Scripted("a", clock, always(OTHER)), clock=clock, pictures=Pictures(tmp_path))
    assert read.outcome == "misread" and list(names(tmp_path)) == [read.image]
    assert (tmp_path / "bad" / f"{read.image}.jpg").exists()


def test_asked_for_another_reader_two_must_say_the_same() -> None:
    clock = HandClock()
    readers = [Scripted("a", clock, always(OTHER)), Scripted("b", clock, always(RIGHT))]
    assert judged("", *readers, clock=clock).outcome == "misread"
    assert judged("reader", *readers, clock=clock).outcome == "doubtful"
    assert judged("reader", readers[1], clock=clock).outcome == "ok", "there is but one"


def test_asked_for_another_model_the_far_one_goes_first() -> None:
    clock = HandClock()
    near, far = Scripted("near", clock, always(OTHER)), Scripted("far", clock, always(RIGHT))
    near.remote = False
    assert judged("model", near, far, clock=clock).model == "far"
    assert judged("", near, far, clock=clock).model == "near"


def test_a_full_disk_costs_the_picture_and_not_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    pictures = Pictures(tmp_path)
    monkeypatch.setattr(pictures, "keep", full)
    clock = HandClock()
    read = judged("", Scripted("a", clock, always(NOTHING)), clock=clock, pictures=pictures)
    assert (read.outcome, read.image) == ("unreadable", "")
