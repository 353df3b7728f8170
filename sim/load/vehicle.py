"""A cheap vehicle: it obeys orders by VDA 5050 2.1 (base, horizon, updates, cancelOrder), drives at
constant speed, and says where it is. No I/O; times in s."""

from __future__ import annotations

import math
from collections import deque
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from sim.load.hall import MAKER, SPEED_MPS, TURN_DEGPS, Start

PICK_UP_S = 0.4  # lost where it has to stop
TAIL = (
    b'"batteryState":{"charging":false,"batteryCharge":80.0},'
    b'"safetyState":{"eStop":"NONE","fieldViolation":false}}'
)


class _Place(msgspec.Struct):
    x: float
    y: float


class _Action(msgspec.Struct, rename="camel"):
    action_type: str
    action_id: str


class _Node(msgspec.Struct, rename="camel"):
    node_id: str
    sequence_id: int
    released: bool
    node_position: _Place | None = None


class _Edge(msgspec.Struct, rename="camel"):
    edge_id: str
    sequence_id: int
    released: bool


class _Order(msgspec.Struct, rename="camel"):
    header_id: int
    order_id: str
    order_update_id: int
    nodes: list[_Node]
    edges: list[_Edge]


class _Instant(msgspec.Struct, rename="camel"):
    actions: list[_Action]


class Ahead(NamedTuple):
    """An edge with the node behind it."""

    node: str
    sequence: int
    released: bool
    x: float
    y: float
    node_text: bytes
    edge_text: bytes


_order = msgspec.json.Decoder(_Order).decode
_instant = msgspec.json.Decoder(_Instant).decode


def _text(key: str, name: str, sequence: int, released: bool) -> bytes:
    return (
        f'{{"{key}":"{name}","sequenceId":{sequence},"released":{str(released).lower()}}}'.encode()
    )


