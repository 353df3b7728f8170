"""Robots that behave like those with Nav2, over ROS 2: `<robot>/follow_path`, tf, batteries. Thin: how
they move, who plays them knows.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav2_msgs.action import FollowPath, NavigateThroughPoses
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from orchestrator.ros import messages as ros
from orchestrator.ros import topics, translation
from orchestrator.ros.display import Said
from orchestrator.ros.messages import filled
from orchestrator.ros.topics import Topic

ACTIONS = {"follow_path": FollowPath, "navigate_through_poses": NavigateThroughPoses}
STEP_S, CHARGE_S, FELT_S = 0.05, 1.0, 0.5
AMCL_M, AMCL_RAD = 0.25, 0.2  # so far a robot moves between two words of AMCL
SUCCEEDED, CANCELED = 4, 5
At = tuple[float, float, float]


class Played(Protocol):
    """One robot; see `sim.nav2`."""

    pose: At
    hears: Any

    @property
    def rejecting(self) -> bool:
        """It takes no goal."""

    def follow(self, now_ns: int, number: int, poses: Sequence[At]) -> None:
        """A goal."""

    def through(self, now_ns: int, number: int, poses: Sequence[At]) -> None:
        """A goal from pose to pose."""

    def cancel(self, number: int) -> None:
        """Cancel it."""

    def act(self, now_ns: int, action_id: str) -> None:
        """Something to do."""

    def relocate(self, pose: At) -> None:
        """It is here."""

    def step(self, now_ns: int, dt_s: float) -> None:
        """Time passes."""


class Nav2Servers:
    """All of them. `show` publishes; `speed`: seconds per second."""

    def __init__(
        self, node: Any, robots: Mapping[str, Played], show: Callable[[Said], None], speed: float
    ) -> None:
        self._node, self._robots, self._show, self._speed = node, robots, show, speed
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._now_ns = 0
        self._numbers = 0
        self._ends: dict[int, tuple[threading.Event, list[Any]]] = {}
        self._frames = [f"{serial}/base_link" for serial in robots]
        own = ReentrantCallbackGroup()
        self._servers = [
            ActionServer(
                node, action, f"/{serial}/{name}", partial(self._execute, serial, action),
                callback_group=own, goal_callback=partial(self._takes, serial),
                cancel_callback=lambda _: CancelResponse.ACCEPT,
            )
            for serial in robots
            for name, action in ACTIONS.items()
        ]  # fmt: skip
        for serial, robot in robots.items():
            robot.hears = _Hears(self, serial)
            node.create_subscription(
                String, f"/{serial}/action", partial(self._act, serial), 10, callback_group=own
            )
            node.create_subscription(
                PoseWithCovarianceStamped, f"/{serial}/initialpose",
                partial(self._relocate, serial), 10, callback_group=own,
            )  # fmt: skip
        late = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._amcl = {
            serial: node.create_publisher(PoseWithCovarianceStamped, f"/{serial}/amcl_pose", late)
            for serial in robots
        }
        self._told: dict[str, At] = {}
        node.create_timer(STEP_S, self._step, callback_group=ReentrantCallbackGroup())
        node.create_timer(CHARGE_S, self._charge)

    @property
    def now_ns(self) -> int:
        """Of what is played."""
        return self._now_ns

    def close(self) -> None:
        """Every goal's thread ends."""
        self._closed.set()

    def _step(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            dt_s = STEP_S * self._speed
            self._now_ns += round(dt_s * 1e9)
            for robot in self._robots.values():
                robot.step(self._now_ns, dt_s)
            places = [(k, *robot.pose) for k, robot in enumerate(self._robots.values())]
        finally:
            self._lock.release()
        stamp_ns = self._node.get_clock().now().nanoseconds
        self._show(
            Said(stamp_ns, topics.TF, translation.transforms(places, self._frames, stamp_ns))
        )
        for serial, (_, *place) in zip(self._robots, places, strict=True):
            self._localised(serial, (place[0], place[1], place[2]), stamp_ns)

    def _localised(self, serial: str, at: At, stamp_ns: int) -> None:
        """AMCL speaks when a robot has moved."""
        told = self._told.get(serial)
        if told is not None and math.dist(told[:2], at[:2]) < AMCL_M and (
            abs(math.remainder(told[2] - at[2], math.tau)) < AMCL_RAD
        ):  # fmt: skip
            return
        self._told[serial] = at
        header = ros.Header(translation.time(stamp_ns), translation.MAP)
        stamped = filled(PoseStamped, ros.PoseStamped(header, translation.pose(*at)))
        message = PoseWithCovarianceStamped(header=stamped.header)
        message.pose.pose = stamped.pose
        self._amcl[serial].publish(message)

    def _charge(self) -> None:
        stamp_ns = self._node.get_clock().now().nanoseconds
        for serial, frame in zip(self._robots, self._frames, strict=True):
            header = ros.Header(translation.time(stamp_ns), frame)
            full = ros.BatteryState(header, percentage=1.0, power_supply_status=2)
            self._show(
                Said(stamp_ns, Topic(f"/{serial}/battery_state", ros.BatteryState.TYPE), full)
            )

    def _takes(self, serial: str, _: Any) -> Any:
        return GoalResponse.REJECT if self._robots[serial].rejecting else GoalResponse.ACCEPT

    def _execute(self, serial: str, action: Any, handle: Any) -> Any:
        """In a thread of the executor, until the goal has ended."""
        follows = action is FollowPath
        asked = handle.request.path.poses if follows else handle.request.poses
        poses = [
            (p.pose.position.x, p.pose.position.y, translation.heading(p.pose.orientation))
            for p in getattr(asked, "goals", asked)  # a list of poses in Jazzy
        ]
        robot = self._robots[serial]
        event, found = threading.Event(), list[Any]()
        with self._lock:
            self._numbers += 1
            number = self._numbers
            self._ends[number] = event, found
            (robot.follow if follows else robot.through)(self._now_ns, number, poses)
        begun_ns, at = self._now_ns, robot.pose
        while not event.wait(STEP_S):
            if self._closed.is_set():
                return action.Result()  # nobody is there any more to hear it
            if follows and self._now_ns - begun_ns >= FELT_S * self._speed * 1e9:
                self._feel(handle, (self._now_ns - begun_ns) / 1e9, at, robot.pose)
                begun_ns, at = self._now_ns, robot.pose
            if handle.is_cancel_requested:
                with self._lock:
                    robot.cancel(number)
        status, code, text = found
        end = {SUCCEEDED: handle.succeed, CANCELED: handle.canceled}.get(status, handle.abort)
        if status == CANCELED and not handle.is_cancel_requested:
            end = handle.abort
        end()
        result = action.Result()
        for name, value in (("error_code", code), ("error_msg", text)):
            if hasattr(result, name):  # older distributions have neither
                setattr(result, name, value)
        return result

    def _feel(self, handle: Any, seconds: float, before: At, now: At) -> None:
        """The controller's feedback."""
        end = handle.request.path.poses[-1].pose.position
        feedback = FollowPath.Feedback()
        feedback.speed = math.dist(before[:2], now[:2]) / seconds
        feedback.distance_to_goal = math.dist(now[:2], (end.x, end.y))
        handle.publish_feedback(feedback)

    def ended(self, number: int, status: int, code: int, text: str) -> None:
        """A goal has: its thread goes on."""
        event, found = self._ends.pop(number, (threading.Event(), []))
        found += [status, code, text]
        event.set()

    def acted(self, serial: str, action_id: str, outcome: str) -> None:
        """On `<robot>/action_result`."""
        text = json.dumps({"id": action_id, "outcome": outcome})
        topic = Topic(f"/{serial}/action_result", ros.String.TYPE)
        self._show(Said(0, topic, ros.String(text)))

    def _act(self, serial: str, message: Any) -> None:
        with self._lock:
            self._robots[serial].act(self._now_ns, str(json.loads(message.data)["id"]))

    def _relocate(self, serial: str, message: Any) -> None:
        at, turn = message.pose.pose.position, message.pose.pose.orientation
        with self._lock:
            self._robots[serial].relocate((at.x, at.y, translation.heading(turn)))


class _Hears:
    """What a robot tells."""

    def __init__(self, servers: Nav2Servers, serial: str) -> None:
        self._servers, self._serial = servers, serial

    def answered(self, now_ns: int, number: int, *, accepted: bool) -> None:
        """A server of ROS 2 accepts before it executes: what is rejected now is aborted."""
        if not accepted:
            self._servers.ended(number, 6, 0, "rejected")

    def ended(self, now_ns: int, number: int, status: int, code: int = 0, text: str = "") -> None:
        """The result."""
        self._servers.ended(number, status, code, text)

    def acted(self, now_ns: int, action_id: str, outcome: str) -> None:
        """Of what it was to do."""
        self._servers.acted(self._serial, action_id, outcome)
