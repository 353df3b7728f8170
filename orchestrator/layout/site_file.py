"""The site file: what LIF lacks. Pydantic models of site.yaml and faults.yaml."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orchestrator.layout.fields import (
    Finite,
    NotNegative,
    Percent,
    Positive,
    PositiveShare,
    Range,
    Rate,
    Share,
    Shares,
    Spread,
    ascending,
)
from orchestrator.layout.findings import Finding
from orchestrator.layout.flow_file import StepFile
from orchestrator.layout.reading import at_least, read_model
from orchestrator.layout.rehearsal_file import RehearsalFile
from orchestrator.layout.robot_faults_file import LaneBlocked, RobotDies, RobotNonsense, RobotSlips


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
    places: int = Field(default=1, ge=1, le=64)
    load_kg: NotNegative = 0  # the heaviest that comes; 0: not said
    footprint_m: Annotated[tuple[tuple[Finite, Finite], ...], at_least(3)]
    speed_mps: Annotated[float, Field(ge=0.01, le=100)]
    acceleration_mps2: Positive
    turn_degps: Annotated[float, Field(ge=1, le=3600)]
    battery: Battery
    handling_s: Handling = Handling(pick=0, drop=0)

    @model_validator(mode="after")
    def _convex_around_origin(self) -> FleetFile:
        points = self.footprint_m
        if sum(_cross(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True)) < 0:
            points = points[::-1]
        turned = 0.0
        for a, b, c in zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True):
            side, after = (b[0] - a[0], b[1] - a[1]), (c[0] - b[0], c[1] - b[1])
            turn = math.atan2(_cross(side, after), side[0] * after[0] + side[1] * after[1])
            turned += turn
            if not 0 <= turn < math.pi or _cross(a, b) <= 0:
                break
        else:
            if abs(turned - 2 * math.pi) < 1e-6:
                return self
        raise ValueError("must be convex and hold the robot's origin (0, 0) inside")


def _cross(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[1] - a[1] * b[0]


class BayFile(_Part):
    """Which LIF stations are bays of which kind."""

    match: str
    kind: Literal["slot", "station", "charger", "parking"]
    zone: str = ""


class CorridorFile(_Part):
    """Which LIF edges are corridors: so far to both sides of them is reserved with them."""

    match: str
    half_width_m: Annotated[float, Field(ge=0.05, le=1.2)]


class StationFile(_Part):
    """What machines stand at the LIF stations that match."""

    match: str
    kind: Literal["dock", "pick", "chute", "door", "service"]
    capabilities: Annotated[tuple[str, ...], at_least(1)]
    out_bay: str = ""
    positions: int = Field(default=1, ge=1)
    out_capacity: int = Field(default=1, ge=1)


def _worth_it(most_ms: int) -> int:
    """What ways learn is told in steps of a quarter second (`core.congestion`)."""
    if most_ms and not 250 <= most_ms <= 60_000:
        raise ValueError(f"{most_ms} is neither 0 (ways don't learn) nor from 250 to 60000")
    return most_ms


class PolicyFile(_Part):
    """Numbers of the core; see `core.site.Policy`."""

    tick_ms: int = Field(default=1000, ge=50, le=60_000)
    replan_ms: int = Field(default=2000, ge=100)
    replan_gap_ms: int = Field(default=400, ge=50)
    answer_ms: int = Field(default=10_000, ge=100)
    horizon: int = Field(default=10, ge=1, le=100)
    lookahead: int = Field(default=4, ge=1, le=50)
    switching: bool = False
    congestion_ms: Annotated[int, AfterValidator(_worth_it)] = 0
    park_after_ms: int = Field(default=4000, ge=0)
    restart_tries: int = Field(default=6, ge=0, le=100)
    relocalise_tries: int = Field(default=3, ge=0, le=100)
    clear_tries: int = Field(default=4, ge=0, le=100)
    floor_looks: int = Field(default=3, ge=1, le=100)
    floor_look_s: int = Field(default=60, ge=1, le=3600)
    nonsense_count: int = Field(default=5, ge=1, le=1000)
    nonsense_within_s: int = Field(default=60, ge=1, le=3600)
    maintenance_every_minutes: int = Field(default=0, ge=0, le=10_080)
    maintenance_minutes: int = Field(default=15, ge=1, le=1440)
    stuck_after_ms: int = Field(default=90_000, ge=1000)
    repair_tries: int = Field(default=4, ge=0, le=100)
    repair_answer_s: int = Field(default=900, ge=1, le=86_400)
    rehome_after_s: int = Field(default=120, ge=0, le=86_400)
    work_timeout_s: int = Field(default=600, ge=0, le=86_400)
    answer_tries: int = Field(default=4, ge=0, le=100)
    blameless_tries: int = Field(default=20, ge=0, le=1000)
    charger_retry_s: int = Field(default=300, ge=1, le=86_400)
    charger_tries: int = Field(default=4, ge=1, le=100)
    invariants_every: int = Field(default=2000, ge=1)
    assign_neighbours: int = Field(default=12, ge=1)
    assignment: Literal["flow", "nearest", "random"] = "flow"
    soon_free: bool = True
    parking: Literal["demand", "nearest", "stay"] = "demand"
    charging: Literal["plan", "threshold"] = "plan"
    service_after_km: int = Field(default=0, ge=0)
    service_after_lifts: int = Field(default=0, ge=0)
    tour_wait_ms: int = Field(default=20_000, ge=0)
    tour_gap_ms: int = Field(default=5_000, ge=0)
    wave_minutes: int = Field(default=0, ge=0, le=1440)
    release_ahead_minutes: int = Field(default=0, ge=0, le=10_080)


class RouteFile(_Part):
    """A carrier's route: the door its trucks stand at, the chutes (patterns) that collect for it."""

    door: str
    chutes: tuple[str, ...] = ("*",)


