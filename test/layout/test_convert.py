"""Buildings made by others: what they say is what is driven, and what is wrong is named."""

import json
from pathlib import Path

import floors
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.cli import main
from orchestrator.layout import LayoutError, check_site, lif, load_files, load_site
from orchestrator.layout.convert import Choices, convert, of_site
from orchestrator.layout.findings import errors
from orchestrator.layout.occupancy import free_space, read_pgm
from sim.recipe import Recipe
from sim.recorded import record

BUILDING = """\
name: yard
levels:
  L1:
    measurements:
      - [0, 1, {distance: [3, 5.0]}]
    vertices:
      - [0, 0, 0, a]
      - [100, 0, 0, b]
      - [100, 100, 0, c]
      - [0, 100, 0, ""]
      - [200, 0, 0, dock, {is_charger: [4, true], pickup_dispenser: [1, tap]}]
      - [-100, 0, 0, rest, {is_parking_spot: [4, true]}]
      - [900, 900, 0, wall]
    lanes:
      - [0, 1, {bidirectional: [4, true], graph_idx: [2, 0], speed_limit: [3, 0.5]}]
      - [1, 2, {bidirectional: [4, true], graph_idx: [2, 0], orientation: [1, backward]}]
      - [2, 3, {bidirectional: [4, true], graph_idx: [2, 0]}]
      - [3, 0, {bidirectional: [4, true], graph_idx: [2, 0]}]
      - [1, 4, {bidirectional: [4, true], graph_idx: [2, 0]}]
      - [5, 0, {bidirectional: [4, true], graph_idx: [2, 0]}]
      - [0, 2, {bidirectional: [4, false], graph_idx: [2, 1]}]
"""
GRAPH = """\
levels:
  L1:
    lanes: [[0, 1, {}], [1, 2, {speed_limit: 1.0}], [2, 0, {}], [0, 3, {}], [3, 0, {}], [1, 4, {}]]
    vertices: [[0, 0, {name: a}], [4, 0, {name: b}], [4, 4, {}], [-4, 0, {is_charger: true}],
               [9, 9, {name: lost}]]
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def ros(folder: Path, **more: object) -> Path:
    """A hall of 8 x 6 m at 0.1 m with a pillar and a closed room."""
    image = np.full((60, 80), 254, np.uint8)
    image[25:35, 35:45] = 0
    image[:12, 66] = image[12, 66:] = 0
    (folder / "hall.pgm").write_bytes(b"P5\n# made here\n80 60\n255\n" + image.tobytes())
    raw = {"image": "hall.pgm", "resolution": 0.1, "origin": [-2.0, 1.0, 0.0], "negate": 0,
           "occupied_thresh": 0.65, "free_thresh": 0.196} | more  # fmt: skip
    return written(folder, "hall.yaml", yaml.safe_dump(raw))


def test_a_building_in_metres_with_bays(tmp_path: Path) -> None:
    texts, found = convert(written(tmp_path, "yard.building.yaml", BUILDING), "site", Choices())
    site = load_files(texts, "yard").site
    where = dict(zip(site.roadmap.node_ids, zip(site.roadmap.node_x_mm, site.roadmap.node_y_mm,
                                                strict=True), strict=True))  # fmt: skip
    assert where == {"a": (0, 0), "b": (5000, 0), "c": (5000, -5000), "v3": (0, -5000),
                     "dock": (10000, 0), "rest": (-5000, 0)}  # fmt: skip
    assert {(b.id, b.kind) for b in site.roadmap.bays} == {
        ("charge-dock", "charger"), ("park-rest", "parking")}  # fmt: skip
    edges = dict(zip(site.roadmap.edge_ids, site.roadmap.edge_heading_deg, strict=True))
    assert edges["b>c"] == 90 and edges["c>b"] == 90, "rear first down, forwards up"
    assert edges["b>dock"] == edges["dock>b"] == 0, "nobody turns in a bay"
    assert site.roadmap.edge_speed_mmps[site.roadmap.edge_ids.index("a>b")] == 500
    assert not found


def test_a_graph_and_what_is_left_out(tmp_path: Path) -> None:
    texts, found = convert(written(tmp_path, "0.yaml", GRAPH), "lif", Choices(robots=1))
    layout = json.loads(texts["layout.lif.json"])["layouts"][0]
    assert [n["nodeId"] for n in layout["nodes"]] == ["a", "b", "v2", "v3"]
    assert [f.text for f in found] == ["1 of 5 places are left out: lost"]


@pytest.mark.parametrize("more", [{}, {"mode": "scale"}, {"origin": [0, 0, 0.5]}])
def test_a_ros_map_keeps_clear_of_walls(tmp_path: Path, more: dict[str, object]) -> None:
    path = ros(tmp_path, **more)
    texts, found = convert(path, "site", Choices(1.0, 0.4))
    assert any("left out" in finding.text for finding in found), "the closed room"
    roadmap = load_files(texts, "hall").site.roadmap
    assert roadmap.nodes > 20
    if not more:
        for x, y in zip(roadmap.node_x_mm, roadmap.node_y_mm, strict=True):
            assert -1600 <= x <= 5600 and 1400 <= y <= 6600
            dx, dy = max(1500 - x, x - 2500, 0), max(3500 - y, y - 4500, 0)
            assert dx * dx + dy * dy >= 400**2


def test_pixels_by_mode() -> None:
    shade = read_pgm(b"P2 4 1 255 0 50 205 254", "x")
    rules = {"free_thresh": 0.196, "occupied_thresh": 0.65}
    assert free_space(rules, shade, "x").tolist() == [[False, False, False, True]]
    assert free_space(rules | {"negate": 1}, shade, "x").tolist() == [[True, False, False, False]]
    assert free_space(rules | {"mode": "raw"}, shade, "x").tolist() == [[True, False, False, False]]


def test_from_a_map_to_finished_transports(tmp_path: Path) -> None:
    out = tmp_path / "site"
    assert main(["layout", "convert", str(ros(tmp_path)), "--to", "site", "--out", str(out)]) == 0
    assert main(["layout", "check", str(out)]) == 0
    loaded = load_site(out)
    names = loaded.site.roadmap.node_ids
    free = [names[n] for n, bay in enumerate(loaded.site.roadmap.node_bay) if bay < 0]
    rows = [f't{i},0,"{free[i]};{free[-1 - i]}"' for i in range(4)]
    recipe = Recipe(
        name="hall", files=loaded.files, hours=0.1, orders_name="o.csv",
        orders="\n".join(["order_id,time_s,stops", *rows]),
    )  # fmt: skip
    figures = record(recipe, tmp_path / "a.run")
    assert figures["orders"] == figures.get("orders_done") == 4, figures


def test_a_compiled_site_round_trips() -> None:
    files = floors.files()
    loaded = load_files(files, "ring")
    text = lif.write(of_site(loaded))
    again = load_files(files | {"layout.lif.json": text}, "ring")
    assert again.site.roadmap == loaded.site.roadmap
    assert lif.write(lif.read(text, "x")[0]) == text


def test_a_grid(tmp_path: Path) -> None:
    path = written(tmp_path, "g.map", "type octile\nheight 3\nwidth 4\nmap\n....\n.@..\n....\n")
    texts, _ = convert(path, "site", Choices(pitch_m=2.0))
    (tmp_path / "s").mkdir()
    assert not errors(check_site(floors.write(tmp_path / "s", texts)))


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "text"),
    [("b", "[0, 1, {bid", "[0, 77, {bid", "levels.L1.lanes.0 (line 15)", "no vertex 77"),
     ("b", "[100, 0, 0, b]", "[x, 0, 0, b]", "levels.L1.vertices.1 (line 8)", "is no number"),
     ("b", "      - [0, 1, {distance: [3, 5.0]}]\n", "", "levels.L1.measurements", "measurement"),
     ("b", "levels:", "levels: [", "line", "broken YAML"),
     ("b", "levels:", "storeys:", "line 1", "no building")],
)  # fmt: skip
def test_wrong_buildings(
    tmp_path: Path, name: str, old: str, new: str, place: str, text: str
) -> None:
    assert old in BUILDING
    path = written(tmp_path, f"{name}.yaml", BUILDING.replace(old, new, 1))
    with pytest.raises(LayoutError) as refused:
        convert(path, "lif", Choices())
    finding = refused.value.findings[0]
    assert finding.path.startswith(place) and text in finding.text and finding.mend


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["L1", "vertices", "lanes", "measurements", "x"]), inner)
    ),
    max_leaves=12,
)
MAPS = st.fixed_dictionaries(
    {}, optional={k: VALUES for k in ("image", "levels", "resolution", "origin", "mode", "negate")}
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=80) | MAPS.map(lambda raw: yaml.safe_dump(raw).encode()))
def test_whatever_the_file_holds(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    try:
        convert(path, "site", Choices())
    except LayoutError as error:
        assert all(finding.mend for finding in error.findings)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda b: b"P5 3 2 255\n" + b))
def test_whatever_the_image_holds(data: bytes) -> None:
    try:
        assert read_pgm(data, "x").min() >= 0
    except LayoutError as error:
        assert error.findings[0].mend
