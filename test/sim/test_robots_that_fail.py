"""Stories of robots and lanes that fail, each a run of jd_small: who is hurt (nobody), what goes on
meanwhile, and how it ends. Judged by `verify` and by the facts of the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from whole_story import Story, told

from orchestrator.layout import read_files
from sim import deaths_everywhere
from sim.recipe import of_site
from sim.visits import VISIT_S

JD_SMALL = Path(__file__).parents[2] / "sites" / "jd_small"


def run(path: Path, hours: float, faults: dict[str, Any], **policy: Any) -> Story:
    """Of jd_small with these faults alone."""
    changes = {key if "__" in key else f"policy__{key}": value for key, value in policy.items()}
    text = yaml.safe_dump({"format": 1} | faults)
    return told(path, read_files(JD_SMALL), hours=hours, faults=text, **changes)


def span(story: Story, kind: str) -> tuple[float, float]:
    """From when to when the first fault of a kind lasted, in seconds."""
    begun = next(t for t, name, f in story.facts if name == "fault" and f["kind"] == kind)
    ended = [t for t, name, f in story.facts if name == "fault_ended" and f["kind"] == kind]
    return begun, ended[0] if ended else float("inf")


def done(story: Story, from_s: float, to_s: float) -> int:
    """Orders that were finished in a span of time."""
    return sum(
        from_s < t <= to_s and fact["status"] == "done"
        for t, name, fact in story.facts
        if name == "order_closed"
    )


def dies_at(node: str, **values: Any) -> dict[str, Any]:
    return {"robot_dies": {"at": [{"node": node, "after_s": 60}], "restart_success": 0.0} | values}


@pytest.mark.parametrize(
    "node",
    [
        "n+05+04",  # in an aisle: robots behind it must back out
        "n+13+05",  # on the trunk, where robots leave a pick station towards it
        "n+00-01",  # the corner that all come through
        "n+17+05",  # the sorters' own ring: they have no other
        "n+23+10",  # before a chute
    ],
)
def test_a_robot_dies_for_good_in_a_lane(tmp_path: Path, node: str) -> None:
    """Given a robot that no restart brings back, when it lies in a lane until a person may enter, then
    nobody touches it or deadlocks behind it, orders go on, and everything goes on afterwards."""
    story = run(
        tmp_path, 0.45, dies_at(node), restart_tries=0, maintenance_every_minutes=5,
        maintenance_minutes=1,
    )  # fmt: skip
    assert story.verdict.clean, story.verdict.findings.as_json()
    died_s, back_s = span(story, "robot_dies")
    (touch,) = story.of("human_touched")
    assert (back_s - VISIT_S) % 300 < 60, "the visit began in a window"
    assert touch["reason"].startswith("maintenance of ")
    assert story.ended("robot_dead") == {"maintenance": 1}
    alone = node == "n+17+05"  # then no parcel gets anywhere
    assert done(story, died_s, back_s) >= (0 if alone else 8)
    assert done(story, back_s, 1e9) >= 5
    assert not story.world.closures.parts and not any(r.cut for r in story.world.robots)


def test_without_a_window_a_person_comes_at_once_and_that_is_counted(tmp_path: Path) -> None:
    """Given a site without maintenance windows, when restarts have failed, then a person enters; orders
    whose loads are on robots there, and those of robots that wait there, count as touched."""
    story = run(tmp_path, 0.25, dies_at("n+13+02"), restart_tries=0)
    died_s, back_s = span(story, "robot_dies")
    assert VISIT_S <= back_s - died_s < VISIT_S + 5
    assert story.verdict.clean
    (touch,) = story.of("human_touched")
    touched = story.verdict.figures["orders_touched"]
    assert touched >= len(touch["orders"])
    assert touched or not touch["loads"]


def test_an_empty_battery_in_a_lane_waits_for_a_person(tmp_path: Path) -> None:
    """Given robots that begin all but empty, when one runs dry in a lane, then no restart is tried, a
    person brings it in, and the others go on."""
    story = run(
        tmp_path, 0.3, {}, simulation__battery_at_start_percent=[0.3, 1.2],
        policy__maintenance_every_minutes=4,
    )  # fmt: skip
    assert story.verdict.clean, story.verdict.findings.as_json()
    ended = story.ended("battery_empty")
    assert ended["maintenance"] >= 1 and set(ended) == {"maintenance"}
    assert not story.ended("robot_dead")


def test_a_robot_that_slips_is_relocalised(tmp_path: Path) -> None:
    """Given a robot that loses its position, then it stands, is relocalised, and goes on; nobody
    enters the building."""
    at = {"robot_slips": {"at": [{"node": "n+05+04", "after_s": 60}], "relocalise_success": 1.0}}
    story = run(tmp_path, 0.15, at)
    assert story.verdict.clean
    begun_s, back_s = span(story, "robot_slipped")
    assert 15 <= back_s - begun_s <= 61
    assert story.ended("robot_slipped") == {"relocalised": 1}
    assert not story.of("human_touched")


def test_a_robot_that_can_not_be_relocalised_is_treated_as_dead(tmp_path: Path) -> None:
    """Given a robot that never finds its position, when the tries are used up, then it is restarted
    like a dead one, and a person ends what that does not."""
    slips = {"at": [{"node": "n+05+04", "after_s": 60}], "relocalise_success": 0.0}
    faults = {"robot_slips": slips, "robot_dies": {"restart_success": 0.0}}
    story = run(tmp_path, 0.28, faults, relocalise_tries=2, restart_tries=0)
    assert story.verdict.clean
    assert story.ended("robot_slipped") == {"treated as dead": 1}
    assert story.ended("robot_dead") == {"maintenance": 1}


def nonsense(reports: int) -> dict[str, Any]:
    at = [{"node": "n+05+04", "after_s": 60}]
    return {"robot_nonsense": {"at": at, "reports": [reports, reports], "every_s": [1, 2]}}


def test_a_little_nonsense_is_tolerated(tmp_path: Path) -> None:
    """Given a robot that reports a few things that can't be true, then none of it is believed, and it
    goes on driving."""
    story = run(tmp_path, 0.15, nonsense(3))
    assert story.verdict.clean
    assert story.ended("robot_nonsense") == {"tolerated": 1}


def test_a_robot_that_goes_on_with_nonsense_is_stopped_and_restarted(tmp_path: Path) -> None:
    """Given a robot that talks nonsense on and on, then it is stopped where it is, what it holds stays
    closed, and a restart tells where it really is."""
    story = run(tmp_path, 0.15, nonsense(60))
    assert story.verdict.clean
    assert story.ended("robot_nonsense") == {"restarted": 1}
    assert any("stopped" in fact["reason"] for fact in story.of("fault"))


def carton(**values: Any) -> dict[str, Any]:
    at = [{"edge": "n+05+04-n+06+04", "after_s": 60}]
    return {"lane_blocked": {"at": at, "clear_s": [60, 60]} | values}


def test_a_carton_on_a_lane_is_met_by_nobody_and_cleared(tmp_path: Path) -> None:
    """Given a carton on a lane, when a robot comes, then it stops before it, the lane is closed for the
    others, and it is cleared from afar; the robot goes on."""
    story = run(tmp_path, 0.2, carton(clear_success=1.0))
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert story.ended("lane_blocked") == {"cleared": 1}
    assert story.verdict.figures["obstacles"]["clearance_m"] >= 0.05
    assert not story.of("human_touched")


def test_a_carton_that_stays_makes_the_robot_back_out(tmp_path: Path) -> None:
    """Given a carton that can't be cleared from afar, then the robot before it backs out, orders go on
    round it, and a person takes it away in the window."""
    story = run(
        tmp_path, 0.3, carton(clear_success=0.0), clear_tries=1, maintenance_every_minutes=6
    )
    assert story.verdict.clean, story.verdict.findings.as_json()
    assert story.ended("lane_blocked") == {"maintenance": 1}
    fell_s, gone_s = span(story, "lane_blocked")
    assert done(story, fell_s + 200, gone_s) >= 5
    assert not any(robot.blocked for robot in story.world.robots)


def test_what_a_death_at_every_node_judges() -> None:
    """A robot that is never brought back, and orders that don't go on, are findings."""
    found: list[str] = []
    row = deaths_everywhere.judge([(10, "fault", {}), (20, "end", {})], found)
    assert row == {"died": True} and found == ["the dead robot was never brought back"]
    found = []
    facts: list[tuple[int, str, dict[str, Any]]] = [
        (10, "fault", {}), (15, "order_closed", {"status": "done"}), (20, "fault_ended", {}),
    ]  # fmt: skip
    row = deaths_everywhere.judge(facts, found)
    assert row["done_meanwhile"] == 1 and found == [
        "no order ended after the robot was brought back"
    ]
    recipe = of_site(JD_SMALL)
    assert {"n+05+04", "n+17+05"} <= set(deaths_everywhere.nodes(recipe))
    assert "slot-01" not in deaths_everywhere.nodes(recipe)
