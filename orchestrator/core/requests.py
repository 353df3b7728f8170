"""What was asked for: looked at, done or refused, and answered. A request that comes twice gets the
answer that it had."""

from __future__ import annotations

from typing import Any

from orchestrator.core import announcements, cancelling, changes, closing, flow, safety, scopes
from orchestrator.core.messages import (
    AnswerRequest,
    ChargeAsked,
    EmergencyReset,
    EmergencyStopped,
    ItemsReceived,
    LaneClosed,
    LaneOpened,
    NoticesReceived,
    OrderCancelled,
    OrderChanged,
    OrderReceived,
    Request,
    RobotRetired,
    RobotReturned,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    StationClosed,
    StationOpened,
    ZoneCleared,
    ZoneClosed,
    ZoneOpened,
)
from orchestrator.core.world import World

ANSWERS_MAX = 10_000  # remembered; a request that is older, and asked again, is done again


def handle(world: World, event: Request) -> None:
    """Do it, or find the reason why not."""
    name = event.request
    if name and name in world.answers:
        accepted, reason = world.answers[name]
    elif isinstance(event, ItemsReceived):
        accepted, reason = announcements.items(world, event)
    elif isinstance(event, NoticesReceived):
        accepted, reason = announcements.notices(world, event)
    else:
        reason = _unknown(world, event) or _done(world, event)
        accepted = not reason
    if name:
        world.answers[name] = (accepted, reason)
        if len(world.answers) > ANSWERS_MAX:
            del world.answers[next(iter(world.answers))]
        world.out.append(AnswerRequest(request=name, accepted=accepted, reason=reason))
    elif reason and not isinstance(event, OrderReceived):
        world.alarm("request", f"{type(event).__name__} is refused: {reason}")


def _unknown(world: World, event: Request) -> str:
    """A number in it that there isn't. (Orders are looked at by `core.admission`.)"""
    if isinstance(event, OrderReceived):
        return ""
    roadmap = world.site.roadmap
    several = isinstance(event, RobotsPaused | RobotsResumed | RobotsEvacuated)
    counts = {
        "robot": len(world.robots),
        "fleet": len(world.site.fleets),
        "station": len(world.site.stations),
        "edge": roadmap.edges,
    }
    for field, count in counts.items():
        value: Any = getattr(event, field, 0)
        if not (-1 if several else 0) <= value < max(count, 1):
            return f"there is no {field} {value}"
    nodes: tuple[int, ...] = getattr(event, "nodes", ())
    bad = [node for node in nodes if not 0 <= node < roadmap.nodes]
    return f"there is no node {bad[0]}" if bad else ""


def _done(world: World, event: Request) -> str:
    match event:
        case OrderReceived():
            return flow.receive(world, announcements.arrived(world, event))
        case OrderCancelled():
            if announcements.withdrawn(world, event.order_id):
                return ""
            return cancelling.cancelled(world, event)
        case OrderChanged():
            return cancelling.changed(world, event)
        case RobotsPaused() | RobotsEvacuated():
            return scopes.asked(world, event)
        case RobotsResumed():
            return scopes.resumed(world, event)
        case RobotRetired():
            return changes.retire(world, event)
        case RobotReturned():
            return changes.returned(world, event)
        case ChargeAsked():
            return changes.charge_first(world, event)
        case LaneClosed() | LaneOpened():
            return closing.lane(world, event)
        case StationClosed() | StationOpened():
            return closing.station(world, event)
        case ZoneClosed():
            return scopes.closed(world, event)
        case ZoneOpened():
            return scopes.opened(world, event)
        case EmergencyStopped():
            return safety.stopped(world, event)
        case EmergencyReset() | ZoneCleared():
            return safety.told(world, event)
    return f"{type(event).__name__} is nothing that can be asked for"
