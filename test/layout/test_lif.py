"""LIF files by themselves: structure, names, angles, and whatever else a file may hold."""

import copy
import json
import math
from typing import Any

import floors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.layout import LayoutError, check_site, lif, lif_checks, load_files
from orchestrator.layout.findings import errors

X, X_PATH = ("layouts", 0, "nodes", 0, "nodePosition", "x"), "$.layouts[0].nodes[0].nodePosition.x"
given_data = pytest.mark.skipif(not floors.EXAMPLE.is_file(), reason=floors.WITHOUT_DATA)
WRONG_ANGLES = [
    "$.layouts[0].nodes[0].vehicleTypeNodeProperties[0].theta",
    "$.layouts[0].nodes[0].vehicleTypeNodeProperties[1].theta",
    "$.layouts[0].edges[1].vehicleTypeEdgeProperties[0].vehicleOrientation",
    "$.layouts[1].nodes[0].vehicleTypeNodeProperties[0].theta",
]


def paths(layout: Any) -> list[str]:
    parsed, found = lif.read(json.dumps(layout), "x.json")
    found += lif_checks.check(parsed, "x.json") if parsed else []
    return [finding.path for finding in errors(found)]


@given_data
def test_the_official_example_is_refused_and_each_wrong_angle_named() -> None:
    found = check_site(floors.EXAMPLE)
    assert [finding.path for finding in errors(found)] == WRONG_ANGLES
    assert all("layout convert" in finding.mend for finding in errors(found))


@given_data
def test_the_official_example_is_mended_and_nothing_else_touched(tmp_path: Any) -> None:
    text = floors.EXAMPLE.read_text(encoding="utf-8")
    mended = tmp_path / "mended.json"
    mended.write_text(lif.convert_angles(text), encoding="utf-8")
    assert errors(check_site(mended)) == []
    assert any("everywhere to everywhere" in finding.text for finding in check_site(mended))

    def without_angles(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: without_angles(v) for k, v in value.items() if k not in lif.ANGLE_KEYS}
        return [without_angles(v) for v in value] if isinstance(value, list) else value

    after = json.loads(mended.read_text(encoding="utf-8"))
    assert without_angles(after) == without_angles(json.loads(text))
    assert after["layouts"][0]["nodes"][0]["vehicleTypeNodeProperties"][0]["theta"] == math.pi / 2
    assert mended.read_text().startswith('{\n  "metaInformation"')


