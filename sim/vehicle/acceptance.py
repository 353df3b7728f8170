"""Which orders a vehicle takes (VDA 5050, "Orders and order update", "Order rejection")."""

from __future__ import annotations

import math
from typing import NamedTuple

from orchestrator.vda5050.model import Error, Node, Order
from sim.vehicle.held import Held
from sim.vehicle.ways import Ways

NEAR_M = 0.1  # so near to a node it stands on it, whatever deviation the order allows
ACTIONS = ("pick", "drop", "startCharging", "stopCharging", "detectObject")  # that nodes may have
REFERENCE_MAX = 100  # characters of a name that is not ours


class Here(NamedTuple):
    """Where a vehicle stands: node, place, heading."""

    node: int
    x: float
    y: float
    theta: float


class Verdict(NamedTuple):
    """kind: new | update | same (known already) | refused (`error` says why)."""

    kind: str
    error: Error | None = None


def judge(order: Order, held: Held, here: Here, ways: Ways, able: str = "") -> Verdict:
    """`able`: why the vehicle takes no order at all just now; "": it does."""
    text = malformed(order)
    if text:
        return _refused("validationError", order, text)
    update = order.id == held.id
    if update and order.update == held.update:
        return Verdict("same")
    if able:
        return _refused("orderUpdateError" if update else "orderError", order, able)
    found = _of_update(order, held) if update else _of_new(order, held, here, ways)
    if found is None:
        found = _cannot(order, held, ways, update=update)
    return found or Verdict("update" if update else "new")


def _refused(kind: str, order: Order, text: str, **more: str) -> Verdict:
    references = {"orderId": order.id[:REFERENCE_MAX], "orderUpdateId": str(order.update)}
    references |= {key: value[:REFERENCE_MAX] for key, value in more.items()}
    return Verdict(
        "refused", Error(kind=kind, level="WARNING", description=text, references=references)
    )


def malformed(order: Order) -> str:
    """What is wrong with the form of an order; "": nothing."""
    nodes, edges = order.nodes, order.edges
    if not order.id or order.update < 0:
        return "an order needs an orderId and an orderUpdateId of 0 or more"
    if not nodes or len(edges) != len(nodes) - 1:
        return f"{len(nodes)} nodes and {len(edges)} edges: one node more than edges is needed"
    first = nodes[0].sequence
    if first % 2 or first < 0:
        return f"node sequenceId {first} is not even"
    released = True
    for number, (node, edge) in enumerate(zip(nodes, (None, *edges), strict=True)):
        at = first + 2 * number
        if node.sequence != at or (edge is not None and edge.sequence != at - 1):
            return f"sequenceIds are not continuous at node {node.id!r}"
        if edge is not None and edge.released != node.released:
            return f"edge {edge.id!r} and the node behind it are not released together"
        if node.released and not released:
            return f"node {node.id!r} is released behind what is not"
        released = node.released
        if edge is not None and (edge.start, edge.end) != (nodes[number - 1].id, node.id):
            return f"edge {edge.id!r} does not lead from {nodes[number - 1].id!r} to {node.id!r}"
    if not nodes[0].released:
        return "the first node is not released"
    ids = [action.id for node in nodes for action in node.actions]
    ids += [action.id for edge in edges for action in edge.actions]
    return "" if len(set(ids)) == len(ids) else "an actionId is used twice"


def _of_new(order: Order, held: Held, here: Here, ways: Ways) -> Verdict | None:
    if not held.idle:
        return _refused("orderError", order, f"order {held.id} is not ended: cancel it first")
    if order.update:
        return _refused("orderError", order, "a new order begins with orderUpdateId 0")
    first = order.nodes[0]
    if first.sequence:
        return _refused("validationError", order, "a new order's first sequenceId is 0")
    if ways.node_of.get(first.id, -1) != here.node or not within(first, here, ways):
        name = ways.roadmap.node_ids[here.node]
        text = f"it does not begin where the vehicle stands, at {name}"
        return _refused("noRouteError", order, text, nodeId=first.id)
    return None


def within(node: Node, here: Here, ways: Ways) -> bool:
    """The vehicle is within the deviation that the order allows."""
    x, y = ways.position(ways.node_of[node.id])
    near, place = NEAR_M, node.position
    if place is not None:
        x, y = place.x, place.y
        near = max(NEAR_M, place.deviation_xy_m or 0.0)
        if place.theta is not None and place.deviation_theta:
            off = math.remainder(here.theta - place.theta, math.tau)
            if abs(off) > place.deviation_theta + 1e-6:
                return False
    return math.hypot(here.x - x, here.y - y) <= near


def _of_update(order: Order, held: Held) -> Verdict | None:
    if order.update < held.update:
        text = f"update {held.update} is known already"
        return _refused("orderUpdateError", order, text)
    if held.cancelled:
        return _refused("orderUpdateError", order, "the order was cancelled")
    first = order.nodes[0]
    if (first.id, first.sequence) != held.decision:
        node, sequence = held.decision
        text = f"the base ends at {node} ({sequence}): an update must begin there"
        return _refused("orderUpdateError", order, text, nodeId=first.id)
    return None


def _cannot(order: Order, held: Held, ways: Ways, *, update: bool) -> Verdict | None:
    """What this vehicle can't do, in this building."""
    for edge in order.edges:
        if ways.edge(edge) < 0:
            text = f"there is no way from {edge.start} to {edge.end}"
            return _refused("noRouteError", order, text, edgeId=edge.id)
        if edge.actions:
            text = "actions on edges are not possible"
            return _refused("orderError", order, text, edgeId=edge.id)
    known = {each.action.id for each in held.doing} if update else set()
    for node in order.nodes[1:] if update else order.nodes:
        for action in node.actions:
            if action.kind not in ACTIONS:
                text = f"action {action.kind[:REFERENCE_MAX]!r} is unknown"
                more = {"actionId": action.id, "actionType": action.kind}
                return _refused("orderError", order, text, **more)
            if action.id in known:
                text = "its actionId is used already"
                return _refused("orderUpdateError", order, text, actionId=action.id)
    return None
