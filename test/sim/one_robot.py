"""A floor for one robot: a few lanes, a clock, and ears for everything the robot reports."""

from __future__ import annotations

import math

from orchestrator.core.roadmap import Roadmap
from orchestrator.layout.site_file import FleetFile
from sim.clock import SECOND_NS, Clock
from sim.lanes import Lanes
from sim.robots import SimRobot
from sim.surroundings import MotionRow

Edge = tuple[int, int, int, float]  # tail, head, body heading in degrees, limit in m/s (0: none)


def roadmap(nodes: list[tuple[float, float]], edges: list[Edge]) -> Roadmap:
    """Nodes in metres. No bays, no conflicts."""
    out: list[list[int]] = [[] for _ in nodes]
    for index, edge in enumerate(edges):
        out[edge[0]].append(index)
    none = ((),) * max(len(nodes), len(edges))
    return Roadmap(
        node_ids=tuple(f"n{i}" for i in range(len(nodes))),
        node_x_mm=tuple(round(1000 * x) for x, _ in nodes),
        node_y_mm=tuple(round(1000 * y) for _, y in nodes),
        node_bay=(-1,) * len(nodes),
        edge_ids=tuple(f"e{i}" for i in range(len(edges))),
        edge_tail=tuple(edge[0] for edge in edges),
        edge_head=tuple(edge[1] for edge in edges),
        edge_length_mm=tuple(
            round(1000 * math.dist(nodes[tail], nodes[head])) for tail, head, _, _ in edges
        ),
        edge_heading_deg=tuple(edge[2] for edge in edges),
        edge_speed_mmps=tuple(round(1000 * edge[3]) for edge in edges),
        edge_fleets=(1,) * len(edges),
        out_edges=tuple(tuple(row) for row in out),
        bays=(),
        fleets=1,
        move_stands=none,
        move_moves=none,
        stand_stands=none,
        epoch="test",
    )


def line(lengths: list[float], limits: list[float] | None = None) -> Roadmap:
    """Lanes one behind the other, eastwards."""
    nodes = [(sum(lengths[:i]), 0.0) for i in range(len(lengths) + 1)]
    limits = limits or [0.0] * len(lengths)
    return roadmap(nodes, [(i, i + 1, 0, limit) for i, limit in enumerate(limits)])


def fleet(**changes: object) -> FleetFile:
    """1 m/s, 0.5 m/s², a quarter turn per second; a battery for 1000 m or 10 h."""
    values: dict[str, object] = {
        "robots": 1,
        "footprint_m": [[0.3, 0.2], [-0.3, 0.2], [-0.3, -0.2], [0.3, -0.2]],
        "speed_mps": 1.0,
        "acceleration_mps2": 0.5,
        "turn_degps": 90.0,
        "battery": {"reach_m": 1000, "idle_hours": 10, "charge_minutes": 10},
    }
    return FleetFile.model_validate(values | changes)


class OneRobot:
    """`sim.robots.World`, with one robot on node 0 that looks east."""

    def __init__(self, floor: Roadmap, spec: FleetFile | None = None) -> None:
        self.clock = Clock()
        self.lanes = Lanes(floor)
        self.cartons = None
        self.nodes: list[tuple[int, int]] = []  # (time_ns, edge)
        self.charges: list[int] = []
        self.deaths: list[tuple[int, str]] = []
        self.rows: list[MotionRow] = []
        self.robot = SimRobot(0, "r", 0, spec or fleet(), 1.0, self)
        self.robot.place(0, 0, 1000.0)

    def reached(self, robot: int, edge: int) -> None:
        self.nodes.append((self.clock.now_ns, edge))

    def charge_crossed(self, robot: int, permille: int) -> None:
        self.charges.append(permille)

    def stopped_for_good(self, robot: SimRobot, reason: str) -> None:
        self.deaths.append((self.clock.now_ns, reason))

    def revived(self, robot: SimRobot) -> None:
        pass

    def moved(self, row: MotionRow) -> None:
        self.rows.append(row)

    def at(self, seconds: float, *edges: int) -> None:
        """Release edges at a time."""
        self.clock.at(round(seconds * SECOND_NS), self.robot.extend, edges)

    def run(self, seconds: float) -> OneRobot:
        """Until a time."""
        self.clock.run(round(seconds * SECOND_NS))
        return self

    def pose(self) -> tuple[float, float, float]:
        """Where the record says that the robot ended: x, y in metres, body heading in degrees."""
        _, _, dt, x, y, theta, direction, v, a, omega = self.rows[-1]
        tau = dt * 1e-9
        way = v * tau + a * tau * tau / 2
        turned = math.degrees(theta + omega * tau)
        return x + math.cos(direction) * way, y + math.sin(direction) * way, turned
