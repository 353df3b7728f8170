"""The ablation bench: variants really differ, and what was measured is not measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from whole_ring import whole_files

from sim import ablation
from sim.recipe import Recipe, with_settings
from sim.scenario import ScenarioError

RECIPE = Recipe(name="ring", files=whole_files(), hours=0.5)
NAMES = ["as it is", "assignment random", "parking stay"]


def test_variants_on_the_same_seed_and_resumed(tmp_path: Path) -> None:
    """Given three variants and a results file, when the bench is run twice, then each was simulated
    once, on the same orders, and random assignment drives farther."""
    rows: list[dict[str, Any]] = []
    out = tmp_path / "ablation.jsonl"
    first = ablation.run(RECIPE, [1], NAMES, out, rows.append)
    assert [row["variant"] for row in rows] == NAMES
    again = ablation.run(RECIPE, [1], NAMES, out, rows.append)
    assert again == first and len(rows) == 3
    assert len({str(row) for row in first.values()}) > 1
    assert first["as it is"]["orders_per_hour"] > 0
    assert first["as it is"]["metres_per_order"] > 10


def test_settings_that_the_site_does_not_know_are_refused() -> None:
    made = with_settings(RECIPE, {"parking": "nearest", "simulation.success.pick": 0.5})
    loaded = made.load()
    assert loaded.site.policy.parking == "nearest"
    assert loaded.spec.simulation.success["pick"] == 0.5
    with pytest.raises(Exception, match="parking"):
        with_settings(RECIPE, {"policy.parking": "anywhere"}).load()
    with pytest.raises(ScenarioError, match="holds no keys"):
        with_settings(RECIPE, {"id.x": 1})
