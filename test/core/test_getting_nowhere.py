"""Robots that stand, or go to and fro for ever: noticed, and ended without a person."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from corridor import corridor
from test_flow import SECOND, Story

from orchestrator.answers import Answers
from orchestrator.core.messages import (
    OrderReceived,
    RaiseAlarm,
    RequestPaths,
    RobotJoined,
    RobotsEvacuated,
)
from planners.distances import Distances
from planners.last_resort import LastResort
from planners.pibt import PibtPlanner
from planners.protocols import PathPlan, PathProblem, Planner
from planners.roadmap import RoadmapArrays

AMR, CART = 0, 1


class Rocking:
    """A planner that lets robots who have left their bays go to and fro while two are on the
    lanes: a step that the next plan takes back, or a step there and back in one plan."""

    def __init__(self, arrays: RoadmapArrays, steps: int) -> None:
        self._arrays, self._steps = arrays, steps
        self._planner = PibtPlanner(arrays, Distances(arrays))

    def plan(self, problem: PathProblem) -> PathPlan:
        """The moves; a real planner's, where nobody meets anybody."""
        arrays = self._arrays
        on_lanes = np.flatnonzero(arrays.node_bay[problem.node] < 0)
        if len(on_lanes) < 2:
            return self._planner.plan(problem)
        moves = []
        for robot in on_lanes.tolist():
            node = int(problem.node[robot])
            there = node ^ 1 if self._steps == 1 else node + (-1 if robot == AMR else 1)
            ways = np.flatnonzero(
                (arrays.edge_tail == node) & (arrays.node_bay[arrays.edge_head] < 0)
            )
            way = next((way for way in ways if arrays.edge_head[way] == there), ways[0])
            if arrays.edge_head[way] in problem.node:
                continue
            back = (arrays.edge_tail == arrays.edge_head[way]) & (arrays.edge_head == node)
            moves += [(robot, way), (robot, np.flatnonzero(back)[0])][: self._steps]
        table = np.array(moves, np.int32).reshape(-1, 2)
        return PathPlan(table[:, 0].copy(), table[:, 1].copy())


class Meeting(Story):
    """A robot in each end of the corridor."""

    def __init__(self, planner: Planner | None = None) -> None:
        super().__init__(totes=0, robots=0, loaded=corridor())
        self.answers = Answers(self.loaded.arrays, planner=planner)
        self.names = self.loaded.site.roadmap.node_ids
        for robot, place in enumerate(("park-amr", "park-cart")):
            joined = RobotJoined(
                robot=robot, name=place, fleet=robot, node=self.names.index(place), heading_deg=90,
                battery_permille=1000,
            )  # fmt: skip
            self.say(joined)

    def transport(self, name: str, *stops: str) -> None:
        nodes = tuple(self.names.index(stop) for stop in stops)
        self.say(OrderReceived(order_id=name, kind="transport", stops=nodes))

    def wait(self, seconds: int) -> None:
        until_ns = self.time_ns + seconds * SECOND
        while self.time_ns < until_ns:
            self.ticks(1)

    def alarms(self) -> list[str]:
        return [c.text for c in self.seen if isinstance(c, RaiseAlarm)]

    def at(self, robot: int) -> str:
        return self.names[self.world.traffic.at[robot]]


def rocking(steps: int, *, last_resort: bool = True) -> Meeting:
    arrays = corridor().arrays
    planner = Rocking(arrays, steps)
    return Meeting(LastResort(arrays, planner) if last_resort else planner)


@pytest.mark.parametrize("steps", [1, 2])
def test_who_moves_and_gets_nowhere_is_noticed(steps: int) -> None:
    """Given a planner that lets two robots rock on a two-way lane, then each is told of in 90 s."""
    story = rocking(steps, last_resort=False)
    story.transport("east", "c0", "c8")
    story.transport("west", "c8", "c0")
    story.wait(80)
    driven = [robot.wear.driven_mm for robot in story.world.robots]
    assert not story.alarms()
    story.wait(190)
    told = [text for text in story.alarms() if "got nowhere" in text]
    assert 2 <= len(told) <= 6
    now = [robot.wear.driven_mm for robot in story.world.robots]
    assert all(b > a + 20_000 for a, b in zip(driven, now, strict=True)), "they did move"


@pytest.mark.parametrize("steps", [1, 2])
def test_who_moves_and_gets_nowhere_is_let_through(steps: int) -> None:
    story = rocking(steps)
    story.transport("east", "c0", "c8")
    story.transport("west", "c8", "c0")
    story.wait(900)
    assert story.closed() == {"east": "done", "west": "done"}
    assert story.alarms()


def test_who_can_not_be_let_through_does_not_keep_others_waiting_for_ever() -> None:
    """Given two that get nowhere, whatever is planned, then now one is to be let through, now the
    other, each for some minutes, the one that is on its way for longest first."""
    story = rocking(2, last_resort=False)
    story.transport("east", "c0", "c8")
    story.transport("west", "c8", "c0")
    story.wait(1800)
    asked = [c.stalled for c in story.seen if isinstance(c, RequestPaths) and c.stalled >= 0]
    turns = [robot for robot, _ in groupby(asked)]
    assert turns[:3] == [AMR, CART, AMR] and len(turns) < 9


def test_who_gets_on_is_not_told_of() -> None:
    story = Meeting()
    story.transport("east", *("c0", "c3") * 40)
    story.wait(900)
    assert story.closed() == {"east": "done"} and not story.alarms()


@pytest.mark.parametrize("rocks", [0, 1, 2])
def test_robots_led_out_of_evacuated_parts_are_let_through(rocks: int) -> None:
    """Given two that can park at each other's end alone, when both ends are evacuated, then they change
    places, though the corridor has one place to step aside."""
    story = rocking(rocks) if rocks else Meeting()
    for robot, place in enumerate(("park-amr", "park-cart")):
        node = story.names.index(place)
        asked = RobotsEvacuated(request=f"e{robot}", zone=place, nodes=(node,))
        story.say(asked)
    story.wait(900)
    assert [story.at(AMR), story.at(CART)] == ["park-amr-far", "park-cart-far"]
    assert story.alarms()
