"""The site file: what LIF lacks. Pydantic models of site.yaml and faults.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestrator.layout.findings import Finding

FORMAT = 1
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Spread = tuple[NotNegative, NotNegative]  # median, sigma of the logarithm
M = TypeVar("M", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Battery(_Part):
    """Reach with a full battery, and when to charge."""

    reach_m: Positive
    idle_hours: Positive
    charge_minutes: Positive  # from empty to full
    charge_below_percent: Percent = 35
    charge_urgent_percent: Percent = 15
    charge_to_percent: Percent = 85

    @model_validator(mode="after")
    def _in_sequence(self) -> Battery:
        if not self.charge_urgent_percent < self.charge_below_percent < self.charge_to_percent:
            raise ValueError("charge_urgent < charge_below < charge_to must hold")
        return self


class Handling(_Part):
    """Seconds a load takes to come on and off."""

    pick: NotNegative
    drop: NotNegative


class FleetFile(_Part):
    """A vehicle type."""

    robots: int = Field(ge=0, le=20_000)
    carries: tuple[str, ...] = ()
    footprint_m: tuple[tuple[float, float], ...] = Field(min_length=3)
    speed_mps: Positive
    acceleration_mps2: Positive
    turn_degps: Positive
    battery: Battery
    handling_s: Handling = Handling(pick=0, drop=0)

    @model_validator(mode="after")
    def _convex_around_origin(self) -> FleetFile:
        points = self.footprint_m
        signs = set()
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
            signs.add(ax * by - ay * bx > 0)
        if len(signs) != 1:
            raise ValueError("footprint_m must be convex and contain the robot's origin (0, 0)")
        return self


class BayFile(_Part):
    """Which LIF stations are bays of which kind."""

    match: str
    kind: Literal["slot", "station", "charger", "parking"]


class StationFile(_Part):
    """What machines stand at the LIF stations that match."""

    match: str
    kind: str
    capabilities: tuple[str, ...] = Field(min_length=1)
    out_bay: str = ""
    positions: int = Field(default=1, ge=1)
    out_capacity: int = Field(default=1, ge=1)


class RecoveryFile(_Part):
    """After a bad outcome."""

    then: str
    tries: int = Field(ge=0, le=1000)
    otherwise: str = "quarantine"


class StepFile(_Part):
    """A step of an order type."""

    do: Literal["reserve", "carry", "work", "inspect", "finish"]
    needs: str = ""
    start: Literal["", "dock", "home", "station", "out"] = ""
    to: Literal["", "slot", "station", "home", "chute", "stop"] = ""
    per_line: bool = False
    then: tuple[str, ...] = ()
    outcomes: dict[str, RecoveryFile] = {}


class PolicyFile(_Part):
    """Numbers of the core; see `core.site.Policy`."""

    tick_ms: int = Field(default=1000, ge=50, le=60_000)
    replan_ms: int = Field(default=2000, ge=100)
    replan_gap_ms: int = Field(default=400, ge=50)
    answer_ms: int = Field(default=10_000, ge=100)
    horizon: int = Field(default=10, ge=1, le=100)
    lookahead: int = Field(default=4, ge=1, le=50)
    park_after_ms: int = Field(default=4000, ge=0)
    restart_tries: int = Field(default=6, ge=0, le=100)
    stuck_after_ms: int = Field(default=90_000, ge=1000)
    invariants_every: int = Field(default=2000, ge=1)
    assign_neighbours: int = Field(default=12, ge=1)


class StockFile(_Part):
    """Opening stock and item master."""

    totes: int = Field(default=0, ge=0)
    units_per_tote: int = Field(default=1, ge=1)
    skus: int = Field(default=1, ge=1, le=100_000)
    skew: NotNegative = 0.0

    @property
    def sku_names(self) -> tuple[str, ...]:
        """SKU-01, SKU-02, ..."""
        width = max(2, len(str(self.skus)))
        return tuple(f"SKU-{number:0{width}}" for number in range(1, self.skus + 1))


class OutboundDemand(_Part):
    """Orders of customers."""

    orders_per_hour: NotNegative | tuple[NotNegative, ...]
    lines: tuple[Share, ...] = (1.0,)
    quantity: tuple[Share, ...] = (1.0,)
    due_minutes: tuple[Positive, Positive] = (30, 60)


class InboundDemand(_Part):
    """Totes of suppliers."""

    totes_per_hour: NotNegative | tuple[NotNegative, ...]


class DemandFile(_Part):
    """What the world asks of the site."""

    outbound: OutboundDemand | None = None
    inbound: InboundDemand | None = None


class LatencyFile(_Part):
    """Milliseconds: [median, spread] of answers and messages."""

    robot: Spread = (25, 0.5)
    paths: Spread = (60, 0.3)
    assignment: Spread = (40, 0.3)


class SimulationFile(_Part):
    """What the simulation needs to play the world."""

    battery_at_start_percent: tuple[Percent, Percent] = (60, 100)
    service_s: dict[str, Spread] = {}
    success: dict[str, Share] = {}
    speed_share: tuple[Share, Share] = (1.0, 1.0)
    latency_ms: LatencyFile = LatencyFile()
    demand: DemandFile = DemandFile()


class SiteFile(_Part):
    """site.yaml"""

    format: int
    id: str = Field(min_length=1)
    layout: str = "layout.lif.json"
    fleets: dict[str, FleetFile] = Field(min_length=1)
    safety_margin_m: NotNegative = 0.05
    guarantees: Literal["required", "advised"] = "required"  # advised: their lack is a warning
    bays: tuple[BayFile, ...] = ()
    stations: tuple[StationFile, ...] = ()
    flow: dict[str, dict[str, StepFile]] = Field(min_length=1)
    policy: PolicyFile = PolicyFile()
    stock: StockFile = StockFile()
    simulation: SimulationFile = SimulationFile()


class RobotDies(_Part):
    """A robot stands still and obeys nothing."""

    per_robot_hour: NotNegative
    fleets: tuple[str, ...] = ()
    restart_s: tuple[NotNegative, NotNegative] = (45, 120)
    restart_success: Share = 0.8


class PickFails(_Part):
    """An arm grasps nothing."""

    share: Share


class MessageLate(_Part):
    """A message between robot and orchestrator takes long."""

    share: Share
    delay_s: tuple[NotNegative, NotNegative]


class FaultsFile(_Part):
    """faults.yaml"""

    format: int
    robot_dies: RobotDies | None = None
    pick_fails: PickFails | None = None
    message_late: MessageLate | None = None


def read_yaml(text: str, file: str) -> tuple[Any, list[Finding]]:
    """Parse YAML; a syntax error names its line."""
    try:
        return yaml.safe_load(text), []
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "line 1"
        mend = "mend the YAML there; indentation and colons are the usual suspects"
        return None, [Finding("error", file, place, f"broken YAML: {error.problem}", mend)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return None, [Finding("error", file, "line 1", f"broken YAML: {error}", "mend the file")]


def read_site(text: str, file: str) -> tuple[SiteFile | None, list[Finding]]:
    """Parse and validate site.yaml."""
    return _read(text, file, SiteFile)


def read_faults(text: str, file: str) -> tuple[FaultsFile | None, list[Finding]]:
    """Parse and validate faults.yaml."""
    return _read(text, file, FaultsFile)


def _read(text: str, file: str, model: type[M]) -> tuple[M | None, list[Finding]]:
    raw, found = read_yaml(text, file)
    if found:
        return None, found
    if not isinstance(raw, dict):
        mend = "begin with `format: 1`"
        return None, [Finding("error", file, "line 1", "holds no keys and values", mend)]
    version = raw.get("format")
    if isinstance(version, int) and version > FORMAT:
        text_ = f"format {version} is newer than this Lightsout, which knows {FORMAT}"
        return None, [Finding("error", file, "format", text_, "update Lightsout")]
    try:
        parsed = model.model_validate(raw)
    except ValidationError as error:
        return None, [_finding(problem, file, text) for problem in error.errors()]
    if version != FORMAT:
        mend = f"write `format: {FORMAT}`"
        return None, [Finding("error", file, "format", f"format {version!r} is unknown", mend)]
    return parsed, []


def _finding(problem: Any, file: str, text: str) -> Finding:
    path = ".".join(str(part) for part in problem["loc"])
    what, mend = problem["msg"], "see docs/site-file.md for this key"
    if problem["type"] == "extra_forbidden":
        what, mend = f"unknown key {problem['loc'][-1]!r}", "remove it, or mend its spelling"
    elif problem["type"] == "missing":
        what, mend = "missing", f"add `{problem['loc'][-1]}:`"
    line = _line(text, problem["loc"])
    return Finding("error", file, f"{path} (line {line})" if line else path, what, mend)


def _line(text: str, path: tuple[int | str, ...]) -> int:
    """The line where the deepest part of `path` that exists stands; 0 if unknown."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 0
    for part in path:
        found = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, found = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part < len(node.value):
                found = node.value[part]
                line = found.start_mark.line + 1
        if found is None:
            break
        node = found
    return line