class LoadVehicle:
    """`arrive_at`: when it will be at its next node; inf while it stands."""

    def __init__(self, start: Start) -> None:
        self.serial = start.serial
        self.node, self.sequence = start.node, 0
        self.x, self.y, self.theta = start.x, start.y, start.theta
        self.order_id, self.update = "", 0
        self.ahead: deque[Ahead] = deque()
        self.header = 0
        self.arrive_at = math.inf
        self._left_at = 0.0
        self._instants: dict[str, bytes] = {}
        self._cancel: tuple[str, str] | None = None
        self._about = (
            f'"version":"2.1.0","manufacturer":"{MAKER}","serialNumber":"{start.serial}"'.encode()
        )
        self.refused = self.orders = self.nodes = self.stops = self.orders_lost = 0
        self._order_header = -1

    # --- what it is told -------------------------------------------------------------------------

    def ordered(self, now: float, payload: bytes) -> int:
        """An order or an update came; return its header id."""
        order = _order(payload)
        self.orders += 1
        if 0 <= self._order_header < order.header_id - 1:
            self.orders_lost += order.header_id - 1 - self._order_header
        self._order_header = order.header_id
        if order.order_id != self.order_id:
            fits = not self.ahead and order.nodes[0].node_id == self.node
            if fits:
                self.order_id, self.sequence = order.order_id, 0
        else:
            if order.order_update_id <= self.update:
                return order.header_id  # once more
            fits = order.nodes[0].sequence_id == self._base_end()
        if not fits:
            self.refused += 1
            return order.header_id
        self.update = order.order_update_id
        self._extend(order)
        self._go(now, after_stop=True)
        return order.header_id

    def _base_end(self) -> int:
        return max((each.sequence for each in self.ahead if each.released), default=self.sequence)

    def _extend(self, order: _Order) -> None:
        while self.ahead and not self.ahead[-1].released:
            self.ahead.pop()
        for node, edge in zip(order.nodes[1:], order.edges, strict=True):
            place = node.node_position
            assert place is not None, "orders name places"
            self.ahead.append(
                Ahead(
                    node.node_id, node.sequence_id, node.released, place.x, place.y,
                    _text("nodeId", node.node_id, node.sequence_id, node.released),
                    _text("edgeId", edge.edge_id, edge.sequence_id, edge.released),
                )
            )  # fmt: skip

    def instructed(self, payload: bytes) -> None:
        """An instant action came."""
        for action in _instant(payload).actions:
            status = "FINISHED"
            if action.action_type == "cancelOrder" and self.arrive_at < math.inf:
                self._cancel, status = (action.action_id, action.action_type), "RUNNING"
            elif action.action_type == "cancelOrder":
                self.ahead.clear()
            self._says(action.action_id, action.action_type, status)

    def _says(self, number: str, kind: str, status: str) -> None:
        self._instants[number] = (
            f'{{"actionId":"{number}","actionType":"{kind}","actionStatus":"{status}"}}'.encode()
        )

    # --- what it does ----------------------------------------------------------------------------

    def arrived(self) -> None:
        """It is at its next node, and goes on if it may."""
        now = self.arrive_at
        reached = self.ahead.popleft()
        self.theta = math.atan2(reached.y - self.y, reached.x - self.x)
        self.node, self.sequence = reached.node, reached.sequence
        self.x, self.y = reached.x, reached.y
        self.nodes += 1
        self.arrive_at = math.inf
        if self._cancel is not None:
            self._says(*self._cancel, "FINISHED")
            self._cancel = None
            self.ahead.clear()
        elif self.ahead and not self.ahead[0].released:
            self.stops += 1
        self._go(now, after_stop=False)

    def _go(self, now: float, *, after_stop: bool) -> None:
        if self.arrive_at < math.inf or not self.ahead or not self.ahead[0].released:
            return
        goal = self.ahead[0]
        dx, dy = goal.x - self.x, goal.y - self.y
        turn = math.degrees(abs(math.remainder(math.atan2(dy, dx) - self.theta, math.tau)))
        stand_s = turn / TURN_DEGPS + (PICK_UP_S if after_stop or turn > 1 else 0.0)
        self._left_at = now + stand_s
        self.arrive_at = self._left_at + math.hypot(dx, dy) / SPEED_MPS

    # --- what it says ----------------------------------------------------------------------------

    def state(self, now: float, stamp: bytes) -> bytes:
        """As it is now, under the next header; `stamp`: the time as `stamp_of` writes it."""
        x, y, theta, driving = self.x, self.y, self.theta, b"false"
        if self.arrive_at < math.inf:
            driving = b"true"
            goal = self.ahead[0]
            if now > self._left_at:
                share = min(1.0, (now - self._left_at) / (self.arrive_at - self._left_at))
                x, y = x + share * (goal.x - x), y + share * (goal.y - y)
                theta = math.atan2(goal.y - self.y, goal.x - self.x)
        header, self.header = self.header, self.header + 1
        return (
            b'{"headerId":%d,"timestamp":"%s",%b,"orderId":"%s","orderUpdateId":%d,'
            b'"lastNodeId":"%s","lastNodeSequenceId":%d,"driving":%b,"paused":false,'
            b'"newBaseRequest":false,"operatingMode":"AUTOMATIC","nodeStates":[%b],'
            b'"edgeStates":[%b],"actionStates":[%b],"errors":[],"information":[],"loads":[],'
            b'"agvPosition":{"x":%.3f,"y":%.3f,"theta":%.4f,"mapId":"load",'
            b'"positionInitialized":true,"localizationScore":0.98},'
            b'"velocity":{"vx":%.2f},%b'
            % (
                header, stamp, self._about, self.order_id.encode(), self.update,
                self.node.encode(), self.sequence, driving,
                b",".join([each.node_text for each in self.ahead]),
                b",".join([each.edge_text for each in self.ahead]),
                b",".join(self._instants.values()),
                x, y, theta, SPEED_MPS if driving == b"true" else 0.0, TAIL,
            )
        )  # fmt: skip


def stamp_of(utc_s: float) -> bytes:
    """A time as messages have it."""
    return f"{datetime.fromtimestamp(utc_s, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3].encode() + b"Z"
