"""What is reserved belongs to a line, and is given back once, whatever becomes of the line."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from scenes import FLOW
from test_flow import Story

from orchestrator.core import invariants
from orchestrator.core.messages import Line, StartWork, WorkEnded


def outbound(**steps: Any) -> dict[str, Any]:
    """The ring's flow; `steps` replace keys of its steps."""
    kinds = deepcopy(FLOW)
    for name, values in steps.items():
        kinds["outbound"][name] |= values
    return kinds


def again(to: str, tries: int) -> dict[str, Any]:
    return {"then": to, "tries": tries, "otherwise": "quarantine"}


def reserved(story: Story) -> dict[str, int]:
    return {tote.id: tote.reserved for tote in story.world.stock.totes.values()}


def test_a_line_that_goes_to_another_tote_gives_the_first_one_back() -> None:
    story = Story(totes=4, flow=outbound(pick={"outcomes": {"failed": again("retrieve", 2)}}))
    story.picks = ["failed"]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert set(reserved(story).values()) == {0}


def test_where_there_is_no_other_tote_the_same_one_is_fetched_again() -> None:
    story = Story(totes=1, flow=outbound(pick={"outcomes": {"failed": again("retrieve", 2)}}))
    story.picks = ["failed"]
    story.order("o1", Line("SKU-01", 10))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_a_tote_that_nobody_fetches_in_time_keeps_what_others_reserved() -> None:
    timeout = {"timeout_s": 30, "outcomes": {"timeout": again("retrieve", 0)}}
    story = Story(totes=1, robots=0, flow=outbound(retrieve=timeout))
    story.order("o1", Line("SKU-01", 4))
    story.ticks(10)
    story.order("o2", Line("SKU-01", 6))
    story.ticks(25)
    assert story.closed() == {"o1": "quarantined"}
    assert reserved(story) == {"t0": 6}


class Careless(Story):
    """Its arms take one unit and say that all is well."""

    def answer(self, command: object) -> list[object]:
        if isinstance(command, StartWork) and command.capability == "pick":
            return [WorkEnded(work=command.work, quantity=1)]
        return super().answer(command)


def test_units_that_nobody_took_are_free_again_when_the_order_is_over() -> None:
    story = Careless(totes=1)
    story.order("o1", Line("SKU-01", 10))
    story.ticks(200)
    assert story.closed() == {"o1": "quarantined"}
    assert reserved(story) == {"t0": 0}


def test_units_reserved_for_nobody_break_an_invariant() -> None:
    story = Story()
    assert not invariants.check(story.world)
    story.world.stock.totes["t0"].reserved = 1
    assert "for no line" in "; ".join(invariants.check(story.world))
