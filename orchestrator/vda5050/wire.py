"""The wire form of what is read: JSON members of 2.0, 2.1 and 3.0 (names as in the official schemas).

Members that the standard requires have no default, so that one that is missing is named; what this
program does not use is not read. The orders that vehicles read are here too. Free text has no bound
here: it is cut when it is read.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

TEXT_MAX = 1024
NAMES3 = {"initPosition": "initializePosition"}  # of actions: 2.x's, which is ours -> 3.0's
ARRAY_MAX = 2000  # elements; no base and no horizon is so long
Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Wire(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """Base: members in camel case; unknown ones are ignored."""


class Head(Wire, kw_only=True):
    """Of every message."""

    header_id: Count
    timestamp: Text
    version: Text = ""
    manufacturer: Text
    serial_number: Text


class Reference(Wire, kw_only=True):
    """Of an error or an information."""

    reference_key: Text
    reference_value: str


class Error2(Wire, kw_only=True):
    """2.x and 3.0."""

    error_type: Text
    error_level: Text
    error_description: str = ""
    error_references: Annotated[list[Reference], msgspec.Meta(max_length=ARRAY_MAX)] = []


class Info(Wire, kw_only=True):
    """2.x and 3.0."""

    info_type: Text
    info_level: Text
    info_description: str = ""
    info_descriptor: str = ""
    info_references: Annotated[list[Reference], msgspec.Meta(max_length=ARRAY_MAX)] = []


class WireNodePosition(Wire, kw_only=True):
    """Of a node."""

    x: float
    y: float
    map_id: Text = ""
    theta: float | None = None


class WireNodeState(Wire, kw_only=True):
    """A node that is ahead."""

    node_id: Text
    sequence_id: Count
    released: bool
    node_position: WireNodePosition | None = None


class WireEdgeState(Wire, kw_only=True):
    """An edge that is ahead."""

    edge_id: Text
    sequence_id: Count
    released: bool


class WireActionState(Wire, kw_only=True):
    """An action."""

    action_id: Text
    action_status: Text
    action_type: Text = ""
    result_description: str = ""
    action_result: str = ""


class WirePosition(Wire, kw_only=True):
    """agvPosition (2.x) or mobileRobotPosition (3.0)."""

    x: float
    y: float
    theta: float
    map_id: Text = ""
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

    load_id: Text = ""
    load_type: Text = ""
    load_position: Text = ""
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

    e_stop: Text
    field_violation: bool


class Safety3(Wire, kw_only=True):
    """3.0."""

    active_emergency_stop: Text
    field_violation: bool


class StateBase(Head, kw_only=True):
    """What 2.x and 3.0 have in common."""

    order_id: Text
    order_update_id: Count
    last_node_id: Text
    last_node_sequence_id: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    driving: bool
    operating_mode: Text
    node_states: Annotated[list[WireNodeState], msgspec.Meta(max_length=ARRAY_MAX)]
    edge_states: Annotated[list[WireEdgeState], msgspec.Meta(max_length=ARRAY_MAX)]
    action_states: Annotated[list[WireActionState], msgspec.Meta(max_length=ARRAY_MAX)]
    errors: Annotated[list[Error2], msgspec.Meta(max_length=ARRAY_MAX)]
    paused: bool | None = None
    new_base_request: bool | None = None
    distance_since_last_node: float | None = None
    velocity: WireVelocity | None = None
    loads: Annotated[list[WireLoad], msgspec.Meta(max_length=ARRAY_MAX)] | None = None
    information: Annotated[list[Info], msgspec.Meta(max_length=ARRAY_MAX)] | None = None


class State2(StateBase, kw_only=True):
    """2.0 and 2.1."""

    battery_state: Battery
    safety_state: Safety2
    agv_position: WirePosition | None = None


class State3(StateBase, kw_only=True):
    """3.0."""

    instant_action_states: Annotated[list[WireActionState], msgspec.Meta(max_length=ARRAY_MAX)]
    power_supply: Power
    safety_state: Safety3
    mobile_robot_position: WirePosition | None = None


class WireConnection(Head, kw_only=True):
    """A vehicle's connection."""

    connection_state: Text


class WireVisualization(Wire, kw_only=True):
    """Where a vehicle is, more often than its state tells. The topic says who: 2.x demands nothing."""

    header_id: int = 0
    timestamp: Text = ""
    agv_position: WirePosition | None = None
    mobile_robot_position: WirePosition | None = None


class Parameter(Wire, kw_only=True):
    """Of an action."""

    key: Text
    value: Any


class WireAction(Wire, kw_only=True):
    """Of an order, or an instant one. `action_name`: 2.0's schema for instant actions."""

    action_id: Text
    blocking_type: Text
    action_type: Text = ""
    action_name: Text = ""
    action_description: str = ""
    action_descriptor: str = ""
    action_parameters: Annotated[list[Parameter], msgspec.Meta(max_length=ARRAY_MAX)] = []


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

    node_id: Text
    sequence_id: Count
    released: bool
    actions: Annotated[list[WireAction], msgspec.Meta(max_length=ARRAY_MAX)]
    node_position: OrderPosition | None = None


class WireCorridor(Wire, kw_only=True):
    """Of an edge."""

    left_width: float
    right_width: float


class WireEdge(Wire, kw_only=True):
    """Of an order."""

    edge_id: Text
    sequence_id: Count
    released: bool
    actions: Annotated[list[WireAction], msgspec.Meta(max_length=ARRAY_MAX)]
    start_node_id: Text = ""
    end_node_id: Text = ""
    max_speed: float | None = None
    maximum_speed: float | None = None
    orientation: float | None = None
    length: float | None = None
    corridor: WireCorridor | None = None


class WireOrder(Head, kw_only=True):
    """An order or an update."""

    order_id: Text
    order_update_id: Count
    nodes: Annotated[list[WireNode], msgspec.Meta(max_length=ARRAY_MAX)]
    edges: Annotated[list[WireEdge], msgspec.Meta(max_length=ARRAY_MAX)]


class WireInstantActions(Head, kw_only=True):
    """Under either of the two names that are in use."""

    actions: Annotated[list[WireAction], msgspec.Meta(max_length=ARRAY_MAX)] | None = None
    instant_actions: Annotated[list[WireAction], msgspec.Meta(max_length=ARRAY_MAX)] | None = None
