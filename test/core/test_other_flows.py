"""Flows that are not those of the ready-made site: other names, other shapes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from scenes import FLOW, ring
from test_flow import Story

from orchestrator.core import flow
from orchestrator.core.messages import Line, OrderReceived
from orchestrator.layout import LayoutError


def story_of(**kinds: dict[str, Any]) -> Story:
    return Story(flow=deepcopy(FLOW) | kinds)


def outbound(**steps: dict[str, Any]) -> dict[str, Any]:
    return dict(deepcopy(FLOW["outbound"]), **steps)


def say(story: Story, kind: str, *lines: Line, **more: Any) -> None:
    story.say(OrderReceived(order_id="o1", kind=kind, lines=lines, **more))


def test_an_order_type_of_another_name_gives_everything_back_when_set_aside() -> None:
    story = story_of(express=outbound())
    story.picks = ["failed"] * 4
    say(story, "express", Line("SKU-01", 1))
    story.ticks(100)
    assert story.closed() == {"o1": "quarantined"}
    tote = story.world.stock.totes["t0"]
    assert (tote.place[0], tote.reserved) == ("slot", 0)


def test_stock_may_be_reserved_after_other_steps() -> None:
    hello = {"do": "inspect", "needs": "verify", "then": ["release"]}
    story = story_of(greeted={"hello": hello} | outbound())
    say(story, "greeted", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_an_order_is_done_when_all_its_ends_are_reached() -> None:
    steps = outbound()
    steps["return"]["then"] = ["put_back"]
    steps["put_back"] = {"do": "finish"}
    story = story_of(two_ends=steps)
    say(story, "two_ends", Line("SKU-01", 1), Line("SKU-02", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert story.world.stock.units_out == 2, "handed out, too"


def test_a_visit_may_have_another_name_and_needs_stops() -> None:
    story = story_of(move=deepcopy(FLOW["transport"]))
    say(story, "move", Line("SKU-01", 1))
    assert story.closed() == {"o1": "refused"}
    say(story, "move", stops=(3,))
    story.say(OrderReceived(order_id="o2", kind="move", stops=(3,)))
    story.ticks(60)
    assert story.closed()["o2"] == "done"


def test_a_way_back_before_a_fork_or_a_join_is_refused() -> None:
    steps = {
        "begin": {"do": "inspect", "needs": "verify", "then": ["left", "right"]},
        "left": {"do": "inspect", "needs": "verify", "then": ["join"]},
        "right": {
            "do": "work", "needs": "handout", "then": ["join"],
            "outcomes": {"failed": {"then": "begin", "tries": 1, "otherwise": "quarantine"}},
        },
        "join": {"do": "work", "needs": "pick", "then": ["end"]},
        "end": {"do": "finish"},
    }  # fmt: skip
    with pytest.raises(LayoutError, match="begin"):
        ring(flow=deepcopy(FLOW) | {"fork": steps})


def test_what_goes_back_from_the_whole_order_to_its_lines_is_refused() -> None:
    steps = outbound()
    steps["pack"]["outcomes"] = {
        "failed": {"then": "verify", "tries": 1, "otherwise": "quarantine"}
    }
    with pytest.raises(LayoutError, match="per_line"):
        ring(flow=deepcopy(FLOW) | {"other": steps})


def test_an_order_without_a_due_time_does_not_go_before_those_that_have_one() -> None:
    story = Story(totes=2)
    for station, state in zip(story.loaded.site.stations, story.world.stations, strict=True):
        if station.kind == "pick":
            state.used = station.positions
    story.say(OrderReceived(order_id="any", kind="outbound", lines=(Line("SKU-01", 1),)))
    story.order("urgent", Line("SKU-02", 1))
    for station, state in zip(story.loaded.site.stations, story.world.stations, strict=True):
        if station.kind == "pick":
            state.used = 0
    flow.release_backlog(story.world)
    tasks = [task.token[0] for task in story.world.tasks.values()]
    assert tasks == ["urgent", "any"]


def test_an_order_that_ends_without_packing_leaves_its_place_at_the_station() -> None:
    steps = outbound()
    steps["verify"]["then"] = ["return"]
    for name in ("pack", "sort", "hand_out"):
        del steps[name]
    story = story_of(pick_only=steps)
    say(story, "pick_only", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert [state.used for state in story.world.stations] == [0] * len(story.world.stations)
