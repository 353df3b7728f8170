"""The ready-made site: silent, quick to load, and as its script draws it."""

import json
import re
import runpy
import shutil
import time
from pathlib import Path
from xml.etree import ElementTree

import floors
import numpy as np
import pytest

from orchestrator.layout import LayoutError, LoadedSite, check_site, load_files, load_site
from orchestrator.layout.draw import draw
from orchestrator.layout.grid import grid_site, read_map


@pytest.fixture(scope="module")
def loaded() -> LoadedSite:
    return load_site(floors.JD_SMALL)


def test_nothing_to_find_and_quick_when_warm(loaded: LoadedSite) -> None:
    assert check_site(floors.JD_SMALL) == []
    begin = time.monotonic()
    load_site(floors.JD_SMALL)
    assert time.monotonic() - begin < 3


def test_self_contained_and_the_same_again(loaded: LoadedSite) -> None:
    again = load_files(loaded.files, "again")
    assert again.site == loaded.site and again.spec == loaded.spec
    assert again.site.hash == loaded.site.hash and again.arrays.epoch == loaded.arrays.epoch


def test_the_script_draws_what_is_in_the_folder(tmp_path: Path) -> None:
    shutil.copy(floors.JD_SMALL / "build_layout.py", tmp_path)
    runpy.run_path(str(tmp_path / "build_layout.py"), run_name="__main__")
    ours, drawn = floors.JD_SMALL / "layout.lif.json", tmp_path / "layout.lif.json"
    assert json.loads(drawn.read_text()) == json.loads(ours.read_text())


def test_what_the_site_promises(loaded: LoadedSite) -> None:
    roadmap, fleets = loaded.site.roadmap, loaded.spec.fleets
    assert sum(fleet.robots for fleet in fleets.values()) == 40
    kinds = [bay.kind for bay in roadmap.bays]
    assert kinds.count("slot") == 96
    stations = [station.kind for station in loaded.site.stations]
    assert (stations.count("pick"), stations.count("dock"), stations.count("chute")) == (4, 2, 8)
    assert all(
        roadmap.bays[s.out_bay].id == s.id.replace("pick", "pack")
        for s in loaded.site.stations
        if s.kind == "pick"
    )
    assert 3 in roadmap.edge_fleets, "some lanes are open to both fleets"


def test_nobody_who_drives_into_a_bay_touches_one_who_rests_in_another(loaded: LoadedSite) -> None:
    roadmap = loaded.site.roadmap
    for move, row in enumerate(roadmap.move_stands):
        edge = move % roadmap.edges
        own = {roadmap.node_bay[roadmap.edge_tail[edge]], roadmap.node_bay[roadmap.edge_head[edge]]}
        met = {roadmap.node_bay[stand % roadmap.nodes] for stand in row} - own - {-1}
        assert not met, (roadmap.edge_ids[edge], [roadmap.bays[bay].id for bay in met])


def test_nobody_turns_in_a_bay_of_one_place(loaded: LoadedSite) -> None:
    roadmap = loaded.site.roadmap
    for bay in roadmap.bays:
        if len(bay.nodes) == 1:
            ends = zip(roadmap.edge_tail, roadmap.edge_head, strict=True)
            edges = [edge for edge, pair in enumerate(ends) if bay.node in pair]
            assert len({roadmap.edge_heading_deg[edge] for edge in edges}) == 1, bay.id


@pytest.mark.parametrize("ids", [False, True])
def test_the_picture_is_whole(loaded: LoadedSite, ids: bool) -> None:
    svg = draw(loaded, ids=ids)
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    texts = {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"pick-0", "pack-3", "chute-7", "dock-1"} <= texts
    assert (set(loaded.site.roadmap.node_ids) <= texts) == ids
    assert svg == draw(loaded, ids=ids)


def test_names_in_a_picture_are_only_text() -> None:
    layout = floors.lif()
    layout["layouts"][0]["stations"][3]["stationId"] = "dock-<script>&"
    svg = draw(load_files(floors.files(layout), "x"), ids=True)
    assert "<script>" not in svg
    ElementTree.fromstring(svg)


def test_a_grid_is_a_site_too() -> None:
    free = np.array([[1, 1, 0], [1, 1, 1]], bool)
    loaded = grid_site(free, "grid", robots=2, cell_m=2.0)
    roadmap = loaded.site.roadmap
    assert roadmap.node_ids == ("0,0", "0,1", "1,0", "1,1", "1,2")
    assert roadmap.node_x_mm == (0, 2000, 0, 2000, 4000)
    assert roadmap.node_y_mm == (0, 0, -2000, -2000, -2000)
    headings = {
        (roadmap.node_ids[a], roadmap.node_ids[b]): heading
        for a, b, heading in zip(
            roadmap.edge_tail, roadmap.edge_head, roadmap.edge_heading_deg, strict=True
        )
    }
    assert len(headings) == 10
    assert headings["0,0", "0,1"] == 0 and headings["0,0", "1,0"] == 270
    assert headings["0,1", "0,0"] == 180 and headings["1,0", "0,0"] == 90
    assert loaded.site.order_types["transport"].steps["visit"].to == "stop"
    assert not loaded.site.roadmap.bays and not loaded.site.stations


def test_a_grid_in_pieces_loads_with_warnings(tmp_path: Path) -> None:
    loaded = grid_site(np.array([[1, 1, 0, 1, 1]], bool), "pieces")
    floors.write(tmp_path, loaded.files)
    found = check_site(tmp_path)
    assert found and all(finding.severity == "warning" for finding in found)


def test_a_large_grid_in_time() -> None:
    free = np.ones((36, 36), bool)
    begin = time.monotonic()
    loaded = grid_site(free, "large")
    assert loaded.site.roadmap.nodes == 1296
    assert time.monotonic() - begin < 20  # 10 on a machine of one's own


def test_a_map_of_others(tmp_path: Path) -> None:
    file = tmp_path / "small.map"
    file.write_text("type octile\nheight 2\nwidth 3\nmap\n.@.\nGSE\n")
    assert read_map(file).tolist() == [[True, False, True], [True, True, True]]
    file.write_text("\ufefftype octile\nheight 1\nwidth 3\nmap\n.@.\n\n", encoding="utf-8")
    assert read_map(file).tolist() == [[True, False, True]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: no type, height, width and map"),
        ("type octile\nheight x\nwidth 3\nmap\n", "line 2: height 'x' is no whole number"),
        ("type octile\nheight 2\nwidth 3\nmap\n...", "line 5: 1 rows, 2 announced"),
        ("type octile\nheight 1\nwidth 3\nmap\n...\n...", "line 6: more than the 1 rows announced"),
        ("type octile\nheight 1\nwidth 3\nmap\n....", "line 5: 4 columns, 3 announced"),
        ("type octile\nheight 0\nwidth 3\nmap\n", "line 2: height 0 -> mend the height: 1 to"),
        ("type octile\nheight 1\nwidth 99999999999\nmap\n...", "line 3: width '99999999999' is no"),
        ("type octile\nheight 9999\nwidth 9999\nmap\n", "line 2: 9999 x 9999 cells are more than"),
        (
            "type hex\nheight 1\nwidth 3\nmap\n...",
            "line 1: type 'hex' -> give a map of type octile",
        ),
        ("type octile\nheight 1\nwidth 3\nmap\n.\0.", r"line 5: column 2 is '\x00'"),
    ],
)
def test_a_map_that_is_none_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "small.map"
    file.write_text(text)
    with pytest.raises(LayoutError, match=r"small\.map: " + re.escape(says)):
        read_map(file)
