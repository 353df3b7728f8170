"""Totes that hold other goods than announced, or broken ones: cameras at the dock, and what became of
what they missed."""

from __future__ import annotations

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_handling import Hall
from whole_ring import whole_files
from whole_story import Story, told

from orchestrator.core.messages import RequestInference
from sim.eyes import shown_to
from sim.report import mistakes
from sim.scales import fits, weight_g
from sim.vision import Measured

GOODS: dict[str, Any] = {
    "goods": {
        "do": "inspect", "needs": "goods", "task": "identify_item", "per_line": True,
        "then": ["condition"],
        "outcomes": {"mismatch": {"then": "goods", "tries": 1, "otherwise": "quarantine"}},
    },
    "condition": {
        "do": "inspect", "needs": "condition", "task": "inspect_damage", "per_line": True,
        "then": ["identify"],
        "outcomes": {"damaged": {"then": "condition", "tries": 1, "otherwise": "quarantine"}},
    },
}  # fmt: skip


def run(path: Path, faults: str, *, cameras: bool) -> Story:
    """Of pallets alone, with cameras that look at goods or without."""
    files = whole_files()
    site = yaml.safe_load(files["site.yaml"])
    inbound = site["flow"]["inbound"]
    if cameras:
        inbound["depalletise"]["then"] = ["goods"]
        inbound |= deepcopy(GOODS)
        next(s for s in site["stations"] if "identify" in s["capabilities"])["capabilities"] += [
            "goods", "condition",
        ]  # fmt: skip
    files["site.yaml"] = yaml.safe_dump(site, sort_keys=False)
    text = f"format: 1\n{faults}: {{share: 1}}\n"
    outbound = {} if not cameras else {"simulation__demand__outbound": None}
    return told(path, files, hours=1.5, faults=text, simulation__success={}, **outbound)


@pytest.mark.parametrize("kind", ["goods_wrong", "goods_damaged"])
def test_what_is_not_as_announced_goes_back_to_its_supplier(tmp_path: Path, kind: str) -> None:
    """Given suppliers whose totes are all wrong, or hold a broken unit, when cameras look, then not
    one is put away, and nothing stays at a dock."""
    story = run(tmp_path, kind, cameras=True)
    assert story.verdict.clean, story.verdict.findings.as_json()
    came = {fact["tote"] for fact in story.of(kind)}
    stored = {fact["load"] for fact in story.of("load_moved") if fact["to"].startswith("slot:")}
    gone = {fact["load"] for fact in story.of("load_moved") if fact["to"] == "gone"}
    assert len(came) > 3 and not came & stored and len(came & gone) >= len(came) - 3
    facts = [(round(at * 1e9), name, fact) for at, name, fact in story.facts]
    rows = mistakes.figures(mistakes.mistakes(facts, lambda _, step: step))["kinds"]
    assert rows[0]["stocked"] == rows[0]["shipped"] == 0
    assert sum(rows[0]["caught"].values()) >= len(came) - 3


def test_wrong_goods_that_no_camera_saw_are_found_by_the_arm(tmp_path: Path) -> None:
    """Given no camera at the dock, when an arm finds none of what it is to pick, then the books know
    it, and nothing wrong leaves."""
    story = run(tmp_path, "goods_wrong", cameras=False)
    assert story.verdict.clean, story.verdict.findings.as_json()
    facts = [(round(at * 1e9), name, fact) for at, name, fact in story.facts]
    rows = mistakes.figures(mistakes.mistakes(facts, lambda _, step: step))["kinds"]
    assert rows[0]["kind"] == mistakes.GOODS_WRONG and rows[0]["stocked"] > 3
    assert rows[0]["shipped"] == 0


def ask(task: str, subject: str, expected: str = "A") -> RequestInference:
    return RequestInference(
        request=1, task=task, station=0, subject=subject, expected=expected, capability="look"
    )


def test_what_came_broken_is_broken_in_the_box_as_well() -> None:
    hall = Hall()
    hall.floor.came_damaged("t1", "A")
    assert shown_to(ask("inspect_damage", "t1"), hall.floor).case == "damaged"
    hall.at_the_arm().work("pick", quantity=2)
    assert hall.look("A:2").outcome == "damaged"
    assert shown_to(ask("inspect_damage", "o"), hall.floor).value == "damaged"
    assert shown_to(ask("inspect_damage", "o", ""), hall.floor).value == "damaged", "live"
    assert shown_to(ask("inspect_damage", "t1"), hall.floor).value == "intact"


def test_goods_are_what_lies_in_the_tote() -> None:
    hall = Hall()
    hall.floor.tote("t2", "A~", 3, "slot:x")
    hall.floor.tote("t3", "A", 0, "slot:y")
    shown = {tote: shown_to(ask("identify_item", tote), hall.floor) for tote in ("t1", "t2", "t3")}
    assert {tote: (row.case, row.value) for tote, row in shown.items()} == {
        "t1": ("right", "A"), "t2": ("wrong_item", "A~"), "t3": ("nothing", ""),
    }  # fmt: skip
    chance = random.Random(1)
    for tote, most in (("t1", "ok"), ("t2", "mismatch"), ("t3", "unreadable")):
        request = ask("identify_item", tote)
        seen = [
            Measured().see(request, shown[tote], chance, clear=True).outcome for _ in range(200)
        ]
        assert max(set(seen), key=seen.count) == most, "errors are rare"


def test_what_looks_alike_weighs_alike_and_the_scale_is_no_cure_for_all() -> None:
    skus = [f"SKU-{number:02d}" for number in range(200)]
    shares = [weight_g(f"{sku}~") / weight_g(sku) for sku in skus]
    assert min(shares) >= 0.92 and max(shares) <= 1.08 and min(shares) < 1 < max(shares)
    chance = random.Random(2)
    passed = sum(fits([(f"{sku}~", 1)], [(sku, 1)], chance) for sku in skus)
    assert 20 < passed < 180, "of two items that look alike some weigh nearly the same"
