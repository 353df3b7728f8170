"""Who goes first: the precedence graph over planned moves, and the release of nodes to robots.
(Who may go first after all: `core.switching`.)

After Hoenig et al. 2019 (action dependency graph). A plan arrives as a sequence of moves that could
be made one at a time; it is checked move by move, and each move waits for every earlier move of
another robot whose swept area it would touch. The sequence is a linear extension of the graph, so
the graph has no cycle. A move is *released* when all it waits for has ended and it lies within
`lookahead` nodes of its robot.

The frontier invariant: each robot's `tail` is the last node released to it. Released moves of
different robots never conflict, and no tail conflicts with a released move of another robot. So if
nothing more were ever released, all would come to rest without touching.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from orchestrator.core.roadmap import Roadmap

REACH_FACTOR = 3  # so many times `lookahead` nodes at most, whatever a fleet needs to stop


class Move:
    """One robot along one edge; `waits` counts the unfinished moves that go first, `rank` is its place
    in the sequence of what is planned."""

    __slots__ = ("edge", "followers", "move_id", "over", "rank", "released", "robot", "waits")

    def __init__(self, robot: int, edge: int, move_id: int, rank: int = 0) -> None:
        self.robot = robot
        self.edge = edge
        self.move_id = move_id
        self.rank = rank
        self.waits = 0
        self.released = False
        self.over = False
        self.followers: list[Move] = []


class Traffic:
    """Positions, frontiers and the precedence graph of all robots (lists by robot index)."""

    def __init__(self, roadmap: Roadmap, lookahead: int, holders: list[list[int]]) -> None:
        self.roadmap = roadmap
        self.lookahead = lookahead
        self.holders = holders  # by bay: robots with a ticket
        self.reach_mm: dict[
            int, int
        ] = {}  # fleet: at least so much is released behind a robot's edge
        self.fleet: list[int] = []
        self.at: list[int] = []  # last node reached
        self.at_heading_deg: list[int] = []  # there
        self.tail: list[int] = []  # frontier: last node released
        self.tail_heading_deg: list[int] = []
        self.released: list[deque[Move]] = []
        self.planned: list[deque[Move]] = []
        self.stands: dict[int, int] = {}  # stand id of each frontier -> robot
        self.frozen = False  # a plan from these frontiers is being computed
        self.lanes: dict[int, list[Move]] = {}  # move id -> moves; empty: nobody asked since
        self.foremost = 0  # rank of the first of what is planned, or less
        self.switched = 0  # times that somebody went first after all
        self.cut = 0  # moves of plans that were refused by the check
        self.changes: dict[int, int] = {}  # edge -> fleets, where it differs from the roadmap

    def join(self, robot: int, fleet: int, node: int, heading_deg: int) -> None:
        """Place the next robot; indices are given in sequence. A plan that leads through it ends."""
        assert robot == len(self.at), "robots join in sequence"
        stand = fleet * self.roadmap.nodes + node
        for other in self.roadmap.stand_stands[stand]:
            assert other not in self.stands, (
                f"robot {robot} joins where {self.stands[other]} stands"
            )
        if any(stand in self.roadmap.move_stands[m.move_id] for q in self.planned for m in q):
            self.drop_planned()
        self.fleet.append(fleet)
        self.at.append(node)
        self.at_heading_deg.append(heading_deg)
        self.tail.append(node)
        self.tail_heading_deg.append(heading_deg)
        self.released.append(deque())
        self.planned.append(deque())
        self.stands[stand] = robot

    def splice(self, moves: Iterable[tuple[int, int]], fixed: set[int]) -> int:
        """Replace all that is not released by `moves`; return how many were taken.

        The check stops at the first move that is not possible one at a time from the frontiers;
        what stands before it is a valid plan by itself, what comes after is cut."""
        self.drop_planned()
        roadmap, fleets, planned = self.roadmap, self.fleet, self.planned
        nodes, edges, heads = roadmap.nodes, roadmap.edges, roadmap.edge_head
        move_stands, move_moves = roadmap.move_stands, roadmap.move_moves
        # By move id: who is the last there. Whoever was there before it goes before it anyhow.
        last: list[Move | None] = [None] * len(move_moves)
        for queue in self.released:
            for move in queue:
                last[move.move_id] = move
        at = list(self.tail)
        stands = dict(self.stands)
        occupied = stands.keys()
        taken = 0
        pending = iter(moves)
        for robot, edge in pending:  # the hottest loop of the core: no calls but one per move
            if robot in fixed or not self._leads_on(robot, edge, at):
                self.cut += 1 + sum(1 for _ in pending)
                break
            fleet = fleets[robot]
            move_id = fleet * edges + edge if edge < edges else roadmap.move(fleet, edge)
            del stands[fleet * nodes + at[robot]]  # its own is not in its way
            if not occupied.isdisjoint(move_stands[move_id]):
                self.cut += 1 + sum(1 for _ in pending)
                break
            at[robot] = node = heads[edge]
            stands[fleet * nodes + node] = robot
            move = Move(robot, edge, move_id, taken)
            waits = 0
            for touched in move_moves[move_id]:
                other = last[touched]
                if other is not None and other.robot != robot:
                    other.followers.append(move)
                    waits += 1
            move.waits = waits
            last[move_id] = move
            planned[robot].append(move)
            taken += 1
        return taken

    def _leads_on(self, robot: int, edge: int, at: list[int]) -> bool:
        """The edge begins where the robot is by then, and is open to its fleet."""
        roadmap = self.roadmap
        if not (0 <= robot < len(at) and 0 <= edge < len(roadmap.edge_tail)):
            return False
        fleet = self.fleet[robot]
        fleets = self.changes.get(edge, roadmap.edge_fleets[edge])
        return roadmap.edge_tail[edge] == at[robot] and bool(fleets >> fleet & 1)

    def drop_planned(self) -> None:
        """Forget every move that is not released. What is released waits for nothing."""
        self.lanes, self.foremost = {}, 0
        for queue in self.planned:
            queue.clear()
        for queue in self.released:
            for move in queue:
                move.followers.clear()

    def unfinished(self) -> Iterator[Move]:
        """All moves that are released or planned."""
        for queues in (self.released, self.planned):
            for queue in queues:
                yield from queue

    def release(self, robot: int) -> tuple[int, ...]:
        """Release what this robot may have now; return the newly released edges."""
        if self.frozen:
            return ()
        planned, released = self.planned[robot], self.released[robot]
        edges: list[int] = []
        while planned and planned[0].waits == 0 and self.short(robot):
            if not self.may_enter(robot, planned[0].edge):
                break
            move = planned.popleft()
            move.released = True
            released.append(move)
            edges.append(move.edge)
        if edges:
            self._set_tail(robot, edges[-1])
        return tuple(edges)

    def short(self, robot: int) -> bool:
        """It is to be given more, if possible: by count, or by the way that it needs to stop."""
        released = self.released[robot]
        if len(released) < self.lookahead:
            return True
        reach_mm = self.reach_mm.get(self.fleet[robot], 0)
        if not reach_mm or len(released) >= REACH_FACTOR * self.lookahead:
            return False
        length_mm = self.roadmap.edge_length_mm
        behind_mm = sum(length_mm[move.edge] for move in released) - length_mm[released[0].edge]
        return behind_mm < reach_mm

    def runs_short(self, robot: int) -> bool:
        """Nothing is planned that it could be given."""
        return bool(self.reach_mm) and not self.planned[robot] and self.short(robot)

    def held_up(self, robot: int) -> bool:
        """Others go first on its next planned move, or stay where it leads."""
        planned = self.planned[robot]
        return bool(planned) and (
            planned[0].waits > 0 or not self.may_enter(robot, planned[0].edge)
        )

    def may_enter(self, robot: int, edge: int) -> bool:
        """A ticket may have been given back since the plan was made: then nobody enters the bay."""
        node_bay = self.roadmap.node_bay
        bay = node_bay[self.roadmap.edge_head[edge]]
        return bay < 0 or robot in self.holders[bay]

    def _set_tail(self, robot: int, edge: int) -> None:
        base = self.fleet[robot] * self.roadmap.nodes
        del self.stands[base + self.tail[robot]]
        self.tail[robot] = self.roadmap.edge_head[edge]
        self.tail_heading_deg[robot] = self.roadmap.edge_heading_deg[edge]
        self.stands[base + self.tail[robot]] = robot

    def complete(self, robot: int, edge: int) -> list[int] | None:
        """The robot arrived at the head of `edge`. Return the robots for which something may be
        released now, or None if the edge is not part of its base. A report may have been lost or
        overtaken: whatever lies before `edge` is behind the robot too."""
        released = self.released[robot]
        if all(move.edge != edge for move in released):
            return None
        wake = [robot]
        while True:
            move = released.popleft()
            move.over = True
            for follower in move.followers:
                follower.waits -= 1
                if follower.waits == 0 and self.planned[follower.robot][0] is follower:
                    wake.append(follower.robot)
            if move.edge == edge:
                break
        self.at[robot] = self.roadmap.edge_head[edge]
        self.at_heading_deg[robot] = self.roadmap.edge_heading_deg[edge]
        return wake

    def retract(self, robot: int, edges: tuple[int, ...]) -> bool:
        """Take back a release that never left the house, and all that was released behind it."""
        released = self.released[robot]
        known = [move.edge for move in released]
        first = len(known) - len(edges)
        while first >= 0 and known[first : first + len(edges)] != list(edges):
            first -= 1
        if first < 0:
            return False
        self.drop_planned()
        while len(released) > first:
            released.pop()
        base = self.fleet[robot] * self.roadmap.nodes
        del self.stands[base + self.tail[robot]]
        self.tail[robot] = self.roadmap.edge_tail[edges[0]]
        self.tail_heading_deg[robot] = (
            self.roadmap.edge_heading_deg[released[-1].edge]
            if released
            else self.at_heading_deg[robot]
        )
        self.stands[base + self.tail[robot]] = robot
        return True

    def held_nodes(self, robot: int) -> Iterator[int]:
        """Nodes the robot may be at or on the way to, without further release."""
        yield self.at[robot]
        for move in self.released[robot]:
            yield self.roadmap.edge_head[move.edge]

    def still(self, robot: int) -> bool:
        """Nothing is released that the robot has not reached."""
        return not self.released[robot]
