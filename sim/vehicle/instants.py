"""Instant actions of a vehicle: cancel, pause, requests, positions, charging."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orchestrator.vda5050.doing import Doing
from orchestrator.vda5050.model import Action, Error, SupportedAction
from sim.vehicle.acting import RUNNING, fail_waiting, text
from sim.vehicle.sensing import moving

if TYPE_CHECKING:
    from sim.vehicle.agent import Agent

REMEMBERED = 50  # instant actions whose end is still told
NEAR_M = 5.0  # so far off a given position may be to help a vehicle that is lost
KNOWN = (
    "cancelOrder", "startPause", "stopPause", "stateRequest", "factsheetRequest", "initPosition",
    "startCharging", "stopCharging", "clearInstantActions",
)  # fmt: skip


def supported() -> tuple[SupportedAction, ...]:
    """For the factsheet."""
    node: tuple[str, ...] = ("NODE",)
    both: tuple[str, ...] = ("INSTANT", "NODE")
    scopes: dict[str, tuple[str, ...]] = dict.fromkeys(KNOWN, ("INSTANT",))
    scopes |= {"startCharging": both, "stopCharging": both}
    scopes |= {"pick": node, "drop": node, "detectObject": node}
    blocking = ("NONE", "SINGLE", "SOFT", "HARD")
    return tuple(
        SupportedAction(kind=kind, scopes=where, blocking=blocking if "NODE" in where else ())
        for kind, where in scopes.items()
    )


def take(agent: Agent, action: Action) -> None:
    """Begin it; one that is known already is not begun again."""
    if action.id in agent.instants:
        return
    doing = agent.instants[action.id] = Doing(action, status="RUNNING")
    _forget(agent)
    match action.kind:
        case "cancelOrder":
            _cancel(agent, doing)
        case "startPause":
            agent.paused = True
            agent.robot.hold()
        case "stopPause":
            agent.paused = False
            agent.robot.let_go()
            _over(agent, "startPause")
            doing.status = "FINISHED"
        case "stateRequest":
            doing.status = "FINISHED"
        case "factsheetRequest":
            agent.send_factsheet()
            doing.status = "FINISHED"
        case "clearInstantActions":
            agent.instants = {key: each for key, each in agent.instants.items() if not each.ended}
            doing.status = "FINISHED"
        case "initPosition":
            _position(agent, doing)
        case "startCharging" | "stopCharging":
            if agent.held.idle and agent.robot.standing:
                agent.start(doing)
            else:
                failed(agent, doing, "it is not idle")
        case _:
            failed(agent, doing, f"instant action {action.kind[:100]!r} is unknown")


def failed(agent: Agent, doing: Doing, why: str, kind: str = "instantActionError") -> None:
    """Told as the action's result and as a warning."""
    doing.status, doing.result = "FAILED", why
    references = {"actionId": doing.action.id[:100], "actionType": doing.action.kind[:100]}
    agent.warn(Error(kind=kind, level="WARNING", description=why, references=references))


def _forget(agent: Agent) -> None:
    if len(agent.instants) > REMEMBERED:
        ended = [key for key, each in agent.instants.items() if each.ended]
        for key in ended[: len(agent.instants) - REMEMBERED]:
            del agent.instants[key]


def _over(agent: Agent, kind: str) -> None:
    for each in agent.instants.values():
        if each.action.kind == kind and each.status in RUNNING:
            each.status = "FINISHED"


def _cancel(agent: Agent, doing: Doing) -> None:
    held, robot, action = agent.held, agent.robot, doing.action
    wanted = text(action, "orderId")
    if held.idle or held.cancelled or wanted not in ("", held.id):
        failed(agent, doing, "there is no such order", "noOrderToCancel")
        return
    fail_waiting(held.doing, "cancelled")
    held.cancelled = True
    if robot.blocked and not robot.dead:
        held.keep(held.last_sequence)
        robot.back_out()
    else:
        held.keep(held.last_sequence + 2 * robot.curtail())


def _position(agent: Agent, doing: Doing) -> None:
    parameters = doing.action.parameters
    try:
        x, y = float(parameters["x"]), float(parameters["y"])
    except (KeyError, TypeError, ValueError):
        failed(agent, doing, "x and y are needed")
        return
    at_x, at_y = agent.robot.position()
    if not math.hypot(at_x - x, at_y - y) <= NEAR_M:
        failed(agent, doing, "the scan does not match there")
    elif agent.fault == "robot_slipped":
        agent.hands.relocalise(agent.robot)  # its end comes as `recovered` or `not_recovered`
    else:
        doing.status = "FINISHED"


def settle(agent: Agent) -> None:
    """What may have ended meanwhile."""
    if agent.paused and not moving(agent.robot):
        _over(agent, "startPause")
    held, robot = agent.held, agent.robot
    if held.cancelled and held.idle and not robot.base and not moving(robot):
        _over(agent, "cancelOrder")


def cancelling(agent: Agent) -> bool:
    """An order is being cancelled."""
    return any(
        each.action.kind == "cancelOrder" and not each.ended for each in agent.instants.values()
    )
