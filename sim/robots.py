"""Robots of the fake world: they drive released edges in continuous time, handle loads, charge, die.

A robot reports only what a real one would: nodes it reached, actions that ended, its charge, and
that it can't go on.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from orchestrator.core.roadmap import Roadmap
from orchestrator.layout.site_file import FleetFile
from sim.clock import SECOND_NS, Clock
from sim.motion import Phase, exit_speed, profile, state

STEP_PERMILLE = 50  # charge is reported at each crossing of a multiple of this
MotionRow = tuple[int, int, int, float, float, float, float, float, float, float]


class World(Protocol):
    """What a robot needs of the world around it."""

    clock: Clock
    roadmap: Roadmap

    def reached(self, robot: int, edge: int) -> None:
        """Report a node."""

    def charge_crossed(self, robot: int, permille: int) -> None:
        """Report the charge."""

    def stopped_for_good(self, robot: SimRobot, reason: str) -> None:
        """The robot has come to rest, dead."""

    def revived(self, robot: SimRobot) -> None:
        """The robot obeys again."""

    def moved(self, row: MotionRow) -> None:
        """Record an executed piece of motion."""


class SimRobot:
    """One robot: base, motion, charge."""

    def __init__(
        self, index: int, name: str, fleet: int, spec: FleetFile, share: float, world: World
    ) -> None:
        self.index, self.name, self.fleet, self.spec = index, name, fleet, spec
        self.world = world
        self.speed_mps = spec.speed_mps * share
        self.a_mps2 = spec.acceleration_mps2
        self.turn_radps = math.radians(spec.turn_degps)
        self.node = -1  # last node passed
        self.heading_deg = 0
        self.base: deque[int] = deque()  # edges not finished; the first is under way when driving
        self.phases: list[Phase] = []  # of the edge under way
        self.driving = False
        self.turning = False
        self.busy = False  # handling a load
        self.dead = False
        self.dying = ""  # reason, until it has come to rest
        self.version = 0  # of scheduled arrivals
        self.load = ""
        self.charge_permille = 1000.0
        self.charge_ns = 0  # time of the last update
        self.charging = False
        self.travelled_m = 0.0

    def place(self, node: int, heading_deg: int, charge_permille: float) -> None:
        """Put the robot on the floor."""
        self.node, self.heading_deg, self.charge_permille = node, heading_deg, charge_permille

    def extend(self, edges: tuple[int, ...]) -> None:
        """Take a longer base."""
        self.base.extend(edges)
        if self.dead or self.dying:
            return
        if self.driving:
            self._replan()
        elif not self.turning and not self.busy:
            self._go()

    @property
    def standing(self) -> bool:
        """At the end of its base, with nothing to do."""
        return not (self.base or self.driving or self.turning or self.busy)

    def go_on(self) -> None:
        """After handling or a restart: drive what is released."""
        if self.driving:
            return
        if self.phases:
            self._start_edge(self._at_m, 0.0)
        elif not self.turning and not self.busy:
            self._go()

    def _go(self) -> None:
        if not self.base or self.dead:
            return
        self.charging = False
        wanted = self.world.roadmap.edge_heading_deg[self.base[0]]
        left = (wanted - self.heading_deg + 180) % 360 - 180
        if left:
            self._turn(left, wanted)
        else:
            self._start_edge(0.0, 0.0)

    def _turn(self, left_deg: int, wanted: int) -> None:
        self.turning = True
        dt_ns = math.ceil(abs(math.radians(left_deg)) / self.turn_radps * 1e9)
        x, y = self.position(self.node)
        omega = math.copysign(self.turn_radps, left_deg)
        now = self.world.clock.now_ns
        theta = math.radians(self.heading_deg)
        self.world.moved((self.index, now, dt_ns, x, y, theta, 0.0, 0.0, 0.0, omega))
        self.world.clock.after(dt_ns, self._turned, wanted)

    def _turned(self, wanted: int) -> None:
        self.turning = False
        self.heading_deg = wanted
        if self.dying:
            self._rest()
        else:
            self._go()

    def position(self, node: int) -> tuple[float, float]:
        """Metres."""
        roadmap = self.world.roadmap
        return roadmap.node_x_mm[node] / 1000, roadmap.node_y_mm[node] / 1000

    def _limit(self, edge: int) -> float:
        limit = self.world.roadmap.edge_speed_mmps[edge]
        return min(self.speed_mps, limit / 1000) if limit else self.speed_mps

    def _straight(self) -> tuple[list[float], list[float]]:
        """Lengths and limits of the edges ahead that need no stop between them."""
        roadmap = self.world.roadmap
        lengths: list[float] = []
        limits: list[float] = []
        before = -1
        for edge in self.base:
            if before >= 0 and not self._continues(before, edge):
                break
            lengths.append(roadmap.edge_length_mm[edge] / 1000)
            limits.append(self._limit(edge))
            before = edge
        return lengths, limits

    def _continues(self, before: int, edge: int) -> bool:
        roadmap = self.world.roadmap
        if roadmap.edge_heading_deg[before] != roadmap.edge_heading_deg[edge]:
            return False
        ax, ay = self._direction(before)
        bx, by = self._direction(edge)
        return ax * bx + ay * by > 0.9998

    def _direction(self, edge: int) -> tuple[float, float]:
        (ax, ay), (bx, by) = (
            self.position(self.world.roadmap.edge_tail[edge]),
            self.position(self.world.roadmap.edge_head[edge]),
        )
        length = math.hypot(bx - ax, by - ay)
        return (bx - ax) / length, (by - ay) / length

    def _start_edge(self, s_m: float, v_mps: float) -> None:
        lengths, limits = self._straight()
        v_out = exit_speed(lengths, limits, self.a_mps2)
        now = self.world.clock.now_ns
        self.phases = profile(now, s_m, lengths[0], v_mps, v_out, limits[0], self.a_mps2)
        self.driving = True
        self.version += 1
        end = self.phases[-1].t0_ns + self.phases[-1].dt_ns if self.phases else now
        self.world.clock.at(end, self._arrived, self.version)

    def _replan(self) -> None:
        """The base grew while driving: perhaps no need to brake."""
        now = self.world.clock.now_ns
        if len(self.base) < 2 or not self._continues(self.base[0], self.base[1]):
            return
        s_m, v_mps = self._cut(now)
        self._start_edge(s_m, v_mps)

    def _cut(self, now: int) -> tuple[float, float]:
        """Record what was driven of the edge; return position and speed now."""
        s_m, v_mps = 0.0, 0.0
        for phase in self.phases:
            if phase.t0_ns + phase.dt_ns <= now:
                self._record(phase, phase.dt_ns)
                s_m, v_mps = state(phase, phase.t0_ns + phase.dt_ns)
            elif phase.t0_ns <= now:
                if now > phase.t0_ns:
                    self._record(phase, now - phase.t0_ns)
                return state(phase, now)
        return s_m, v_mps

    def _record(self, phase: Phase, dt_ns: int) -> None:
        edge = self.base[0]
        x, y = self.position(self.world.roadmap.edge_tail[edge])
        dx, dy = self._direction(edge)
        self.world.moved((
            self.index, phase.t0_ns, dt_ns, x + dx * phase.s_m, y + dy * phase.s_m,
            math.radians(self.heading_deg), math.atan2(dy, dx), phase.v_mps, phase.a_mps2, 0.0,
        ))  # fmt: skip

    def _arrived(self, version: int) -> None:
        if version != self.version or not self.driving:
            return
        v_mps = 0.0
        for phase in self.phases:
            self._record(phase, phase.dt_ns)
            v_mps = phase.v_mps + phase.a_mps2 * phase.dt_ns * 1e-9
        edge = self.base.popleft()
        roadmap = self.world.roadmap
        self.node = roadmap.edge_head[edge]
        self.phases = []
        self.travelled_m += roadmap.edge_length_mm[edge] / 1000
        self.use_charge(roadmap.edge_length_mm[edge] / 1000)
        rolling = v_mps > 1e-6 and bool(self.base)
        if rolling:
            self._start_edge(0.0, v_mps)
        else:
            self.driving = False
        self.world.reached(self.index, edge)
        if self.dying:
            self.die(self.dying)
        elif not rolling and not self.dead:
            self._go()

    # --- charge ---------------------------------------------------------------------------------

    def use_charge(self, way_m: float = 0.0) -> None:
        """Bring the charge up to date and report crossings."""
        battery, now = self.spec.battery, self.world.clock.now_ns
        hours = (now - self.charge_ns) / (3600 * SECOND_NS)
        self.charge_ns = now
        before = self.charge_permille
        if self.charging:
            after = min(1000.0, before + 1000.0 * hours * 60 / battery.charge_minutes)
        else:
            after = before - 1000.0 * (way_m / battery.reach_m + hours / battery.idle_hours)
        self.charge_permille = max(0.0, after)
        if int(before // STEP_PERMILLE) != int(self.charge_permille // STEP_PERMILLE):
            self.world.charge_crossed(self.index, int(self.charge_permille))
        if self.charge_permille <= 0 and not self.dead and not self.dying:
            self.die("battery empty")

    # --- death and return -------------------------------------------------------------------------

    def die(self, reason: str) -> None:
        """Brake and stand; where the brakes reach beyond the edge, at the next chance."""
        self.dying = reason
        if self.turning:
            return
        if not self.driving:
            self._rest()
            return
        now = self.world.clock.now_ns
        length = self.world.roadmap.edge_length_mm[self.base[0]] / 1000
        s_m, v_mps = self._peek(now)
        way = v_mps * v_mps / (2 * self.a_mps2)
        if s_m + way >= length - 1e-6:
            return
        self._cut(now)
        self._at_m = s_m + way
        self.driving = False
        self.version += 1
        dt_ns = math.ceil(v_mps / self.a_mps2 * 1e9)
        brake = Phase(now, dt_ns, s_m, v_mps, -self.a_mps2)
        self.phases = [brake]
        if dt_ns:
            self._record(brake, dt_ns)
        self.world.clock.after(dt_ns, lambda _: self._rest())

    _at_m = 0.0  # where on its edge a dead robot stands

    def _peek(self, now: int) -> tuple[float, float]:
        for phase in self.phases:
            if phase.t0_ns <= now < phase.t0_ns + phase.dt_ns:
                return state(phase, now)
        return 0.0, 0.0

    def _rest(self) -> None:
        reason, self.dying = self.dying, ""
        self.dead = True
        self.world.stopped_for_good(self, reason)

    def revive(self) -> None:
        """Restarted: goes on along its kept base from where it stands."""
        self.dead = False
        self.world.revived(self)
        self.go_on()

    def flush(self) -> None:
        """Record what was driven of the edge under way, at the end of a run."""
        if self.driving:
            self._cut(self.world.clock.now_ns)
