"""The parameters of the nodes, with what they mean and may be; the only list of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Value = bool | int | float | str | list[str]
ORDERS, POSES, CLOSED = ("none", "site"), ("tf", "amcl_pose"), ("resume", "new")


class SettingsError(ValueError):
    """Parameters that can't be used: each with its mend."""


class Parameter(NamedTuple):
    """One of a node. `low`, `high`: of a number; `choices`: of a text."""

    name: str
    default: Value
    text: str
    low: float | None = None
    high: float | None = None
    choices: Sequence[str] = ()


SITE = Parameter("site", "", "folder of the site, or the name of one that came with the package")
SEED = Parameter("seed", 0, "of everything that is chance", 0, 2**31 - 1)
SPEED = Parameter("speed", 1.0, "seconds of the run per second", 0.01, 1000.0)
MQTT = Parameter(
    "mqtt_url", "",
    "broker of VDA 5050 vehicles and equipment (mqtt://host:1883); 'embedded' or 'embedded:PORT': one "
    "of its own on port 1883, or that one, of this machine; empty: none",
)  # fmt: skip
TIME = Parameter("use_sim_time", False, "take the time from /clock")  # every node of ROS 2 has it
RECORD = Parameter(
    "record",
    "",
    "run file; one that there is is gone on with",
)
AUTOSTART = Parameter("autostart", False, "configure and activate without being asked")

ORCHESTRATOR = (
    SITE, SEED, SPEED, MQTT, RECORD, AUTOSTART,
    Parameter("when_closed", "resume", "a run that was ended in order: resume goes on with it; new "
              "begins another beside it, for robots that begin anew as well", choices=CLOSED),
    Parameter("override", "", "why the site is run without a valid certificate of its rehearsal"),
    Parameter("orders", "none", "site: its customers' orders as in the simulation", choices=ORDERS),
    Parameter("nav2_robots", [""], "namespaces of robots that run Nav2, one vehicle each"),
    Parameter("nav2_poses", "tf", "where their poses come from: map -> <robot>/base_link, or their "
              "topic amcl_pose", choices=POSES),
    Parameter("nav2_deviation_m", 0.3, "so far from the way that it holds a robot may be", 0.02, 5.0),
    Parameter("paths", [""], "robots whose ways are published as nav_msgs/Path"),
    Parameter("rmf_level", "", "level of the building in Open-RMF: rmf_fleet_msgs/FleetState is "
              "published on /fleet_states; empty: it is not"),
    Parameter("stop_s", 30.0, "so long deactivation waits until every robot stands", 0.0, 600.0),
)  # fmt: skip
SIMULATOR = (
    SITE, SEED, SPEED, MQTT,
    Parameter("autostart", True, "of nodes that have a lifecycle: this one begins at once"),
    Parameter("record", "", "run file: what really happened"),
    Parameter("nav2_robots", [""], "namespaces of Nav2-like robots to play, instead of vehicles that "
              "speak VDA 5050"),
    Parameter("fleet", "", "fleet of the Nav2-like robots (the site's first)"),
    Parameter("clock_hz", 50.0, "how often /clock is published", 1.0, 1000.0),
)  # fmt: skip
REPLAY = (
    Parameter("run", "", "run file, or MCAP file of a whole run"),
    Parameter("from_s", 0.0, "second of the run to begin with", 0.0, 1e9),
    SPEED,
    Parameter("paths", [""], "robots whose ways are published as nav_msgs/Path"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the orchestrator."""

    site: str
    seed: int = 0
    speed: float = 1.0
    mqtt_url: str = ""
    record: str = ""
    when_closed: str = "resume"
    override: str = ""
    orders: str = "none"
    nav2_robots: tuple[str, ...] = ()
    nav2_poses: str = "tf"
    nav2_deviation_m: float = 0.3
    paths: tuple[str, ...] = ()
    rmf_level: str = ""
    stop_s: float = 30.0


def checked(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, lists without empty texts. Raises `SettingsError`: everything that is wrong."""
    found, wrong = {}, []
    for known in parameters:
        value = values.get(known.name, known.default)
        why = _wrong(known, value)
        if why:
            wrong.append(f"{known.name}: {value!r} {why} ({known.text})")
        found[known.name] = [v for v in value if v] if isinstance(value, list | tuple) else value
    if wrong:
        raise SettingsError("; ".join(wrong))
    return found


def of_texts(parameters: Sequence[Parameter], texts: Mapping[str, str]) -> dict[str, Value]:
    """Arguments of a launch file as parameters of its node; an empty one is none. Raises
    `SettingsError`: everything that is wrong."""
    given = [known for known in parameters if texts.get(known.name)]
    values = {known.name: _of_text(known, texts[known.name]) for known in given}
    checked(given, values)
    return values


def _of_text(known: Parameter, text: str) -> Value:
    """The text itself, where it is nothing else."""
    kind = type(known.default)
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if kind is list:
        return text.split(",")
    try:
        return kind(text) if kind in (int, float) else text
    except ValueError:
        return text


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Of the orchestrator. Raises `SettingsError`."""
    found = checked(ORCHESTRATOR, values)
    if not found["site"]:
        raise SettingsError(f"site: is empty -> {SITE.text}")
    twice = {name for name in found["nav2_robots"] if found["nav2_robots"].count(name) > 1}
    if twice:
        raise SettingsError(f"nav2_robots: {sorted(twice)[0]} is named twice")
    found.pop("autostart")
    for name in ("nav2_robots", "paths"):
        found[name] = tuple(found[name])
    return Settings(**found)


def _wrong(known: Parameter, value: Any) -> str:
    kind = type(known.default)
    if kind is list:
        ok = isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)
        return "" if ok else "is no list of texts"
    number = kind is float and isinstance(value, int | float) and not isinstance(value, bool)
    if not number and type(value) is not kind:
        return f"is no {'text' if kind is str else kind.__name__}"
    if known.low is not None and known.high is not None and not known.low <= value <= known.high:
        return f"must be {known.low:g} to {known.high:g}"
    if known.choices and value not in known.choices:
        return f"is none of {', '.join(known.choices)}"
    return ""


def embedded_port(url: str) -> int:
    """Of the broker that is the orchestrator's own; 0: it is none. Raises `SettingsError`."""
    kind, _, port = url.partition(":")
    if kind != "embedded":
        return 0
    port = port or "1883"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"mqtt_url: {url!r} names no port -> embedded, or embedded:1884")
    return int(port)
