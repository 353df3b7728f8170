"""Robots that run Nav2, over ROS 2: goals to `<robot>/follow_path`, in corridors to
`<robot>/navigate_through_poses`, and what comes back. Thin.

Goals leave in the executor's threads, whoever asks for them, and all callbacks have a group of their
own: they go on while the node is in a transition. A robot that is not there is on
diagnostics until it is.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol

from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav2_msgs.action import FollowPath, NavigateThroughPoses
from rclpy.action import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import BatteryState
from std_msgs.msg import String
from tf2_ros import Buffer, TransformException, TransformListener

from orchestrator.ros import messages as ros
from orchestrator.ros import topics, translation
from orchestrator.ros.display import Said
from orchestrator.ros.messages import filled
from orchestrator.ros.nav2.robot import Nav2Robot
from orchestrator.ros.nav2.way import Pose
from orchestrator.ros.parameters import Settings
from orchestrator.vda5050.model import Action

FOLLOW, THROUGH = "follow_path", "navigate_through_poses"
LOOK_S, TELL_S = 0.1, 2.0
STALE_S = 1.0  # an older transform is none
CHARGING = (1, 4)  # BatteryState: CHARGING, FULL


class Adapters(Protocol):
    """Where the adapters are; see `commands.ros_building`."""

    def robot(self, serial: str, act: Callable[[Nav2Robot, int], Any]) -> None:
        """`act(adapter, now)`, soon."""

    def trouble(self, serial: str) -> str:
        """What its adapter finds wrong with it; from any thread."""


class Nav2Client:
    """All of them; `nav2.robot.Outside`. `adapters` is set before `connect`."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self.adapters: Adapters | None = None
        self._group = MutuallyExclusiveCallbackGroup()
        self._lock = threading.RLock()  # transitions run beside the group's callbacks
        self._todo: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._guard = node.create_guard_condition(self._do, callback_group=self._group)
        self._clients: dict[str, dict[str, Any]] = {}  # serial -> action -> client
        self._doors: dict[str, Any] = {}  # publishers, by topic
        self._goals: dict[str, tuple[int, Any]] = {}  # the last one and its handle
        self._void: set[tuple[str, int]] = set()  # cancelled before they were accepted
        self._poses: dict[str, Pose] = {}  # the last ones
        self._stamps: dict[str, int] = {}  # of the last transforms, ns
        self._skews: dict[str, float] = {}  # s that they are away from our clock
        self._stale_s = STALE_S
        self._made: list[tuple[Callable[[Any], Any], Any]] = []
        self._buffer: Any = None
        self._listener: Any = None

    # --- the node's life -------------------------------------------------------------------------

    def connect(self, settings: Settings, *, corridors: bool) -> None:
        """To the robots that the settings name."""
        with self._lock:
            self._connect_all(settings, corridors=corridors)

    def _connect_all(self, settings: Settings, *, corridors: bool) -> None:
        self.disconnect()
        self._stale_s = STALE_S * max(1.0, settings.speed)  # the network does not run faster
        for serial in settings.nav2_robots:
            self._connect(serial, settings.nav2_poses, corridors=corridors)
        if not settings.nav2_robots:
            return
        node = self._node
        if settings.nav2_poses == "tf":
            self._buffer = Buffer()
            self._listener = TransformListener(self._buffer, node)
        look = self._look if settings.nav2_poses == "tf" else self._again
        self._keep(node.destroy_timer, node.create_timer(LOOK_S, look, callback_group=self._group))
        self._keep(
            node.destroy_timer, node.create_timer(TELL_S, self._tell, callback_group=self._group)
        )

    def _connect(self, serial: str, poses: str, *, corridors: bool) -> None:
        node, late = self._node, QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._clients[serial] = {}
        for name, action in ((FOLLOW, FollowPath), (THROUGH, NavigateThroughPoses)):
            if name == THROUGH and not corridors:
                continue
            client = ActionClient(node, action, f"/{serial}/{name}", callback_group=self._group)
            self._clients[serial][name] = client
            self._keep(lambda made: made.destroy(), client)
        heard = [
            (BatteryState, "battery_state", self._charge, qos_profile_sensor_data),
            (String, "action_result", self._acted, 10),
        ]
        if poses == "amcl_pose":
            heard.append((PoseWithCovarianceStamped, "amcl_pose", self._amcl, late))
        for kind, name, hear, qos in heard:
            made = node.create_subscription(
                kind, f"/{serial}/{name}", partial(hear, serial), qos, callback_group=self._group
            )
            self._keep(node.destroy_subscription, made)
        for kind, name in ((String, "action"), (PoseWithCovarianceStamped, "initialpose")):
            door = node.create_publisher(kind, f"/{serial}/{name}", 10)
            self._doors[f"{serial}/{name}"] = door
            self._keep(node.destroy_publisher, door)

    def _keep(self, destroy: Callable[[Any], Any], made: Any) -> None:
        self._made.append((destroy, made))

    def disconnect(self) -> None:
        """From all of them; what they are at is cancelled."""
        with self._lock:
            for _, handle in self._goals.values():
                if handle is not None:
                    handle.cancel_goal_async()
            for destroy, made in self._made:
                destroy(made)
            for known in (self._made, self._clients, self._doors, self._goals, self._void,
                          self._poses, self._stamps, self._skews):  # fmt: skip
                known.clear()
            if self._listener is not None:
                self._listener.unregister()
            self._buffer = self._listener = None

    # --- nav2.robot.Outside ----------------------------------------------------------------------

    def follow(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        """A goal; the server ends the one before by itself."""
        self._soon(lambda: self._send(serial, FOLLOW, goal, poses))

    def through(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        """The same, in corridors."""
        self._soon(lambda: self._send(serial, THROUGH, goal, poses))

    def cancel(self, serial: str, goal: int) -> None:
        """Also one that is not accepted yet."""
        self._soon(lambda: self._cancel(serial, goal))

    def act(self, serial: str, action: Action) -> None:
        """As JSON on `<robot>/action`; the robot answers on `<robot>/action_result`."""
        text = json.dumps({"id": action.id, "kind": action.kind, **action.parameters})
        self._soon(lambda: self._doors[f"{serial}/action"].publish(String(data=text)))

    def relocate(self, serial: str, pose: Pose) -> None:
        """On `<robot>/initialpose`."""
        message = PoseWithCovarianceStamped()
        stamped = self._stamped(pose)
        message.header, message.pose.pose = stamped.header, stamped.pose
        self._soon(lambda: self._doors[f"{serial}/initialpose"].publish(message))

    # --- in the executor -------------------------------------------------------------------------

    def _soon(self, act: Callable[[], None]) -> None:
        if self._node.show.hushed:
            return  # ROS 2 is being shut down: the robots end what they hold
        self._todo.put(act)
        self._guard.trigger()

    def _do(self) -> None:
        while not self._todo.empty():
            with self._lock, contextlib.suppress(KeyError):  # of a robot disconnected meanwhile
                self._todo.get()()

    def _stamped(self, pose: Pose) -> Any:
        now_ns = self._node.get_clock().now().nanoseconds
        header = ros.Header(translation.time(now_ns), translation.MAP)
        return filled(PoseStamped, ros.PoseStamped(header, translation.pose(*pose)))

    def _send(self, serial: str, name: str, number: int, poses: Sequence[Pose]) -> None:
        client = self._clients[serial][name]
        if not client.server_is_ready():
            return  # the adapter counts on no answer
        stamped = [self._stamped(pose) for pose in poses]
        goal = _path_goal(stamped) if name == FOLLOW else _poses_goal(stamped)
        self._goals[serial] = number, None
        sent = client.send_goal_async(goal, feedback_callback=partial(self._felt, serial))
        sent.add_done_callback(partial(self._answered, serial, number))

    def _cancel(self, serial: str, number: int) -> None:
        known, handle = self._goals.get(serial, (0, None))
        if known == number and handle is not None:
            handle.cancel_goal_async()
        elif known == number:
            self._void.add((serial, number))

    def _answered(self, serial: str, number: int, future: Any) -> None:
        handle = future.result()
        accepted = bool(handle.accepted)
        self._tell_robot(serial, lambda r, now: r.answered(now, number, accepted=accepted))
        with self._lock:
            if accepted and serial in self._clients:
                self._taken(serial, number, handle)

    def _taken(self, serial: str, number: int, handle: Any) -> None:
        if self._goals.get(serial, (0, None))[0] == number:
            self._goals[serial] = number, handle
        if (serial, number) in self._void:
            self._void.discard((serial, number))
            handle.cancel_goal_async()
        handle.get_result_async().add_done_callback(partial(self._ended, serial, number))

    def _ended(self, serial: str, number: int, future: Any) -> None:
        found = future.result()
        code = int(getattr(found.result, "error_code", 0))
        text = str(getattr(found.result, "error_msg", ""))
        status = int(found.status)
        self._tell_robot(serial, lambda r, now: r.ended(now, number, status, code, text))

    def _tell_robot(self, serial: str, act: Callable[[Nav2Robot, int], Any]) -> None:
        if self.adapters is not None:
            self.adapters.robot(serial, act)

    # --- what robots say -------------------------------------------------------------------------

    def _look(self) -> None:
        """By tf: a pose that is told again is none; the adapter counts how old it is."""
        with self._lock:
            self._look_at_all()

    def _look_at_all(self) -> None:
        for serial in self._clients:
            try:
                found = self._buffer.lookup_transform(
                    translation.MAP, f"{serial}/base_link", Time()
                )
            except TransformException:
                continue
            stamp_ns = Time.from_msg(found.header.stamp).nanoseconds
            if self._stamps.get(serial) == stamp_ns:
                continue
            self._stamps[serial] = stamp_ns
            skew_s = (self._node.get_clock().now().nanoseconds - stamp_ns) / 1e9
            if abs(skew_s) < self._stale_s:
                self._skews.pop(serial, None)
                self._place(serial, found.transform.translation, found.transform.rotation)
            else:
                self._skews[serial] = skew_s

    def _amcl(self, serial: str, message: Any) -> None:
        self._place(serial, message.pose.pose.position, message.pose.pose.orientation)

    def _again(self) -> None:
        """AMCL says nothing while a robot stands."""
        with self._lock:
            for serial, pose in self._poses.items():
                self._tell_robot(serial, partial(_unchanged, pose))

    def _felt(self, serial: str, message: Any) -> None:
        speed = float(getattr(message.feedback, "speed", 0.0))  # none of NavigateThroughPoses
        self._tell_robot(serial, lambda r, now: r.felt(now, speed))

    def _place(self, serial: str, at: Any, turn: Any) -> None:
        pose = Pose(at.x, at.y, translation.heading(turn))
        if serial in self._clients and all(map(math.isfinite, pose)):
            self._poses[serial] = pose
            self._tell_robot(serial, lambda r, now: r.seen(now, pose))

    def _charge(self, serial: str, message: Any) -> None:
        share, charging = message.percentage, message.power_supply_status in CHARGING
        self._tell_robot(serial, lambda r, _: r.battery(share, charging=charging))

    def _acted(self, serial: str, message: Any) -> None:
        try:
            said = json.loads(message.data)
            name, outcome = str(said["id"]), str(said.get("outcome", "ok"))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._node.get_logger().warning(f"{serial}/action_result: is no such message")
            return
        self._tell_robot(serial, lambda r, now: r.acted(now, name, outcome))

    def _tell(self) -> None:
        """Who is not there."""
        with self._lock:
            self._tell_all()

    def _tell_all(self) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        status = []
        for serial, clients in self._clients.items():
            why = "" if serial in self._poses else "no pose has come"
            if serial in self._skews:
                why = (
                    f"its transforms are stamped {self._skews[serial]:.1f} s before this node's time "
                    "-> one clock for both: the same use_sim_time, or synchronised machines"
                )
            for name, client in clients.items():
                if not client.server_is_ready():
                    why = f"there is no action server /{serial}/{name}"
            if not why and self.adapters is not None:
                why = self.adapters.trouble(serial)
            level = translation.ERROR if why else translation.OK
            name = f"lightsout: nav2 {serial}"
            status.append(ros.DiagnosticStatus(level, name, why or "connected", serial))
        header = ros.Header(translation.time(now_ns), "")
        self._node.show(Said(now_ns, topics.DIAGNOSTICS, ros.DiagnosticArray(header, status)))


def _unchanged(pose: Pose, robot: Nav2Robot, now_ns: int) -> None:
    robot.unchanged(now_ns, pose)


def _path_goal(poses: list[Any]) -> Any:
    goal = FollowPath.Goal()
    goal.path.poses, goal.path.header = poses, poses[0].header
    return goal


def _poses_goal(poses: list[Any]) -> Any:
    """A list of poses in Jazzy, a message of them since."""
    goal = NavigateThroughPoses.Goal()
    if hasattr(goal.poses, "goals"):
        goal.poses.goals, goal.poses.header = poses, poses[0].header
    else:
        goal.poses = poses
    return goal