class ReplenishFile(_Part):
    """Orders that the core opens by itself when a zone runs short; see `core.site.Replenishment`."""

    order_type: str
    below_units: int = Field(default=1, ge=1)
    relieve: str = ""


class TruckFile(_Part):
    """The timetable of a route's trucks."""

    every_minutes: Positive
    first_minute: NotNegative = 0  # departure of the first one
    dwell_minutes: Positive = 30  # so long before its departure it docks
    capacity: int = Field(default=100, ge=1)


class StockFile(_Part):
    """Opening stock. What SKUs there are, an items.csv beside the site file says, if there is one."""

    totes: int = Field(default=0, ge=0)
    units_per_tote: int = Field(default=1, ge=1)
    skus: int = Field(default=1, ge=1, le=100_000)
    skew: NotNegative = 0.0
    names: tuple[
        str, ...
    ] = ()  # the most popular first; left out: of the item master, or generated

    @property
    def sku_names(self) -> tuple[str, ...]:
        """The names, or SKU-01, SKU-02, ..."""
        width = max(2, len(str(self.skus)))
        return self.names or tuple(f"SKU-{number:0{width}}" for number in range(1, self.skus + 1))


class OutboundDemand(_Part):
    """Orders of customers."""

    orders_per_hour: Rate
    lines: Shares = (1.0,)
    quantity: Shares = (1.0,)
    due_minutes: Range = (30, 60)
    routes: dict[str, NotNegative] = {}  # shares; due is the first departure after due_minutes


class InboundDemand(_Part):
    """Totes of suppliers."""

    totes_per_hour: Rate = 0.0
    pallets_per_hour: Rate = 0.0
    totes_per_pallet: tuple[int, int] = (4, 8)  # drawn evenly
    order_type: str = "inbound"


class TransportDemand(_Part):
    """Transports from node to node."""

    orders_per_hour: Rate
    stops: Literal["any"] | tuple[Annotated[tuple[str, ...], at_least(1)], ...] = (
        "any"  # one of each list, in this sequence
    )
    due_minutes: Range = (10, 30)
    order_type: str = "transport"


class DemandFile(_Part):
    """What the world asks of the site."""

    outbound: OutboundDemand | None = None
    inbound: InboundDemand | None = None
    returns: InboundDemand | None = None  # order_type: one of the flow, such as `returns`
    transport: TransportDemand | None = None


class LatencyFile(_Part):
    """Milliseconds: [median, spread] of answers and messages."""

    robot: Spread = (25, 0.5)
    paths: Spread = (60, 0.3)
    assignment: Spread = (40, 0.3)
    tours: Spread = (200, 0.3)


class SimulationFile(_Part):
    """What the simulation needs to play the world."""

    battery_at_start_percent: Annotated[tuple[Percent, Percent], AfterValidator(ascending)] = (
        60,
        100,
    )
    service_s: dict[str, Spread] = {}
    success: dict[str, Share] = {}
    speed_share: Annotated[tuple[PositiveShare, PositiveShare], AfterValidator(ascending)] = (
        1.0,
        1.0,
    )
    latency_ms: LatencyFile = LatencyFile()
    demand: DemandFile = DemandFile()
    trucks: dict[str, TruckFile] = {}  # by route


