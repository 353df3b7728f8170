"""From the wire's form to the model, for every message type."""

from __future__ import annotations

from orchestrator.vda5050 import times, wire
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import (
    Action,
    ActionState,
    Connection,
    Edge,
    EdgeState,
    Error,
    Header,
    Information,
    InstantActions,
    Load,
    Node,
    NodePosition,
    NodeState,
    Order,
    Position,
    PowerSupply,
    SafetyState,
    State,
    Velocity,
    Visualization,
)
from orchestrator.vda5050.wire import NAMES3, TEXT_MAX

OURS = {new: ours for ours, new in NAMES3.items()}
FAR_M = 1e7  # no building is so large
MODES = ("STARTUP", "AUTOMATIC", "SEMIAUTOMATIC", "INTERVENED", "MANUAL", "SERVICE", "TEACH_IN")
STATUSES = ("WAITING", "INITIALIZING", "RUNNING", "PAUSED", "RETRIABLE", "FINISHED", "FAILED")
LEVELS = ("WARNING", "URGENT", "CRITICAL", "FATAL")
CONNECTIONS = ("ONLINE", "OFFLINE", "HIBERNATING", "CONNECTION_BROKEN")
STOPS = ("NONE", "MANUAL", "REMOTE", "AUTOACK")
BLOCKING = ("NONE", "SINGLE", "SOFT", "HARD")
SPELLINGS = {
    "TEACHIN": "TEACH_IN",
    "CONNECTIONBROKEN": "CONNECTION_BROKEN",
    "AUTO_ACK": "AUTOACK",
}


def one_of(known: tuple[str, ...], value: str, place: str) -> str:
    """The value, in our spelling; RemoteError where it is none of these."""
    if value in known:
        return value
    found = SPELLINGS.get(value.upper(), value.upper())
    if found not in known:
        raise RemoteError(place, f"{value[:40]!r} is unknown -> one of: {', '.join(known)}")
    return found


def number(value: float, place: str, most: float = FAR_M) -> float:
    """A number that can be true."""
    if not -most <= value <= most:  # False for what is no number, too
        raise RemoteError(place, f"{value!r} can't be true")
    return value


def told(value: float | None, place: str, most: float = FAR_M) -> float | None:
    """A number that can be true, where there is one."""
    return None if value is None else number(value, place, most)


def name(value: str, place: str) -> str:
    """A name of a length that can be true."""
    if len(value) > TEXT_MAX:
        raise RemoteError(place, f"is {len(value)} characters long -> {TEXT_MAX} at most")
    return value


def header(head: wire.Head) -> Header:
    """Of any message."""
    if not -1 < head.header_id < 2**63:
        raise RemoteError("headerId", f"{head.header_id} can't be true")
    return Header(
        header_id=head.header_id,
        time_ns=times.parse(head.timestamp),
        version=name(head.version, "version"),
        manufacturer=name(head.manufacturer, "manufacturer"),
        serial=name(head.serial_number, "serialNumber"),
    )


def state2(got: wire.State2) -> State:
    """2.0 and 2.1."""
    battery, safety = got.battery_state, got.safety_state
    power = PowerSupply(
        charge_percent=number(battery.battery_charge, "batteryState.batteryCharge", 1e4),
        charging=battery.charging,
        reach_m=told(battery.reach, "batteryState.reach"),
        voltage=told(battery.battery_voltage, "batteryState.batteryVoltage"),
    )
    stop = one_of(STOPS, safety.e_stop, "safetyState.eStop")
    safe = SafetyState(emergency_stop=stop, field_violation=safety.field_violation)
    return _state(got, power, safe, got.agv_position, ())


