"""One robot that runs Nav2: orders and instant actions in, goals out; poses, answers and results in,
states out. No I/O: who calls it says what time it is, and it calls `Outside`.

At its bounds: a server that is silent or refuses is asked again `tries` times, then the robot counts as
broken until the master asks for its state (that is how it recovers a vehicle); a robot off its way is
stopped, and goes on by itself when it is back; one whose pose is old does not know where it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.ros.nav2 import goals, saying
from orchestrator.ros.nav2.goals import FAILED, SECOND_NS, SILENT, WARNING, Goal
from orchestrator.ros.nav2.held import Held
from orchestrator.ros.nav2.tables import SUCCEEDED
from orchestrator.ros.nav2.way import Pose
from orchestrator.vda5050 import topics
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.doing import Doing
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import Action, Connection, Error, Header, Order

MANUFACTURER = "nav2"
PROTOCOL = "2.1"
INSTANTS_MAX = 20
GOAL_M, AMCL_M = 0.25, 0.25
DRIVES_MPS = 0.2  # and AMCL must have something to say


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds; times in s of the run."""

    answer_s: float = 5.0  # for a goal to be accepted, or a cancellation to end
    again_s: float = 2.0  # between tries
    tries: int = 3
    still_s: float = 15.0  # with a goal, and no way made: the goal is cancelled and sent again
    blocked_s: float = 5.0  # between tries while something is in the way
    pose_s: float = 3.0  # an older pose counts for nothing
    off_m: float = 0.3  # from the way that it holds
    off_poses: int = 3  # in a row
    corridor: float = 0.75  # of a corridor's half width: the rest is to stop in
    goal_m: float = GOAL_M  # so near to the end of a goal it has arrived
    node_m: float = 0.05  # a node in between is passed so far before it
    corner: float = math.radians(30)
    step_m: float = 0.1  # between the poses of a path
    state_s: float = 1.0
    idle_s: float = 10.0

    @classmethod
    def of(cls, off_m: float, speed: float, *, seldom: bool = False) -> Limits:
        """Time runs `speed` times as fast, the network does not: a real second of each wait stays.
        AMCL's last word before a robot stands may be `AMCL_M` old (`update_min_d`)."""
        behind_m = AMCL_M if seldom else 0.0
        return cls(off_m=off_m, answer_s=max(5.0, speed), pose_s=max(3.0, speed),
                   goal_m=GOAL_M + behind_m)  # fmt: skip


