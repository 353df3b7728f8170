"""Robots that report what can't be true: edges they were not released to, duplicates, leaps over nodes,
actions nobody gave. They drive as they should; only what they say can't be believed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import ActionEnded, Event, NodeReached
from orchestrator.layout.robot_faults_file import RobotNonsense
from sim.clock import SECOND_NS, Clock, Streams
from sim.robots import SimRobot

NEVER_GIVEN = 2**30  # number of an action


class Nonsense:
    """`edges`: how many the roadmap has. A fit ends by itself, or with the robot's restart."""

    def __init__(
        self,
        clock: Clock,
        streams: Streams,
        edges: int,
        say: Callable[[int, Event], None],
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._clock, self._streams, self._edges = clock, streams, edges
        self._say, self._tell = say, tell
        self._chance: dict[str, random.Random] = {}
        self._left: dict[int, int] = {}  # robot -> reports to come
        self.spec: RobotNonsense | None = None

    def _of(self, robot: SimRobot) -> random.Random:
        if robot.name not in self._chance:
            self._chance[robot.name] = self._streams.of("nonsense words", robot.name)
        return self._chance[robot.name]

    def begins(self, robot: SimRobot, reason: str) -> None:
        """From now on it talks nonsense, beside what is true."""
        if self.spec is None or robot.index in self._left or robot.off:
            return
        self._left[robot.index] = self._of(robot).randint(*self.spec.reports)
        self._tell("fault", {"kind": "robot_nonsense", "robot": robot.name, "reason": reason})
        self._again(robot)

    def _again(self, robot: SimRobot) -> None:
        every_s = self.spec.every_s if self.spec else (1.0, 1.0)
        self._clock.after(round(self._of(robot).uniform(*every_s) * SECOND_NS), self._talks, robot)

    def _talks(self, robot: SimRobot) -> None:
        if robot.index not in self._left:
            return
        self._say(robot.index, self._word(robot))
        self._left[robot.index] -= 1
        if self._left[robot.index] <= 0:
            self.ends(robot)
        else:
            self._again(robot)

    def _word(self, robot: SimRobot) -> Event:
        chance, index = self._of(robot), robot.index
        ahead = list(robot.base)[1:]
        kind = chance.randrange(4)
        if kind == 0:
            return ActionEnded(robot=index, action=NEVER_GIVEN)
        if kind == 1 and robot.passed >= 0:
            return NodeReached(robot=index, edge=robot.passed)  # once more
        if kind == 2 and ahead:
            return NodeReached(robot=index, edge=chance.choice(ahead))  # too early
        others = [edge for edge in (chance.randrange(self._edges),) if edge not in robot.base]
        return NodeReached(robot=index, edge=others[0] if others else self._edges + NEVER_GIVEN)

    def ends(self, robot: SimRobot) -> None:
        """It talks sense again."""
        if self._left.pop(robot.index, None) is not None:
            self._tell("fault_ended", {"kind": "robot_nonsense", "robot": robot.name})
