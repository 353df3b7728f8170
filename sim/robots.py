"""Robots of the fake world: they drive released edges in continuous time, charge, die.

A robot reports only what a real one would: nodes it reached, actions that ended, its charge, and
that it can't go on.
"""

from __future__ import annotations

import math
from collections import deque

from orchestrator.layout.site_file import FleetFile
from sim.clock import SECOND_NS
from sim.lanes import Lane
from sim.motion import Phase, exit_speed, profile, state
from sim.surroundings import World

STEP_PERMILLE = 50  # charge is reported at each crossing of a multiple of this
BACK_MPS = 0.3  # out of a lane on which something lies
ROLLING_MPS = 1e-6  # slower is standing
HELD = "held"  # not a fault: it was told to stand


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
        self.begun = (0.0, 0.0)  # metres and m/s where these phases begin
        self.halted_m = -1.0  # where on the first edge it stands after a death; -1: at a node
        self.driving = False
        self.turn: tuple[int, int, int] | None = None  # from ns, by degrees, to heading
        self.busy = False  # handling a load
        self.dead = False
        self.dying = ""  # reason, until it has come to rest
        self.fault = ""  # the kind, from when it begins to die until it is revived
        self.passed = -1  # last edge that it drove to its end
        self.blocked = False  # stands before something
        self.back_m = -1.0  # where on the first edge it began to back out; -1: it doesn't
        self.held = False  # told to stand, with its base kept
        self.caps: dict[int, float] = {}  # m/s on edges of its base where an order allows less
        self.off = False  # out of service: uses no charge and can't fail
        self.version = 0  # of scheduled arrivals
        self.loads: list[str] = []
        self.charge_permille = 1000.0
        self.charge_ns = 0  # time of the last update
        self.charging = False

    def place(self, node: int, heading_deg: int, charge_permille: float) -> None:
        """Put the robot on the floor."""
        self.node, self.heading_deg, self.charge_permille = node, heading_deg, charge_permille

    def extend(self, edges: tuple[int, ...]) -> None:
        """Take a longer base."""
        self.base.extend(edges)
        if self.dead or self.dying:
            return
        if self.driving:
            self._replan(len(self.base) - len(edges))
        else:
            self.go_on()

    @property
    def standing(self) -> bool:
        """At the end of its base, with nothing to do."""
        return not (self.base or self.driving or self.turn or self.busy)

    def go_on(self) -> None:
        """After handling or a restart: drive what is released."""
        if self.driving or self.turn or self.busy or self.dead or self.dying or self.blocked:
            return
        if self.held:
            return
        if self.halted_m >= 0:
            at_m, self.halted_m = self.halted_m, -1.0
            self._start_edge(at_m, 0.0)
        elif self.base:
            self._go()

    def _go(self) -> None:
        if self.charging:
            self.use_charge()
            self.charging = False
        wanted = self.world.lanes.of(self.base[0]).heading_deg
        left = (wanted - self.heading_deg + 180) % 360 - 180
        if not left:
            self._start_edge(0.0, 0.0)
            return
        if self.world.cartons and not self.world.cartons.may_turn(self):
            self._blocked()
            return
        dt_ns = math.ceil(abs(math.radians(left)) / self.turn_radps * 1e9)
        self.turn = (self.world.clock.now_ns, left, wanted)
        self.world.clock.after(dt_ns, self._turned)

    def _turned(self, _: None) -> None:
        assert self.turn is not None
        self._record_turn()
        self.heading_deg = self.turn[2]
        self.turn = None
        if self.dying:
            self._rest()
        else:
            self.go_on()

    def _record_turn(self) -> None:
        if self.turn is None:
            return
        begun_ns, left, _ = self.turn
        dt_ns = self.world.clock.now_ns - begun_ns
        x, y = self.world.lanes.position(self.node)
        omega, theta = math.copysign(self.turn_radps, left), math.radians(self.heading_deg)
        if dt_ns:
            self.world.moved((self.index, begun_ns, dt_ns, x, y, theta, 0.0, 0.0, 0.0, omega))

    def _exit_speed(self) -> float:
        """How fast the edge under way may end, so that the robot still stops where it must: at the
        frontier, or where it has to turn."""
        lanes = self.world.lanes
        lengths: list[float] = []
        limits: list[float] = []
        before = -1
        for edge in self.base:
            if before >= 0 and not lanes.continues(before, edge):
                break
            lane = lanes.of(edge)
            stop_m = self._stop_m(edge)
            lengths.append(max(0.0, min(lane.length_m, stop_m)))
            limits.append(self._limit(edge, lane))
            if stop_m < lane.length_m:
                break
            before = edge
        return exit_speed(lengths, limits, self.a_mps2)

    def _limit(self, edge: int, lane: Lane) -> float:
        return min(self.speed_mps, lane.limit_mps, self.caps.get(edge, math.inf))

    def _start_edge(self, s_m: float, v_mps: float) -> None:
        lane, stop_m = self.world.lanes.of(self.base[0]), self._stop_m(self.base[0])
        free = stop_m >= lane.length_m
        if not free and stop_m <= s_m + 1e-6 and v_mps < ROLLING_MPS:
            self.halted_m = s_m if s_m > 0 else -1.0
            self._blocked()
            return
        now, limit = self.world.clock.now_ns, self._limit(self.base[0], lane)
        end_m, v_out = (lane.length_m, self._exit_speed()) if free else (stop_m, 0.0)
        self.phases = profile(now, s_m, end_m, v_mps, v_out, limit, self.a_mps2)
        self.begun = (s_m, v_mps)
        self.driving = True
        self.version += 1
        end = self.phases[-1].t0_ns + self.phases[-1].dt_ns if self.phases else now
        self.world.clock.at(end, self._arrived if free else self._halted, self.version)

    def _replan(self, known: int) -> None:
        """The base grew behind its first `known` edges while driving: perhaps no need to brake."""
        lanes, base = self.world.lanes, self.base
        for index in range(known):
            if index + 1 >= len(base) or not lanes.continues(base[index], base[index + 1]):
                return  # it stops before what is new
        s_m, v_mps = self._cut()
        self._start_edge(s_m, v_mps)

    def on_edge(self) -> tuple[float, float]:
        """Metres along the edge under way, and m/s, now."""
        now = self.world.clock.now_ns
        for phase in self.phases:
            end_ns = phase.t0_ns + phase.dt_ns
            if now < end_ns or phase is self.phases[-1]:
                return state(phase, min(now, end_ns))
        return self.begun

    def _cut(self) -> tuple[float, float]:
        """Record what was driven of the edge; return position and speed now."""
        now, lane = self.world.clock.now_ns, self.world.lanes.of(self.base[0])
        for phase in self.phases:
            dt_ns = min(phase.dt_ns, now - phase.t0_ns)
            if dt_ns > 0:
                self._record(lane, phase, dt_ns)
        return self.on_edge()

    def _record(self, lane: Lane, phase: Phase, dt_ns: int) -> None:
        s_m, direction_rad = phase.s_m, lane.direction_rad
        if self.back_m >= 0:
            s_m, direction_rad = self.back_m - phase.s_m, direction_rad + math.pi
        self.world.moved((
            self.index, phase.t0_ns, dt_ns, lane.x_m + lane.dx * s_m, lane.y_m + lane.dy * s_m,
            lane.theta_rad, direction_rad, phase.v_mps, phase.a_mps2, 0.0,
        ))  # fmt: skip

    def _arrived(self, version: int) -> None:
        if version != self.version or not self.driving:
            return
        _, v_mps = self._cut()
        lanes, edge = self.world.lanes, self.base.popleft()
        lane = lanes.of(edge)
        self.node, self.passed = lane.head, edge
        self.phases, self.driving = [], False
        if self.base and v_mps > ROLLING_MPS and lanes.continues(edge, self.base[0]):
            self._start_edge(0.0, v_mps)
        dying = bool(self.dying)  # if not so far, whoever kills it now sees to the brakes
        self.world.reached(self.index, edge)
        self.use_charge(lane.length_m)
        if dying:
            self._stop()
        else:
            self.go_on()

    # --- things that lie on lanes ---------------------------------------------------------------

    def _stop_m(self, edge: int) -> float:
        return self.world.cartons.stop_m(self, edge) if self.world.cartons else math.inf

    def _halted(self, version: int) -> None:
        if version != self.version or not self.driving:
            return
        self.halted_m, _ = self._cut()
        self.phases, self.driving = [], False
        if self.dying:
            self._rest()
        else:
            self._blocked()

    def _blocked(self) -> None:
        self.blocked = True
        self.world.blocked(self, self.base[0])

    def unblock(self) -> None:
        """What lay there is gone."""
        if self.blocked and self.back_m < 0:
            self.blocked = False
            self.go_on()

    def back_out(self) -> None:
        """Forget the base and drive back to the last node, body heading kept."""
        if not self.blocked or self.back_m >= 0 or self.dead or self.dying:
            return
        self.back_m = max(0.0, self.halted_m)
        now = self.world.clock.now_ns
        self.phases = profile(now, 0.0, self.back_m, 0.0, 0.0, BACK_MPS, self.a_mps2)
        end = self.phases[-1].t0_ns + self.phases[-1].dt_ns if self.phases else now
        self.world.clock.at(end, self._backed_out)

    def _backed_out(self, _: None) -> None:
        self._cut()
        self.phases, self.halted_m, self.back_m = [], -1.0, -1.0
        self.base.clear()
        self.blocked = False
        self.world.backed_out(self)
        if self.dying:
            self._rest()

    def position(self) -> tuple[float, float]:
        """Where its reference point is now, in metres."""
        if not self.base or not (self.driving or self.halted_m >= 0):
            return self.world.lanes.position(self.node)
        lane = self.world.lanes.of(self.base[0])
        s_m = self.on_edge()[0] if self.driving else self.halted_m
        return lane.x_m + lane.dx * s_m, lane.y_m + lane.dy * s_m

    # --- charge ---------------------------------------------------------------------------------

    def use_charge(self, way_m: float = 0.0) -> None:
        """Bring the charge up to date and report crossings."""
        battery, now = self.spec.battery, self.world.clock.now_ns
        hours = (now - self.charge_ns) / (3600 * SECOND_NS)
        self.charge_ns = now
        before = self.charge_permille
        if self.off:
            after = before
        elif self.charging:
            after = min(1000.0, before + 1000.0 * hours * 60 / battery.charge_minutes)
        else:
            after = before - 1000.0 * (way_m / battery.reach_m + hours / battery.idle_hours)
        self.charge_permille = max(0.0, after)
        if int(before // STEP_PERMILLE) != int(self.charge_permille // STEP_PERMILLE):
            self.world.charge_crossed(self.index, int(self.charge_permille))
        if self.charge_permille <= 0 and not self.dead and not self.dying:
            self.die("battery empty", "battery_empty")

    # --- death and return -------------------------------------------------------------------------

    def die(self, reason: str, kind: str = "robot_dead") -> None:
        """Brake and stand, a turn (or the way back) ended first. It dies once at a time."""
        if self.dead or self.off or (self.dying and self.fault != HELD):
            return
        braking = bool(self.dying)
        self.dying, self.fault = reason, kind
        if not braking:
            self._stop()

    def hold(self) -> None:
        """Brake and stand until `let_go`; the base is kept."""
        self.held = True
        if not (self.dead or self.dying or self.off):
            self.dying = self.fault = HELD
            self._stop()

    def let_go(self) -> None:
        """Go on. Where it still brakes, it stands first."""
        self.held = False
        self.go_on()

    def curtail(self) -> int:
        """Forget the base behind the first node at which it can stop; return how many edges of it
        are left."""
        s_m, v_mps = self.on_edge() if self.driving else (max(0.0, self.halted_m), 0.0)
        kept, rest_m = 0, v_mps * v_mps / (2 * self.a_mps2) + s_m
        moving = self.driving or self.halted_m >= 0
        while kept < len(self.base) and (rest_m > 1e-6 or (moving and not kept)):
            rest_m -= self.world.lanes.of(self.base[kept]).length_m
            kept += 1
        while len(self.base) > kept:
            self.base.pop()
        if self.driving and not self.dying:
            self._start_edge(*self._cut())
        return kept

    def _stop(self) -> None:
        if self.turn or self.back_m >= 0:
            return
        if not self.driving:
            self._rest()
            return
        s_m, v_mps = self.on_edge()
        way = v_mps * v_mps / (2 * self.a_mps2)
        rest_m = self.world.lanes.of(self.base[0]).length_m - s_m
        if way >= rest_m - 1e-6:
            self._brake_on(rest_m)
            return
        self._cut()
        self.halted_m = s_m + way
        self.driving = False
        self.version += 1
        now, dt_ns = self.world.clock.now_ns, math.ceil(v_mps / self.a_mps2 * 1e9)
        self.phases = [Phase(now, dt_ns, s_m, v_mps, -self.a_mps2)]
        self.world.clock.after(dt_ns, self._rest)

    def _brake_on(self, rest_m: float) -> None:
        """The brakes reach beyond the edge: slower at its end, and on from there."""
        if rest_m < 1e-6:
            return  # it is there at this very instant
        s_m, v_mps = self._cut()
        v_end = math.sqrt(max(0.0, v_mps * v_mps - 2 * self.a_mps2 * rest_m))
        dt_ns = math.ceil((v_mps - v_end) / self.a_mps2 * 1e9)
        now = self.world.clock.now_ns
        self.phases, self.begun = [Phase(now, dt_ns, s_m, v_mps, -self.a_mps2)], (s_m, v_mps)
        self.version += 1
        self.world.clock.at(now + dt_ns, self._arrived, self.version)

    def _rest(self, _: None = None) -> None:
        if self.phases:
            self._cut()
            self.phases = []
        reason, self.dying = self.dying, ""
        if self.fault == HELD:
            self.fault = ""
            self.world.stood(self)
            self.go_on()
            return
        self.dead = True
        self.world.stopped_for_good(self, reason)

    def revive(self) -> None:
        """Restarted: goes on along its kept base from where it stands."""
        self.dead, self.fault = False, ""
        self.world.revived(self)
        self.go_on()

    def trim(self, edges: tuple[int, ...]) -> None:
        """While it is dead: these last edges of its base are void."""
        if self.dead and edges and tuple(self.base)[-len(edges) :] == edges:
            for _ in edges:
                self.base.pop()

    def switch(self, *, off: bool) -> None:
        """It has left service, or is in service again."""
        self.use_charge()
        self.off = off

    def flush(self) -> None:
        """Record what was driven of the motion under way, at the end of a run."""
        if self.phases:
            self._cut()
        self._record_turn()
