"""A carton that is said to be cleared and lies there still: the floor camera sees it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from whole_story import Story, told

from orchestrator.core.messages import RequestInference
from orchestrator.layout import read_files
from sim import vision
from sim.eyes import Eyes, lane_shown

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
