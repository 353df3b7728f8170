"""A vehicle that speaks VDA 5050: the agent of one simulated robot. No I/O: it is told what came in and
what its robot did, and calls `publish`.

Orders name the layout's nodes and edges; how the body looks on an edge, the layout says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import structs

from orchestrator.core.messages import StartAction
from orchestrator.vda5050 import topics
from orchestrator.vda5050.codec import Codec
from orchestrator.vda5050.doing import Doing
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import (
    Connection,
    Error,
    Factsheet,
    Header,
    InstantActions,
    Order,
    State,
)
from sim.clock import SECOND_NS
from sim.robots import SimRobot
from sim.vehicle import acting, instants, reporting
from sim.vehicle.acceptance import Here, judge
from sim.vehicle.held import Held
from sim.vehicle.sensing import heading, moving
from sim.vehicle.ways import Ways

WARNINGS_MAX = 10
DETECT_NS = 2 * SECOND_NS
COMMANDED = ("AUTOMATIC", "SEMIAUTOMATIC")
KINDS = {"startCharging": "charge", "stopCharging": "stop_charging"}
Publish = Callable[[str, bytes, int, bool], None]


class Hands(Protocol):
    """What the world does for a vehicle; outcomes come back as `action_ended`, `recovered`, ..."""

    def start(self, command: StartAction) -> None:
        """Take a load, set it down, charge."""

    def relocalise(self, robot: SimRobot) -> None:
        """Find out where it is."""


class Agent:
    """One vehicle. `utc_ns` tells the time for headers."""

    def __init__(
        self,
        robot: SimRobot,
        ways: Ways,
        hands: Hands,
        codec: Codec,
        publish: Publish,
        utc_ns: Callable[[], int],
        *,
        manufacturer: str = "lightsout",
        series: str = "simulated",
        interface: str = topics.INTERFACE,
        map_id: str = "map",
        driving_s: float = 1.0,
        idle_s: float = 30.0,
    ) -> None:
        self.robot, self.ways, self.hands, self.codec = robot, ways, hands, codec
        self.series, self.map_id = series, map_id
        self._publish, self._utc_ns = publish, utc_ns
        self._manufacturer, self._interface = manufacturer, interface
        self._driving_ns, self._idle_ns = round(driving_s * 1e9), round(idle_s * 1e9)
        self._clock = robot.world.clock
        self.held = Held(last_node=ways.roadmap.node_ids[robot.node])
        self.instants: dict[str, Doing] = {}
        self.warnings: list[Error] = []
        self.paused = False
        self.mode = "AUTOMATIC"
        self._mode_wanted = self.mode
        self.fault = self.reason = ""
        self.lie_m = (0.0, 0.0)  # so far off it says that it is
        self._headers: dict[str, int] = {}
        self._numbers: dict[int, Doing] = {}  # actions under way, by the numbers given to the world
        self._number = 0
        self._online = self._settling = False
        self._due_ns = self._timer_ns = -1  # of the next state; of the timer that is set

    # --- what it says ----------------------------------------------------------------------------

    def topic(self, name: str) -> str:
        """A topic of this vehicle."""
        return topics.topic(
            self.codec.version, self._manufacturer, self.robot.name, name, self._interface
        )

    def _header(self, name: str) -> Header:
        number = self._headers.get(name, 0)
        self._headers[name] = number + 1
        return Header(
            header_id=number,
            time_ns=self._utc_ns(),
            version=self.codec.version,
            manufacturer=self._manufacturer,
            serial=self.robot.name,
        )

    def _say(self, name: str, message: State | Connection | Factsheet, qos: int = 0) -> None:
        retain = name != "state"
        self._publish(self.topic(name), self.codec.encode(message), qos, retain)

    def will(self) -> tuple[str, bytes, int, bool]:
        """What the broker is to publish when the connection breaks."""
        message = Connection(header=self._header("connection"), connection="CONNECTION_BROKEN")
        return self.topic("connection"), self.codec.encode(message), 1, True

    def online(self) -> None:
        """The connection stands (again)."""
        self._online = True
        message = Connection(header=self._header("connection"), connection="ONLINE")
        self._say("connection", message, 1)
        self.send_factsheet()
        self.send_state()

    def offline(self) -> None:
        """It signs off."""
        message = Connection(header=self._header("connection"), connection="OFFLINE")
        self._say("connection", message, 1)
        self._online = False

    def send_factsheet(self) -> None:
        """Retained."""
        if self._online:
            self._say("factsheet", reporting.factsheet_of(self, self._header("factsheet")))

    def state(self) -> State:
        """As it would be sent now."""
        return reporting.state_of(self, self._header("state"))

    @property
    def _under_way(self) -> bool:
        """It drives, or would if nothing were in its way."""
        return bool(moving(self.robot) or self.robot.base)

    def send_state(self) -> None:
        """And again after a while, if nothing happens."""
        if self._online:
            self._say("state", self.state())
        now = self._clock.now_ns
        self._due_ns = now + (self._driving_ns if self._under_way else self._idle_ns)
        if not now < self._timer_ns <= self._due_ns:
            self._timer_ns = self._due_ns
            self._clock.at(self._due_ns, self._beat)

    def _beat(self, _: None) -> None:
        now = self._clock.now_ns
        if now < self._timer_ns:
            return  # of a timer that an earlier one has overtaken
        if now >= self._due_ns:
            self.send_state()
        else:
            self._timer_ns = self._due_ns
            self._clock.at(self._due_ns, self._beat)

    # --- what it is told -------------------------------------------------------------------------

    def received(self, name: str, payload: bytes) -> None:
        """A message on its topic `name` (order or instantActions)."""
        try:
            message = self.codec.decode(name, payload)
            if not isinstance(message, tuple):
                return
            header, content = message
            if header.serial != self.robot.name:
                raise RemoteError("serialNumber", "is somebody else's")
        except RemoteError as error:
            text = str(error)[:500]
            self.warn(Error(kind="validationError", level="WARNING", description=text))
            self.settle_soon()
            return
        if isinstance(content, Order):
            self.order(content)
        else:
            self.instant(content)

    def order(self, order: Order) -> None:
        """A new order, or an update."""
        x, y = self.robot.position()
        here = Here(self.robot.node, x, y, heading(self.robot))
        verdict = judge(order, self.held, here, self.ways, self._unable(order))
        match verdict.kind:
            case "new":
                self.instants = {k: each for k, each in self.instants.items() if not each.ended}
                self.held.begin(order)
            case "update":
                self.held.extend(order)
        if verdict.kind in ("new", "update"):
            self.warnings.clear()
            self._limit_speeds(order)
        elif verdict.error is not None:
            self.warn(verdict.error)
        self.settle_soon()

    def _unable(self, order: Order) -> str:
        new = order.id != self.held.id
        if self.mode not in COMMANDED:
            return f"operating mode is {self.mode}"
        if instants.cancelling(self):
            return "an order is being cancelled"
        if new and self.fault:
            return f"it is out of order: {self.reason}"
        if new and self.held.idle and not self.robot.standing:
            return "it does not stand at a node"
        return ""

    def _limit_speeds(self, order: Order) -> None:
        if not self.robot.base:
            self.robot.caps.clear()
        for edge in order.edges:
            if edge.speed_mps_max:
                self.robot.caps[self.ways.edge(edge)] = edge.speed_mps_max

    def instant(self, message: InstantActions) -> None:
        """To be done at once."""
        for action in message.actions:
            instants.take(self, action)
        self.settle_soon()

    def set_mode(self, mode: str) -> None:
        """Somebody turned the switch. Out of automatic, the order is gone; into it, the vehicle is
        driven to its next node first."""
        self._mode_wanted = mode
        if mode not in COMMANDED:
            self.mode = mode
            acting.fail_waiting(self.held.doing, f"operating mode {mode}")
            self.held.keep(self.held.last_sequence)
            self.robot.curtail()
            self.robot.hold()
        elif not self.paused:
            self.robot.let_go()
        self.settle_soon()

    def warn(self, error: Error) -> None:
        """Told until an order is accepted; the newest are kept."""
        self.warnings = [*self.warnings, error][-WARNINGS_MAX:]

    # --- what its robot did ----------------------------------------------------------------------

    def reached(self, edge: int) -> None:
        """The next node."""
        if self.held.edges:
            self.held.passed()
        else:  # moved without an order
            self.held.last_node = self.ways.roadmap.node_ids[self.ways.roadmap.edge_head[edge]]
        self.settle_soon()

    def action_ended(self, number: int, outcome: str) -> None:
        """`outcome`: ok, or what went wrong."""
        doing = self._numbers.pop(number, None)
        if doing is not None:
            doing.status = "FINISHED" if outcome == "ok" else "FAILED"
            doing.result = "" if outcome == "ok" else outcome
        self.settle_soon()

    def blocked(self) -> None:
        """It stands before something."""
        if self.held.cancelled:
            self.robot.back_out()
        self.settle_soon()

    def faulted(self, kind: str, reason: str) -> None:
        """It has come to rest, and obeys nothing."""
        self.fault, self.reason = kind, reason
        self.settle_soon()

    def recovered(self) -> None:
        """It obeys again."""
        self.fault = self.reason = ""
        self._position_found("FINISHED")
        if self.held.cancelled and self.robot.blocked:
            self.robot.back_out()
        self.settle_soon()

    def not_recovered(self) -> None:
        """An attempt had no success."""
        self._position_found("FAILED")
        self.settle_soon()

    def _position_found(self, status: str) -> None:
        for each in self.instants.values():
            if each.action.kind == "initPosition" and not each.ended:
                each.status = status

    def babble(self, edge: int) -> None:
        """Tell once what is not true: that it has come to the end of this edge."""
        heads, names = self.ways.roadmap.edge_head, self.ways.roadmap.node_ids
        state = self.state()
        name = names[heads[edge]] if edge < len(heads) else "nowhere"
        lie = structs.replace(
            state, last_node=name, last_node_sequence=state.last_node_sequence + 2
        )
        if self._online:
            self._say("state", lie)

    # --- what it does ----------------------------------------------------------------------------

    def settle_soon(self) -> None:
        """Something has changed: act on it, and tell, as soon as this moment's other news are in."""
        if not self._settling:
            self._settling = True
            self._clock.after(0, self._settle)

    def _settle(self, _: None) -> None:
        self._settling = False
        if self._mode_wanted != self.mode and self.robot.standing:
            self.mode = self._mode_wanted
        if self.mode in COMMANDED and not self.paused and not self.fault:
            acting.begin(self.held.doing, self.held.last_sequence, self.start)
        if self.mode in COMMANDED and not self.held.cancelled:
            self._feed()
        instants.settle(self)
        self.send_state()

    def _feed(self) -> None:
        """Let the robot drive what is released, as far as no action wants it to stand."""
        ahead, given = self.held.base, len(self.robot.base)
        edges = []
        for edge in ahead[given:]:
            if self.held.stops_at(edge.sequence - 1):
                break
            edges.append(self.ways.edge(edge))
        if edges:
            self.robot.extend(tuple(edges))

    def start(self, doing: Doing) -> None:
        """Begin an action where the vehicle stands."""
        action = doing.action
        doing.status = "RUNNING"
        if action.kind == "detectObject":
            self._clock.after(DETECT_NS, self._detected, doing)
            return
        self._number += 1
        bay = self.ways.bay(self.robot.node, acting.text(action, "stationName"))
        kind = KINDS.get(action.kind, action.kind)
        charger = bay >= 0 and self.ways.roadmap.bays[bay].kind == "charger"
        if bay < 0 or (kind == "charge" and not charger):
            doing.status, doing.result = "FAILED", "nothing of that kind is here"
            return
        load = acting.text(action, "loadId")
        self._numbers[self._number] = doing
        command = StartAction(
            robot=self.robot.index, action=self._number, kind=kind, load=load, bay=bay
        )
        self.hands.start(command)
        if kind == "stop_charging":  # of which the world says nothing
            self.action_ended(self._number, "ok")

    def _detected(self, doing: Doing) -> None:
        doing.status = "FINISHED"
        self.settle_soon()
