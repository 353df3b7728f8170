"""Recovery plans: stage after stage, each with its own way to look, bounded in tries and in time."""

import copy
from typing import Any

from scenes import FLOW
from test_flow import Line, Story

from orchestrator.core.messages import CloseOrder, ImageRead, RequestInference, StartWork, WorkEnded


def told(plan: dict[str, Any], looks: list[str], **steps: Any) -> Story:
    """An order whose inspection has these outcomes, under this plan for what can't be read."""
    flow = copy.deepcopy(FLOW)
    flow["outbound"]["verify"]["outcomes"] = {"unreadable": plan} | steps
    story = Story(flow=flow)
    story.looks = list(looks)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    return story


def views(story: Story) -> list[tuple[int, str]]:
    return [(c.view, c.look) for c in story.seen if isinstance(c, RequestInference)]


def test_each_stage_asks_for_its_own_way_to_look() -> None:
    plan = [
        {"then": "verify", "tries": 2, "look": "angle"},
        {"then": "verify", "tries": 1, "look": "reader"},
    ]
    story = told({"plan": plan}, ["unreadable"] * 3)
    assert views(story) == [(0, ""), (1, "angle"), (2, "angle"), (3, "reader")]
    assert story.closed() == {"o1": "done"}


def test_after_the_last_stage_the_order_is_set_aside_with_the_count_of_tries() -> None:
    plan = [{"then": "verify", "tries": 1}, {"then": "pick", "tries": 1}]
    story = told({"plan": plan}, ["unreadable"] * 9)
    assert story.closed() == {"o1": "quarantined"}
    assert story.world.orders["o1"].reason == "verify: unreadable after 2 further tries"
    picks = [c for c in story.seen if isinstance(c, StartWork) and c.capability == "pick"]
    assert len(picks) == 2


def test_doubt_and_a_label_of_something_else_are_treated_like_what_can_t_be_read() -> None:
    story = told({"then": "verify", "tries": 3, "look": "angle"}, ["doubtful", "misread", "ok"])
    assert story.closed() == {"o1": "done"}
    assert {kind for kind, _ in story.world.ended} == {"doubtful", "misread"}


def test_an_own_plan_goes_before_the_like() -> None:
    story = told(
        {"then": "verify", "tries": 3}, ["doubtful"] * 2, doubtful={"then": "verify", "tries": 1}
    )
    assert story.closed() == {"o1": "quarantined"}


def test_what_did_not_help_otherwise_either_is_not_tried_for_ever() -> None:
    plan = {"then": "verify", "tries": 1, "look": "angle", "otherwise": "pick"}
    story = told(plan, ["unreadable"] * 100)
    assert len(views(story)) == 3 and story.closed() == {"o1": "quarantined"}
    assert story.world.orders["o1"].reason == "verify: unreadable after 2 further tries"


def test_a_plan_is_bounded_in_time() -> None:
    story = Story(flow=_slow())
    story.looks = ["unreadable"] * 100
    story.order("o1", Line("SKU-01", 1))
    story.ticks(100)
    assert story.closed() == {"o1": "quarantined"}
    assert story.world.orders["o1"].reason == "verify: unreadable within 2 s"


def _slow() -> dict[str, Any]:
    flow = copy.deepcopy(FLOW)
    plan = {"then": "verify", "tries": 1000, "within_s": 2}
    flow["outbound"]["verify"]["outcomes"] = {"unreadable": plan}
    return flow


def test_a_label_that_reads_as_something_else_is_never_ok() -> None:
    flow = copy.deepcopy(FLOW)
    flow["outbound"]["pack"]["then"] = ["scan"]
    flow["outbound"]["scan"] = {"do": "inspect", "needs": "scan", "then": ["sort"]}
    story = Story(flow=flow, stations=_with_scan())
    values = ["parcel-o1", "parcel-o2"]
    plain = story.answer

    def answer(command: object) -> list[object]:
        if isinstance(command, RequestInference) and command.capability == "scan":
            return [ImageRead(request=command.request, outcome="ok", value=values.pop(0))]
        return plain(command)

    story.answer = answer  # type: ignore[method-assign]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    story.order("o3", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done", "o3": "quarantined"}
    assert story.world.orders["o3"].reason == "scan: misread"


def _with_scan() -> list[dict[str, Any]]:
    return [
        {"match": "dock-*", "kind": "dock", "capabilities": ["receive"], "positions": 3},
        {"match": "pick-*", "kind": "pick", "capabilities": ["pick", "verify", "pack", "scan"],
         "out_bay": "out-*", "positions": 3, "out_capacity": 2},
        {"match": "chute-*", "kind": "chute", "capabilities": ["handout"], "positions": 3},
    ]  # fmt: skip


def _answering(values: dict[str, list[str]], **flow: Any) -> Story:
    """Cameras that say "ok" whatever they read."""
    story = Story(stations=_with_scan(), **flow)
    plain = story.answer

    def answer(command: object) -> list[object]:
        if isinstance(command, RequestInference) and values.get(command.capability):
            value = values[command.capability].pop(0)
            return [ImageRead(request=command.request, outcome="ok", value=value)]
        return plain(command)

    story.answer = answer  # type: ignore[method-assign]
    return story


def test_an_ok_without_a_value_is_a_doubt() -> None:
    flow = copy.deepcopy(FLOW)
    flow["outbound"]["pack"]["then"] = ["scan"]
    again = {"unreadable": {"then": "scan", "tries": 1}}
    flow["outbound"]["scan"] = {
        "do": "inspect",
        "needs": "scan",
        "then": ["sort"],
        "outcomes": again,
    }
    story = _answering({"scan": ["", "parcel-o1", "", ""]}, flow=flow)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    story.order("o3", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done", "o3": "quarantined"}
    assert story.world.orders["o3"].reason == "scan: doubtful after 1 further tries"


def test_a_box_that_reads_as_another_count_or_item_is_never_ok() -> None:
    flow = copy.deepcopy(FLOW)
    flow["outbound"]["verify"]["outcomes"] = {}
    for value in ("SKU-01:1", "SKU-02:2"):
        story = _answering({"verify": [value]}, flow=flow)
        story.order("o1", Line("SKU-01", 2))
        story.ticks(200)
        assert story.closed() == {"o1": "quarantined"}
        assert story.world.orders["o1"].reason == "verify: mismatch"
        assert not story.world.to_show


def test_a_pick_of_fewer_units_than_asked_for_is_not_done_whatever_its_arm_says() -> None:
    story = Story(flow=copy.deepcopy(FLOW))
    plain, asked = story.answer, list[int]()

    def answer(command: object) -> list[object]:
        if isinstance(command, StartWork) and command.capability == "pick":
            asked.append(command.quantity)
            return [WorkEnded(work=command.work, quantity=1)]
        return plain(command)

    story.answer = answer  # type: ignore[method-assign]
    story.order("o1", Line("SKU-01", 3))
    story.ticks(200)
    assert asked == [3, 2, 1] and story.closed() == {"o1": "done"}
    closed = next(c for c in story.seen if isinstance(c, CloseOrder))
    assert closed.lines[0].done == 3
