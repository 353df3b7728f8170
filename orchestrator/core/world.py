"""The core's whole state: plain, mutable, one owner. Iteration order is insertion order."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

from orchestrator.core.cuts import Closures
from orchestrator.core.messages import Command, OrderReceived, RaiseAlarm
from orchestrator.core.orders import Filed, Order
from orchestrator.core.robots import Robot, Token
from orchestrator.core.site import Site
from orchestrator.core.stock import Stock
from orchestrator.core.traffic import Traffic

CORE_VERSION = 8
MS_NS = 1_000_000
NEVER_NS = 2**62


@dataclass(slots=True)
class BayState:
    """Tickets of a bay: who is in it or on the way, and who waits elsewhere for a ticket."""

    holders: list[int] = field(default_factory=list)
    queue: deque[int] = field(default_factory=deque)


@dataclass(slots=True)
class Down:
    """A broken machine, or a charger that is closed, and what is done about it."""

    since_ns: int
    attempts: int = 0
    asked_ns: int = 0  # the running attempt
    until_ns: int = 0  # charger: closed so long


@dataclass(slots=True)
class StationState:
    """What a station's machines are at."""

    used: int = 0  # positions taken (orders, totes or parcels)
    out_used: int = 0  # parcels on, or promised to, the out buffer
    queues: dict[str, deque[Token]] = field(default_factory=dict)  # by capability
    running: dict[str, int] = field(default_factory=dict)  # capability -> work
    waiters: deque[Token] = field(default_factory=deque)  # parcels that wait for a position
    down: dict[str, Down] = field(default_factory=dict)  # by capability
    silent: dict[str, int] = field(default_factory=dict)  # answers owed in a row, by capability
    held: dict[Token, None] = field(default_factory=dict)  # retrievals that wait for a machine
    closed: dict[str, int] = field(default_factory=dict)  # why, since when: it begins nothing new

    @property
    def out(self) -> bool:
        """Not everything works here."""
        return bool(self.down or self.closed)


@dataclass(slots=True)
class Task:
    """A transport that wants a robot: fetch `load` at `bay` (or be at `node`), for `token`, and
    bring it to `end_bay`, there to do `action` ("": the load stays on the robot)."""

    id: int
    fleets: int
    node: int
    bay: int
    load: str
    token: Token
    due_ns: int
    end_node: int
    end_bay: int = -1
    action: str = ""
    since_ns: int = 0


@dataclass(slots=True)
class Truck:
    """A truck at its door."""

    id: str
    station: int
    route: str
    departs_ns: int
    capacity: int
    loaded: dict[str, None] = field(default_factory=dict)  # orders
    waiting: dict[Token, None] = field(default_factory=dict)  # tokens that end when it leaves
    dispatched: bool = False


Waiting = tuple[int, int, int, str]  # an order: minus its priority, due, number, id
Call = tuple[str, int]  # what needs help, at last maintenance: ("robot", index) | ("lane", move id)


@dataclass(slots=True)
class Obstacle:
    """Something lies on a lane; `robots` stand in front of it."""

    edge: int
    attempts: int = 1
    robots: dict[int, None] = field(default_factory=dict)
    look: int = 0  # of its floor camera, under way; 0: none
    unseen: int = 0  # looks since the last attempt at which nothing could be told


@dataclass(slots=True)
class Problem:
    """Something that went wrong and is not over; see `core.exceptions`."""

    number: int
    kind: str
    subject: str
    order_id: str
    since_ns: int
    tries: int = 0


@dataclass(slots=True)
class Scope:
    """Something was asked of robots, or of a part of the building; see `core.scopes`."""

    kind: str  # pause | evacuate | close | stop
    robot: int = -1
    fleet: int = -1
    zone: str = ""
    nodes: dict[int, None] = field(default_factory=dict)
    reset: bool = False  # stop: by the safety controller
    clear: bool = False

    @property
    def all(self) -> bool:
        """Every robot is meant."""
        return self.robot < 0 and self.fleet < 0 and not self.zone


