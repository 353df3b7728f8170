"""Places that nobody gets to just now: nothing is sent there, and what was meant for them waits or goes
elsewhere."""

from __future__ import annotations

from test_flow import Story

from orchestrator.core import missions
from orchestrator.core.messages import Line, RobotFaulted, RobotRecovered
from orchestrator.core.robots import Leg


def dies_in(story: Story, robot: int, bay: int) -> None:
    """The robot drives into a bay and stands there for good."""
    known = story.world.site.roadmap.bays[bay]
    missions.assign(story.world, story.world.robots[robot], [Leg(known.node, bay)])
    commands, story.world.out = story.world.out, []
    story.say(*[event for command in commands for event in story.answer(command)])
    for _ in range(60):
        if story.world.traffic.at[robot] == known.node:
            break
        story.ticks(1)
    story.say(RobotFaulted(robot=robot, reason="test"))
    assert story.world.traffic.at[robot] == known.node


def test_nothing_is_released_while_no_pick_station_is_in_reach() -> None:
    story = Story()
    picks = [station.bay for station in story.loaded.site.stations if station.kind == "pick"]
    for robot, bay in enumerate(picks):
        dies_in(story, robot, bay)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(3)
    assert [state.used for state in story.world.stations] == [0] * len(story.world.stations)
    assert story.world.orders["o1"].station == -1, "it waits"
    story.say(*[RobotRecovered(robot=robot) for robot in range(len(picks))])
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
