"""A vehicle with its agent on a small floor, and a bench to send it orders and to hear it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from one_robot import OneRobot, roadmap

from orchestrator.core.messages import StartAction
from orchestrator.core.roadmap import Bay, Roadmap
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.model import (
    Action,
    Connection,
    Edge,
    Factsheet,
    InstantActions,
    Node,
    NodePosition,
    Order,
    State,
)
from sim.clock import SECOND_NS
from sim.robots import SimRobot
from sim.vehicle.agent import Agent
from sim.vehicle.ways import Ways

PICK_S = 4


def floor(count: int = 8) -> Roadmap:
    """Nodes n0, n1, ... eastwards, 4 m apart, with edges e0, e1, ...; n2 is a slot, n3 a charger."""
    made = roadmap(
        [(4.0 * i, 0.0) for i in range(count)], [(i, i + 1, 0, 0) for i in range(count - 1)]
    )
    bays = (Bay("slot-2", "slot", (2,), 1), Bay("charge-3", "charger", (3,), 1))
    node_bay = tuple({2: 0, 3: 1}.get(node, -1) for node in range(count))
    return replace(made, bays=bays, node_bay=node_bay)


class Bench(OneRobot):
    """`sim.robots.World` and `sim.vehicle.agent.Hands` of one vehicle."""

    def __init__(self, protocol: str = "3.0", **options: Any) -> None:
        self.roadmap = floor()
        super().__init__(self.roadmap)
        self.codec = codec_of(protocol)
        self.sent: list[tuple[float, str, bytes, int, bool]] = []
        self.done: list[StartAction] = []
        self.outcome = "ok"
        self.agent = Agent(
            self.robot, Ways(self.roadmap), self, self.codec, self.publish, self.utc_ns, **options
        )
        self.agent.online()

    def utc_ns(self) -> int:
        return 1_700_000_000 * SECOND_NS + self.clock.now_ns

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self.sent.append((self.clock.now_ns / SECOND_NS, topic, payload, qos, retain))

    # --- the world ---

    def reached(self, robot: int, edge: int) -> None:
        super().reached(robot, edge)
        self.agent.reached(edge)

    def stood(self, robot: SimRobot) -> None:
        self.agent.settle_soon()

    def blocked(self, robot: SimRobot, edge: int) -> None:
        self.agent.blocked()

    def backed_out(self, robot: SimRobot) -> None:
        self.agent.settle_soon()

    def stopped_for_good(self, robot: SimRobot, reason: str) -> None:
        super().stopped_for_good(robot, reason)
        self.agent.faulted(robot.fault, reason)

    def start(self, command: StartAction) -> None:
        self.done.append(command)
        if command.kind == "stop_charging":
            self.robot.charging = False
            return
        if command.kind == "charge":
            self.robot.charging = True
            self.agent.action_ended(command.action, "ok")
            return
        self.robot.busy = True
        self.clock.after(PICK_S * SECOND_NS, self._handled, command)

    def _handled(self, command: StartAction) -> None:
        self.robot.busy = False
        self.agent.action_ended(command.action, self.outcome)
        self.robot.go_on()

    def relocalise(self, robot: SimRobot) -> None:
        self.clock.after(SECOND_NS, self._found)

    def _found(self, _: None) -> None:
        self.robot.revive()
        self.agent.recovered()

    # --- the master ---

    def say(self, *messages: Order | InstantActions) -> Bench:
        """Send, and let what happens at once happen."""
        for message in messages:
            if isinstance(message, Order):
                self.agent.order(message)
            else:
                self.agent.instant(message)
        self.clock.run(self.clock.now_ns)
        return self

    def after(self, seconds: float) -> Bench:
        """Let time pass."""
        self.clock.run(self.clock.now_ns + round(seconds * SECOND_NS))
        return self

    def states(self) -> list[tuple[float, State]]:
        """Every state so far, with its time."""
        found = []
        for seconds, topic, payload, _, _ in self.sent:
            if topic.endswith("/state"):
                state = self.codec.decode("state", payload)
                assert isinstance(state, State)
                found.append((seconds, state))
        return found

    @property
    def state(self) -> State:
        """The last one."""
        return self.states()[-1][1]

    def others(self) -> list[Connection | Factsheet]:
        """Connection and factsheet messages, in sequence."""
        return [
            self.codec.decode(topic.rpartition("/")[2], payload)  # type: ignore[misc]
            for _, topic, payload, _, _ in self.sent
            if not topic.endswith("/state")
        ]

    def errors(self) -> list[str]:
        """Kinds in the last state."""
        return [error.kind for error in self.state.errors]

    def statuses(self) -> dict[str, str]:
        """Of all actions in the last state."""
        state = self.state
        return {each.id: each.status for each in (*state.actions, *state.instant_actions)}


def order(
    first: int,
    base: int,
    horizon: int = 0,
    update: int = 0,
    name: str = "o1",
    sequence: int | None = None,
    actions: dict[int, tuple[Action, ...]] | None = None,
    **edge: Any,
) -> Order:
    """From node `first` along `base` edges, and `horizon` planned ones; `actions` by node."""
    seq = 2 * first if sequence is None else sequence
    if sequence is None and not update:
        seq = 0
    given = actions or {}
    count = base + horizon
    nodes = tuple(
        Node(
            id=f"n{first + i}", sequence=seq + 2 * i, released=i <= base,
            position=NodePosition(x=4.0 * (first + i), y=0.0, map_id="map"),
            actions=given.get(first + i, ()),
        )
        for i in range(count + 1)
    )  # fmt: skip
    edges = tuple(
        Edge(
            id=f"e{first + i}", sequence=seq + 2 * i + 1, released=i < base,
            start=f"n{first + i}", end=f"n{first + i + 1}", **edge,
        )
        for i in range(count)
    )  # fmt: skip
    return Order(id=name, update=update, nodes=nodes, edges=edges)


def do(kind: str, name: str = "", blocking: str = "HARD", **parameters: Any) -> Action:
    """An action."""
    return Action(id=name or kind, kind=kind, blocking=blocking, parameters=parameters)


def now(*actions: Action) -> InstantActions:
    """Instant actions."""
    return InstantActions(actions=actions)
