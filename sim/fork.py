"""A fork: from one moment on, the run of a recipe goes another way. See ADR 8."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import yaml
from pydantic import ValidationError

from orchestrator.layout import LayoutError, LoadedSite
from orchestrator.layout.site_file import FaultsFile, PolicyFile, SiteFile, read_faults
from sim.scenario import ScenarioError

ROOTS = ("policy", "simulation")
BY_CAPABILITY = ("service_s", "success")  # tables of the simulation whose keys are capabilities
# What `sim.turning` hands on (`stock_wrong` has happened before): else it is refused at a fork.
FAULTS_THAT_CHANGE = (
    "format", "robot_dies", "robot_slips", "robot_nonsense", "lane_blocked", "pick_fails",
    "message_late", "truck_late", "notice_wrong", "machine_down", "charger_dies", "pick_wrong",
    "item_wrong", "label_wrong", "label_torn", "item_damaged", "item_dropped", "stock_wrong",
    "answer_lost", "goods_wrong", "goods_damaged",
)  # fmt: skip
SIMULATION_THAT_CHANGES = (
    "battery_at_start_percent", "service_s", "success", "speed_share", "latency_ms", "demand",
)  # fmt: skip
DEMAND_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Fork:
    """What changes behind everything that happens at `at_s`."""

    at_s: float
    fleets: dict[str, int] = field(default_factory=dict)  # robots that join (+) or retire (-)
    settings: dict[str, Any] = field(default_factory=dict)  # dotted keys of site.yaml
    demand: float = 1.0  # orders from then on, times this
    faults: str | None = None  # text of a faults.yaml; "": none any more; None: as before

    @property
    def at_ns(self) -> int:
        """The moment."""
        return round(self.at_s * 1e9)

    @property
    def changes(self) -> dict[str, Any]:
        """What is changed at all; faults by a word."""
        row = asdict(self)
        if self.faults is not None:
            row["faults"] = "other" if self.faults else "none"
        quiet: dict[str, Any] = {
            "at_s": self.at_s,
            "demand": 1.0,
            "faults": None,
            "fleets": {},
            "settings": {},
        }
        return {key: value for key, value in row.items() if value != quiet[key]}

    def __str__(self) -> str:
        parts = [f"{name} {count:+}" for name, count in self.fleets.items()]
        parts += [f"{key}={value}" for key, value in self.settings.items()]
        if self.demand != 1.0:
            parts.append(f"demand x{self.demand:g}")
        if self.faults is not None:
            parts.append("other faults" if self.faults else "no faults")
        return ", ".join(parts) or "nothing changed"


def forks_of(rows: list[dict[str, Any]]) -> list[Fork]:
    """From a recipe, by time; each one's keys by name, as a run file gives them back."""
    forks = [
        replace(
            Fork(**row),
            fleets=dict(sorted(row.get("fleets", {}).items())),
            settings=dict(sorted(row.get("settings", {}).items())),
        )
        for row in rows
    ]
    return sorted(forks, key=lambda fork: fork.at_ns)


def altered(loaded: LoadedSite, fork: Fork) -> LoadedSite:
    """The site with the fork's settings. Raises `ScenarioError`."""
    if not fork.settings:
        return loaded
    raw = loaded.spec.model_dump()
    for key, value in fork.settings.items():
        _set(raw, key, value, loaded)
    spec = _validated(raw, fork)
    policy = replace(loaded.site.policy, **spec.policy.model_dump())
    return replace(loaded, site=replace(loaded.site, policy=policy), spec=spec)


def full(key: str) -> str:
    """`lookahead` stands for `policy.lookahead`."""
    return f"policy.{key}" if key in PolicyFile.model_fields else key