class Outside(Protocol):
    """The robot's side. Goals have one sequence of numbers, whatever their kind."""

    def follow(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        """Send a goal, in place of the one before; see `Nav2Robot.answered` and `.ended`."""

    def through(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        """The same, of a goal in corridors: it plans its own way from pose to pose."""

    def cancel(self, serial: str, goal: int) -> None:
        """Cancel it."""

    def act(self, serial: str, action: Action) -> None:
        """Something to do where it stands; see `Nav2Robot.acted`."""

    def relocate(self, serial: str, pose: Pose) -> None:
        """It is here: a new beginning for its localisation."""


class Nav2Robot:
    """`publish` (topic, payload, QoS, retained) leads to the master."""

    def __init__(
        self,
        serial: str,
        outside: Outside,
        publish: Callable[[str, bytes, int, bool], object],
        *,
        map_id: str = "map",
        limits: Limits | None = None,
        utc_ns: Callable[[], int],
    ) -> None:
        self.serial, self.map_id, self.limits = serial, map_id, limits or Limits()
        self.outside, self._publish, self._utc_ns = outside, publish, utc_ns
        self._codec = codec_of(PROTOCOL)
        self.held = Held()
        self.instants: dict[str, Doing] = {}
        self.errors: dict[str, Error] = {}  # by kind
        self.pose: Pose | None = None
        self.charge, self.charging = 1.0, False
        self.paused = self.lost = False
        self.now_ns = 0
        self.pose_ns = self.moved_ns = self.felt_ns = -(10**18)
        self._anchor: Pose | None = None
        self.goal: Goal | None = None
        self.goals_sent = utc_ns() // SECOND_NS * 1000  # no number of a program before this one
        self.off = self.tries = 0
        self.failing = ""  # why its last goal failed, until it gets on
        self.again_ns = 0  # no goal before
        self.cancel = self.came_back = False
        self._headers: dict[str, int] = {}
        self._said_ns = -(10**18)
        self._online = False

    # --- what it says ----------------------------------------------------------------------------

    @property
    def driving(self) -> bool:
        """It has moved of late."""
        return self.now_ns - self.moved_ns < SECOND_NS

    def topic(self, name: str) -> str:
        """A topic of this vehicle."""
        return topics.topic(PROTOCOL, MANUFACTURER, self.serial, name)

    def _header(self, name: str) -> Header:
        number = self._headers.get(name, 0)
        self._headers[name] = number + 1
        return Header(
            header_id=number, time_ns=self._utc_ns(), version=self._codec.version,
            manufacturer=MANUFACTURER, serial=self.serial,
        )  # fmt: skip

    def say(self) -> None:
        """Its state; nothing before it was seen."""
        if self.pose is None:
            return
        if not self._online:
            self._online = True
            online = Connection(header=self._header("connection"), connection="ONLINE")
            self._publish(self.topic("connection"), self._codec.encode(online), 1, True)
            self._sheet()
        self._said_ns = self.now_ns
        state = saying.state_of(self, self._header("state"))
        self._publish(self.topic("state"), self._codec.encode(state), 0, False)

    def _sheet(self) -> None:
        sheet = saying.factsheet_of(self._header("factsheet"))
        self._publish(self.topic("factsheet"), self._codec.encode(sheet), 0, True)

    def fault(self, kind: str, level: str, text: str, **about: str) -> None:
        """Something that its states tell until it is over."""
        self.errors[kind] = Error(kind=kind, level=level, description=text, references=about)

    # --- from the master -------------------------------------------------------------------------

    def received(self, now_ns: int, name: str, payload: bytes) -> None:
        """On its topic `name`: order or instantActions. Raises `RemoteError`: they are ours."""
        self.now_ns = now_ns
        message = self._codec.decode(name, payload)
        if not isinstance(message, tuple):
            raise RemoteError(name, "is nothing for a vehicle")
        content = message[1]
        if isinstance(content, Order):
            self._order(content)
        else:
            for action in content.actions:
                self._instant(action)
        goals.settle(self)
        self.say()

    def _order(self, order: Order) -> None:
        known = (order.id, order.update) == (self.held.id, self.held.update)
        why = "an order is being cancelled" if self.cancel and not known else ""
        why = why or self.held.take(order)
        self.errors.pop("orderError", None)
        if why:
            about = {"orderId": order.id, "orderUpdateId": str(order.update)}
            self.fault("orderError", WARNING, why, **about)

    def _instant(self, action: Action) -> None:
        if action.id in self.instants:
            return
        doing = self.instants[action.id] = Doing(action, status="RUNNING")
        for each in [k for k, d in self.instants.items() if d.ended][:-INSTANTS_MAX]:
            del self.instants[each]
        match action.kind:
            case "cancelOrder":
                self.cancel, self.again_ns = True, 0
                return
            case "startPause" | "stopPause":
                self.paused = action.kind == "startPause"
                if self.paused:
                    goals.stop(self)
                    return
            case "stateRequest":
                self._begin_anew()
            case "factsheetRequest":
                self._sheet()
            case "initPosition":
                self._relocate(doing)
                return
        doing.end()

    def _begin_anew(self) -> None:
        """The master wants it back: what Nav2 would not do may work now."""
        for kind in (SILENT, FAILED):
            self.errors.pop(kind, None)
        self.tries, self.again_ns = 0, 0

    def _relocate(self, doing: Doing) -> None:
        try:
            values = [float(doing.action.parameters[key]) for key in ("x", "y", "theta")]
        except (KeyError, TypeError, ValueError):
            doing.end("x, y and theta are needed")
            return
        self.outside.relocate(self.serial, Pose(*values))
        self.lost = False
        self.pose_ns = self.now_ns  # it has that long to be seen there
        doing.end()

    # --- from the robot --------------------------------------------------------------------------

    def seen(self, now_ns: int, pose: Pose) -> None:
        """Where it is, by tf or amcl_pose."""
        self.now_ns = now_ns
        first = self.pose is None
        self.pose, self.pose_ns = pose, now_ns
        anchor = self._anchor
        if anchor is None or math.dist(anchor[:2], pose[:2]) > 0.02 or abs(
            math.remainder(anchor.theta - pose.theta, math.tau)
        ) > 0.02:  # fmt: skip
            self._anchor, self.moved_ns = pose, now_ns
        changed = self.lost or first
        self.lost = False
        changed |= goals.progress(self, pose)
        if changed:
            goals.settle(self)
            self.say()

    def felt(self, now_ns: int, speed: float) -> None:
        """Its goal's feedback: m/s."""
        if abs(speed) > DRIVES_MPS:
            self.felt_ns = now_ns

    def unchanged(self, now_ns: int, pose: Pose) -> None:
        """AMCL says nothing while one stands: its last pose counts, unless it feels itself drive."""
        if self.pose is None:
            self.seen(now_ns, pose)
        stands = now_ns - self.felt_ns > self.limits.pose_s / 2 * SECOND_NS
        if not self.lost and stands:
            self.pose_ns = now_ns

    def battery(self, share: float, *, charging: bool) -> None:
        """0 to 1; what is no number is nothing new."""
        if math.isfinite(share):
            self.charge, self.charging = max(0.0, min(1.0, share)), charging

    def answered(self, now_ns: int, number: int, *, accepted: bool) -> None:
        """The server took the goal, or refused it."""
        self.now_ns = now_ns
        goal = self.goal
        if goal is None or goal.number != number or goal.status != "asked":
            return
        if accepted:
            goal.become("driving")
            self.errors.pop(SILENT, None)
        else:
            goals.failed(self, "its controller server rejects goals")
            goals.settle(self)
        self.say()

    def ended(self, now_ns: int, number: int, status: int, code: int = 0, text: str = "") -> None:
        """The result of a goal; of one that was replaced it says nothing."""
        self.now_ns = now_ns
        goal = self.goal
        if goal is None or goal.number != number:
            return
        asked = goal.status == "cancelling" and not goal.still
        self.goal = None
        if status == SUCCEEDED:
            goals.arrived(self, goal)
        elif not asked:
            goals.went_wrong(self, status, code, text)
        goals.settle(self)
        self.say()

    def acted(self, now_ns: int, action_id: str, outcome: str) -> None:
        """Something that it was to do has ended: ok, or what went wrong."""
        self.now_ns = now_ns
        for each in self.held.doing:
            if each.action.id == action_id and each.status == "RUNNING":
                each.end(outcome)
                if each.action.kind in ("startCharging", "stopCharging") and outcome == "ok":
                    self.charging = each.action.kind == "startCharging"
        goals.settle(self)
        self.say()

    # --- time ------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """A few times a second."""
        self.now_ns = now_ns
        limits, changed = self.limits, False
        if self.pose is not None and now_ns - self.pose_ns > limits.pose_s * SECOND_NS:
            changed = not self.lost
            self.lost = True
        goal = self.goal
        waited = goal is not None and now_ns - goal.asked_ns > limits.answer_s * SECOND_NS
        if goal is not None and waited and goal.status in ("asked", "cancelling"):
            self.goal, changed = None, True
            if goal.status == "asked":
                self.outside.cancel(self.serial, goal.number)  # should it be accepted after all
            if goal.status == "asked" or goal.still:
                goals.failed(self, "its controller server does not answer", SILENT)
        changed |= goals.still(self)
        changed |= goals.settle(self)
        every_s = limits.state_s if self.held.nodes or self.driving else limits.idle_s
        if changed or now_ns - self._said_ns >= every_s * SECOND_NS:
            self.say()
