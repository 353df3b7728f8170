"""Stories of vehicles with several places: they share the pool, carry several loads, never block each
other, and lose nothing when they die."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from whole_ring import tug_files
from whole_story import Story, told

FAULTS = (
    "format: 1\nrobot_dies: {per_robot_hour: 0.5}\nmessage_late: {share: 0.02, delay_s: [1, 5]}\n"
)
BUSY: dict[str, Any] = {
    "simulation__demand__outbound__orders_per_hour": 36,
    "simulation__success": {},
    "policy__tour_wait_ms": 120_000,
}


def aboard(story: Story) -> dict[str, int]:
    """The most loads that each robot had on it at once."""
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for fact in story.of("load_moved"):
        if fact["from"].startswith("robot:"):
            now[fact["from"]] -= 1
        if fact["to"].startswith("robot:"):
            now[fact["to"]] += 1
            most[fact["to"]] = max(most[fact["to"]], now[fact["to"]])
    return dict(most)


def test_tuggers_collect_several_parcels_in_one_tour(tmp_path: Path) -> None:
    """Given two tuggers of four places, when parcels gather in the chutes, then one tour fetches
    several of them; nobody carries more than there are places for."""
    story = told(tmp_path, tug_files(), hours=2, **BUSY)
    assert story.verdict.clean, story.verdict.findings.as_json()
    tugs = {robot: most for robot, most in aboard(story).items() if "tug" in robot}
    assert 3 <= max(tugs.values()) <= 4
    assert max(most for robot, most in aboard(story).items() if "amr" in robot) == 1
    assert story.states("outbound")["done"] > 25


def test_tuggers_that_die_lose_nothing(tmp_path: Path) -> None:
    """Given tuggers that die with parcels aboard and before, when they are back, then every parcel has
    gone on: by them, or by the others what they had not fetched."""
    story = told(tmp_path, tug_files(tugs=3, places=6), hours=2, seed=2, faults=FAULTS, **BUSY)
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert any("tug" in fact["robot"] for fact in story.of("fault"))
    assert story.states("outbound")["quarantined"] == 0
    assert story.states("outbound")["done"] > 25


def test_one_pool(tmp_path: Path) -> None:
    """Given parcels that single-place robots may bring as well, when both kinds are free, then no task
    is done twice and none is forgotten."""
    busy = BUSY | {"policy__tour_wait_ms": 0}
    story = told(tmp_path, tug_files(shared=True), hours=2, **busy)
    assert story.verdict.clean
    moved = [f for f in story.of("load_moved") if f["load"].startswith("parcel-order")]
    by = {f["to"].split("-")[0] for f in moved if f["to"].startswith("robot:")}
    assert by == {"robot:amr", "robot:tug"}
    assert not story.world.tasks or min(t.since_ns for t in story.world.tasks.values()) > 6e12
