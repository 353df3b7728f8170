"""A model behind KServe v2: read alone and in batches, and a server that is bad."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from onnx_bytes import colours
from stub_kserve import StubKserve

from orchestrator.vision.batching import ManyReader
from orchestrator.vision.chain import Chain
from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading, Verdict
from orchestrator.vision.policy import Policy, ReaderPolicy, TaskPolicy
from orchestrator.vision.readers import kserve
from orchestrator.vision.readers.kserve import Kserve
from orchestrator.vision.readers_file import KserveFile

DAMAGE = Question("inspect_damage", "SKU-07")


def plain(*bgr: int) -> Picture:
    return Picture.of(np.full((30, 40, 3), bgr, np.uint8))


GREEN, RED = plain(0, 255, 0), plain(0, 0, 255)


@pytest.fixture
def stub() -> Iterator[StubKserve]:
    with StubKserve(colours()) as server:
        yield server


def reader_of(stub: StubKserve, **options: Any) -> Kserve:
    declared = {
        "url": stub.url,
        "model": "damage",
        "tasks": ["inspect_damage"],
        "before": {"input": "x", "width": 8, "height": 8},
        "after": {
            "kind": "classes", "output": "logits", "labels": ["intact", "damaged"], "softmax": True,
        },
        "timeout_s": 5.0,
    }  # fmt: skip
    return Kserve("triton", KserveFile.model_validate(declared | options))


def read(reader: Kserve, picture: Picture) -> Reading:
    async def story() -> Reading:
        try:
            return await reader.read(picture, DAMAGE)
        finally:
            await reader.close()

    return asyncio.run(story())


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_a_picture_is_read(stub: StubKserve, binary: bool, dtype: str) -> None:
    before = {"input": "x", "width": 8, "height": 8, "dtype": dtype}
    reading = read(reader_of(stub, binary=binary, before=before), RED)
    assert (reading.value, reading.model) == ("damaged", "triton")
    assert reading.confidence > 0.99


def test_the_only_output_needs_no_name(stub: StubKserve) -> None:
    after = {"kind": "classes", "labels": ["intact", "damaged"], "softmax": True}
    assert read(reader_of(stub, after=after), GREEN).value == "intact"


def test_pictures_that_come_together_are_one_call(stub: StubKserve) -> None:
    reader = reader_of(stub, batch_max=8)
    assert isinstance(reader, ManyReader)
    bounds = {"triton": ReaderPolicy(at_once=16)}
    task = TaskPolicy(("triton",), deadline_s=10.0)
    chain = Chain([reader], Policy({"inspect_damage": task}, bounds, cache_entries=0))
    pictures = [plain(0, 255 * (n % 2), 255 * (1 - n % 2)) for n in range(8)]
    pictures.insert(3, Picture(b"no picture"))

    async def story() -> list[Verdict]:
        try:
            return await asyncio.gather(*(chain.judge(one, DAMAGE) for one in pictures))
        finally:
            await chain.close()

    verdicts = asyncio.run(story())
    assert verdicts.pop(3).trail[0].error == "picture"
    assert [verdict.outcome for verdict in verdicts] == ["damaged", "ok"] * 4
    assert sum(stub.batches) == 8
    assert len(stub.batches) == 2


BAD = [
    ("half", "broken"), ("dropped", "broken"), ("garbage", "broken"), ("html", "broken"),
    ("failing", "broken"), ("limited", "limited"), ("busy", "limited"),
    ("unknown", "refused"), ("short", "schema"),
    ("other", "schema"), ("nothing", "schema"), ("lying", "broken"),
    ("slow", "timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "kind"), BAD)
def test_a_bad_server_is_an_error_of_its_kind(stub: StubKserve, mode: str, kind: str) -> None:
    stub.mode = mode
    reader = reader_of(stub, timeout_s=0.3) if mode == "slow" else reader_of(stub)
    with pytest.raises(ReaderError) as caught:
        read(reader, RED)
    assert caught.value.kind == kind, caught.value


def test_a_server_that_moved_is_not_followed(stub: StubKserve) -> None:
    stub.mode = "moved"
    with pytest.raises(ReaderError, match="give the final `url`"):
        read(reader_of(stub), RED)
    assert len(stub.requests) == 1


def test_a_reply_that_never_ends_is_given_up(
    stub: StubKserve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.vision.readers.kserve.REPLY_BYTES_MAX", 300_000)
    stub.mode = "endless"
    with pytest.raises(ReaderError, match="more than 300000 bytes"):
        read(reader_of(stub), RED)


def test_a_server_says_when_to_come_again(stub: StubKserve) -> None:
    stub.mode = "limited"
    with pytest.raises(ReaderError) as caught:
        read(reader_of(stub), RED)
    assert caught.value.after_s == 7.0


def test_what_the_first_call_needs_is_loaded_before(
    stub: StubKserve, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, loaded = reader_of(stub), list[bool]()
    real = kserve._protocol
    monkeypatch.setattr(kserve, "_protocol", lambda: loaded.append(True) or real())

    async def story() -> Reading:
        try:
            await reader.warm()
            assert not stub.requests
            assert loaded
            return await reader.read(RED, DAMAGE)
        finally:
            await reader.close()

    assert asyncio.run(story()).value == "damaged"


def test_what_is_not_installed_is_told_when_it_is_asked(
    stub: StubKserve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warming a chain breaks nothing: other readers go on."""
    monkeypatch.setitem(sys.modules, "tritonclient.http", None)
    task = TaskPolicy(("triton",), deadline_s=10.0)
    chain = Chain([reader_of(stub)], Policy({"inspect_damage": task}, {}))

    async def story() -> Verdict:
        try:
            await chain.warm()
            return await chain.judge(RED, DAMAGE)
        finally:
            await chain.close()

    verdict = asyncio.run(story())
    assert verdict.trail[0].error == "refused"
    assert "pip install" in verdict.trail[0].note


def test_nobody_there(stub: StubKserve) -> None:
    stub.go_offline()
    with pytest.raises(ReaderError) as caught:
        read(reader_of(stub), RED)
    assert caught.value.kind == "offline"


def test_the_key_comes_from_the_environment(
    stub: StubKserve, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(stub, key_env="LIGHTSOUT_TEST_KEY")
    with pytest.raises(ReaderError, match="set the environment variable LIGHTSOUT_TEST_KEY"):
        read(reader, RED)
    monkeypatch.setenv("LIGHTSOUT_TEST_KEY", "k-1")
    read(reader, RED)
    stub.mode = "failing"
    with pytest.raises(ReaderError) as caught:
        read(reader, RED)
    assert stub.keys == ["bearer k-1", "bearer k-1"]
    assert "k-1" not in f"{caught.value} {reader!r} {vars(reader)}"


def test_what_is_no_picture_is_told(stub: StubKserve) -> None:
    with pytest.raises(PictureError):
        read(reader_of(stub), Picture(b"no picture"))
    assert stub.batches == []
