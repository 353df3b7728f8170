"""The roadmap as integer tables: what layout compiles and what everything in the core reads.

A *bay* is a place off the traffic core (slot, station siding, charger, parking) that a robot enters
only when its goal lies in it and it holds a ticket. Its nodes stand in the sequence in which they are
driven; the last one is where the robot is served. `node_bay` is -1 on the traffic core.

*Stand id* = fleet * nodes + node: a robot of this fleet standing (and turning, where it may) there.
*Move id* = fleet * edges + edge: a robot of this fleet anywhere on the way along this edge, both
ends included. Two of them conflict where the (swept) footprints, grown by the safety margin, touch.

*Contraflow.* Behind the edges of the layout the edge tables hold an edge against each one-way lane of
the core: driven backwards, the body's heading kept. It is open to no fleet; while a dead robot cuts
the roadmap, the core opens some. It covers what the lane covers, so it has no conflict rows of its
own: `sweep` names the edge whose area it has, and move ids go by that.
"""

from __future__ import annotations

from dataclasses import dataclass

Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Bay:
    """Places off the traffic core; `nodes` in driving sequence, the last is the point of service."""

    id: str
    kind: str  # slot | station | charger | parking
    nodes: tuple[int, ...]
    fleets: int  # bit mask of the fleets that may enter
    zone: str = ""  # of a slot: which part of the storage it belongs to

    @property
    def node(self) -> int:
        """Where a robot is served."""
        return self.nodes[-1]


@dataclass(frozen=True, slots=True)
class Roadmap:
    """All lengths in mm, headings in whole degrees [0, 360), counter-clockwise from east."""

    node_ids: tuple[str, ...]
    node_x_mm: tuple[int, ...]
    node_y_mm: tuple[int, ...]
    node_bay: tuple[int, ...]
    edge_ids: tuple[str, ...]
    edge_tail: tuple[int, ...]
    edge_head: tuple[int, ...]
    edge_length_mm: tuple[int, ...]
    edge_heading_deg: tuple[int, ...]  # of the robot's body: differs from the driving direction
    edge_speed_mmps: tuple[
        int, ...
    ]  # where the lane allows less than the fleet: the lower; 0: none
    edge_fleets: tuple[int, ...]  # bit mask of the fleets that may use it
    out_edges: Table
    bays: tuple[Bay, ...]
    fleets: int
    move_stands: Table  # move id -> stand ids of others that it would touch
    move_moves: Table  # move id -> move ids of others that it would touch
    stand_stands: Table  # stand id -> stand ids of others that it would touch
    epoch: str  # hash of the layout these tables were compiled from
    contraflow_of: tuple[int, ...] = ()  # edge `edges` + k runs against this one
    edge_corridor_mm: tuple[int, ...] = ()  # half widths by edge of the layout; empty: no corridors

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_x_mm)

    @property
    def edges(self) -> int:
        """Number of edges of the layout; contraflow edges come behind them."""
        return len(self.edge_tail) - len(self.contraflow_of)

    def is_stop(self, node: int) -> bool:
        """A transport may lead here: on the lanes, or to where a bay serves."""
        bay = self.node_bay[node]
        return bay < 0 or self.bays[bay].node == node

    def sweep(self, edge: int) -> int:
        """The edge of the layout whose swept area this one has: itself, but for contraflow."""
        edges = self.edges
        return edge if edge < edges else self.contraflow_of[edge - edges]

    def corridor_mm(self, edge: int) -> int:
        """So far to both sides its swept area is the robot's own; 0: it is no corridor."""
        return self.edge_corridor_mm[self.sweep(edge)] if self.edge_corridor_mm else 0

    def move(self, fleet: int, edge: int) -> int:
        """The move id."""
        return fleet * self.edges + self.sweep(edge)
