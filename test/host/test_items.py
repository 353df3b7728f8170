"""The item master: which SKUs there are, what they weigh, when they are replenished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from whole_ring import whole_files

from orchestrator.cli import main
from orchestrator.host.items import read_items
from orchestrator.layout import check_site, load_files
from sim.recipe import Recipe
from sim.recorded import record

TEXT = """\
sku,name,weight_g,length_mm,width_mm,height_mm,barcode,min_units
RED,Red thing,250,100,50,20,4006381333931,8
BLUE,Blue thing,,,,,4006381333932,
RED,again,1,1,1,1,,
GREEN,Green,12.5,,,,,
GREY,Grey,10,,,,4006381333931,
,nameless,1,,,,,
"""


def test_what_is_wrong_is_named_and_the_others_are_used() -> None:
    items, bad = read_items(TEXT, "items.csv")
    assert list(items.items) == ["RED", "BLUE"]
    assert [row.line for row in bad] == [4, 5, 6, 7] and all(row.mend for row in bad)
    assert items.expected_grams("RED", 4) == 1000
    assert items.expected_grams("BLUE", 4) is None and items.expected_grams("NONE", 1) is None
    assert items.min_units == {"RED": 8}
    rows = [{"sku": "RED", "weight_g": 250, "barcode": 4006381333931, "min_units": 8.0}]
    again, wrong = read_items(json.dumps(rows), "items.json")
    assert not wrong and again.items["RED"].barcode == "4006381333931" and again.min_units


def test_a_site_knows_the_items_beside_it(tmp_path: Path) -> None:
    """Given an item master in a site's folder, then stock, demand and replenishment go by it, and its
    rows are part of what the site is."""
    plain = load_files(whole_files(), "ring")
    loaded = load_files(whole_files() | {"items.csv": TEXT}, "ring")
    assert loaded.site.skus == {"RED", "BLUE"} and loaded.site.hash != plain.site.hash
    assert loaded.site.min_units == {"RED": 8} and not plain.site.min_units
    assert loaded.items.items["RED"].name == "Red thing"
    assert set(plain.items.items) == plain.site.skus, "generated names without it"
    recipe = Recipe(name="ring", files=loaded.files, hours=0.5, seed=2)
    scenario, _ = recipe.scenario()
    assert {tote.sku for tote in scenario.totes} == {"RED", "BLUE"}
    lines = [line for _, order in scenario.orders for line in order.lines]
    assert lines and {line.sku for line in lines} <= {"RED", "BLUE"}
    assert record(recipe, tmp_path / "a.run")["orders"] > 0


def test_items_by_the_command_line_come_again_with_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "ring"
    site.mkdir()
    for name, text in whole_files().items():
        (site / name).write_text(text)
    path, run = tmp_path / "master.csv", tmp_path / "a.run"
    path.write_text(TEXT)
    arguments = ["run", site, "--items", path, "--hours", "0.2", "--record", run]
    assert main([*map(str, arguments)]) == 0
    assert f"{path}:4: 'RED' is there already" in capsys.readouterr().err
    path.unlink()
    assert main(["replay", str(run), "--check"]) == 0
    (site / "items.csv").write_text(TEXT)
    found = [f for f in check_site(site) if f.file == "items.csv"]
    assert [f.path for f in found] == ["line 4", "line 5", "line 6", "line 7"]
    assert {f.severity for f in found} == {"warning"}
    (site / "items.csv").write_text("what,ever\n")
    assert any(f.severity == "error" for f in check_site(site) if f.file == "items.csv")
