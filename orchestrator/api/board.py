"""What a site tells whoever listens: robots' states, orders' statuses, events, figures, alarms, and
whether it is there. Sans I/O: it is told what happened, and publishes through a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from orchestrator.api.closures import ClosureBoard
from orchestrator.api.kpis import Kpis, Traffic
from orchestrator.api.naming import Naming
from orchestrator.api.order_statuses import OrderStatuses
from orchestrator.api.presence import Presence
from orchestrator.api.published import Alarm, root
from orchestrator.api.robot_states import RobotStates
from orchestrator.core.messages import (
    AssignmentMade,
    BatteryCrossed,
    CloseOrder,
    Command,
    EmergencyReset,
    EmergencyStopped,
    Event,
    ExtendBase,
    HostAcknowledged,
    ItemsReceived,
    NodeReached,
    NoteException,
    NoticesReceived,
    OrderChanged,
    OrderReceived,
    PathsPlanned,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    Ticked,
    ToteStored,
    ToursPlanned,
    ZoneCleared,
)
from orchestrator.core.world import World
from orchestrator.vda5050 import times

UNTOLD = (
    Ticked
    | PathsPlanned
    | AssignmentMade
    | ToursPlanned
    | NodeReached
    | BatteryCrossed
    | ToteStored
    | ItemsReceived
    | NoticesReceived
    | HostAcknowledged
)  # answers of planners; what robots' states say; the opening stock; what a host says
SEVERAL = (
    RobotsPaused | RobotsEvacuated | RobotsResumed
    | EmergencyStopped | EmergencyReset | ZoneCleared
)  # fmt: skip
KPI_EVERY_NS = 5_000_000_000
encode = msgspec.json.Encoder().encode


class Link(Protocol):
    """The connection, as far as the board needs it."""

    connected: bool

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        """Send as soon as possible; False: there is no room."""


class Board:
    """`times_ns`: the run's time and UTC. `traffic`: what went through the connection."""

    def __init__(
        self,
        site_id: str,
        naming: Naming,
        link: Link,
        world: Callable[[], World],
        times_ns: Callable[[], tuple[int, int]],
        traffic: Callable[[], Traffic] = Traffic,
        *,
        run: str = "",
        version: str = "",
        alarm: Callable[[str, str], None] | None = None,
    ) -> None:
        self.root = root(site_id)
        self.presence = Presence(site_id, run, version, link.publish, alarm or self.alarm)
        self._naming, self._link = naming, link
        self._world, self._times_ns, self._traffic = world, times_ns, traffic
        self._folding = False
        self.kpis = Kpis()
        self.robots = RobotStates(self.root, naming, link.publish)
        self.closures = ClosureBoard(self.root, naming, link.publish)
        self.orders = OrderStatuses(self.root, link.publish, self._utc)
        self._kpi_ns, self._told_ns = -KPI_EVERY_NS, -KPI_EVERY_NS

    # --- what happened ---------------------------------------------------------------------------

    def event(self, seq: int, event: Event) -> None:
        """The core has handled it."""
        self._mark(event)
        self.closures.event(event)
        if isinstance(event, OrderReceived | OrderChanged):
            self.orders.opened(self._world(), event.order_id, self._world().time_ns)
        if not self._folding and self._link.connected and not isinstance(event, UNTOLD):
            self._event({"seq": seq} | self._naming.named(event))

    def command(self, command: Command) -> None:
        """The core has given it."""
        world = self._world()
        robot = getattr(command, "robot", -1)
        if robot >= 0:
            self._mark_one(robot, moved=isinstance(command, ExtendBase))
        self.kpis.command(world, command, world.time_ns)
        match command:
            case CloseOrder():
                self.orders.closed(world, command, world.time_ns)
            case NoteException() if not self._folding and self._link.connected:
                self._event(self._naming.named(command))

    def folded(self, event: Event, commands: Iterable[Command]) -> None:
        """The same, of a journal: nothing is told."""
        self._folding = self.orders.silent = True
        self.event(0, event)
        for command in commands:
            self.command(command)
        self._folding = self.orders.silent = False

    def alarm(self, subject: str, text: str) -> None:
        """Tell whoever watches."""
        self.kpis.alarms += 1
        payload = encode(Alarm(at=self._now(), subject=subject, text=text))
        self._link.publish(f"{self.root}/alarms", payload, 0, False)

    def message(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """One of our own came back: cleared if it is of another run. False: it is none of ours."""
        if self.presence.message(topic, payload, retained=retained):
            return True
        if topic.startswith(self.robots.prefix):
            known = self.robots.known(topic)
        elif topic.startswith(self.orders.prefix) and topic.endswith("/status"):
            known = self.orders.known(self._world(), topic)
        else:
            return False
        if retained and not known:
            self._link.publish(topic, b"", 1, True)
        return True

    def leftovers(self) -> tuple[str, ...]:
        """Where retained messages of another run may be."""
        return f"{self.robots.prefix}+/state", f"{self.orders.prefix}+/status"

    # --- telling ---------------------------------------------------------------------------------

    def came_up(self) -> None:
        """A new connection. The broker may have lost what it kept: it is told all of it anew."""
        self.presence.came_up()
        self.robots.again()
        self.closures.again()
        self.orders.again(self._world())
        self._kpi_ns = -KPI_EVERY_NS

    def tell(self, real_ns: int) -> None:
        """A few times a second. Without a connection robots wait: only the last state counts."""
        if not self._link.connected:
            return
        passed_s = (real_ns - self._told_ns) / 1e9
        self._told_ns = real_ns
        world, at = self._world(), self._now()
        self.orders.tell(world, self._times_ns()[0], passed_s)
        self.closures.tell(world, at)
        self.robots.tell(world, real_ns, at)
        if real_ns - self._kpi_ns >= KPI_EVERY_NS:
            self._kpi_ns = real_ns
            now = self._times_ns()[0], at
            figures = self.kpis.figures(world, now, self._traffic(), real_ns)
            self._link.publish(f"{self.root}/kpi", encode(figures), 0, True)

    def _mark(self, event: Event) -> None:
        if isinstance(event, NodeReached):
            self._mark_one(event.robot, moved=True)
        elif isinstance(event, AssignmentMade):
            for _, robot in event.pairs:
                self._mark_one(robot)
        elif isinstance(event, ToursPlanned):
            for robot, _ in event.tours:
                self._mark_one(robot)
        elif isinstance(event, SEVERAL):
            for robot in range(len(self._naming.robots)):
                self.robots.changed(robot)
        else:
            self._mark_one(getattr(event, "robot", -1))

    def _mark_one(self, robot: int, *, moved: bool = False) -> None:
        if 0 <= robot < len(self._naming.robots):
            (self.robots.moved if moved else self.robots.changed)(robot)

    def _event(self, message: dict[str, Any]) -> None:
        payload = encode({"at": self._now()} | message)
        self._link.publish(f"{self.root}/events", payload, 0, False)

    def _now(self) -> str:
        return times.text(self._times_ns()[1])

    def _utc(self, time_ns: int) -> str:
        run_ns, utc_ns = self._times_ns()
        return times.text(utc_ns + time_ns - run_ns)
