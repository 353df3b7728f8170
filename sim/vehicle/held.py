"""What a vehicle keeps of its order: what is ahead, what it was given to do, what is behind it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from orchestrator.vda5050.doing import Doing
from orchestrator.vda5050.model import Action, Edge, Node, Order


@dataclass(slots=True)
class Held:
    """An order as its vehicle has it. `nodes` and `edges` are what is ahead, base first."""

    id: str = ""
    update: int = 0
    last_node: str = ""
    last_sequence: int = 0
    nodes: deque[Node] = field(default_factory=deque)
    edges: deque[Edge] = field(default_factory=deque)
    doing: list[Doing] = field(default_factory=list)
    decision: tuple[str, int] = ("", 0)  # the last node of the base
    cancelled: bool = False

    @property
    def idle(self) -> bool:
        """Nothing ahead, not even planned, and every action has ended."""
        return not self.nodes and not self.edges and all(each.ended for each in self.doing)

    @property
    def base(self) -> list[Edge]:
        """Released edges ahead."""
        return [edge for edge in self.edges if edge.released]

    def begin(self, order: Order) -> None:
        """A new order: its first node is where the vehicle stands."""
        first = order.nodes[0]
        self.id, self.update, self.cancelled = order.id, order.update, False
        self.last_node, self.last_sequence = first.id, first.sequence
        self.nodes.clear()
        self.edges.clear()
        self.doing = [Doing(action, first.sequence) for action in first.actions]
        self._append(order)

    def extend(self, order: Order) -> None:
        """An update: what was planned is forgotten, what it brings comes behind the base. Actions of
        the node that it begins with are known."""
        self.update = order.update
        self._forget_horizon()
        self._append(order)

    def _append(self, order: Order) -> None:
        for node in order.nodes[1:]:
            self.nodes.append(node)
            self.doing += [Doing(action, node.sequence) for action in node.actions]
        self.edges.extend(order.edges)
        last = max((n for n in order.nodes if n.released), key=lambda n: n.sequence)
        self.decision = (last.id, last.sequence)

    def _forget_horizon(self) -> None:
        self.keep(self.decision[1])

    def keep(self, sequence: int) -> None:
        """Forget what is ahead behind the node with this sequence id, with its actions."""
        self.nodes = deque(node for node in self.nodes if node.sequence <= sequence)
        self.edges = deque(edge for edge in self.edges if edge.sequence < sequence)
        self.doing = [each for each in self.doing if each.sequence <= sequence or each.ended]

    def passed(self) -> Node:
        """The vehicle has come to the next node."""
        self.edges.popleft()
        node = self.nodes.popleft()
        self.last_node, self.last_sequence = node.id, node.sequence
        return node

    def stops_at(self, sequence: int) -> bool:
        """It must stand at this node until something is done."""
        return any(
            each.sequence == sequence and not each.ended and blocks_driving(each.action)
            for each in self.doing
        )


STANDING = ("pick", "drop", "startCharging", "stopCharging")  # whatever their blocking type says


def blocks_driving(action: Action) -> bool:
    """The vehicle can't, or must not, drive meanwhile."""
    return action.blocking in ("SOFT", "HARD") or action.kind in STANDING
