"""Faults drawn at random are faults that a site understands, the same for the same seed."""

from __future__ import annotations

from orchestrator.layout.site_file import FaultsFile, read_faults
from sim import random_faults
from sim.recipe import Recipe
from sim.sweep import LATE, RANDOM, RATIO, broken, seeded


def test_every_seed_draws_valid_faults_and_every_kind_comes() -> None:
    seen: set[str] = set()
    for seed in range(60):
        text = random_faults.text(seed)
        assert text == random_faults.text(seed)
        faults, found = read_faults(text, "faults.yaml")
        assert not found and faults is not None
        seen |= faults.model_fields_set - {"format"}
    assert seen == set(FaultsFile.model_fields) - {"format"}, "a new kind belongs into the ranges"
    assert len({random_faults.text(seed) for seed in range(60)}) == 60


def test_a_sweep_draws_by_seed_and_tells_late_from_broken() -> None:
    made = Recipe(name="x", files={}, faults=RANDOM)
    assert seeded(made, 3).faults == random_faults.text(3) != seeded(made, 4).faults
    assert not broken({"findings": [f"{LATE}: 2 orders", f"{RATIO} 98.00 %"]})
    assert broken({"findings": [f"{LATE}: 2 orders", "AssertionError: gone"]})
