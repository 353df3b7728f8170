"""What a vehicle says of itself, whatever it is at: connection, operating mode, errors, whether it
drives."""

from __future__ import annotations

import math

from orchestrator.vda5050.control import recovering
from orchestrator.vda5050.control.sending import SECOND_NS, Desk, instant, push
from orchestrator.vda5050.control.tables import CONNECTION, LEVELS, MODE
from orchestrator.vda5050.control.vehicle import Vehicle
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import Position, State, Visualization

STANDS_M, STANDS_MPS, STANDS_RADPS = 0.02, 0.02, 0.02  # what is less is noise
POSE_NS = SECOND_NS // 20  # poses that come more often than this are not read
UNREACHABLE = "NODE_UNREACHABLE"
BLOCKED = ("pathBlocked", "obstacleDetected", "blockedByObstacle", UNREACHABLE)


def connection(desk: Desk, v: Vehicle, word: str) -> None:
    """Of the topic `connection`, or STATE for a state message."""
    v.connection, then = CONNECTION[v.connection][word]
    if then == "alarm":
        desk.alarm(v.name, f"connection {v.connection}")
    if v.connection != "ONLINE":
        return
    for known in list(v.instants.values()):
        if known.action.kind == "stopHibernation":
            v.end_instant(known.action.id, "over")
    if then == "ask" and v.robot >= 0:
        instant(desk, v, "stateRequest")
        push(desk, v)


def mode(desk: Desk, v: Vehicle, state: State) -> None:
    """Who it obeys. By hand it clears its order; when it is ours again it must know where it is."""
    then, v.mode = MODE[v.mode][state.mode], state.mode
    if then == "void":
        recovering.let_go(v, v.ahead())
        v.instants.clear()  # they may not be sent, and are not waited for
    elif then == "back":
        if state.position is not None and not state.position.localized:
            recovering.localise(desk, v)
        if v.paused and not state.paused:
            instant(desk, v, "startPause")


def errors(desk: Desk, v: Vehicle, state: State) -> None:
    """New ones, by their level; those that fault a vehicle are seen to by `recovering.wrong`."""
    before, v.errors = v.errors, frozenset((e.kind, e.level) for e in state.errors)
    kinds = (*BLOCKED, *v.codec.quirks.blocked_errors)
    for error in state.errors:
        then = LEVELS[error.level] if (error.kind, error.level) not in before else ""
        if then in ("alarm", "anew"):
            text = f"{error.kind}: {error.description}".rstrip(": ")
            desk.alarm(v.name, f"{error.level}: {text}")
        errand = v.errand
        driven = errand is not None and errand.status == "driven" and errand.action is None
        if then == "anew" and driven and v.status == "joined" and error.kind not in kinds:
            recovering.anew(desk, v, f"can't go on with its order: {error.kind}")


def pose(desk: Desk, v: Vehicle, payload: bytes) -> Position | None:
    """Of the topic `visualization`: a pose, and nothing else; no event, no sign of life, no fault."""
    if v.robot < 0 or desk.now_ns - v.pose_ns < POSE_NS:
        return None
    try:
        got = v.codec.decode("visualization", payload)
    except RemoteError:
        v.counts.undecodable += 1
        return None
    told_ns = v.state.header.time_ns if v.state is not None else -1
    if not isinstance(got, Visualization) or got.position is None or 0 <= got.time_ns < told_ns:
        return None
    v.pose_ns = desk.now_ns
    return got.position if got.position.localized else None


def drives(v: Vehicle, before: State | None, state: State) -> bool:
    """Whether it moves: by its own word or, where that is worth nothing, by velocity and pose."""
    if not v.codec.quirks.driving_unreliable:
        return state.driving
    fast = state.velocity
    if fast is not None:
        return math.hypot(fast.vx, fast.vy) > STANDS_MPS or abs(fast.omega) > STANDS_RADPS
    was, now = before.position if before is not None else None, state.position
    if was is None or now is None:
        return state.driving
    turned = abs(math.remainder(now.theta - was.theta, math.tau))
    return math.hypot(now.x - was.x, now.y - was.y) > STANDS_M or turned > STANDS_RADPS
