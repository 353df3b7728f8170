"""What an adapter keeps of its order: what is ahead, what is to be done there, what is behind."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from orchestrator.ros.nav2.way import Leg, leg_of
from orchestrator.vda5050.doing import Doing
from orchestrator.vda5050.model import Edge, Node, Order


@dataclass(slots=True)
class Held:
    """An order. `nodes` and `edges` are ahead, what is released first."""

    id: str = ""
    update: int = 0
    last: Node = field(default_factory=lambda: Node(id="", sequence=0, released=True))
    nodes: deque[Node] = field(default_factory=deque)
    edges: deque[Edge] = field(default_factory=deque)
    doing: list[Doing] = field(default_factory=list)
    left: list[Leg] = field(default_factory=list)  # of a cancelled order: where it may stand

    @property
    def idle(self) -> bool:
        """Nothing ahead, and every action has ended."""
        return not self.nodes and all(each.ended for each in self.doing)

    def take(self, order: Order) -> str:
        """A new order or an update; "" or why it is refused."""
        if order.id != self.id:
            if not self.idle:
                return f"order {self.id} is not ended"
            self.last, self.doing, self.left = order.nodes[0], [], []
            self._do(order.nodes[0])
        elif order.update > self.update:
            while self.nodes and not self.nodes[-1].released:
                self.nodes.pop()
                self.edges.pop()
            if order.nodes[0].sequence != (self.nodes[-1] if self.nodes else self.last).sequence:
                return "an update must begin where the base ends"
        else:
            return ""  # known already
        self.id, self.update = order.id, order.update
        for node in order.nodes[1:]:
            self.nodes.append(node)
            self._do(node)
        self.edges.extend(order.edges)
        return ""

    def _do(self, node: Node) -> None:
        self.doing += [Doing(action, node.sequence) for action in node.actions]

    def passed(self) -> None:
        """The next node is behind it."""
        self.last = self.nodes.popleft()
        self.edges.popleft()

    def forget(self, why: str) -> None:
        """It will not be driven to its end."""
        self.left = self.legs()[:1] or self.left
        self.nodes.clear()
        self.edges.clear()
        for each in self.doing:
            if not each.ended:
                each.end(why)

    def here(self) -> list[Doing]:
        """What is to be done at the last node, and has not ended."""
        return [d for d in self.doing if not d.ended and d.sequence <= self.last.sequence]

    def legs(self) -> list[Leg]:
        """What may be driven now: released, up to the first node where something is to be done."""
        stops = {each.sequence for each in self.doing if not each.ended}
        found: list[Leg] = []
        start = self.last
        if self.last.sequence in stops:
            return found
        for edge, node in zip(self.edges, self.nodes, strict=True):
            if not node.released:
                break
            found.append(leg_of(start, edge, node))
            if node.sequence in stops:
                break
            start = node
        return found
