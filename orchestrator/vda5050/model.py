"""What a fleet control and its vehicles say to each other, in the terms of VDA 5050 3.0.

This is what the rest of the program works with. The codecs (`vda5050.codec`) bring it into the form
of each protocol version, and back. Units: metres, radians, m/s, seconds; times are nanoseconds since
1970 UTC. `None` means that the sender did not say.

What a message holds never leads back to it, so the collector need not look (`gc=False`): a thousand
vehicles' states are a hundred thousand objects a second.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything here."""


class Header(Struct, frozen=True, gc=False):
    """Who says it, as the how manieth message of its topic. `version`: as it is written on the wire."""

    header_id: int
    time_ns: int
    version: str
    manufacturer: str
    serial: str


class Action(Struct, frozen=True, gc=False):
    """Something to do. blocking: NONE | SINGLE | SOFT | HARD (2.x knows no SINGLE)."""

    id: str
    kind: str  # actionType: pick, drop, startCharging, stopCharging, cancelOrder, …
    blocking: str = "HARD"
    parameters: dict[str, Any] = {}
    description: str = ""


class NodePosition(Struct, frozen=True, gc=False):
    """Where a node is on a map. `theta` None: any heading will do."""

    x: float
    y: float
    map_id: str
    theta: float | None = None
    deviation_xy_m: float | None = None
    deviation_theta: float | None = None


class Node(Struct, frozen=True, gc=False):
    """A node of an order. `sequence` is even."""

    id: str
    sequence: int
    released: bool
    position: NodePosition | None = None
    actions: tuple[Action, ...] = ()


class Edge(Struct, frozen=True, gc=False):
    """An edge of an order. `sequence` is odd. `orientation`: of the vehicle to the direction of travel
    (0 forwards, pi backwards). `corridor_m`: so far to both sides it may be off its trajectory."""

    id: str
    sequence: int
    released: bool
    start: str
    end: str
    speed_mps_max: float | None = None
    orientation: float | None = None
    length_m: float | None = None
    corridor_m: float | None = None
    actions: tuple[Action, ...] = ()


class Order(Struct, frozen=True, gc=False):
    """An order, or an update of it: released elements are its base, the rest its horizon."""

    id: str
    update: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()


class InstantActions(Struct, frozen=True, gc=False):
    """To be done at once."""

    actions: tuple[Action, ...]


class NodeState(Struct, frozen=True, gc=False):
    """A node that is still ahead."""

    id: str
    sequence: int
    released: bool
    position: NodePosition | None = None


class EdgeState(Struct, frozen=True, gc=False):
    """An edge that is still ahead, or under way."""

    id: str
    sequence: int
    released: bool


class ActionState(Struct, frozen=True, gc=False):
    """status: WAITING | INITIALIZING | RUNNING | PAUSED | RETRIABLE | FINISHED | FAILED."""

    id: str
    status: str
    kind: str = ""
    result: str = ""


class Position(Struct, frozen=True, gc=False):
    """Where a vehicle is."""

    x: float
    y: float
    theta: float
    map_id: str
    localized: bool = True
    score: float | None = None


class Velocity(Struct, frozen=True, gc=False):
    """In the vehicle's frame."""

    vx: float = 0.0
    vy: float = 0.0
    omega: float = 0.0


class Load(Struct, frozen=True, gc=False):
    """A load aboard. `place`: the load handling device that it is on."""

    id: str = ""
    kind: str = ""
    place: str = ""
    weight_kg: float | None = None


class PowerSupply(Struct, frozen=True, gc=False):
    """The battery; `charge_percent` 0 to 100."""

    charge_percent: float
    charging: bool
    reach_m: float | None = None
    voltage: float | None = None


class Error(Struct, frozen=True, gc=False):
    """level: WARNING | URGENT | CRITICAL | FATAL (2.x knows the first and the last)."""

    kind: str
    level: str
    description: str = ""
    references: dict[str, str] = {}


class Information(Struct, frozen=True, gc=False):
    """For debugging. level: INFO | DEBUG."""

    kind: str
    level: str = "INFO"
    description: str = ""
    references: dict[str, str] = {}


class SafetyState(Struct, frozen=True, gc=False):
    """emergency_stop: NONE | MANUAL | REMOTE | AUTOACK."""

    emergency_stop: str = "NONE"
    field_violation: bool = False


class State(Struct, frozen=True, gc=False):
    """A vehicle's state. mode: STARTUP | AUTOMATIC | SEMIAUTOMATIC | INTERVENED | MANUAL | SERVICE |
    TEACH_IN. `order_id` "": it has had none yet. `mended`: members that can't be so, read as none."""

    header: Header
    order_id: str = ""
    order_update: int = 0
    last_node: str = ""
    last_node_sequence: int = 0
    nodes: tuple[NodeState, ...] = ()
    edges: tuple[EdgeState, ...] = ()
    actions: tuple[ActionState, ...] = ()
    instant_actions: tuple[ActionState, ...] = ()
    driving: bool = False
    paused: bool = False
    new_base_request: bool = False
    since_last_node_m: float | None = None
    mode: str = "AUTOMATIC"
    position: Position | None = None
    velocity: Velocity | None = None
    loads: tuple[Load, ...] | None = None
    power: PowerSupply | None = None
    errors: tuple[Error, ...] = ()
    information: tuple[Information, ...] = ()
    safety: SafetyState = SafetyState()
    mended: tuple[str, ...] = ()


class Visualization(Struct, frozen=True, gc=False):
    """Where a vehicle is, for who looks; `time_ns` -1: it did not say when."""

    time_ns: int = -1
    position: Position | None = None


class Connection(Struct, frozen=True, gc=False):
    """connection: ONLINE | OFFLINE | HIBERNATING | CONNECTION_BROKEN."""

    header: Header
    connection: str


class SupportedAction(Struct, frozen=True, gc=False):
    """An action that a vehicle knows. scopes: INSTANT | NODE | EDGE | ZONE."""

    kind: str
    scopes: tuple[str, ...]
    blocking: tuple[str, ...] = ()


class Factsheet(Struct, frozen=True, gc=False):
    """What a vehicle says of its type. Lengths in metres; 0: not said."""

    header: Header
    series: str
    kind: str = ""  # mobileRobotClass: FORKLIFT, CONVEYOR, TUGGER, CARRIER, …
    kinematics: str = ""  # DIFFERENTIAL | OMNIDIRECTIONAL | THREE_WHEEL | …
    load_kg_max: float = 0.0
    localization: tuple[str, ...] = ()
    navigation: tuple[str, ...] = ()
    speed_mps_min: float = 0.0
    speed_mps_max: float = 0.0
    acceleration_mps2_max: float = 0.0
    deceleration_mps2_max: float = 0.0
    height_m_max: float = 0.0
    width_m: float = 0.0
    length_m: float = 0.0
    actions: tuple[SupportedAction, ...] | None = None
    devices: tuple[str, ...] = ()  # load handling devices ("loadPositions")
    load_types: tuple[str, ...] = ()
    state_interval_s: tuple[float, float] | None = None  # least, most (3.0 and 2.1)
    limits: dict[str, int] = {}  # maximumArrayLengths and string lengths, by name
