"""Robots that behave like those that run Nav2, without ROS 2: goals of `FollowPath` and of
`NavigateThroughPoses` in, poses, answers and results out. They go straight along the path that they
are given, or plan one of their own from pose to pose; turn on the spot at its corners; and, as Nav2
does, end a goal that another one replaces. What goes wrong is said by `Mood`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from sim.clock import SECOND_NS

Pose = tuple[float, float, float]
SUCCEEDED, CANCELED, ABORTED = 4, 5, 6
INVALID_PATH, NO_PROGRESS = 103, 105
TURN_FROM = 0.1  # rad: it turns on the spot before it drives
NEAR_M = 0.01
PLAN_M = 0.1  # between the poses of a way of its own


@dataclass(slots=True)
class Mood:
    """What a robot does that it should not; each is taken back by setting it otherwise."""

    rejects: bool = False  # every goal
    silent: bool = False  # its server answers nothing
    aborts: list[int] = field(default_factory=list)  # error codes of the next goals
    stuck: bool = False  # something lies before it: it stands, and gives up after `patience_s`
    strays_mps: float = 0.0  # it drifts to its left so fast, and never comes back to its path
    blind: bool = False  # it does not know where it is: no poses
    actions: str = "ok"  # outcome of what it is to do; "": it never ends
    roams_m: float = 0.0  # where it plans its own way: so far to the left it goes round something


class Hears(Protocol):
    """Who sent the goals."""

    def answered(self, now_ns: int, number: int, *, accepted: bool) -> None:
        """A goal was taken, or rejected."""

    def ended(self, now_ns: int, number: int, status: int, code: int = 0, text: str = "") -> None:
        """A goal's result."""

    def acted(self, now_ns: int, action_id: str, outcome: str) -> None:
        """What it was to do has ended."""


@dataclass(slots=True)
class _Goal:
    number: int
    poses: list[Pose]
    next: int = 0
    cancelled: bool = False
    since_ns: int = 0
    answered: bool = False


