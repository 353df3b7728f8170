"""What a vehicle tells: its state, its factsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.vda5050.model import (
    EdgeState,
    Error,
    Factsheet,
    Header,
    Load,
    NodeState,
    Position,
    PowerSupply,
    State,
    Velocity,
)
from sim.vehicle import instants
from sim.vehicle.sensing import heading, moving, since_node, speed

if TYPE_CHECKING:
    from sim.vehicle.agent import Agent

AHEAD_S = 2.0  # a base that ends sooner than that, with a horizon behind it, is asked to grow
FAULTS = {  # of the simulation -> errorType, errorLevel
    "robot_dead": ("driveFault", "FATAL"),
    "battery_empty": ("batteryEmpty", "FATAL"),
    "robot_slipped": ("localizationLost", "URGENT"),
}


def state_of(agent: Agent, header: Header) -> State:
    """As it is now."""
    robot, held = agent.robot, agent.held
    robot.use_charge()
    return State(
        header=header,
        order_id=held.id,
        order_update=held.update,
        last_node=held.last_node,
        last_node_sequence=held.last_sequence,
        nodes=tuple(
            NodeState(id=n.id, sequence=n.sequence, released=n.released, position=n.position)
            for n in held.nodes
        ),
        edges=tuple(
            EdgeState(id=e.id, sequence=e.sequence, released=e.released) for e in held.edges
        ),
        actions=tuple(each.state() for each in held.doing),
        instant_actions=tuple(each.state() for each in agent.instants.values()),
        driving=moving(robot),
        paused=agent.paused,
        new_base_request=_short(agent),
        since_last_node_m=round(since_node(robot), 3),
        mode=agent.mode,
        position=_position(agent),
        velocity=Velocity(vx=round(speed(robot), 3)),
        loads=tuple(Load(id=load, place=str(n)) for n, load in enumerate(robot.loads)),
        power=PowerSupply(
            charge_percent=round(robot.charge_permille / 10, 1),
            charging=robot.charging,
            reach_m=round(robot.charge_permille / 1000 * robot.spec.battery.reach_m),
        ),
        errors=(*_conditions(agent), *agent.warnings),
    )


def _position(agent: Agent) -> Position:
    x, y = agent.robot.position()
    off_x, off_y = agent.lie_m
    return Position(
        x=round(x + off_x, 4),
        y=round(y + off_y, 4),
        theta=round(heading(agent.robot), 4),
        map_id=agent.map_id,
        localized=agent.fault != "robot_slipped",
    )


def _conditions(agent: Agent) -> tuple[Error, ...]:
    found = []
    if agent.fault:
        kind, level = FAULTS.get(agent.fault, (agent.fault, "FATAL"))
        found.append(Error(kind=kind, level=level, description=agent.reason))
    if agent.robot.blocked and agent.held.edges:
        references = {"edgeId": agent.held.edges[0].id}
        text = "something lies ahead"
        found.append(
            Error(kind="pathBlocked", level="WARNING", description=text, references=references)
        )
    return tuple(found)


def _short(agent: Agent) -> bool:
    """The base runs out and more is planned."""
    held, robot = agent.held, agent.robot
    base = held.base
    if len(base) == len(held.edges):
        return False
    v = speed(robot)
    left_m = sum(robot.world.lanes.of(agent.ways.edge(edge)).length_m for edge in base)
    return left_m - since_node(robot) <= v * v / (2 * robot.a_mps2) + AHEAD_S * v


def factsheet_of(agent: Agent, header: Header) -> Factsheet:
    """Of the vehicle's type."""
    spec = agent.robot.spec
    xs, ys = zip(*spec.footprint_m, strict=True)
    return Factsheet(
        header=header,
        series=agent.series,
        kind="CARRIER",
        kinematics="DIFFERENTIAL",
        localization=("NATURAL",),
        navigation=("VIRTUAL_LINE_GUIDED",),
        speed_mps_max=spec.speed_mps,
        acceleration_mps2_max=spec.acceleration_mps2,
        deceleration_mps2_max=spec.acceleration_mps2,
        length_m=round(max(xs) - min(xs), 3),
        width_m=round(max(ys) - min(ys), 3),
        actions=instants.supported(),
        devices=tuple(str(number) for number in range(spec.places)),
        load_types=spec.carries,
    )
