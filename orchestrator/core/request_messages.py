"""What operators and hosts ask for: facts ("it was asked that …") with the id of the request, answered
by an `AnswerRequest`. Asking twice by one id is asking once; what is so already is accepted.

Where something is said of a part of the building, `zone` is its name and `nodes` what belongs to it;
without `robot`, `fleet` and `zone` everything is meant.
"""

from __future__ import annotations

from orchestrator.core.message import Line, Message


class Request(Message, frozen=True, kw_only=True):
    """Base of all of them; without an id nobody waits for an answer."""

    request: str = ""


# --- orders -------------------------------------------------------------------------------------


class OrderReceived(Request, frozen=True):
    """A host asks for something; `kind` names one of the site's order types.

    outbound: `lines` are to be delivered by `due_ns` to `station` (a chute; -1: any).
    inbound: the pallet `load` stands at the dock `station`; each line is a tote of it, named
    `load`/1, `load`/2, ... (of a single line: `load` itself).
    transport: one robot visits the nodes `stops`, in this sequence (and `load`, if any, rides along).
    `priority` 0-9: those of a higher one are released first, whatever they are due.
    """

    order_id: str
    kind: str
    lines: tuple[Line, ...] = ()
    due_ns: int = 0
    station: int = -1
    load: str = ""
    stops: tuple[int, ...] = ()  # nodes
    route: str = ""
    carrier: str = ""
    priority: int = 0


class OrderCancelled(Request, frozen=True):
    """The order is wanted no more."""

    order_id: str
    reason: str = ""


class OrderChanged(Request, frozen=True):
    """An order that is not released yet is another one now; what is left out stays."""

    order_id: str
    due_ns: int = -1
    priority: int = -1
    lines: tuple[Line, ...] = ()


# --- robots -------------------------------------------------------------------------------------


class RobotsPaused(Request, frozen=True):
    """They get nothing new, and stand at the end of what they hold; nobody enters the zone."""

    robot: int = -1
    fleet: int = -1
    zone: str = ""
    nodes: tuple[int, ...] = ()


class RobotsEvacuated(Request, frozen=True):
    """They begin nothing new, park outside the zone, and stay there; nobody enters it."""

    robot: int = -1
    fleet: int = -1
    zone: str = ""
    nodes: tuple[int, ...] = ()


class RobotsResumed(Request, frozen=True):
    """A pause or an evacuation of the same name is over."""

    robot: int = -1
    fleet: int = -1
    zone: str = ""


class RobotRetired(Request, frozen=True):
    """The robot is to leave service: it ends what it is at, takes no task any more, and parks."""

    robot: int


class RobotReturned(Request, frozen=True):
    """A retired robot is in service again."""

    robot: int


class ChargeAsked(Request, frozen=True):
    """The robot is to charge before it takes another task."""

    robot: int


# --- places -------------------------------------------------------------------------------------


class LaneClosed(Request, frozen=True):
    """Nobody is released along the edge any more."""

    edge: int


class LaneOpened(Request, frozen=True):
    """It may be driven again."""

    edge: int


class StationClosed(Request, frozen=True):
    """Its machines begin nothing new; what waits there waits, or goes to another station."""

    station: int


class StationOpened(Request, frozen=True):
    """It works again."""

    station: int


class ZoneClosed(Request, frozen=True):
    """Nobody enters; who is inside goes on, and out. Stations inside are closed."""

    zone: str
    nodes: tuple[int, ...]


class ZoneOpened(Request, frozen=True):
    """It may be entered again."""

    zone: str


# --- safety -------------------------------------------------------------------------------------


class EmergencyStopped(Request, frozen=True):
    """The safety controller has stopped the zone ("": everything): obeyed at once."""

    zone: str = ""
    nodes: tuple[int, ...] = ()


class EmergencyReset(Request, frozen=True):
    """The safety controller was reset. Nobody starts before it says that the zone is clear as well."""

    zone: str = ""


class ZoneCleared(Request, frozen=True):
    """The safety controller says that nobody is in the zone."""

    zone: str = ""


# --- commands -----------------------------------------------------------------------------------


class AnswerRequest(Message, frozen=True):
    """What became of a request: what was refused is refused for `reason`."""

    request: str
    accepted: bool
    reason: str = ""


class PauseRobot(Message, frozen=True):
    """Stand still, at the latest at the end of what it holds. `emergency`: the safety controller has
    stopped it already."""

    robot: int
    emergency: bool = False


class ResumeRobot(Message, frozen=True):
    """Go on along what it holds."""

    robot: int


class SwitchOn(Message, frozen=True):
    """A robot that was switched off is in service again."""

    robot: int
