"""The wire form of what is read: JSON members of 2.0, 2.1 and 3.0 (names as in the official schemas).

Members that the standard requires have no default, so that one that is missing is named; what this
program does not use is not read. The orders that vehicles read are here too.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Wire(msgspec.Struct, rename="camel", kw_only=True):
    """Base: members in camel case; unknown ones are ignored."""


class Head(Wire, kw_only=True):
    """Of every message."""

    header_id: int
    timestamp: str
    version: str = ""
    manufacturer: str
    serial_number: str


class Reference(Wire, kw_only=True):
    """Of an error or an information."""

    reference_key: str
    reference_value: str


class Error2(Wire, kw_only=True):
    """2.x and 3.0."""

    error_type: str
    error_level: str
    error_description: str = ""
    error_references: list[Reference] = []


class Info(Wire, kw_only=True):
    """2.x and 3.0."""

    info_type: str
    info_level: str
    info_description: str = ""
    info_descriptor: str = ""
    info_references: list[Reference] = []


class WireNodePosition(Wire, kw_only=True):
    """Of a node."""

    x: float
    y: float
    map_id: str = ""
    theta: float | None = None


class WireNodeState(Wire, kw_only=True):
    """A node that is ahead."""

    node_id: str
    sequence_id: int
    released: bool
    node_position: WireNodePosition | None = None


class WireEdgeState(Wire, kw_only=True):
    """An edge that is ahead."""

    edge_id: str
    sequence_id: int
    released: bool


class WireActionState(Wire, kw_only=True):
    """An action."""

    action_id: str
    action_status: str
    action_type: str = ""
    result_description: str = ""
    action_result: str = ""


class WirePosition(Wire, kw_only=True):
    """agvPosition (2.x) or mobileRobotPosition (3.0)."""

    x: float
    y: float
    theta: float
    map_id: str = ""
    position_initialized: bool | None = None
    localized: bool | None = None
    localization_score: float | None = None


class WireVelocity(Wire, kw_only=True):
    """In the vehicle's frame."""

    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class WireLoad(Wire, kw_only=True):
    """Aboard."""

    load_id: str = ""
    load_type: str = ""
    load_position: str = ""
    weight: float | None = None


class Battery(Wire, kw_only=True):
    """2.x."""

    battery_charge: float
    charging: bool
    battery_voltage: float | None = None
    reach: float | None = None


class Power(Wire, kw_only=True):
    """3.0."""

    state_of_charge: float
    charging: bool
    battery_voltage: float | None = None
    range: float | None = None


class Safety2(Wire, kw_only=True):
    """2.x."""

    e_stop: str
    field_violation: bool


class Safety3(Wire, kw_only=True):
    """3.0."""

    active_emergency_stop: str
    field_violation: bool


class StateBase(Head, kw_only=True):
    """What 2.x and 3.0 have in common."""

    order_id: str
    order_update_id: int
    last_node_id: str
    last_node_sequence_id: int
    driving: bool
    operating_mode: str
    node_states: list[WireNodeState]
    edge_states: list[WireEdgeState]
    action_states: list[WireActionState]
    errors: list[Error2]
    paused: bool | None = None
    new_base_request: bool | None = None
    distance_since_last_node: float | None = None
    velocity: WireVelocity | None = None
    loads: list[WireLoad] | None = None
    information: list[Info] | None = None


class State2(StateBase, kw_only=True):
    """2.0 and 2.1."""

    battery_state: Battery
    safety_state: Safety2
    agv_position: WirePosition | None = None


class State3(StateBase, kw_only=True):
    """3.0."""

    instant_action_states: list[WireActionState]
    power_supply: Power
    safety_state: Safety3
    mobile_robot_position: WirePosition | None = None


class WireConnection(Head, kw_only=True):
    """A vehicle's connection."""

    connection_state: str


class Parameter(Wire, kw_only=True):
    """Of an action."""

    key: str
    value: Any


class WireAction(Wire, kw_only=True):
    """Of an order, or an instant one. `action_name`: 2.0's schema for instant actions."""

    action_id: str
    blocking_type: str
    action_type: str = ""
    action_name: str = ""
    action_description: str = ""
    action_descriptor: str = ""
    action_parameters: list[Parameter] = []


class DeviationEllipse(Wire, kw_only=True):
    """3.0."""

    a: float
    b: float


class OrderPosition(WireNodePosition, kw_only=True):
    """2.0 spells it Xy in its schema and XY in its text."""

    deviation_xy: float | DeviationEllipse | None = msgspec.field(
        default=None, name="allowedDeviationXY"
    )
    deviation_xy_schema: float | None = msgspec.field(default=None, name="allowedDeviationXy")
    deviation_theta: float | None = msgspec.field(default=None, name="allowedDeviationTheta")


class WireNode(Wire, kw_only=True):
    """Of an order."""

    node_id: str
    sequence_id: int
    released: bool
    actions: list[WireAction]
    node_position: OrderPosition | None = None


class WireEdge(Wire, kw_only=True):
    """Of an order."""

    edge_id: str
    sequence_id: int
    released: bool
    actions: list[WireAction]
    start_node_id: str = ""
    end_node_id: str = ""
    max_speed: float | None = None
    maximum_speed: float | None = None
    orientation: float | None = None
    length: float | None = None


class WireOrder(Head, kw_only=True):
    """An order or an update."""

    order_id: str
    order_update_id: int
    nodes: list[WireNode]
    edges: list[WireEdge]


class WireInstantActions(Head, kw_only=True):
    """Under either of the two names that are in use."""

    actions: list[WireAction] | None = None
    instant_actions: list[WireAction] | None = None
