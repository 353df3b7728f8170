"""Launch files: what they declare, everywhere; that they can be built, where ROS 2's `launch` is."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.ros.parameters import (
    ORCHESTRATOR,
    REPLAY,
    SIMULATOR,
    SettingsError,
    checked,
    of_texts,
)  # fmt: skip

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "launch").glob("*.launch.py"))
ALL = {"namespace", "use_sim_time", "params_file", "autostart", "log_level", "site", "seed", "speed",
       "mqtt_url", "record"}  # fmt: skip
EXPECTED = {
    "demo": ALL, "orchestrator": ALL, "simulation": ALL, "nav2_fleet": ALL,
    "replay": {"namespace", "use_sim_time", "params_file", "log_level", "speed", "record"},
}  # fmt: skip

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])


def name_of(path: Path) -> str:
    return path.name.split(".")[0]


def arguments(path: Path) -> dict[str, str]:
    """Name -> description, from the syntax tree."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ARGUMENTS":
            assert isinstance(node.value, ast.List)
            rows = [row.elts for row in node.value.elts if isinstance(row, ast.Tuple)]
            return {ast.literal_eval(row[0]): ast.literal_eval(row[2]) for row in rows}
    raise AssertionError(f"{path.name} has no ARGUMENTS")


def test_there_are_all_of_them() -> None:
    assert {name_of(path) for path in FILES} == set(EXPECTED)


@each_file
def test_every_argument_is_declared_and_described(path: Path) -> None:
    found = arguments(path)
    assert EXPECTED[name_of(path)] <= set(found)
    assert all(len(text) > 5 for text in found.values())


@each_file
def test_what_is_read_is_declared(path: Path) -> None:
    """A `LaunchConfiguration` of a name that nobody declared fails only when it is launched."""
    tree, declared = ast.parse(path.read_text()), set(arguments(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "LaunchConfiguration", "given",
        ):  # fmt: skip
            first = node.args[0]
            if isinstance(first, ast.Constant):
                assert first.value in declared


@each_file
def test_what_is_included_takes_what_it_is_given(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "included":
            name = ast.literal_eval(node.args[0])
            given = {k.arg for k in node.keywords if k.arg}
            assert given <= set(arguments(ROOT / "launch" / f"{name}.launch.py"))


@pytest.mark.parametrize(
    ("name", "known"),
    [("orchestrator", ORCHESTRATOR), ("simulation", SIMULATOR), ("replay", REPLAY)],
)
def test_files_of_parameters_hold_every_parameter_as_it_may_be(name: str, known: Any) -> None:
    text = (ROOT / "config" / f"{name}.yaml").read_text()
    values = yaml.safe_load(text)["/**"]["ros__parameters"]
    assert set(values) == {parameter.name for parameter in known}
    checked(known, values)


def test_texts_become_parameters() -> None:
    texts = {
        "speed": "2",
        "seed": "7",
        "nav2_robots": "a,b",
        "autostart": "True",
        "site": "x",
        "record": "",
    }
    assert of_texts(ORCHESTRATOR, texts) == {
        "site": "x", "seed": 7, "speed": 2.0, "autostart": True, "nav2_robots": ["a", "b"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("speed", "fast", "speed: 'fast' is no float"),
        ("seed", "1.5", "seed: '1.5' is no int"),
        ("autostart", "perhaps", "autostart: 'perhaps' is no bool"),
        ("speed", "0", "speed: 0.0 must be 0.01 to 1000"),
        ("when_closed", "never", "when_closed: 'never' is none of resume, new"),
    ],
)
def test_a_text_that_is_none_is_named(name: str, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        of_texts(ORCHESTRATOR, {name: text})


def test_the_view_shows_the_topics_there_are() -> None:
    from orchestrator.ros import topics  # noqa: PLC0415

    view = yaml.safe_load((ROOT / "config" / "lightsout.rviz").read_text())
    shown = [d["Topic"] for d in view["Visualization Manager"]["Displays"] if "Topic" in d]
    known = {topics.placed(t, "lightsout"): t for t in vars(topics).values()
             if isinstance(t, topics.Topic)}  # fmt: skip
    for topic in shown:
        assert known[topic["Value"]].latched == (topic["Durability Policy"] == "Transient Local")


@each_file
def test_it_can_be_built(path: Path) -> None:
    pytest.importorskip("launch.actions", reason="no ROS 2: its `launch` is not importable")
    pytest.importorskip("launch_ros.actions", reason="no ROS 2: `launch_ros` is not importable")
    spec = importlib.util.spec_from_file_location(name_of(path), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    described = module.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in described} >= EXPECTED[name_of(path)]
    assert all(argument.description for argument in described)
