"""A run's cameras: measured rates, pictures that are really read, and the same pictures again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.core.messages import (
    ImageRead,
    RequestInference,
    StationFaulted,
    StationRecovered,
)
from orchestrator.journal import RunReader
from orchestrator.vision.chain import Chain
from orchestrator.vision.frozen import HANGS
from orchestrator.vision.judge import Judge
from orchestrator.vision.model import Picture
from orchestrator.vision.pictures import Pictures, find, folder_of
from orchestrator.vision.policy import Policy
from sim import vision
from sim.cameras import Scenes
from sim.clock import Clock
from sim.eyes import DAMAGED, OTHER_LABEL, RIGHT, TORN, WRONG_COUNT, Shown
from sim.look_clock import LookClock
from sim.recipe import Recipe, of_site, with_faults
from sim.recorded import record
from sim.scenario import ScenarioError
from sim.shell import Simulation

SITE = Path(__file__).resolve().parents[2] / "sites" / "jd_small"
LABEL = RequestInference(
    request=1, task="read_label", station=0, subject="parcel-o1", expected="parcel-o1",
    capability="scan",
)  # fmt: skip
BOX = RequestInference(
    request=2, task="verify_pick", station=0, subject="o1", expected="A:2", capability="verify"
)


def drawn(request: RequestInference, shown: Shown, count: int = 4000) -> Counter[str]:
    eyes, chance = vision.Measured(), Random(1)
    return Counter(eyes.see(request, shown, chance, clear=True).outcome for _ in range(count))


def test_measured_eyes_are_mostly_right_and_never_perfect() -> None:
    right = drawn(LABEL, Shown(RIGHT, "parcel-o1"))
    assert right["ok"] > 3600
    assert set(right) > {"ok", "misread"}, "an error that was never seen happens all the same"
    assert drawn(LABEL, Shown(OTHER_LABEL, "parcel-o2")).most_common(1)[0][0] == "misread"
    assert drawn(BOX, Shown(WRONG_COUNT, "A:3")).most_common(1)[0][0] == "mismatch"
    assert drawn(BOX, Shown(DAMAGED, "A:2"))["ok"] < 200
    assert drawn(LABEL, Shown(TORN, "parcel-o1"))["unreadable"] > right["unreadable"]


def test_a_wrong_value_is_never_told_as_the_expected_one_unless_it_is_taken_for_it() -> None:
    eyes, chance = vision.Measured(), Random(2)
    for _ in range(3000):
        sight = eyes.see(LABEL, Shown(RIGHT, "parcel-o1"), chance, clear=True)
        assert (sight.value == "parcel-o1") == (sight.outcome == "ok")


@pytest.mark.parametrize("text", ["", "blind", "rendered:2", "rendered:x", "statistical:0.5"])
def test_how_a_run_sees_is_checked(text: str) -> None:
    with pytest.raises(ScenarioError, match="write perfect, statistical, rendered"):
        vision.parse(text)


def much_goes_wrong() -> Recipe:
    """Some minutes in which every look is a picture."""
    recipe = with_faults(of_site(SITE, seed=3, hours=0.1, vision="rendered"), "default")
    faults = recipe.faults + "\n".join(
        ["", "pick_wrong: {share: 0.3}", "label_wrong: {share: 0.3}", "label_torn: {share: 0.2}"]
    )
    kept = [line for line in recipe.faults.splitlines() if not line.startswith(WRONG)]
    assert len(kept) < len(recipe.faults.splitlines())
    return replace(recipe, faults="\n".join(kept) + faults[len(recipe.faults) :])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "seen.run"
    record(much_goes_wrong(), path)
    return path


WRONG = ("pick_wrong", "label_wrong", "label_torn")


def reads(run: Path) -> list[ImageRead]:
    with RunReader(run) as reader:
        events = [entry.event for entry in reader.entries()]
    return [event for event in events if isinstance(event, ImageRead)]


def test_each_look_has_its_picture_and_its_reader(run: Path) -> None:
    found = reads(run)
    assert len(found) > 10 and {read.model for read in found if read.outcome == "ok"} >= {"codes"}
    assert all(find(folder_of(run), read.image) is not None for read in found)


def test_the_cameras_find_what_is_wrong_and_the_truth_says_so(run: Path) -> None:
    outcomes = Counter(read.outcome for read in reads(run))
    assert outcomes["mismatch"] and outcomes["misread"], outcomes
    with RunReader(run) as reader:
        pictures = {fact["request"]: fact["case"] for *_, fact in reader.truth("picture")}
    passed = {pictures[read.request] for read in reads(run) if read.outcome == "ok"}
    assert passed <= {RIGHT, TORN}, "a torn label may be readable, the others are wrong"


class Killed(BaseException):
    """The process is gone."""


def test_a_run_that_died_goes_on_to_the_same_end_and_nothing_is_read_twice(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(simulation: Simulation) -> None:
        if simulation.clock.now_ns >= 300 * 10**9:
            raise Killed

    path = tmp_path / "again.run"
    with pytest.raises(Killed):
        record(much_goes_wrong(), path, progress=kill)
    known = {read.request for read in reads(path)}
    asked: list[int] = []
    judge = Judge.answer

    async def judged(by: Judge, request: RequestInference, picture: Picture) -> ImageRead:
        asked.append(request.request)
        return await judge(by, request, picture)

    monkeypatch.setattr(Judge, "answer", judged)
    record(much_goes_wrong(), path, resume=True)
    assert known and asked and not known.intersection(asked)
    with RunReader(path) as reader, RunReader(run) as whole:
        assert reader.journal_hash == whole.journal_hash
        assert list(reader.truth()) == list(whole.truth())


def test_what_a_far_away_reader_took_counts_again_when_a_run_goes_on() -> None:
    read = ImageRead(
        request=1, outcome="misread", value="parcel-o9", model="qwen", latency_us=1_500_000,
        image="ab",
    )  # fmt: skip
    eyes = vision.Rendered(
        vision.Mode(vision.RENDERED), Scenes(1), Judge(Chain([], Policy({})), lambda _: ()), None,
        LookClock(Clock()), {1: read},
    )  # fmt: skip
    again = eyes.see(LABEL, Shown(RIGHT, "parcel-o1"), Random(1), clear=True)
    assert (again.outcome, again.value, again.seconds) == ("misread", "parcel-o9", 1.5)
    assert again.image == "ab" and not eyes.rendered
    eyes.close()


def test_a_full_disk_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Pictures, "keep", full)
    pictures = Pictures(tmp_path)
    judge = Judge(Chain([], Policy({})), lambda _: (), pictures)
    eyes = vision.Rendered(
        vision.Mode(vision.RENDERED, 0.0), Scenes(1), judge, pictures, LookClock(Clock()), {}
    )
    sight = eyes.see(LABEL, Shown(RIGHT, "parcel-o1"), Random(1), clear=False)
    assert (sight.outcome, sight.image) == ("unreadable", "")
    assert judge.unkept == {"No space left on device": 1}
    eyes.close()


def test_the_pictures_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vision", "replay", str(run), "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    for row in told.values():
        assert row["pictures"] == row["same"] == row["truth_known"] and not row["changes"]
        assert row["false_ok_now"] == 0 and row["right_now"] >= 0.7 * row["pictures"]
    assert main(["vision", "replay", str(run), "--model", "ocr", "--json"]) == 0
    other = json.loads(capsys.readouterr().out)
    assert set(other) == {"read_label"} and other["read_label"]["false_ok_now"] == 0
    assert main(["vision", "replay", str(run), "--model", "nobody"]) == 2
    assert "there is no such reader" in capsys.readouterr().err


def test_a_camera_that_hangs_is_believed_by_nobody_and_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photograph, hung = vision.photograph, dict[int, Picture]()
    sent = Counter[int]()

    def hanging(*given: Any) -> Picture:
        """Those of labels hang from their first picture on, and until they were restarted."""
        (request,) = (one for one in given if isinstance(one, RequestInference))
        if request.task != "read_label":
            return photograph(*given)
        sent[request.station] += 1
        if not 1 < sent[request.station] < 5:
            hung[request.station] = photograph(*given)
        return hung[request.station]

    monkeypatch.setattr(vision, "photograph", hanging)
    path = tmp_path / "hangs.run"
    record(replace(much_goes_wrong(), hours=0.13), path)
    doubts = [read for read in reads(path) if read.model == "frozen"]
    assert doubts and {read.outcome for read in doubts} == {"doubtful"}
    with RunReader(path) as reader:
        events = [entry.event for entry in reader.entries()]
        pictures = {fact["request"]: fact["case"] for *_, fact in reader.truth("picture")}
    faults = [event for event in events if isinstance(event, StationFaulted)]
    assert any(event.reason == HANGS for event in faults)
    assert any(isinstance(event, StationRecovered) for event in events)
    passed = {pictures[read.request] for read in reads(path) if read.outcome == "ok"}
    assert passed <= {RIGHT, TORN}
    assert main(["vision", "replay", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["read_label"]["pictures"] == told["read_label"]["same"] > 10
    assert main(["verify", str(path)]) == 0
