"""Cartons that fall on lanes, and what robots sense of them. One falls where nobody is near and no
base leads, so every robot sees it in time. It is cleared from afar with some luck, or by a person."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from shapely import affinity

from orchestrator.core.messages import ClearingFailed, ClearLane, Event, LaneCleared
from orchestrator.core.roadmap import Roadmap
from orchestrator.layout.robot_faults_file import LaneBlocked
from sim.clock import SECOND_NS, Clock, Streams
from sim.lanes import Lanes
from sim.robots import SimRobot
from sim.scenario import ScenarioError
from sim.visits import Visits

HOUR_NS = 3600 * SECOND_NS
CLEARANCE_M = 0.05  # so far before a carton robots stop
STEP_M = 0.02
NEAR_M = 3.0  # no robot is so near when one falls
AGAIN_NS = 5 * SECOND_NS
SENSED_NS = 10 * SECOND_NS  # robots that stand before one look whether it is there still
TRIES_MAX = 200  # to find a moment when nobody is near
MIDDLE = (0.35, 0.65)  # of a lane


@dataclass(slots=True)
class Carton:
    """One that lies on a lane; `edges`: those that robots reported because of it."""

    id: str
    edge: int
    shape: Any  # shapely polygon
    edges: dict[int, None] = field(default_factory=dict)


class Cartons:
    """`robots.Ahead`, and the fault `lane_blocked`."""

    def __init__(
        self,
        roadmap: Roadmap,
        lanes: Lanes,
        clock: Clock,
        streams: Streams,
        robots: list[SimRobot],
        visits: Visits,
        say: Callable[[Event], None],
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._roadmap, self._lanes, self._clock = roadmap, lanes, clock
        self._robots, self._visits, self._say, self._tell = robots, visits, say, tell
        self._chance, self._luck = streams.of("cartons"), streams.of("clearing")
        self._there: dict[str, Carton] = {}
        self._stops: dict[tuple[int, int], float] = {}  # fleet, edge; while nothing changes
        self._spec: LaneBlocked | None = None
        self._era = self._count = 0
        self._ways = [
            edge
            for edge in range(roadmap.edges)
            if roadmap.node_bay[roadmap.edge_tail[edge]] < 0
            and roadmap.node_bay[roadmap.edge_head[edge]] < 0
            and roadmap.edge_fleets[edge]
        ]

    def __bool__(self) -> bool:
        return bool(self._there)

    # --- how they come and go --------------------------------------------------------------------

    def change(self, spec: LaneBlocked | None) -> None:
        """From now on they fall at these rates and places."""
        if spec == self._spec:
            return
        self._spec = spec
        self._era += 1
        names = {name: edge for edge, name in enumerate(self._roadmap.edge_ids)}
        for row in spec.at if spec else ():
            if row.edge not in names:
                raise ScenarioError(
                    f"faults: lane_blocked.at: no edge {row.edge!r} -> mend the name"
                )
            time_ns = max(self._clock.now_ns, round(row.after_s * SECOND_NS))
            self._clock.at(time_ns, self._falls, (names[row.edge], 0.5, TRIES_MAX))
        self._next()

    def _next(self) -> None:
        if self._spec and self._spec.per_hour and self._ways:
            hours = self._chance.expovariate(self._spec.per_hour)
            self._clock.after(round(hours * HOUR_NS), self._by_chance, self._era)

    def _by_chance(self, era: int) -> None:
        if era != self._era:
            return
        edge, share = self._chance.choice(self._ways), self._chance.uniform(*MIDDLE)
        self._falls((edge, share, TRIES_MAX))
        self._next()

    def _falls(self, argument: tuple[int, float, int]) -> None:
        edge, share, tries = argument
        lane, half = self._lanes.of(edge), (self._spec.size_m if self._spec else 0.2) / 2
        x, y = (
            lane.x_m + lane.dx * lane.length_m * share,
            lane.y_m + lane.dy * lane.length_m * share,
        )
        if not self._alone(x, y):
            if tries:
                self._clock.after(AGAIN_NS, self._falls, (edge, share, tries - 1))
            return
        self._count += 1
        shape = shapely.box(x - half, y - half, x + half, y + half)
        carton = Carton(f"carton-{self._count:03d}", edge, shape)
        self._there[carton.id] = carton
        self._stops.clear()
        outline = [list(point) for point in shape.exterior.coords[:-1]]
        self._tell("obstacle_placed", {"id": carton.id, "outline": outline})
        self._tell(
            "fault", {"kind": "lane_blocked", "subject": carton.id, "reason": "a carton fell"}
        )

    def _alone(self, x: float, y: float) -> bool:
        """Nobody is near, and nobody's base leads near."""
        for robot in self._robots:
            at_x, at_y = robot.position()
            if math.hypot(at_x - x, at_y - y) < NEAR_M:
                return False
            for edge in robot.base:
                for node in (self._roadmap.edge_tail[edge], self._roadmap.edge_head[edge]):
                    node_x, node_y = self._lanes.position(node)
                    if math.hypot(node_x - x, node_y - y) < NEAR_M:
                        return False
        return True

    # --- what robots sense -----------------------------------------------------------------------

    def stop_m(self, robot: SimRobot, edge: int) -> float:
        """How far along the edge it may drive; inf: to its end. Below zero: not at all."""
        key = (robot.fleet, edge)
        known = self._stops.get(key)
        if known is None:
            known = self._stops[key] = self._sense(robot, edge)
        return known

    def _sense(self, robot: SimRobot, edge: int) -> float:
        lane = self._lanes.of(edge)
        body = self._body(robot, lane.heading_deg, lane.x_m, lane.y_m)
        least = math.inf
        for carton in self._there.values():
            if body.distance(carton.shape) > lane.length_m + CLEARANCE_M:
                continue
            for step in np.arange(0.0, lane.length_m + STEP_M, STEP_M):
                s_m = min(float(step), lane.length_m)
                moved = affinity.translate(body, lane.dx * s_m, lane.dy * s_m)
                if moved.distance(carton.shape) < CLEARANCE_M:
                    least = min(least, s_m - STEP_M)
                    break
        return least

    def may_turn(self, robot: SimRobot) -> bool:
        """Nothing is in the way of a turn where it stands."""
        x, y = self._lanes.position(robot.node)
        reach = max(math.hypot(*point) for point in robot.spec.footprint_m) + CLEARANCE_M
        here = shapely.Point(x, y)
        return all(here.distance(carton.shape) >= reach for carton in self._there.values())

    def _body(self, robot: SimRobot, heading_deg: int, x: float, y: float) -> Any:
        shape = shapely.Polygon(robot.spec.footprint_m)
        return affinity.translate(affinity.rotate(shape, heading_deg, origin=(0, 0)), x, y)

    def met(self, robot: SimRobot, edge: int) -> None:
        """The robot has stopped before one, on its way along this edge."""
        x, y = robot.position()
        here = shapely.Point(x, y)
        nearest = min(self._there.values(), key=lambda carton: here.distance(carton.shape))
        nearest.edges[self._roadmap.sweep(edge)] = None

    # --- how they are cleared --------------------------------------------------------------------

    def clear(self, command: ClearLane) -> None:
        """Begin: from afar, or by a person."""
        if command.maintenance:
            x, y = self._middle(command.edge)
            self._visits.begin(
                (x, y), command.orders, f"clearing {command.edge}", self._done, command
            )
            return
        seconds = self._luck.uniform(*self._spec.clear_s) if self._spec else 60.0
        self._clock.after(round(seconds * SECOND_NS), self._tried, command)

    def _middle(self, edge: int) -> tuple[float, float]:
        lane = self._lanes.of(edge)
        half = lane.length_m / 2
        return lane.x_m + lane.dx * half, lane.y_m + lane.dy * half

    def _tried(self, command: ClearLane) -> None:
        share = self._spec.clear_success if self._spec else 1.0
        left = self._spec.left_share if self._spec else 0.0
        if self._luck.random() < share:
            self._left(command) if left and self._luck.random() < left else self._done(command)
        else:
            self._say(ClearingFailed(edge=command.edge, attempt=command.attempt))

    def lies_on(self, name: str) -> bool:
        """Does a floor camera above the edge of this name see one?"""
        return any(
            name in (self._roadmap.edge_ids[edge] for edge in (carton.edge, *carton.edges))
            for carton in self._there.values()
        )

    def _on(self, edge: int) -> list[Carton]:
        return [c for c in self._there.values() if edge == c.edge or edge in c.edges]

    def _left(self, command: ClearLane) -> None:
        """It is said to be cleared, and isn't."""
        edges = {command.edge: None}
        for carton in self._on(command.edge):
            edges |= carton.edges
            self._tell("obstacle_left", {"id": carton.id})
        for edge in edges:
            self._say(LaneCleared(edge=edge))
        self._clock.after(SENSED_NS, self._unblock, None)

    def _unblock(self, _: None) -> None:
        for robot in self._robots:
            robot.unblock()

    def _done(self, command: ClearLane) -> None:
        edges = {command.edge: None}
        for carton in self._on(command.edge):
            edges |= carton.edges
            del self._there[carton.id]
            self._tell("obstacle_removed", {"id": carton.id})
            self._tell("fault_ended", {"kind": "lane_blocked", "subject": carton.id})
        self._stops.clear()
        for edge in edges:
            self._say(LaneCleared(edge=edge))
        self._unblock(None)
