"""The building of four halls: as drawn, sound, and driven by all five fleets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.layout import check_site
from sim.recipe import of_site
from sim.sweep import one

SITES = Path(__file__).parents[2] / "sites"


@pytest.mark.parametrize("name", ["jd_medium", "jd_large"])
def test_the_layout_is_what_its_script_draws(name: str, tmp_path: Path) -> None:
    for script in ("centre.py", "drawing.py", f"{name}/build_layout.py"):
        (tmp_path / script).parent.mkdir(exist_ok=True)
        shutil.copy(SITES / script, tmp_path / script)
    subprocess.run([sys.executable, tmp_path / name / "build_layout.py"], check=True, timeout=60)
    drawn = (tmp_path / name / "layout.lif.json").read_bytes()
    assert drawn == (SITES / name / "layout.lif.json").read_bytes()


@pytest.mark.parametrize("name", ["jd_medium", "jd_large"])
def test_no_lane_leads_through_a_bay(name: str) -> None:
    """Robots would be sent there, and find no way: a bay is entered by those alone who go there."""
    layout = json.loads((SITES / name / "layout.lif.json").read_text())["layouts"][0]
    small = {row["interactionNodeIds"][0] for row in layout["stations"]
             if len(row["interactionNodeIds"]) == 1}  # fmt: skip
    into: dict[str, set[str]] = {}
    out_of: dict[str, set[str]] = {}
    for edge in layout["edges"]:
        into.setdefault(edge["endNodeId"], set()).add(edge["startNodeId"])
        out_of.setdefault(edge["startNodeId"], set()).add(edge["endNodeId"])
    assert len(small) > 1000
    assert [node for node in sorted(small) if into[node] != out_of[node]] == []


@pytest.mark.slow
def test_the_four_halls_are_sound_and_a_few_robots_of_each_fleet_work_there() -> None:
    """Given four halls, when a few robots of each fleet work there for some minutes, then nothing
    touches anything, every unit is where the books say, and they went about their errands."""
    assert check_site(SITES / "jd_large") == []
    few = {"shuttle": 16, "tote_amr": 48, "heavy_amr": 16, "sorter": 24, "tugger": 8}
    result = one(of_site(SITES / "jd_large", hours=0.12, seed=5, fleets=few))
    assert result["findings"] == []
    assert result["figures"]["robots"] == sum(few.values())
    assert result["figures"]["events"] > 10_000