@pytest.mark.skipif(not floors.SCHEMA.is_file(), reason=floors.WITHOUT_DATA)
@pytest.mark.parametrize("which", ["jd_small", "small"])
def test_our_own_floors_are_schema_valid(which: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text = (floors.JD_SMALL / "layout.lif.json").read_text(encoding="utf-8")
    layout = json.loads(text) if which == "jd_small" else floors.lif()
    jsonschema.validate(layout, json.loads(floors.SCHEMA.read_text(encoding="utf-8")))


def test_names_resolve_and_are_unique() -> None:
    layout = floors.lif()
    body = layout["layouts"][0]
    body["edges"][1]["startNodeId"] = "x"
    body["stations"][2]["interactionNodeIds"] = ["y"]
    body["nodes"][3]["nodeId"] = "a"
    body["edges"][2]["edgeId"] = body["edges"][0]["edgeId"]
    found = paths(layout)
    assert "$.layouts[0].edges[1].startNodeId" in found
    assert "$.layouts[0].stations[2].interactionNodeIds[0]" in found
    assert "$.layouts[0].nodes[3]" in found and "$.layouts[0].edges[2]" in found


def test_lengths_that_make_no_sense() -> None:
    layout = floors.lif()
    nodes = layout["layouts"][0]["nodes"]
    nodes[4]["nodePosition"] = dict(nodes[0]["nodePosition"])  # park-1 upon a
    assert paths(layout) == ["$.layouts[0].edges[4]", "$.layouts[0].edges[5]"]
    nodes[4]["nodePosition"] = {"x": -2000, "y": 0}
    parsed, found = lif.read(json.dumps(layout), "x.json")
    assert parsed is not None and not found
    warned = lif_checks.check(parsed, "x.json")
    assert next((f.severity, f.text) for f in warned) == (
        "warning",
        "edge 'a>park-1' is 2000 m long",
    )
    nodes[4]["nodePosition"] = {"x": -2e6, "y": 0}
    assert "$.layouts[0].nodes[4].nodePosition" in paths(layout)


@pytest.mark.parametrize(
    ("where", "value", "path"),
    [
        (("metaInformation", "lifVersion"), "7.0.0", "$.metaInformation.lifVersion"),
        (("metaInformation", "creator"), 7, "$.metaInformation.creator"),
        (X, "4", X_PATH),
        (X, True, X_PATH),
        (X, math.nan,
         X_PATH),
        (X, 10**400,
         X_PATH),
        (("layouts", 0, "nodes", 0), None, "$.layouts[0].nodes[0]"),
        (("layouts",), [], "$.layouts"),
        (("layouts", 0, "edges", 0, "vehicleTypeEdgeProperties", 0, "orientationType"), "SIDEWAYS",
         "$.layouts[0].edges[0].vehicleTypeEdgeProperties[0].orientationType"),
        (("layouts", 0, "edges", 0, "vehicleTypeEdgeProperties", 0, "maxSpeed"), 0.001,
         "$.layouts[0].edges[0].vehicleTypeEdgeProperties[0].maxSpeed"),
        (("layouts", 0, "edges", 0, "vehicleTypeEdgeProperties", 0, "maxSpeed"), None,
         "$.layouts[0].edges[0].vehicleTypeEdgeProperties[0].maxSpeed"),
        (("layouts", 0, "stations", 0, "stationPosition"), {"x": 1, "y": 2, "theta": 10**400},
         "$.layouts[0].stations[0].stationPosition.theta"),
    ],
)  # fmt: skip
def test_structure(where: tuple[Any, ...], value: Any, path: str) -> None:
    layout = floors.lif()
    spot: Any = layout
    for part in where[:-1]:
        spot = spot[part]
    spot[where[-1]] = value
    assert path in paths(layout)


def test_a_missing_key_is_named() -> None:
    layout = floors.lif()
    del layout["layouts"][0]["edges"][2]["endNodeId"]
    assert paths(layout) == ["$.layouts[0].edges[2].endNodeId"]


def test_texts_that_are_no_lif() -> None:
    for text in ("", "[]", "null", "1" * 5000, "[" * 100_000, "\ufeff{}", '{"layouts": 1}', "{"):
        parsed, found = lif.read(text, "x.json")
        assert parsed is None and found and errors(found)


SCRAPS = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10), st.floats(), st.text(max_size=5),
    st.sampled_from(["a", "c", "park-1", 1e308, 10**400, [], {}, "TANGENTIAL", "GLOBAL"]),
)  # fmt: skip


def spots(value: Any) -> list[tuple[Any, Any]]:
    """All (container, key) of a JSON document."""
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in list(rows):
        found.append((value, key))
        if isinstance(item, dict | list):
            found += spots(item)
    return found


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A good file with up to three places replaced, removed or doubled."""
    layout = copy.deepcopy(floors.lif())
    for _ in range(draw(st.integers(1, 3))):
        places = spots(layout)
        if not places:
            break
        container, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["replace", "remove", "double"])):
            case "replace":
                container[key] = draw(SCRAPS)
            case "remove":
                del container[key]
            case "double" if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
    return layout


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(mutated())
def test_never_anything_but_findings(layout: Any) -> None:
    try:
        loaded = load_files(floors.files(layout or {}), "fuzzed")
    except LayoutError as error:
        assert error.findings
    else:
        assert loaded.site.roadmap.nodes == len(loaded.arrays.node_bay)


@pytest.mark.skipif(not floors.SCHEMA.is_file(), reason=floors.WITHOUT_DATA)
def test_what_the_official_schema_refuses_we_refuse() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft7Validator(json.loads(floors.SCHEMA.read_text(encoding="utf-8")))

    @FUZZ
    @given(mutated())
    def holds(layout: Any) -> None:
        if not validator.is_valid(layout):
            assert paths(layout)

    holds()


@FUZZ
@given(st.text(max_size=30), st.integers(0, 10_000), st.integers(0, 40))
def test_a_site_file_with_rubbish_in_it(rubbish: str, at: int, length: int) -> None:
    texts = floors.files()
    text = texts["site.yaml"]
    at %= len(text)
    texts["site.yaml"] = text[:at] + rubbish + text[at + length :]
    try:
        load_files(texts, "fuzzed")
    except LayoutError as error:
        assert error.findings
