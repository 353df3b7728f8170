"""A camera that sends the same picture of different things is not believed, whoever reads it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from hand_clock import HandClock, Scripted

from orchestrator.vision.chain import FROZEN, Chain
from orchestrator.vision.frozen import Frozen
from orchestrator.vision.model import Picture, Question, Reading, Verdict
from orchestrator.vision.policy import Policy, TaskPolicy

BOX = Question("verify_pick", "A:2", ("A",), "o1", camera="0:verify")
LANE = Question("check_lane", "", (), "e7", camera="3:watch")
HUNG, FRESH = Picture(b"hung"), Picture(b"fresh")


def judged(*asked: tuple[Picture, Question], **more: Any) -> list[Verdict]:
    """One after the other, by a reader for whom every box holds two A and every lane is free."""
    clock = HandClock()
    boxes = Scripted("boxes", clock, lambda _: (0.0, Reading("A:2", 1.0, "x")))
    lanes = Scripted("lanes", clock, lambda _: (0.0, Reading("clear", 1.0, "x")))
    tasks: Any = {"verify_pick": TaskPolicy(("boxes",)), "check_lane": TaskPolicy(("lanes",))}
    chain = Chain([boxes, lanes], Policy(tasks, **more), clock)

    async def story() -> list[Verdict]:
        return [(await clock.story(chain.judge(*one)))[0] for one in asked]

    verdicts = asyncio.run(story())
    assert chain.figures()["frozen"] == sum(verdict.model == FROZEN for verdict in verdicts)
    return verdicts


def test_the_same_picture_of_another_box_is_a_doubt_that_says_why() -> None:
    first, second, third = judged(
        (HUNG, BOX), (HUNG, replace(BOX, subject="o2")), (FRESH, replace(BOX, subject="o2"))
    )
    assert (first.outcome, third.outcome) == ("ok", "ok")
    assert (second.outcome, second.value, second.model) == ("doubtful", "", FROZEN)
    assert second.trail[0].note == "the same picture as of verify_pick o1 A:2"


def test_so_it_is_where_the_same_box_should_hold_something_else_by_now() -> None:
    second = judged((HUNG, BOX), (HUNG, replace(BOX, expected="B:1")))[1]
    assert (second.outcome, second.model) == ("doubtful", FROZEN)


def test_neither_another_look_nor_the_cache_makes_it_better() -> None:
    other = replace(BOX, subject="o2")
    asked = [
        (HUNG, BOX),
        *[(HUNG, replace(other, look=how)) for how in ("", "", "reader", "angle")],
    ]
    verdicts = judged(*asked, (HUNG, BOX), (HUNG, other), cache_entries=100)  # type: ignore[arg-type]
    assert [verdict.outcome for verdict in verdicts] == ["ok", *["doubtful"] * 4, "ok", "doubtful"]


def test_an_empty_lane_may_look_as_it_did() -> None:
    assert {verdict.outcome for verdict in judged(*[(HUNG, LANE)] * 5)} == {"ok"}


def test_of_two_cameras_neither_answers_for_the_other_and_an_unknown_one_for_nobody() -> None:
    other = replace(BOX, subject="o2", camera="1:verify")
    assert {verdict.outcome for verdict in judged((HUNG, BOX), (HUNG, other))} == {"ok"}
    unknown = [replace(BOX, subject=box, camera="") for box in ("o1", "o2")]
    assert {verdict.outcome for verdict in judged(*[(HUNG, one) for one in unknown])} == {"ok"}


def test_it_hangs_after_so_many_in_a_row() -> None:
    frozen, told = Frozen(3), list[bool]()
    for picture, box in [*("h1", "h2", "h3", "f4", "h5", "h6", "h7", "h8")]:
        frozen.before("0:verify", picture, ("verify_pick", box, "A:2"))
        told.append(frozen.hangs("0:verify"))
    assert told == [False] * 6 + [True, False], "a fresh picture, and a word about it, end a row"


def test_what_is_remembered_is_bounded_and_a_picture_that_hangs_is_not_forgotten() -> None:
    frozen = Frozen(3, remembered=10)
    for number in range(100):
        frozen.before("0:verify", "hung", ("verify_pick", f"o{number}", "A:2"))
        frozen.before("0:verify", f"fresh {number}", ("verify_pick", f"o{number}", "A:2"))
    assert len(frozen) == 10
    assert frozen.before("0:verify", "hung", ("verify_pick", "o100", "A:2"))
