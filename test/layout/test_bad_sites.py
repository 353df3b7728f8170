"""Whatever is wrong with a site: file, place, what, mend; and nothing is ever half loaded."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import floors
import pytest

from orchestrator.layout import LayoutError, check_site, load_files, load_site


def found(texts: dict[str, str]) -> list[tuple[str, str, str, str]]:
    with pytest.raises(LayoutError) as refused:
        load_files(texts, "broken")
    rows = refused.value.findings
    assert all(row.mend for row in rows), "each finding says how to mend it"
    return [(row.file, row.path, row.text, row.mend) for row in rows]


def only(texts: dict[str, str]) -> tuple[str, str, str, str]:
    rows = found(texts)
    assert len(rows) == 1, rows
    return rows[0]


def test_the_unbroken_one_is_silent(tmp_path: Path) -> None:
    assert check_site(floors.write(tmp_path, floors.files())) == []


def test_broken_json_names_its_line() -> None:
    texts = floors.files()
    texts["layout.lif.json"] = texts["layout.lif.json"].replace('"nodes": [', '"nodes": ', 1)
    file, path, text, _ = only(texts)
    assert (file, text[:11]) == ("layout.lif.json", "broken JSON")
    assert path.startswith("line 21, column")


def test_broken_yaml_names_its_line() -> None:
    texts = floors.files()
    texts["site.yaml"] = "format: 1\nid: [ring\nfleets: {}\n"
    file, path, text, _ = only(texts)
    assert (file, path, text[:11]) == ("site.yaml", "line 3, column 7", "broken YAML")


def test_a_key_that_stands_twice() -> None:
    texts = floors.files()
    texts["site.yaml"] += "id: other\n"
    file, path, text, _ = only(texts)
    assert file == "site.yaml" and path.startswith("line ") and text == "'id' stands twice"


def test_a_site_of_a_newer_version() -> None:
    assert only(floors.files(spec=floors.site() | {"format": 2, "novelty": 1})) == (
        "site.yaml", "format", "format 2 is newer than this Lightsout, which knows 1",
        "update Lightsout",
    )  # fmt: skip


def test_faults_of_a_newer_version_and_of_an_unknown_fleet() -> None:
    assert only(floors.files(**{"faults.yaml": "format: 9\n"}))[:2] == ("faults.yaml", "format")
    text = "format: 1\nrobot_dies: {per_robot_hour: 1, fleets: [amr, truck]}\n"
    assert only(floors.files(**{"faults.yaml": text})) == (
        "faults.yaml", "robot_dies.fleets.1", "no fleet 'truck'", "use one of amr",
    )  # fmt: skip


def test_an_unknown_fleet() -> None:
    layout = floors.lif()
    layout["layouts"][0]["edges"][2]["vehicleTypeEdgeProperties"][0]["vehicleTypeId"] = "truck"
    path = "$.layouts[0].edges[2].vehicleTypeEdgeProperties[0].vehicleTypeId"
    assert only(floors.files(layout)) == (
        "layout.lif.json", path, "the site has no fleet 'truck'",
        "add it to `fleets` in site.yaml, or use one of amr",
    )  # fmt: skip


def test_a_disconnected_layout() -> None:
    layout = floors.lif()
    del layout["layouts"][0]["edges"][3]  # d>a: the ring is open
    rows = found(floors.files(layout))
    text = "amr can't go from everywhere to everywhere: a, b, c"
    assert ("layout.lif.json", "$.layouts[0].edges", text) in [row[:3] for row in rows]


def test_a_two_way_lane_to_nowhere() -> None:
    layout = floors.lif()
    body = layout["layouts"][0]
    body["nodes"].append(floors._node("end", 2, -4))
    body["edges"] += [floors._edge("a", "end"), floors._edge("end", "a")]
    _, _, text, mend = only(floors.files(layout))
    assert text.startswith("amr can leave only the way it came") and "a to end" in text
    assert mend == "make it a bay, or join it to a loop"


def test_two_loops_joined_by_one_two_way_lane() -> None:
    layout = floors.lif()
    body = layout["layouts"][0]
    for name, x, y in [("p", 10, 10), ("q", 14, 10), ("r", 12, 14)]:
        body["nodes"].append(floors._node(name, x, y))
    body["edges"] += [floors._edge(*ends) for ends in ("pq", "qr", "rp", "cp", "pc")]
    _, _, text, _ = only(floors.files(layout))
    assert text.endswith("c to p, p to c")


def test_degrees_for_radians_in_a_site() -> None:
    layout = floors.lif()
    layout["layouts"][0]["edges"][5]["vehicleTypeEdgeProperties"][0]["vehicleOrientation"] = 180.0
    file, path, text, mend = only(floors.files(layout))
    assert file == "layout.lif.json" and path.endswith("[0].vehicleOrientation")
    assert "degrees" in text and "lightsout layout convert" in mend


@pytest.mark.parametrize(
    ("missing", "text"),
    [("park-1>a", "amr finds no way out of park-1 from its last node"),
     ("a>park-1", "no fleet finds a way into park-1")],
)  # fmt: skip
def test_a_bay_without_a_way(missing: str, text: str) -> None:
    layout = floors.lif()
    edges = layout["layouts"][0]["edges"]
    edges[:] = [edge for edge in edges if edge["edgeId"] != missing]
    assert text in [row[2] for row in found(floors.files(layout))]


def test_more_robots_than_places() -> None:
    spec = floors.site()
    spec["fleets"]["amr"]["robots"] = 3
    assert "3 robots of amr but only 2 parking places" in only(floors.files(spec=spec))[2]


def test_a_shared_place_holds_one_robot() -> None:
    layout, spec = floors.lif(), floors.site()
    spec["fleets"]["other"] = spec["fleets"]["amr"] | {"robots": 1}
    for edge in layout["layouts"][0]["edges"]:
        row = edge["vehicleTypeEdgeProperties"]
        row.append(row[0] | {"vehicleTypeId": "other"})
    assert "3 robots of amr and other but only 2" in only(floors.files(layout, spec))[2]


def test_two_fleets_that_drive_a_lane_against_each_other() -> None:
    layout, spec = floors.lif(), floors.site()
    edges = layout["layouts"][0]["edges"]
    for edge in [edge for edge in edges if len(edge["edgeId"]) == 3]:  # the ring's lanes
        a, b = edge["startNodeId"], edge["endNodeId"]
        row = edge["vehicleTypeEdgeProperties"][0] | {"vehicleTypeId": "cart"}
        edges.append({"edgeId": f"{b}>{a}", "startNodeId": b, "endNodeId": a,
                      "vehicleTypeEdgeProperties": [row]})  # fmt: skip
    spec["fleets"]["cart"] = spec["fleets"]["amr"] | {"robots": 0, "carries": []}
    _, path, text, mend = only(floors.files(layout, spec))
    assert path == "$.layouts[0].edges" and "a and b" in text and "same way" in mend
    load_files(floors.files(layout, spec | {"guarantees": "advised"}), "advised")


def test_bays_too_close() -> None:
    layout = floors.lif()
    layout["layouts"][0]["nodes"][4]["nodePosition"] = {"x": -2, "y": 3.5}
    rows = found(floors.files(layout))
    assert [row[2] for row in rows] == ["robots resting at park-1, dock-1 would touch"]


def through_slot(*more: tuple[float, float]) -> dict[str, str]:
    """The ring, in which b is a slot on the way from a to c; more nodes, for a way round."""
    layout = floors.lif()
    body = layout["layouts"][0]
    park = next(row for row in body["edges"] if row["edgeId"] == "b>park-2")
    body["edges"] = [row for row in body["edges"] if "park-2" not in row["edgeId"]]
    row = park["vehicleTypeEdgeProperties"][0] | {"vehicleOrientation": 0.0}
    for a, b in (("c", "park-2"), ("park-2", "c")):
        body["edges"].append(
            {"edgeId": f"{a}>{b}", "startNodeId": a, "endNodeId": b,
             "vehicleTypeEdgeProperties": [row]}
        )  # fmt: skip
    body["stations"].append({"stationId": "slot-b", "interactionNodeIds": ["b"]})
    body["nodes"] += [floors._node(f"x{i}", *place) for i, place in enumerate(more)]
    way = ["a", *(f"x{i}" for i in range(len(more))), "c"] if more else []
    body["edges"] += [floors._edge(*ends) for ends in pairwise(way)]
    return floors.files(layout)


def test_a_bay_on_the_only_way() -> None:
    rows = found(through_slot())
    assert (
        "layout.lif.json", "$.layouts[0].stations[4]",
        "amr: a to c leads through slot-b, and nobody drives through: there is no way round",
        "put the bay beside the lane, with an edge of its own in and one out",
    ) in rows  # fmt: skip


def test_a_bay_on_the_way_where_the_way_round_is_long(tmp_path: Path) -> None:
    (finding,) = check_site(floors.write(tmp_path, through_slot((2, -30), (30, -30), (30, 30))))
    assert finding.severity == "warning" and finding.path == "$.layouts[0].stations[4]"
    assert "a to c leads through slot-b" in finding.text and "m round instead of 8" in finding.text


def test_a_way_round_is_no_longer_where_its_lanes_stand_twice(tmp_path: Path) -> None:
    texts = through_slot((2, -30), (30, -30), (30, 30))
    (once,) = check_site(floors.write(tmp_path, texts))
    layout = json.loads(texts["layout.lif.json"])
    edges = layout["layouts"][0]["edges"]
    edges += [
        edge | {"edgeId": f"{edge['edgeId']} again"} for edge in edges if "x" in edge["edgeId"]
    ]
    (twice,) = check_site(floors.write(tmp_path, floors.files(layout)))
    assert twice.text == once.text


def test_a_siding_beside_a_lane_is_no_thoroughfare(tmp_path: Path) -> None:
    assert check_site(floors.write(tmp_path, through_slot((2, 2)))) == []


def shut(park: tuple[float, float], *more: tuple[str, str, float, float]) -> dict[str, str]:
    """The ring with park-1 elsewhere, and more lanes."""
    layout = floors.lif()
    body = layout["layouts"][0]
    place = next(node for node in body["nodes"] if node["nodeId"] == "park-1")
    place["nodePosition"] = {"x": park[0], "y": park[1]}
    for tail, head, x, y in more:
        body["nodes"].append(floors._node(f"{tail}{head}", x, y))
        body["edges"] += [floors._edge(tail, f"{tail}{head}"), floors._edge(f"{tail}{head}", head)]
    return floors.files(layout)


def test_who_rests_in_the_way_of_all_others() -> None:
    _, path, text, mend = only(shut((-0.7, 2)))
    assert path == "$.layouts[0].stations[0]" and mend.startswith("move the bay away")
    assert text.startswith(
        "whoever is in park-1 stands in the way of amr from d to a, and there is no"
    )
    assert "dock-1" not in text


def test_who_rests_in_the_way_where_there_is_another_one(tmp_path: Path) -> None:
    texts = shut((-0.7, 2), ("d", "a", 2, 2))
    (finding,) = check_site(floors.write(tmp_path, texts))
    assert finding.severity == "warning" and "from d to a" in finding.text
    assert "no way round" not in finding.text


def test_who_rests_before_another_bay() -> None:
    _, _, text, _ = only(shut((-1.1, 3.2)))
    assert "park-1" in text and text.endswith("there is no way round to dock-1")


def test_a_curve() -> None:
    layout = floors.lif()
    points = [{"x": 0, "y": 0}, {"x": 2, "y": -1}, {"x": 4, "y": 0}]
    row = layout["layouts"][0]["edges"][0]["vehicleTypeEdgeProperties"][0]
    row["trajectory"] = {"degree": 2, "knotVector": [0, 0, 0, 1, 1, 1], "controlPoints": points}
    _, path, text, mend = only(floors.files(layout))
    assert path == "$.layouts[0].edges[0].vehicleTypeEdgeProperties[0].trajectory"
    assert "only straight edges" in text and "split" in mend
    points[1]["y"] = 0
    load_files(floors.files(layout), "straight")


Change = Callable[[dict[str, Any]], Any]
INBOUND = ("flow", "inbound")
SPEC_CHANGES: list[tuple[str, Change, str, str]] = [
    ("unknown key", lambda s: s["fleets"]["amr"].update(colour="red"),
     "fleets.amr.colour", "unknown key 'colour'"),
    ("missing key", lambda s: s["fleets"]["amr"].pop("speed_mps"), "fleets.amr.speed_mps", "missing"),
    ("hollow footprint", lambda s: s["fleets"]["amr"].update(
        footprint_m=[[0.4, 0.3], [0.1, 0.0], [0.4, -0.3], [-0.4, 0]]),
     "fleets.amr", "convex"),
    ("no number", lambda s: s["fleets"]["amr"].update(footprint_m=[[float("nan"), 0]] * 3),
     "fleets.amr.footprint_m.0.0", "finite"),
    ("no layout", lambda s: s.update(layout="x.json"), "layout", "there is no file 'x.json'"),
    ("no such step", lambda s: s["flow"]["inbound"]["receive"].update(then=["put"]),
     "flow.inbound.receive.then", "no step 'put'"),
    ("unreached", lambda s: s["flow"]["inbound"].update(lost={"do": "finish"}),
     "flow.inbound.lost", "no other step leads here"),
    ("circle", lambda s: s["flow"]["inbound"]["put_away"].update(then=["receive", "stored"]),
     "flow.inbound", "a circle of `then`"),
    ("no finish", lambda s: s["flow"]["inbound"]["stored"].update(
        do="work", needs="receive", then=[]), "flow.inbound", "never ends"),
    ("unbounded", lambda s: s["flow"]["inbound"]["receive"]["outcomes"]["failed"].pop("tries"),
     "flow.inbound.receive.outcomes.failed", "`then` or `tries` is missing"),
    ("two plans", lambda s: s["flow"]["inbound"]["receive"]["outcomes"]["failed"].update(
        plan=[{"then": "receive", "tries": 1}]), "flow.inbound.receive.outcomes.failed", "`plan`"),
    ("plan astray", lambda s: s["flow"]["inbound"]["receive"]["outcomes"].update(failed={
        "plan": [{"then": "reciev", "tries": 1}]}),
     "flow.inbound.receive.outcomes.failed.plan.0.then", "no step 'reciev'"),
    ("rest", lambda s: s["flow"]["inbound"]["receive"].update(wait_minutes=5),
     "flow.inbound.receive.wait_minutes", "only work of `reinduct` can wait"),
    ("task of a machine", lambda s: s["flow"]["inbound"]["receive"].update(task="read_label"),
     "flow.inbound.receive.task", "only an `inspect` step asks a camera"),
    ("goods of an order", lambda s: s["flow"]["inbound"]["receive"].update(
        do="inspect", task="identify_item"), "flow.inbound.receive.task", "about one line's goods"),
    ("a box that there is not", lambda s: s["flow"]["inbound"]["receive"].update(
        do="inspect", per_line=True, task="verify_pick"),
     "flow.inbound.receive.task", "these orders bring totes"),
    ("no such task", lambda s: s["flow"]["inbound"]["receive"].update(
        do="inspect", task="count"), "flow.inbound.receive.task", "'read_label'"),
    ("no capability", lambda s: s["stations"][0].update(capabilities=["identify"]),
     "flow.inbound.receive.needs", "no station can 'receive'"),
    ("no chute", lambda s: s["flow"]["inbound"]["put_away"].update(to="chute"),
     "flow.inbound.put_away.to", "the site has no station of kind chute"),
    ("no goal", lambda s: s["flow"]["inbound"]["put_away"].pop("to"),
     "flow.inbound.put_away.to", "says not where"),
    ("no carrier", lambda s: s["fleets"]["amr"].update(carries=[]),
     "flow.inbound.put_away.needs", "no fleet carries 'tote'"),
    ("station nowhere", lambda s: s["stations"][0].update(match="gate-*"),
     "stations.0.match", "matches no station of the layout"),
    ("no out-bay", lambda s: s["stations"][0].update(out_bay="out-*"),
     "stations.0.out_bay", "finds no bay"),
    ("station in a slot", lambda s: s["stations"][0].update(match="slot-1"),
     "stations.0.match", "is a bay of kind 'slot'"),
    ("bay unmatched", lambda s: s["bays"].pop(0),
     "$.layouts[0].stations[0]", "matches no pattern of `bays`"),
    ("too many totes", lambda s: s["stock"].update(totes=2), "stock.totes", "only 1 slots"),
    ("unknown work", lambda s: s.update(simulation={"service_s": {"polish": [1, 0]}}),
     "simulation.service_s.polish", "no station can 'polish'"),
    ("half a day", lambda s: s.update(simulation={"demand": {"inbound": {
        "totes_per_hour": [1.0] * 12}}}), "simulation.demand.inbound.totes_per_hour", "24"),
    ("upside down", lambda s: s.update(simulation={"speed_share": [1, 0.5]}),
     "simulation.speed_share", "least"),
    ("too little", lambda s: s.update(policy={"congestion_ms": 249}),
     "policy.congestion_ms (line ", "neither 0 (ways don't learn) nor from 250 to 60000"),
    ("too much", lambda s: s.update(policy={"congestion_ms": 60_001}),
     "policy.congestion_ms (line ", "neither 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "path", "text"), [row[1:] for row in SPEC_CHANGES], ids=[r[0] for r in SPEC_CHANGES]
)
def test_a_site_file_gone_wrong(change: Change, path: str, text: str) -> None:
    spec = floors.site()
    change(spec)
    rows = found(floors.files(spec=spec))
    assert any(row[1].startswith(path) and text in row[2] for row in rows), rows


@pytest.mark.parametrize("most_ms", [0, 250, 60_000])
def test_how_much_longer_ways_may_count(most_ms: int) -> None:
    spec = floors.site() | {"policy": {"congestion_ms": most_ms}}
    assert load_files(floors.files(spec=spec), "ring").site.policy.congestion_ms == most_ms


def test_an_unknown_key_names_its_line() -> None:
    texts = floors.files()
    texts["site.yaml"] = texts["site.yaml"].replace("id: ring", "id: ring\ncolour: red")
    assert only(texts)[1] == "colour (line 3)"


def test_all_that_is_wrong_is_said_at_once() -> None:
    spec = floors.site()
    spec["stations"][0]["capabilities"] = ["identify"]
    layout = floors.lif()
    layout["layouts"][0]["edges"][0]["endNodeId"] = "nowhere"
    assert {row[0] for row in found(floors.files(layout, spec))} == {"site.yaml", "layout.lif.json"}


def test_no_site_and_a_mistyped_path(tmp_path: Path) -> None:
    floors.write(tmp_path, floors.files())
    assert load_site(tmp_path).site.id == load_site(tmp_path / "site.yaml").site.id == "ring"
    for path in (tmp_path / "typo", tmp_path / "layout.lif.json"):
        with pytest.raises(LayoutError, match="is no site"):
            load_site(path)
    with pytest.raises(LayoutError, match=r"site\.yaml: is missing"):
        load_files({}, "empty")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    floors.write(tmp_path, floors.files())
    (tmp_path / "layout.lif.json").write_bytes(b'{"a": "\xff"}')
    (finding,) = check_site(tmp_path)
    assert finding.text == "byte 7 is not UTF-8" and finding.file.endswith("layout.lif.json")
    assert check_site(tmp_path / "layout.lif.json") == [finding]


def test_a_bay_beside_a_piece_of_lane_that_nobody_reaches() -> None:
    layout = floors.lif()
    island = {"nodeId": "x", "nodePosition": {"x": 90.0, "y": 90.0}}
    island["vehicleTypeNodeProperties"] = []
    bay = {**island, "nodeId": "y", "nodePosition": {"x": 92.0, "y": 90.0}}
    parts = layout["layouts"][0]
    parts["nodes"] += [island, bay]
    fleet = parts["edges"][0]["vehicleTypeEdgeProperties"][0]["vehicleTypeId"]
    for a, b in (("x", "y"), ("y", "x")):
        parts["edges"].append({
            "edgeId": f"{a}>{b}", "startNodeId": a, "endNodeId": b,
            "vehicleTypeEdgeProperties": [{"vehicleTypeId": fleet}],
        })  # fmt: skip
    parts["stations"].append({"stationId": "park-island", "interactionNodeIds": ["y"]})
    with pytest.raises(LayoutError) as caught:
        load_files(floors.files(layout), "x")
    assert "finds no way into park-island" in str(caught.value)


def test_a_fleet_of_several_places_alone_can_not_wait_with_a_load() -> None:
    site = floors.site()
    for fleet in site["fleets"].values():
        fleet["places"] = 4
    visit = {"do": "carry", "to": "stop", "then": ["end"]}
    site["flow"] = {"move": {"visit": visit, "end": {"do": "finish"}}}
    rows = found(floors.files(spec=site))
    assert any("have several places" in text for _, _, text, _ in rows)
