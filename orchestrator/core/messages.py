"""Everything that goes into the core (events) and comes out of it (commands).

Events are facts in the past tense, commands are requests in the imperative. Both are frozen, so a
recorded message is the message that was handled. Robots, nodes, edges, bays and stations are
integers: indices into the compiled `Site`. Loads, stock keeping units and orders keep their names.
"""

from __future__ import annotations

import msgspec

from orchestrator.core.announcement_messages import (
    ExpectLoad,
    HostAcknowledged,
    Item,  # noqa: F401
    ItemsReceived,
    Notice,  # noqa: F401
    NoticesReceived,
)
from orchestrator.core.host_messages import AdjustStock, CloseOrder
from orchestrator.core.machine_messages import (
    ChargerFaulted,
    ChargerRecovered,
    ImageRead,
    RecoverStation,
    RepairCharger,
    RequestInference,
    StartWork,
    StationFaulted,
    StationRecovered,
    StationRepairFailed,
    WorkEnded,
)
from orchestrator.core.message import (
    Line,  # noqa: F401  all messages come in by this door
    Message,
)
from orchestrator.core.planning_messages import (
    AssignmentMade,
    PathsPlanned,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    ToursPlanned,
)
from orchestrator.core.request_messages import (
    AnswerRequest,
    ChargeAsked,
    EmergencyReset,
    EmergencyStopped,
    LaneClosed,
    LaneOpened,
    OrderCancelled,
    OrderChanged,
    OrderReceived,
    PauseRobot,
    Request,  # noqa: F401
    ResumeRobot,
    RobotRetired,
    RobotReturned,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    StationClosed,
    StationOpened,
    SwitchOn,
    ZoneCleared,
    ZoneClosed,
    ZoneOpened,
)
from orchestrator.core.robot_messages import (
    BackedOut,
    BackOut,
    BaseTrimmed,
    ClearingFailed,
    ClearLane,
    LaneBlocked,
    LaneCleared,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    RobotRecovered,
    StopRobot,
    TrimBase,
)

# --- events -------------------------------------------------------------------------------------


class RunStarted(Message, frozen=True):
    """First event of every journal: which building and which rules this run is about."""

    site_hash: str
    core_version: int


class RobotJoined(Message, frozen=True):
    """A robot is localised on `node`, which must be in a bay or on the traffic core."""

    robot: int
    name: str
    fleet: int
    node: int
    heading_deg: int
    battery_permille: int


class ToteStored(Message, frozen=True):
    """Opening stock: `tote` stands in the slot `bay`."""

    tote: str
    sku: str
    quantity: int
    bay: int


class Ticked(Message, frozen=True):
    """Time passed. Shells send it once a second."""


class TruckDocked(Message, frozen=True):
    """A truck of `route` stands at the door `station` until `departs_ns`; `capacity` parcels fit."""

    truck: str
    station: int
    route: str
    departs_ns: int
    capacity: int


class TruckLeft(Message, frozen=True):
    """The truck is off the door, with what was loaded."""

    truck: str


class NodeReached(Message, frozen=True):
    """The robot's reference point arrived at the head of `edge`, the next of its released base."""

    robot: int
    edge: int


class ActionEnded(Message, frozen=True):
    """`outcome` is "ok" or a word that the flow knows (a robot's pick or drop: "failed")."""

    robot: int
    action: int
    outcome: str = "ok"


class BatteryCrossed(Message, frozen=True):
    """The charge crossed one of the thresholds that ingest watches (each 5 %)."""

    robot: int
    battery_permille: int


class ReachMeasured(Message, frozen=True):
    """Robots of the fleet are to know at least `reach_mm` of their way behind the edge that they are
    on: so far they drive until they stand, from when something is released that they hear of late."""

    fleet: int
    reach_mm: int


class RobotServiced(Message, frozen=True):
    """The answer to a `ServiceRobot`."""

    robot: int


class PolicyChanged(Message, frozen=True):
    """From now on `key` of the site's policy (`core.site.Policy`) is `value`."""

    key: str
    value: bool | int | str | tuple[int, ...]


class NoteTaken(Message, frozen=True):
    """Something that is to stand in the journal, such as why a certificate was overridden."""

    subject: str
    text: str


class CommandRefused(Message, frozen=True):
    """The gate did not let these edges through to the robot."""

    robot: int
    reason: str
    edges: tuple[int, ...] = ()


Event = (
    RunStarted
    | RobotJoined
    | ToteStored
    | Ticked
    | OrderReceived
    | TruckDocked
    | TruckLeft
    | NodeReached
    | ActionEnded
    | BatteryCrossed
    | WorkEnded
    | StationFaulted
    | StationRepairFailed
    | StationRecovered
    | ChargerFaulted
    | ChargerRecovered
    | ImageRead
    | PathsPlanned
    | AssignmentMade
    | ToursPlanned
    | RobotServiced
    | RobotFaulted
    | RobotRecovered
    | RecoveryFailed
    | LaneBlocked
    | LaneCleared
    | ClearingFailed
    | BackedOut
    | BaseTrimmed
    | PolicyChanged
    | ReachMeasured
    | RobotRetired
    | NoteTaken
    | RobotReturned
    | RobotsPaused
    | RobotsEvacuated
    | RobotsResumed
    | ChargeAsked
    | LaneClosed
    | LaneOpened
    | StationClosed
    | StationOpened
    | ZoneClosed
    | ZoneOpened
    | EmergencyStopped
    | EmergencyReset
    | ZoneCleared
    | OrderCancelled
    | OrderChanged
    | ItemsReceived
    | NoticesReceived
    | HostAcknowledged
    | CommandRefused
)


# --- commands -----------------------------------------------------------------------------------


class ExtendBase(Message, frozen=True):
    """Release `edges` to the robot, in sequence, behind what it was released before."""

    robot: int
    edges: tuple[int, ...]


class StartAction(Message, frozen=True):
    """At the node where the robot stands: pick | drop | charge | stop_charging."""

    robot: int
    action: int
    kind: str
    load: str = ""
    bay: int = -1


class ServiceRobot(Message, frozen=True):
    """The robot stands parked, empty, and is worn: let it be looked after."""

    robot: int


class DispatchTruck(Message, frozen=True):
    """Loading has ended: the truck may leave."""

    truck: str
    station: int


class SwitchOff(Message, frozen=True):
    """The robot has left service and stands in a parking place: it may be switched off."""

    robot: int


class NoteException(Message, frozen=True):
    """Something went wrong (`phase` opened), was tried again (retried) or is over (ended; `how`). All
    phases of one problem have its number."""

    number: int
    kind: str
    subject: str
    phase: str  # opened | retried | ended
    how: str = ""
    order_id: str = ""
    text: str = ""


class RaiseAlarm(Message, frozen=True):
    """Something an operator's screen should show; nobody needs to act for the flow to go on."""

    subject: str
    text: str


Command = (
    RequestPaths
    | RequestAssignment
    | RequestTours
    | RequestInference
    | ExtendBase
    | StartAction
    | StartWork
    | RecoverRobot
    | StopRobot
    | TrimBase
    | ClearLane
    | BackOut
    | RecoverStation
    | RepairCharger
    | SwitchOff
    | SwitchOn
    | PauseRobot
    | ResumeRobot
    | AnswerRequest
    | ExpectLoad
    | DispatchTruck
    | ServiceRobot
    | CloseOrder
    | AdjustStock
    | NoteException
    | RaiseAlarm
)


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One entry of the journal."""

    time_ns: int
    seq: int
    event: Event


encode = msgspec.msgpack.Encoder().encode
decode_entry = msgspec.msgpack.Decoder(Entry).decode