def state3(got: wire.State3) -> State:
    """3.0."""
    supply, safety = got.power_supply, got.safety_state
    power = PowerSupply(
        charge_percent=number(supply.state_of_charge, "powerSupply.stateOfCharge", 1e4),
        charging=supply.charging,
        reach_m=told(supply.range, "powerSupply.range"),
        voltage=told(supply.battery_voltage, "powerSupply.batteryVoltage"),
    )
    stop = one_of(STOPS, safety.active_emergency_stop, "safetyState.activeEmergencyStop")
    safe = SafetyState(emergency_stop=stop, field_violation=safety.field_violation)
    instant = tuple(map(_action_state, got.instant_action_states))
    return _state(got, power, safe, got.mobile_robot_position, instant)


def _state(
    got: wire.StateBase,
    power: PowerSupply,
    safety: SafetyState,
    position: wire.WirePosition | None,
    instant: tuple[ActionState, ...],
) -> State:
    v = got.velocity
    loads, information = got.loads, got.information
    return State(
        header=header(got),
        order_id=name(got.order_id, "orderId"),
        order_update=got.order_update_id,
        last_node=name(got.last_node_id, "lastNodeId"),
        last_node_sequence=max(0, got.last_node_sequence_id),
        nodes=tuple(
            [NodeState(id=n.node_id, sequence=n.sequence_id, released=n.released,
                       position=_place(n.node_position)) for n in got.node_states]
        ),
        edges=tuple(
            [EdgeState(id=e.edge_id, sequence=e.sequence_id, released=e.released)
             for e in got.edge_states]
        ),
        actions=tuple(map(_action_state, got.action_states)),
        instant_actions=instant,
        driving=got.driving,
        paused=bool(got.paused),
        new_base_request=bool(got.new_base_request),
        since_last_node_m=told(got.distance_since_last_node, "distanceSinceLastNode"),
        mode=one_of(MODES, got.operating_mode, "operatingMode"),
        position=None if position is None else _position(position),
        velocity=None
        if v is None
        else Velocity(vx=number(v.vx or 0.0, "velocity.vx"), vy=number(v.vy or 0.0, "velocity.vy"),
                      omega=number(v.omega or 0.0, "velocity.omega")),
        loads=None
        if loads is None
        else tuple(
            Load(id=x.load_id, kind=x.load_type, place=x.load_position, 
                 weight_kg=told(x.weight, "loads.weight"))
            for x in loads
        ),
        power=power,
        errors=tuple(map(_error, got.errors)),
        information=() if information is None else tuple(map(_information, information)),
        safety=safety,
        mended=("lastNodeSequenceId",) if got.last_node_sequence_id < 0 else (),
    )  # fmt: skip


def _place(got: wire.WireNodePosition | None) -> NodePosition | None:
    if got is None:
        return None
    return NodePosition(
        x=number(got.x, "nodePosition.x"),
        y=number(got.y, "nodePosition.y"),
        map_id=got.map_id,
        theta=told(got.theta, "nodePosition.theta"),
    )


def _position(got: wire.WirePosition) -> Position:
    localized = got.localized if got.position_initialized is None else got.position_initialized
    return Position(
        x=number(got.x, "position.x"),
        y=number(got.y, "position.y"),
        theta=number(got.theta, "position.theta", 1000.0),
        map_id=got.map_id,
        localized=localized is not False,
        score=told(got.localization_score, "position.localizationScore"),
    )


def _action_state(got: wire.WireActionState) -> ActionState:
    return ActionState(
        id=got.action_id,
        status=one_of(STATUSES, got.action_status, "actionStates.actionStatus"),
        kind=got.action_type,
        result=(got.result_description or got.action_result)[:TEXT_MAX],
    )


def _error(got: wire.Error2) -> Error:
    return Error(
        kind=name(got.error_type, "errors.errorType"),
        level=one_of(LEVELS, got.error_level, "errors.errorLevel"),
        description=got.error_description[:TEXT_MAX],
        references=_references(got.error_references),
    )


