"""A carton that is said to be cleared and lies there still: the floor camera sees it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import yaml
from whole_story import Story, told

from orchestrator.api.cameras import TakePicture
from orchestrator.api.naming import Naming, reader
from orchestrator.cli import main
from orchestrator.core.messages import RequestInference
from orchestrator.layout import load_site, read_files
from orchestrator.vision.model import Question
from orchestrator.vision.readers.lanes import Lanes
from orchestrator.vision.readers.references import Folder
from sim import vision
from sim.cameras import Scenes
from sim.eyes import Eyes, lane_shown
from sim.recipe import of_site
from sim.recorded import record

SITE = Path(__file__).resolve().parents[2] / "sites" / "jd_small"
EDGE = "n+05+04-n+06+04"
LANE = RequestInference(
    request=3, task="check_lane", subject=EDGE, expected="clear", capability="floor"
)


def run(
    path: Path, left_share: float = 1.0, hours: float = 0.2, cameras: Any = True, **values: Any
) -> Story:
    at = [{"edge": EDGE, "after_s": 60}]
    carton = {"at": at, "clear_s": [60, 60], "clear_success": 1.0, "left_share": left_share}
    faults = yaml.safe_dump({"format": 1, "lane_blocked": carton})
    sees = {"simulation__success": {}, "floor_cameras": cameras, "policy__clear_tries": 2}
    return told(path, read_files(SITE), hours=hours, faults=faults, **(sees | values))


def test_the_camera_finds_what_was_left_and_a_person_is_called_only_when_nothing_helps(
    tmp_path: Path,
) -> None:
    """Given that each clearing leaves the carton, then the camera sees it each time, the lane stays
    closed, the robot backs out, and the visit ends it."""
    story = run(tmp_path, hours=0.4)
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert len(story.of("obstacle_left")) == 2
    assert story.ended("lane_left") == {"handed on": 1}
    assert story.ended("lane_blocked") == {"maintenance": 1}
    assert not any(robot.blocked for robot in story.world.robots)


def test_a_lane_that_is_clear_is_opened(tmp_path: Path) -> None:
    story = run(tmp_path, left_share=0.0)
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert story.ended("lane_blocked") == {"cleared": 1} and not story.ended("lane_left")
    assert not story.of("human_touched")


def test_without_a_camera_robots_find_it_again_and_again(tmp_path: Path) -> None:
    """As before there were any: each robot that comes stops before it and reports it anew."""
    story = run(tmp_path, cameras=[])
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert len(story.of("obstacle_left")) > 2 and story.ended("lane_blocked")["cleared"] >= 2


def test_a_blind_camera_calls_nobody(tmp_path: Path) -> None:
    blind = {"simulation__success": {"floor": 0.0}}
    story = run(tmp_path, left_share=0.0, **blind)
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert story.ended("lane_blocked") == {"cleared unseen": 1}
    assert story.ended("lane_unseen") == {"opened": 1} and not story.of("human_touched")


def shares(eyes: Eyes, *, fallen: bool, looks: int) -> dict[str, float]:
    chance = Random(4)
    seen = [
        eyes.see(LANE, lane_shown(fallen=fallen), chance, clear=True).outcome for _ in range(looks)
    ]
    return {outcome: seen.count(outcome) / looks for outcome in set(seen)}


@pytest.mark.parametrize("fallen", [False, True])
def test_measured_cameras_are_mostly_right_about_lanes_and_never_perfect(fallen: bool) -> None:
    found = shares(vision.Measured(), fallen=fallen, looks=20_000)
    right, wrong = ("blocked", "ok") if fallen else ("ok", "blocked")
    assert found[right] > 2 * found[wrong] > 0, found
    assert found["unreadable"] > 0 and found["doubtful"] > 0


def test_pictures_of_lanes_show_what_lies_there() -> None:
    scenes = Scenes(2)
    lanes, question = scenes.floors(), Question("check_lane", "clear", (), EDGE)
    said: dict[bool, set[str]] = {True: set(), False: set()}
    for number in range(6):
        for fallen, values in said.items():
            request = msgspec.structs.replace(LANE, request=number)
            picture = vision.photograph(scenes, request, lane_shown(fallen=fallen), clear=True)
            values.add(lanes.look(picture, question).value)
    assert "blocked" in said[True] and "clear" not in said[True]
    assert "clear" in said[False] and "blocked" not in said[False]


def test_a_lane_is_asked_for_on_the_wire_without_a_station() -> None:
    naming = Naming(load_site(SITE).site)
    for asked in (LANE, TakePicture.of(LANE)):
        sent = naming.encode(asked)
        assert b"station" not in sent
        assert reader(naming, RequestInference | TakePicture)(sent) == asked
    assert TakePicture.of(LANE).plain() == msgspec.structs.replace(LANE, expected="")


def test_what_a_floor_camera_saw_is_judged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carton = {"at": [{"edge": EDGE, "after_s": 60}], "clear_s": [5, 5], "clear_success": 1.0}
    faults = yaml.safe_dump({"format": 1, "lane_blocked": carton | {"left_share": 1.0}})
    made = of_site(SITE, seed=1, hours=0.1, faults=faults, vision="rendered:0.0001")
    record(made, tmp_path / "a.run")
    assert main(["vision", "replay", str(tmp_path / "a.run"), "--json"]) == 0
    lanes = msgspec.json.decode(capsys.readouterr().out)["check_lane"]
    assert lanes["pictures"] == lanes["truth_known"] >= 1 and lanes["false_ok_now"] == 0


def test_empty_lanes_are_written_for_those_who_compare(tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    asked = ["--seed", "2", "--out", str(faces), "--lanes", "n+05+04*"]
    assert main(["vision", "faces", str(SITE), *asked]) == 0
    names = {path.stem for path in (tmp_path / "lanes").iterdir()}
    assert EDGE in names and all(name.startswith("n+05+04") for name in names)
    picture = vision.photograph(Scenes(2), LANE, lane_shown(fallen=True), clear=True)
    read = Lanes(Folder(tmp_path / "lanes")).look(picture, Question("check_lane", "", (), EDGE))
    assert read.value == "blocked"