@dataclass(slots=True)
class FleetEnergy:
    """What a fleet uses, and what the charging plan says; see `core.charging`."""

    rate: int  # permille per hour, of a robot that does not charge
    chargers: int
    must: int = 0  # so many of the emptiest must charge now
    peak: bool = False
    valley: bool = False
    begun: deque[int] = field(default_factory=lambda: deque(maxlen=6))  # nodes: where tasks began
    tasks: int = 0  # begun so far


@dataclass(slots=True)
class Congestion:
    """Where robots wait for each other on the lanes, by node; see `core.congestion`."""

    waited: dict[int, int] = field(default_factory=dict)  # ms, of late
    passed: dict[int, int] = field(default_factory=dict)  # thousandths of robots, of late
    since_ns: int = 0  # when planners were told of it
    packed: bytes = b""  # what they were told: see RequestPaths


@dataclass(slots=True)
class World:
    """Everything the core remembers."""

    site: Site
    traffic: Traffic
    stock: Stock
    bays: list[BayState]
    stations: list[StationState]
    skus: set[str]  # the site's, and what the host told since
    min_units: dict[str, int]  # by SKU, likewise
    chargers: tuple[int, ...]  # bays
    rests: tuple[int, ...]  # bays where robots rest: parking and chargers
    time_ns: int = 0
    events: int = 0
    started: bool = False
    robots: list[Robot] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    filed: dict[str, Filed] = field(default_factory=dict)  # those that are over; see `core.filing`
    entries: dict[Filed, Filed] = field(default_factory=dict)  # each kept once
    file_ns: int = 0
    backlog: list[Waiting] = field(default_factory=list)  # heap
    short: dict[str, list[Waiting]] = field(default_factory=dict)  # by SKU
    resting: list[tuple[int, Token]] = field(default_factory=list)  # heap: when, work that waits
    wave: list[Waiting] = field(default_factory=list)  # heap: may be released now
    wave_ns: int = 0  # when the next wave begins
    trucks: dict[int, Truck] = field(default_factory=dict)  # by door
    promised: dict[str, dict[str, None]] = field(default_factory=dict)  # route -> open orders
    to_replenish: dict[str, None] = field(default_factory=dict)  # SKUs to be looked at
    starved: dict[str, dict[str, None]] = field(default_factory=dict)  # zone -> SKUs without slot
    asked: dict[str, None] = field(default_factory=dict)  # SKUs, the last one asked for at the end
    relieving: str = ""  # the order that makes room just now
    tasks: dict[int, Task] = field(default_factory=dict)  # not yet begun
    underway: dict[int, Task] = field(default_factory=dict)
    works: dict[int, Token] = field(default_factory=dict)
    looks: dict[int, Token] = field(default_factory=dict)  # running inferences
    floor_looks: dict[int, int] = field(default_factory=dict)  # the same at lanes -> move id
    to_show: dict[int, str] = field(default_factory=dict)  # look -> the value that is expected
    due: dict[int, int] = field(default_factory=dict)  # work, look or task -> when it times out
    closed: dict[int, Down] = field(default_factory=dict)  # chargers that gave no current, by bay
    numbers: int = 0  # last number given to a request, task, work or action
    path_request: int = -1
    path_requested_ns: int = 0
    path_basis: int = 0
    path_wanted: bool = False
    path_seed: int = 0
    path_rejected: int = 0
    assign_request: int = -1
    assign_requested_ns: int = 0
    tour_request: int = -1
    tour_requested_ns: int = -NEVER_NS  # none yet
    tour_state: tuple[int, int, int] = (
        0,
        0,
        0,
    )  # newest task, tasks, idle vehicles of the last one
    touring: int = 0  # bit mask of the fleets with several places
    refusals: int = 0
    energy: list[FleetEnergy] = field(default_factory=list)  # by fleet
    plan_charge_ns: int = 0
    servicing: dict[int, int] = field(default_factory=dict)  # robot -> when it was asked for
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict)  # open
    ended: dict[tuple[str, str], int] = field(default_factory=dict)  # (kind, how) -> count
    closures: Closures = field(default_factory=Closures)
    congestion: Congestion = field(default_factory=Congestion)
    obstacles: dict[int, Obstacle] = field(default_factory=dict)  # by move id of the lane
    helping: dict[Call, int] = field(default_factory=dict)  # help that was asked for, when
    awaiting: dict[Call, None] = field(default_factory=dict)  # maintenance
    visits: dict[Call, tuple[int, ...]] = field(default_factory=dict)  # a person is at these nodes
    babbling: dict[int, None] = field(default_factory=dict)  # robots that talked nonsense of late
    retiring: dict[int, None] = field(default_factory=dict)  # robots on their way out of service
    scopes: dict[str, Scope] = field(default_factory=dict)  # by name
    restarting: deque[tuple[int, str]] = field(default_factory=deque)  # robots, after a stop
    closed_lanes: dict[int, None] = field(default_factory=dict)  # edges
    expected: dict[str, OrderReceived] = field(default_factory=dict)  # announced, not yet there
    answers: dict[str, tuple[bool, str]] = field(default_factory=dict)  # to the latest requests
    out: list[Command] = field(default_factory=list)

    def number(self) -> int:
        """The next number; numbers never repeat within a run."""
        self.numbers += 1
        return self.numbers

    def alarm(self, subject: str, text: str) -> None:
        """Tell whoever watches. The flow goes on without an answer."""
        self.out.append(RaiseAlarm(subject=subject, text=text))

    def push_backlog(self, order: Order) -> None:
        """Orders wait for release by due time; those without one come last."""
        heap = self.backlog if self.site.policy.wave_minutes else self.wave
        heapq.heappush(heap, self.waiting(order))

    def waiting(self, order: Order) -> Waiting:
        """Its place among those that wait for release."""
        return (-order.priority, order.due_ns or NEVER_NS, self.number(), order.id)


