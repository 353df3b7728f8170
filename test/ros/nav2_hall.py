"""Nav2-like robots, their adapters, the master, the gate and the core, in a time of their own."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shapely import affinity
from shapely.geometry import Polygon

from orchestrator.answers import Answers
from orchestrator.core.filing import tally
from orchestrator.core.loop import Core
from orchestrator.core.messages import (
    BackedOut,
    BaseTrimmed,
    Command,
    CommandRefused,
    Event,
    ExtendBase,
    NodeReached,
    OrderReceived,
    RequestAssignment,
    RequestPaths,
    RequestTours,
    RobotFaulted,
    RobotJoined,
    RobotRecovered,
    RunStarted,
    Ticked,
)
from orchestrator.core.robots import Robot
from orchestrator.core.world import CORE_VERSION
from orchestrator.gate import Gate
from orchestrator.layout import load_files
from orchestrator.ros.nav2.robot import Limits, Nav2Robot
from orchestrator.ros.nav2.way import Pose
from orchestrator.vda5050.control.control import Control
from orchestrator.vda5050.control.joining import Declared, Rule
from orchestrator.vda5050.model import Action
from sim.load.hall import hall
from sim.nav2 import SimNav2

STEP_NS = 50_000_000
ANSWER_NS = 200_000_000


@dataclass
class Hall:
    """`count` robots of one fleet."""

    count: int
    seed: int = 0
    corridor_m: float = 0.0  # half width of its lanes, if they are corridors
    amcl: bool = False  # robots say where they are as AMCL does: when they have moved
    now_ns: int = 0
    alarms: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    contacts: list[tuple[int, int]] = field(default_factory=list)
    goals: dict[str, list[Sequence[Pose]]] = field(default_factory=dict)
    freely: set[str] = field(default_factory=set)  # robots that planned their own way
    beyond: list[str] = field(default_factory=list)  # goals that lead where nothing is released

    def __post_init__(self) -> None:
        self.place = hall(self.count, self.seed)
        files = dict(self.place.files)
        if self.corridor_m:
            files["site.yaml"] += f"corridors: [{{match: '*', half_width_m: {self.corridor_m}}}]\n"
        self.loaded = load_files(files, "hall")
        self.site = self.loaded.site
        self.core = Core(self.site, self, record=lambda *_: None)
        self.gate, self.answers = Gate(self.site.roadmap), Answers(self.loaded.arrays)
        self.queue: list[Event] = [RunStarted(site_hash=self.site.hash, core_version=CORE_VERSION)]
        self.later: list[tuple[int, Event]] = []
        self.messages: list[tuple[str, bytes]] = []
        self.control = Control(
            self.site, [Rule("nav2", "*", 0)], [Declared("amr", 1.5, 1.5, 1.0, 0.7, ())],
            self.to_vehicle, self.queue.append, run="run",
            alarm=lambda who, text: self.alarms.append(f"{who}: {text}"),
            planned=lambda r: [move.edge for move in self.core.world.traffic.planned[r]],
        )  # fmt: skip
        self.sims = {
            s.serial: SimNav2((s.x, s.y, s.theta), 1.5, 1.5, math.radians(120))
            for s in self.place.starts
        }
        self.robots = {
            serial: Nav2Robot(
                serial, self, lambda t, p, q, r: self.messages.append((t, p)),
                utc_ns=lambda: self.now_ns, limits=Limits.of(0.3, 1.0, seldom=self.amcl),
            )
            for serial in self.sims
        }  # fmt: skip
        self.words: dict[str, tuple[float, float, float]] = {}
        for serial, sim in self.sims.items():
            sim.hears = self.robots[serial]
        shape = self.loaded.spec.fleets["amr"].footprint_m
        self.shape = Polygon(shape)

    # --- orchestrator.ros.nav2.robot.Outside

    def follow(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        self._asked(serial, poses)
        self.sims[serial].follow(self.now_ns, goal, [tuple(pose) for pose in poses])

    def through(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        self._asked(serial, poses)
        self.freely.add(serial)
        self.sims[serial].through(self.now_ns, goal, [tuple(pose) for pose in poses])

    def _asked(self, serial: str, poses: Sequence[Pose]) -> None:
        self.goals.setdefault(serial, []).append(poses)
        robot = self.robot(serial)
        held = [self.xy(node) for node in self.core.world.traffic.held_nodes(robot.index)]
        if min(math.dist(poses[-1][:2], place) for place in held) > 0.01:
            self.beyond.append(serial)

    def cancel(self, serial: str, goal: int) -> None:
        self.sims[serial].cancel(goal)

    def act(self, serial: str, action: Action) -> None:
        self.sims[serial].act(self.now_ns, action.id)

    def relocate(self, serial: str, pose: Pose) -> None:
        self.sims[serial].relocate(tuple(pose))

    # --- between master and core

    def to_vehicle(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.messages.append((topic, payload))

    def send(self, command: Command) -> None:
        match command:
            case RequestPaths():
                self.later.append((self.now_ns + ANSWER_NS, self.answers.paths(command)))
            case RequestAssignment():
                self.later.append((self.now_ns + ANSWER_NS, self.answers.assignment(command)))
            case RequestTours():
                self.later.append((self.now_ns + ANSWER_NS, self.answers.tours(command)))
            case ExtendBase():
                reason = self.gate.check(command)
                if reason:
                    self.refused.append(reason)
                    self.queue.append(
                        CommandRefused(robot=command.robot, reason=reason, edges=command.edges)
                    )
                else:
                    self.control.command(self.now_ns, command)
            case _:
                self.control.command(self.now_ns, command)

    def _event(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, NodeReached | RobotRecovered):
            self.gate.reached(event.robot, event.edge)
        if isinstance(event, BackedOut):
            self.gate.backed_out(event.robot, event.node)
        if isinstance(event, BaseTrimmed):
            self.gate.trimmed(event.robot, event.edges)
        self.core.handle(self.now_ns, event)
        if isinstance(event, RobotJoined):
            taken = event.robot < len(self.core.world.robots)
            if taken:
                self.gate.joined(event.robot, event.fleet, event.node)
            self.control.answered(event, taken=taken)

    # --- time

    def step(self) -> None:
        self.now_ns += STEP_NS
        for serial, sim in self.sims.items():
            sim.step(self.now_ns, STEP_NS / 1e9)
            if self.now_ns % (4 * STEP_NS) == 0:
                if not sim.mood.blind and (not self.amcl or self._moved(serial)):
                    self.robots[serial].seen(self.now_ns, Pose(*sim.pose))
                if self.amcl:
                    self.robots[serial].felt(self.now_ns, sim.speed_mps)
                    self.robots[serial].unchanged(self.now_ns, Pose(*self.words[serial]))
                self.robots[serial].tick(self.now_ns)
        if self.now_ns % 500_000_000 == 0:
            self.control.tick(self.now_ns)
        if self.now_ns % 1_000_000_000 == 0:
            self.queue.append(Ticked())
        due = [event for at, event in self.later if at <= self.now_ns]
        self.later = [(at, event) for at, event in self.later if at > self.now_ns]
        self.queue.extend(due)
        self._settle()
        if self.now_ns % 200_000_000 == 0:
            self._look()

    def _moved(self, serial: str) -> bool:
        told, now = self.words.get(serial), self.sims[serial].pose
        if told is not None and math.dist(told[:2], now[:2]) < 0.25 and (
            abs(math.remainder(told[2] - now[2], math.tau)) < 0.2
        ):  # fmt: skip
            return False
        self.words[serial] = now
        return True

    def _settle(self) -> None:
        while self.queue or self.messages:
            messages, self.messages[:] = list(self.messages), []
            for topic, payload in messages:
                serial, name = topic.split("/")[-2:]
                if name in ("order", "instantActions"):
                    self.robots[serial].received(self.now_ns, name, payload)
                else:
                    self.control.message(self.now_ns, topic, payload)
            events, self.queue[:] = list(self.queue), []
            for event in events:
                self._event(event)

    def _look(self) -> None:
        """Whether anybody touches anybody, by where they really are."""
        poses = [sim.pose for sim in self.sims.values()]
        for i, a in enumerate(poses):
            for j in range(i + 1, len(poses)):
                if math.dist(a[:2], poses[j][:2]) < 1.3 and self.body(a).intersects(
                    self.body(poses[j])
                ):
                    self.contacts.append((i, j))

    def body(self, pose: tuple[float, float, float]) -> Polygon:
        turned = affinity.rotate(self.shape, pose[2], origin=(0, 0), use_radians=True)
        return affinity.translate(turned, pose[0], pose[1])

    def run(self, seconds: float, until: Any = lambda: False) -> bool:
        end_ns = self.now_ns + round(seconds * 1e9)
        while self.now_ns < end_ns:
            self.step()
            if until():
                return True
        return bool(until())

    def order(self, count: int, seed: int = 1) -> None:
        chance = random.Random(seed)
        for number in range(count):
            stops = tuple(chance.sample(self.place.stops, 2))
            order_id = f"t{seed}-{number}"
            self.queue.append(OrderReceived(order_id=order_id, kind="transport", stops=stops))

    def joined(self) -> bool:
        return len(self.core.world.robots) == self.count

    @property
    def open(self) -> int:
        return tally(self.core.world).get("open", 0)

    def robot(self, serial: str) -> Robot:
        return next(robot for robot in self.core.world.robots if robot.name == serial)

    def xy(self, node: int) -> tuple[float, float]:
        roadmap = self.site.roadmap
        return roadmap.node_x_mm[node] / 1000, roadmap.node_y_mm[node] / 1000

    def heard(self, kind: type[Event], serial: str) -> list[Any]:
        index = self.robot(serial).index
        return [e for e in self.events if isinstance(e, kind) and e.robot == index]

    def faults(self) -> list[RobotFaulted]:
        return [event for event in self.events if isinstance(event, RobotFaulted)]
