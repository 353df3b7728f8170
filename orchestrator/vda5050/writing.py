"""From the model to the wire's form, for every message type but the factsheet."""

from __future__ import annotations

import math
from typing import Any

from orchestrator.vda5050 import times
from orchestrator.vda5050.model import (
    Action,
    ActionState,
    Connection,
    Edge,
    Header,
    InstantActions,
    Node,
    NodePosition,
    Order,
    State,
)
from orchestrator.vda5050.quirks import Quirks
from orchestrator.vda5050.wire import NAMES3

Json = dict[str, Any]
BLOCKING2 = {"SINGLE": "HARD"}  # what 2.x does not know: stricter
LEVELS2 = {"URGENT": "WARNING", "CRITICAL": "FATAL"}
MODES2 = {"STARTUP": "MANUAL", "INTERVENED": "SEMIAUTOMATIC", "TEACH_IN": "TEACHIN"}
STATUSES2 = {"RETRIABLE": "FAILED"}
STOPS3 = {"AUTOACK": "REMOTE"}


class Writer:
    """For one protocol version and one kind of vehicle."""

    def __init__(self, version: str, quirks: Quirks) -> None:
        self._new = version.startswith("3")
        self._old = version.startswith("2.0")
        self._quirks = quirks
        self._describe = "Descriptor" if self._new else "Description"

    def head(self, header: Header) -> Json:
        """Of every message."""
        return {
            "headerId": header.header_id,
            "timestamp": times.text(header.time_ns),
            "version": header.version,
            "manufacturer": header.manufacturer,
            "serialNumber": header.serial,
        }

    # --- to vehicles -----------------------------------------------------------------------------

    def order(self, order: Order) -> Json:
        """An order or an update."""
        return {
            "orderId": order.id,
            "orderUpdateId": order.update,
            "nodes": [self._node(node) for node in order.nodes],
            "edges": [self._edge(edge, order) for edge in order.edges],
        }

    def instant_actions(self, message: InstantActions) -> Json:
        """Under the name that the vehicle wants."""
        found = [self._action(action, instant=True) for action in message.actions]
        return {self._quirks.instant_actions_key: found}

    def _node(self, node: Node) -> Json:
        found: Json = {
            "nodeId": node.id,
            "sequenceId": node.sequence,
            "released": node.released,
            "actions": [self._action(action) for action in node.actions],
        }
        if node.position is not None:
            found["nodePosition"] = self._place(node.position)
        return found

    def _place(self, place: NodePosition, *, ahead: bool = False) -> Json:
        """`ahead`: in a state, where 2.0 demands a theta and nobody wants tolerances."""
        found: Json = {"x": place.x, "y": place.y, "mapId": place.map_id}
        if place.theta is not None:
            found["theta"] = place.theta
        elif self._quirks.node_theta or (ahead and self._old):
            found["theta"] = 0.0
        if ahead:
            return found
        near = place.deviation_xy_m
        if near is not None and self._new:
            found["allowedDeviationXY"] = {"a": near, "b": near, "theta": 0.0}
        elif near is not None:
            plain = "allowedDeviationXy" if self._old else "allowedDeviationXY"
            found[self._quirks.deviation_key or plain] = near
        if place.deviation_theta is not None:
            found["allowedDeviationTheta"] = place.deviation_theta
        return found

    def _edge(self, edge: Edge, order: Order) -> Json:
        found: Json = {
            "edgeId": edge.id,
            "sequenceId": edge.sequence,
            "released": edge.released,
            "actions": [self._action(action) for action in edge.actions],
        }
        if not self._new and self._quirks.edge_ends:
            found |= {"startNodeId": edge.start, "endNodeId": edge.end}
        if edge.speed_mps_max is not None:
            found["maximumSpeed" if self._new else "maxSpeed"] = edge.speed_mps_max
        if edge.orientation is not None:
            found["orientation"] = edge.orientation
            if self._quirks.edge_orientation == "map":
                found["orientation"] = math.remainder(
                    edge.orientation + _travel(order, edge), math.tau
                )
            if not self._old:
                found["orientationType"] = "TANGENTIAL"
        if edge.length_m is not None:
            found["length"] = edge.length_m
        if edge.corridor_m is not None and not self._old:
            found["corridor"] = {"leftWidth": edge.corridor_m, "rightWidth": edge.corridor_m}
        return found

    def _action(self, action: Action, *, instant: bool = False) -> Json:
        plain = NAMES3.get(action.kind, action.kind) if self._new else action.kind
        kind = self._quirks.action_kinds.get(action.kind, plain)
        blocking = action.blocking
        if self._new and instant:
            blocking = "NONE"  # 3.0 knows no other for instant actions
        elif not self._new:
            blocking = BLOCKING2.get(blocking, blocking)
        found: Json = {"actionType": kind, "actionId": action.id, "blockingType": blocking}
        if self._old and instant and self._quirks.action_name:
            found["actionName"] = kind
        if action.description:
            found[f"action{self._describe}"] = action.description
        parameters = {**action.parameters, **self._quirks.action_parameters.get(action.kind, {})}
        if parameters:
            rows = [{"key": key, "value": value} for key, value in parameters.items()]
            found["actionParameters"] = rows
        return found

    # --- from vehicles ---------------------------------------------------------------------------

    def connection(self, message: Connection) -> Json:
        """All versions."""
        known = message.connection
        if not self._new:
            spelling = {"CONNECTION_BROKEN": "CONNECTIONBROKEN", "HIBERNATING": "OFFLINE"}
            known = spelling.get(known, known)
        return {"connectionState": known}

    def state(self, state: State) -> Json:
        """All versions."""
        instants = [self._action_state(each) for each in state.instant_actions]
        actions = [self._action_state(each) for each in state.actions]
        found: Json = {
            "orderId": state.order_id,
            "orderUpdateId": state.order_update,
            "lastNodeId": state.last_node,
            "lastNodeSequenceId": state.last_node_sequence,
            "driving": state.driving,
            "paused": state.paused,
            "newBaseRequest": state.new_base_request,
            "operatingMode": self._mode(state.mode),
            "nodeStates": [
                {"nodeId": n.id, "sequenceId": n.sequence, "released": n.released}
                | ({"nodePosition": self._place(n.position, ahead=True)} if n.position else {})
                for n in state.nodes
            ],
            "edgeStates": [
                {"edgeId": e.id, "sequenceId": e.sequence, "released": e.released}
                for e in state.edges
            ],
            "actionStates": actions if self._new else actions + instants,
            "errors": [self._error(state, number) for number in range(len(state.errors))],
            "information": self._information(state),
        }
        if self._new:
            found["instantActionStates"] = instants
        if state.since_last_node_m is not None:
            found["distanceSinceLastNode"] = state.since_last_node_m
        if state.velocity is not None:
            v = state.velocity
            found["velocity"] = {"vx": v.vx, "vy": v.vy, "omega": v.omega}
        if state.loads is not None:
            found["loads"] = self._loads(state)
        return found | self._position(state) | self._power(state) | self._safety(state)

    def _mode(self, mode: str) -> str:
        return mode if self._new else MODES2.get(mode, mode)

    def _action_state(self, each: ActionState) -> Json:
        status = each.status if self._new else STATUSES2.get(each.status, each.status)
        if not self._new and status == "PAUSED":
            status = "RUNNING"  # 2.x tells `paused` of the whole vehicle
        found: Json = {"actionId": each.id, "actionStatus": status}
        if each.kind:
            found["actionType"] = each.kind
        if each.result:
            found["actionResult" if self._new else "resultDescription"] = each.result
        return found

    def _error(self, state: State, number: int) -> Json:
        error = state.errors[number]
        level = error.level if self._new else LEVELS2.get(error.level, error.level)
        found: Json = {"errorType": error.kind, "errorLevel": level}
        if error.description:
            found["errorDescription"] = error.description
        if error.references:
            found["errorReferences"] = _references(error.references)
        return found

    def _information(self, state: State) -> list[Json]:
        return [
            {"infoType": each.kind, "infoLevel": each.level, f"info{self._describe}": each.description}
            | ({"infoReferences": _references(each.references)} if each.references else {})
            for each in state.information
        ]  # fmt: skip

    def _loads(self, state: State) -> list[Json]:
        rows = []
        for load in state.loads or ():
            row: Json = {"loadId": load.id}
            row |= {"loadType": load.kind} if load.kind else {}
            row |= {"loadPosition": load.place} if load.place else {}
            row |= {"weight": load.weight_kg} if load.weight_kg is not None else {}
            rows.append(row)
        return rows

    def _position(self, state: State) -> Json:
        place = state.position
        if place is None:
            return {}
        found: Json = {"x": place.x, "y": place.y, "theta": place.theta, "mapId": place.map_id}
        if place.score is not None:
            found["localizationScore"] = place.score
        if self._new:
            return {"mobileRobotPosition": found | {"localized": place.localized}}
        return {"agvPosition": found | {"positionInitialized": place.localized}}

    def _power(self, state: State) -> Json:
        power = state.power
        percent = power.charge_percent if power is not None else 100.0
        charging = power.charging if power is not None else False
        found: Json = {"charging": charging}
        if power is not None and power.voltage is not None:
            found["batteryVoltage"] = power.voltage
        reach = power.reach_m if power is not None else None
        if self._new:
            found |= {"stateOfCharge": percent} | ({} if reach is None else {"range": reach})
            return {"powerSupply": found}
        whole = None if reach is None else int(reach)
        found |= {"batteryCharge": percent} | ({} if whole is None else {"reach": whole})
        return {"batteryState": found}

    def _safety(self, state: State) -> Json:
        stop, violated = state.safety.emergency_stop, state.safety.field_violation
        key = "activeEmergencyStop" if self._new else "eStop"
        stop = STOPS3.get(stop, stop) if self._new else stop
        return {"safetyState": {key: stop, "fieldViolation": violated}}


def _travel(order: Order, edge: Edge) -> float:
    """The direction on the map from its start to its end; 0 where they have no positions."""
    places = {node.sequence: node.position for node in order.nodes}
    a, b = places.get(edge.sequence - 1), places.get(edge.sequence + 1)
    return math.atan2(b.y - a.y, b.x - a.x) if a is not None and b is not None else 0.0


def _references(references: dict[str, str]) -> list[Json]:
    return [{"referenceKey": key, "referenceValue": text} for key, text in references.items()]
