"""What an adapter tells the master of its robot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.vda5050.model import (
    EdgeState,
    Factsheet,
    Header,
    NodeState,
    Position,
    PowerSupply,
    State,
    SupportedAction,
)

if TYPE_CHECKING:
    from orchestrator.ros.nav2.robot import Nav2Robot

ACTIONS = ("pick", "drop", "startCharging", "stopCharging")
INSTANT = ("cancelOrder", "startPause", "stopPause", "stateRequest", "factsheetRequest",
           "initPosition")  # fmt: skip


def state_of(robot: Nav2Robot, header: Header) -> State:
    """As it is now."""
    held, pose = robot.held, robot.pose
    position = None
    if pose is not None:
        position = Position(
            x=pose.x, y=pose.y, theta=pose.theta, map_id=robot.map_id, localized=not robot.lost
        )
    return State(
        header=header,
        order_id=held.id,
        order_update=held.update,
        last_node=held.last.id,
        last_node_sequence=held.last.sequence,
        nodes=tuple(NodeState(id=n.id, sequence=n.sequence, released=n.released)
                    for n in held.nodes),
        edges=tuple(EdgeState(id=e.id, sequence=e.sequence, released=e.released)
                    for e in held.edges),
        actions=tuple(each.state() for each in (*held.doing, *robot.instants.values())),
        driving=robot.driving,
        paused=robot.paused,
        position=position,
        power=PowerSupply(charge_percent=100 * robot.charge, charging=robot.charging),
        errors=tuple(robot.errors.values()),
    )  # fmt: skip


def factsheet_of(header: Header) -> Factsheet:
    """What is true of all of them."""
    actions = [SupportedAction(kind=kind, scopes=("NODE",)) for kind in ACTIONS]
    actions += [SupportedAction(kind=kind, scopes=("INSTANT",)) for kind in INSTANT]
    return Factsheet(
        header=header,
        series="nav2",
        kind="CARRIER",
        kinematics="DIFF",
        localization=("NATURAL",),
        navigation=("VIRTUAL_LINE_GUIDED",),
        actions=tuple(actions),
    )