def _set(raw: dict[str, Any], key: str, value: Any, loaded: LoadedSite) -> None:
    name = full(key)
    root, *path = name.split(".")
    if root == "simulation" and path and path[0] in raw[root] and not _changes(path[0]):
        raise ScenarioError(f"--set {key}: is read when a run begins -> record another run")
    if root not in ROOTS or not path:
        raise ScenarioError(f"--set {key}: can't be set at a fork -> {_mend(raw, name, loaded)}")
    node: Any = raw[root]
    for part in path[:-1]:
        if isinstance(node, dict) and part in node and node[part] is None:
            node[part] = {}
        node = node.get(part) if isinstance(node, dict) else None
    known = isinstance(node, dict) and (path[-1] in node or not node)
    if path[0] in BY_CAPABILITY:
        known = len(path) == 2 and path[1] in _capabilities(loaded)
    if not known or not isinstance(node, dict):
        raise ScenarioError(f"--set {key}: unknown key -> {_mend(raw, name, loaded)}")
    node[path[-1]] = value


def _changes(section: str) -> bool:
    return section in SIMULATION_THAT_CHANGES


def _capabilities(loaded: LoadedSite) -> list[str]:
    return sorted({name for s in loaded.site.stations for name in s.capabilities})


def _mend(raw: dict[str, Any], name: str, loaded: LoadedSite) -> str:
    known = [key for root in ROOTS for key in _leaves(raw[root], root)]
    known += [f"simulation.{table}.{c}" for table in BY_CAPABILITY for c in _capabilities(loaded)]
    near = difflib.get_close_matches(name, known, 1, 0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"name a key of policy or simulation, as {', '.join(known[:3])}"


def _leaves(node: Any, path: str) -> Iterator[str]:
    if not isinstance(node, dict):
        yield path
        return
    for key, value in node.items():
        yield from _leaves(value, f"{path}.{key}")


def _validated(raw: dict[str, Any], fork: Fork) -> SiteFile:
    try:
        return SiteFile.model_validate(raw)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        given = {full(key): value for key, value in fork.settings.items()}
        key = next((k for k in given if place.startswith(k) or k.startswith(place)), place)
        what = f"--set {key}={given.get(key, '')}: {problem['msg']}"
        raise ScenarioError(f"{what} -> see docs/site-file.md for this key") from error


def setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE from the command line; the value as in YAML."""
    key, sign, value = text.partition("=")
    if not key or not sign or not value:
        raise ScenarioError(f"--set {text} -> write KEY=VALUE, as lookahead=6")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ScenarioError(f"--set {text}: {value!r} is no value -> write it as YAML") from error
    return key.strip(), parsed


def faults_after(fork: Fork, before: FaultsFile | None) -> FaultsFile | None:
    """The faults from the fork on. Raises `LayoutError`."""
    if fork.faults is None:
        return before
    if not fork.faults:
        return None
    faults, found = read_faults(fork.faults, "faults.yaml")
    if found:
        raise LayoutError(found)
    return faults


def check(
    loaded: LoadedSite,
    forks: list[Fork],
    hours: float,
    faults: FaultsFile | None = None,
    *,
    competition: bool = False,
) -> None:
    """Everything that can be said before simulating; `faults` are those of the beginning. Raises
    `ScenarioError`, `LayoutError`."""
    for fork in forks:
        if not 0 <= fork.at_s < hours * 3600:
            raise ScenarioError(
                f"--at {fork.at_s:g}: the run lasts {hours * 3600:g} s -> fork before its end"
            )
        if not 0 <= fork.demand <= DEMAND_MAX:
            raise ScenarioError(f"--demand x{fork.demand:g} -> write x0 to x{DEMAND_MAX:g}")
        if competition and fork.demand != 1.0:
            raise ScenarioError("--demand: a competition's tasks are no demand -> leave it out")
        for name in fork.fleets:
            if name not in loaded.spec.fleets:
                known = ", ".join(loaded.spec.fleets)
                raise ScenarioError(f"unknown fleet {name!r} -> this site has {known}")
        after = faults_after(fork, faults)
        for name in FaultsFile.model_fields:
            same = getattr(faults, name, None) == getattr(after, name, None)
            if not same and name not in FAULTS_THAT_CHANGE:
                raise ScenarioError(
                    f"--faults: {name} is drawn when a run begins -> leave it as the run has it"
                )
        faults = after
        loaded = altered(loaded, fork)
