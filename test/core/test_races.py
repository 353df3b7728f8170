"""Answers that come when the world has gone on, and places that are all taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from test_flow import Story

from orchestrator.core import missions
from orchestrator.core.messages import (
    AssignmentMade,
    BatteryCrossed,
    CommandRefused,
    ExtendBase,
    Line,
    NodeReached,
    RequestAssignment,
    RequestPaths,
    StartAction,
)
from orchestrator.core.robots import Leg


def held_back(story: Story, *kinds: type) -> list[Any]:
    """From now on commands of these kinds are collected, not answered."""
    held: list[Any] = []
    answer: Callable[[object], list[object]] = story.answer

    def hold(command: object) -> list[object]:
        if isinstance(command, kinds):
            held.append(command)
            return []
        return answer(command)

    story.answer = hold  # type: ignore[method-assign]
    return held


def test_a_plan_made_before_a_robot_began_to_load_does_not_move_it() -> None:
    story = Story()
    world, roadmap = story.world, story.loaded.site.roadmap
    # Given an idle robot in the slot of a tote, on its way to parking
    slot = world.stock.totes["t0"].home
    missions.assign(world, world.robots[0], [Leg(roadmap.bays[slot].node, slot)])
    commands, world.out = world.out, []
    story.say(*[event for command in commands for event in story.answer(command)])
    robot = world.robots[0]
    while roadmap.node_bay[world.traffic.at[0]] != slot or robot.legs:
        story.ticks(1)
    plans = held_back(story, RequestPaths)
    actions = held_back(story, StartAction)
    matches = held_back(story, RequestAssignment)
    story.ticks(6)
    assert robot.goal >= 0 and plans
    # when it gets the task to load that tote, and the plan to drive off comes after that
    story.order("o1", Line("SKU-01", 1))
    story.ticks(1)
    task = next(iter(world.tasks))
    story.say(AssignmentMade(request=matches[-1].request, pairs=((task, robot.index),)))
    assert actions and actions[-1].robot == robot.index and actions[-1].kind == "pick"
    sent = len([c for c in story.seen if isinstance(c, ExtendBase)])
    story.say(story.answers.paths(plans[-1]))
    # then it stays
    moved = [c for c in story.seen if isinstance(c, ExtendBase)][sent:]
    assert not [c for c in moved if c.robot == robot.index]


CHARGERS = [
    {"match": "slot-*", "kind": "slot"}, {"match": "park-1", "kind": "charger"},
    {"match": "park-*", "kind": "parking"}, {"match": "*", "kind": "station"},
]  # fmt: skip


def charged(story: Story) -> list[int]:
    """Robots that began to charge, in sequence."""
    return [c.robot for c in story.seen if isinstance(c, StartAction) and c.kind == "charge"]


def test_a_full_robot_at_rest_on_the_only_charger_makes_room_for_an_empty_one() -> None:
    story = Story(robots=2, bays=CHARGERS)
    story.say(BatteryCrossed(robot=0, battery_permille=300))
    story.ticks(60)
    assert charged(story) == [0]
    story.say(BatteryCrossed(robot=0, battery_permille=900))
    story.ticks(60)
    story.say(BatteryCrossed(robot=1, battery_permille=300))
    story.ticks(120)
    assert charged(story) == [0, 1]


def test_a_robot_that_has_rested_empty_on_its_charger_charges_where_it_is() -> None:
    story = Story(robots=1, bays=CHARGERS)
    story.say(BatteryCrossed(robot=0, battery_permille=300))
    story.ticks(60)
    story.say(BatteryCrossed(robot=0, battery_permille=900))
    story.ticks(60)
    story.say(BatteryCrossed(robot=0, battery_permille=300))
    story.ticks(60)
    assert charged(story) == [0, 0]
    assert story.world.robots[0].charging


def test_a_refused_way_into_a_bay_that_is_no_longer_wanted_leaves_no_ticket_behind() -> None:
    story = Story(robots=2)
    world, bays = story.world, story.world.site.roadmap.bays
    # Given a robot released into a parking place, whose command is still on its way
    robot = world.robots[0]
    park = next(i for i, b in enumerate(bays) if b.kind == "parking" and not world.bays[i].holders)
    held = held_back(story, ExtendBase)
    missions.assign(world, robot, [Leg(bays[park].node, park, parking=True)])
    story.ticks(1)
    while world.traffic.tail[0] != bays[park].node:
        for command in held[:]:
            held.remove(command)
            story.say(NodeReached(robot=0, edge=command.edges[0]))
            for edge in command.edges[1:]:
                if world.traffic.tail[0] != bays[park].node:
                    story.say(NodeReached(robot=0, edge=edge))
        story.ticks(1)
    last = held[-1]
    # when it is wanted elsewhere, and the gate lets nothing through
    slot = world.stock.totes["t0"].home
    missions.assign(world, robot, [Leg(bays[slot].node, slot)])
    story.say(CommandRefused(robot=0, reason="test", edges=last.edges))
    # then the place is free for others
    assert world.bays[park].holders == []
