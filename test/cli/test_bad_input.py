"""Bad input at the command line: the place, what is wrong, the mend, exit code 2 (or 1 for checks)."""

import json
import math
import shutil
from pathlib import Path

import pytest

from orchestrator.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of jd_small to break."""
    return Path(shutil.copytree(ROOT / "sites" / "jd_small", tmp_path / "site"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    return capsys.readouterr().err


def checked(capsys: pytest.CaptureFixture[str], path: Path) -> str:
    assert main(["layout", "check", str(path)]) == 1
    return capsys.readouterr().out


def test_broken_yaml_names_its_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site / "site.yaml", "fleets:\n", "fleets: [\n")
    text = refused(capsys, "run", site)
    assert "site.yaml: line" in text and "broken YAML" in text
    assert "broken YAML" in checked(capsys, site)


def test_broken_json_names_its_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site / "layout.lif.json", '"nodes": [', '"nodes": [,')
    text = refused(capsys, "run", site)
    assert "layout.lif.json: line" in text and "broken JSON" in text


def test_an_unknown_fleet_in_the_layout_names_its_path(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(site / "layout.lif.json", '"vehicleTypeId": "tote_amr"', '"vehicleTypeId": "drone"')
    text = checked(capsys, site)
    assert "$.layouts[0].edges[0].vehicleTypeEdgeProperties[0].vehicleTypeId" in text
    assert "no fleet 'drone'" in text


def test_an_unknown_fleet_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = refused(capsys, "run", ROOT / "sites/jd_small", "--fleet", "drone=3")
    assert "unknown fleet 'drone'" in text and "tote_amr, sorter" in text
    assert "NAME=N" in refused(capsys, "run", ROOT / "sites/jd_small", "--fleet", "tote_amr")


def test_more_robots_than_places(capsys: pytest.CaptureFixture[str]) -> None:
    text = refused(capsys, "run", ROOT / "sites/jd_small", "--fleet", "tote_amr=500")
    assert "room for 0 to" in text


def test_a_disconnected_layout(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site / "layout.lif.json"
    lif = json.loads(path.read_text())
    edges = lif["layouts"][0]["edges"]
    lif["layouts"][0]["edges"] = [e for e in edges if e["edgeId"] != "n+00-01-n+00+00"]
    path.write_text(json.dumps(lif))
    text = checked(capsys, site)
    assert "can't go from everywhere to everywhere" in text and "add lanes" in text
    refused(capsys, "run", site)


def test_degrees_for_radians_are_named_and_mended(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site / "layout.lif.json"
    lif = json.loads(path.read_text())
    wrong = 0
    for edge in lif["layouts"][0]["edges"]:
        for row in edge["vehicleTypeEdgeProperties"]:
            row["vehicleOrientation"] = math.degrees(row["vehicleOrientation"])
            wrong += row["vehicleOrientation"] > 7
    path.write_text(json.dumps(lif))
    text = checked(capsys, site)
    assert text.count("looks like degrees") == wrong > 0
    refused(capsys, "run", site)
    mended = tmp_path / "mended.json"
    convert = ["layout", "convert", str(path), "--angles", "degrees", "--out", str(mended)]
    assert main(convert) == 0
    path.write_text(mended.read_text())
    assert main(["layout", "check", str(site)]) == 0


def test_an_order_file_with_bad_rows_runs_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "order_id,time_s,sku,quantity,due_s\n"
        "good,1,SKU-01,1,1800\n"
        "bad,soon,SKU-01,1,1800\n"
        "bad2,1,SKU-01,-4,1800\n"
        ",1,SKU-01,1,1800\n"
        "unknown,2,SKU-77,1,1800\n"
    )
    run = tmp_path / "a.run"
    site = str(ROOT / "sites/jd_small")
    arguments = ["run", site, "--orders", str(orders), "--hours", "0.25", "--record", str(run)]
    assert main([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    for line in (3, 4, 5):
        assert f"{orders}:{line}:" in printed.err
    figures = json.loads(printed.out)
    assert figures["orders_done"] == 1
    assert figures["orders_refused"] == 1


def test_an_order_file_without_its_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("a,b\n1,2\n")
    text = refused(capsys, "run", ROOT / "sites/jd_small", "--orders", orders)
    assert f"{orders}:1:" in text and "order_id" in text
    orders.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in refused(capsys, "run", ROOT / "sites/jd_small", "--orders", orders)


def test_a_site_of_a_newer_version(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site / "site.yaml", "format: 1", "format: 99")
    text = refused(capsys, "run", site)
    assert "format 99 is newer" in text and "update Lightsout" in text


def test_a_misspelt_key_names_its_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site / "site.yaml", "speed_mps: 1.6", "sped_mps: 1.6")
    text = checked(capsys, site)
    assert "unknown key 'sped_mps'" in text and "(line " in text
    assert "fleets.tote_amr.speed_mps" in text and "missing" in text


def test_a_flow_that_leads_nowhere(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(site / "site.yaml", "then: [label]}", "then: [lable]}")
    assert "no step 'lable'" in checked(capsys, site)


@pytest.mark.parametrize("command", ["replay", "verify", "report", "export"])
def test_a_run_file_that_is_not_one(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "not.run"
    path.write_text("nothing of the kind")
    extra = {"report": ["--out", tmp_path / "x.html"], "export": ["--events", tmp_path / "x"]}
    text = refused(capsys, command, path, *extra.get(command, []))
    assert "not.run" in text
    assert "does not exist" in refused(
        capsys, command, tmp_path / "no.run", *extra.get(command, [])
    )


def test_a_folder_that_is_no_site_and_nothing_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is no site" in refused(capsys, "run", tmp_path)
    assert "what is to run?" in refused(capsys, "run")
    assert "can't be read" in refused(capsys, "run", "--lorr", tmp_path / "x.json")
    site = ROOT / "sites/jd_small"
    assert "can't be read" in refused(capsys, "run", site, "--faults", tmp_path / "x.yaml")
    assert "--speed" in refused(capsys, "run", site, "--speed", "fast")