class SimNav2:
    """One robot. Speeds in m/s and rad/s. `hears` may be set later."""

    def __init__(
        self, pose: Pose, speed_mps: float, acceleration_mps2: float, turn_radps: float
    ) -> None:
        self.pose, self.mood = pose, Mood()
        self.hears: Hears | None = None
        self.speed_mps = 0.0
        self._limits = speed_mps, acceleration_mps2, turn_radps
        self._goal: _Goal | None = None
        self._acts: list[tuple[int, str]] = []  # when they end
        self._lies: float | None = None  # in which direction it lies that it is stuck before
        self.patience_s, self.act_s = 5.0, 2.0

    # --- the action server -----------------------------------------------------------------------

    @property
    def rejecting(self) -> bool:
        """It takes no goal."""
        return self.mood.rejects

    def follow(self, now_ns: int, number: int, poses: Sequence[Pose]) -> None:
        """A goal, in place of the one before."""
        if self.mood.silent:
            return
        before, self._goal = self._goal, _Goal(number, list(poses), since_ns=now_ns)
        if before is not None:
            self._result(now_ns, before.number, ABORTED)

    def through(self, now_ns: int, number: int, poses: Sequence[Pose]) -> None:
        """The same, on a way of its own from pose to pose, forwards."""
        stands = self.speed_mps == 0
        self.follow(now_ns, number, way_through(self.pose, poses, self.mood.roams_m, stands=stands))

    def cancel(self, number: int) -> None:
        """It brakes, then the goal has ended."""
        if self._goal is not None and self._goal.number == number and not self.mood.silent:
            self._goal.cancelled = True

    def act(self, now_ns: int, action_id: str) -> None:
        """Take a load, set it down, charge."""
        self._acts.append((now_ns + round(self.act_s * SECOND_NS), action_id))

    def relocate(self, pose: Pose) -> None:
        """As of /initialpose: it knows again where it is, and is wherever it is."""
        self.mood.blind = False

    # --- time ------------------------------------------------------------------------------------

    def step(self, now_ns: int, dt_s: float) -> None:
        """So much time has passed."""
        for each in [a for a in self._acts if a[0] <= now_ns]:
            self._acts.remove(each)
            if self.mood.actions and self.hears is not None:
                self.hears.acted(now_ns, each[1], self.mood.actions)
        goal = self._goal
        if not self.mood.stuck:
            self._lies = None
        if goal is None or self.mood.silent:
            self._brake(dt_s)
            return
        if not goal.answered:
            goal.answered = True
            self._answer(now_ns, goal)
            return
        if goal.cancelled:
            self._brake(dt_s)
            if self.speed_mps == 0:
                self._end(now_ns, goal, CANCELED)
        elif self.mood.stuck and self._leads_on(goal):
            self._brake(dt_s)
            if now_ns - goal.since_ns > self.patience_s * SECOND_NS:
                self._end(now_ns, goal, ABORTED, NO_PROGRESS, "Failed to make progress")
        else:
            self._drive(now_ns, goal, dt_s)

    def _answer(self, now_ns: int, goal: _Goal) -> None:
        accepted = not self.mood.rejects and len(goal.poses) >= 1
        if not accepted:
            self._goal = None
        if self.hears is not None:
            self.hears.answered(now_ns, goal.number, accepted=accepted)
        if accepted and self.mood.aborts:
            self._end(now_ns, goal, ABORTED, self.mood.aborts.pop(0), "as it was told to")

    def _end(self, now_ns: int, goal: _Goal, status: int, code: int = 0, text: str = "") -> None:
        self._goal = None
        self._result(now_ns, goal.number, status, code, text)

    def _result(self, now_ns: int, number: int, status: int, code: int = 0, text: str = "") -> None:
        if self.hears is not None:
            self.hears.ended(now_ns, number, status, code, text)

    def _leads_on(self, goal: _Goal) -> bool:
        """On, where something lies; and not back."""
        (x, y, theta), end = self.pose, goal.poses[-1]
        if self._lies is None:
            self._lies = theta
        theta = self._lies
        return math.cos(theta) * (end[0] - x) + math.sin(theta) * (end[1] - y) > 0

    # --- the controller --------------------------------------------------------------------------

    def _brake(self, dt_s: float) -> None:
        """Straight on, as long as it takes."""
        before = self.speed_mps
        self.speed_mps = max(0.0, before - self._limits[1] * dt_s)
        self._roll(self._course(), (before + self.speed_mps) / 2 * dt_s)

    def _course(self) -> float:
        goal = self._goal
        if goal is None or self.mood.strays_mps:
            return self.pose[2]
        x, y, _ = goal.poses[goal.next]
        return math.atan2(y - self.pose[1], x - self.pose[0])

    def _roll(self, course: float, way_m: float) -> None:
        if way_m > 0:
            x, y, theta = self.pose
            self.pose = (x + math.cos(course) * way_m, y + math.sin(course) * way_m, theta)

    def _drive(self, now_ns: int, goal: _Goal, dt_s: float) -> None:
        while goal.next < len(goal.poses) - 1 and self._is_at(goal.poses[goal.next]):
            goal.next += 1
        theta = goal.poses[goal.next][2]
        turn = math.remainder(theta - self.pose[2], math.tau)
        if abs(turn) > (TURN_FROM if self.speed_mps else 1e-3):
            if self.speed_mps:
                self._brake(dt_s)
            else:
                most = self._limits[2] * dt_s
                turned = self.pose[2] + max(-most, min(most, turn))
                self.pose = (*self.pose[:2], math.remainder(turned, math.tau))
            return
        left_m = self._left(goal)
        if left_m <= NEAR_M:
            self.speed_mps = 0.0
            self._end(now_ns, goal, SUCCEEDED)
            return
        self._along(goal, left_m, theta, dt_s)

    def _along(self, goal: _Goal, left_m: float, theta: float, dt_s: float) -> None:
        fast, accelerates, _ = self._limits
        may = math.sqrt(2 * accelerates * left_m)
        self.speed_mps = max(0.02, min(fast, may, self.speed_mps + accelerates * dt_s))
        way_m = min(self.speed_mps * dt_s, left_m)
        if self.mood.strays_mps:
            self._roll(theta, way_m)
            self._roll(theta + math.pi / 2, self.mood.strays_mps * dt_s)
            return
        while way_m > 0:
            x, y, _ = goal.poses[goal.next]
            here = math.dist(self.pose[:2], (x, y))
            step = min(way_m, here)
            self._roll(self._course(), step)
            way_m -= step
            if here - step > NEAR_M or goal.next == len(goal.poses) - 1:
                break
            goal.next += 1
        self.pose = (*self.pose[:2], theta)

    def _is_at(self, pose: Pose) -> bool:
        return math.dist(self.pose[:2], pose[:2]) <= NEAR_M

    def _left(self, goal: _Goal) -> float:
        places = [self.pose[:2], *(pose[:2] for pose in goal.poses[goal.next :])]
        return sum(math.dist(a, b) for a, b in pairwise(places))


def way_through(start: Pose, poses: Sequence[Pose], roams_m: float, *, stands: bool) -> list[Pose]:
    """From pose to pose, so far to the left in the middle; a robot that drives already goes straight to
    the first one. The end looks as it is to."""
    found: list[Pose] = []
    for number, (a, b) in enumerate(pairwise([start, *poses])):
        length_m, course = math.dist(a[:2], b[:2]), math.atan2(b[1] - a[1], b[0] - a[0])
        if length_m <= NEAR_M:
            continue
        aside_most_m = roams_m if number or stands else 0.0
        steps = math.ceil(length_m / PLAN_M)
        for k in range(steps + 1):
            turn = math.tau * k / steps
            aside_m = aside_most_m * (1 - math.cos(turn)) / 2
            steep = aside_most_m * math.pi / length_m * math.sin(turn)
            x = a[0] + (b[0] - a[0]) * k / steps - math.sin(course) * aside_m
            y = a[1] + (b[1] - a[1]) * k / steps + math.cos(course) * aside_m
            found.append((x, y, math.remainder(course + math.atan(steep), math.tau)))
    return [*found, poses[-1]] if poses else found