def _information(got: wire.Info) -> Information:
    return Information(
        kind=got.info_type,
        level=got.info_level,
        description=(got.info_description or got.info_descriptor)[:TEXT_MAX],
        references=_references(got.info_references),
    )


def _references(got: list[wire.Reference]) -> dict[str, str]:
    return {each.reference_key: each.reference_value[:TEXT_MAX] for each in got}


def visualization(got: wire.WireVisualization) -> Visualization:
    """All versions."""
    place = got.mobile_robot_position or got.agv_position
    return Visualization(
        time_ns=times.parse(got.timestamp) if got.timestamp else -1,
        position=None if place is None else _position(place),
    )


def connection(got: wire.WireConnection) -> Connection:
    """All versions."""
    known = one_of(CONNECTIONS, got.connection_state, "connectionState")
    return Connection(header=header(got), connection=known)


# --- what vehicles read --------------------------------------------------------------------------


def order(got: wire.WireOrder) -> tuple[Header, Order]:
    """All versions."""
    nodes = tuple(
        Node(id=n.node_id, sequence=n.sequence_id, released=n.released,
             position=_order_place(n.node_position), actions=_actions(n.actions))
        for n in got.nodes
    )  # fmt: skip
    starts = {n.sequence: n.id for n in nodes}
    edges = tuple(_edge(e, starts) for e in got.edges)
    found = Order(id=got.order_id, update=got.order_update_id, nodes=nodes, edges=edges)
    return header(got), found


def _edge(got: wire.WireEdge, nodes: dict[int, str]) -> Edge:
    """3.0 does not name an edge's ends: they are the nodes before and behind it."""
    speed = got.max_speed if got.maximum_speed is None else got.maximum_speed
    return Edge(
        id=got.edge_id,
        sequence=got.sequence_id,
        released=got.released,
        start=got.start_node_id or nodes.get(got.sequence_id - 1, ""),
        end=got.end_node_id or nodes.get(got.sequence_id + 1, ""),
        speed_mps_max=told(speed, "edges.maxSpeed"),
        orientation=told(got.orientation, "edges.orientation"),
        length_m=told(got.length, "edges.length"),
        corridor_m=_corridor(got.corridor),
        actions=_actions(got.actions),
    )


def _corridor(got: wire.WireCorridor | None) -> float | None:
    """The narrower side counts."""
    if got is None:
        return None
    sides = [number(side, "edges.corridor") for side in (got.left_width, got.right_width)]
    return max(0.0, min(sides))


def _order_place(got: wire.OrderPosition | None) -> NodePosition | None:
    if got is None:
        return None
    near = got.deviation_xy if got.deviation_xy is not None else got.deviation_xy_schema
    if isinstance(near, wire.DeviationEllipse):
        near = min(near.a, near.b)
    place = (number(got.x, "nodePosition.x"), number(got.y, "nodePosition.y"))
    return NodePosition(
        x=place[0],
        y=place[1],
        map_id=got.map_id,
        theta=told(got.theta, "nodePosition.theta"),
        deviation_xy_m=told(near, "nodePosition.allowedDeviationXY"),
        deviation_theta=told(got.deviation_theta, "nodePosition.allowedDeviationTheta"),
    )


def _actions(got: list[wire.WireAction]) -> tuple[Action, ...]:
    return tuple(
        Action(
            id=each.action_id,
            kind=OURS.get(kind := each.action_type or each.action_name, kind),
            blocking=one_of(BLOCKING, each.blocking_type, "actions.blockingType"),
            parameters={p.key: p.value for p in each.action_parameters},
            description=(each.action_description or each.action_descriptor)[:TEXT_MAX],
        )
        for each in got
    )


def instant_actions(got: wire.WireInstantActions) -> tuple[Header, InstantActions]:
    """All versions, under either name."""
    actions = got.actions if got.actions is not None else got.instant_actions
    if actions is None:
        raise RemoteError("actions", "is missing")
    return header(got), InstantActions(actions=_actions(actions))
