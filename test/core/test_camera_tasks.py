"""What a camera is asked is said by the step: goods that come in, the condition of what was picked."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from scenes import FLOW
from workshop import Workshop, flow

from orchestrator.core.messages import CloseOrder, ImageRead, Line, OrderReceived, RequestInference

BACK = {"tries": 1, "look": "reader", "otherwise": "quarantine"}
GOODS = {
    "receive": {"do": "work", "needs": "receive", "then": ["goods"]},
    "goods": {
        "do": "inspect", "needs": "goods", "task": "identify_item", "per_line": True,
        "then": ["condition"], "outcomes": {"mismatch": {"then": "goods", **BACK}},
    },
    "condition": {
        "do": "inspect", "needs": "condition", "task": "inspect_damage", "per_line": True,
        "then": ["put_away"], "outcomes": {"damaged": {"then": "condition", **BACK}},
    },
    "put_away": FLOW["inbound"]["put_away"] | {"per_line": True},
    "stored": {"do": "finish"},
}  # fmt: skip


class Checked(Workshop):
    """Totes that come in are looked at, and what was picked for damage."""

    def __init__(self) -> None:
        kinds = flow(verify={"then": ["inspect"]})
        then = deepcopy(FLOW["outbound"]["verify"]["then"])
        kinds["outbound"]["inspect"] = {
            "do": "inspect", "needs": "inspect", "task": "inspect_damage", "per_line": True,
            "then": then, "outcomes": {"damaged": {"then": "discard", "tries": 2}},
        }  # fmt: skip
        stations: list[dict[str, Any]] = [
            {"match": "dock-*", "kind": "dock", "positions": 3,
             "capabilities": ["receive", "goods", "condition"]},
            {"match": "pick-*", "kind": "pick", "out_bay": "out-*", "positions": 3,
             "capabilities": ["pick", "verify", "inspect", "discard", "pack"], "out_capacity": 2},
            {"match": "chute-*", "kind": "chute", "capabilities": ["handout"], "positions": 3},
        ]  # fmt: skip
        super().__init__(flow=kinds | {"inbound": GOODS}, stations=stations)
        self.said: dict[str, list[tuple[str, str]]] = {}  # capability -> outcome, value

    def answer(self, command: object) -> list[object]:
        if isinstance(command, RequestInference):
            right = "intact" if command.task == "inspect_damage" else command.expected
            rows = self.said.get(command.capability)
            outcome, value = rows.pop(0) if rows else ("ok", right)
            return [ImageRead(request=command.request, outcome=outcome, value=value)]
        return super().answer(command)

    def comes(self) -> None:
        dock = next(i for i, s in enumerate(self.loaded.site.stations) if s.kind == "dock")
        line = Line("SKU-01", 5)
        self.say(
            OrderReceived(order_id="in", kind="inbound", station=dock, lines=(line,), load="new")
        )
        self.ticks(200)

    def reason(self) -> str:
        return next(c.reason for c in self.seen if isinstance(c, CloseOrder))

    def asked_of(self, capability: str) -> list[tuple[str, str, str]]:
        rows = [c for c in self.seen if isinstance(c, RequestInference)]
        return [(c.task, c.subject, c.expected) for c in rows if c.capability == capability]


def test_goods_that_come_in_are_identified_and_inspected_in_their_tote() -> None:
    story = Checked()
    story.comes()
    assert story.closed() == {"in": "done"}
    (goods,), (condition,) = story.asked_of("goods"), story.asked_of("condition")
    assert goods == ("identify_item", story.world.orders["in"].lines[0].tote, "SKU-01")
    assert condition == ("inspect_damage", goods[1], "SKU-01")


@pytest.mark.parametrize(
    ("camera", "said", "outcome"),
    [
        ("goods", ("mismatch", "SKU-02"), "mismatch"),
        ("goods", ("ok", "SKU-02"), "mismatch"),  # it contradicts itself
        ("condition", ("damaged", "damaged"), "damaged"),
        ("condition", ("ok", "damaged"), "damaged"),
    ],
)
def test_what_is_not_as_announced_goes_back(
    camera: str, said: tuple[str, str], outcome: str
) -> None:
    """Given goods that a camera finds wrong, and another reader as well, then the tote leaves."""
    story = Checked()
    story.said[camera] = [said, said]
    story.comes()
    assert story.closed() == {"in": "quarantined"} and len(story.asked_of(camera)) == 2
    assert f"{camera}: {outcome}" in story.reason()
    assert all(
        tote.place[0] != "slot" or tote.id[0] == "t" for tote in story.world.stock.totes.values()
    )
    assert story.funnel()[outcome] == "quarantined"


def test_a_second_reader_that_finds_it_right_lets_it_in() -> None:
    story = Checked()
    story.said["goods"] = [("mismatch", "SKU-02")]
    story.comes()
    assert story.closed() == {"in": "done"} and story.funnel() == {"mismatch": "resolved"}


def test_an_ok_that_says_of_nothing_is_a_doubt() -> None:
    story = Checked()
    story.said["condition"] = [("ok", "")]
    story.comes()
    assert story.closed() == {"in": "quarantined"}, "the flow says nothing of doubts"
    assert "condition: doubtful" in story.reason()


def test_what_was_picked_is_inspected_in_the_order_s_box() -> None:
    story = Checked()
    story.said["inspect"] = [("damaged", "damaged")]
    story.script["discard"] = [{"quantity": 2}]
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert story.asked_of("inspect") == [("inspect_damage", "o1", "SKU-01")] * 2
