"""The last check before a vehicle: independent of the core's own bookkeeping.

It follows releases and arrivals by itself, and lets an extension through only if the robot is known,
the edges continue its base and are open to its fleet, and nothing on them conflicts with what any
other robot holds. The reason of a refusal goes back to the core as a `CommandRefused` event.
"""

from __future__ import annotations

from collections import deque

from orchestrator.core.messages import ExtendBase
from orchestrator.core.roadmap import Roadmap


class Gate:
    """Who holds what, as seen at the door."""

    def __init__(self, roadmap: Roadmap) -> None:
        self._roadmap = roadmap
        self._fleet: dict[int, int] = {}
        self._at: dict[int, int] = {}
        self._base: dict[int, deque[int]] = {}
        self._moves: dict[int, dict[int, int]] = {}  # move id -> robot -> count
        self._stands: dict[int, int] = {}  # stand id where a robot is or will come to rest

    def joined(self, robot: int, fleet: int, node: int) -> None:
        """A robot stands at `node`."""
        self._fleet[robot] = fleet
        self._at[robot] = node
        self._base[robot] = deque()
        self._stands[fleet * self._roadmap.nodes + node] = robot

    def reached(self, robot: int, edge: int) -> None:
        """The robot arrived at the head of an edge of its base, and has passed all before it."""
        base = self._base.get(robot)
        if not base or edge not in base:
            return
        passed = -1
        while passed != edge:
            passed = base.popleft()
            self._let_go(robot, passed)
        self._at[robot] = self._roadmap.edge_head[edge]

    def trimmed(self, robot: int, edges: tuple[int, ...]) -> None:
        """These last edges of the robot's base are void; it comes to rest before them."""
        base, stand = self._base.get(robot), self._roadmap.nodes * self._fleet.get(robot, 0)
        if base is None or not edges:
            return
        del self._stands[stand + self.frontier(robot)]
        for edge in reversed(edges):
            if base and base[-1] == edge:
                base.pop()
                self._let_go(robot, edge)
            else:  # it said that it had driven this one
                self._at[robot] = self._roadmap.edge_tail[edge]
        self._stands[stand + self.frontier(robot)] = robot

    def taken_back(self, robot: int, edges: tuple[int, ...]) -> None:
        """Something else refused what was let through here; it is void, and so is all behind it."""
        base = tuple(self._base.get(robot, ()))
        for first in range(len(base) - len(edges), -1, -1):
            if edges and base[first : first + len(edges)] == edges:
                self.trimmed(robot, base[first:])
                return

    def holds(self, robot: int, edges: tuple[int, ...]) -> bool:
        """All of them were let through for it, and are not driven."""
        return set(edges) <= set(self._base.get(robot, ()))

    def backed_out(self, robot: int, node: int) -> None:
        """The robot has no base any more, and stands at the node."""
        base, stand = self._base[robot], self._roadmap.nodes * self._fleet[robot]
        del self._stands[stand + self.frontier(robot)]
        while base:
            self._let_go(robot, base.pop())
        self._at[robot] = node
        self._stands[stand + node] = robot

    def _let_go(self, robot: int, edge: int) -> None:
        holders = self._moves[self._move(robot, edge)]
        holders[robot] -= 1
        if not holders[robot]:
            del holders[robot]

    def check(self, command: ExtendBase) -> str:
        """Take the extension and return "", or return why it must not leave."""
        robot, roadmap = command.robot, self._roadmap
        if robot not in self._fleet:
            return f"robot {robot} is unknown here"
        fleet, node = self._fleet[robot], self.frontier(robot)
        for edge in command.edges:
            if not 0 <= edge < len(roadmap.edge_tail):
                return f"edge {edge} does not exist"
            name = roadmap.edge_ids[edge]
            if roadmap.edge_tail[edge] != node:
                return f"edge {name} does not continue the base at {roadmap.node_ids[node]}"
            if not roadmap.edge_fleets[roadmap.sweep(edge)] >> fleet & 1:
                return f"edge {name} is closed to this fleet"
            other = self._holder(robot, edge)
            if other >= 0:
                return f"edge {name} conflicts with what robot {other} holds"
            node = roadmap.edge_head[edge]
        self._take(command)
        return ""

    def frontier(self, robot: int) -> int:
        """The last node that was let through."""
        base = self._base[robot]
        return self._roadmap.edge_head[base[-1]] if base else self._at[robot]

    def _move(self, robot: int, edge: int) -> int:
        return self._roadmap.move(self._fleet[robot], edge)

    def _holder(self, robot: int, edge: int) -> int:
        move = self._move(robot, edge)
        for stand in self._roadmap.move_stands[move]:
            other = self._stands.get(stand, robot)
            if other != robot:
                return other
        for conflicting in self._roadmap.move_moves[move]:
            for other in self._moves.get(conflicting, ()):
                if other != robot:
                    return other
        return -1

    def _take(self, command: ExtendBase) -> None:
        robot, roadmap = command.robot, self._roadmap
        stand = self._fleet[robot] * roadmap.nodes
        del self._stands[stand + self.frontier(robot)]
        for edge in command.edges:
            holders = self._moves.setdefault(self._move(robot, edge), {})
            holders[robot] = holders.get(robot, 0) + 1
            self._base[robot].append(edge)
        self._stands[stand + self.frontier(robot)] = robot