class VehicleFile(_Part):
    """Vehicles that may join by VDA 5050; `manufacturer` and `serial` are patterns (* and ?)."""

    manufacturer: str = Field(default="*", min_length=1)
    serial: str = Field(default="*", min_length=1)
    fleet: str
    protocol: Literal["2.0", "2.1", "3.0"] = "2.1"
    quirks: str | dict[str, Any] = ""
    interface: str = Field(default="uagv", min_length=1)


class SiteFile(_Part):
    """site.yaml"""

    format: int
    id: str = Field(min_length=1)
    layout: str = "layout.lif.json"
    fleets: dict[str, FleetFile] = Field(min_length=1)
    safety_margin_m: NotNegative = 0.05
    two_way_penalty: NotNegative = (
        0.0  # share of travel time that driving against a lane costs more
    )
    guarantees: Literal["required", "advised"] = "required"  # advised: their lack is a warning
    bays: tuple[BayFile, ...] = ()
    corridors: tuple[CorridorFile, ...] = ()
    floor_cameras: bool | tuple[str, ...] = ()  # edges (patterns) that one looks at; true: all
    stations: tuple[StationFile, ...] = ()
    flow: dict[str, dict[str, StepFile]] = Field(min_length=1)
    routes: dict[str, RouteFile] = {}
    replenish: tuple[ReplenishFile, ...] = ()
    policy: PolicyFile = PolicyFile()
    stock: StockFile = StockFile()
    simulation: SimulationFile = SimulationFile()
    rehearsal: RehearsalFile = RehearsalFile()
    vehicles: tuple[VehicleFile, ...] = ()
    safety_bridge: Literal["none", "alarm", "stop"] = "none"  # what its absence means


class PickFails(_Part):
    """An arm grasps nothing."""

    share: Share


class MessageLate(_Part):
    """A message between robot and orchestrator takes long."""

    share: Share
    delay_s: Range


class NoticeWrong(_Part):
    """A tote of a supplier holds up to a fifth less or more than was announced."""

    share: Share


class TruckLate(_Part):
    """A truck docks and leaves later than its timetable says."""

    share: Share
    delay_minutes: Range


class MachineDown(_Part):
    """A machine of a station breaks, at work or not; repairs from afar may fail."""

    per_hour: NotNegative  # of each machine
    capabilities: tuple[str, ...] = ()  # left out: all
    repair_s: Range = (60, 180)
    repair_success: Share = 0.8


class ChargerDies(_Part):
    """A charger gives no current for a while."""

    per_hour: NotNegative  # of each charger
    repair_s: Range = (300, 1500)


class Happens(_Part):
    """Something that happens to a share of picks, totes or answers."""

    share: Share


class FaultsFile(_Part):
    """faults.yaml"""

    format: int
    robot_dies: RobotDies | None = None
    robot_slips: RobotSlips | None = None
    robot_nonsense: RobotNonsense | None = None
    lane_blocked: LaneBlocked | None = None
    pick_fails: PickFails | None = None
    message_late: MessageLate | None = None
    truck_late: TruckLate | None = None
    notice_wrong: NoticeWrong | None = None
    machine_down: MachineDown | None = None
    charger_dies: ChargerDies | None = None
    pick_wrong: Happens | None = None  # an arm takes one unit too many or too few
    item_wrong: Happens | None = None  # a unit of a tote is another item that looks like it
    label_wrong: Happens | None = None  # a printer puts the label before this one on a parcel
    label_torn: Happens | None = None  # of labels that are put on, and of totes that come in
    item_damaged: Happens | None = None  # a unit breaks on its way into the box
    item_dropped: Happens | None = None  # a unit falls from an arm; a robot can't take or set down
    stock_wrong: Happens | None = None  # of the opening totes: fewer units than the books say
    answer_lost: Happens | None = None  # of machines and cameras
    goods_wrong: Happens | None = None  # totes that come in with another item that looks like it
    goods_damaged: Happens | None = None  # totes that come in with a broken unit


def read_site(text: str, file: str) -> tuple[SiteFile | None, list[Finding]]:
    """Parse and validate site.yaml."""
    return read_model(text, file, SiteFile)


def read_faults(text: str, file: str) -> tuple[FaultsFile | None, list[Finding]]:
    """Parse and validate faults.yaml."""
    return read_model(text, file, FaultsFile)