def _bays(site: Site, *kinds: str) -> tuple[int, ...]:
    return tuple(i for i, bay in enumerate(site.roadmap.bays) if bay.kind in kinds)


def new_world(site: Site) -> World:
    """An empty building."""
    slots = [(i, bay.zone) for i, bay in enumerate(site.roadmap.bays) if bay.kind == "slot"]
    x_mm = [site.roadmap.node_x_mm[bay.node] for bay in site.roadmap.bays]
    y_mm = [site.roadmap.node_y_mm[bay.node] for bay in site.roadmap.bays]
    bays = [BayState() for _ in site.roadmap.bays]
    holders = [state.holders for state in bays]
    energy = []
    for index, fleet in enumerate(site.fleets):
        rate = 1000 * 3600 * fleet.speed_mmps // max(1, fleet.reach_mm) // 2  # half of full driving
        chargers = [bay for bay in site.roadmap.bays if bay.kind == "charger"]
        energy.append(FleetEnergy(rate, sum(bay.fleets >> index & 1 for bay in chargers)))
    return World(
        site=site,
        energy=energy,
        traffic=Traffic(site.roadmap, site.policy.lookahead, holders),
        stock=Stock(slots, x_mm, y_mm),
        bays=bays,
        touring=sum((fleet.places > 1) << i for i, fleet in enumerate(site.fleets)),
        asked=dict.fromkeys(sorted(site.skus)),
        skus=set(site.skus),
        min_units=dict(site.min_units),
        chargers=_bays(site, "charger"),
        rests=_bays(site, "parking", "charger"),
        stations=[
            StationState(queues={capability: deque() for capability in station.capabilities})
            for station in site.stations
        ],
    )
